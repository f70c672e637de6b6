package message

import (
	"bytes"
	"net/mail"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// field is one header field.
type field struct {
	name  string // as written
	key   string // lower case
	value string // unfolded, not decoded, any bytes
	size  int    // bytes of the lines
}

// newField takes the lines of a field, with their ends.
func newField(lines []byte) field {
	i := bytes.IndexByte(lines, ':')
	name := string(bytes.TrimRight(lines[:i], " \t"))
	return field{name: name, key: strings.ToLower(name), value: unfold(lines[i+1:]), size: len(lines)}
}

// limitOf returns how many bytes of a field are read: more where they are
// addresses, so that whoever got the message finds it.
func limitOf(field []byte) int {
	name, _, _ := bytes.Cut(field[:min(len(field), 40)], []byte(":"))
	switch key := strings.ToLower(string(bytes.TrimSpace(name))); strings.TrimPrefix(key, "resent-") {
	case "from", "sender", "to", "cc", "bcc", "reply-to", "apparently-to":
		return maxPeople
	}
	return maxField
}

// unfold joins the lines of a field (RFC 5322 §2.2.3).
func unfold(b []byte) string {
	b = bytes.TrimSpace(b)
	if bytes.IndexByte(b, '\n') < 0 && bytes.IndexByte(b, '\r') < 0 {
		return string(b)
	}
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if c != '\r' && c != '\n' {
			out = append(out, c)
		}
	}
	return string(out)
}

