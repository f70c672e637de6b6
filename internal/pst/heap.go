package pst

// What heaps hold (bClientSig).
const (
	clientTable = 0x7C
	clientBTH   = 0xB5
	clientProps = 0xBC
)

const heapSignature = 0xEC

// heap is a heap on a node ([MS-PST] §2.3.1): small pieces of data, with the
// sub-nodes of the same node for those that are too large.
type heap struct {
	f    *File
	data *data
	sub  uint64
	root uint32 // HID of what the heap is there for
}

// heap opens the heap of a node, which must be for the client.
func (f *File) heap(n node, client byte) (*heap, error) {
	d, err := f.open(n.data)
	if err != nil {
		return nil, err
	}
	b, err := d.block(0)
	if err != nil {
		return nil, err
	}
	if len(b) < 12 || b[2] != heapSignature {
		return nil, damagef("node 0x%x has no heap", n.nid)
	}
	if b[3] != client {
		return nil, damagef("node 0x%x has a heap of type 0x%02x, want 0x%02x", n.nid, b[3], client)
	}
	return &heap{f: f, data: d, sub: n.sub, root: u32(b[4:])}, nil
}

// get returns an allocation of the heap, nil for HID 0. The bytes must not be
// changed.
func (h *heap) get(hid uint32) ([]byte, error) {
	if hid == 0 {
		return nil, nil
	}
	bits := h.f.layout.hidIndexBits
	index, no := int(hid>>5)&(1<<bits-1), int(hid>>(5+bits))
	b, err := h.data.block(no)
	if err != nil {
		return nil, err
	}
	bad := func() ([]byte, error) {
		return nil, damagef("heap of block 0x%x has no allocation 0x%x", h.data.id, hid)
	}
	if len(b) < 2 || hid&0x1f != 0 || index == 0 {
		return bad()
	}
	m := int(u16(b)) // HNPAGEMAP
	if m+4 > len(b) {
		return bad()
	}
	if n := int(u16(b[m:])); index > n || m+4+2*(n+1) > len(b) {
		return bad()
	}
	from, to := int(u16(b[m+2+2*index:])), int(u16(b[m+4+2*index:]))
	if from > to || to > len(b) {
		return bad()
	}
	return b[from:to], h.f.spend(64 + to - from)
}

// value returns what an HNID stands for: an allocation, or all data of a sub-node
// of at most most bytes. What can be read of it comes with the error.
func (h *heap) value(hnid uint32, most int64) ([]byte, error) {
	if hnid&0x1f == 0 {
		return h.get(hnid)
	}
	d, err := h.subData(hnid)
	if err != nil {
		return nil, err
	}
	return d.bytes(most)
}

// subData opens the data of a sub-node.
func (h *heap) subData(nid uint32) (*data, error) {
	n, ok, err := h.f.subNode(h.sub, nid)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, damagef("sub-node 0x%x is missing", nid)
	}
	return h.f.open(n.data)
}

// records is a tree of records on a heap ([MS-PST] §2.3.2, BTH).
type records struct {
	h         *heap
	key, size int // bytes of a key, and of what comes after it
	levels    int
	root      uint32
}

// records opens the tree with that header.
func (h *heap) records(hid uint32) (records, error) {
	b, err := h.get(hid)
	if err != nil {
		return records{}, err
	}
	if len(b) < 8 || b[0] != clientBTH {
		return records{}, damagef("heap of block 0x%x has no tree of records at 0x%x", h.data.id, hid)
	}
	r := records{h: h, key: int(b[1]), size: int(b[2]), levels: int(b[3]), root: u32(b[4:])}
	if r.key < 1 || r.key > 16 || r.size < 1 || r.size > 32 || r.levels > maxLevels {
		return records{}, damagef("heap of block 0x%x: records of %d and %d bytes in %d levels", h.data.id, r.key, r.size, r.levels)
	}
	return r, nil
}

// each calls fn for every record, ascending by key, until it returns an error. A
// part that cannot be read goes to bad, and the rest comes nevertheless.
func (r records) each(fn func(key, value []byte) error, bad func(error)) error {
	w := recordWalker{records: r, fn: fn, bad: bad}
	return w.walk(r.root, r.levels)
}

type recordWalker struct {
	records
	fn   func(key, value []byte) error
	bad  func(error)
	last []byte
}

func (w *recordWalker) walk(hid uint32, level int) error {
	b, err := w.h.get(hid)
	if err != nil {
		if ctx := w.h.f.ctx.Err(); ctx != nil {
			return ctx
		}
		w.bad(err)
		return nil
	}
	size := w.key + w.size
	if level > 0 {
		size = w.key + 4
	}
	if len(b)%size != 0 {
		w.bad(damagef("heap of block 0x%x: records at 0x%x are cut", w.h.data.id, hid))
	}
	for ; len(b) >= size; b = b[size:] {
		key := b[:w.key]
		if w.levels > 0 && w.last != nil && compareKeys(key, w.last) <= 0 {
			// Without this, parts that are there twice could make the tree endless.
			w.bad(damagef("heap of block 0x%x: records at 0x%x are not in order", w.h.data.id, hid))
			return nil
		}
		if level > 0 {
			err = w.walk(u32(b[w.key:]), level-1)
		} else {
			err = w.fn(key, b[w.key:size])
		}
		if err != nil {
			return err
		}
		if w.last == nil || compareKeys(key, w.last) > 0 {
			w.last = key
		}
	}
	return nil
}

// compareKeys compares numbers in little endian order, of equal length.
func compareKeys(a, b []byte) int {
	for i := len(a) - 1; i >= 0; i-- {
		if a[i] != b[i] {
			return int(a[i]) - int(b[i])
		}
	}
	return 0
}
