package inspect

import (
	"bytes"
	"io"
	"mime"
	"net/mail"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"
)

// HeadSize is how many bytes of the beginning of a message ReadHead looks at.
const HeadSize = 256 << 10

// ReadHead takes subject, sender and date from the beginning of a message (RFC 5322),
// as far as they can be read. It never fails: what it cannot read is left empty.
func (o *Object) ReadHead(head []byte) {
	o.Message = true
	if len(head) > HeadSize {
		head = head[:HeadSize]
	}
	if i := endOfHeader(head); i >= 0 {
		head = head[:i]
	}
	m, err := mail.ReadMessage(io.MultiReader(bytes.NewReader(bytes.TrimLeft(head, "\r\n")), strings.NewReader("\r\n\r\n")))
	if err != nil {
		m = &mail.Message{Header: looseHeader(head)}
	}
	d := mime.WordDecoder{CharsetReader: charset}
	decode := func(s string) string {
		s = utf8Text(s)
		if t, err := d.DecodeHeader(s); err == nil {
			return t
		}
		return s
	}
	o.Subject, o.From = decode(m.Header.Get("Subject")), decode(m.Header.Get("From"))
	if t, err := m.Header.Date(); err == nil && t.Year() >= 1970 && t.Year() < 10000 {
		o.Date = t.UTC().Truncate(time.Second)
	}
}

// endOfHeader is where the empty line after the header begins; -1: there is none.
func endOfHeader(b []byte) int {
	best := -1
	for _, end := range []string{"\n\n", "\n\r\n"} {
		if i := bytes.Index(b, []byte(end)); i >= 0 && (best < 0 || i < best) {
			best = i + 1
		}
	}
	return best
}

// looseHeader finds the three fields in a header that is not as it should be.
func looseHeader(b []byte) mail.Header {
	h := mail.Header{}
	field := ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		if folded := strings.TrimLeft(line, " \t"); folded != line {
			if n := len(h[field]); n > 0 {
				h[field][n-1] += " " + folded
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		field = ""
		for _, known := range []string{"Subject", "From", "Date"} {
			if ok && strings.EqualFold(strings.TrimSpace(name), known) && h[known] == nil {
				field, h[known] = known, []string{strings.TrimSpace(value)}
			}
		}
	}
	return h
}

// charset reads the character sets of encoded words.
func charset(name string, r io.Reader) (io.Reader, error) {
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil, err
	}
	return e.NewDecoder().Reader(r), nil
}
