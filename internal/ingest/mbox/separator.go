package mbox

import (
	"bytes"
	"strings"
)

const (
	// maxSeparator is the longest separator line, in bytes.
	maxSeparator = 1024
	// lookBehind is how much after a separator line is looked at: enough for
	// the name of a header field.
	lookBehind = 128
	// maxTokens is how many words a separator line has at most: sender words,
	// a date of five or six, "remote from host".
	maxTokens = 16
)

func hasFrom(b []byte) bool { return len(b) >= 5 && string(b[:5]) == "From " }

// candidate is a line that begins with "From ", judged.
type candidate struct {
	line   int  // bytes with line end
	dated  bool // has a date as asctime writes it
	field  bool // a header field follows
	known  bool // and it is a well-known one
	isLast bool // the file ends with it
	cr     bool // it ends with CR alone
}

// judge looks at b, which begins at a line start and reaches maxSeparator +
// lookBehind bytes on or to the end of the file. It is false if b does not
// begin with a candidate. With cr a line may end with CR alone; without, only
// that of a separator in every respect does.
func judge(b []byte, cr bool) (candidate, bool) {
	if !hasFrom(b) {
		return candidate{}, false
	}
	if c, ok := judgeCR(b); ok && (cr || c.dated && c.field) {
		return c, true
	}
	end := bytes.IndexByte(b[:min(len(b), maxSeparator)], '\n')
	if end < 0 {
		if len(b) > maxSeparator {
			return candidate{}, false
		}
		return candidate{line: len(b), dated: hasDate(b), isLast: true}, true
	}
	return newCandidate(b, end), true
}

// judgeCR is judge for a line that ends with CR alone.
func judgeCR(b []byte) (candidate, bool) {
	if !hasFrom(b) {
		return candidate{}, false
	}
	at := bytes.IndexAny(b[:min(len(b), maxSeparator)], "\r\n")
	if at < 0 || b[at] == '\n' || at+1 < len(b) && b[at+1] == '\n' {
		return candidate{}, false
	}
	c := newCandidate(b, at)
	c.cr = true
	return c, true
}

// newCandidate judges the candidate at the start of b, whose line ends with the
// byte at end.
func newCandidate(b []byte, end int) candidate {
	c := candidate{line: end + 1, dated: hasDate(b[:end])}
	c.isLast = c.line == len(b)
	name := FieldName(b[c.line:])
	c.field = name != "" || hasFrom(bytes.TrimPrefix(b[c.line:], []byte(">")))
	c.known = KnownField(name)
	return c
}

// separates says whether the candidate is a separator, after an empty line or
// after another one.
func (c candidate) separates(afterEmpty bool) bool {
	if afterEmpty {
		return c.dated || c.known
	}
	return c.dated && c.field
}

// complete says that it is a separator in every respect.
func (c candidate) complete(afterEmpty bool) bool { return afterEmpty && c.dated && c.field }

// hasDate reports whether the words of the line hold a weekday, a month, a time
// of day and a year.
func hasDate(line []byte) bool {
	words := bytes.Fields(line)
	if len(words) > maxTokens {
		return false
	}
	var day, month, clock, year bool
	for _, w := range words[1:] {
		s := strings.TrimSuffix(string(w), ",")
		switch {
		case len(s) == 3 && strings.Contains(" Mon Tue Wed Thu Fri Sat Sun ", " "+s+" "):
			day = true
		case len(s) == 3 && strings.Contains(" Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ", " "+s+" "):
			month = true
		case isYear(s):
			year = true
		case isClock(s):
			clock = true
		}
	}
	return day && month && clock && year
}

func isYear(s string) bool {
	return len(s) == 4 && (s[0] == '1' && s[1] == '9' || s[0] == '2') && digits(s)
}

// isClock takes h:mm, hh:mm and hh:mm:ss.
func isClock(s string) bool {
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 || len(parts[0]) > 2 || !digits(parts[0]) {
		return false
	}
	for _, p := range parts[1:] {
		if len(p) != 2 || !digits(p) {
			return false
		}
	}
	return true
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// FieldName returns the name of the header field that b begins with, or "" if
// it begins with none (RFC 5322 §2.2; blanks before the colon are forgiven).
func FieldName(b []byte) string {
	for i, c := range b {
		switch {
		case i > 100:
			return ""
		case c == ':' && i > 0:
			return string(bytes.TrimRight(b[:i], " \t"))
		case c == ' ' || c == '\t':
			rest := bytes.TrimLeft(b[i:], " \t")
			if i == 0 || len(rest) == 0 || rest[0] != ':' {
				return ""
			}
			return string(b[:i])
		case c < '!' || c > '~' || c == ':':
			return ""
		}
	}
	return ""
}

// KnownField reports whether a header field of that name is usual in mail.
func KnownField(name string) bool {
	switch n := strings.ToLower(name); n {
	case "return-path", "received", "delivered-to", "envelope-to", "from", "date", "message-id", "subject", "to", "cc",
		"reply-to", "sender", "mime-version", "content-type", "content-length", "status", "dkim-signature",
		"authentication-results", "in-reply-to", "references", "errors-to", "resent-from", "path", "newsgroups":
		return true
	default:
		return len(n) > 2 && strings.HasPrefix(n, "x-")
	}
}
