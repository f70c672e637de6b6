package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/uid"
)

// The object of a tree: header, identifiers, SHA-256 of both, and the hash tree in
// the form of package ers.
const (
	treeMagic  = "MUNSEAL1"
	treeHeader = 48
	idSize     = len(uid.ID{})

	// MaxLeaves is the largest number of leaves of a tree.
	MaxLeaves = 1 << 20
)

// Tree is the hash tree of one tenant in a batch, with the identifiers of its
// leaves, ascending.
type Tree struct {
	ids  []uid.ID
	tree *ers.Tree
}

// Build makes a tree of leaves: their identifiers, each once, and their hash values,
// one after the other. It takes both over and sorts them.
func Build(h algo.Hash, ids []uid.ID, values []byte) (*Tree, error) {
	if len(ids) == 0 || len(ids) > MaxLeaves || len(values) != len(ids)*h.Size() {
		return nil, fmt.Errorf("hash tree: %d identifiers and %d bytes of hash values, at most %d leaves", len(ids), len(values), MaxLeaves)
	}
	s := &byID{ids: ids, values: values, size: h.Size(), spare: make([]byte, h.Size())}
	if !sort.IsSorted(s) {
		sort.Sort(s)
	}
	for i := 1; i < len(ids); i++ {
		if ids[i] == ids[i-1] {
			return nil, fmt.Errorf("hash tree: %s is there twice", ids[i])
		}
	}
	tree, err := ers.NewTree(h, values)
	return &Tree{ids: ids, tree: tree}, err
}

// byID sorts leaves.
type byID struct {
	ids    []uid.ID
	values []byte
	size   int
	spare  []byte
}

func (s *byID) Len() int           { return len(s.ids) }
func (s *byID) Less(i, j int) bool { return s.ids[i].Compare(s.ids[j]) < 0 }
func (s *byID) Swap(i, j int) {
	s.ids[i], s.ids[j] = s.ids[j], s.ids[i]
	a, b := s.values[i*s.size:(i+1)*s.size], s.values[j*s.size:(j+1)*s.size]
	copy(s.spare, a)
	copy(a, b)
	copy(b, s.spare)
}

// Root is the value at the top.
func (t *Tree) Root() ([]byte, error) { return ers.Root(t.tree) }

// Leaves is their number.
func (t *Tree) Leaves() int { return len(t.ids) }

// First is the lowest identifier.
func (t *Tree) First() uid.ID { return t.ids[0] }

// Last is the highest identifier.
func (t *Tree) Last() uid.ID { return t.ids[len(t.ids)-1] }

// Encode returns the object of the tree and its size.
func (t *Tree) Encode(tenant, batch uid.ID) (io.Reader, int64, error) {
	b := bytes.NewBuffer(make([]byte, 0, treeHeader+len(t.ids)*(idSize+2*t.tree.Hash().Size())+1024))
	b.WriteString(treeMagic)
	b.Write(tenant[:])
	b.Write(batch[:])
	b.Write(binary.BigEndian.AppendUint64(nil, uint64(len(t.ids))))
	for _, id := range t.ids {
		b.Write(id[:])
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	if _, err := t.tree.WriteTo(b); err != nil {
		return nil, 0, err
	}
	return b, int64(b.Len()), nil
}

// TreeFile reads the object of a tree, a few pieces at a time.
type TreeFile struct {
	r      io.ReaderAt
	leaves int
	tree   *ers.StoredTree
}

// OpenTree reads the header of the tree of a tenant in a batch. ErrDamaged.
func OpenTree(r io.ReaderAt, size int64, tenant, batch uid.ID) (*TreeFile, error) {
	head := make([]byte, treeHeader)
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return nil, damaged(err, "it has %d bytes", size)
	}
	n := binary.BigEndian.Uint64(head[40:])
	if string(head[:8]) != treeMagic || !bytes.Equal(head[8:24], tenant[:]) || !bytes.Equal(head[24:40], batch[:]) || n == 0 || n > MaxLeaves {
		return nil, fmt.Errorf("%w: its header is not that of the tree of tenant %s in batch %s", ErrDamaged, tenant, batch)
	}
	f := &TreeFile{r: r, leaves: int(n)}
	at := f.sumAt() + sha256.Size
	tree, err := ers.OpenTree(io.NewSectionReader(r, at, size-at), size-at)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if f.tree = tree; tree.Leaves() != int64(n) {
		return nil, fmt.Errorf("%w: %d identifiers of %d leaves", ErrDamaged, n, tree.Leaves())
	}
	return f, nil
}

func (f *TreeFile) sumAt() int64 { return treeHeader + int64(f.leaves*idSize) }

// damaged makes an error of what could not be read.
func damaged(err error, format string, args ...any) error {
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read: %w", err)
	}
	return fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, args...)...)
}

// Nodes is the hash tree by itself.
func (f *TreeFile) Nodes() ers.Nodes { return f.tree }

// Find looks a leaf up.
func (f *TreeFile) Find(id uid.ID) (leaf int64, found bool, err error) {
	at := sort.Search(f.leaves, func(i int) bool {
		if err != nil {
			return true
		}
		var x uid.ID
		if x, err = f.id(i); err != nil {
			return true
		}
		return x.Compare(id) >= 0
	})
	if err != nil || at == f.leaves {
		return 0, false, err
	}
	x, err := f.id(at)
	return int64(at), x == id, err
}

func (f *TreeFile) id(i int) (id uid.ID, err error) {
	n, err := f.r.ReadAt(id[:], treeHeader+int64(i*idSize))
	if n < len(id) {
		return id, damaged(err, "identifier %d is missing", i)
	}
	return id, nil
}

// Value returns the hash value of a leaf.
func (f *TreeFile) Value(leaf int64) ([]byte, error) { return f.tree.Node(0, leaf) }

// Check reads all of it, compares the check sums, computes the tree anew, and
// returns the root. each, if it is not nil, is called for every leaf. ErrDamaged.
func (f *TreeFile) Check(each func(id uid.ID, value []byte) error) (root []byte, err error) {
	ids := make([]byte, f.sumAt()+sha256.Size)
	if n, err := f.r.ReadAt(ids, 0); n < len(ids) {
		return nil, damaged(err, "it is too short")
	}
	if sum := sha256.Sum256(ids[:f.sumAt()]); !bytes.Equal(sum[:], ids[f.sumAt():]) {
		return nil, fmt.Errorf("%w: the check sum of its identifiers differs", ErrDamaged)
	}
	ids = ids[treeHeader:f.sumAt()]
	if err := f.tree.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	size := f.tree.Hash().Size()
	values := make([]byte, 0, f.leaves*size)
	for i := range f.leaves {
		id := uid.ID(ids[i*idSize:])
		if i > 0 && bytes.Compare(ids[(i-1)*idSize:i*idSize], id[:]) >= 0 {
			return nil, fmt.Errorf("%w: identifier %d is not above the one before", ErrDamaged, i)
		}
		v, err := f.tree.Node(0, int64(i))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		values = append(values, v...)
		if each != nil {
			if err := each(id, v); err != nil {
				return nil, err
			}
		}
	}
	again, err := ers.NewTree(f.tree.Hash(), values)
	if err != nil {
		return nil, err
	}
	if root, err = ers.Root(again); err != nil {
		return nil, err
	}
	if have, err := ers.Root(f.tree); err != nil || !bytes.Equal(have, root) {
		return nil, fmt.Errorf("%w: its root is not what the leaves give", ErrDamaged)
	}
	return root, nil
}
