package catalogtest

import (
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func testAccounts(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	one, two := uid.ID{1}, uid.ID{2}
	account := func(source uid.ID, day string, outcome catalog.Outcome, count, bytes int64) catalog.Account {
		return catalog.Account{Source: source, Day: day, Outcome: outcome, Count: count, Bytes: bytes}
	}
	for _, a := range []catalog.Account{
		account(two, "2026-03-02", catalog.Stored, 1, 10), account(one, "2026-03-02", catalog.Stored, 2, 20), account(one, "2026-03-02", catalog.Stored, 3, 30),
		account(one, "2026-03-01", catalog.Refused, 1, 0), account(one, "2026-03-02", catalog.Duplicate, 4, 40), account(one, "2026-03-03", catalog.Stored, 1, 1<<40),
	} {
		must(t, e.AddAccount(ctx, tenant, a))
	}
	all := []catalog.Account{account(one, "2026-03-01", catalog.Refused, 1, 0), account(one, "2026-03-02", catalog.Duplicate, 4, 40),
		account(one, "2026-03-02", catalog.Stored, 5, 50), account(two, "2026-03-02", catalog.Stored, 1, 10), account(one, "2026-03-03", catalog.Stored, 1, 1<<40)}
	same(t, "all", got(e.Accounts(ctx, tenant, "", ""))(t), all)
	same(t, "from", got(e.Accounts(ctx, tenant, "2026-03-02", ""))(t), all[1:])
	same(t, "to", got(e.Accounts(ctx, tenant, "", "2026-03-02"))(t), all[:4])
	same(t, "one day", got(e.Accounts(ctx, tenant, "2026-03-02", "2026-03-02"))(t), all[1:4])
	same(t, "none", got(e.Accounts(ctx, tenant, "2026-03-04", ""))(t), []catalog.Account{})
	mustBe(t, "no day", e.AddAccount(ctx, tenant, account(one, "2026-02-30", catalog.Stored, 1, 1)), catalog.ErrInvalid)
	mustBe(t, "no outcome", e.AddAccount(ctx, tenant, account(one, "2026-03-01", "", 1, 1)), catalog.ErrInvalid)
	mustBe(t, "no tenant", e.AddAccount(ctx, one, all[0]), catalog.ErrNotFound)
}

func testStatistics(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	now := time.Date(2026, time.March, 2, 23, 59, 0, 0, time.FixedZone("", -5*3600)) // 3 March in UTC
	s := got(e.Statistics(ctx, tenant, now))(t)
	if s.Messages != 0 || !s.FirstReceived.IsZero() || !s.LastReceived.IsZero() || len(s.Days) != 30 || s.Days[0].Day != "2026-02-02" || s.Days[29].Day != "2026-03-03" {
		t.Errorf("statistics of nothing: %+v", s)
	}
	b := batch("first", 3)
	b.Messages[0].ReceivedAt, b.Messages[1].ReceivedAt, b.Messages[2].ReceivedAt = at(5), at(-70), at(30)
	day := func(day string, o catalog.Outcome, n int64) {
		b.Accounts = append(b.Accounts, catalog.Account{Source: uid.ID{1}, Day: day, Outcome: o, Count: n, Bytes: 10 * n})
	}
	day("2026-03-02", catalog.Stored, 4)
	day("2026-03-03", catalog.Duplicate, 100)
	day("2026-02-02", catalog.Stored, 5)
	day("2026-02-01", catalog.Stored, 1000)
	day("2026-03-04", catalog.Stored, 1000)
	e.commit(t, tenant, b)
	e.commit(t, e.tenant(t, "b"), batch("first", 9))
	s = got(e.Statistics(ctx, tenant, now))(t)
	want := catalog.Statistics{Messages: 3, RawBytes: 3003, StoredBytes: 2100, Segments: 1, FirstReceived: at(-70), LastReceived: at(30), Days: s.Days}
	same(t, "statistics", *s, want)
	for i, d := range s.Days {
		switch w := (catalog.DayCount{Day: d.Day}); i {
		case 0:
			w.Count, w.Bytes = 5, 50
			same(t, "first day", d, w)
		case 28:
			w.Count, w.Bytes = 7, 3040
			same(t, "yesterday", d, w)
		default:
			same(t, "other days", d, w)
		}
	}
}