// clean makes s valid UTF-8 without control characters but newline and tab.
func clean(s string) string {
	ok := true
	for i := range len(s) {
		if c := s[i]; c < 0x20 && c != '\n' && c != '\t' || c >= 0x7f {
			ok = false
			break
		}
	}
	if ok {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < 0x20 && r != 0 && r != '\r':
			return ' ' // it may have stood between words
		case r < 0x20 || r >= 0x7f && r < 0xa0:
			return -1
		case r == utf8.RuneError:
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func oneLine(s string) string {
	if !strings.ContainsAny(s, "\n\t") {
		return s
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\t' }), " ")
}

// parseParams splits a field such as Content-Type into its value and its
// parameters (RFC 2045 §5.1), with the extensions of RFC 2231 and in all the
// wrong forms that are seen. Values are not yet decoded by RFC 2047.
func parseParams(s string) (value string, params map[string]string) {
	value, rest, _ := strings.Cut(s, ";")
	if i := strings.IndexByte(value, '('); i >= 0 {
		value = value[:i]
	}
	value = strings.ToLower(clean(strings.Trim(strings.TrimSpace(value), `"'`)))
	params = map[string]string{}
	var pieces map[string][]piece
	for n := 0; rest != "" && n < 200; n++ {
		var name, val string
		name, val, rest = nextParam(rest)
		if name == "" {
			continue
		}
		base, index, encoded, ok := splitName(name)
		if !ok {
			if _, dup := params[name]; !dup {
				params[name] = val
			}
			continue
		}
		if pieces == nil {
			pieces = map[string][]piece{}
		}
		pieces[base] = append(pieces[base], piece{index, encoded, val})
	}
	for base, list := range pieces {
		if v := joinPieces(list); v != "" {
			params[base] = v // RFC 2231 wins over the plain form beside it
		}
	}
	return value, params
}

// nextParam reads one "name=value" up to its semicolon.
func nextParam(s string) (name, value, rest string) {
	s = strings.TrimLeft(s, "; \t")
	eq := strings.IndexByte(s, '=')
	semi := strings.IndexByte(s, ';')
	if eq < 0 || semi >= 0 && semi < eq {
		if semi < 0 {
			return "", "", ""
		}
		return "", "", s[semi+1:]
	}
	name = strings.ToLower(strings.TrimSpace(clean(s[:eq])))
	s = strings.TrimLeft(s[eq+1:], " \t")
	if strings.HasPrefix(s, `"`) {
		var b strings.Builder
		for i := 1; i < len(s); i++ {
			switch s[i] {
			case '\\':
				if i+1 < len(s) {
					i++
					b.WriteByte(s[i])
				}
			case '"':
				_, rest, _ = strings.Cut(s[i+1:], ";")
				return name, b.String(), rest
			default:
				b.WriteByte(s[i])
			}
		}
		return name, b.String(), "" // the closing quote is missing
	}
	value, rest, _ = strings.Cut(s, ";")
	if i := strings.Index(value, " ("); i >= 0 { // a comment
		value = value[:i]
	}
	return name, strings.TrimSpace(value), rest
}

// dateForms are forms of dates that net/mail does not read but mail has. Names of
// days and zones are gone by then.
func dateForms() []string {
	return []string{
		"2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05", "Jan 2 15:04:05 2006", "Jan 2 15:04:05 2006 -0700", "Jan 2 15:04:05 -0700 2006",
		"2 Jan 06 15:04:05 -0700", "January 2, 2006 3:04 PM", "2 Jan 2006 15:04:05 -07:00", "2 Jan 2006 15.04.05 -0700", "2-Jan-2006 15:04:05 -0700",
		"2006-01-02 15:04:05 -0700", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05", "2 Jan 2006 3:04:05 PM -0700",
		"2 January 2006 15:04:05 -0700", "Jan 2 2006 15:04:05 -0700", "2 Jan 2006 15:04 -0700", "2 Jan 2006",
	}
}

// zoneOffset tells the offset of a zone that is written as a name (RFC 5322 §4.3,
// and those of central Europe).
func zoneOffset(name string) (string, bool) {
	switch strings.ToUpper(name) {
	case "UT", "UTC", "GMT", "Z":
		return "+0000", true
	case "EDT":
		return "-0400", true
	case "EST", "CDT":
		return "-0500", true
	case "CST", "MDT":
		return "-0600", true
	case "MST", "PDT":
		return "-0700", true
	case "PST":
		return "-0800", true
	case "CET", "MEZ":
		return "+0100", true
	case "CEST", "MESZ":
		return "+0200", true
	}
	return "", false
}

// dateWords prepares a date: the name of the day and comments go, in whatever
// language they are, named zones become offsets, years of three digits are
// counted from 1900 (RFC 5322 §4.3).
func dateWords(s string) string {
	s, _, _ = strings.Cut(s, "(")
	if day, rest, ok := strings.Cut(s, ","); ok && !strings.ContainsAny(day, "0123456789") && strings.ContainsAny(rest, "0123456789") && !strings.Contains(day, " ") {
		s = rest
	}
	words := strings.Fields(s)
	if len(words) > 1 && len(words[0]) == 3 && len(words[1]) == 3 && !strings.ContainsAny(words[0]+words[1], "0123456789") {
		words = words[1:] // "Thu Feb 29"
	}
	for i, w := range words {
		if offset, ok := zoneOffset(w); ok {
			words[i] = offset
		} else if n, err := strconv.Atoi(w); err == nil && i == 2 && len(w) == 3 && n >= 100 {
			words[i] = strconv.Itoa(1900 + n)
		}
	}
	return strings.Join(words, " ")
}

// parseDate reads a Date field (RFC 5322 §3.3 and what programs make of it).
func parseDate(s string) (time.Time, bool) {
	s = dateWords(clean(s))
	if t, err := mail.ParseDate(s); err == nil {
		return inRange(t)
	}
	for _, form := range dateForms() {
		if t, err := time.Parse(form, s); err == nil {
			return inRange(t)
		}
		if len(s) > 10 { // a zone that nobody knows
			if i := strings.LastIndexByte(s, ' '); i > 0 {
				if t, err := time.Parse(form, s[:i]); err == nil {
					return inRange(t)
				}
			}
		}
	}
	return time.Time{}, false
}

// inRange refuses years that no calendar or database needs.
func inRange(t time.Time) (time.Time, bool) {
	if y := t.Year(); y < 1900 || y > 9999 {
		return time.Time{}, false
	}
	return t.UTC(), true
}

// ids lists message ids (RFC 5322 §3.6.4), without angle brackets.
func ids(s string) []string {
	var out []string
	for len(out) < 500 {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			break
		}
		j := strings.IndexByte(s[i:], '>')
		if j < 0 {
			break
		}
		if id := strings.TrimSpace(clean(s[i+1 : i+j])); id != "" {
			out = append(out, id)
		}
		s = s[i+j+1:]
	}
	return out
}

func firstID(s string) string {
	if l := ids(s); len(l) > 0 {
		return l[0]
	}
	return strings.Trim(strings.TrimSpace(clean(s)), "<>")
}
