package msg

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"sort"
	"strings"
	"unicode/utf16"
)

// Marks in the table of sectors [MS-CFB] §2.1, and what is smaller than cutoff
// goes into the stream of small streams.
const (
	freeSector  = 0xFFFFFFFF
	endOfChain  = 0xFFFFFFFE
	fatSector   = 0xFFFFFFFD
	difatSector = 0xFFFFFFFC
	cutoff      = 4096
	miniSector  = 64
	perSector   = minSector / 4
)

// compound returns a storage as a compound file of its own, as programs keep an
// OLE object: in the message file it is spread over streams. The streams are read
// while the file is.
func compound(root *storage) io.Reader {
	w := &compoundWriter{}
	w.add(root)
	w.tree(0)
	for i := range w.entries {
		e := &w.entries[i]
		if e.of.stream() && e.of.size > 0 && e.of.size < cutoff {
			e.start = uint32(len(w.miniFAT))
			chain(&w.miniFAT, 0, sectors(e.of.size, miniSector))
			w.small = append(w.small, e.of)
		}
	}
	return w.layout()
}

type compoundEntry struct {
	of                 *storage
	children           []int
	left, right, child uint32
	start              uint32
	size               int64
}

type compoundWriter struct {
	entries []compoundEntry
	fat     []uint32
	miniFAT []uint32
	small   []*storage // in the stream of small streams
	body    []io.Reader
}

// add takes a storage and all in it.
func (w *compoundWriter) add(s *storage) int {
	n := len(w.entries)
	w.entries = append(w.entries, compoundEntry{of: s, left: noEntry, right: noEntry, child: noEntry, start: endOfChain, size: s.size})
	for _, c := range s.order {
		i := w.add(c)
		w.entries[n].children = append(w.entries[n].children, i)
	}
	return n
}

// tree arranges the children of every storage [MS-CFB] §2.6.4: sorted by length,
// then by letter, as a balanced tree.
func (w *compoundWriter) tree(n int) {
	kids := w.entries[n].children
	less := func(a, b string) bool {
		x, y := utf16.Encode([]rune(strings.ToUpper(a))), utf16.Encode([]rune(strings.ToUpper(b)))
		if len(x) != len(y) {
			return len(x) < len(y)
		}
		for i := range x {
			if x[i] != y[i] {
				return x[i] < y[i]
			}
		}
		return false
	}
	sort.Slice(kids, func(i, j int) bool { return less(w.entries[kids[i]].of.name, w.entries[kids[j]].of.name) })
	w.entries[n].child = w.balance(kids)
	for _, k := range kids {
		w.tree(k)
	}
}

func (w *compoundWriter) balance(kids []int) uint32 {
	if len(kids) == 0 {
		return noEntry
	}
	mid := len(kids) / 2
	e := &w.entries[kids[mid]]
	e.left, e.right = w.balance(kids[:mid]), w.balance(kids[mid+1:])
	return uint32(kids[mid])
}

// sectors returns how many sectors n bytes take.
func sectors(n, size int64) int { return int((n + size - 1) / size) }

// chain appends a chain of n sectors to a table that has before sectors before it.
func chain(table *[]uint32, before, n int) uint32 {
	start := before + len(*table)
	for i := range n {
		next := uint32(start + i + 1)
		if i == n-1 {
			next = endOfChain
		}
		*table = append(*table, next)
	}
	if n == 0 {
		return endOfChain
	}
	return uint32(start)
}

// layout gives everything its place: header, streams, tables.
func (w *compoundWriter) layout() io.Reader {
	for i := range w.entries {
		if e := &w.entries[i]; e.of.stream() && e.of.size >= cutoff {
			e.start = chain(&w.fat, 0, sectors(e.of.size, minSector))
			w.body = append(w.body, w.padded(e.of, minSector))
		}
	}
	root := &w.entries[0]
	root.size = int64(len(w.miniFAT)) * miniSector
	root.start = chain(&w.fat, 0, sectors(root.size, minSector))
	for _, s := range w.small {
		w.body = append(w.body, w.padded(s, miniSector))
	}
	w.fill(root.size)
	mini := words(w.miniFAT)
	miniStart := w.table(mini)
	var dir bytes.Buffer
	for i := range w.entries {
		dir.Write(w.entries[i].bytes(i == 0))
	}
	dirStart := w.table(dir.Bytes())
	return w.finish(dirStart, miniStart, sectors(int64(len(mini)), minSector))
}

