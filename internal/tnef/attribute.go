package tnef

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/muniment/muniment/internal/mapi"
)

// Levels of attributes [MS-OXTNEF] §2.1.3.1.
const (
	ofMessage    = 1
	ofAttachment = 2
)

// Identifiers of attributes, the lower half of their tags [MS-OXTNEF] §2.1.3.1:
// writers do not agree about the types in the upper half.
const (
	attOwner         = 0x0000
	attSentFor       = 0x0001
	attDateStart     = 0x0006
	attDateEnd       = 0x0007
	attFrom          = 0x8000
	attSubject       = 0x8004
	attDateSent      = 0x8005
	attDateReceived  = 0x8006
	attMessageClass  = 0x8008
	attBody          = 0x800C
	attPriority      = 0x800D
	attAttachData    = 0x800F
	attAttachTitle   = 0x8010
	attAttachMeta    = 0x8011
	attAttachCreated = 0x8012
	attAttachChanged = 0x8013
	attDateModified  = 0x8020
	attTransportName = 0x9001
	attRendering     = 0x9002
	attProperties    = 0x9003
	attRecipients    = 0x9004
	attAttachment    = 0x9005
	attCodePage      = 0x9007
)

// attributes reads one attribute after the other. Damage ends the sequence with a
// warning.
func (d *decoder) attributes(c *cursor) error {
	for n := 0; c.left() > 0; n++ {
		if n >= maxAttributes {
			d.m.Warn("TNEF: there are more than %d attributes; the rest is left out", maxAttributes)
			return nil
		}
		start := c.pos
		level := c.bytes(1)
		if c.err == nil && (level[0] == '\r' || level[0] == '\n') && c.left() < 3 {
			return nil // a line end that mail added
		}
		if c.err == nil && level[0] != ofMessage && level[0] != ofAttachment {
			d.m.Warn("TNEF: the %d bytes from %d on are no attribute", c.end-start, start)
			return nil
		}
		id, size := uint16(c.uint32()), int64(c.uint32())
		if c.err != nil {
			return d.damage(c.err, "TNEF: attribute at %d: %v", start, c.err)
		}
		s := section{off: c.pos, size: min(size, c.left())}
		if s.size < size {
			d.m.Warn("TNEF: attribute %04x at %d has %d bytes, %d are there", id, start, size, s.size)
		}
		if err := d.attribute(level[0], id, s); err != nil {
			return err
		}
		sum := c.sum(s.size)
		if s.size < size {
			return c.fatal()
		}
		if want := c.uint16(); c.err != nil {
			return d.damage(c.err, "TNEF: attribute %04x at %d has no checksum", id, start)
		} else if sum != want {
			d.m.Warn("TNEF: attribute %04x at %d has a wrong checksum", id, start)
		}
	}
	return nil
}

// damage turns damage into a warning; other errors are those of reading.
func (d *decoder) damage(err error, format string, args ...any) error {
	if !errors.Is(err, mapi.ErrDamaged) {
		return err
	}
	d.m.Warn(format, args...)
	return nil
}

// attribute reads one attribute. An unknown one says nothing to us.
func (d *decoder) attribute(level byte, id uint16, s section) error {
	if level == ofAttachment {
		return d.ofAttachment(id, s)
	}
	c := d.cursor(s.off, s.size)
	var err error
	switch id {
	case attProperties:
		err = d.properties(c, &d.m.Properties, nil)
	case attRecipients:
		err = d.recipients(c)
	case attCodePage:
		if cp := c.uint32(); c.err == nil {
			d.m.CodePage = int(cp)
		}
		err = c.err
	default:
		d.old, err = d.legacy(d.old, id, c)
	}
	if err != nil {
		return d.damage(err, "TNEF: attribute %04x: %v", id, err)
	}
	return nil
}

