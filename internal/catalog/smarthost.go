package catalog

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

type smarthostRow struct {
	bun.BaseModel `bun:"table:smarthost,alias:sh"`

	Tenant   blob     `bun:"tenant"`
	Settings document `bun:"settings"`
	Secret   blob     `bun:"secret"`
	Checksum blob     `bun:"checksum"`
}

func newSmarthostRow(s *Smarthost) *smarthostRow {
	r := &smarthostRow{Tenant: s.Tenant[:], Settings: document(s.Settings), Secret: append(blob{}, s.Secret...)}
	r.Checksum = r.sum()
	return r
}

func (r *smarthostRow) sum() blob {
	return newSummer(nil, "smarthost", GroupRow).bytes(r.Tenant).document(r.Settings).bytes(r.Secret).sum()
}

func (r *smarthostRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "smarthost", Object: idText(r.Tenant)})
}

func (r *smarthostRow) model() (*Smarthost, error) {
	s := &Smarthost{Tenant: toID(r.Tenant), Settings: []byte(r.Settings)}
	if len(r.Secret) > 0 {
		s.Secret = r.Secret
	}
	return s, nil
}

// Smarthost returns how mail of a tenant leaves; the zero tenant is the
// installation. ErrNotFound if nothing is set.
func (c *Catalog) Smarthost(ctx context.Context, tenant uid.ID) (*Smarthost, error) {
	s, err := one[Smarthost](ctx, new(smarthostRow), c.read.NewSelect().Where("tenant = ?", tenant))
	return s, c.wrap(err, "smarthost")
}

// SetSmarthost stores s in place of what was set, and the events of it in the
// log of the tenant or the installation.
func (c *Catalog) SetSmarthost(ctx context.Context, s *Smarthost, events ...*Event) error {
	err := c.withEvents(ctx, s.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*smarthostRow)(nil)).Where("tenant = ?", s.Tenant).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(newSmarthostRow(s)).Exec(ctx)
		return err
	})
	return c.wrap(err, "set smarthost")
}

// DeleteSmarthost removes what is set, and stores the events of it likewise.
// ErrNotFound if nothing is set.
func (c *Catalog) DeleteSmarthost(ctx context.Context, tenant uid.ID, events ...*Event) error {
	err := c.withEvents(ctx, tenant, events, func(ctx context.Context, tx bun.Tx) error {
		return changed(tx.NewDelete().Model((*smarthostRow)(nil)).Where("tenant = ?", tenant).Exec(ctx))
	})
	return c.wrap(err, "delete smarthost")
}
