package ers

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// minMembers is the least number of members of a group (ERS-1). With one, the
// same record could be read in three ways.
const minMembers = 2

// Leaf returns the value of a group: what goes into a tree as a leaf. The
// members are hash values, in any order, at least two.
func Leaf(h algo.Hash, members [][]byte) ([]byte, error) {
	if len(members) < minMembers {
		return nil, fmt.Errorf("a group of %d members: there must be %d at least", len(members), minMembers)
	}
	for _, m := range members {
		if len(m) != h.Size() {
			return nil, fmt.Errorf("a member's hash of %d bytes is not one of %v", len(m), h)
		}
	}
	return node(h, members), nil
}

// Initial returns the first record of a group: its members' hash values, the
// siblings from its leaf to the root that was stamped (those of the tenant's
// tree, then those of the tree over the tenants), and the token.
func Initial(h algo.Hash, members, siblings [][]byte, token []byte) (*Record, error) {
	t, err := leafStamp(h, members, siblings, token)
	if err != nil {
		return nil, fmt.Errorf("evidence record: %w", err)
	}
	return &Record{Chains: []Chain{{t}}, version: 1}, nil
}

func leafStamp(h algo.Hash, members, siblings [][]byte, token []byte) (Stamp, error) {
	if _, err := Leaf(h, members); err != nil {
		return Stamp{}, err
	}
	return newStamp(h, append([][][]byte{sorted(members)}, single(siblings)...), token)
}

func single(siblings [][]byte) [][][]byte {
	var lists [][][]byte
	for _, s := range siblings {
		lists = append(lists, [][]byte{s})
	}
	return lists
}

// newStamp checks that the tree leads to the imprint of the token: a record that
// would be worthless is not made.
func newStamp(h algo.Hash, tree [][][]byte, token []byte) (Stamp, error) {
	t, err := tsp.ParseToken(token)
	if err != nil {
		return Stamp{}, err
	}
	if t.Info.Hash != h {
		return Stamp{}, fmt.Errorf("%w: the token is of %v, the tree of %v", CodeHashMismatch, t.Info.Hash, h)
	}
	if tree != nil && !bytes.Equal(root(h, tree, false), t.Info.Imprint) {
		return Stamp{}, fmt.Errorf("%w: the hash tree does not lead to the token", CodeRoot)
	}
	return Stamp{Hash: h, Tree: tree, Token: token}, nil
}

// TokenLeaf returns the value of a token: what goes into the tree of a
// time-stamp renewal as a leaf (REN-1).
func TokenLeaf(h algo.Hash, token []byte) []byte { return h.Sum(token) }

// Last returns the newest stamp.
func (r *Record) Last() Stamp {
	c := r.Chains[len(r.Chains)-1]
	return c[len(c)-1]
}

// RenewStamp returns the record with one more stamp in its last chain
// (time-stamp renewal, RFC 4998 §5.2). The siblings lead from TokenLeaf of the
// last token to the root that was stamped; there are none if it was stamped
// alone.
func (r *Record) RenewStamp(siblings [][]byte, token []byte) (*Record, error) {
	last := r.Last()
	prev := TokenLeaf(last.Hash, last.Token)
	var tree [][][]byte
	if len(siblings) > 0 {
		// Leaf and first sibling are one list: its value is the same, and no
		// list of one value comes first.
		tree = append([][][]byte{sorted([][]byte{prev, siblings[0]})}, single(siblings[1:])...)
	}
	t, err := newStamp(last.Hash, tree, token)
	if err != nil {
		return nil, fmt.Errorf("time-stamp renewal: %w", err)
	}
	if tree == nil {
		if p, err := tsp.ParseToken(token); err != nil || !bytes.Equal(p.Info.Imprint, prev) {
			return nil, fmt.Errorf("time-stamp renewal: %w", errors.Join(CodeRenewal, err))
		}
	}
	chains := slices.Clone(r.Chains)
	n := len(chains) - 1
	chains[n] = append(slices.Clone(chains[n]), t)
	return &Record{Chains: chains, version: 1}, nil
}

// Ancestry returns the hash over everything in the record so far, which a
// hash-tree renewal ties to the members (REN-2).
func (r *Record) Ancestry(h algo.Hash) ([]byte, error) {
	b, err := sequenceBytes(r.Chains)
	if err != nil {
		return nil, fmt.Errorf("evidence record: %w", err)
	}
	return h.Sum(b), nil
}

// Frames cuts what the ancestry of the chain c is the hash of, the sequence of all
// chains before it, at its time-stamp tokens: frames[i] goes before the i-th token, and
// the last token ends it. So everybody can put it together from the tokens.
func (r *Record) Frames(c int) (frames [][]byte, err error) {
	rest, err := sequenceBytes(r.Chains[:c])
	if err != nil {
		return nil, fmt.Errorf("evidence record: %w", err)
	}
	for _, chain := range r.Chains[:c] {
		for _, t := range chain {
			i := bytes.Index(rest, t.Token)
			if i < 0 {
				return nil, fmt.Errorf("%w: a token is not in its place", CodeMalformed)
			}
			frames, rest = append(frames, rest[:i]), rest[i+len(t.Token):]
		}
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%w: the sequence does not end with a token", CodeMalformed)
	}
	return frames, nil
}

// Renewed returns the value of a member in a hash-tree renewal: the hash of its
// hash and the ancestry, in this order and not sorted (REN-2, REN-3).
func Renewed(h algo.Hash, member, ancestry []byte) []byte { return h.Sum(member, ancestry) }

// RenewedLeaf returns the value of a group in the tree of a hash-tree renewal,
// and the values of its members. Members are their hashes by h, read anew.
func (r *Record) RenewedLeaf(h algo.Hash, members [][]byte) (leaf []byte, values [][]byte, err error) {
	ancestry, err := r.Ancestry(h)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range members {
		values = append(values, Renewed(h, m, ancestry))
	}
	leaf, err = Leaf(h, values)
	return leaf, values, err
}

// RenewTree returns the record with one more chain (hash-tree renewal, RFC 4998
// §5.3): members are the hashes by h, siblings lead from RenewedLeaf to the
// root that was stamped.
func (r *Record) RenewTree(h algo.Hash, members, siblings [][]byte, token []byte) (*Record, error) {
	_, values, err := r.RenewedLeaf(h, members)
	if err != nil {
		return nil, fmt.Errorf("hash-tree renewal: %w", err)
	}
	t, err := leafStamp(h, values, siblings, token)
	if err != nil {
		return nil, fmt.Errorf("hash-tree renewal: %w", err)
	}
	return &Record{Chains: append(slices.Clone(r.Chains), Chain{t}), version: 1}, nil
}