// ofAttachment reads an attribute of an attachment; the first of one is its
// rendering [MS-OXTNEF] §2.1.3.3.15.
func (d *decoder) ofAttachment(id uint16, s section) error {
	if id == attRendering || d.att == nil {
		d.attach()
	}
	c := d.cursor(s.off, s.size)
	var err error
	switch id {
	case attRendering:
		method := int64(mapi.AttachByValue)
		if c.uint16() == 2 {
			method = mapi.AttachOLE
		}
		position := int32(c.uint32())
		if err = c.err; err == nil {
			d.att.old = append(d.att.old,
				mapi.Property{Tag: mapi.NewTag(mapi.IDAttachMethod, mapi.TypeInt32), Value: method},
				mapi.Property{Tag: mapi.NewTag(mapi.IDRenderingPosition, mapi.TypeInt32), Value: int64(position)})
		}
	case attAttachData:
		if d.att.data == nil {
			d.att.data = &s
		}
	case attAttachment:
		err = d.properties(c, &d.att.Properties, d.att)
	default:
		d.att.old, err = d.legacy(d.att.old, id, c)
	}
	if err != nil {
		return d.damage(err, "TNEF: attribute %04x of an attachment: %v", id, err)
	}
	return nil
}

// recipients reads the table of recipients [MS-OXTNEF] §2.1.3.5.1.
func (d *decoder) recipients(c *cursor) error {
	rows := c.uint32()
	for i := uint32(0); i < rows && c.err == nil; i++ {
		if len(d.m.Recipients) >= mapi.MaxRecipients {
			d.m.Warn("TNEF: there are more than %d recipients; the rest is left out", mapi.MaxRecipients)
			return nil
		}
		p := &mapi.Properties{}
		err := d.properties(c, p, nil)
		if len(p.List) > 0 {
			d.m.Recipients = append(d.m.Recipients, p)
		}
		if err != nil {
			return err
		}
	}
	return c.err
}

// cursor reads forward through a section of the stream. The first error sticks;
// beyond the end it is ErrDamaged.
type cursor struct {
	in       *bufio.Reader
	pos, end int64
	held     *int64 // of the decoder
	err      error
}

// cursor returns a cursor for a section.
func (d *decoder) cursor(off, size int64) *cursor {
	size = max(size, 0)
	return &cursor{in: bufio.NewReaderSize(io.NewSectionReader(d.r, off, size), int(min(size, 32<<10))), pos: off, end: off + size, held: &d.held}
}

func (c *cursor) left() int64 { return c.end - c.pos }

// bytes reads n bytes; nil after an error.
func (c *cursor) bytes(n int64) []byte {
	if !c.room(n) {
		return nil
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c.in, b); err != nil {
		c.err = err
		return nil
	}
	c.pos += n
	return b
}

// room reports whether n bytes are left.
func (c *cursor) room(n int64) bool {
	if c.err == nil && (n < 0 || n > c.left()) {
		c.err = fmt.Errorf("%d bytes are wanted at %d, %d are there: %w", n, c.pos, c.left(), mapi.ErrDamaged)
	}
	return c.err == nil
}

func (c *cursor) skip(n int64) {
	if c.room(n) {
		for n > 0 && c.err == nil {
			step, err := c.in.Discard(int(min(n, 1<<30)))
			c.pos += int64(step)
			n -= int64(step)
			c.err = err
		}
	}
}

func (c *cursor) uint16() uint16 {
	if b := c.bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// sum passes n bytes and adds them up [MS-OXTNEF] §2.1.3.1: the checksum.
func (c *cursor) sum(n int64) (sum uint16) {
	buf := make([]byte, min(n, 32<<10))
	for n > 0 && c.err == nil {
		b := buf[:min(n, int64(len(buf)))]
		if _, err := io.ReadFull(c.in, b); err != nil {
			c.err = err
			break
		}
		for _, x := range b {
			sum += uint16(x)
		}
		c.pos += int64(len(b))
		n -= int64(len(b))
	}
	return sum
}

// fatal returns the error of reading, if it is not damage.
func (c *cursor) fatal() error {
	if errors.Is(c.err, mapi.ErrDamaged) {
		return nil
	}
	return c.err
}
