// Package retention holds the rules of how long what is archived is kept, and whether
// it may be deleted. It is a leaf: it decides on values it is given and reads nothing by
// itself, neither the clock nor a store.
//
//	class.go    retention classes and their laws, as dated data (classes.json)
//	due.go      when a period begins and ends
//	setting.go  what a tenant has set, and what that means for what is stored
//	decide.go   whether something may be deleted
package retention

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Jurisdiction is the country whose law a period follows.
type Jurisdiction string

// Jurisdictions.
const (
	DE Jurisdiction = "DE"
	AT Jurisdiction = "AT"
	CH Jurisdiction = "CH"
)

// Jurisdictions lists all of them.
func Jurisdictions() []Jurisdiction { return []Jurisdiction{DE, AT, CH} }

// Class is a retention class: a kind of papers that a law has kept for some years.
type Class struct {
	Name         string       `json:"class"` // books, vouchers, letters, none
	Jurisdiction Jurisdiction `json:"jurisdiction"`
	Sector       string       `json:"sector,omitempty"` // empty: everybody
	Laws         []Law        `json:"laws"`             // ascending by ValidFrom
}

// Law is one state of the law. A change of it is one more record: nothing that is
// stored is touched (RET-1).
type Law struct {
	ValidFrom string `json:"valid_from"` // day, 2006-01-02, in the tenant's legal time zone
	Years     int    `json:"years"`
	Law       string `json:"law"`    // which says so
	Source    string `json:"source"` // where the authors have it from, and what it is about
}

// maxYears bounds a period. The longest that a law in the table names is 22 years.
const maxYears = 100

//go:embed classes.json
var shipped []byte

// Classes returns the classes that are shipped with this release.
func Classes() ([]Class, error) { return ParseClasses(shipped) }

// ParseClasses reads classes and checks them: laws ascend, and no class is there twice.
func ParseClasses(b []byte) ([]Class, error) {
	var list []Class
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("retention classes: %w", err)
	}
	seen := map[string]bool{}
	for _, c := range list {
		name := fmt.Sprintf("%s/%s/%s", c.Jurisdiction, c.Name, c.Sector)
		if c.Name == "" || !slices.Contains(Jurisdictions(), c.Jurisdiction) || len(c.Laws) == 0 || seen[name] {
			return nil, fmt.Errorf("retention class %.80q: has no name, country or law, or is there twice", name)
		}
		seen[name] = true
		last := ""
		for _, l := range c.Laws {
			if _, err := time.Parse(time.DateOnly, l.ValidFrom); err != nil || l.ValidFrom <= last {
				return nil, fmt.Errorf("retention class %s: laws have to ascend by day, %.20q does not", name, l.ValidFrom)
			}
			if last = l.ValidFrom; l.Years < 0 || l.Years > maxYears || l.Source == "" {
				return nil, fmt.Errorf("retention class %s from %s: want 0 to %d years and a source", name, l.ValidFrom, maxYears)
			}
		}
	}
	return list, nil
}

// Find returns the class of a name in a jurisdiction. A sector that has no class of its
// own has that of everybody.
func Find(list []Class, j Jurisdiction, name, sector string) (Class, bool) {
	found, ok := Class{}, false
	for _, c := range list {
		if c.Jurisdiction == j && c.Name == name && (c.Sector == sector || c.Sector == "" && !ok) {
			found, ok = c, true
		}
	}
	return found, ok
}

// Longest returns the longest ordinary period of a jurisdiction, in years, as the law is
// on a day (2006-01-02): what is right for mail of which nobody knows what it is (RET-9).
func Longest(list []Class, j Jurisdiction, day string) int {
	most := 0
	for _, c := range list {
		if c.Jurisdiction == j && c.Sector == "" {
			if l, ok := c.On(day); ok {
				most = max(most, l.Years)
			}
		}
	}
	return most
}

// On returns the law that holds on a day (2006-01-02); none before the first.
func (c Class) On(day string) (Law, bool) {
	for _, l := range slices.Backward(c.Laws) {
		if l.ValidFrom <= day {
			return l, true
		}
	}
	return Law{}, false
}

// Due returns when what has the class may be deleted, as the law is on a day
// (2006-01-02). A new law holds for what was still to be kept when it came: what was
// due before stays due since then. received is the archive's own receipt.
func (c Class) Due(cal Calendar, received time.Time, day string) time.Time {
	var due time.Time
	for i, l := range c.Laws {
		if i > 0 && l.ValidFrom > day {
			break
		}
		from, err := time.ParseInLocation(time.DateOnly, l.ValidFrom, cal.zone())
		if i > 0 && (err != nil || due.Before(from)) {
			continue
		}
		due = cal.Due(received, l.Years)
	}
	return due
}

// LongestDue returns when what has all of these classes may be deleted: the longest
// wins (RET-7). Without any it is the zero time.
func LongestDue(list []Class, cal Calendar, received time.Time, day string) time.Time {
	var due time.Time
	for _, c := range list {
		if d := c.Due(cal, received, day); d.After(due) {
			due = d
		}
	}
	return due
}
