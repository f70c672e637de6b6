package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// GrowthUnit is how long the periods are that growth is counted in.
type GrowthUnit string

// Units. Days are those of UTC, weeks begin on Mondays (ISO 8601).
const (
	ByDay   GrowthUnit = "day"
	ByWeek  GrowthUnit = "week"
	ByMonth GrowthUnit = "month"
	ByYear  GrowthUnit = "year"
)

// counted marks the row that says up to which day a tenant is counted.
const counted GrowthUnit = "counted"

// GrowthUnits lists the units.
func GrowthUnits() []GrowthUnit { return []GrowthUnit{ByDay, ByWeek, ByMonth, ByYear} }

// First returns the first day of the period that a time is in, at midnight UTC.
func (u GrowthUnit) First(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	switch u {
	case ByWeek:
		d -= (int(t.UTC().Weekday()) + 6) % 7
	case ByMonth:
		d = 1
	case ByYear:
		m, d = time.January, 1
	}
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// Add returns the first day of the nth period after the one that begins at first.
func (u GrowthUnit) Add(first time.Time, n int) time.Time {
	switch u {
	case ByWeek:
		return first.AddDate(0, 0, 7*n)
	case ByMonth:
		return first.AddDate(0, n, 0)
	case ByYear:
		return first.AddDate(n, 0, 0)
	}
	return first.AddDate(0, 0, n)
}

// Growth is what a tenant has archived in a period.
type Growth struct {
	Tenant   uid.ID
	Unit     GrowthUnit
	Period   string // its first day, 2006-01-02
	Messages int64
	Bytes    int64 // of the originals
	Stored   int64 // bytes in the vault when the period was counted; 0: nobody has looked
}

type growthRow struct {
	bun.BaseModel `bun:"table:growth,alias:gr"`

	Tenant   blob `bun:"tenant"`
	Unit     text `bun:"unit"`
	Period   text `bun:"period"`
	Messages num  `bun:"messages"`
	Bytes    num  `bun:"bytes"`
	Stored   num  `bun:"stored"`
	Checksum blob `bun:"checksum"`
}

func newGrowthRow(g *Growth) *growthRow {
	r := &growthRow{Tenant: g.Tenant[:], Unit: text(g.Unit), Period: text(g.Period), Messages: num(g.Messages), Bytes: num(g.Bytes), Stored: num(g.Stored)}
	r.Checksum = r.sum()
	return r
}

func (r *growthRow) sum() blob {
	return newSummer(nil, "growth", GroupRow).bytes(r.Tenant).text(r.Unit, r.Period).num(r.Messages, r.Bytes, r.Stored).sum()
}

func (r *growthRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "growth", Object: fmt.Sprintf("%.10q from %.10q of tenant %s", string(r.Unit), string(r.Period), idText(r.Tenant))})
}

func (r *growthRow) model() (*Growth, error) {
	return &Growth{Tenant: toID(r.Tenant), Unit: GrowthUnit(r.Unit), Period: string(r.Period), Messages: int64(r.Messages), Bytes: int64(r.Bytes), Stored: int64(r.Stored)}, nil
}

// Grown is what is counted of tenants.
type Grown struct {
	Periods []*Growth
	// Counted is the last day that is counted, by tenant; tenants without are not
	// counted at all yet.
	Counted map[uid.ID]string
}

// Growth returns what tenants have archived in the periods of a unit that begin on a
// day (2006-01-02) or later and are counted; the zero tenant: what all have. Rows that
// fail their check sum are missing and joined as *RowError in the error, beside the
// good ones.
func (c *Catalog) Growth(ctx context.Context, tenant uid.ID, unit GrowthUnit, from string) (*Grown, error) {
	q := c.read.NewSelect().Where("unit IN (?)", bun.List([]text{text(unit), text(counted)})).Where("(unit = ? OR period >= ?)", text(counted), text(from))
	if tenant.IsZero() {
		q = q.Where("tenant IN (SELECT id FROM tenant)") // so that the key finds each
	} else {
		q = q.Where("tenant = ?", tenant)
	}
	list, err := all[growthRow, Growth](ctx, q)
	out := &Grown{Counted: map[uid.ID]string{}}
	for _, g := range list {
		if g.Unit == counted {
			out.Counted[g.Tenant] = g.Period
		} else {
			out.Periods = append(out.Periods, g)
		}
	}
	return out, c.wrap(err, "growth")
}

// Arrived returns what tenants have archived since a day (2006-01-02), by tenant and
// day; the zero tenant: what all have. It reads the accounts of these days. Rows that
// fail their check sum are missing and joined as *RowError in the error, beside the
// good ones.
func (c *Catalog) Arrived(ctx context.Context, tenant uid.ID, from string) ([]*Growth, error) {
	q := c.read.NewSelect().Where("day >= ?", text(from)).Where("outcome IN (?)", bun.List(grows()))
	if tenant.IsZero() {
		q = q.Where("tenant IN (SELECT id FROM tenant)")
	} else {
		q = q.Where("tenant = ?", tenant)
	}
	type key struct {
		tenant uid.ID
		day    string
	}
	sums := map[key]*Growth{}
	var bad []error
	err := each[accountRow, Account](ctx, q, func(r *accountRow, a *Account, err error) error {
		if err != nil {
			bad = append(bad, err)
			return nil
		}
		k := key{toID(r.Tenant), a.Day}
		if sums[k] == nil {
			sums[k] = &Growth{Tenant: k.tenant, Unit: ByDay, Period: k.day}
		}
		sums[k].Messages += a.Count
		sums[k].Bytes += a.Bytes
		return nil
	})
	if err != nil {
		return nil, c.wrap(err, "arrived since %s", from)
	}
	list := make([]*Growth, 0, len(sums))
	for _, g := range sums {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b *Growth) int { return cmp.Or(a.Tenant.Compare(b.Tenant), cmp.Compare(a.Period, b.Period)) })
	return list, c.wrap(errors.Join(bad...), "arrived since %s", from)
}

