package eventlog

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// path is PATH of RFC 6962 §2.1.1, word for word.
func path(m int, leaves [][]byte) []Hash {
	n := len(leaves)
	if n == 1 {
		return nil
	}
	k := split(n)
	if m < k {
		return append(path(m, leaves[:k]), merkle(leaves[k:]))
	}
	return append(path(m-k, leaves[k:]), merkle(leaves[:k]))
}

// subproof is SUBPROOF of RFC 6962 §2.1.2, word for word.
func subproof(m int, leaves [][]byte, known bool) []Hash {
	n := len(leaves)
	if m == n {
		if known {
			return nil
		}
		return []Hash{merkle(leaves)}
	}
	k := split(n)
	if m <= k {
		return append(subproof(m, leaves[:k], known), merkle(leaves[k:]))
	}
	return append(subproof(m-k, leaves[k:], false), merkle(leaves[:k]))
}

// split is the largest power of two below n.
func split(n int) int {
	k := 1
	for k*2 < n {
		k *= 2
	}
	return k
}

func TestInclusion(t *testing.T) {
	t.Parallel()
	const n = 37
	leaves := numbered(n)
	l := grow(leaves)
	for size := 1; size <= n; size++ {
		head := Head{int64(size), merkle(leaves[:size])}
		for seq := range size {
			p, err := ProveInclusion(int64(size), int64(seq), l.read)
			if err != nil {
				t.Fatal(err)
			}
			if want := path(seq, leaves[:size]); !slices.Equal(p, want) {
				t.Fatalf("proof of %d in %d is %v, want %v", seq, size, p, want)
			}
			if err := CheckInclusion(head, int64(seq), leaves[seq], p); err != nil {
				t.Errorf("proof of %d in %d: %v", seq, size, err)
			}
			if err := tlog.CheckRecord(p, head.Size, head.Root, int64(seq), tlog.RecordHash(leaves[seq])); err != nil {
				t.Errorf("proof of %d in %d: %v", seq, size, err)
			}
			wrongInclusions(t, head, int64(seq), leaves[seq], p)
		}
	}
}

// wrongInclusions spoils a proof in every way and requires that it is refused.
func wrongInclusions(t *testing.T, head Head, seq int64, leaf []byte, p []Hash) {
	t.Helper()
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, ErrProof) {
			t.Errorf("proof of %d in %d with %s: %v", seq, head.Size, what, err)
		}
	}
	refused("another leaf", CheckInclusion(head, seq, append([]byte("x"), leaf...), p))
	refused("a longer proof", CheckInclusion(head, seq, leaf, append(slices.Clone(p), Hash{})))
	refused("a number too large", CheckInclusion(head, head.Size, leaf, p))
	refused("a negative number", CheckInclusion(head, -1, leaf, p))
	refused("another root", CheckInclusion(Head{head.Size, Hash{1}}, seq, leaf, p))
	refused("no size", CheckInclusion(Head{0, head.Root}, seq, leaf, p))
	if len(p) > 0 {
		refused("a shorter proof", CheckInclusion(head, seq, leaf, p[1:]))
		refused("another number", CheckInclusion(head, seq^1, leaf, p))
	}
	for i := range p {
		wrong := slices.Clone(p)
		wrong[i][31] ^= 1
		refused(fmt.Sprintf("a flipped bit in hash %d", i), CheckInclusion(head, seq, leaf, wrong))
	}
	// A node must not pass for a leaf, nor a leaf for a node.
	if len(p) > 0 {
		sibling, own := p[0], LeafHash(leaf)
		node := slices.Concat(own[:], sibling[:])
		refused("a node as leaf", CheckInclusion(head, seq, node, p[1:]))
	}
}

