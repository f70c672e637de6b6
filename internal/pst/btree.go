package pst

import (
	"fmt"
	"sort"
)

// Types of pages (ptype).
const (
	pageBlocks = 0x80
	pageNodes  = 0x81
)

// tree is one of the two B-trees of the file ([MS-PST] §2.2.2.7.7).
type tree struct {
	f     *File
	name  string
	kind  byte
	root  uint64 // identifier of the root page
	at    uint64 // its offset
	entry int    // bytes of an entry of a leaf
}

// page is a page of a tree that was checked as far as one can.
type page struct {
	at      uint64
	kind    byte
	level   int
	entries []byte
	step    int   // bytes of an entry
	damage  error // a wrong checksum or identifier, if there is one
}

func (p *page) len() int { return len(p.entries) / p.step }

func (p *page) entry(i int) []byte { return p.entries[i*p.step : (i+1)*p.step] }

// nodeEntry and blockEntry are the bytes of entries of the leaves.
func (l *layout) nodeEntry() int {
	if l.wide {
		return 32
	}
	return 16
}

func (l *layout) blockEntry() int {
	if l.wide {
		return 24
	}
	return 12
}

// page reads the page at an offset. If level is not negative, the page must have
// that level: a tree whose levels decrease has no cycles.
func (f *File) page(t *tree, at, id uint64, level int) (*page, error) {
	p, ok := f.pageCache.get(at)
	if !ok {
		var err error
		if p, err = f.loadPage(t, at, id); err != nil {
			return nil, err
		}
		f.pageCache.put(at, p, f.layout.pageSize)
	}
	f.note(p.damage)
	if p.kind != t.kind {
		return nil, damagef("page at offset %d is not of the %s", at, t.name)
	}
	if level >= 0 && p.level != level || p.level > maxLevels {
		return nil, damagef("page at offset %d has level %d", at, p.level)
	}
	if p.level == 0 && p.step < t.entry || p.step < 3*f.layout.word() {
		return nil, damagef("page at offset %d has entries of %d bytes", at, p.step)
	}
	return p, nil
}

// loadPage reads and checks a page ([MS-PST] §2.2.2.7.1).
func (f *File) loadPage(t *tree, at, id uint64) (*page, error) {
	l := &f.layout
	if at == 0 || at > uint64(f.size) || at+uint64(l.pageSize) > uint64(f.size) {
		return nil, damagef("page at offset %d is outside of the file of %d bytes", at, f.size)
	}
	if err := f.spend(l.pageSize); err != nil {
		return nil, err
	}
	b := make([]byte, l.pageSize)
	if n, err := f.r.ReadAt(b, int64(at)); n < len(b) {
		return nil, fmt.Errorf("page at offset %d: %w", at, err)
	}
	tr := b[l.pageEnd:]
	if tr[0] != t.kind && tr[1] != t.kind {
		return nil, damagef("page at offset %d is not of the %s", at, t.name)
	}
	p := &page{at: at, kind: t.kind}
	crc, own := u32(tr[4:]), l.id(tr[8:])
	if !l.wide {
		own, crc = l.id(tr[4:]), u32(tr[8:])
	}
	switch got := checksum(b[:l.pageEnd]); {
	case got != crc:
		p.damage = damagef("page of the %s at offset %d: checksum 0x%08x, want 0x%08x", t.name, at, got, crc)
	case own != id:
		p.damage = damagef("page of the %s at offset %d: it is page 0x%x, want 0x%x", t.name, at, own, id)
	case signature(int64(at), own) != u16(tr[2:]) || tr[0] != tr[1]:
		p.damage = damagef("page of the %s at offset %d: its signature is wrong", t.name, at)
	}
	info := b[l.pageInfo:]
	count, size, level := int(info[0]), int(info[2]), int(info[3])
	if l.countIs2 {
		count, size, level = int(u16(info)), int(info[4]), int(info[5])
	}
	if size == 0 || count*size > l.pageInfo {
		return nil, damagef("page of the %s at offset %d has %d entries of %d bytes", t.name, at, count, size)
	}
	p.entries, p.step, p.level = b[:count*size], size, level
	return p, nil
}

