package catalog

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Trouble is something that is going wrong. It is remembered so that its begin and its
// end are told once, whoever looks.
type Trouble struct {
	Tenant uid.ID // zero: of the installation
	Kind   string
	Object string // of which there are several of the kind; empty: there is one
	Since  time.Time
}

type troubleRow struct {
	bun.BaseModel `bun:"table:trouble,alias:tr"`

	Tenant   blob `bun:"tenant"`
	Kind     text `bun:"kind"`
	Object   text `bun:"object"`
	Since    num  `bun:"since"`
	Checksum blob `bun:"checksum"`
}

func newTroubleRow(t *Trouble) *troubleRow {
	r := &troubleRow{Tenant: t.Tenant[:], Kind: text(t.Kind), Object: text(t.Object), Since: millis(t.Since)}
	r.Checksum = r.sum()
	return r
}

func (r *troubleRow) sum() blob {
	return newSummer(nil, "trouble", GroupRow).bytes(r.Tenant).text(r.Kind, r.Object).num(r.Since).sum()
}

func (r *troubleRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "trouble", Object: string(r.Kind) + " of tenant " + idText(r.Tenant)})
}

func (r *troubleRow) model() (*Trouble, error) {
	return &Trouble{Tenant: toID(r.Tenant), Kind: string(r.Kind), Object: string(r.Object), Since: r.Since.millis()}, nil
}

// Troubles returns what is going wrong, of all tenants and the installation. Rows that
// fail their check sum are missing and joined as *RowError in the error, beside the
// good ones.
func (c *Catalog) Troubles(ctx context.Context) ([]*Trouble, error) {
	list, err := all[troubleRow, Trouble](ctx, c.read.NewSelect().Order("tenant", "kind", "object"))
	return list, c.wrap(err, "troubles")
}

// BeginTrouble remembers that something goes wrong, with events in the log of its
// tenant. ErrTaken if it is remembered already: then nothing is stored.
func (c *Catalog) BeginTrouble(ctx context.Context, t *Trouble, events ...*Event) error {
	err := c.withEvents(ctx, t.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(newTroubleRow(t)).Exec(ctx)
		return err
	})
	return c.wrap(err, "begin of trouble")
}

// EndTrouble forgets it, with events likewise. ErrNotFound if it is not remembered.
func (c *Catalog) EndTrouble(ctx context.Context, t *Trouble, events ...*Event) error {
	err := c.withEvents(ctx, t.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		return changed(tx.NewDelete().Model((*troubleRow)(nil)).Where("tenant = ?", t.Tenant).Where("kind = ?", text(t.Kind)).Where("object = ?", text(t.Object)).Exec(ctx))
	})
	return c.wrap(err, "end of trouble")
}