func TestConsistency(t *testing.T) {
	t.Parallel()
	const n = 37
	leaves := numbered(n)
	l := grow(leaves)
	heads := make([]Head, n+1)
	for size := range heads {
		heads[size] = Head{int64(size), merkle(leaves[:size])}
	}
	for to := range heads {
		for from := range to + 1 {
			p, err := ProveConsistency(int64(from), int64(to), l.read)
			if err != nil {
				t.Fatal(err)
			}
			if from > 0 {
				if want := subproof(from, leaves[:to], true); !slices.Equal(p, want) {
					t.Fatalf("proof from %d to %d is %v, want %v", from, to, p, want)
				}
			} else if len(p) != 0 {
				t.Errorf("proof from the empty log: %v", p)
			}
			if err := CheckConsistency(heads[from], heads[to], p); err != nil {
				t.Errorf("from %d to %d: %v", from, to, err)
			}
			wrongConsistencies(t, heads[from], heads[to], p)
		}
	}
}

// wrongConsistencies spoils a proof in every way and requires that it is refused.
func wrongConsistencies(t *testing.T, from, to Head, p []Hash) {
	t.Helper()
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, ErrProof) {
			t.Errorf("from %d to %d with %s: %v", from.Size, to.Size, what, err)
		}
	}
	refused("another old root", CheckConsistency(Head{from.Size, Hash{1}}, to, p))
	refused("a longer proof", CheckConsistency(from, to, append(slices.Clone(p), Hash{})))
	refused("a negative size", CheckConsistency(Head{-from.Size - 1, from.Root}, to, p))
	if from.Size > 0 {
		refused("another new root", CheckConsistency(from, Head{to.Size, Hash{1}}, p))
	}
	if to.Size > from.Size && from.Size > 0 {
		refused("the sizes swapped", CheckConsistency(to, from, p))
	}
	if len(p) > 0 {
		refused("a shorter proof", CheckConsistency(from, to, p[:len(p)-1]))
	}
	for i := range p {
		wrong := slices.Clone(p)
		wrong[i][0] ^= 0x80
		refused(fmt.Sprintf("a flipped bit in hash %d", i), CheckConsistency(from, to, wrong))
	}
}

