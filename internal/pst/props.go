package pst

import (
	"fmt"

	"github.com/muniment/muniment/internal/mapi"
)

// eachProp calls fn for the properties of a property context ([MS-PST] §2.3.3):
// the tag, and the value itself or where it is.
func (h *heap) eachProp(fn func(tag mapi.Tag, hnid uint32), bad func(error)) error {
	r, err := h.records(h.root)
	if err != nil {
		return err
	}
	if r.key != 2 || r.size != 6 {
		return damagef("heap of block 0x%x: properties of %d and %d bytes", h.data.id, r.key, r.size)
	}
	n := 0
	return r.each(func(key, value []byte) error {
		if n++; n > mapi.MaxProperties {
			return damagef("heap of block 0x%x has more than %d properties", h.data.id, mapi.MaxProperties)
		}
		fn(mapi.NewTag(u16(key), mapi.Type(u16(value))), u32(value[2:]))
		return nil
	}, bad)
}

// bag reads properties into memory, up to a number of bytes for all bags it reads.
type bag struct {
	f    *File
	left int64
}

// read adds the properties of a node to p, but those that take holds back.
func (b *bag) read(n node, p *mapi.Properties, take func(tag mapi.Tag, h *heap, hnid uint32) bool) error {
	h, err := b.f.heap(n, clientProps)
	if err != nil {
		return err
	}
	return h.eachProp(func(tag mapi.Tag, hnid uint32) {
		if take != nil && take(tag, h, hnid) {
			return
		}
		v, err := b.value(h, tag.Type(), hnid)
		if err != nil {
			b.f.note(fmt.Errorf("property %08x: %w", uint32(tag), err))
		}
		if v != nil {
			p.Add(tag, b.f.nameOf(tag.ID()), v)
		}
	}, b.f.note)
}

// inline tells whether the four bytes are the value itself and not its place.
func inline(t mapi.Type) bool {
	return t == mapi.TypeNull || t&mapi.Multi == 0 && t.Size() > 0 && t.Size() <= 4
}

// value reads one value. It may come with an error, if it is not whole.
func (b *bag) value(h *heap, t mapi.Type, hnid uint32) (any, error) {
	if inline(t) {
		return mapi.Decode(t, []byte{byte(hnid), byte(hnid >> 8), byte(hnid >> 16), byte(hnid >> 24)})
	}
	raw, err := h.value(hnid, b.left)
	if err != nil && len(raw) == 0 {
		return nil, err
	}
	if b.left -= int64(len(raw)) + 32; b.left < 0 {
		b.left = 0
		return nil, fmt.Errorf("the properties have more than %d bytes: %w", int64(maxPropBytes), ErrDamaged)
	}
	v, bad := decode(t, raw)
	if err == nil {
		err = bad
	}
	return v, err
}

// decode makes a value of its bytes.
func decode(t mapi.Type, raw []byte) (any, error) {
	if t&mapi.Multi == 0 {
		return mapi.Decode(t, raw)
	}
	elements, bad := split(t&^mapi.Multi, raw)
	v, err := mapi.DecodeMulti(t, elements)
	if err == nil {
		err = bad
	}
	return v, err
}

// split takes several values apart ([MS-PST] §2.3.3.4).
func split(t mapi.Type, raw []byte) (out [][]byte, err error) {
	if size := t.Size(); size > 0 {
		for ; len(raw) >= size; raw = raw[size:] {
			out = append(out, raw[:size])
		}
		return out, nil
	}
	if len(raw) == 0 {
		return nil, nil
	}
	if len(raw) < 4 {
		return nil, damagef("several values in %d bytes", len(raw))
	}
	n := int64(u32(raw))
	if n > int64(len(raw)-4)/4 {
		return nil, damagef("%d values in %d bytes", n, len(raw))
	}
	for i := range int(n) {
		from, to := int64(u32(raw[4+4*i:])), int64(len(raw))
		if i+1 < int(n) {
			to = int64(u32(raw[8+4*i:]))
		}
		if from > to || to > int64(len(raw)) {
			return out, damagef("value %d of %d is outside of the %d bytes", i+1, n, len(raw))
		}
		out = append(out, raw[from:to])
	}
	return out, nil
}
