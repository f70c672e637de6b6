package journal

import (
	"bytes"
	"io"
)

// A quick look takes glance bytes of a message, which is the whole header of most mail, and
// four times as many, twice, if that does not end in them.
const (
	glance     = 8 << 10
	widestLook = 16 * glance
)

// mayClaim reports whether the header can be one that says it is of a report, or of a
// non-delivery report. It says false only where reading the whole header would find
// nothing, which is so for nearly all mail: every message that comes in passes here.
func (s *source) mayClaim() bool {
	for n := int64(glance); n <= widestLook; n *= 4 {
		b := make([]byte, min(s.size, n))
		if n, err := s.raw.ReadAt(b, 0); n < len(b) || err != nil && err != io.EOF {
			return true
		}
		claim, ended := look(b, int64(len(b)) == s.size)
		if claim || ended {
			return claim
		}
	}
	return true
}

// look looks for a claim in the first bytes of a message, or in a whole one. ended says
// that the header ends in them.
func look(b []byte, whole bool) (claim, ended bool) {
	typed := false
	for len(b) > 0 {
		line, rest, found := bytes.Cut(b, []byte("\n"))
		if !found && !whole {
			return false, false
		}
		b, line = rest, bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case len(line) == 0:
			return false, true
		case line[0] != ' ' && line[0] != '\t':
			typed = begins(line, "content-type")
		}
		if typed && mayBeBounce(line) || begins(line, "x-ms-journal") || begins(line, "x-ms-exchange-organization-journal") ||
			begins(line, "x-wm-journal") || begins(line, "content-ident") {
			return true, true
		}
	}
	return false, whole
}

// begins compares without regard to case. No letter beyond ASCII becomes one of those in
// the names of fields that are looked for.
func begins(line []byte, name string) bool {
	return len(line) >= len(name) && line[0]|0x20 == name[0] && bytes.EqualFold(line[:len(name)], []byte(name))
}

// mayBeBounce reports whether a line of a Content-Type can make it multipart/report. A
// comment can be anywhere in it.
func mayBeBounce(line []byte) bool {
	return bytes.Contains(bytes.ToLower(line), []byte("report")) || bytes.IndexByte(line, '(') >= 0
}
