package message

import (
	"bytes"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"
)

// field is one header field.
type field struct {
	name  string // as written
	key   string // lower case
	value string // unfolded, not decoded, any bytes
}

// newField takes the lines of a field, with their ends.
func newField(lines []byte) field {
	i := bytes.IndexByte(lines, ':')
	name := string(bytes.TrimRight(lines[:i], " \t"))
	return field{name: name, key: strings.ToLower(name), value: unfold(lines[i+1:])}
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
	pieces := map[string][]piece{}
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

// dateForms are forms of dates that net/mail does not read but mail has.
func dateForms() []string {
	return []string{
		"Mon, 2 Jan 2006 15:04:05", "2 Jan 2006 15:04:05", "Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 MST 2006",
		"Mon, 2 Jan 06 15:04:05 -0700", "Mon, 2 Jan 06 15:04:05 MST", "Monday, 2 Jan 2006 15:04:05 -0700", "Monday, January 2, 2006 3:04 PM",
		"Mon, 2 Jan 2006 15:04:05 MST-0700", "Mon, 2 Jan 2006 15.04.05 -0700", "Mon, 2-Jan-2006 15:04:05 -0700", "2006-01-02 15:04:05 -0700",
		"2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05", "Mon, 2 Jan 2006 3:04:05 PM -0700", "Mon, 2 January 2006 15:04:05 -0700",
		"Mon, Jan 2 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04 -0700", "Mon, 2 Jan 2006",
	}
}

// parseDate reads a Date field (RFC 5322 §3.3 and what programs make of it).
func parseDate(s string) (time.Time, bool) {
	s = strings.Join(strings.Fields(clean(s)), " ")
	if t, err := mail.ParseDate(s); err == nil {
		return inRange(t)
	}
	if i := strings.IndexByte(s, '('); i > 0 {
		s = strings.TrimSpace(s[:i])
	}
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
