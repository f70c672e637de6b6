package catalog

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Selection says which addresses of a tenant are archived.
type Selection struct {
	Tenant    uid.ID
	Enabled   bool     // false: all are
	Addresses []string // normalised
	ChangedAt time.Time
	ChangedBy string // as in Event.Actor
}

type selectionRow struct {
	bun.BaseModel `bun:"table:selection,alias:sel"`

	Tenant    blob     `bun:"tenant"`
	Enabled   num      `bun:"enabled"`
	Addresses document `bun:"addresses"`
	ChangedAt num      `bun:"changed_at"`
	ChangedBy text     `bun:"changed_by"`
	Checksum  blob     `bun:"checksum"`
}

func newSelectionRow(s *Selection) (*selectionRow, error) {
	list, err := toDocument(s.Addresses)
	r := &selectionRow{Tenant: s.Tenant[:], Enabled: flag(s.Enabled), Addresses: list, ChangedAt: millis(s.ChangedAt), ChangedBy: text(s.ChangedBy)}
	r.Checksum = r.sum()
	return r, err
}

func (r *selectionRow) sum() blob {
	return newSummer(nil, "selection", GroupRow).bytes(r.Tenant).num(r.Enabled).document(r.Addresses).num(r.ChangedAt).text(r.ChangedBy).sum()
}

func (r *selectionRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "selection", Object: idText(r.Tenant)})
}

func (r *selectionRow) model() (*Selection, error) {
	s := &Selection{Tenant: toID(r.Tenant), Enabled: r.Enabled != 0, ChangedAt: r.ChangedAt.millis(), ChangedBy: string(r.ChangedBy)}
	return s, r.Addresses.into(&s.Addresses)
}

// Selection returns which addresses of a tenant are archived. ErrNotFound if
// nobody has ever said.
func (c *Catalog) Selection(ctx context.Context, tenant uid.ID) (*Selection, error) {
	s, err := one[Selection](ctx, new(selectionRow), c.read.NewSelect().Where("tenant = ?", tenant))
	return s, c.wrap(err, "selection")
}

// SetSelection stores s in place of what was there, damaged or not, together with
// the event that tells of it.
func (c *Catalog) SetSelection(ctx context.Context, s *Selection, e *Event) error {
	r, err := newSelectionRow(s)
	if err == nil {
		err = c.withHead(ctx, s.Tenant, func(ctx context.Context, tx bun.Tx, h *headRow) error {
			if _, err := tx.NewDelete().Model((*selectionRow)(nil)).Where("tenant = ?", s.Tenant).Exec(ctx); err != nil {
				return err
			}
			if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
				return err
			}
			return c.appendEvents(ctx, tx, h, []*Event{e})
		})
	}
	return c.wrap(err, "set selection")
}
