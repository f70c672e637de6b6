package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// hierarchy is what the archive keeps in memory for those above the tenants.
type hierarchy struct {
	deleteAfter time.Duration
	ordering    sync.Mutex // held while a tenant is provisioned
	counting    sync.Mutex // held while usage is counted
	deleting    sync.Mutex // held while a tenant is deleted
	states      tenantStates
}

// Operator's acts on the command line are those of an operator whom nobody knows.
// AsOperator returns the view of the archive for them.
func (a *Archive) AsOperator() *Handle { return a.As(access.Actor{Role: access.RoleOperator}) }

// who names the actor in the event log.
func (h *Handle) who() string {
	if h.actor.User.IsZero() && h.actor.Role == access.RoleOperator {
		return cliActor
	}
	return "user:" + h.actor.User.String()
}

// FieldError is an ErrInvalid that names the member of the request that is wrong.
type FieldError struct {
	Field string // as in the REST interface, such as admin.login
	Text  string
}

func (e *FieldError) Error() string        { return e.Field + ": " + e.Text }
func (e *FieldError) Is(target error) bool { return target == ErrInvalid }

func wrongField(field, format string, args ...any) error {
	return &FieldError{Field: field, Text: fmt.Sprintf(format, args...)}
}

// within names the field of an error of one that is ErrInvalid.
func inField(field string, err error) error {
	var known *FieldError
	if err == nil || errors.As(err, &known) || !errors.Is(err, ErrInvalid) {
		return err
	}
	return wrongField(field, "%v", err)
}

// Level is how far a limit is reached.
type Level string

// Levels.
const (
	Free    Level = ""        // of no concern
	Near    Level = "near"    // 80 % and more
	Reached Level = "reached" // 100 % and more: nothing is refused but further tenants
)

// LimitUse is a limit and how much of it is used.
type LimitUse struct {
	What        string // customers, mailboxes, storage
	Used, Limit int64  // Limit 0: none
	Level       Level
}

func limitUse(what string, used, limit int64) LimitUse {
	u := LimitUse{What: what, Used: used, Limit: limit}
	switch {
	case limit <= 0:
	case used >= limit:
		u.Level = Reached
	case used*5 >= limit*4:
		u.Level = Near
	}
	return u
}

// TenantView is a tenant as those above it see it: figures, and nothing of its mail.
type TenantView struct {
	catalog.Tenant
	Care     catalog.Care
	Reseller *catalog.Reseller // nil: the operator looks after it
	Totals   catalog.Totals
	Usage    catalog.Usage // of this month
	Limits   []LimitUse
}

// Tenants lists the tenants that the actor looks after, by name. Damaged rows are left
// out and logged.
func (h *Handle) Tenants(ctx context.Context) ([]TenantView, error) {
	if err := h.actor.Check(access.ManageTenants); err != nil {
		return nil, err
	}
	list, err := h.a.tenantViews(ctx)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(v TenantView) bool { return !h.looksAfter(v.Care.Reseller) })
	return list, nil
}

// looksAfter reports whether the actor may know of what belongs to a reseller; the zero
// one is the operator.
func (h *Handle) looksAfter(reseller uid.ID) bool {
	return h.actor.Role == access.RoleOperator || !reseller.IsZero() && reseller == h.actor.Reseller
}

// sound logs damaged rows and lets the others pass.
func (a *Archive) sound(what string, err error) error {
	if len(rowErrors(err)) > 0 {
		a.log.Error("rows are damaged; muniment fsck tells more", "of", what, "error", err)
		return nil
	}
	return err
}

func (a *Archive) tenantViews(ctx context.Context) ([]TenantView, error) {
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	cares, err := a.catalog.Cares(ctx)
	if err := a.sound("care of tenants", err); err != nil {
		return nil, err
	}
	totals, err := a.catalog.TenantTotals(ctx)
	if err != nil {
		return nil, err
	}
	usage, err := a.catalog.Usages(ctx, monthOf(a.now()))
	if err := a.sound("usage", err); err != nil {
		return nil, err
	}
	resellers, err := a.resellers(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]TenantView, 0, len(tenants))
	for _, t := range tenants {
		v := TenantView{Tenant: *t, Care: catalog.Care{Tenant: t.ID}, Totals: totals[t.ID]}
		if k := cares[t.ID]; k != nil {
			v.Care = *k
		}
		if u := usage[t.ID]; u != nil {
			v.Usage = *u
		}
		v.Reseller = resellers[v.Care.Reseller]
		v.Limits = tenantLimits(&v)
		out = append(out, v)
	}
	slices.SortFunc(out, func(x, y TenantView) int {
		return cmp.Or(cmp.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)), cmp.Compare(x.Slug, y.Slug))
	})
	return out, nil
}

