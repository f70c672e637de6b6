package retention

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// DefaultYears is how long what nothing classifies is kept as long as a tenant has set
// nothing: the longest ordinary period (RET-9). It must never become shorter: what is
// stored under it would become due earlier.
const DefaultYears = 10

// ErrSetting is matched by the refusal of a setting, which says what is wrong.
var ErrSetting = errors.New("no such retention")

// Setting is what a tenant has set for what nothing classifies.
type Setting struct {
	From         time.Time // in force from then on; zero: since ever
	Years        int
	Jurisdiction Jurisdiction
	YearEnd      time.Month // last month of the business year
	Zone         string     // legal time zone, of the IANA database
}

// Default is what holds as long as a tenant in a zone has set nothing.
func Default(zone string) Setting {
	return Setting{Years: DefaultYears, Jurisdiction: DE, YearEnd: time.December, Zone: zone}
}

// Check returns ErrSetting, wrapped, unless s can be in force.
func (s Setting) Check() error {
	if s.Years < 1 || s.Years > maxYears {
		return fmt.Errorf("%w: years: want 1 to %d", ErrSetting, maxYears)
	}
	if !slices.Contains(Jurisdictions(), s.Jurisdiction) {
		return fmt.Errorf("%w: jurisdiction %.10q: want DE, AT or CH", ErrSetting, s.Jurisdiction)
	}
	if s.YearEnd < time.January || s.YearEnd > time.December {
		return fmt.Errorf("%w: last month of the business year: want 1 to 12", ErrSetting)
	}
	if _, err := time.LoadLocation(s.Zone); err != nil || s.Zone == "" {
		return fmt.Errorf("%w: time zone %.80q: want one such as Europe/Berlin", ErrSetting, s.Zone)
	}
	return nil
}

// Same reports whether two settings say the same, whenever they came into force.
func (s Setting) Same(t Setting) bool {
	s.From, t.From = time.Time{}, time.Time{}
	return s == t
}

// Calendar returns the years that the setting reckons by. A zone that is unknown is UTC.
func (s Setting) Calendar() Calendar {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		zone = time.UTC
	}
	return Calendar{Jurisdiction: s.Jurisdiction, Zone: zone, YearEnd: s.YearEnd}
}

// Due returns when what was received then may be deleted, under this setting alone.
func (s Setting) Due(received time.Time) time.Time { return s.Calendar().Due(received, s.Years) }

// Shortens reports whether anything that arrives would be due earlier under s than under
// old. It looks at arrivals before and after the instants at which a year begins, by
// either of them and in either zone: between those nothing changes.
func (s Setting) Shortens(old Setting) bool {
	a, b := s.Calendar(), old.Calendar()
	for year := 2023; year < 2025; year++ {
		for _, month := range []time.Month{time.January, s.YearEnd + 1, old.YearEnd + 1} {
			for _, zone := range []*time.Location{a.Zone, b.Zone} {
				first := time.Date(year, month, 1, 0, 0, 0, 0, zone)
				for _, at := range []time.Time{first.Add(-time.Millisecond), first} {
					if a.Due(at, s.Years).Before(b.Due(at, old.Years)) {
						return true
					}
				}
			}
		}
	}
	return false
}

// History is what a tenant has set, in the order in which it came into force. Nothing in
// it is ever changed: whoever sets something else adds to it.
type History []Setting

// At returns the setting in force then; zone is the tenant's, for the default.
func (h History) At(t time.Time, zone string) Setting {
	s := Default(zone)
	for _, x := range h {
		if !x.From.After(t) {
			s = x
		}
	}
	return s
}

// Due returns when what was received then may be deleted: the latest that any setting
// says that was in force when it came or has been since. So a longer setting lengthens
// what is stored, and a shorter one holds only for what comes later. zone is the
// tenant's, for the default.
func (h History) Due(received time.Time, zone string) (due time.Time, by Setting) {
	current := Default(zone)
	for i := 0; ; i++ {
		// What came in the very moment of a change may have been stored before it.
		if i == len(h) || !received.After(h[i].From) {
			if d := current.Due(received); d.After(due) {
				due, by = d, current
			}
		}
		if i == len(h) {
			return due, by
		}
		current = h[i]
	}
}

// Needed returns the settings without those that make no difference to anything that
// was ever stored, because a later one is nowhere shorter; what follows is in force
// instead. Due is the same for both.
func (h History) Needed() History {
	var out History
	dropped := -1 // the first of those that were left out just before
	for i, s := range h {
		if slices.ContainsFunc(h[i+1:], func(later Setting) bool { return !later.Shortens(s) }) {
			if dropped < 0 {
				dropped = i
			}
			continue
		}
		if dropped >= 0 {
			s.From, dropped = h[dropped].From, -1
		}
		out = append(out, s)
	}
	return out
}
