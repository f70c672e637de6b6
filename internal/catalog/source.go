package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

type sourceRow struct {
	bun.BaseModel `bun:"table:source,alias:s"`

	ID             blob `bun:"id"`
	Tenant         blob `bun:"tenant"`
	Kind           text `bun:"kind"`
	Name           text `bun:"name"`
	JournalAddress text `bun:"journal_address"`
	Category       text `bun:"category"`
	Disabled       num  `bun:"disabled"`
	CreatedAt      num  `bun:"created_at"`
	Checksum       blob `bun:"checksum"`
}

func newSourceRow(s *Source) *sourceRow {
	r := &sourceRow{ID: s.ID[:], Tenant: s.Tenant[:], Kind: text(s.Kind), Name: text(s.Name), JournalAddress: text(s.JournalAddress),
		Category: text(s.Category), Disabled: flag(s.Disabled), CreatedAt: millis(s.CreatedAt)}
	r.Checksum = r.sum()
	return r
}

func (r *sourceRow) sum() blob {
	return newSummer(nil, "source", GroupRow).bytes(r.ID, r.Tenant).text(r.Kind, r.Name, r.JournalAddress, r.Category).
		num(r.Disabled, r.CreatedAt).sum()
}

func (r *sourceRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "source", Object: idText(r.ID)})
}

func (r *sourceRow) model() (*Source, error) {
	return &Source{ID: toID(r.ID), Tenant: toID(r.Tenant), Kind: string(r.Kind), Name: string(r.Name), JournalAddress: string(r.JournalAddress),
		Category: string(r.Category), Disabled: r.Disabled != 0, CreatedAt: r.CreatedAt.millis()}, nil
}

// CreateSource adds s. ErrTaken if kind and name are in use within the tenant
// or the journal address anywhere.
func (c *Catalog) CreateSource(ctx context.Context, s *Source, events ...*Event) error {
	if s.ID.IsZero() || s.Kind == "" || s.Name == "" {
		return fmt.Errorf("create source: %w: no id, kind or name", ErrInvalid)
	}
	if err := nameable(text(s.Kind), text(s.Name), text(s.JournalAddress)); err != nil {
		return c.wrap(err, "create source")
	}
	err := c.withAny(ctx, s.Tenant, events, func(ctx context.Context, tx bun.Tx) error { return insertSource(ctx, tx, s) })
	return c.wrap(err, "create source %q", s.Name)
}

func insertSource(ctx context.Context, tx bun.Tx, s *Source) error {
	if _, err := one[Tenant](ctx, new(tenantRow), tx.NewSelect().Where("id = ?", s.Tenant)); err != nil {
		return err
	}
	_, err := tx.NewInsert().Model(newSourceRow(s)).Exec(ctx)
	return err
}

// Source returns a source of a tenant.
func (c *Catalog) Source(ctx context.Context, tenant, id uid.ID) (*Source, error) {
	s, err := one[Source](ctx, new(sourceRow), c.read.NewSelect().Where("tenant = ?", tenant).Where("id = ?", id))
	return s, c.wrap(err, "source %s", id)
}

// SourceByJournalAddress returns the source whose mail arrives at address, of
// whatever tenant: it is how the receiver learns the tenant.
func (c *Catalog) SourceByJournalAddress(ctx context.Context, address string) (*Source, error) {
	if address == "" {
		return nil, fmt.Errorf("source by journal address: %w", ErrNotFound)
	}
	s, err := one[Source](ctx, new(sourceRow), c.read.NewSelect().Where("journal_address = ?", text(address)))
	return s, c.wrap(err, "source by journal address")
}

// AddresslessSource reports whether any source of a kind, of whatever tenant, is
// disabled and has no journal address.
func (c *Catalog) AddresslessSource(ctx context.Context, kind string) (bool, error) {
	q := c.read.NewSelect().Table("source").ColumnExpr("1").Where("kind = ?", text(kind)).Where("journal_address = ''").Where("disabled <> 0")
	found, err := q.Exists(ctx)
	return found, c.wrap(err, "sources without address")
}

// SourceByName returns a source of a tenant by kind and name.
func (c *Catalog) SourceByName(ctx context.Context, tenant uid.ID, kind, name string) (*Source, error) {
	q := c.read.NewSelect().Where("tenant = ?", tenant).Where("kind = ?", text(kind)).Where("name = ?", text(name))
	s, err := one[Source](ctx, new(sourceRow), q)
	return s, c.wrap(err, "source %q", name)
}

// Sources returns the sources of a tenant by kind and name. Rows that fail
// their check sum are missing and joined as *RowError in the error, beside the
// good ones.
func (c *Catalog) Sources(ctx context.Context, tenant uid.ID) ([]*Source, error) {
	list, err := all[sourceRow, Source](ctx, c.read.NewSelect().Where("tenant = ?", tenant))
	slices.SortFunc(list, func(a, b *Source) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return list, c.wrap(err, "sources")
}

// SourcesOfAll returns the sources of all tenants, in no order. Rows that fail their
// check sum are missing and joined as *RowError in the error, beside the good ones.
func (c *Catalog) SourcesOfAll(ctx context.Context) ([]*Source, error) {
	list, err := all[sourceRow, Source](ctx, c.read.NewSelect())
	return list, c.wrap(err, "sources")
}

// UpdateSource writes name, journal address, category and disabled.
func (c *Catalog) UpdateSource(ctx context.Context, s *Source) error {
	if err := nameable(text(s.Name), text(s.JournalAddress)); err != nil {
		return c.wrap(err, "update source %s", s.ID)
	}
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error { return c.replaceSource(ctx, tx, s) })
	return c.wrap(err, "update source %s", s.ID)
}

func (c *Catalog) replaceSource(ctx context.Context, tx bun.Tx, s *Source) error {
	old, err := one[Source](ctx, new(sourceRow), c.locked(tx.NewSelect().Where("tenant = ?", s.Tenant).Where("id = ?", s.ID)))
	if err != nil {
		return err
	}
	old.Name, old.JournalAddress, old.Category, old.Disabled = s.Name, s.JournalAddress, s.Category, s.Disabled
	return changed(tx.NewUpdate().Model(newSourceRow(old)).Where("id = ?", s.ID).Exec(ctx))
}
