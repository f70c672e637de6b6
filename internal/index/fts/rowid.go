package fts

import "time"

// A row number is the second of the year, shifted, plus the place among the
// messages of that second. If a second has more than it has places, the others
// take the next free number; the date column stays exact.
const (
	slotBits  = 6
	slots     = 1 << slotBits
	maxSpill  = 366 * 24 * 3600 // seconds by which a number may lie after its date
	maxRowid  = (int64(367*24*3600) + maxSpill) << slotBits
	firstYear = 1
	lastYear  = 9999
)

// yearOf returns the shard of a date.
func yearOf(t time.Time) int { return min(max(t.UTC().Year(), firstYear), lastYear) }

// yearStart returns the first second of a year.
func yearStart(year int) int64 { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Unix() }

// lowRowid returns the first row number of a second in a year's shard. Seconds
// outside the year are moved to its ends.
func lowRowid(year int, second int64) int64 {
	d := second - yearStart(year)
	return min(max(d, 0), 367*24*3600)<<slotBits + 1
}
