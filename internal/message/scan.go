package message

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"strings"
)

// entity is a message or a body part (RFC 2045 §2.4) as the scan finds it.
type entity struct {
	fields      []field
	mediaType   string
	params      map[string]string
	encoding    string
	disposition string
	dispParams  map[string]string
	path        string
	children    int
	boundary    []byte // "--" and the boundary of a multipart
	start, end  int64  // of the body
	message     bool   // the entity is a whole message: its child of message/rfc822
	multipart   bool
	parent      *entity
	headerBytes int
}

// scanner walks over a message once, line by line.
type scanner struct {
	root      *entity
	leaves    []*entity
	warnings  []string
	truncated bool

	stack    []*entity // from the root to the entity being read
	inHeader bool
	pending  []byte // the header field being gathered
	closed   bool   // after the close delimiter of the innermost multipart
}

// window is the size of the read buffer; longer lines come in pieces.
const window = 64 << 10

// scan finds header fields, structure and places of parts. It reads the message
// once and keeps only headers.
func scan(raw Raw) *scanner {
	s := &scanner{root: &entity{message: true}, inHeader: true}
	s.stack = []*entity{s.root}
	size := raw.Size()
	r := bufio.NewReaderSize(io.NewSectionReader(raw, 0, size), int(min(size+1, window)))
	eol := byte('\n')
	if head, _ := r.Peek(int(min(size, 8<<10))); bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		eol = '\r' // lines end as they did on old Macs
	}
	var at int64
	first, whole := true, true
	for {
		line, err := r.ReadSlice(eol)
		if len(line) > 0 {
			if whole {
				s.line(line, at, first)
				first = false
			} else if s.inHeader {
				s.continued(line)
			}
			at += int64(len(line))
			whole = err != bufio.ErrBufferFull
		}
		if err != nil && err != bufio.ErrBufferFull {
			break
		}
	}
	s.finish(at)
	return s
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
		if cur == s.root && len(cur.fields) == 0 && s.pending == nil && at < 4 {
			return // blank lines before the header
		}
		s.endHeader(at + int64(len(line)))
	case text[0] == ' ' || text[0] == '\t':
		s.continued(line)
	case first && bytes.HasPrefix(text, []byte("From ")) || cur == s.root && len(cur.fields) == 0 && bytes.HasPrefix(text, []byte(">From ")):
		// the separator of a mailbox file
	case !fieldLine(text):
		s.flush()
		if cur.message && len(cur.fields) > 0 {
			s.warn("the header ends without a blank line")
		} else if len(cur.fields) == 0 {
			s.warn("there is no header")
		}
		s.endHeader(at)
		if len(s.stack) > 0 && s.inHeader { // a message began: the line is its first
			s.line(line, at, false)
		}
	default:
		s.flush()
		s.pending = append(s.pending, line...)
		cur.headerBytes += len(line)
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

func (s *scanner) continued(line []byte) {
	cur := s.stack[len(s.stack)-1]
	if s.pending == nil || len(s.pending) > maxField {
		return
	}
	s.pending = append(s.pending, line...)
	cur.headerBytes += len(line)
}

// flush ends the field being gathered.
func (s *scanner) flush() {
	if s.pending == nil {
		return
	}
	cur := s.stack[len(s.stack)-1]
	if len(cur.fields) < maxFields && cur.headerBytes < maxHeader {
		cur.fields = append(cur.fields, newField(s.pending))
	} else if !s.truncated {
		s.truncated = true
		s.warn("the header is too long; only its beginning is used")
	}
	s.pending = nil
}

// endHeader decides what the body of the current entity is.
func (s *scanner) endHeader(at int64) {
	s.flush()
	s.inHeader = false
	cur := s.stack[len(s.stack)-1]
	cur.describe()
	cur.start, cur.end = at, -1
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
			cur.mediaType = "text/plain"
		}
		s.leaves = append(s.leaves, cur)
	}
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

func identity(encoding string) bool {
	switch encoding {
	case "", "7bit", "8bit", "binary":
		return true
	}
	return false
}

// describe reads what the fields say of the body.
func (e *entity) describe() {
	e.mediaType, e.params = parseParams(e.value("content-type"))
	if e.mediaType == "" || !strings.Contains(e.mediaType, "/") {
		e.mediaType = "text/plain"
		if e.parent != nil && e.parent.mediaType == "multipart/digest" {
			e.mediaType = "message/rfc822" // RFC 2046 §5.1.5
		}
	}
	enc := strings.ToLower(strings.TrimSpace(e.value("content-transfer-encoding")))
	enc, _, _ = strings.Cut(enc, ";")
	e.encoding = clean(strings.Trim(strings.TrimSpace(enc), `"`))
	e.disposition, e.dispParams = parseParams(e.value("content-disposition"))
	if e.path == "" {
		e.path = "1"
	}
}

// value returns the first field called key.
func (e *entity) value(key string) string {
	for _, f := range e.fields {
		if f.key == key {
			return f.value
		}
	}
	return ""
}

// fileName returns the decoded file name: filename of the disposition
// (RFC 2183 §2.3), else name of the type.
func (e *entity) fileName() string {
	for _, v := range []string{e.dispParams["filename"], e.params["name"]} {
		if v != "" {
			return strings.TrimSpace(oneLine(decodeField(v, e.params["charset"])))
		}
	}
	return ""
}
