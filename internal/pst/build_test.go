package pst

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"slices"
)

// builder writes files of any form, small but with every layer that a large one
// has. It is written from the same description as the reader, so it shows that the
// two agree, not that both are right: the corpus and readpst show that.
type builder struct {
	l      layout
	crypt  byte
	packed bool // compress blocks, where the form allows it
	out    []byte
	nodes  []node
	blocks [][]byte // entries of the block tree
	next   uint64
}

func newBuilder(l layout, crypt byte) *builder {
	return &builder{l: l, crypt: crypt, packed: l.compresses(), out: make([]byte, 1024), next: 4}
}

// words appends numbers of the size of an identifier.
func (b *builder) words(to []byte, n ...uint64) []byte {
	for _, v := range n {
		if b.l.wide {
			to = binary.LittleEndian.AppendUint64(to, v)
		} else {
			to = binary.LittleEndian.AppendUint32(to, uint32(v))
		}
	}
	return to
}

func le16(to []byte, n ...int) []byte {
	for _, v := range n {
		to = binary.LittleEndian.AppendUint16(to, uint16(v))
	}
	return to
}

func le32(to []byte, n ...uint32) []byte {
	for _, v := range n {
		to = binary.LittleEndian.AppendUint32(to, v)
	}
	return to
}

func (b *builder) align(n int) {
	for len(b.out)%n != 0 {
		b.out = append(b.out, 0)
	}
}

// trailer appends what pages and blocks end with, after two bytes or two numbers.
func (b *builder) trailer(head []byte, at int, id uint64, crc uint32) {
	b.out = append(b.out, head...)
	b.out = le16(b.out, int(signature(int64(at), id)))
	if b.l.wide {
		b.out = binary.LittleEndian.AppendUint64(le32(b.out, crc), id)
		return
	}
	b.out = le32(b.out, uint32(id), crc)
}

// block writes one block and returns its identifier.
func (b *builder) block(data []byte, kind uint64) uint64 {
	id := b.next | kind
	b.next += 4
	stored := bytes.Clone(data)
	if kind == 0 {
		stored = b.encode(stored, id)
	}
	b.align(b.l.blockAlign)
	at := len(b.out)
	b.out = append(b.out, stored...)
	b.out = append(b.out, make([]byte, b.l.onDisk(len(stored))-len(stored)-b.l.blockTrailer)...)
	b.trailer(le16(nil, len(stored)), at, id, checksum(stored))
	if b.l.compresses() {
		b.out = le32(le16(b.out, 2, len(data)), 0)
	}
	entry := le16(b.words(nil, id, uint64(at)), len(stored))
	if b.l.compresses() {
		entry = le16(entry, len(data))
	}
	entry = le16(entry, 2) // references
	b.blocks = append(b.blocks, append(entry, make([]byte, b.l.blockEntry()-len(entry))...))
	return id
}

func (b *builder) encode(data []byte, id uint64) []byte {
	switch b.crypt {
	case cryptPermute:
		for i, c := range data {
			data[i] = cryptR[c]
		}
	case cryptCyclic:
		decrypt(cryptCyclic, data, id) // it undoes itself
	}
	if b.packed {
		var z bytes.Buffer
		w := zlib.NewWriter(&z)
		_, _ = w.Write(data)
		_ = w.Close()
		if z.Len() < len(data) {
			return z.Bytes()
		}
	}
	return data
}

// most is how many bytes a block of data holds.
func (b *builder) most() int { return b.l.blockMax - b.l.blockTrailer }

// data writes the data of a node.
func (b *builder) data(p []byte) uint64 {
	return b.tree(slices.Collect(slices.Chunk(p, b.most())))
}

// tree writes data in blocks that are cut already.
func (b *builder) tree(parts [][]byte) uint64 {
	var ids []uint64
	size := 0
	for _, p := range parts {
		ids = append(ids, b.block(p, 0))
		size += len(p)
	}
	for level := byte(1); len(ids) > 1; level++ {
		var above []uint64
		for part := range slices.Chunk(ids, (b.most()-8)/b.l.word()) {
			list := append([]byte{blockOfData, level}, le32(le16(nil, len(part)), uint32(size))...)
			above = append(above, b.block(b.words(list, part...), internal))
		}
		ids = above
	}
	if len(ids) == 0 {
		return 0
	}
	return ids[0]
}

