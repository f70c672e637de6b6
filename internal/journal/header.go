package journal

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// field is a header field (RFC 5322 §2.2), unfolded.
type field struct {
	key   string // the name in lower case
	value string
}

// header is that of a message or a body part.
type header struct {
	fields []field
	body   int64 // where the body begins; -1: there is no empty line
	blank  eol   // how the empty line ends
	cut    bool  // longer than the limit

	last strings.Builder // the value of the last field, while it is read
}

// header reads the header at the start of a range.
func (s *source) header(start, end int64, limit int64) (*header, error) {
	n := min(end-start, limit)
	size := int(min(n, 32<<10))
	h, err := readHeader(bufio.NewReaderSize(io.NewSectionReader(s, start, n), size), start)
	if err != nil {
		return nil, err
	}
	h.cut = h.body < 0 && n < end-start
	return h, nil
}

// readHeader reads up to the empty line or the end. The offset of the body is
// counted from start.
func readHeader(r *bufio.Reader, start int64) (*header, error) {
	h := &header{body: -1}
	at := start
	for {
		line, err := r.ReadBytes('\n')
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return nil, err
		}
		at += int64(len(line))
		text := bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if len(text) == 0 && !last {
			h.body, h.blank = at, lf
			if len(line) == 2 {
				h.blank = crlf
			}
			h.finish()
			return h, nil
		}
		h.line(string(text))
		if last {
			h.finish()
			return h, nil
		}
	}
}

// line adds a line. What is no field, such as the "From " line of a mailbox
// file, is passed over.
func (h *header) line(text string) {
	if text == "" {
		return
	}
	if text[0] == ' ' || text[0] == '\t' {
		h.last.WriteString(" " + strings.TrimSpace(text))
		return
	}
	h.finish()
	name, value, ok := strings.Cut(text, ":")
	if name = strings.ToLower(strings.TrimRight(name, " \t")); !ok || !fieldName(name) {
		name = "" // its continuation lines must not go to another field
	}
	h.fields = append(h.fields, field{key: name})
	h.last.WriteString(strings.TrimSpace(value))
}

// finish ends the last field.
func (h *header) finish() {
	if n := len(h.fields); n > 0 {
		h.fields[n-1].value = strings.TrimSpace(h.last.String())
	}
	h.last.Reset()
}

func fieldName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}

// get returns the value of the first field called key, and how many there are.
func (h *header) get(key string) (value string, n int) {
	for _, f := range h.fields {
		if f.key == key {
			if n++; n == 1 {
				value = f.value
			}
		}
	}
	return value, n
}

// form tells what the header says it is the header of; "" if of no report.
func (h *header) form() Form {
	cloud, form := false, Form("")
	for _, f := range h.fields {
		found := Form("")
		switch {
		case f.key == "x-ms-journal-report", f.key == "x-ms-exchange-organization-journal-report":
			found = Exchange2007 // the value may be empty
		case f.key == "content-identifier", f.key == "content-identifer": //nolint:misspell // by Exchange
			if strings.EqualFold(f.value, "ExJournalReport") {
				found = Exchange2003
			}
		case f.key == "x-wm-journal-report":
			if strings.EqualFold(f.value, "journal") {
				found = Piler
			}
		case f.key == "x-ms-publictraffictype", strings.HasPrefix(f.key, "x-ms-exchange-crosstenant-"):
			cloud = true
		}
		if form == "" {
			form = found
		}
	}
	if form == Exchange2007 && cloud {
		return M365
	}
	return form
}

// reliable returns an error if two programs could read the header differently.
func (h *header) reliable(what string) error {
	if h.cut {
		return incomplete("%s is too long", what)
	}
	for _, key := range []string{"content-type", "content-transfer-encoding"} {
		if _, n := h.get(key); n > 1 {
			return incomplete("%s has %d fields %s", what, n, key)
		}
	}
	return nil
}

// encoding returns the transfer encoding in lower case.
func (h *header) encoding() string {
	value, _ := h.get("content-transfer-encoding")
	value, _, _ = strings.Cut(value, ";")
	return strings.ToLower(strings.Trim(stripComments(value), " \t\""))
}

// contentType is the field Content-Type (RFC 2045 §5.1).
type contentType struct {
	media  string // in lower case; text/plain if the field is missing
	params []field
}

func (h *header) contentType() contentType {
	value, n := h.get("content-type")
	if n == 0 {
		return contentType{media: "text/plain"}
	}
	media, rest, _ := strings.Cut(stripComments(value), ";")
	ct := contentType{media: strings.ToLower(strings.TrimSpace(media))}
	for rest != "" {
		var name, val string
		name, rest = upTo(rest, "=;")
		if strings.HasPrefix(rest, "=") {
			val, rest = paramValue(strings.TrimLeft(rest[1:], " \t"))
		}
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			ct.params = append(ct.params, field{name, val})
		}
		_, rest, _ = strings.Cut(rest, ";")
	}
	return ct
}

// upTo divides s before the first of the characters.
func upTo(s, chars string) (before, from string) {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// paramValue reads a quoted string or a token, and what many write without
// quotes although they should not.
func paramValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		value, rest = upTo(s, ";")
		return strings.TrimSpace(value), rest
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}

// stripComments takes out what stands in parentheses, outside of quotes.
func stripComments(s string) string {
	if !strings.ContainsRune(s, '(') {
		return s
	}
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		escaped := c == '\\' && i+1 < len(s) && (quoted || depth > 0)
		switch {
		case escaped:
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
		case c == '(' && !quoted:
			depth++
		case c == ')' && depth > 0:
			depth--
			continue
		}
		if depth == 0 {
			b.WriteByte(c)
			if escaped {
				b.WriteByte(s[i])
			}
		}
	}
	return b.String()
}

// param returns a parameter; "" if it is missing.
func (ct contentType) param(name string) string {
	for _, p := range ct.params {
		if p.key == name {
			return p.value
		}
	}
	return ""
}

// boundary returns the boundary of a multipart. There must be exactly one, in
// one piece.
func (ct contentType) boundary() (string, error) {
	n, value := 0, ""
	for _, p := range ct.params {
		if p.key == "boundary" || strings.HasPrefix(p.key, "boundary*") {
			n++
			value = p.value
		}
	}
	switch {
	case n == 0 || value == "":
		return "", incomplete("it names no boundary")
	case n > 1 || ct.param("boundary") == "":
		return "", incomplete("its boundary can be understood in several ways")
	case len(value) > maxBoundary || strings.TrimRight(value, " \t") != value || strings.ContainsAny(value, "\r\n"):
		return "", incomplete("its boundary is not allowed")
	}
	return value, nil
}
