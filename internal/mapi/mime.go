package mapi

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
)

// body is a text in a character set.
type body struct {
	kind    string // media subtype: plain, html, rtf
	charset string
	data    []byte
}

// node is a MIME entity: a leaf that writes itself, or a multipart.
type node struct {
	write    func(e *emitter) error // the header, an empty line, the body
	subtype  string                 // of a multipart
	params   string
	eight    bool // there may be bytes above ASCII in it
	children []*node
}

// text returns a leaf for a body: 7bit if it is short lines of ASCII, base64 for
// UTF-16, else quoted-printable (RFC 2045 §6.7), by which line ends become CR LF.
func text(b body) *node {
	return &node{write: func(e *emitter) error {
		f := &fields{}
		value := "text/" + b.kind
		if b.charset != "" {
			value += "; charset=" + b.charset
		}
		f.add("Content-Type", value)
		var out bytes.Buffer
		switch {
		case b.charset == "utf-16le" || b.charset == "utf-16be" || bytes.IndexByte(b.data, 0) >= 0:
			f.add("Content-Transfer-Encoding", "base64")
			if err := encode64(&out, bytes.NewReader(b.data)); err != nil {
				return err
			}
		case sevenBit(b.data):
			data := bytes.ReplaceAll(b.data, []byte("\r\n"), []byte("\n"))
			out.Write(bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")))
		default:
			f.add("Content-Transfer-Encoding", "quoted-printable")
			q := quotedprintable.NewWriter(&out)
			if _, err := q.Write(b.data); err != nil {
				return err
			}
			if err := q.Close(); err != nil {
				return err
			}
		}
		e.header(f)
		e.bytes(out.Bytes())
		return e.err
	}}
}

// sevenBit reports whether b can be sent as it is: ASCII, lines of at most 78
// characters without a blank at their ends, no lone CR.
func sevenBit(b []byte) bool {
	line := 0
	for i, c := range b {
		switch {
		case c == '\n':
			if i > 0 && (b[i-1] == ' ' || b[i-1] == '\t' || b[i-1] == '\r' && i > 1 && (b[i-2] == ' ' || b[i-2] == '\t')) {
				return false
			}
			line = -1
		case c == '\r':
			if i+1 >= len(b) || b[i+1] != '\n' {
				return false
			}
		case c < ' ' && c != '\t' || c > '~':
			return false
		}
		if line++; line > 79 {
			return false
		}
	}
	return len(b) == 0 || b[len(b)-1] != ' ' && b[len(b)-1] != '\t'
}

// encode64 copies r to w in base64, in lines of 76 characters, the last one
// without its end.
func encode64(w io.Writer, r io.Reader) error {
	buf, out := make([]byte, 57*256), make([]byte, 0, 78*256)
	for first := true; ; first = false {
		n, err := io.ReadFull(r, buf)
		out = out[:0]
		for i := 0; i < n; i += 57 {
			if !first || i > 0 {
				out = append(out, "\r\n"...)
			}
			out = base64.StdEncoding.AppendEncode(out, buf[i:min(n, i+57)])
		}
		if _, werr := w.Write(out); werr != nil {
			return werr
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