func tenantLimits(v *TenantView) []LimitUse {
	return []LimitUse{
		limitUse("mailboxes", int64(v.Usage.Mailboxes), int64(v.Care.Limits.Mailboxes)),
		limitUse("storage", v.Usage.StoredBytes, v.Care.Limits.Storage),
	}
}

// resellers returns all by id.
func (a *Archive) resellers(ctx context.Context) (map[uid.ID]*catalog.Reseller, error) {
	list, err := a.catalog.Resellers(ctx)
	if err := a.sound("resellers", err); err != nil {
		return nil, err
	}
	out := make(map[uid.ID]*catalog.Reseller, len(list))
	for _, r := range list {
		out[r.ID] = r
	}
	return out, nil
}

// TenantDetail is one tenant with what a list leaves out.
type TenantDetail struct {
	TenantView
	Domains   []*catalog.Domain
	Journals  []string // addresses
	Sources   int
	Users     int
	Reference string // of the order it was made by; empty: none
	Months    []*catalog.Usage
	// DeletableAt is when a tenant that has ended may be deleted; zero: it has not.
	DeletableAt time.Time
}

// Tenant returns one of the tenants that the actor looks after. catalog.ErrNotFound
// also for those of others.
func (h *Handle) Tenant(ctx context.Context, id uid.ID) (*TenantDetail, error) {
	if err := h.mine(ctx, access.ManageTenants, id); err != nil {
		return nil, err
	}
	t, err := h.a.catalog.Tenant(ctx, id)
	if err != nil {
		return nil, err
	}
	d := &TenantDetail{TenantView: TenantView{Tenant: *t, Care: catalog.Care{Tenant: id}}}
	if err := h.a.addFigures(ctx, d); err != nil {
		return nil, err
	}
	if err := h.a.addDetail(ctx, d); err != nil {
		return nil, err
	}
	return d, nil
}

// addFigures adds what the list shows.
func (a *Archive) addFigures(ctx context.Context, d *TenantDetail) error {
	k, err := a.catalog.Care(ctx, d.ID)
	if err := a.sound("care of tenants", err); err != nil {
		return err
	}
	if k != nil {
		d.Care = *k
	}
	if !d.Care.Reseller.IsZero() {
		d.Reseller, err = a.catalog.Reseller(ctx, d.Care.Reseller)
		if err := a.sound("resellers", err); err != nil && !errors.Is(err, catalog.ErrNotFound) {
			return err
		}
	}
	totals, err := a.catalog.TenantTotals(ctx)
	if err != nil {
		return err
	}
	d.Totals = totals[d.ID]
	d.Months, err = a.catalog.UsageOf(ctx, d.ID)
	if err := a.sound("usage", err); err != nil {
		return err
	}
	for _, u := range d.Months {
		if u.Month == monthOf(a.now()) {
			d.Usage = *u
		}
	}
	d.Limits = tenantLimits(&d.TenantView)
	return nil
}

func (a *Archive) addDetail(ctx context.Context, d *TenantDetail) (err error) {
	d.Domains, err = a.catalog.DomainsOf(ctx, d.ID)
	if err := a.sound("domains", err); err != nil {
		return err
	}
	sources, err := a.catalog.Sources(ctx, d.ID)
	if err := a.sound("sources", err); err != nil {
		return err
	}
	d.Sources = len(sources)
	for _, s := range sources {
		if s.JournalAddress != "" && !s.Disabled {
			d.Journals = append(d.Journals, s.JournalAddress)
		}
	}
	if d.Users, err = a.catalog.CountUsers(ctx, d.ID); err != nil {
		return err
	}
	if p, err := a.catalog.ProvisionOf(ctx, d.ID); err == nil {
		d.Reference = p.Reference
	} else if !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	if d.State == catalog.TenantEnded {
		d.DeletableAt = d.Care.Since.Add(a.hierarchy.deleteAfter)
	}
	return nil
}

// mine checks the right and that the actor looks after a tenant.
func (h *Handle) mine(ctx context.Context, right access.Right, tenant uid.ID) error {
	if err := h.actor.Check(right); err != nil {
		return err
	}
	k, err := h.a.catalog.Care(ctx, tenant)
	if err != nil {
		return err
	}
	if !h.looksAfter(k.Reseller) {
		return fmt.Errorf("tenant %s: %w", tenant, catalog.ErrNotFound)
	}
	return nil
}
