package message

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"
)

// scanner walks over a message once, line by line.
type scanner struct {
	root      *entity
	leaves    []*entity
	warnings  []string
	truncated bool

	stack    []*entity // from the root to the entity being read
	inHeader bool
	pending  []byte // the header field being gathered; empty: none
	in       *bufio.Reader
}

// window is the size of the read buffer; longer lines come in pieces.
const window = 64 << 10

// scan finds header fields, structure and places of parts. It reads the message
// once and keeps only headers.
func scan(raw Raw) *scanner {
	s := &scanner{root: &entity{message: true}, inHeader: true}
	s.stack = []*entity{s.root}
	size := raw.Size()
	s.in = bufio.NewReaderSize(io.NewSectionReader(raw, 0, size), int(min(size+1, window)))
	head, _ := s.in.Peek(int(min(size, 8<<10)))
	eol := byte('\n')
	if oldMac(head) {
		eol = '\r'
	}
	var at int64
	first, whole := true, true
	for {
		line, err := s.in.ReadSlice(eol)
		if eol == '\r' {
			line = bytes.Clone(line) // it is taken in pieces, and looking ahead moves the buffer
		}
		for len(line) > 0 {
			n := len(line)
			if i := bytes.IndexByte(line, '\n'); eol == '\r' && i >= 0 {
				n = i + 1
			}
			switch {
			case eol == '\r' && line[0] == '\n' && !first: // the rest of a CR LF
			case whole:
				s.line(line[:n], at, first)
				first = false
			case s.inHeader:
				s.continued(line[:n])
			}
			at += int64(n)
			line = line[n:]
			whole = err != bufio.ErrBufferFull || len(line) > 0
		}
		if err != nil && err != bufio.ErrBufferFull {
			break
		}
	}
	s.finish(at)
	return s
}

// oldMac reports whether lines end with a lone CR, as they did on old Macs: the
// first one does, and what follows is a header field or the blank line.
func oldMac(head []byte) bool {
	i := bytes.IndexAny(head, "\r\n")
	if i < 0 || i+1 >= len(head) || head[i] != '\r' || head[i+1] == '\n' {
		return false
	}
	next := head[i+1:]
	if j := bytes.IndexAny(next, "\r\n"); j >= 0 {
		next = next[:j]
	}
	return len(next) == 0 || next[0] == ' ' || next[0] == '\t' || fieldLine(next)
}

// line takes one line, or the first piece of a very long one.
func (s *scanner) line(line []byte, at int64, first bool) {
	if len(line) > 2 && line[0] == '-' && line[1] == '-' && s.delimiter(line, at) {
		return
	}
	if !s.inHeader {
		return
	}
	cur := s.stack[len(s.stack)-1]
	text := bytes.TrimRight(line, "\r\n")
	switch {
	case len(text) == 0:
		if cur == s.root && len(cur.fields) == 0 && len(s.pending) == 0 && at < 4 {
			return // blank lines before the header
		}
		s.endHeader(at + int64(len(line)))
	case text[0] == ' ' || text[0] == '\t':
		s.continued(line)
	case first && bytes.HasPrefix(text, []byte("From ")) || cur == s.root && len(cur.fields) == 0 && bytes.HasPrefix(text, []byte(">From ")):
		// the separator of a mailbox file
	case !fieldLine(text):
		s.garbage(line, at)
	default:
		s.flush()
		s.pending = append(s.pending, line...)
		cur.headerBytes += len(line)
	}
}

func (s *scanner) continued(line []byte) {
	cur := s.stack[len(s.stack)-1]
	if len(s.pending) == 0 {
		return
	}
	if len(s.pending) > limitOf(s.pending) {
		s.cut("a header field is too long; only its beginning is used")
		return
	}
	s.pending = append(s.pending, line...)
	cur.headerBytes += len(line)
}

// flush ends the field being gathered.
func (s *scanner) flush() {
	if len(s.pending) == 0 {
		return
	}
	cur := s.stack[len(s.stack)-1]
	limit := maxHeader
	if cur == s.root {
		limit = maxEnvelope
	}
	if len(cur.fields) < maxFields && cur.headerBytes < limit {
		cur.fields = append(cur.fields, newField(s.pending))
	} else {
		s.cut("the header is too long; only its beginning is used")
	}
	s.pending = s.pending[:0]
}

// cut notes once that something is left out.
func (s *scanner) cut(warning string) {
	s.truncated = true
	if !slices.Contains(s.warnings, warning) {
		s.warn("%s", warning)
	}
}

