package journal

import (
	"bytes"
	"io"
)

// glance is how much of a message is looked at to see that it claims nothing: the whole
// header of nearly all mail.
const glance = 8 << 10

// mayClaim reports whether the header can be one that says it is of a report, or of a
// non-delivery report. It says false only where reading the whole header would find
// nothing, which is so for nearly all mail: every message that comes in passes here.
func (s *source) mayClaim() bool {
	b := make([]byte, min(s.size, glance))
	if n, err := s.raw.ReadAt(b, 0); n < len(b) || err != nil && err != io.EOF {
		return true
	}
	whole, typed := int64(len(b)) == s.size, false
	for len(b) > 0 {
		line, rest, found := bytes.Cut(b, []byte("\n"))
		if !found && !whole {
			return true
		}
		b, line = rest, bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case len(line) == 0:
			return false
		case line[0] != ' ' && line[0] != '\t':
			typed = begins(line, "content-type")
		}
		if typed && mayBeBounce(line) || begins(line, "x-ms-journal") || begins(line, "x-ms-exchange-organization-journal") ||
			begins(line, "x-wm-journal") || begins(line, "content-ident") {
			return true
		}
	}
	return !whole
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
