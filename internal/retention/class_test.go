package retention

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func berlin(t *testing.T) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func classes(t *testing.T) []Class {
	t.Helper()
	list, err := Classes()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// RET-1, RET-2, RET-3: the same object, as the law is on several days.
func TestClasses(t *testing.T) {
	t.Parallel()
	cal := Calendar{Jurisdiction: DE, Zone: berlin(t)}
	for _, x := range []struct{ class, sector, received, day, want string }{
		{"letters", "", "2026-03-02T10:00:00Z", "2026-06-01", "2033-01-01"},
		{"books", "", "2026-03-02T10:00:00Z", "2026-06-01", "2037-01-01"},
		{"vouchers", "", "2016-05-01T10:00:00Z", "2024-06-01", "2027-01-01"},
		{"vouchers", "", "2016-05-01T10:00:00Z", "2025-06-01", "2025-01-01"},
		{"vouchers", "", "2016-05-01T10:00:00Z", "2026-06-01", "2025-01-01"},
		{"vouchers", "finance", "2016-05-01T10:00:00Z", "2024-06-01", "2027-01-01"},
		{"vouchers", "finance", "2016-05-01T10:00:00Z", "2026-06-01", "2027-01-01"},
		{"letters", "finance", "2026-03-02T10:00:00Z", "2026-06-01", "2033-01-01"}, // as everybody's
		{"vouchers", "", "2012-05-01T10:00:00Z", "2026-06-01", "2023-01-01"},       // was due before the law changed
		{"none", "", "2026-03-02T10:00:00Z", "2026-06-01", "2027-01-01"},
		{"letters", "", "2025-12-31T23:30:00Z", "2026-06-01", "2033-01-01"}, // the new year has begun in Berlin
		{"letters", "", "2025-12-31T22:30:00Z", "2026-06-01", "2032-01-01"},
	} {
		c, ok := Find(classes(t), DE, x.class, x.sector)
		if !ok {
			t.Fatalf("no class %s", x.class)
		}
		if due := c.Due(cal, at(t, x.received), x.day).In(cal.Zone); due.Format("2006-01-02 15:04:05") != x.want+" 00:00:00" {
			t.Errorf("%+v: due %s", x, due)
		}
	}
	if _, ok := Find(classes(t), DE, "rumours", ""); ok {
		t.Error("found a class that is not there")
	}
}

// RET-5: business years that are no calendar years.
func TestBusinessYears(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		j              Jurisdiction
		end            time.Month
		received, want string
		years          int
	}{
		{AT, 0, "2026-03-02T10:00:00Z", "2034-01-01", 7},
		{AT, time.June, "2026-03-02T10:00:00Z", "2034-01-01", 7},
		{AT, time.June, "2026-07-01T10:00:00Z", "2035-01-01", 7},
		{CH, time.June, "2026-03-02T10:00:00Z", "2036-07-01", 10},
		{CH, time.June, "2026-06-30T21:59:00Z", "2036-07-01", 10},
		{CH, time.June, "2026-06-30T22:00:00Z", "2037-07-01", 10},
		{CH, time.December, "2026-03-02T10:00:00Z", "2037-01-01", 10},
		{DE, time.June, "2026-07-01T10:00:00Z", "2037-01-01", 10}, // calendar years, whatever is set
	} {
		cal := Calendar{Jurisdiction: x.j, Zone: berlin(t), YearEnd: x.end}
		due := cal.Due(at(t, x.received), x.years)
		if got := due.Format(time.DateOnly); got != x.want {
			t.Errorf("%+v: due %s", x, got)
		}
		if last := cal.LastDay(due); last >= x.want {
			t.Errorf("%+v: kept until %s", x, last)
		}
	}
}

func TestLongest(t *testing.T) {
	t.Parallel()
	for j, want := range map[Jurisdiction]int{DE: DefaultYears, AT: 7, CH: 10} {
		if got := Longest(classes(t), j, "2026-06-01"); got != want {
			t.Errorf("%s: %d years, want %d", j, got, want)
		}
	}
	for _, bad := range []string{`{`, `[{"class":"a"}]`, `[{"class":"a","jurisdiction":"XX","laws":[{"valid_from":"2000-01-01","source":"s"}]}]`,
		`[{"class":"a","jurisdiction":"DE","laws":[{"valid_from":"2000-01-01","source":""}]}]`,
		`[{"class":"a","jurisdiction":"DE","laws":[{"valid_from":"2000-01-02","source":"s"},{"valid_from":"2000-01-01","source":"s"}]}]`,
		`[{"class":"a","jurisdiction":"DE","laws":[{"valid_from":"2000-01-01","years":101,"source":"s"}]}]`,
		`[{"class":"a","jurisdiction":"DE","laws":[{"valid_from":"2000-01-01","source":"s"}]},{"class":"a","jurisdiction":"DE","laws":[{"valid_from":"2000-01-01","source":"s"}]}]`} {
		if _, err := ParseClasses([]byte(bad)); err == nil || !strings.HasPrefix(err.Error(), "retention class") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// RET-7: of several classes the longest wins, in whatever order they come.
func TestTheLongestClassWins(t *testing.T) {
	t.Parallel()
	all := classes(t)
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.SampledFrom(all), 1, 6).Draw(t, "classes")
		cal := Calendar{Jurisdiction: rapid.SampledFrom(Jurisdictions()).Draw(t, "jurisdiction"), YearEnd: time.Month(rapid.IntRange(1, 12).Draw(t, "end"))}
		received := time.Unix(rapid.Int64Range(1<<30, 1<<31).Draw(t, "received"), 0)
		due := LongestDue(list, cal, received, "2026-06-01")
		for _, c := range list {
			if c.Due(cal, received, "2026-06-01").After(due) {
				t.Fatalf("%s is shorter than %s", due, c.Name)
			}
		}
		slices.Reverse(list)
		if again := LongestDue(list, cal, received, "2026-06-01"); !again.Equal(due) {
			t.Fatalf("%s, the other way round %s", due, again)
		}
	})
}

func TestDecide(t *testing.T) {
	t.Parallel()
	due := at(t, "2033-01-01T00:00:00Z")
	for _, x := range []struct {
		now    time.Time
		holds  int
		reason string
		want   Verdict
	}{
		{due, 0, "", Due}, // M-DE-02
		{due.Add(-time.Millisecond), 0, "", NoReason},
		{due.Add(-time.Millisecond), 0, "asked for by the person concerned", Early}, // M-DE-01
		{due, 1, "", Held},
		{due.AddDate(50, 0, 0), 1, "a reason", Held}, // without limit
		{due.Add(-time.Hour), 2, "a reason", Held},
	} {
		got := Decide(x.now, due, x.holds, x.reason)
		if got != x.want || got.Allows() != (x.want == Due || x.want == Early) {
			t.Errorf("%+v: %s", x, got)
		}
	}
	if got := Decide(due, time.Time{}, 0, ""); got != NoReason {
		t.Errorf("no due date at all: %s", got)
	}
}
