// Package tnef reads the Transport Neutral Encapsulation Format, the winmail.dat
// of Outlook and Exchange [MS-OXTNEF]: one message with its properties and
// attachments. It reads and never writes, and it keeps nothing of the data of
// attachments in memory.
//
// Damage ends neither the message nor the program: what could be read is there,
// and the warnings of the message say what could not.
//
//	tnef.go      Read, limits              property.go  encapsulated properties
//	attribute.go the sequence of them      legacy.go    attributes from before MAPI
package tnef

import (
	"errors"
	"fmt"
	"io"

	"github.com/muniment/muniment/internal/mapi"
)

// Limits beside those of package mapi.
const (
	maxAttributes = 200_000 // of one stream
	maxElements   = 1 << 20 // values of one property
	maxName       = 4 << 10 // bytes of the name of a property
)

// ErrNotTNEF is returned for bytes that do not begin with the signature.
var ErrNotTNEF = errors.New("does not begin with the signature of TNEF")

const signature = 0x223E9F78

// Read returns the message in the size bytes of r. The attachments read from r
// when they are opened. The error is ErrNotTNEF, or that of r; all else is told in
// Warnings of the message, a wrong checksum of an attribute too.
func Read(r io.ReaderAt, size int64) (*mapi.Message, error) { return read(r, size, 0, 0) }

// read reads a stream that is depth messages deep, whose values take held bytes.
func read(r io.ReaderAt, size int64, depth int, held int64) (*mapi.Message, error) {
	if depth >= mapi.MaxDepth {
		return nil, fmt.Errorf("TNEF: messages are nested more than %d deep: %w", mapi.MaxDepth, mapi.ErrDamaged)
	}
	d := &decoder{r: r, depth: depth, held: held, m: &mapi.Message{}}
	c := d.cursor(0, size)
	if c.uint32() != signature {
		if c.err != nil && !errors.Is(c.err, mapi.ErrDamaged) {
			return nil, fmt.Errorf("TNEF: %w", c.err)
		}
		return nil, ErrNotTNEF
	}
	c.skip(2) // a key that refers to the message around
	if err := d.attributes(c); err != nil {
		return nil, fmt.Errorf("TNEF: %w", err)
	}
	d.finish()
	return d.m, nil
}

// decoder gathers a message.
type decoder struct {
	r     io.ReaderAt
	depth int
	held  int64 // bytes of values, those of messages around it too
	m     *mapi.Message
	old   []mapi.Property // of legacy attributes: MAPI properties count first
	att   *attachment     // the present one
}

// attachment is an attachment in the making.
type attachment struct {
	*mapi.Attachment
	old     []mapi.Property
	data    *section // of attAttachData
	object  *section // of the property
	message bool     // object is a message
}

// section is a place in the stream.
type section struct{ off, size int64 }

// attach begins a new attachment.
func (d *decoder) attach() {
	d.detach()
	d.att = &attachment{Attachment: &mapi.Attachment{}}
}

// detach ends the present attachment.
func (d *decoder) detach() {
	a := d.att
	if d.att = nil; a == nil {
		return
	}
	if len(d.m.Attachments) >= mapi.MaxAttachments {
		d.m.Warn("TNEF: there are more than %d attachments; the rest is left out", mapi.MaxAttachments)
		return
	}
	a.List = append(a.List, a.old...)
	from := a.data
	if a.object != nil && (from == nil || a.message || from.size == 0) {
		from = a.object
	}
	switch {
	case from == nil:
	case a.message && from == a.object:
		a.Size = from.size
		a.OpenMessage = func() (*mapi.Message, error) {
			return read(io.NewSectionReader(d.r, from.off, from.size), from.size, d.depth+1, d.held)
		}
	default:
		a.Size = from.size
		a.Open = func() (io.Reader, error) { return io.NewSectionReader(d.r, from.off, from.size), nil }
	}
	d.m.Attachments = append(d.m.Attachments, a.Attachment)
}

// finish puts the message together.
func (d *decoder) finish() {
	d.detach()
	d.m.List = append(d.m.List, d.old...)
	d.m.ShareCodePage()
}