// grows lists the accounts of what was archived.
func grows() []text { return []text{text(Stored), text(ReleasedLater)} }

// GrowthCounted returns the last day of a tenant that is counted; empty: none.
func (c *Catalog) GrowthCounted(ctx context.Context, tenant uid.ID) (string, error) {
	list, err := all[growthRow, Growth](ctx, c.read.NewSelect().Where("tenant = ?", tenant).Where("unit = ?", text(counted)))
	if len(list) == 0 {
		return "", c.wrap(err, "growth of tenant %s", tenant)
	}
	return list[0].Period, c.wrap(err, "growth of tenant %s", tenant)
}

// CountGrowth adds up the accounts of a tenant up to a day that is over, as one whole:
// what was counted before is replaced where it differs, for an account may still change
// when a message leaves quarantine. stored is what the vault holds of the tenant now.
// Accounts are added up as they are; the check finds those that are damaged.
func (c *Catalog) CountGrowth(ctx context.Context, tenant uid.ID, until string, stored int64) error {
	last, err := time.Parse(time.DateOnly, until)
	if err != nil {
		return fmt.Errorf("%w: growth until %q", ErrInvalid, until)
	}
	want, err := c.sumAccounts(ctx, tenant, until)
	if err != nil {
		return c.wrap(err, "growth of tenant %s", tenant)
	}
	for _, u := range GrowthUnits() { // the periods that end now are there even if they are empty
		k := growthKey{u, u.First(last).Format(time.DateOnly)}
		if want[k] == nil {
			want[k] = &Growth{}
		}
		want[k].Stored = stored
	}
	want[growthKey{counted, until}] = &Growth{}
	err = c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, _ *headRow) error {
		return c.replaceGrowth(ctx, tx, tenant, want)
	})
	return c.wrap(err, "growth of tenant %s", tenant)
}

type growthKey struct {
	unit   GrowthUnit
	period string
}

// sumAccounts adds up what a tenant has archived, by all units.
func (c *Catalog) sumAccounts(ctx context.Context, tenant uid.ID, until string) (map[growthKey]*Growth, error) {
	var days []struct {
		Day   text `bun:"day"`
		Count num  `bun:"count"`
		Bytes num  `bun:"bytes"`
	}
	err := c.read.NewSelect().Table("account").ColumnExpr("day").ColumnExpr("CAST(SUM(count) AS BIGINT) AS count").ColumnExpr("CAST(SUM(bytes) AS BIGINT) AS bytes").
		Where("tenant = ?", tenant).Where("day <= ?", text(until)).Where("outcome IN (?)", bun.List(grows())).Group("day").Scan(ctx, &days)
	if err != nil {
		return nil, err
	}
	out := map[growthKey]*Growth{}
	for _, d := range days {
		day, err := time.Parse(time.DateOnly, string(d.Day))
		if err != nil {
			continue // damaged: the check reports it
		}
		for _, u := range GrowthUnits() {
			k := growthKey{u, u.First(day).Format(time.DateOnly)}
			if out[k] == nil {
				out[k] = &Growth{}
			}
			out[k].Messages += int64(d.Count)
			out[k].Bytes += int64(d.Bytes)
		}
	}
	return out, nil
}

// replaceGrowth writes what differs from what is stored. What the vault held then is
// kept where nobody knows better. A damaged row is replaced like one that is wrong.
func (c *Catalog) replaceGrowth(ctx context.Context, tx bun.Tx, tenant uid.ID, want map[growthKey]*Growth) error {
	var rows []growthRow
	if err := tx.NewSelect().Model(&rows).Where("tenant = ?", tenant).Scan(ctx); err != nil {
		return err
	}
	same := map[growthKey]bool{}
	for i := range rows {
		old, err := verified[Growth](&rows[i])
		k := growthKey{GrowthUnit(rows[i].Unit), string(rows[i].Period)}
		w := want[k]
		if err == nil && w != nil {
			w.Tenant, w.Unit, w.Period, w.Stored = tenant, k.unit, k.period, cmp.Or(w.Stored, old.Stored)
			if same[k] = *w == *old; same[k] {
				continue
			}
		}
		if err == nil && w == nil && k.unit != counted {
			continue // an empty period, of which the vault's size is known
		}
		if _, err := tx.NewDelete().Model((*growthRow)(nil)).Where("tenant = ?", tenant).Where("unit = ?", rows[i].Unit).Where("period = ?", rows[i].Period).Exec(ctx); err != nil {
			return err
		}
	}
	insert := make([]*growthRow, 0, len(want))
	for k, w := range want {
		if same[k] {
			continue
		}
		insert = append(insert, newGrowthRow(&Growth{Tenant: tenant, Unit: k.unit, Period: k.period, Messages: w.Messages, Bytes: w.Bytes, Stored: w.Stored}))
	}
	for chunk := range slices.Chunk(insert, listSize) {
		if _, err := tx.NewInsert().Model(&chunk).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}
