package seal

import (
	"bytes"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/uid"
)

// batchVersion is the version of the JSON of a batch.
const batchVersion = 1

// Batch is what one time stamp covers.
type Batch struct {
	Version   int         `json:"v"`
	ID        uid.ID      `json:"id"`
	Hash      algo.Hash   `json:"hash"`
	CreatedAt time.Time   `json:"created_at"`
	Oldest    time.Time   `json:"oldest"` // when the archive took the oldest object in it
	Trees     []TreeEntry `json:"trees"`
	Root      Hash        `json:"root"` // of the tree over the roots of the trees
}

// TreeEntry is the tree of a tenant in a batch.
type TreeEntry struct {
	Tenant uid.ID `json:"tenant"`
	Leaves int64  `json:"leaves"`
	First  uid.ID `json:"first"`
	Last   uid.ID `json:"last"`
	Root   Hash   `json:"root"`
}

// Complete computes the root over the trees.
func (b *Batch) Complete() error {
	n, err := b.Nodes()
	if err == nil {
		b.Root, err = ers.Root(n)
	}
	return err
}

// Nodes is the tree over the roots of the trees.
func (b *Batch) Nodes() (ers.Nodes, error) {
	var roots []byte
	for _, t := range b.Trees {
		roots = append(roots, t.Root...)
	}
	return ers.NewTree(b.Hash, roots)
}

// Leaves is their number in all trees.
func (b *Batch) Leaves() (n int64) {
	for _, t := range b.Trees {
		n += t.Leaves
	}
	return n
}

// Encode writes the object.
func (b *Batch) Encode() ([]byte, error) {
	b.Version = batchVersion
	return guard(b)
}

// ParseBatch reads a batch. ErrDamaged.
func ParseBatch(data []byte, id uid.ID) (*Batch, error) {
	b := &Batch{}
	if err := unguard(data, b); err != nil {
		return nil, err
	}
	if b.Version != batchVersion || b.ID != id || b.Hash == (algo.Hash{}) || len(b.Trees) == 0 {
		return nil, fmt.Errorf("%w: batch %s, version %d, with %d trees of %v is in the place of batch %s", ErrDamaged, b.ID, b.Version, len(b.Trees), b.Hash, id)
	}
	for _, t := range b.Trees {
		if len(t.Root) != b.Hash.Size() {
			return nil, fmt.Errorf("%w: a root of %d bytes", ErrDamaged, len(t.Root))
		}
	}
	again := *b
	if err := again.Complete(); err != nil || !bytes.Equal(again.Root, b.Root) {
		return nil, fmt.Errorf("%w: its root is not what the trees give", ErrDamaged)
	}
	return b, nil
}
