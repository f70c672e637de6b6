package pst

import (
	"fmt"
	"io"
	"sort"
)

// Types of internal blocks (btype).
const (
	blockOfData     = 0x01
	blockOfSubNodes = 0x02
)

// data is the data of a node: nothing, one block, or blocks listed in one or two
// levels of others ([MS-PST] §2.2.2.8.3.2).
type data struct {
	f     *File
	id    uint64
	level int      // 0: the block itself; 1: XBLOCK; 2: XXBLOCK
	ids   []uint64 // of the blocks that the topmost one lists
	size  int64    // bytes of all blocks, as the topmost one says
	ends  []int    // level 2: how many blocks of data there are up to each of ids
	lower list     // level 2: the list that was used last
}

// list is the content of one XBLOCK or XXBLOCK.
type list struct {
	id    uint64
	level int
	size  int64
	ids   []uint64
}

// open finds out what the data of a node are. A block zero is no data.
func (f *File) open(id uint64) (*data, error) {
	id &^= 1
	d := &data{f: f, id: id}
	switch {
	case id == 0:
		return d, nil
	case id&internal == 0:
		b, err := f.block(id)
		d.ids, d.size = []uint64{id}, int64(len(b))
		return d, err
	}
	l, err := f.list(id)
	if err != nil {
		return nil, err
	}
	d.level, d.ids, d.size = l.level, l.ids, l.size
	if most := f.mostData(); d.size > most {
		return nil, damagef("block 0x%x: its data would have %d bytes", id, d.size)
	}
	return d, nil
}

// mostData is how many bytes a node of this file can have: no block is twice in
// one node, and compression gives at most 1032 bytes for one.
func (f *File) mostData() int64 {
	if f.layout.compresses() {
		return f.size * 1032
	}
	return f.size
}

// list reads an XBLOCK or XXBLOCK.
func (f *File) list(id uint64) (l list, err error) {
	b, err := f.block(id)
	if err != nil {
		return l, err
	}
	if len(b) < 8 || b[0] != blockOfData || b[1] < 1 || b[1] > 2 {
		return l, damagef("block 0x%x is no list of blocks", id)
	}
	w, n := f.layout.word(), int(u16(b[2:]))
	if 8+n*w > len(b) {
		return l, damagef("block 0x%x: it lists %d blocks", id, n)
	}
	l = list{id: id, level: int(b[1]), size: int64(u32(b[4:])), ids: make([]uint64, n)}
	for i := range l.ids {
		l.ids[i] = f.layout.id(b[8+i*w:]) &^ 1
		if below := l.ids[i]&internal != 0; below != (l.level == 2) {
			return l, damagef("block 0x%x: it lists block 0x%x, which is of another kind", id, l.ids[i])
		}
	}
	return l, f.spend(len(b))
}

// block returns block number i of the data, counted from zero; nil after the last.
func (d *data) block(i int) ([]byte, error) {
	ids := d.ids
	if d.level == 2 {
		n, err := d.find(&i)
		if err != nil || n < 0 {
			return nil, err
		}
		if err := d.load(n); err != nil {
			return nil, err
		}
		ids = d.lower.ids
	}
	if i < 0 || i >= len(ids) {
		return nil, nil
	}
	return d.f.block(ids[i])
}

// find returns which list of blocks has block *i, makes *i its number in there,
// and -1 if there is none.
func (d *data) find(i *int) (int, error) {
	for len(d.ends) < len(d.ids) && (len(d.ends) == 0 || d.ends[len(d.ends)-1] <= *i) {
		if err := d.load(len(d.ends)); err != nil {
			return 0, err
		}
		end := len(d.lower.ids)
		if n := len(d.ends); n > 0 {
			end += d.ends[n-1]
		}
		d.ends = append(d.ends, end)
	}
	n := sort.SearchInts(d.ends, *i+1)
	if n == len(d.ends) {
		return -1, nil
	}
	if n > 0 {
		*i -= d.ends[n-1]
	}
	return n, nil
}

// load makes the n-th list the lower one.
func (d *data) load(n int) error {
	if d.lower.id == d.ids[n] {
		return nil
	}
	l, err := d.f.list(d.ids[n])
	if err == nil && l.level != 1 {
		err = damagef("block 0x%x: a list of lists within a list", d.ids[n])
	}
	if err != nil {
		return err
	}
	d.lower = l
	return nil
}

// bytes returns all data, which must be no more than most bytes.
func (d *data) bytes(most int64) ([]byte, error) {
	if d.size > most {
		return nil, fmt.Errorf("%d bytes are more than the limit of %d: %w", d.size, most, ErrDamaged)
	}
	b := make([]byte, d.size)
	n, err := io.ReadFull(d.reader(), b)
	return b[:n], err
}

// reader reads the data block by block.
func (d *data) reader() io.Reader { return &dataReader{d: d, left: d.size} }

type dataReader struct {
	d    *data
	next int
	rest []byte
	left int64
	err  error
}

// Read implements io.Reader. It ends with an error that is ErrDamaged if a block
// cannot be read or there are fewer or more bytes than the node says.
func (r *dataReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 && r.err == nil {
		b, err := r.d.block(r.next)
		switch {
		case err != nil:
			r.err = err
		case b == nil && r.left == 0:
			r.err = io.EOF
		case b == nil:
			r.err = damagef("data of block 0x%x end %d bytes early", r.d.id, r.left)
		case int64(len(b)) > r.left:
			r.err = damagef("data of block 0x%x have more bytes than they should", r.d.id)
		default:
			r.rest, r.err = b, r.d.f.spend(len(b))
			r.next++
			r.left -= int64(len(b))
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, r.err
}
