package pst

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// headerSize holds the longest header ([MS-PST] §2.2.2.6).
const headerSize = 564

// The encryptions (bCryptMethod).
const (
	cryptNone    = 0x00
	cryptPermute = 0x01
	cryptCyclic  = 0x02
	cryptWindows = 0x10
)

// readHeader finds the form of the file, its encryption and its two trees.
func (f *File) readHeader() error {
	h := make([]byte, headerSize)
	n, err := f.r.ReadAt(h, 0)
	if err != nil && err != io.EOF {
		return err
	}
	if n < 4 || !bytes.Equal(h[:4], []byte("!BDN")) {
		return ErrNotPST
	}
	if n < headerSize || f.size < headerSize {
		return damagef("the file ends within its header")
	}
	version := u16(h[10:])
	switch {
	case version == 14 || version == 15:
		f.layout = ansi()
	case version == 36:
		f.layout = unicode4K()
	case version >= 21 && version <= 64:
		f.layout = unicode()
	default:
		return fmt.Errorf("version %d: %w", version, ErrUnsupported)
	}
	if got, want := checksum(h[8:8+471]), u32(h[4:]); got != want {
		f.note(damagef("header: checksum 0x%08x, want 0x%08x", got, want))
	}
	root, crypt := 164, 461
	if f.layout.wide {
		root, crypt = 180, 513
	}
	f.crypt = h[crypt]
	switch f.crypt {
	case cryptNone, cryptPermute, cryptCyclic:
	case cryptWindows:
		return fmt.Errorf("it is encrypted with Windows Information Protection; export it on the machine it belongs to: %w", ErrUnsupported)
	default:
		return fmt.Errorf("encryption %d: %w", f.crypt, ErrUnsupported)
	}
	return f.readRoot(h[root:])
}

// readRoot reads ROOT ([MS-PST] §2.2.2.5).
func (f *File) readRoot(b []byte) error {
	l, w := &f.layout, f.layout.word()
	if end := l.id(b[4:]); end > uint64(f.size) {
		f.note(damagef("the file has %d bytes, its header says %d: the end is missing", f.size, end))
	}
	refs := b[4+4*w:] // after the file's end, the last map, and two counts of free bytes
	f.nodes = tree{f: f, name: "node tree", kind: pageNodes, root: l.id(refs), at: l.id(refs[w:]), entry: l.nodeEntry()}
	f.blocks = tree{f: f, name: "block tree", kind: pageBlocks, root: l.id(refs[2*w:]), at: l.id(refs[3*w:]), entry: l.blockEntry()}
	var bad []error
	for _, t := range []*tree{&f.nodes, &f.blocks} {
		if _, err := f.page(t, t.at, t.root, -1); err != nil {
			bad = append(bad, fmt.Errorf("root of the %s: %w", t.name, err))
		}
	}
	return errors.Join(bad...)
}
