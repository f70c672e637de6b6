package retention

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawSetting draws one that can be in force.
func drawSetting(t *rapid.T, from time.Time) Setting {
	s := Setting{From: from, Years: rapid.IntRange(1, 12).Draw(t, "years"), Jurisdiction: rapid.SampledFrom(Jurisdictions()).Draw(t, "jurisdiction"),
		YearEnd: time.Month(rapid.IntRange(1, 12).Draw(t, "end")), Zone: rapid.SampledFrom([]string{"Europe/Berlin", "America/New_York", "Pacific/Auckland"}).Draw(t, "zone")}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	return s
}

func drawInstant(t *rapid.T, name string) time.Time {
	day := time.Date(2020, time.January, rapid.IntRange(1, 3000).Draw(t, name+" day"), 0, 0, 0, 0, time.UTC)
	return day.Add(time.Duration(rapid.IntRange(0, 86_399_999).Draw(t, name+" ms")) * time.Millisecond)
}

// Whatever is set, one after the other: what is stored never becomes due earlier.
func TestNothingStoredBecomesDueEarlier(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const zone = "Europe/Berlin"
		var h History
		var stored, due []time.Time
		clock := drawInstant(t, "begin")
		for range rapid.IntRange(1, 5).Draw(t, "steps") {
			for range rapid.IntRange(0, 2).Draw(t, "messages") {
				stored = append(stored, clock)
				d, _ := h.Due(clock, zone)
				due = append(due, d)
				clock = clock.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "pause")) * 24 * time.Hour)
			}
			h = append(h, drawSetting(t, clock)) // also in the very moment in which a message came
			needed := h.Needed()
			for i, at := range stored {
				d, by := h.Due(at, zone)
				if d.Before(due[i]) {
					t.Fatalf("what came at %s was due at %s and is at %s, after %+v", at, due[i], d, h)
				}
				if !by.Due(at).Equal(d) {
					t.Fatalf("due at %s, and not by %+v", d, by)
				}
				if n, _ := needed.Due(at, zone); !n.Equal(d) {
					t.Fatalf("due at %s by %+v and at %s by what is needed of it: %+v", d, h, n, needed)
				}
				due[i] = d
			}
		}
	})
}

// What comes after a change is under it, and a longer one holds for what is stored.
func TestHistory(t *testing.T) {
	t.Parallel()
	const zone = "Europe/Berlin"
	set := func(from string, years int) Setting {
		s := Default(zone)
		s.From, s.Years = at(t, from), years
		return s
	}
	h := History{set("2026-02-01T00:00:00Z", 6), set("2026-04-01T00:00:00Z", 8), set("2026-06-01T00:00:00Z", 12), set("2026-08-01T00:00:00Z", 5)}
	for _, x := range []struct {
		received string
		upTo     int // of the history
		want     int // year
	}{
		{"2026-01-15T00:00:00Z", 0, 2037}, {"2026-01-15T00:00:00Z", 1, 2037}, {"2026-03-15T00:00:00Z", 1, 2033}, {"2026-03-15T00:00:00Z", 2, 2035},
		{"2026-03-15T00:00:00Z", 3, 2039}, {"2026-03-15T00:00:00Z", 4, 2039}, {"2026-08-01T00:00:00Z", 4, 2039}, {"2026-08-01T00:00:00.001Z", 4, 2032},
	} {
		due, by := h[:x.upTo].Due(at(t, x.received), zone)
		if due.In(berlin(t)).Year() != x.want || by.Years != x.want-2027 {
			t.Errorf("%+v: %s by %+v", x, due, by)
		}
	}
	if s := h.At(at(t, "2026-05-01T00:00:00Z"), zone); s.Years != 8 {
		t.Errorf("in force in May: %+v", s)
	}
	if s := (History{}).At(at(t, "2026-05-01T00:00:00Z"), zone); !s.Same(Default(zone)) {
		t.Errorf("in force without any: %+v", s)
	}
}

// Shortens is right for every arrival, not only for those it looks at.
func TestShortens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		old, next := drawSetting(t, time.Time{}), drawSetting(t, time.Time{})
		if next.Shortens(old) {
			return
		}
		at := drawInstant(t, "arrival")
		if next.Due(at).Before(old.Due(at)) {
			t.Fatalf("%+v shortens %+v for what comes at %s", next, old, at)
		}
	})
	ten := Default("Europe/Berlin")
	nine, longer, swiss, abroad := ten, ten, ten, ten
	nine.Years, longer.Years, abroad.Zone = 9, 11, "America/New_York"
	swiss.Jurisdiction, swiss.YearEnd = CH, time.June
	for _, x := range []struct {
		name string
		s    Setting
		want bool
	}{{"same", ten, false}, {"nine", nine, true}, {"eleven", longer, false}, {"business year", swiss, true}, {"zone", abroad, true}} {
		if got := x.s.Shortens(ten); got != x.want {
			t.Errorf("%s: %v", x.name, got)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	good := Default("Europe/Berlin")
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Setting){"no years": func(s *Setting) { s.Years = 0 }, "too many": func(s *Setting) { s.Years = 101 }, "country": func(s *Setting) { s.Jurisdiction = "US" },
		"month": func(s *Setting) { s.YearEnd = 13 }, "zone": func(s *Setting) { s.Zone = "Mars/Olympus" }, "no zone": func(s *Setting) { s.Zone = "" }} {
		s := good
		change(&s)
		if err := s.Check(); !errors.Is(err, ErrSetting) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
