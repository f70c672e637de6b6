package imap

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// dateTime is the form of INTERNALDATE (RFC 9051 §9, date-time).
const dateTime = "_2-Jan-2006 15:04:05 -0700"

// noDate stands for an INTERNALDATE that is none: the zero of Unix time, as the
// library refuses the zero of Go.
const noDate = "01-Jan-1970 00:00:00 +0000"

// scanner brings the lines of one data response into the form the library
// reads: one space between items and none inside a parenthesis, NIL in upper
// case, dates that are dates.
type scanner struct {
	fetch, list bool
	depth       int // of parentheses
	out         []byte
	opening     int // where the last quoted string begins
	token       int // where the last word outside them begins
}

// line does the work for one line without its end.
func (s *scanner) line(text []byte) ([]byte, error) {
	s.out, s.token = make([]byte, 0, len(text)+2), 0
	quoted, escaped := false, false
	for _, b := range text {
		switch {
		case escaped:
			escaped = false
		case quoted && b == '\\':
			escaped = true
		case b == '"':
			if quoted = !quoted; quoted {
				s.opening = len(s.out)
			} else {
				s.out = append(s.out, b)
				s.date()
				continue
			}
		case quoted:
		default:
			if !s.plain(b) {
				continue
			}
			b = s.atomByte(b)
		}
		s.out = append(s.out, b)
		if !quoted && (b == ' ' || b == '(') {
			s.token = len(s.out)
		}
		if s.fetch && s.depth < 0 {
			return nil, errors.New("a FETCH response closes more than it opened")
		}
	}
	if quoted {
		return nil, errors.New("a quoted string goes over the end of a line")
	}
	s.out = bytes.TrimRight(s.out, " ")
	return s.out, nil
}

// plain handles a byte outside quoted strings, and says whether to keep it.
func (s *scanner) plain(b byte) bool {
	switch b {
	case '(':
		s.depth++
	case ')':
		s.depth--
		s.nothing()
		if n := len(s.out); n > 0 && s.depth >= 0 && s.out[n-1] == ' ' {
			s.out = s.out[:n-1]
		}
		s.token = len(s.out) // nothing that follows is a word
	case ' ':
		if n := len(s.out); n > 0 && (s.out[n-1] == ' ' || s.out[n-1] == '(') {
			return false
		}
		s.nothing()
	}
	return true
}

// atomByte replaces what may not be in an atom but is, in flags of users.
func (s *scanner) atomByte(b byte) byte {
	if !s.fetch || b >= ' ' && b < 0x7f && b != ']' || b > 0x9f {
		return b
	}
	if b == ']' {
		token := s.out[s.token:]
		if nameIs(token[:min(len(token), 5)], "BODY[") {
			return b
		}
	}
	return '_'
}

// nothing writes a NIL as it should be.
func (s *scanner) nothing() {
	if !s.fetch && !s.list {
		return
	}
	if token := s.out[s.token:]; len(token) == 3 && nameIs(token, "NIL") {
		copy(token, "NIL")
		s.opening = s.token
		if s.isDate() {
			s.out = append(s.out[:s.token], '"')
			s.out = append(s.out, noDate+`"`...)
		}
	}
}

// date replaces a date that is none.
func (s *scanner) date() {
	if !s.isDate() {
		return
	}
	value := string(s.out[s.opening+1 : len(s.out)-1])
	if t, err := time.Parse(dateTime, value); err != nil || t.IsZero() {
		s.out = append(s.out[:s.opening+1], noDate+`"`...)
	}
}

// isDate reports whether the item at opening is an INTERNALDATE.
func (s *scanner) isDate() bool {
	const name = "INTERNALDATE "
	start := s.opening - len(name)
	return s.fetch && start >= 0 && nameIs(s.out[start:s.opening], name)
}

// literal reports whether a literal follows the line, of which size, and
// whether it is the body of a message.
func literal(line []byte) (size int64, body, ok bool) {
	inner, ok := bytes.CutSuffix(line, []byte("}"))
	at := bytes.LastIndexByte(inner, '{')
	if !ok || at < 0 {
		return 0, false, false
	}
	size, err := strconv.ParseInt(string(inner[at+1:]), 10, 64)
	if err != nil || size < 0 || inner[at+1] == '+' {
		return 0, false, false
	}
	const name = "BODY[] "
	return size, at >= len(name) && nameIs(inner[at-len(name):at], name), true
}

