package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// lostTenants reports the tenants that the vault has and the catalog lacks. The
// other way round, a tenant's check finds that its key is missing.
func (f *fsck) lostTenants(ctx context.Context) error {
	var list []vault.TenantInfo
	err := f.a.vault.Tenants(ctx, func(info vault.TenantInfo, err error) error {
		if err != nil {
			info.Data = nil // told of with the tenant, or below
		}
		list = append(list, info)
		return nil
	})
	if err := f.unreadable(ctx, "tenants", err); err != nil {
		return err
	}
	for _, info := range list {
		if err := f.lostTenant(ctx, info); err != nil {
			return err
		}
	}
	return nil
}

func (f *fsck) lostTenant(ctx context.Context, info vault.TenantInfo) error {
	_, err := f.a.catalog.Tenant(ctx, info.ID)
	var bad *catalog.RowError
	switch {
	case err == nil, errors.As(err, &bad): // Check has reported it
		return nil
	case !errors.Is(err, catalog.ErrNotFound):
		return f.unreadable(ctx, "catalog", err)
	}
	segments, err := f.a.vault.ListSegments(ctx, info.ID)
	if err != nil {
		return f.unreadable(ctx, "segments of tenant "+info.ID.String(), err)
	}
	var d tenantData
	if json.Unmarshal(info.Data, &d) != nil {
		d.Slug = "" // its key is damaged; the id names it
	}
	x := Finding{Severity: Damage, Tenant: d.Slug, Object: "tenant " + info.ID.String(),
		What: fmt.Sprintf("in the vault with %d segments, but the catalog has lost it; muniment rebuild restores it", len(segments))}
	if len(segments) == 0 && len(d.Sources) == 0 {
		if f.a.now().Sub(info.ID.Time()) < graceTime {
			return nil // being made
		}
		x.Severity, x.What = Leftover, "in the vault with nothing stored, and the catalog does not know it; muniment rebuild restores it"
	}
	f.report(x)
	return nil
}

// description compares what the vault remembers of a tenant for a rebuild with the
// catalog.
func (f *fsck) description(ctx context.Context, tenant uid.ID) error {
	same, _, err := f.a.described(ctx, tenant)
	if err == nil && !same { // whoever has changed it may just be writing it down
		f.a.describing.Lock()
		same, _, err = f.a.described(ctx, tenant)
		f.a.describing.Unlock()
	}
	switch {
	case len(rowErrors(err)) > 0: // Check has reported it
		return nil
	case err != nil:
		return f.unreadable(ctx, "description of tenant "+tenant.String(), err)
	case same:
		return nil
	}
	if list, _ := f.a.catalog.Sources(ctx, tenant); !f.o.Repair && slices.ContainsFunc(list, func(s *catalog.Source) bool {
		return f.a.now().Sub(s.ID.Time()) < graceTime
	}) {
		return nil // another process may just be writing it down
	}
	x := Finding{Severity: Leftover, Object: "description of tenant " + tenant.String(), What: "the vault remembers its name or sources as they were before; the next start of muniment serve writes them anew"}
	if f.o.Repair {
		if err := f.a.describeTenant(ctx, tenant); err != nil {
			return err
		}
		x.Repaired = true
	}
	f.report(x)
	return nil
}
