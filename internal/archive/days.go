package archive

import "time"

// days reads a period of days, both inclusive.
func days(first, last string, zone *time.Location) (from, to time.Time, err error) {
	read := func(s string) (time.Time, error) {
		if s == "" {
			return time.Time{}, nil
		}
		d, err := time.ParseInLocation(time.DateOnly, s, zone)
		if err != nil || d.Year() < 1970 || d.Year() > 2200 {
			return time.Time{}, invalid("day %.20q: want a day such as 2026-01-31", s)
		}
		return d, nil
	}
	if from, err = read(first); err != nil {
		return from, to, err
	}
	if to, err = read(last); err != nil {
		return from, to, err
	}
	if !to.IsZero() {
		to = to.AddDate(0, 0, 1)
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return from, to, invalid("period: its last day %s is before its first day %s", last, first)
	}
	return from, to, nil
}
