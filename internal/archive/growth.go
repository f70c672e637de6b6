package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

const (
	// growthGrace is how long after its end a day is counted: what arrived at its end is
	// committed by then.
	growthGrace = time.Hour
	// growthUncounted is how many days are read from the accounts where nothing is counted
	// yet, as in the first minutes after an update.
	growthUncounted = 40
)

// growthPeriods is how many periods of a unit a curve has, the current one included.
func growthPeriods(u catalog.GrowthUnit) int {
	return map[catalog.GrowthUnit]int{catalog.ByDay: 31, catalog.ByWeek: 26, catalog.ByMonth: 24, catalog.ByYear: 10}[u]
}

// CountGrowth adds up what all tenants have archived on days that are over and not
// counted yet. What goes wrong for one tenant does not keep it from the others.
func (a *Archive) CountGrowth(ctx context.Context) error {
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return err
	}
	until := a.now().UTC().Add(-growthGrace).AddDate(0, 0, -1).Format(time.DateOnly)
	var errs []error
	for _, t := range tenants {
		if err := a.countGrowth(ctx, t.ID, until); err != nil {
			errs = append(errs, fmt.Errorf("growth of tenant %s: %w", t.Slug, err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.Join(errs...)
}

func (a *Archive) countGrowth(ctx context.Context, tenant uid.ID, until string) error {
	last, err := a.catalog.GrowthCounted(ctx, tenant)
	if err := a.sound("growth", err); err != nil || last >= until {
		return err
	}
	stored, err := a.catalog.StoredBytes(ctx, tenant)
	if err != nil {
		return err
	}
	return a.catalog.CountGrowth(ctx, tenant, until, stored)
}

// GrowthPoint is what was archived in a period.
type GrowthPoint struct {
	From     string // its first day, 2006-01-02
	Messages int64
	Bytes    int64 // of the originals
	Stored   int64 // bytes in the vault at its end; 0: nobody has looked
}

// arrivals is what tenants have archived.
type arrivals struct {
	points []GrowthPoint    // the oldest first, the last one is the current period
	today  map[uid.ID]int64 // messages
	bytes  map[uid.ID]int64 // of today
}

// arrivals adds up the curve of tenants. What is counted is read from there, and the
// days since from the accounts.
func (a *Archive) arrivals(ctx context.Context, unit catalog.GrowthUnit, whose []uid.ID) (*arrivals, error) {
	now := a.now().UTC()
	var tenant uid.ID // all; those of others are left out below
	if len(whose) == 1 {
		tenant = whose[0]
	}
	in := make(map[uid.ID]bool, len(whose))
	for _, t := range whose {
		in[t] = true
	}
	n := growthPeriods(unit)
	first := unit.Add(unit.First(now), 1-n)
	out := &arrivals{points: make([]GrowthPoint, n), today: map[uid.ID]int64{}, bytes: map[uid.ID]int64{}}
	at := make(map[string]*GrowthPoint, n)
	for i := range out.points {
		out.points[i].From = unit.Add(first, i).Format(time.DateOnly)
		at[out.points[i].From] = &out.points[i]
	}
	grown, err := a.catalog.Growth(ctx, tenant, unit, out.points[0].From)
	if err := a.sound("growth", err); err != nil {
		return nil, err
	}
	stored := map[uid.ID]map[string]int64{}
	for _, g := range grown.Periods {
		if p := at[g.Period]; p != nil && in[g.Tenant] {
			p.Messages += g.Messages
			p.Bytes += g.Bytes
			if stored[g.Tenant] == nil {
				stored[g.Tenant] = map[string]int64{}
			}
			stored[g.Tenant][g.Period] = g.Stored
		}
	}
	addStored(out.points, stored)
	list, err := a.uncounted(ctx, tenant, whose, grown.Counted)
	if err != nil {
		return nil, err
	}
	for _, g := range list {
		if !in[g.Tenant] {
			continue
		}
		day, err := time.Parse(time.DateOnly, g.Period)
		if err != nil {
			return nil, err
		}
		if p := at[unit.First(day).Format(time.DateOnly)]; p != nil && g.Period > grown.Counted[g.Tenant] {
			p.Messages += g.Messages
			p.Bytes += g.Bytes
		}
		if g.Period == now.Format(time.DateOnly) {
			out.today[g.Tenant], out.bytes[g.Tenant] = g.Messages, g.Bytes
		}
	}
	return out, nil
}

// addStored adds up what the vault held. Where nobody has looked, it held what it had
// held before.
func addStored(points []GrowthPoint, stored map[uid.ID]map[string]int64) {
	for _, of := range stored {
		var last int64
		for i := range points {
			last = cmp.Or(of[points[i].From], last)
			points[i].Stored += last
		}
	}
}

// uncounted returns what has arrived since the days that are counted. Of a tenant of
// which nothing is counted, some weeks are read.
func (a *Archive) uncounted(ctx context.Context, tenant uid.ID, whose []uid.ID, counted map[uid.ID]string) ([]*catalog.Growth, error) {
	now := a.now().UTC()
	from := now.Format(time.DateOnly)
	for _, last := range counted {
		if t, err := time.Parse(time.DateOnly, last); err == nil {
			from = min(from, t.AddDate(0, 0, 1).Format(time.DateOnly))
		}
	}
	list, err := a.catalog.Arrived(ctx, tenant, from)
	if err := a.sound("accounts", err); err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(g *catalog.Growth) bool { return counted[g.Tenant] == "" })
	for _, t := range whose {
		if counted[t] != "" {
			continue
		}
		more, err := a.catalog.Arrived(ctx, t, now.AddDate(0, 0, -growthUncounted).Format(time.DateOnly))
		if err := a.sound("accounts", err); err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}