// folderName finds the name in a LIST response of one line. One that has
// spaces but no quotes is put into quotes.
func folderName(text []byte) (repaired []byte, name string, ok bool) {
	_, rest, ok := bytes.Cut(text, []byte(")"))
	if !ok {
		return text, "", false
	}
	rest = bytes.TrimLeft(rest, " ")
	if len(rest) > 0 && rest[0] == '"' { // the delimiter: "/" or "\\"
		end := bytes.Index(rest[1:], []byte(`" `))
		if end < 0 {
			return text, "", false
		}
		rest = rest[end+2:]
	} else {
		_, rest = word(rest)
	}
	rest = bytes.TrimLeft(rest, " ")
	if len(rest) == 0 {
		return text, "", false
	}
	if rest[0] != '"' {
		name = string(rest)
		if strings.ContainsAny(name, " ") && !strings.ContainsAny(name, `("\`) {
			head := text[:len(text)-len(rest)]
			return append(bytes.Clone(head), `"`+name+`"`...), name, true
		}
		name, _, _ = strings.Cut(name, " ")
		return text, name, true
	}
	var b strings.Builder
	for i := 1; i < len(rest) && rest[i] != '"'; i++ {
		if rest[i] == '\\' && i+1 < len(rest) {
			i++
		}
		b.WriteByte(rest[i])
	}
	return text, b.String(), true
}

// decodeName decodes modified UTF-7 (RFC 3501 §5.1.3). UTF-8 as such is taken
// too.
func decodeName(s string) (string, bool) {
	var out strings.Builder
	shifted := false // the last character came from a shift
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1, r < ' ', r == 0x7f:
			return "", false
		case r != '&':
			out.WriteRune(r)
			s, shifted = s[n:], false
			continue
		}
		code, rest, ok := strings.Cut(s[1:], "-")
		switch {
		case !ok, code != "" && shifted:
			return "", false
		case code == "":
			out.WriteByte('&')
			s, shifted = rest, false
			continue
		}
		text, ok := decodeShift(code)
		if !ok {
			return "", false
		}
		out.WriteString(text)
		s, shifted = rest, true
	}
	return out.String(), true
}

// decodeShift decodes what is between "&" and "-": UTF-16 in a base64 of its
// own.
func decodeShift(code string) (string, bool) {
	raw, err := base64.RawStdEncoding.DecodeString(strings.ReplaceAll(code, ",", "/"))
	if err != nil || len(raw)%2 != 0 || len(raw) == 0 || strings.ContainsAny(code, "/\r\n") {
		return "", false
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
	}
	var out strings.Builder
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			if i++; i == len(units) {
				return "", false
			}
			if r = utf16.DecodeRune(r, rune(units[i])); r == utf8.RuneError {
				return "", false
			}
		} else if r >= ' ' && r <= '~' {
			return "", false // must not be shifted
		}
		out.WriteRune(r)
	}
	return out.String(), true
}

// word cuts b after its first word, and takes the spaces round it away.
func word(b []byte) (string, []byte) {
	b = bytes.TrimLeft(b, " ")
	w, rest, _ := bytes.Cut(b, []byte(" "))
	return string(w), bytes.TrimLeft(rest, " ")
}

// join puts a space between head and tail, if there is a tail.
func join(head string, tail []byte) []byte {
	if len(tail) == 0 {
		return []byte(head)
	}
	return append([]byte(head+" "), tail...)
}

// nameIs compares without regard to case.
func nameIs(b []byte, name string) bool { return strings.EqualFold(string(b), name) }

// isAtom reports whether s can be a response code for the library.
func isAtom(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte(`(){%*"\]`, s[i]) >= 0 {
			return false
		}
	}
	return s != ""
}

// maskRev2 hides IMAP4rev2 where IMAP4rev1 is offered too. Such a server speaks
// rev1 until told otherwise (RFC 9051 §6.3.1), but the library would send it
// folder names as rev2 has them.
func maskRev2(capabilities []byte) []byte {
	names := strings.Fields(string(capabilities))
	both := false
	for _, n := range names {
		both = both || strings.EqualFold(n, "IMAP4rev1")
	}
	for i, n := range names {
		if both && strings.EqualFold(n, "IMAP4rev2") {
			names[i] = "X-IMAP4REV2"
		}
	}
	return []byte(strings.Join(names, " "))
}
