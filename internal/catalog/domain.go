package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Domain is a mail domain of a tenant. In the whole installation it belongs to one
// tenant only.
type Domain struct {
	Name      string // lower case, Unicode
	Tenant    uid.ID
	Main      string // the tenant's domain whose alias it is; empty: none
	CreatedAt time.Time
}

type domainRow struct {
	bun.BaseModel `bun:"table:domain,alias:dom"`

	Name      text `bun:"name"`
	Tenant    blob `bun:"tenant"`
	Main      text `bun:"main"`
	CreatedAt num  `bun:"created_at"`
	Checksum  blob `bun:"checksum"`
}

func newDomainRow(d *Domain) *domainRow {
	r := &domainRow{Name: text(d.Name), Tenant: d.Tenant[:], Main: text(d.Main), CreatedAt: millis(d.CreatedAt)}
	r.Checksum = r.sum()
	return r
}

func (r *domainRow) sum() blob {
	return newSummer(nil, "domain", GroupRow).text(r.Name).bytes(r.Tenant).text(r.Main).num(r.CreatedAt).sum()
}

func (r *domainRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "domain", Object: fmt.Sprintf("%.80q", string(r.Name))})
}

func (r *domainRow) model() (*Domain, error) {
	return &Domain{Name: string(r.Name), Tenant: toID(r.Tenant), Main: string(r.Main), CreatedAt: r.CreatedAt.millis()}, nil
}

// AddDomain adds d. ErrTaken if any tenant has it.
func (c *Catalog) AddDomain(ctx context.Context, d *Domain, events ...*Event) error {
	if d.Name == "" {
		return fmt.Errorf("add domain: %w: no name", ErrInvalid)
	}
	if err := nameable(text(d.Name), text(d.Main)); err != nil {
		return c.wrap(err, "add domain")
	}
	err := c.withAny(ctx, d.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		if _, err := one[Tenant](ctx, new(tenantRow), tx.NewSelect().Where("id = ?", d.Tenant)); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(newDomainRow(d)).Exec(ctx)
		return err
	})
	return c.wrap(err, "add domain %q", d.Name)
}

// RemoveDomain removes a domain of a tenant with its proof, damaged or not, and stores
// the events of it. ErrNotFound if the tenant has no such domain.
func (c *Catalog) RemoveDomain(ctx context.Context, tenant uid.ID, name string, events ...*Event) error {
	err := c.withAny(ctx, tenant, events, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*domainProofRow)(nil)).Where("tenant = ?", tenant).Where("name = ?", text(name)).Exec(ctx); err != nil {
			return err
		}
		return changed(tx.NewDelete().Model((*domainRow)(nil)).Where("tenant = ?", tenant).Where("name = ?", text(name)).Exec(ctx))
	})
	return c.wrap(err, "remove domain %q", name)
}

// Domains returns the domains of all tenants by name. Rows that fail their check
// sum are missing and joined as *RowError in the error, beside the good ones.
func (c *Catalog) Domains(ctx context.Context) ([]*Domain, error) {
	list, err := all[domainRow, Domain](ctx, c.read.NewSelect())
	slices.SortFunc(list, func(a, b *Domain) int { return cmp.Compare(a.Name, b.Name) })
	return list, c.wrap(err, "domains")
}

// DomainsOf returns the domains of one tenant, as Domains does.
func (c *Catalog) DomainsOf(ctx context.Context, tenant uid.ID) ([]*Domain, error) {
	list, err := all[domainRow, Domain](ctx, c.read.NewSelect().Where("tenant = ?", tenant))
	slices.SortFunc(list, func(a, b *Domain) int { return cmp.Compare(a.Name, b.Name) })
	return list, c.wrap(err, "domains")
}
