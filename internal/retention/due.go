package retention

import "time"

// Calendar says by which years a tenant reckons.
type Calendar struct {
	Jurisdiction Jurisdiction
	Zone         *time.Location // legal time zone; nil: UTC
	// YearEnd is the last month of the business year; 0: December. German law reckons by
	// calendar years whatever it is.
	YearEnd time.Month
}

func (c Calendar) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// Begin returns when the period of what was received then begins: in Germany when the
// calendar year is over (AO § 147 (4), HGB § 257 (5)), in Austria when the calendar year
// is over in which the business year ends (BAO § 132), in Switzerland when the business
// year is over (OR Art. 958f). The year is that of the tenant's legal time zone.
func (c Calendar) Begin(received time.Time) time.Time {
	zone := c.zone()
	year, month, _ := received.In(zone).Date()
	end := c.YearEnd
	if end < time.January || end > time.December || c.Jurisdiction != AT && c.Jurisdiction != CH {
		end = time.December
	}
	if month > end {
		year++ // the business year ends next year
	}
	if c.Jurisdiction == CH {
		return time.Date(year, end+1, 1, 0, 0, 0, 0, zone)
	}
	return time.Date(year+1, time.January, 1, 0, 0, 0, 0, zone)
}

// Due returns the first instant at which what was received then, and has to be kept for
// so many years, may be deleted. received is the archive's own receipt, never the date
// that a message claims (RET-4).
func (c Calendar) Due(received time.Time, years int) time.Time {
	return c.Begin(received).AddDate(max(years, 0), 0, 0)
}

// LastDay returns the last day, 2006-01-02, on which what is due then is still kept.
func (c Calendar) LastDay(due time.Time) string {
	return due.In(c.zone()).AddDate(0, 0, -1).Format(time.DateOnly)
}
