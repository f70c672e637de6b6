package ers

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/muniment/muniment/internal/evidence/algo"
)

// treeMagic begins a stored tree; the last byte is the version.
const treeMagic = "MUNTREE\x01"

const (
	treeHead = 64          // bytes before the first value
	nameLen  = 16          // of the name of the hash, padded with zeros
	sumLen   = sha256.Size // of the check sum at the end
)

// WriteTo writes the tree as docs/format-evidence.md describes it ("Hash trees"): head,
// the stored values level by level from the leaves up, SHA-256 of all before.
func (t *Tree) WriteTo(w io.Writer) (int64, error) {
	sum := sha256.New()
	out := io.MultiWriter(w, sum)
	n := int64(0)
	for _, part := range append([][]byte{treeHeader(t.hash, t.leaves)}, t.levels...) {
		k, err := out.Write(part)
		if n += int64(k); err != nil {
			return n, fmt.Errorf("hash tree: %w", err)
		}
	}
	k, err := w.Write(sum.Sum(nil))
	if n += int64(k); err != nil {
		return n, fmt.Errorf("hash tree: %w", err)
	}
	return n, nil
}

func treeHeader(h algo.Hash, leaves int64) []byte {
	head := make([]byte, treeHead)
	copy(head, treeMagic)
	copy(head[len(treeMagic):len(treeMagic)+nameLen], h.String())
	binary.BigEndian.PutUint64(head[len(treeMagic)+nameLen:], uint64(leaves))
	return head
}

// StoredTree is a tree that is read piece by piece. It is as safe for
// concurrent use as its reader.
type StoredTree struct {
	hash   algo.Hash
	leaves int64
	offset []int64 // of each level
	size   int64
	r      io.ReaderAt
}

// OpenTree reads the head of a stored tree of size bytes. The values are checked
// by Path and, all of them, by Check.
func OpenTree(r io.ReaderAt, size int64) (*StoredTree, error) {
	head := make([]byte, treeHead)
	if size < treeHead+sumLen {
		return nil, fmt.Errorf("hash tree: %d bytes are too few", size)
	}
	if _, err := r.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("hash tree: %w", err)
	}
	if string(head[:len(treeMagic)]) != treeMagic {
		return nil, errors.New("hash tree: not a stored tree, or of a later version")
	}
	name := head[len(treeMagic) : len(treeMagic)+nameLen]
	for len(name) > 0 && name[len(name)-1] == 0 {
		name = name[:len(name)-1]
	}
	h, err := algo.HashByName(string(name))
	if err != nil {
		return nil, fmt.Errorf("hash tree: %w", err)
	}
	leaves := binary.BigEndian.Uint64(head[len(treeMagic)+nameLen:])
	if leaves < 1 || leaves > maxLeaves {
		return nil, fmt.Errorf("hash tree: %d leaves", leaves)
	}
	t := &StoredTree{hash: h, leaves: int64(leaves), r: r, size: size}
	at := int64(treeHead)
	for level := range levels(t.leaves) {
		t.offset = append(t.offset, at)
		at += stored(t.leaves, level) * int64(h.Size())
	}
	if at+sumLen != size {
		return nil, fmt.Errorf("hash tree: %d bytes, a tree of %d leaves has %d", size, leaves, at+sumLen)
	}
	return t, nil
}

// Hash returns the hash of the tree.
func (t *StoredTree) Hash() algo.Hash { return t.hash }

// Leaves returns how many leaves there are.
func (t *StoredTree) Leaves() int64 { return t.leaves }

// Node reads a stored value.
func (t *StoredTree) Node(level int, i int64) ([]byte, error) {
	if level < 0 || level >= len(t.offset) || i < 0 || i >= stored(t.leaves, level) {
		return nil, errors.New("not in the tree")
	}
	v := make([]byte, t.hash.Size())
	if _, err := t.r.ReadAt(v, t.offset[level]+i*int64(len(v))); err != nil {
		return nil, err
	}
	return v, nil
}

// Check compares the whole tree with its check sum.
func (t *StoredTree) Check() error {
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(t.r, 0, t.size-sumLen)); err != nil {
		return fmt.Errorf("hash tree: %w", err)
	}
	want := make([]byte, sumLen)
	if _, err := t.r.ReadAt(want, t.size-sumLen); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("hash tree: %w", err)
	}
	if string(sum.Sum(nil)) != string(want) {
		return errors.New("hash tree: damaged, its check sum differs")
	}
	return nil
}