// endHeader decides what the body of the current entity is.
func (s *scanner) endHeader(at int64) {
	s.flush()
	s.inHeader = false
	cur := s.stack[len(s.stack)-1]
	cur.describe()
	cur.start, cur.end = at, -1
	if strings.HasPrefix(cur.mediaType, "multipart/") && cur.params["boundary"] == "" {
		cur.params["boundary"] = s.inferBoundary(cur)
	}
	deep := len(s.stack) >= maxDepth || len(s.leaves) >= maxParts
	switch {
	case strings.HasPrefix(cur.mediaType, "multipart/") && cur.params["boundary"] != "" && !deep:
		cur.multipart = true
		cur.boundary = append([]byte("--"), strings.TrimRight(cur.params["boundary"], " ")...)
	case cur.mediaType == "message/rfc822" && identity(cur.encoding) && !deep:
		s.leaves = append(s.leaves, cur)
		s.push(&entity{message: true, path: cur.path})
	default:
		if deep && strings.HasPrefix(cur.mediaType, "multipart/") {
			s.truncated = true
			s.warn("parts are nested too deep or too many; the rest is taken as text")
		}
		if strings.HasPrefix(cur.mediaType, "multipart/") {
			if !deep {
				s.warn("a multipart has no boundary; its body is taken as text")
			}
			cur.mediaType = "text/plain"
		}
		s.leaves = append(s.leaves, cur)
	}
}

// inferBoundary finds the boundary that a multipart does not declare properly: in
// the text of its type, or in a line of dashes with a field of a part behind it.
func (s *scanner) inferBoundary(e *entity) string {
	v := e.value("content-type")
	if i := strings.Index(strings.ToLower(v), "boundary="); i >= 0 {
		v = strings.TrimLeft(v[i+len("boundary="):], `"' `)
		if j := strings.IndexAny(v, "\"'; \t"); j >= 0 {
			v = v[:j]
		}
		return v
	}
	head, _ := s.in.Peek(min(2048, s.in.Size()))
	for range 20 {
		line, rest, ok := bytes.Cut(head, []byte("\n"))
		if !ok {
			break
		}
		line = bytes.TrimRight(line, " \t\r")
		if len(line) > 3 && bytes.HasPrefix(line, []byte("--")) && len(rest) > 8 && bytes.EqualFold(rest[:8], []byte("content-")) {
			s.warn("a multipart does not declare its boundary; the line that looks like one is used")
			return string(line[2:])
		}
		head = rest
	}
	return ""
}

func (s *scanner) push(e *entity) {
	parent := s.stack[len(s.stack)-1]
	e.parent = parent
	if !e.message || parent.multipart {
		parent.children++
		e.path = strconv.Itoa(parent.children)
		if parent.path != "" {
			e.path = parent.path + "." + e.path
		}
	}
	s.stack = append(s.stack, e)
	s.inHeader = true
}

// delimiter handles a line that may delimit parts (RFC 2046 §5.1.1). A delimiter
// of an outer multipart ends the inner ones, whether they were closed or not.
func (s *scanner) delimiter(line []byte, at int64) bool {
	for i := len(s.stack) - 1; i >= 0; i-- {
		e := s.stack[i]
		if !e.multipart || !bytes.HasPrefix(line, e.boundary) {
			continue
		}
		rest := bytes.TrimRight(line[len(e.boundary):], " \t\r\n")
		end := bytes.Equal(rest, []byte("--"))
		if len(rest) > 0 && !end {
			continue
		}
		s.unwind(i, at)
		if end {
			e.multipart = false // what follows is its epilogue
			e.end = at
		} else if len(s.leaves) < maxParts {
			s.push(&entity{})
		} else if !s.truncated {
			s.truncated = true
			s.warn("there are more than %s parts; the rest is not used", strconv.Itoa(maxParts))
		}
		return true
	}
	return false
}

// unwind ends all entities inside stack[i]; at is where the delimiter begins.
func (s *scanner) unwind(i int, at int64) {
	for j := len(s.stack) - 1; j > i; j-- {
		if s.inHeader {
			s.endHeaderEarly(at)
		}
		s.stack[j].end = at
	}
	s.stack = s.stack[:i+1]
	s.inHeader = false
}

// endHeaderEarly ends a header that was cut by a delimiter or the end.
func (s *scanner) endHeaderEarly(at int64) {
	s.flush()
	s.inHeader = false
	e := s.stack[len(s.stack)-1]
	e.describe()
	e.start, e.end = at, at
	s.leaves = append(s.leaves, e)
}

func (s *scanner) finish(at int64) {
	if s.inHeader {
		s.endHeaderEarly(at)
	}
	open := false
	for _, e := range s.stack {
		open = open || e.multipart
		e.end = at
	}
	if open {
		s.warn("a multipart is not closed; the message may be cut off")
	}
	if s.root.multipart && len(s.leaves) == 0 || s.root.boundary != nil && len(s.leaves) == 0 {
		s.warn("a multipart has no parts; its body is taken as text")
		s.root.mediaType, s.root.multipart = "text/plain", false
		s.leaves = append(s.leaves, s.root)
	}
	for _, e := range s.leaves {
		if e.end < e.start {
			e.end = max(at, e.start)
		}
	}
}

func (s *scanner) warn(format string, args ...any) {
	f := Facts{Warnings: s.warnings}
	f.warn(format, args...)
	s.warnings = f.Warnings
}
