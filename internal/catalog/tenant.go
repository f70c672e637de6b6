package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
)

type tenantRow struct {
	bun.BaseModel `bun:"table:tenant,alias:tenant"`

	ID        blob `bun:"id"`
	Slug      text `bun:"slug"`
	Name      text `bun:"name"`
	Zone      text `bun:"zone"`
	State     text `bun:"state"`
	CreatedAt num  `bun:"created_at"`
	Checksum  blob `bun:"checksum"`
}

func newTenantRow(t *Tenant) *tenantRow {
	r := &tenantRow{ID: t.ID[:], Slug: text(t.Slug), Name: text(t.Name), Zone: text(t.Zone), State: text(t.State), CreatedAt: millis(t.CreatedAt)}
	r.Checksum = r.sum()
	return r
}

func (r *tenantRow) sum() blob {
	return newSummer(nil, "tenant", GroupRow).bytes(r.ID).text(r.Slug, r.Name, r.Zone, r.State).num(r.CreatedAt).sum()
}

func (r *tenantRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "tenant", Object: idText(r.ID)})
}

func (r *tenantRow) model() (*Tenant, error) {
	return &Tenant{ID: toID(r.ID), Slug: string(r.Slug), Name: string(r.Name), Zone: string(r.Zone),
		State: TenantState(r.State), CreatedAt: r.CreatedAt.millis()}, nil
}

// CreateTenant adds t with an empty event log. ErrTaken if its slug is in use.
func (c *Catalog) CreateTenant(ctx context.Context, t *Tenant, events ...*Event) error {
	if t.ID.IsZero() || t.Slug == "" {
		return fmt.Errorf("create tenant: %w: no id or no slug", ErrInvalid)
	}
	if err := nameable(text(t.Slug)); err != nil {
		return c.wrap(err, "create tenant")
	}
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(newTenantRow(t)).Exec(ctx); err != nil {
			return err
		}
		h := &headRow{Tenant: t.ID[:], Peaks: blob((&eventlog.Frontier{}).Bytes())}
		h.Checksum = h.sum()
		if _, err := tx.NewInsert().Model(h).Exec(ctx); err != nil || len(events) == 0 {
			return err
		}
		if err := c.appendEvents(ctx, tx, h, events); err != nil {
			return err
		}
		return writeHead(ctx, tx, h)
	})
	return c.wrap(err, "create tenant %s", t.Slug)
}

// Tenant returns a tenant by its ID.
func (c *Catalog) Tenant(ctx context.Context, id uid.ID) (*Tenant, error) {
	t, err := one[Tenant](ctx, new(tenantRow), c.read.NewSelect().Where("id = ?", id).Where("id <> ?", uid.ID{}))
	return t, c.wrap(err, "tenant %s", id)
}

// TenantBySlug returns a tenant by its short name.
func (c *Catalog) TenantBySlug(ctx context.Context, slug string) (*Tenant, error) {
	t, err := one[Tenant](ctx, new(tenantRow), c.read.NewSelect().Where("slug = ?", text(slug)).Where("id <> ?", uid.ID{}))
	return t, c.wrap(err, "tenant %q", slug)
}

// Tenants returns all tenants by slug. Rows that fail their check sum are
// missing and joined as *RowError in the error, beside the good ones.
func (c *Catalog) Tenants(ctx context.Context) ([]*Tenant, error) {
	list, err := all[tenantRow, Tenant](ctx, c.read.NewSelect().Where("id <> ?", uid.ID{}))
	slices.SortFunc(list, func(a, b *Tenant) int { return strings.Compare(a.Slug, b.Slug) })
	return list, c.wrap(err, "tenants")
}

// UpdateTenant writes name, zone and state.
func (c *Catalog) UpdateTenant(ctx context.Context, t *Tenant) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		old, err := one[Tenant](ctx, new(tenantRow), c.locked(tx.NewSelect().Where("id = ?", t.ID)))
		if err != nil {
			return err
		}
		old.Name, old.Zone, old.State = t.Name, t.Zone, t.State
		return changed(tx.NewUpdate().Model(newTenantRow(old)).Where("id = ?", t.ID).Exec(ctx))
	})
	return c.wrap(err, "update tenant %s", t.ID)
}