// key is the key of an entry: the bit of a block's identifier that readers must
// ignore is cleared, and so is the unused half of a node's.
func (t *tree) key(entry []byte) uint64 {
	if t.kind == pageNodes {
		return uint64(u32(entry))
	}
	return t.f.layout.id(entry) &^ 1
}

// find returns the leaf entry with that key, or nil.
func (t *tree) find(key uint64) ([]byte, error) {
	at, id, level := t.at, t.root, -1
	for {
		p, err := t.f.page(t, at, id, level)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		i := sort.Search(p.len(), func(i int) bool { return t.key(p.entry(i)) > key }) - 1
		if i < 0 {
			return nil, nil
		}
		e := p.entry(i)
		if p.level == 0 {
			if t.key(e) != key {
				return nil, nil
			}
			return e, nil
		}
		at, id, level = t.child(e, p.level)
	}
}

// child reads the reference of an entry of a branch.
func (t *tree) child(e []byte, level int) (at, id uint64, below int) {
	w := t.f.layout.word()
	return t.f.layout.id(e[2*w:]), t.f.layout.id(e[w:]), level - 1
}

// each calls fn for every entry of every leaf that can be read, in ascending
// order of the keys. What cannot be read goes to bad.
func (t *tree) each(fn func(entry []byte) error, bad func(error)) error {
	p, err := t.f.page(t, t.at, t.root, -1)
	if err != nil {
		bad(fmt.Errorf("%s: %w", t.name, err))
		return nil
	}
	w := walker{t: t, fn: fn, bad: bad, pages: t.f.size/int64(t.f.layout.pageSize) + 1}
	return w.page(p)
}

// walker goes over a whole tree.
type walker struct {
	t     *tree
	fn    func([]byte) error
	bad   func(error)
	last  uint64 // key of the last entry
	some  bool
	pages int64 // how many may still come: a file does not hold more
}

func (w *walker) page(p *page) error {
	if w.pages--; w.pages < 0 {
		return damagef("%s has more pages than the file", w.t.name)
	}
	for i := range p.len() {
		e := p.entry(i)
		if p.level > 0 {
			at, id, level := w.t.child(e, p.level)
			below, err := w.t.f.page(w.t, at, id, level)
			if ctx := w.t.f.ctx.Err(); ctx != nil {
				return ctx
			}
			if err != nil {
				w.bad(fmt.Errorf("%s from key 0x%x on: %w", w.t.name, w.t.key(e), err))
				continue
			}
			if err := w.page(below); err != nil {
				return err
			}
			continue
		}
		k := w.t.key(e)
		if w.some && k <= w.last {
			w.bad(damagef("%s: page at offset %d: key 0x%x comes after 0x%x", w.t.name, p.at, k, w.last))
			continue
		}
		w.last, w.some = k, true
		if err := w.fn(e); err != nil {
			return err
		}
	}
	return nil
}

// node is an entry of the tree of nodes, or of the sub-nodes of a node.
type node struct {
	nid    uint32
	data   uint64 // identifier of the block with its data
	sub    uint64 // identifier of the block with its sub-nodes, zero for none
	parent uint32 // the folder it belongs to; zero for sub-nodes
}

func (f *File) nodeOf(e []byte) node {
	w := f.layout.word()
	return node{nid: u32(e), data: f.layout.id(e[w:]), sub: f.layout.id(e[2*w:]), parent: u32(e[3*w:])}
}

// node finds a node of the file; ok is false if there is none.
func (f *File) node(nid uint32) (n node, ok bool, err error) {
	e, err := f.nodes.find(uint64(nid))
	if err != nil || e == nil {
		return node{}, false, err
	}
	return f.nodeOf(e), true, nil
}
