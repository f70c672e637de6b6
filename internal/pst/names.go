package pst

import (
	"unicode/utf16"

	"github.com/muniment/muniment/internal/mapi"
)

// nidNames is the node of the map of named properties ([MS-PST] §2.4.7).
const nidNames = 0x61

// names is the map of named properties as the file has it.
type names struct {
	guids, texts []byte
	entries      map[uint16][]byte // by number of the property
}

// The property sets that have a number instead of a place in the file.
var (
	setMAPI   = mapi.GUID{0x28, 0x03, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}
	setPublic = mapi.GUID{0x29, 0x03, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}
)

// loadNames reads the map, once. Without one, properties have no names.
func (f *File) loadNames() error {
	f.names = &names{entries: map[uint16][]byte{}}
	n, ok, err := f.node(nidNames)
	if err != nil || !ok {
		return err
	}
	h, err := f.heap(n, clientProps)
	if err != nil {
		return err
	}
	var entries []byte
	take := func(into *[]byte, hnid uint32, most int64) {
		b, err := h.value(hnid, most)
		f.note(err)
		*into = b
	}
	err = h.eachProp(func(tag mapi.Tag, hnid uint32) {
		switch tag {
		case 0x00020102:
			take(&f.names.guids, hnid, 16*maxNames)
		case 0x00030102:
			take(&entries, hnid, 8*maxNames)
		case 0x00040102:
			take(&f.names.texts, hnid, maxNameText)
		}
	}, f.note)
	for ; len(entries) >= 8; entries = entries[8:] {
		if no := uint32(u16(entries[6:])) + 0x8000; no <= 0xffff {
			f.names.entries[uint16(no)] = entries[:8]
		}
	}
	return err
}

// nameOf returns the name of a named property, nil if it has none.
func (f *File) nameOf(id uint16) *mapi.Name {
	if id < 0x8000 || f.names == nil {
		return nil
	}
	e := f.names.entries[id]
	if e == nil {
		return nil
	}
	n := &mapi.Name{}
	switch set := int(u16(e[4:]) >> 1); set {
	case 0:
	case 1:
		n.Set = setMAPI
	case 2:
		n.Set = setPublic
	default:
		at := 16 * (set - 3)
		if at+16 > len(f.names.guids) {
			return nil
		}
		n.Set = mapi.GUID(f.names.guids[at : at+16])
	}
	if e[4]&1 == 0 {
		n.ID = u32(e)
		return n
	}
	if n.Text = f.names.text(u32(e)); n.Text == "" {
		return nil
	}
	return n
}

// text reads a name at an offset: its size, then UTF-16.
func (n *names) text(at uint32) string {
	if int64(at)+4 > int64(len(n.texts)) {
		return ""
	}
	b := n.texts[at:]
	size := int64(u32(b))
	if size > int64(len(b)-4) || size > 2*maxPathText {
		return ""
	}
	units := make([]uint16, size/2)
	for i := range units {
		units[i] = u16(b[4+2*i:])
	}
	return string(utf16.Decode(units))
}
