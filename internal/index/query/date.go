package query

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// period is a time from a day to the end of a day, and its canonical text.
type period struct {
	from, to time.Time
	text     string
	open     bool // relative: it lasts until now
}

var (
	isoDate    = regexp.MustCompile(`^(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?$`)
	germanDate = regexp.MustCompile(`^(?:(\d{1,2})\.)?(\d{1,2})\.(\d{4}|\d{2})$`)
	dayMonth   = regexp.MustCompile(`^(\d{1,2})\.(\d{1,2})\.?$`)
	relative   = regexp.MustCompile(`^(\d{1,4})([dtwmyj])$`)
)

// dateValue reads the value of a date field.
func (p *parser) dateValue(field Field, raw string, at Span) (Node, error) {
	d := &Date{Span: at, Field: field}
	lo, hi, isRange := strings.Cut(raw, "..")
	if isRange && field == FieldDate {
		return p.dateRange(d, lo, hi)
	}
	v, ok := p.period(raw)
	if !ok {
		return nil, p.dateError(raw, at)
	}
	d.Text = v.text
	switch field {
	case FieldBefore:
		d.To = v.from
	case FieldUntil:
		d.To = v.to
	case FieldAfter:
		d.From = v.from
	default:
		d.From, d.To = v.from, v.to
		if v.open {
			d.To = time.Time{}
		}
	}
	return d, nil
}

// dateRange reads from..to, of which one may be missing. Both are inclusive.
func (p *parser) dateRange(d *Date, lo, hi string) (Node, error) {
	var texts [2]string
	if lo != "" {
		v, ok := p.period(lo)
		if !ok {
			return nil, p.dateError(lo, d.Span)
		}
		d.From, texts[0] = v.from, v.text
	}
	if hi != "" {
		v, ok := p.period(hi)
		if !ok {
			return nil, p.dateError(hi, d.Span)
		}
		d.To, texts[1] = v.to, v.text
	}
	if lo == "" && hi == "" {
		return nil, p.dateError("", d.Span)
	}
	if lo != "" && hi != "" && !d.From.Before(d.To) {
		return nil, p.fail(CodeDateOrder, d.Span, hi+".."+lo)
	}
	d.Text = texts[0] + ".." + texts[1]
	return d, nil
}

// dateError proposes what was probably meant: the last day of the month, or a
// day of this year.
func (p *parser) dateError(raw string, at Span) error {
	if m := dayMonth.FindStringSubmatch(raw); m != nil {
		return p.fail(CodeDate, at, fmt.Sprintf("%s.%s.%d", m[1], m[2], p.env.Now.In(p.env.Zone).Year()))
	}
	year, month, day, ok := dateParts(raw)
	if ok && month >= 1 && month <= 12 && day > 28 && day <= 31 {
		last := time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC)
		return p.fail(CodeDate, at, last.Format("2006-01-02"))
	}
	return p.wrong(CodeDate, at)
}

// dateParts takes an ISO or German date apart; missing parts are 0.
func dateParts(s string) (year, month, day int, ok bool) {
	if m := isoDate.FindStringSubmatch(s); m != nil {
		return number(m[1]), number(m[2]), number(m[3]), true
	}
	if m := germanDate.FindStringSubmatch(s); m != nil {
		year = number(m[3])
		if len(m[3]) == 2 {
			year += 2000
		}
		return year, number(m[2]), number(m[1]), true
	}
	return 0, 0, 0, false
}

// number converts digits that a regular expression has checked.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// period reads one date in any of its forms.
func (p *parser) period(s string) (period, bool) {
	s = strings.ToLower(s)
	now := p.env.Now.In(p.env.Zone)
	today := p.day(now.Year(), int(now.Month()), now.Day())
	switch s {
	case "today", "heute":
		return period{today, today.AddDate(0, 0, 1), "today", false}, true
	case "yesterday", "gestern":
		return period{today.AddDate(0, 0, -1), today, "yesterday", false}, true
	}
	if m := relative.FindStringSubmatch(s); m != nil {
		return p.ago(today, number(m[1]), m[2])
	}
	year, month, day, ok := dateParts(s)
	switch {
	case !ok || year < 1:
		return period{}, false
	case month == 0 && day == 0 && !strings.ContainsAny(s, "-/."):
		return period{p.day(year, 1, 1), p.day(year+1, 1, 1), fmt.Sprintf("%04d", year), false}, true
	case month < 1 || month > 12:
		return period{}, false
	case day == 0 && (strings.Count(s, "-")+strings.Count(s, "/")+strings.Count(s, ".")) == 1:
		return period{p.day(year, month, 1), p.day(year, month+1, 1), fmt.Sprintf("%04d-%02d", year, month), false}, true
	}
	from := p.day(year, month, day)
	if day < 1 || from.Day() != day {
		return period{}, false
	}
	return period{from, p.day(year, month, day+1), from.Format("2006-01-02"), false}, true
}

// ago is a day some days, weeks, months or years before today.
func (p *parser) ago(today time.Time, n int, unit string) (period, bool) {
	y, m, d := today.Year(), int(today.Month()), today.Day()
	switch unit {
	case "d", "t":
		d, unit = d-n, "d"
	case "w":
		d -= 7 * n
	case "m":
		m -= n
	default:
		y, unit = y-n, "y"
	}
	if y < 1 || m < -12*(y-1) {
		return period{}, false
	}
	from := p.day(y, m, d)
	return period{from, p.day(from.Year(), int(from.Month()), from.Day()+1), strconv.Itoa(n) + unit, true}, true
}

// day is the beginning of a day in the zone of the reader.
func (p *parser) day(year, month, day int) time.Time {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, p.env.Zone)
}
