package catalogtest

import (
	"context"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// testGrowth adds up accounts by day, week, month and year, and once more when they
// have changed.
func testGrowth(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	add := func(tenant uid.ID, day string, o catalog.Outcome, n int64) {
		must(t, e.AddAccount(ctx, tenant, catalog.Account{Source: uid.ID{byte(n)}, Day: day, Outcome: o, Count: n, Bytes: 10 * n}))
	}
	add(tenant, "2025-12-31", catalog.Stored, 1) // a Wednesday
	add(tenant, "2026-01-01", catalog.Stored, 2)
	add(tenant, "2026-01-01", catalog.ReleasedLater, 3)
	add(tenant, "2026-01-01", catalog.Duplicate, 100)
	add(tenant, "2026-01-05", catalog.Stored, 4)
	add(other, "2026-01-01", catalog.Stored, 5)
	grown := func(t *testing.T, tenant uid.ID, unit catalog.GrowthUnit, from string) map[string]int64 {
		t.Helper()
		out := map[string]int64{}
		for _, g := range got(e.Growth(ctx, tenant, unit, from))(t).Periods {
			if g.Unit != unit || g.Bytes != 10*g.Messages {
				t.Errorf("growth by %s: %+v", unit, *g)
			}
			out[g.Period] += g.Messages
		}
		return out
	}
	same(t, "counted at first", got(e.GrowthCounted(ctx, tenant))(t), "")
	same(t, "growth at first", grown(t, tenant, catalog.ByDay, ""), map[string]int64{})
	for range 2 { // the second time changes nothing
		must(t, e.CountGrowth(ctx, tenant, "2026-01-04", 77))
		same(t, "counted", got(e.GrowthCounted(ctx, tenant))(t), "2026-01-04")
		same(t, "days", grown(t, tenant, catalog.ByDay, ""), map[string]int64{"2025-12-31": 1, "2026-01-01": 5, "2026-01-04": 0})
		same(t, "days since", grown(t, tenant, catalog.ByDay, "2026-01-01"), map[string]int64{"2026-01-01": 5, "2026-01-04": 0})
		same(t, "weeks", grown(t, tenant, catalog.ByWeek, ""), map[string]int64{"2025-12-29": 6})
		same(t, "months", grown(t, tenant, catalog.ByMonth, ""), map[string]int64{"2025-12-01": 1, "2026-01-01": 5})
		same(t, "years", grown(t, tenant, catalog.ByYear, ""), map[string]int64{"2025-01-01": 1, "2026-01-01": 5})
	}
	add(tenant, "2026-01-01", catalog.ReleasedLater, 6) // out of quarantine, long after
	must(t, e.CountGrowth(ctx, tenant, "2026-01-05", 88))
	must(t, e.CountGrowth(ctx, other, "2026-01-05", 9))
	same(t, "weeks, once more", grown(t, tenant, catalog.ByWeek, ""), map[string]int64{"2025-12-29": 12, "2026-01-05": 4})
	same(t, "weeks of all", grown(t, uid.ID{}, catalog.ByWeek, ""), map[string]int64{"2025-12-29": 17, "2026-01-05": 4})
	all := got(e.Growth(ctx, uid.ID{}, catalog.ByDay, "2026-01-04"))(t)
	same(t, "counted of all", all.Counted, map[uid.ID]string{tenant: "2026-01-05", other: "2026-01-05"})
	stored := map[string]int64{}
	for _, g := range all.Periods {
		if g.Tenant == tenant {
			stored[g.Period] = g.Stored
		}
	}
	same(t, "size of the vault", stored, map[string]int64{"2026-01-04": 77, "2026-01-05": 88})
	mustBe(t, "until no day", e.CountGrowth(ctx, tenant, "2026-13-01", 0), catalog.ErrInvalid)
	mustBe(t, "nobody's", e.CountGrowth(ctx, uid.ID{9}, "2026-01-05", 0), catalog.ErrNotFound)
	testArrived(ctx, t, e, tenant)
}

func testArrived(ctx context.Context, t *testing.T, e *env, tenant uid.ID) {
	t.Helper()
	list := got(e.Arrived(ctx, tenant, "2026-01-01"))(t)
	days := map[string]int64{}
	for _, g := range list {
		if g.Tenant != tenant || g.Bytes != 10*g.Messages {
			t.Errorf("arrived: %+v", *g)
		}
		days[g.Period] = g.Messages
	}
	same(t, "arrived", days, map[string]int64{"2026-01-01": 11, "2026-01-05": 4})
	same(t, "arrived at all", len(got(e.Arrived(ctx, uid.ID{}, "2026-01-01"))(t)), 3)
}

// testPasswordHash swaps a hash only for the one that is there.
func testPasswordHash(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	u := e.user(t, tenant, "anna", "a@a", "b@a")
	want := *u
	want.PasswordHash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$bmV1"
	for i, swaps := range []bool{true, false} { // the second time another hash is there
		if ok := got(e.SwapPasswordHash(ctx, tenant, u.ID, u.PasswordHash, want.PasswordHash))(t); ok != swaps {
			t.Errorf("%d: swapped %v", i, ok)
		}
		same(t, "user", *got(e.User(ctx, tenant, u.ID))(t), want)
	}
}

// The first day of a period, and that of others.
func testPeriods(t *testing.T, _ *env) {
	at := time.Date(2026, time.January, 1, 23, 30, 0, 0, time.FixedZone("", 3600)) // a Thursday, in UTC as well
	for unit, want := range map[catalog.GrowthUnit][2]string{catalog.ByDay: {"2026-01-01", "2025-12-31"}, catalog.ByWeek: {"2025-12-29", "2025-12-22"},
		catalog.ByMonth: {"2026-01-01", "2025-12-01"}, catalog.ByYear: {"2026-01-01", "2025-01-01"}} {
		first := unit.First(at)
		if got := [2]string{first.Format(time.DateOnly), unit.Add(first, -1).Format(time.DateOnly)}; got != want {
			t.Errorf("%s: %v, want %v", unit, got, want)
		}
	}
}
