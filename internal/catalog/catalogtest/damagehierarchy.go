package catalogtest

import (
	"context"
	"errors"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// hierarchy makes the tenant, and a row in each table of resellers and of what they
// know of tenants.
func (d *damaged) hierarchy(t *testing.T) {
	t.Helper()
	d.resale, d.staff = d.reseller(t, "nord")
	n := order(d.resale.ID, "a", "order")
	n.Domains, n.Sources, n.Users, n.Events = nil, nil, nil, nil
	must(t, d.AddTenant(t.Context(), n))
	d.tenant = n.Tenant.ID
	must(t, second(d.AddUsage(t.Context(), d.tenant, 0, []*catalog.Usage{{Tenant: d.tenant, Month: "2026-03", Counted: 3, Addresses: []string{"a@a"}}}, nil)))
	must(t, d.CountGrowth(t.Context(), d.tenant, "2026-03-02", 7))
	must(t, d.BeginDeletion(t.Context(), &catalog.Deletion{Tenant: uid.New(at(0)), Reseller: d.resale.ID, State: catalog.Deleted, Document: []byte(`{}`), CreatedAt: at(1)}))
	must(t, d.CreateToken(t.Context(), &catalog.Token{ID: uid.New(at(0)), Hash: [32]byte{1}, Tenant: d.tenant, CreatedAt: at(1), ExpiresAt: at(2),
		TokenSettings: catalog.TokenSettings{Name: "shop", Scopes: []string{"reports:read"}}}))
}

// readHierarchy is read for what resellers and the operator have.
func (d *damaged) readHierarchy(ctx context.Context, table string) error {
	switch table {
	case "reseller":
		return second(d.Resellers(ctx))
	case "reseller_logo":
		return second(d.Logo(ctx, d.resale.Branding.Logo))
	case "reseller_user":
		return second(d.ResellerOf(ctx, d.staff.ID))
	case "tenant_care":
		return second(d.Care(ctx, d.tenant))
	case "provision":
		return second(d.Provision(ctx, d.resale.ID, "order"))
	case "usage_month":
		return second(d.Usages(ctx, "2026-03"))
	case "growth":
		return second(d.Growth(ctx, d.tenant, catalog.ByWeek, ""))
	case "deletion":
		return second(d.Deletions(ctx))
	case "api_token":
		return second(d.TokenByHash(ctx, [32]byte{1}))
	}
	return errors.New("no table " + table)
}

// claimAndForget reads the bytes of the mail and leaves it as it was.
func (d *damaged) claimAndForget(ctx context.Context) error {
	m, _, err := d.ClaimOutgoing(ctx, at(1), lease)
	if m != nil {
		m.State = catalog.OutgoingWaiting
		err = errors.Join(err, d.SettleOutgoing(ctx, m))
	}
	return err
}