// padded returns a stream filled up to whole sectors. One that is damaged ends
// with its error.
func (w *compoundWriter) padded(s *storage, sector int64) io.Reader {
	return io.MultiReader(s.open(), bytes.NewReader(make([]byte, int64(sectors(s.size, sector))*sector-s.size)))
}

// fill adds what n bytes lack of whole sectors.
func (w *compoundWriter) fill(n int64) {
	w.body = append(w.body, bytes.NewReader(make([]byte, -n&(minSector-1))))
}

// table adds bytes as a stream of their own.
func (w *compoundWriter) table(b []byte) uint32 {
	w.body = append(w.body, bytes.NewReader(b))
	w.fill(int64(len(b)))
	return chain(&w.fat, 0, sectors(int64(len(b)), minSector))
}

// finish adds the table of sectors itself and the header.
func (w *compoundWriter) finish(dir, mini uint32, minis int) io.Reader {
	fats, difats := 0, 0
	for { // both have entries for themselves
		f := sectors(int64(len(w.fat)+fats+difats), perSector)
		d := sectors(int64(max(f-headerDIFAT, 0)), perSector-1)
		if f == fats && d == difats {
			break
		}
		fats, difats = f, d
	}
	var places []uint32
	for range fats {
		places = append(places, uint32(len(w.fat)))
		w.fat = append(w.fat, fatSector)
	}
	firstDIFAT := uint32(endOfChain)
	if difats > 0 {
		firstDIFAT = uint32(len(w.fat))
	}
	for range difats {
		w.fat = append(w.fat, difatSector)
	}
	for len(w.fat)%perSector != 0 {
		w.fat = append(w.fat, freeSector)
	}
	w.body = append(w.body, bytes.NewReader(words(w.fat)))
	head := make([]byte, minSector)
	copy(head, signature[:])
	le := binary.LittleEndian
	le.PutUint16(head[24:], 0x3E)
	le.PutUint16(head[26:], 3)
	le.PutUint16(head[28:], 0xFFFE)
	le.PutUint16(head[30:], 9)
	le.PutUint16(head[32:], 6)
	for at, v := range map[int]uint32{44: uint32(fats), 48: dir, 56: cutoff, 60: mini, 64: uint32(minis), 68: firstDIFAT, 72: uint32(difats)} {
		le.PutUint32(head[at:], v)
	}
	for i := range headerDIFAT {
		le.PutUint32(head[76+4*i:], freeSector)
		if i < len(places) {
			le.PutUint32(head[76+4*i:], places[i])
		}
	}
	rest := places[min(len(places), headerDIFAT):]
	for i := range difats {
		sector := make([]uint32, perSector)
		for j := range sector {
			sector[j] = freeSector
		}
		rest = rest[copy(sector[:perSector-1], rest):]
		sector[perSector-1] = endOfChain
		if i < difats-1 {
			sector[perSector-1] = firstDIFAT + uint32(i) + 1
		}
		w.body = append(w.body, bytes.NewReader(words(sector)))
	}
	return io.MultiReader(append([]io.Reader{bytes.NewReader(head)}, w.body...)...)
}

// bytes writes an entry of the directory [MS-CFB] §2.6.1.
func (e *compoundEntry) bytes(root bool) []byte {
	b := make([]byte, entrySize)
	le := binary.LittleEndian
	name, kind := e.of.name, byte(1)
	switch {
	case root:
		name, kind = "Root Entry", 5
	case e.of.stream():
		kind = 2
	default:
		e.start = 0
	}
	units := utf16.Encode([]rune(name))
	units = units[:min(len(units), 31)]
	for i, u := range units {
		le.PutUint16(b[2*i:], u)
	}
	le.PutUint16(b[64:], uint16(2*len(units)+2))
	b[66], b[67] = kind, 1
	for at, v := range map[int]uint32{68: e.left, 72: e.right, 76: e.child, 116: e.start, 120: uint32(e.size)} {
		le.PutUint32(b[at:], v)
	}
	copy(b[80:96], classID(e.of.class))
	return b
}

// classID reads an identifier as the library writes it, {xxxxxxxx-…}.
func classID(s string) []byte {
	b, err := hex.DecodeString(strings.NewReplacer("{", "", "}", "", "-", "").Replace(s))
	if err != nil || len(b) != 16 {
		return nil
	}
	b[0], b[1], b[2], b[3] = b[3], b[2], b[1], b[0]
	b[4], b[5], b[6], b[7] = b[5], b[4], b[7], b[6]
	return b
}

func words(v []uint32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return b
}
