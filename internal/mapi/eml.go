package mapi

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
)

// maxMessages bounds the embedded messages that WriteEML writes in all, because
// a damaged file can have a message within itself.
const maxMessages = 2000

// WriteEML writes m as a message of RFC 5322 and MIME, lines ending in CR LF. The
// same message gives the same bytes. Attachments are read while they are written,
// so that memory is taken only for properties and bodies.
//
// The header is that with which the message was transported, if the message has
// it; what is missing comes from the properties. Text, HTML and RTF become
// alternatives; classes other than mail begin with a readable list of what they
// say and keep their class in X-Mapi-Message-Class. A message with an S/MIME
// body becomes that body, unaltered.
//
// What is damaged is left out, and Warnings of m tell of it. Errors are those of
// w, and those of reading an attachment that are not ErrDamaged: then what was
// written is not complete.
func WriteEML(w io.Writer, m *Message) error {
	e := &emitter{out: bufio.NewWriterSize(w, 64<<10)}
	e.message(m, 0, "")
	if e.err == nil {
		e.err = e.out.Flush()
	}
	if e.err != nil {
		return fmt.Errorf("write message: %w", e.err)
	}
	return nil
}

// emitter writes. The first error sticks.
type emitter struct {
	out      *bufio.Writer
	err      error
	messages int
}

func (e *emitter) bytes(b []byte) {
	if e.err == nil {
		_, e.err = e.out.Write(b)
	}
}

func (e *emitter) line(s string) { e.bytes([]byte(s + "\r\n")) }

// header writes fields and the empty line after a header.
func (e *emitter) header(f *fields) {
	e.bytes(f.buf.Bytes())
	e.line("")
}

// message writes a whole message; place tells it apart from others around it.
func (e *emitter) message(m *Message, depth int, place string) {
	m.ShareCodePage()
	e.bytes(m.header().buf.Bytes())
	if class := oneLine(m.Class()); class != "" && !strings.EqualFold(class, "IPM.Note") {
		f := &fields{}
		f.add(classField, encodeText(class))
		e.bytes(f.buf.Bytes())
	}
	e.line("MIME-Version: 1.0")
	if a := m.secured(); a != nil {
		e.secured(m, a)
		return
	}
	b := boundary{digest: m.digest(place)}
	e.node(m.tree(depth, place), &b)
	e.line("")
}

// tree arranges bodies and attachments (RFC 2046 §5.1, RFC 2387).
func (m *Message) tree(depth int, place string) *node {
	item, bodies := m.item(), m.bodies()
	var related, mixed []*node
	messages := false
	for i, a := range m.Attachments {
		messages = messages || a.OpenMessage != nil || a.mediaType() == "message/rfc822"
		n := m.attachment(a, depth, fmt.Sprintf("%s/%d", place, i))
		if a.inline(bodies) {
			related = append(related, n)
		} else {
			mixed = append(mixed, n)
		}
	}
	var alternatives []*node
	for _, b := range bodies {
		n := text(b)
		if b.kind == "html" && len(related) > 0 {
			n = &node{subtype: "related", params: `; type="text/html"`, children: append([]*node{n}, related...)}
			related = nil
		}
		alternatives = append(alternatives, n)
	}
	mixed = append(related, mixed...) // without HTML nothing refers to them
	if len(alternatives) > 0 {
		mixed = append([]*node{multipart("alternative", alternatives)}, mixed...)
	}
	if item != "" {
		mixed = append([]*node{text(utf8Body("plain", item))}, mixed...)
	}
	if len(mixed) == 0 {
		return text(utf8Body("plain", ""))
	}
	if len(mixed) == 1 && (len(alternatives) > 0 || item != "") {
		return mixed[0]
	}
	return &node{subtype: "mixed", children: mixed, eight: messages} // an attachment alone stays one
}

func multipart(subtype string, children []*node) *node {
	if len(children) == 1 {
		return children[0]
	}
	return &node{subtype: subtype, children: children}
}

// boundary makes boundaries (RFC 2046 §5.1.1) that depend on the message alone.
type boundary struct {
	digest string
	count  int
}

func (b *boundary) next() string {
	b.count++
	return fmt.Sprintf("=_%s_%d", b.digest, b.count)
}

// node writes an entity, its header first.
func (e *emitter) node(n *node, b *boundary) {
	if e.err != nil {
		return
	}
	if n.write != nil {
		if err := n.write(e); err != nil && e.err == nil {
			e.err = err
		}
		return
	}
	mark := b.next()
	e.line(fmt.Sprintf("Content-Type: multipart/%s%s;\r\n boundary=\"%s\"", n.subtype, n.params, mark))
	if n.eight {
		e.line("Content-Transfer-Encoding: 8bit") // RFC 2045 §6.4: as the parts in it
	}
	e.line("")
	for _, c := range n.children {
		e.line("--" + mark)
		e.node(c, b)
		e.line("")
	}
	e.bytes([]byte("--" + mark + "--"))
}

// digest names the message in boundaries: nothing in it can contain its own hash.
func (m *Message) digest(place string) string {
	h := sha256.New()
	_, _ = io.WriteString(h, place)
	m.hash(h)
	for _, r := range m.Recipients {
		r.hash(h)
	}
	for _, a := range m.Attachments {
		a.hash(h)
		_, _ = fmt.Fprintf(h, "%d", a.Size)
	}
	return hex.EncodeToString(h.Sum(nil)[:15])
}

func (p *Properties) hash(h hash.Hash) {
	for _, q := range p.List {
		_, _ = fmt.Fprintf(h, "\n%08x", uint32(q.Tag))
		switch v := q.Value.(type) {
		case string:
			_, _ = io.WriteString(h, v)
		case ANSI:
			_, _ = h.Write(v)
		case []byte:
			_, _ = h.Write(v)
		case [][]byte:
			for _, b := range v {
				_, _ = h.Write(b)
			}
		default:
			_, _ = fmt.Fprint(h, v)
		}
	}
}

// failed notes an error of reading an attachment: damage is a warning, all else
// the end.
func (e *emitter) failed(m *Message, a *Attachment, err error) {
	if errors.Is(err, ErrDamaged) {
		m.Warn("attachment %q: %v", a.Name(), err)
	} else if e.err == nil {
		e.err = err
	}
}