// TestRewrittenLogs has logs that were truncated, reordered or thinned out fail
// against a head that was handed out before.
func TestRewrittenLogs(t *testing.T) {
	t.Parallel()
	leaves := numbered(20)
	handedOut := grow(leaves[:13]).frontier.Head()
	for name, rewritten := range map[string][][]byte{
		"leaf changed":   append(append(slices.Clone(leaves[:5]), []byte("other")), leaves[6:]...),
		"leaf removed":   slices.Delete(slices.Clone(leaves), 5, 6),
		"leaf inserted":  slices.Insert(slices.Clone(leaves), 5, []byte("new")),
		"leaves swapped": append([][]byte{leaves[1], leaves[0]}, leaves[2:]...),
		"leaf doubled":   slices.Insert(slices.Clone(leaves), 12, leaves[12]),
	} {
		l := grow(rewritten)
		to := l.frontier.Head()
		p, err := ProveConsistency(handedOut.Size, to.Size, l.read)
		if err != nil {
			t.Fatal(err)
		}
		err = CheckConsistency(handedOut, to, p)
		if name == "leaf doubled" { // behind the head: it is allowed to
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if !errors.Is(err, ErrProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
	short := grow(leaves[:12])
	if p, err := ProveConsistency(handedOut.Size, 12, short.read); err == nil {
		t.Errorf("a log cut off continues a longer one: %v", p)
	}
	if err := CheckConsistency(handedOut, short.frontier.Head(), nil); !errors.Is(err, ErrProof) {
		t.Errorf("a log cut off: %v", err)
	}
}

// TestSizesNobodyHas has heads and numbers that come from somebody else be out of
// all bounds: they end in an error, and soon.
func TestSizesNobodyHas(t *testing.T) {
	t.Parallel()
	l := grow(numbered(5))
	for _, size := range []int64{math.MinInt64, -1, maxExact + 1, 1<<62 - 1, 1 << 62, 1<<62 + 1, math.MaxInt64} {
		if _, err := HeadAt(size, l.read); err == nil {
			t.Errorf("head at %d", size)
		}
		for _, other := range []int64{0, 1, 5, size - 1, size / 2, 1 << 62} {
			if _, err := ProveInclusion(size, other, l.read); err == nil {
				t.Errorf("proof of %d in %d", other, size)
			}
			if _, err := ProveConsistency(other, size, l.read); err == nil {
				t.Errorf("proof from %d to %d", other, size)
			}
			if _, err := ProveConsistency(size, other, l.read); err == nil {
				t.Errorf("proof from %d to %d", size, other)
			}
			for _, proof := range [][]Hash{nil, make([]Hash, 5), make([]Hash, 64)} {
				if err := CheckInclusion(Head{Size: size}, other, nil, proof); !errors.Is(err, ErrProof) {
					t.Errorf("proof of %d in %d: %v", other, size, err)
				}
				if err := CheckConsistency(Head{Size: other}, Head{Size: size}, proof); !errors.Is(err, ErrProof) {
					t.Errorf("from %d to %d: %v", other, size, err)
				}
				if err := CheckConsistency(Head{Size: size}, Head{Size: other}, proof); !errors.Is(err, ErrProof) {
					t.Errorf("from %d to %d: %v", size, other, err)
				}
			}
		}
	}
}

// TestNodesThatLie has the reader of nodes fail, or give too few.
func TestNodesThatLie(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, read := range map[string]Nodes{
		"none":     func([]Node) ([]Hash, error) { return nil, nil },
		"too few":  func(wanted []Node) ([]Hash, error) { return make([]Hash, len(wanted)-1), nil },
		"too many": func(wanted []Node) ([]Hash, error) { return make([]Hash, len(wanted)+1), nil },
		"broken":   func([]Node) ([]Hash, error) { return nil, broken },
	} {
		_, err := HeadAt(11, read)
		_, err2 := ProveInclusion(11, 3, read)
		_, err3 := ProveConsistency(3, 11, read)
		for _, err := range []error{err, err2, err3} {
			if err == nil || name == "broken" && !errors.Is(err, broken) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// hashes cuts bytes into hashes; what is left over is dropped.
func hashes(b []byte) (list []Hash) {
	for ; len(b) >= 32; b = b[32:] {
		list = append(list, Hash(b[:32]))
	}
	return list
}

func flat(list []Hash) (b []byte) {
	for _, h := range list {
		b = append(b, h[:]...)
	}
	return b
}

// FuzzCheckInclusion gives the check proofs of whatever bytes. What it takes for
// the true head must be the leaf at that place.
func FuzzCheckInclusion(f *testing.F) {
	const n = 21
	leaves := numbered(n)
	l := grow(leaves)
	truth := l.frontier.Head()
	for _, seq := range []int64{0, 7, 16, 20} {
		p, err := ProveInclusion(n, seq, l.read)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(int64(n), seq, leaves[seq], flat(p))
	}
	f.Add(int64(math.MaxInt64), int64(3), []byte("leaf 3"), []byte{})
	f.Fuzz(func(t *testing.T, size, seq int64, leaf, proof []byte) {
		head := Head{Size: size, Root: truth.Root}
		if CheckInclusion(head, seq, leaf, hashes(proof)) != nil {
			return
		}
		if size == n && string(leaf) != string(leaves[seq]) {
			t.Fatalf("leaf %q was proved to be number %d", leaf, seq)
		}
	})
}

// FuzzCheckConsistency gives the check proofs of whatever bytes. What it takes
// for the true later head must be the true earlier head.
func FuzzCheckConsistency(f *testing.F) {
	const n = 21
	leaves := numbered(n)
	l := grow(leaves)
	truth := l.frontier.Head()
	for _, from := range []int64{0, 1, 8, 13, 21} {
		p, err := ProveConsistency(from, n, l.read)
		if err != nil {
			f.Fatal(err)
		}
		head, err := HeadAt(from, l.read)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(from, int64(n), head.Root[:], flat(p))
	}
	f.Add(int64(math.MaxInt64-1), int64(math.MaxInt64), make([]byte, 32), make([]byte, 2048))
	f.Fuzz(func(t *testing.T, from, to int64, root, proof []byte) {
		if len(root) != len(Hash{}) {
			return
		}
		if CheckConsistency(Head{from, Hash(root)}, Head{to, truth.Root}, hashes(proof)) != nil {
			return
		}
		if to == n {
			if head, err := HeadAt(from, l.read); err != nil || head.Root != Hash(root) {
				t.Fatalf("the log of size %d was proved to have root %x, which is %v", from, root, head)
			}
		}
	})
}