// subs writes sub-nodes, in two levels if there are many.
func (b *builder) subs(nodes []node) uint64 {
	if len(nodes) == 0 {
		return 0
	}
	slices.SortFunc(nodes, func(x, y node) int { return int(x.nid) - int(y.nid) })
	head := func(level byte, n int) []byte {
		h := le16([]byte{blockOfSubNodes, level}, n)
		if b.l.wide {
			h = le32(h, 0)
		}
		return h
	}
	var firsts, ids []uint64
	for part := range slices.Chunk(nodes, 50) {
		list := head(0, len(part))
		for _, n := range part {
			list = b.words(list, uint64(n.nid), n.data, n.sub)
		}
		firsts, ids = append(firsts, uint64(part[0].nid)), append(ids, b.block(list, internal))
	}
	if len(ids) == 1 {
		return ids[0]
	}
	list := head(1, len(ids))
	for i := range ids {
		list = b.words(list, firsts[i], ids[i])
	}
	return b.block(list, internal)
}

// pages writes a tree of pages and returns identifier and offset of the root.
func (b *builder) pages(kind byte, entries [][]byte) (id, at uint64) {
	for level := byte(0); ; level++ {
		var above [][]byte
		most := b.l.pageInfo / len(entries[0])
		if level == 0 {
			most = min(most, 5) // so that small files have several levels
		}
		for part := range slices.Chunk(entries, most) {
			id, at = b.page(kind, level, part)
			key := append(bytes.Clone(part[0][:4]), make([]byte, b.l.word()-4)...)
			above = append(above, b.words(key, id, at))
		}
		if len(above) == 1 {
			return id, at
		}
		entries = above
	}
}

func (b *builder) page(kind, level byte, entries [][]byte) (id, at uint64) {
	b.align(b.l.pageSize)
	start := len(b.out)
	id = b.next
	b.next += 4
	p := slices.Concat(entries...)
	p = append(p, make([]byte, b.l.pageInfo-len(p))...)
	most := b.l.pageInfo / len(entries[0])
	if b.l.countIs2 {
		p = append(le16(p, len(entries), most), byte(len(entries[0])), level)
	} else {
		p = append(p, byte(len(entries)), byte(most), byte(len(entries[0])), level)
	}
	p = append(p, make([]byte, b.l.pageEnd-len(p))...)
	b.out = append(b.out, p...)
	b.trailer([]byte{kind, kind}, start, id, checksum(p))
	b.out = append(b.out, make([]byte, start+b.l.pageSize-len(b.out))...)
	return id, uint64(start)
}

// file writes trees and header and returns everything.
func (b *builder) file() []byte {
	slices.SortFunc(b.nodes, func(x, y node) int { return int(x.nid) - int(y.nid) })
	var entries [][]byte
	for _, n := range b.nodes {
		e := le32(b.words(nil, uint64(n.nid), n.data, n.sub), n.parent)
		entries = append(entries, append(e, make([]byte, b.l.nodeEntry()-len(e))...))
	}
	slices.SortFunc(b.blocks, func(x, y []byte) int { return int(b.l.id(x)) - int(b.l.id(y)) })
	nid, nat := b.pages(pageNodes, entries)
	bid, bat := b.pages(pageBlocks, b.blocks)
	h := b.out[:headerSize]
	copy(h, "!BDN")
	version, root, crypt := 14, 164, 461
	if b.l.wide {
		version, root, crypt = 23, 180, 513
	}
	if b.l.compresses() {
		version = 36
	}
	copy(h[8:], le16([]byte("SM"), version, 19))
	w := b.l.word()
	copy(h[root+4:], b.words(nil, uint64(len(b.out))))
	copy(h[root+4+4*w:], b.words(nil, nid, nat, bid, bat))
	h[crypt] = b.crypt
	binary.LittleEndian.PutUint32(h[4:], checksum(h[8:479]))
	return b.out
}
