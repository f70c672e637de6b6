package message

import (
	"bytes"
	"strings"
)

// garbage decides on a line in a header that is no field. If it looks like the
// rest of the field before, which lost its indent, it is that; if fields follow,
// it is passed over; else the body begins with it.
func (s *scanner) garbage(line []byte, at int64) {
	cur := s.stack[len(s.stack)-1]
	switch {
	case len(s.pending) > 0 && fragment(line):
		s.warn("a header field goes on without an indent")
		s.continued(append([]byte(" "), line...))
		return
	case len(cur.fields) > 0 || len(s.pending) > 0:
		line = bytes.Clone(line) // looking ahead moves the buffer
		if s.fieldsFollow() {
			s.warn("a line of the header is no field")
			s.flush()
			return
		}
		s.flush()
		s.warn("the header ends without a blank line")
	default:
		s.warn("there is no header")
	}
	s.endHeader(at)
	if s.inHeader { // a message began: the line is its first
		s.line(line, at, false)
	}
}

// fragment reports whether a line looks like a piece of a field: a parameter or
// an encoded word.
func fragment(line []byte) bool {
	if bytes.HasPrefix(line, []byte("=?")) {
		return true
	}
	name, value, ok := bytes.Cut(bytes.TrimSpace(line), []byte("="))
	if !ok || len(name) == 0 || len(name) > 30 || len(value) == 0 {
		return false
	}
	switch strings.TrimRight(strings.ToLower(string(name)), "0123456789*") {
	case "name", "filename", "boundary", "charset", "type", "format", "protocol", "micalg", "report-type", "delsp", "start", "size", "method":
		return true
	}
	return false
}

// fieldsFollow reports whether one of the next lines is a field as mail has it.
func (s *scanner) fieldsFollow() bool {
	head, _ := s.in.Peek(min(2048, s.in.Size()))
	for range 5 {
		line, rest, ok := bytes.Cut(head, []byte("\n"))
		line = bytes.TrimRight(line, "\r")
		if !ok || len(line) == 0 {
			return false
		}
		if fieldLine(line) && usual(line) {
			return true
		}
		head = rest
	}
	return false
}

// usual reports whether a field is one that mail programs write.
func usual(line []byte) bool {
	name, _, _ := bytes.Cut(line, []byte(":"))
	switch key := strings.ToLower(string(bytes.TrimSpace(name))); key {
	case "from", "to", "cc", "bcc", "subject", "date", "sender", "reply-to", "message-id", "in-reply-to", "references", "received", "return-path",
		"mime-version", "delivered-to", "importance", "priority", "user-agent", "thread-topic", "thread-index", "dkim-signature", "authentication-results":
		return true
	default:
		return strings.HasPrefix(key, "x-") || strings.HasPrefix(key, "content-") || strings.HasPrefix(key, "list-") || strings.HasPrefix(key, "resent-")
	}
}

// fieldLine reports whether a line can begin a header field: a name of printable
// characters without spaces, then a colon (RFC 5322 §2.2; spaces before the
// colon are obsolete but seen).
func fieldLine(line []byte) bool {
	i := bytes.IndexByte(line, ':')
	if i <= 0 || i > 200 {
		return false
	}
	for _, c := range bytes.TrimRight(line[:i], " \t") {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}
