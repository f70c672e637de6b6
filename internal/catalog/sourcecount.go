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

type countRow struct {
	bun.BaseModel `bun:"table:source_count,alias:sc"`

	Tenant   blob `bun:"tenant"`
	Source   blob `bun:"source"`
	Folder   text `bun:"folder"`
	Day      text `bun:"day"`
	Came     num  `bun:"came"`
	Held     num  `bun:"held"`
	Rest     num  `bun:"rest"`
	Checksum blob `bun:"checksum"`
}

func newCountRow(tenant uid.ID, s *SourceCount) *countRow {
	r := &countRow{Tenant: tenant[:], Source: s.Source[:], Folder: text(s.Folder), Day: text(s.Day), Came: num(s.Came), Held: num(s.Held), Rest: num(s.Rest)}
	r.Checksum = r.sum()
	return r
}

func (r *countRow) sum() blob {
	return newSummer(nil, "source_count", GroupRow).bytes(r.Tenant, r.Source).text(r.Folder, r.Day).num(r.Came, r.Held, r.Rest).sum()
}

func (r *countRow) verify() *RowError {
	name := fmt.Sprintf("%.10q, %.40q of source %s", string(r.Day), string(r.Folder), idText(r.Source))
	return differs(r.Checksum, r.sum(), RowError{Table: "source_count", Object: name})
}

func (r *countRow) model() (*SourceCount, error) {
	return &SourceCount{Source: toID(r.Source), Folder: string(r.Folder), Day: string(r.Day), Came: int64(r.Came), Held: int64(r.Held), Rest: int64(r.Rest)}, nil
}

// LastSourceCount returns the count of a folder of the latest day that has one.
// ErrNotFound if it was never counted.
func (c *Catalog) LastSourceCount(ctx context.Context, tenant, source uid.ID, folder string) (*SourceCount, error) {
	q := c.read.NewSelect().Where("tenant = ?", tenant).Where("source = ?", source).Where("folder = ?", text(folder)).OrderExpr("day DESC")
	s, err := one[SourceCount](ctx, new(countRow), q)
	return s, c.wrap(err, "count of folder %q of source %s", folder, source)
}

// SetSourceCount stores the count of a folder on a day, in place of an older one.
// ErrNotFound if the tenant has no such source.
func (c *Catalog) SetSourceCount(ctx context.Context, tenant uid.ID, s SourceCount) error {
	if err := nameable(text(s.Folder)); err != nil {
		return c.wrap(err, "count of source %s", s.Source)
	}
	if _, err := time.Parse(time.DateOnly, s.Day); err != nil {
		return fmt.Errorf("%w: count of day %q", ErrInvalid, s.Day)
	}
	err := c.ofSource(ctx, tenant, s.Source, func(ctx context.Context, tx bun.Tx) error {
		r := newCountRow(tenant, &s)
		res, err := tx.NewUpdate().Model(r).Where("source = ?", s.Source).Where("folder = ?", r.Folder).Where("day = ?", r.Day).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		_, err = tx.NewInsert().Model(r).Exec(ctx)
		return err
	})
	return c.wrap(err, "count of folder %q of source %s", s.Folder, s.Source)
}

// SourceCounts returns the counts of a tenant from day from to day to, both
// included ("2006-01-02"; empty: no bound), by day, source and folder. Rows that
// fail their check sum are missing and joined as *RowError in the error, beside the
// good ones.
func (c *Catalog) SourceCounts(ctx context.Context, tenant uid.ID, from, to string) ([]SourceCount, error) {
	q := c.read.NewSelect().Where("tenant = ?", tenant)
	if from != "" {
		q = q.Where("day >= ?", text(from))
	}
	if to != "" {
		q = q.Where("day <= ?", text(to))
	}
	rows, err := all[countRow, SourceCount](ctx, q)
	list := make([]SourceCount, len(rows))
	for i, s := range rows {
		list[i] = *s
	}
	slices.SortFunc(list, func(a, b SourceCount) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), a.Source.Compare(b.Source), cmp.Compare(a.Folder, b.Folder))
	})
	return list, c.wrap(err, "counts of sources")
}
