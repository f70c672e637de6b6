package eventlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// merkle is MTH of RFC 6962 §2.1, word for word.
func merkle(leaves [][]byte) Hash {
	n := len(leaves)
	switch n {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	}
	k := 1
	for k*2 < n {
		k *= 2
	}
	left, right := merkle(leaves[:k]), merkle(leaves[k:])
	return sha256.Sum256(bytes.Join([][]byte{{1}, left[:], right[:]}, nil))
}

// numbered makes n leaves.
func numbered(n int) [][]byte {
	leaves := make([][]byte, n)
	for i := range leaves {
		leaves[i] = fmt.Appendf(nil, "leaf %d", i)
	}
	return leaves
}

// log is a tree with all its nodes at hand.
type log struct {
	frontier Frontier
	nodes    map[Node]Hash // by level and position
}

func grow(leaves [][]byte) *log {
	l := &log{nodes: map[Node]Hash{}}
	for i, leaf := range leaves {
		h := LeafHash(leaf)
		l.nodes[Node{Position: int64(i)}] = h
		for _, n := range l.frontier.Append(h, nil) {
			l.nodes[Node{Level: n.Level, Position: n.Position}] = n.Hash
		}
	}
	return l
}

// read fails for what was never stored.
func (l *log) read(wanted []Node) ([]Hash, error) {
	hashes := make([]Hash, len(wanted))
	for i, n := range wanted {
		h, ok := l.nodes[n]
		if !ok {
			return nil, fmt.Errorf("no node %d of level %d", n.Position, n.Level)
		}
		hashes[i] = h
	}
	return hashes, nil
}

// TestKnownRoots uses the inputs and roots that the programs of Certificate
// Transparency test themselves with.
func TestKnownRoots(t *testing.T) {
	t.Parallel()
	inputs := []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}
	roots := []string{
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
	var f Frontier
	for i, want := range roots {
		head := f.Head()
		if got := hex.EncodeToString(head.Root[:]); got != want || head.Size != int64(i) {
			t.Errorf("root of %d leaves is %s (size %d), want %s", i, got, head.Size, want)
		}
		if i < len(inputs) {
			leaf, err := hex.DecodeString(inputs[i])
			if err != nil {
				t.Fatal(err)
			}
			f.Append(LeafHash(leaf), nil)
		}
	}
}

// TestTree compares every size with the definition, and with another program's
// way to store a tree.
func TestTree(t *testing.T) {
	t.Parallel()
	const n = 140
	leaves := numbered(n)
	l := grow(leaves)
	var stored []Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) {
		out := make([]Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	var f Frontier
	for size := range n + 1 {
		want := merkle(leaves[:size])
		if head := f.Head(); head != (Head{int64(size), want}) || f.Size() != int64(size) {
			t.Fatalf("head of %d leaves is %v, want %v", size, head, want)
		}
		if head, err := HeadAt(int64(size), l.read); err != nil || head.Root != want {
			t.Errorf("head at %d is %v, %v, want %v", size, head, err, want)
		}
		if root, err := tlog.TreeHash(int64(size), reader); err != nil || root != want {
			t.Errorf("stored hashes of %d leaves have root %v, %v, want %v", size, root, err, want)
		}
		again, err := ParseFrontier(int64(size), f.Bytes())
		if err != nil || again.Head() != f.Head() || !bytes.Equal(again.Bytes(), f.Bytes()) {
			t.Fatalf("frontier of %d leaves comes back with head %v, %v", size, again.Head(), err)
		}
		f = *again // and grows on
		if size == n {
			break
		}
		completed := f.Append(LeafHash(leaves[size]), nil)
		hashes, err := tlog.StoredHashes(int64(size), leaves[size], reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
		if len(completed) != len(hashes)-1 {
			t.Fatalf("leaf %d completes %d nodes, want %d", size, len(completed), len(hashes)-1)
		}
		for i, node := range completed {
			if node.Level != i+1 || node.Position != int64(size)>>(i+1) || node.Hash != hashes[i+1] {
				t.Errorf("leaf %d completes %+v, want %v of level %d", size, node, hashes[i+1], i+1)
			}
		}
	}
}

func TestFrontierOfTheWrongSize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		size  int64
		bytes int
	}{{0, 1}, {0, 32}, {1, 0}, {1, 31}, {1, 33}, {3, 32}, {4, 64}, {-1, 32}, {-1, 64 * 32}, {maxExact + 1, 64}, {1 << 62, 32}} {
		if f, err := ParseFrontier(c.size, make([]byte, c.bytes)); err == nil {
			t.Errorf("%d bytes are the frontier of %d leaves: %v", c.bytes, c.size, f)
		}
	}
}

func FuzzParseFrontier(f *testing.F) {
	for _, n := range []int{0, 1, 2, 3, 7, 8, 21} {
		l := grow(numbered(n))
		f.Add(int64(n), l.frontier.Bytes())
	}
	f.Add(int64(-1), []byte{})
	f.Add(int64(1)<<62, make([]byte, 32))
	f.Add(int64(maxExact), make([]byte, 32))
	f.Fuzz(func(t *testing.T, size int64, peaks []byte) {
		tree, err := ParseFrontier(size, peaks)
		if err != nil {
			return
		}
		if tree.Size() != size || !bytes.Equal(tree.Bytes(), peaks) {
			t.Fatalf("%d leaves and %x come back as %d and %x", size, peaks, tree.Size(), tree.Bytes())
		}
		if head := tree.Head(); head.Size != size {
			t.Fatalf("head of size %d, want %d", head.Size, size)
		}
		if size == maxExact {
			return // and it is full
		}
		tree.Append(Hash{1}, nil)
		if again, err := ParseFrontier(size+1, tree.Bytes()); err != nil || again.Head() != tree.Head() {
			t.Fatalf("the grown frontier does not come back: %v", err)
		}
	})
}
