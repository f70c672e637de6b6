package eventlog

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrProof is returned (wrapped) when a proof does not prove what it should.
var ErrProof = errors.New("proof does not hold")

// sized returns an error if a log cannot have one of the sizes. Heads and proofs
// come from others, and the arithmetic below is not made for what is beyond.
func sized(sizes ...int64) error {
	for _, size := range sizes {
		if size < 0 || size > maxExact {
			return fmt.Errorf("log of %d events", size)
		}
	}
	return nil
}

// Nodes reads the hashes of nodes, leaves included, in the order asked for.
// Only Level and Position of what it is given are set.
type Nodes func(wanted []Node) ([]Hash, error)

func (read Nodes) reader() tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) {
		wanted := make([]Node, len(indexes))
		for i, x := range indexes {
			wanted[i].Level, wanted[i].Position = tlog.SplitStoredHashIndex(x)
		}
		return read(wanted)
	})
}

// HeadAt returns the head the log had when it had size leaves.
func HeadAt(size int64, read Nodes) (Head, error) {
	if err := sized(size); err != nil {
		return Head{}, err
	}
	root, err := tlog.TreeHash(size, read.reader())
	if err != nil {
		return Head{}, fmt.Errorf("root of %d events: %w", size, err)
	}
	return Head{Size: size, Root: root}, nil
}

// ProveInclusion returns the proof that leaf seq is in the log of size leaves
// (RFC 9162 §2.1.3).
func ProveInclusion(size, seq int64, read Nodes) ([]Hash, error) {
	if err := sized(size); err != nil {
		return nil, err
	}
	p, err := tlog.ProveRecord(size, seq, read.reader())
	if err != nil {
		return nil, fmt.Errorf("prove event %d of %d: %w", seq, size, err)
	}
	return p, nil
}

// CheckInclusion returns nil if proof shows that the encoded leaf is the one at
// seq of the log with this head.
func CheckInclusion(head Head, seq int64, encoded []byte, proof []Hash) error {
	if err := sized(head.Size); err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	if err := tlog.CheckRecord(proof, head.Size, head.Root, seq, LeafHash(encoded)); err != nil {
		return fmt.Errorf("event %d of %d: %w: %w", seq, head.Size, ErrProof, err)
	}
	return nil
}

// PathStep is one step from a leaf to the root: SHA-256(0x01 ‖ Left ‖ Right) = Result.
type PathStep struct{ Left, Right, Result Hash }

// PathSteps are the steps by which CheckInclusion comes from the leaf hash at seq to the
// root of a log of that size (RFC 9162 §2.1.3.2), for whoever computes them without this
// package. Whether the last result is the root is for CheckInclusion to say.
func PathSteps(seq, size int64, leaf Hash, proof []Hash) []PathStep {
	var out []PathStep
	at, node, last := leaf, seq, size-1
	for _, p := range proof {
		s := PathStep{Left: at, Right: p}
		if node&1 == 1 || node == last {
			s = PathStep{Left: p, Right: at}
			for node&1 == 0 && node != 0 {
				node, last = node>>1, last>>1
			}
		}
		node, last = node>>1, last>>1
		s.Result = tlog.NodeHash(s.Left, s.Right)
		at = s.Result
		out = append(out, s)
	}
	return out
}

// ProveConsistency returns the proof that the log of size to begins with the
// log of size from (RFC 9162 §2.1.4), 0 <= from <= to. Every log begins with the
// empty one: that proof is empty, as is that for equal sizes.
func ProveConsistency(from, to int64, read Nodes) ([]Hash, error) {
	if err := sized(from, to); err != nil {
		return nil, err
	}
	if from == 0 {
		return nil, nil
	}
	p, err := tlog.ProveTree(to, from, read.reader())
	if err != nil {
		return nil, fmt.Errorf("prove that %d events continue %d: %w", to, from, err)
	}
	return p, nil
}

// CheckConsistency returns nil if proof shows that the log with head to begins
// with the log with head from.
func CheckConsistency(from, to Head, proof []Hash) error {
	if err := sized(from.Size, to.Size); err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	if from.Size == 0 {
		empty := (&Frontier{}).Head()
		if from != empty || len(proof) != 0 {
			return fmt.Errorf("empty log: %w", ErrProof)
		}
		return nil
	}
	if err := tlog.CheckTree(proof, to.Size, to.Root, from.Size, from.Root); err != nil {
		return fmt.Errorf("from %d to %d events: %w: %w", from.Size, to.Size, ErrProof, err)
	}
	return nil
}
