package journal

import (
	"strings"
	"unicode"
)

// parseRecipient reads the value of a recipient line:
//
//	address [ "," ( "Expanded" | "Forwarded" ) ":" address ]
//
// ok is false if it is anything else. The address may be empty (<>).
func parseRecipient(value string) (r Recipient, ok bool) {
	at, size, via := redirection(value)
	if via != Direct {
		r.Via = via
		if r.ViaAddress, ok = parseAddress(value[at+size:]); !ok || r.ViaAddress == "" {
			return r, false
		}
		value = value[:at]
	}
	r.Address, ok = parseAddress(value)
	return r, ok
}

// redirection finds the first ", Expanded:" or ", Forwarded:" outside of quotes
// and angle brackets.
func redirection(value string) (at, size int, via Via) {
	quoted, angle := false, false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"' && !angle:
			quoted = !quoted
		case quoted:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ',' && !angle:
			rest := strings.TrimLeft(value[i+1:], " \t")
			for _, v := range []Via{Expanded, Forwarded} {
				if len(rest) <= len(v) || !strings.EqualFold(rest[:len(v)], string(v)) {
					continue
				}
				if after := strings.TrimLeft(rest[len(v):], " \t"); strings.HasPrefix(after, ":") {
					return i, len(value) - i - len(after) + 1, v
				}
			}
		}
	}
	return 0, 0, Direct
}

// parseAddress reads one address: plain, in angle brackets, or after a display
// name. ok is false if it is none.
func parseAddress(s string) (addr string, ok bool) {
	s = strings.TrimSpace(s)
	if strings.HasSuffix(s, ">") {
		i := openingBracket(s)
		if i < 0 {
			return "", false
		}
		if s = strings.TrimSpace(s[i+1 : len(s)-1]); s == "" || s == "<>" {
			return "", true // <>, and <SMTP:<>> as below
		}
	}
	if len(s) > 5 && strings.EqualFold(s[:5], "smtp:") {
		if s = strings.TrimSpace(s[5:]); s == "<>" {
			return "", true
		}
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return "", false
	}
	return s, mailbox(s) || foreign(s)
}

// openingBracket returns where the address at the end of s begins: the first
// "<" outside of quotes, or -1.
func openingBracket(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '<' && !quoted:
			return i
		}
	}
	return -1
}

// mailbox reports whether s is a mail address (RFC 5321 §4.1.2, RFC 6531), in
// the widest sense: something@something, blanks and separators only in quotes.
func mailbox(s string) bool {
	quoted, at := false, -1
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && quoted:
			i++
		case c == '"':
			if at >= 0 {
				return false
			}
			quoted = !quoted
		case quoted:
		case c == '@':
			if at >= 0 {
				return false
			}
			at = i
		case c <= ' ' || strings.IndexByte(`<>,;()\`, c) >= 0:
			return false
		}
	}
	return !quoted && at > 0 && at < len(s)-1
}

// foreign reports whether s is an address of another kind, as Exchange writes
// them: X.400, X.500, or one with its type before it ("EX:/o=…", "NOTES:…").
func foreign(s string) bool {
	if strings.ContainsAny(s, "<>") {
		return false
	}
	if len(s) > 3 && (s[0] == '/' || strings.EqualFold(s[:2], "c=")) {
		return strings.ContainsRune(s, '=')
	}
	kind, rest, ok := strings.Cut(s, ":")
	if !ok || strings.TrimSpace(rest) == "" {
		return false
	}
	switch strings.ToLower(kind) {
	case "ex", "x400", "x500", "notes", "gwise", "ccmail", "ms", "msmail", "fax", "mapipdl", "eum", "sip":
		return true
	}
	return false
}
