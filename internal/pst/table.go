package pst

import (
	"fmt"

	"github.com/muniment/muniment/internal/mapi"
)

// table is a table context ([MS-PST] §2.3.4).
type table struct {
	h       *heap
	columns []column
	exists  int // where in a row the bits are that tell which cells exist
	rowSize int
	rows    uint32  // HNID of the rows
	matrix  *data   // the rows, if they are in a sub-node
	each    int     // rows in a block of the matrix
	index   records // row number by row identifier
	broken  error   // why there is no index
}

type column struct {
	tag    mapi.Tag
	at     int // in the row
	size   int
	exists int // number of its bit
}

// table opens the table of a node.
func (f *File) table(n node) (*table, error) {
	h, err := f.heap(n, clientTable)
	if err != nil {
		return nil, err
	}
	b, err := h.get(h.root)
	if err != nil {
		return nil, err
	}
	if len(b) < 22 || b[0] != clientTable {
		return nil, damagef("node 0x%x has no table", n.nid)
	}
	t := &table{h: h, exists: int(u16(b[6:])), rowSize: int(u16(b[8:])), rows: u32(b[14:])}
	count := int(b[1])
	if len(b) < 22+8*count || t.exists > t.rowSize || t.rowSize < 4 {
		return nil, damagef("table of node 0x%x: %d columns in rows of %d bytes", n.nid, count, t.rowSize)
	}
	for c := b[22:]; count > 0; c, count = c[8:], count-1 {
		col := column{tag: mapi.Tag(u32(c)), at: int(u16(c[4:])), size: int(c[6]), exists: int(c[7])}
		if col.at+col.size > t.rowSize || t.exists+col.exists/8 >= t.rowSize {
			return nil, damagef("table of node 0x%x: column %08x is outside of the row", n.nid, uint32(col.tag))
		}
		t.columns = append(t.columns, col)
	}
	t.index, t.broken = h.records(u32(b[10:]))
	if t.broken == nil && (t.index.key != 4 || t.index.size != 2 && t.index.size != 4) {
		t.broken = damagef("table of node 0x%x: index of %d and %d bytes", n.nid, t.index.key, t.index.size)
	}
	return t, t.openRows()
}

// openRows finds the rows: in the heap, or in a sub-node.
func (t *table) openRows() (err error) {
	if t.rows&0x1f == 0 {
		return nil
	}
	if t.matrix, err = t.h.subData(t.rows); err != nil {
		return fmt.Errorf("rows of a table: %w", err)
	}
	// Rows do not cross blocks: what is left at the end of one is padding.
	first, err := t.matrix.block(0)
	if err != nil {
		return fmt.Errorf("rows of a table: %w", err)
	}
	t.each = len(first) / t.rowSize
	return nil
}

// row returns row number i, nil after the last.
func (t *table) row(i int) ([]byte, error) {
	if err := t.h.f.spend(t.rowSize); err != nil {
		return nil, err
	}
	var b []byte
	var err error
	switch {
	case t.matrix == nil:
		b, err = t.h.get(t.rows)
	case t.each == 0:
		return nil, nil
	default:
		b, err = t.matrix.block(i / t.each)
		i %= t.each
	}
	if err != nil || (i+1)*t.rowSize > len(b) {
		return nil, err
	}
	return b[i*t.rowSize : (i+1)*t.rowSize], nil
}

// ids calls fn with the identifier and the number of every row, in the order of the
// identifiers; if the index cannot be read, in the order of the rows.
func (t *table) ids(fn func(id uint32, no int) error) error {
	if t.broken == nil {
		return t.index.each(func(key, value []byte) error {
			no := int(u16(value))
			if t.index.size == 4 {
				no = int(u32(value))
			}
			return fn(u32(key), no)
		}, t.h.f.note)
	}
	t.h.f.note(t.broken)
	for i := 0; ; i++ {
		b, err := t.row(i)
		if err != nil || b == nil {
			return err
		}
		if err := fn(u32(b), i); err != nil {
			return err
		}
	}
}

// cell returns where the value of a column is in a row, nil if it does not exist.
func (t *table) cell(row []byte, c column) []byte {
	if row[t.exists+c.exists/8]&(0x80>>(c.exists%8)) == 0 {
		return nil
	}
	return row[c.at : c.at+c.size]
}

// read adds the cells of a row to p.
func (t *table) read(row []byte, b *bag, p *mapi.Properties) {
	for _, c := range t.columns {
		cell := t.cell(row, c)
		if cell == nil {
			continue
		}
		v, err := t.value(cell, c, b)
		if err != nil {
			t.h.f.note(fmt.Errorf("cell %08x: %w", uint32(c.tag), err))
		}
		if v != nil {
			p.Add(c.tag, t.h.f.nameOf(c.tag.ID()), v)
		}
	}
}

func (t *table) value(cell []byte, c column, b *bag) (any, error) {
	typ := c.tag.Type()
	if n := typ.Size(); typ&mapi.Multi == 0 && n > 0 && n <= 8 {
		return mapi.Decode(typ, cell)
	}
	if len(cell) != 4 {
		return nil, damagef("a place of %d bytes", len(cell))
	}
	hnid := u32(cell)
	if hnid == 0 {
		return nil, nil
	}
	return b.value(t.h, typ, hnid)
}

// label reads the display name or the subject in a row, "" if there is none.
func (t *table) label(no int) string {
	row, err := t.row(no)
	if err != nil || row == nil {
		return ""
	}
	p, b := mapi.Properties{}, bag{f: t.h.f, left: maxLabel}
	for _, c := range t.columns {
		if id := c.tag.ID(); id != mapi.IDDisplayName && id != mapi.IDSubject {
			continue
		}
		if cell := t.cell(row, c); cell != nil {
			if v, _ := t.value(cell, c, &b); v != nil {
				p.Add(c.tag, nil, v)
			}
		}
	}
	if s := p.Text(mapi.IDDisplayName); s != "" {
		return s
	}
	m := mapi.Message{Properties: p}
	return m.Subject()
}
