package msg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/muniment/muniment/internal/mapi"
)

// Bytes before the entries of a property stream [MS-OXMSG] §2.4.1.
const (
	topHeader   = 32 // of the message of the file
	innerHeader = 24 // of an attached message
	partHeader  = 8  // of a recipient or an attachment
)

// Limits beside those of package mapi.
const (
	maxElements = 100_000 // values of one property
)

// reader reads the storages of one message.
type reader struct {
	file  *file
	m     *mapi.Message
	total int64
}

// properties reads the properties of a storage: small ones from the property
// stream, the others from a stream each. The error is only that of reading.
func (p *reader) properties(s *storage, header int, into *mapi.Properties) error {
	if t := s.children[propertyStream]; t != nil && t.stream() {
		b, err := p.read(t)
		if err != nil {
			return err
		}
		for b = b[min(len(b), header):]; len(b) >= 16 && len(into.List) < mapi.MaxProperties; b = b[16:] {
			tag := mapi.Tag(binary.LittleEndian.Uint32(b))
			if t := tag.Type(); t.Size() == 0 || t.Size() > 8 || t&mapi.Multi != 0 {
				continue
			}
			if v, err := mapi.Decode(tag.Type(), b[8:16]); err == nil && v != nil {
				into.Add(tag, p.file.name(tag), v)
			}
		}
		if len(bytes.Trim(b, "\x00")) > 0 && len(b) < 16 {
			p.m.Warn("the property stream has %d bytes too many", len(b))
		}
	} else {
		p.m.Warn("a storage has no property stream")
	}
	for _, c := range s.order {
		tag, ok := tagOf(c.name)
		if !ok || !c.stream() || c.name == dataName && strings.HasPrefix(s.name, attachmentName) {
			continue
		}
		if len(into.List) >= mapi.MaxProperties {
			p.m.Warn("a storage has more than %d properties; the rest is left out", mapi.MaxProperties)
			return nil
		}
		v, err := p.value(s, c, tag.Type())
		if err != nil {
			return err
		}
		if v != nil {
			into.Add(tag, p.file.name(tag), v)
		}
	}
	return nil
}

// tagOf reads the name of a value's stream.
func tagOf(name string) (mapi.Tag, bool) {
	hex, ok := strings.CutPrefix(name, valuePrefix)
	if !ok || len(hex) != 8 {
		return 0, false
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	return mapi.Tag(n), err == nil
}

// read returns the bytes of a stream. Damage is a warning.
func (p *reader) read(s *storage) ([]byte, error) {
	if p.total += s.size; s.size > mapi.MaxValue || p.total > mapi.MaxTotal {
		p.total -= s.size
		p.m.Warn("stream %q has %d bytes, too many for a value", s.name, s.size)
		return nil, nil
	}
	b, err := s.bytes()
	if errors.Is(err, mapi.ErrDamaged) {
		p.m.Warn("%v", err)
		return b, nil
	}
	return b, err
}

// value reads the value that a stream holds.
func (p *reader) value(s, c *storage, t mapi.Type) (any, error) {
	b, err := p.read(c)
	if err != nil || b == nil && c.size > 0 {
		return nil, err
	}
	if t&mapi.Multi == 0 {
		v, err := mapi.Decode(t, b)
		if err != nil {
			p.m.Warn("stream %q: %v", c.name, err)
		}
		return v, nil
	}
	var elements [][]byte
	if size := t.Size(); size > 0 {
		for ; len(b) >= size && len(elements) < maxElements; b = b[size:] {
			elements = append(elements, b[:size])
		}
	} else {
		step := 4 // lengths; those of binary values have four bytes more
		if t&^mapi.Multi == mapi.TypeBinary {
			step = 8
		}
		for i := range min(len(b)/step, maxElements) {
			e := s.children[fmt.Sprintf("%s-%08X", c.name, i)]
			if e == nil || !e.stream() {
				p.m.Warn("stream %q: value %d is missing", c.name, i)
				break
			}
			v, err := p.read(e)
			if err != nil {
				return nil, err
			}
			elements = append(elements, v)
		}
	}
	v, err := mapi.DecodeMulti(t, elements)
	if err != nil {
		p.m.Warn("stream %q: %v", c.name, err)
	}
	return v, nil
}

// name returns the name of a named property.
func (f *file) name(tag mapi.Tag) *mapi.Name {
	if tag.ID() < 0x8000 {
		return nil
	}
	return f.names[tag.ID()]
}

// readNames reads the storage that maps identifiers to names [MS-OXMSG] §2.2.3.
func (f *file) readNames(s *storage, warnings *[]string) map[uint16]*mapi.Name {
	if s == nil {
		return nil
	}
	get := func(name string) []byte {
		e := s.children[valuePrefix+name]
		if e == nil || !e.stream() || e.size > mapi.MaxValue {
			return nil
		}
		b, err := e.bytes()
		if err != nil && err != io.EOF {
			*warnings = append(*warnings, fmt.Sprintf("names of properties: %v", err))
		}
		return b
	}
	sets, entries, texts := get("00020102"), get("00030102"), get("00040102")
	names := map[uint16]*mapi.Name{}
	le := binary.LittleEndian
	for i := 0; len(entries) >= 8 && i < 0x8000; i, entries = i+1, entries[8:] {
		id, kind := le.Uint32(entries), le.Uint16(entries[4:])
		n := &mapi.Name{ID: id}
		switch set := int(kind >> 1); {
		case set == 1:
			n.Set = mapi.SetMAPI()
		case set == 2:
			n.Set = mapi.SetPublicStrings()
		case set >= 3 && 16*(set-2) <= len(sets):
			n.Set = mapi.GUID(sets[16*(set-3) : 16*(set-2)])
		}
		if kind&1 != 0 {
			n.ID, n.Text = 0, textAt(texts, id)
		}
		names[0x8000+le.Uint16(entries[6:])&0x7FFF] = n
	}
	return names
}

// textAt reads a name in the stream of texts: its size and UTF-16.
func textAt(b []byte, at uint32) string {
	if int64(at)+4 > int64(len(b)) {
		return ""
	}
	b = b[at:]
	n := min(int64(binary.LittleEndian.Uint32(b)), int64(len(b)-4))
	v, _ := mapi.Decode(mapi.TypeUnicode, b[4:4+n])
	s, _ := v.(string)
	return s
}
