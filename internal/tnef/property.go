package tnef

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/muniment/muniment/internal/mapi"
)

// Interfaces whose objects are attached [MS-OXTNEF] §2.1.3.4.1: the first 16
// bytes of an object's value.
const interfaceSize = 16

// messageInterface is IID_IMessage: the value is TNEF itself.
const messageInterface = "\x07\x03\x02\x00\x00\x00\x00\x00\xC0\x00\x00\x00\x00\x00\x00\x46"

// properties reads encapsulated properties [MS-OXTNEF] §2.1.3.4 into p. Of an
// attachment the data are only found, not read.
func (d *decoder) properties(c *cursor, p *mapi.Properties, a *attachment) error {
	n := c.uint32()
	for i := uint32(0); i < n && c.err == nil; i++ {
		if len(p.List) >= mapi.MaxProperties {
			return fmt.Errorf("more than %d properties: %w", mapi.MaxProperties, mapi.ErrDamaged)
		}
		t := mapi.Type(c.uint16())
		tag := mapi.NewTag(c.uint16(), t)
		var name *mapi.Name
		if tag.ID() >= 0x8000 {
			name = c.name()
		}
		if c.err != nil {
			break
		}
		if a != nil && tag.ID() == mapi.IDAttachData && (t == mapi.TypeObject || t == mapi.TypeBinary) {
			d.object(c, a, t)
			continue
		}
		v, err := c.value(t)
		if err != nil && c.err == nil {
			d.m.Warn("TNEF: property %08x: %v", uint32(tag), err)
			continue
		}
		if v != nil {
			p.Add(tag, name, v)
		}
	}
	return c.err
}

// name reads the name of a property [MS-OXTNEF] §2.1.3.4.
func (c *cursor) name() *mapi.Name {
	var n mapi.Name
	copy(n.Set[:], c.bytes(16))
	if c.uint32() == 0 {
		n.ID = c.uint32()
		return &n
	}
	size := int64(c.uint32())
	if size > maxName {
		c.err = fmt.Errorf("the name of a property has %d bytes: %w", size, mapi.ErrDamaged)
		return nil
	}
	if v, err := mapi.Decode(mapi.TypeUnicode, c.bytes(size)); err == nil {
		n.Text, _ = v.(string)
	}
	c.skip(padding(size))
	return &n
}

// padding returns how many bytes are missing to a multiple of four.
func padding(n int64) int64 { return -n & 3 }

// value reads the value of a property. What is too large is passed over.
func (c *cursor) value(t mapi.Type) (any, error) {
	size := int64(t.Size())
	if t&mapi.Multi == 0 && size > 0 {
		b := c.bytes(size)
		c.skip(padding(size))
		if c.err != nil {
			return nil, c.err
		}
		return mapi.Decode(t, b)
	}
	if t == mapi.TypeNull {
		c.skip(4)
		return nil, c.err
	}
	if !variable(t) && size == 0 {
		c.err = fmt.Errorf("unknown type %04x: %w", uint16(t), mapi.ErrDamaged)
		return nil, c.err
	}
	elements, err := c.elements(size)
	if err != nil || c.err != nil {
		return nil, errors.Join(err, c.err)
	}
	if t&mapi.Multi != 0 {
		return mapi.DecodeMulti(t, elements)
	}
	if len(elements) == 0 {
		return nil, nil
	}
	return mapi.Decode(t, elements[0])
}

func variable(t mapi.Type) bool {
	switch t &^ mapi.Multi {
	case mapi.TypeString8, mapi.TypeUnicode, mapi.TypeBinary, mapi.TypeObject, mapi.TypeServerID:
		return true
	}
	return false
}

// elements reads the values of a property that has any number of them, each of
// size bytes, or with its own size before it.
func (c *cursor) elements(size int64) ([][]byte, error) {
	n := c.uint32()
	if n > maxElements {
		c.err = fmt.Errorf("%d values: %w", n, mapi.ErrDamaged)
	}
	var out [][]byte
	var err error
	for total := int64(0); n > 0 && c.err == nil; n-- {
		length := size
		if size == 0 {
			length = int64(c.uint32())
		}
		switch total += length; {
		case total > mapi.MaxValue && c.room(length):
			err = fmt.Errorf("value has more than %d bytes: %w", int64(mapi.MaxValue), mapi.ErrDamaged)
			c.skip(length)
		case *c.held+length > mapi.MaxTotal && c.room(length):
			err = fmt.Errorf("the values have more than %d bytes in all: %w", int64(mapi.MaxTotal), mapi.ErrDamaged)
			c.skip(length)
		default:
			out = append(out, c.bytes(length))
			*c.held += length
		}
		c.skip(min(padding(length), c.left())) // the last one may lack it
	}
	return out, err
}

// object finds the data of an attachment: a message in TNEF, an OLE object, or
// plain bytes.
func (d *decoder) object(c *cursor, a *attachment, t mapi.Type) {
	n := c.uint32()
	for i := uint32(0); i < n && c.err == nil; i++ {
		size := int64(c.uint32())
		s := section{off: c.pos, size: size}
		pass := size
		if !c.room(size) {
			return
		}
		if t == mapi.TypeObject && size >= interfaceSize {
			id := c.bytes(interfaceSize)
			s = section{off: c.pos, size: size - interfaceSize}
			pass = s.size
			if i == 0 && bytes.Equal(id, []byte(messageInterface)) {
				head := make([]byte, 4)
				k, err := d.r.ReadAt(head, s.off)
				a.message = k == len(head) && err == nil && binary.LittleEndian.Uint32(head) == signature || s.size < 4
			}
		}
		if i == 0 {
			a.object = &s
		}
		c.skip(pass)
		c.skip(min(padding(size), c.left()))
	}
}
