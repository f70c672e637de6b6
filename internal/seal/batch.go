package seal

import (
	"bytes"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/uid"
)

// Versions of the JSON of a batch: the first one has nothing but trees of new objects.
const (
	batchVersion = 2
	batchFirst   = 1
)

// Kinds of batches; empty: new objects, and checkpoints of the event logs.
const (
	KindNew      = ""
	KindRehashed = "rehashed" // the objects of an older batch by another hash algorithm
	KindRenewal  = "renewal"  // time stamps of older batches, and roots of rehashed ones
)

// Batch is what one time stamp covers.
type Batch struct {
	Version   int       `json:"v"`
	ID        uid.ID    `json:"id"`
	Kind      string    `json:"kind,omitempty"`
	Hash      algo.Hash `json:"hash"`
	CreatedAt time.Time `json:"created_at"`
	Oldest    time.Time `json:"oldest"` // when the archive took the oldest object in it
	// Renews is, of a rehashed batch, the one whose objects are in it.
	Renews *uid.ID `json:"renews,omitempty"`
	// Head is, of a rehashed batch, the one whose time stamp is the last of the chain
	// before: what was stamped later is not part of that chain for its objects.
	Head  *uid.ID     `json:"head,omitempty"`
	Trees []TreeEntry `json:"trees"`
	// Checkpoints are leaves of the upper tree after the roots of Trees.
	Checkpoints []Checkpoint `json:"checkpoints,omitempty"`
	// Covers are, of a renewal, the leaves of its tree.
	Covers []Cover `json:"covers,omitempty"`
	// LeftOut are, of a rehashed batch, the objects that could not be read.
	LeftOut []LeftOut `json:"left_out,omitempty"`
	// Beside is, of a renewal, what was known last about the certificates of the time
	// stamps that it covers (REN-4), in the form of package tsp; DER.
	Beside []byte `json:"beside,omitempty"`
	// Missing is what could not be had of that, in English.
	Missing []string `json:"missing,omitempty"`
	Root    Hash     `json:"root"` // of the tree over all that
}

// Checkpoint is a signed checkpoint of an event log: an object of two members, the
// note and its salt.
type Checkpoint struct {
	Tenant uid.ID `json:"tenant"` // zero: the installation
	Day    string `json:"day,omitempty"`
	Size   int64  `json:"size"`
	Note   string `json:"note"`
	// Salt keeps the root of a log from being guessed by whoever holds the proof of
	// another one: 32 hexadecimal digits.
	Salt string `json:"salt"`
	Leaf Hash   `json:"leaf"`
}

// Members are the bytes of what its evidence record covers.
func (c *Checkpoint) Members() [][]byte { return [][]byte{[]byte(c.Note), []byte(c.Salt)} }

// Sums are the hash values of its members.
func (c *Checkpoint) Sums(h algo.Hash) [][]byte {
	return [][]byte{h.Sum([]byte(c.Note)), h.Sum([]byte(c.Salt))}
}

// Cover is a leaf of a renewal.
type Cover struct {
	Batch uid.ID `json:"batch"`
	Role  string `json:"role"` // RoleStamp or RoleRoot
	Leaf  Hash   `json:"leaf"` // hash value of the time stamp, or the root
}

// Roles of a Cover.
const (
	RoleStamp = "stamp"
	RoleRoot  = "root"
)

// LeftOut is an object that could not be read when its batch was rehashed.
type LeftOut struct {
	Tenant uid.ID `json:"tenant"`
	Object uid.ID `json:"object"`
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

// Nodes is the tree over the roots of the trees, the checkpoints and what is covered.
func (b *Batch) Nodes() (ers.Nodes, error) {
	var leaves []byte
	for _, t := range b.Trees {
		leaves = append(leaves, t.Root...)
	}
	for _, c := range b.Checkpoints {
		leaves = append(leaves, c.Leaf...)
	}
	for _, c := range b.Covers {
		leaves = append(leaves, c.Leaf...)
	}
	return ers.NewTree(b.Hash, leaves)
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
	if b.Version < batchFirst || b.Version > batchVersion || b.ID != id || b.Hash == (algo.Hash{}) || !b.sound() {
		return nil, fmt.Errorf("%w: batch %s, version %d, with %d trees of %v is in the place of batch %s", ErrDamaged, b.ID, b.Version, len(b.Trees), b.Hash, id)
	}
	for _, t := range b.Trees {
		if len(t.Root) != b.Hash.Size() {
			return nil, fmt.Errorf("%w: a root of %d bytes", ErrDamaged, len(t.Root))
		}
	}
	for _, c := range b.Checkpoints {
		if len(c.Leaf) != b.Hash.Size() {
			return nil, fmt.Errorf("%w: a checkpoint with a hash value of %d bytes", ErrDamaged, len(c.Leaf))
		}
	}
	for _, c := range b.Covers {
		if len(c.Leaf) != b.Hash.Size() || c.Role != RoleStamp && c.Role != RoleRoot {
			return nil, fmt.Errorf("%w: %q is covered by a hash value of %d bytes", ErrDamaged, c.Role, len(c.Leaf))
		}
	}
	again := *b
	if err := again.Complete(); err != nil || !bytes.Equal(again.Root, b.Root) {
		return nil, fmt.Errorf("%w: its root is not what the trees give", ErrDamaged)
	}
	return b, nil
}

// sound reports whether a batch has the parts of its kind, and no others.
func (b *Batch) sound() bool {
	objects := len(b.Trees)+len(b.Checkpoints) > 0
	switch b.Kind {
	case KindNew:
		return objects && b.Renews == nil && len(b.Covers)+len(b.LeftOut) == 0
	case KindRehashed:
		return objects && b.Renews != nil && b.Head != nil && len(b.Covers) == 0
	case KindRenewal:
		return !objects && b.Renews == nil && len(b.Covers) > 0 && len(b.LeftOut) == 0
	}
	return false
}
