package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// DomainProof tells whether a tenant has shown that a domain is its own.
type DomainProof struct {
	Name      string
	Tenant    uid.ID
	ProvenAt  time.Time // zero: it has not
	CheckedAt time.Time
	Problem   string // code of what the last check met; empty: nothing
}

type domainProofRow struct {
	bun.BaseModel `bun:"table:domain_proof,alias:dp"`

	Name      text `bun:"name"`
	Tenant    blob `bun:"tenant"`
	ProvenAt  num  `bun:"proven_at"`
	CheckedAt num  `bun:"checked_at"`
	Problem   text `bun:"problem"`
	Checksum  blob `bun:"checksum"`
}

func newDomainProofRow(p *DomainProof) *domainProofRow {
	r := &domainProofRow{Name: text(p.Name), Tenant: p.Tenant[:], ProvenAt: orZero(p.ProvenAt), CheckedAt: orZero(p.CheckedAt), Problem: text(p.Problem)}
	r.Checksum = r.sum()
	return r
}

func (r *domainProofRow) sum() blob {
	return newSummer(nil, "domain_proof", GroupRow).text(r.Name).bytes(r.Tenant).num(r.ProvenAt, r.CheckedAt).text(r.Problem).sum()
}

func (r *domainProofRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "domain_proof", Object: fmt.Sprintf("%.80q", string(r.Name))})
}

func (r *domainProofRow) model() (*DomainProof, error) {
	return &DomainProof{Name: string(r.Name), Tenant: toID(r.Tenant), ProvenAt: r.ProvenAt.orZeroTime(), CheckedAt: r.CheckedAt.orZeroTime(), Problem: string(r.Problem)}, nil
}

// SetDomainProof stores p in place of what was known of the domain, with events in the
// log of the tenant. ErrNotFound if the tenant has no such domain.
func (c *Catalog) SetDomainProof(ctx context.Context, p *DomainProof, events ...*Event) error {
	err := c.withEvents(ctx, p.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		if _, err := one[Domain](ctx, new(domainRow), c.locked(tx.NewSelect().Where("tenant = ?", p.Tenant).Where("name = ?", text(p.Name)))); err != nil {
			return err
		}
		if _, err := tx.NewDelete().Model((*domainProofRow)(nil)).Where("name = ?", text(p.Name)).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(newDomainProofRow(p)).Exec(ctx)
		return err
	})
	return c.wrap(err, "set proof of domain %q", p.Name)
}

// DomainProofs returns what is known of the domains of a tenant, by their names. Rows
// that fail their check sum are missing and joined as *RowError in the error, beside the
// good ones.
func (c *Catalog) DomainProofs(ctx context.Context, tenant uid.ID) (map[string]*DomainProof, error) {
	list, err := all[domainProofRow, DomainProof](ctx, c.read.NewSelect().Where("tenant = ?", tenant))
	out := make(map[string]*DomainProof, len(list))
	for _, p := range list {
		out[p.Name] = p
	}
	return out, c.wrap(err, "proofs of domains")
}
