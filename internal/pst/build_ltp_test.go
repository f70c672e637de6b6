package pst

import (
	"cmp"
	"encoding/binary"
	"slices"
	"unicode/utf16"

	"github.com/muniment/muniment/internal/mapi"
)

// heapBuilder collects allocations and sub-nodes of one node.
type heapBuilder struct {
	b      *builder
	client byte
	blocks [][][]byte
	used   int // bytes of the last block
	subs   []node
}

func (b *builder) heap(client byte) *heapBuilder {
	return &heapBuilder{b: b, client: client, blocks: make([][][]byte, 1), used: 100}
}

// add returns the HID of an allocation, or the identifier of a sub-node if it is
// too large for one.
func (h *heapBuilder) add(v []byte) uint32 {
	if len(v) == 0 {
		return 0
	}
	if len(v) > 3580 {
		nid := uint32(len(h.subs)+1)<<5 | 0x1f
		h.subs = append(h.subs, node{nid: nid, data: h.b.data(v)})
		return nid
	}
	if h.used+len(v)+8 > h.b.most() {
		h.blocks, h.used = append(h.blocks, nil), 100
	}
	last := len(h.blocks) - 1
	h.blocks[last] = append(h.blocks[last], v)
	h.used += len(v) + 4
	return uint32(len(h.blocks[last]))<<5 | uint32(last)<<(5+h.b.l.hidIndexBits)
}

// node writes the heap.
func (h *heapBuilder) node(nid, root uint32) node {
	var parts [][]byte
	for i, allocs := range h.blocks {
		head := make([]byte, 2)
		switch {
		case i == 0:
			head = le32(append(head, heapSignature, h.client), root, 0)
		case i%128 == 8:
			head = make([]byte, 66)
		}
		offsets := []int{len(head)}
		for _, a := range allocs {
			head = append(head, a...)
			offsets = append(offsets, len(head))
		}
		if len(head)%2 != 0 {
			head = append(head, 0)
		}
		binary.LittleEndian.PutUint16(head, uint16(len(head)))
		parts = append(parts, le16(le16(head, len(allocs), 0), offsets...))
	}
	return node{nid: nid, data: h.b.tree(parts), sub: h.b.subs(h.subs)}
}

// records writes records of equal size, sorted by a key of so many bytes.
func (h *heapBuilder) records(key, value int, recs [][]byte) uint32 {
	levels, root := 0, uint32(0)
	for len(recs) > 0 {
		var above [][]byte
		for part := range slices.Chunk(recs, 3580/len(recs[0])) {
			root = h.add(slices.Concat(part...))
			above = append(above, le32(slices.Clone(part[0][:key]), root))
		}
		if len(above) == 1 {
			break
		}
		recs = above
		levels++
	}
	return h.add(le32([]byte{clientBTH, byte(key), byte(value), byte(levels)}, root))
}

// prop is a property to write: its value as bytes.
type prop struct {
	tag   mapi.Tag
	value []byte
}

func text(tag mapi.Tag, s string) prop {
	if tag.Type() == mapi.TypeString8 {
		return prop{tag, []byte(s)}
	}
	return prop{tag, le16(nil, units(s)...)}
}

func units(s string) (out []int) {
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, int(u))
	}
	return out
}

func number(tag mapi.Tag, v uint32) prop { return prop{tag, le32(nil, v)} }

// props writes a property context.
func (h *heapBuilder) props(nid uint32, props ...prop) node {
	slices.SortFunc(props, func(x, y prop) int { return cmp.Compare(x.tag, y.tag) })
	var recs [][]byte
	for _, p := range props {
		var place uint32
		if inline(p.tag.Type()) {
			place = u32(append(slices.Clone(p.value), 0, 0, 0, 0))
		} else {
			place = h.add(p.value)
		}
		recs = append(recs, le32(le16(nil, int(p.tag.ID()), int(p.tag.Type())), place))
	}
	return h.node(nid, h.records(2, 6, recs))
}

// rowOf is a row of a table; all rows have the tags of the first.
type rowOf struct {
	id    uint32
	props []prop
}

// table writes a table context.
func (b *builder) table(nid uint32, rows ...rowOf) node {
	h := b.heap(clientTable)
	cols := le16(le32(nil, 0x67F20003), 0)
	cols = append(cols, 4, 0)
	count := 1
	if len(rows) > 0 {
		for i, p := range rows[0].props {
			cols = append(le16(le32(cols, uint32(p.tag)), 4+4*i), 4, byte(i+1))
			count++
		}
	}
	var matrix []byte
	var index [][]byte
	var parts [][]byte
	size := 4*count + (count+7)/8
	for i, r := range rows {
		row, exists := le32(nil, r.id), make([]byte, (count+7)/8)
		exists[0] |= 0x80
		for j, p := range r.props {
			place := uint32(0)
			if inline(p.tag.Type()) {
				place = u32(p.value)
			} else {
				place = h.add(p.value)
			}
			row = le32(row, place)
			exists[(j+1)/8] |= 0x80 >> ((j + 1) % 8)
		}
		if len(matrix)+size > b.most() {
			parts, matrix = append(parts, matrix), nil
		}
		matrix = append(append(matrix, row...), exists...)
		if b.l.wide {
			index = append(index, le32(nil, r.id, uint32(i)))
		} else {
			index = append(index, le16(le32(nil, r.id), i))
		}
	}
	place := uint32(0)
	if len(parts) == 0 && len(matrix) <= 3580 {
		place = h.add(matrix)
	} else {
		place = uint32(len(h.subs)+1)<<5 | 0x1f
		for i := range parts {
			parts[i] = append(parts[i], make([]byte, b.most()-len(parts[i]))...)
		}
		h.subs = append(h.subs, node{nid: place, data: b.tree(append(parts, matrix))})
	}
	slices.SortFunc(index, func(x, y []byte) int { return cmp.Compare(u32(x), u32(y)) })
	info := le16([]byte{clientTable, byte(count)}, 4*count, 4*count, 4*count, size)
	info = le32(info, h.records(4, h.b.l.word()/2, index), place, 0)
	return h.node(nid, h.add(append(info, cols...)))
}

// add puts a node into the tree of nodes.
func (b *builder) add(n node, parent uint32) {
	n.parent = parent
	b.nodes = append(b.nodes, n)
}

// folder writes a folder with its three tables.
func (b *builder) folder(nid, parent uint32, name string, folders, messages, hidden []rowOf) {
	b.add(b.heap(clientProps).props(nid, text(0x3001001F, name), number(0x36020003, uint32(len(messages)))), parent)
	base := nid &^ 0x1f
	b.add(b.table(base|typeHierarchy, folders...), 0)
	b.add(b.table(base|typeContents, messages...), 0)
	b.add(b.table(base|typeHidden, hidden...), 0)
}

// row is a row with a name.
func row(id uint32, tag mapi.Tag, s string) rowOf { return rowOf{id, []prop{text(tag, s)}} }
