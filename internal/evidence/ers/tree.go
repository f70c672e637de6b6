package ers

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/muniment/muniment/internal/evidence/algo"
)

// maxLeaves is how many leaves a tree may have.
const maxLeaves = 1 << 40

// Nodes gives access to the nodes of a binary hash tree, wherever they rest.
// Level 0 are the leaves. On each level neighbours are paired in order; an odd
// last one is promoted unchanged and not stored again, so that level k+1 stores
// half of what level k counts, rounded down, and a whole tree of n leaves
// stores 2n-1 values.
type Nodes interface {
	Hash() algo.Hash
	Leaves() int64
	// Node returns the i-th stored value of a level. It must not be changed.
	Node(level int, i int64) ([]byte, error)
}

// width returns how many nodes a level counts, a promoted one included.
func width(leaves int64, level int) int64 {
	for range level {
		leaves = (leaves + 1) / 2
	}
	return leaves
}

// stored returns how many nodes a level stores.
func stored(leaves int64, level int) int64 {
	if level == 0 {
		return leaves
	}
	return width(leaves, level-1) / 2
}

// levels returns how many levels there are, that of the root included.
func levels(leaves int64) int {
	n := 1
	for ; leaves > 1; leaves = (leaves + 1) / 2 {
		n++
	}
	return n
}

// nodeAt returns a node; a promoted one is found on the level it was made.
func nodeAt(n Nodes, level int, i int64) ([]byte, error) {
	for level > 0 && i == stored(n.Leaves(), level) {
		level--
		i = width(n.Leaves(), level) - 1
	}
	v, err := n.Node(level, i)
	if err != nil {
		return nil, fmt.Errorf("hash tree: node %d of level %d: %w", i, level, err)
	}
	if len(v) != n.Hash().Size() {
		return nil, fmt.Errorf("hash tree: node %d of level %d has %d bytes", i, level, len(v))
	}
	return v, nil
}

// Root returns the root of a tree.
func Root(n Nodes) ([]byte, error) {
	if n.Leaves() < 1 {
		return nil, errors.New("hash tree without leaves")
	}
	return nodeAt(n, levels(n.Leaves())-1, 0)
}

// Path returns the siblings on the way from a leaf to the root, one per level
// on which there is one, and checks that leaf and siblings lead to the root: a
// damaged store is an error, not a worthless record.
func Path(n Nodes, leaf int64) ([][]byte, error) {
	if leaf < 0 || leaf >= n.Leaves() {
		return nil, fmt.Errorf("hash tree: leaf %d of %d", leaf, n.Leaves())
	}
	at, err := n.Node(0, leaf)
	if err != nil {
		return nil, fmt.Errorf("hash tree: leaf %d: %w", leaf, err)
	}
	var path [][]byte
	for level, i := 0, leaf; level < levels(n.Leaves())-1; level, i = level+1, i/2 {
		if i^1 >= width(n.Leaves(), level) {
			continue // promoted
		}
		v, err := nodeAt(n, level, i^1)
		if err != nil {
			return nil, err
		}
		path = append(path, v)
		at = pair(n.Hash(), at, v)
	}
	top, err := Root(n)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(at, top) {
		return nil, fmt.Errorf("hash tree: leaf %d does not lead to the root: the stored tree is damaged", leaf)
	}
	return path, nil
}

// Tree is a tree in memory.
type Tree struct {
	hash   algo.Hash
	leaves int64
	levels [][]byte // stored values of each level, one after the other
}

// NewTree builds the tree over leaf values, which are concatenated. It keeps
// the slice.
func NewTree(h algo.Hash, leaves []byte) (*Tree, error) {
	size := h.Size()
	n := int64(len(leaves) / size)
	if n < 1 || n > maxLeaves || len(leaves)%size != 0 {
		return nil, fmt.Errorf("hash tree: %d bytes are no list of values of %v", len(leaves), h)
	}
	t := &Tree{hash: h, leaves: n, levels: [][]byte{leaves}}
	w := h.New()
	for level := 1; level < levels(n); level++ {
		count := stored(n, level)
		made := make([]byte, 0, count*int64(size))
		for i := range count {
			a, err := nodeAt(t, level-1, 2*i)
			if err != nil {
				return nil, err
			}
			b, err := nodeAt(t, level-1, 2*i+1)
			if err != nil {
				return nil, err
			}
			if bytes.Compare(a, b) > 0 {
				a, b = b, a
			}
			w.Reset()
			w.Write(a)
			w.Write(b)
			made = w.Sum(made)
		}
		t.levels = append(t.levels, made)
	}
	return t, nil
}

// Hash returns the hash of the tree.
func (t *Tree) Hash() algo.Hash { return t.hash }

// Leaves returns how many leaves there are.
func (t *Tree) Leaves() int64 { return t.leaves }

// Node returns a stored value; the error is for what is not there.
func (t *Tree) Node(level int, i int64) ([]byte, error) {
	size := int64(t.hash.Size())
	if level < 0 || level >= len(t.levels) || i < 0 || (i+1)*size > int64(len(t.levels[level])) {
		return nil, errors.New("not in the tree")
	}
	return t.levels[level][i*size : (i+1)*size : (i+1)*size], nil
}
