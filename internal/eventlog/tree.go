package eventlog

import (
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Head is the state of a log: with it, everything up to Size is fixed.
type Head struct {
	Size int64
	Root Hash
}

// Node is an inner node of the tree: the root of the complete subtree over the
// 2^Level leaves from Position·2^Level. Leaves have level 0.
type Node struct {
	Level    int
	Position int64
	Hash     Hash
}

// Frontier is what must be remembered of a tree to make it grow: the roots of
// the complete subtrees its size is the sum of. The zero Frontier is an empty
// tree.
type Frontier struct {
	size  int64
	peaks []Hash // largest subtree first: one for each bit set in size
}

// Size returns the number of leaves.
func (f *Frontier) Size() int64 { return f.size }

// Append adds a leaf and returns nodes with the inner nodes it completes, by
// ascending level.
func (f *Frontier) Append(leaf Hash, nodes []Node) []Node {
	h := leaf
	for level := 1; f.size>>(level-1)&1 == 1; level++ {
		last := len(f.peaks) - 1
		h = tlog.NodeHash(f.peaks[last], h)
		f.peaks = f.peaks[:last]
		nodes = append(nodes, Node{Level: level, Position: f.size >> level, Hash: h})
	}
	f.peaks = append(f.peaks, h)
	f.size++
	return nodes
}

// Head returns size and root (RFC 6962 §2.1).
func (f *Frontier) Head() Head {
	if f.size == 0 {
		root, _ := tlog.TreeHash(0, nil) // the hash of nothing: no error is possible
		return Head{Root: root}
	}
	h := f.peaks[len(f.peaks)-1]
	for i := len(f.peaks) - 2; i >= 0; i-- {
		h = tlog.NodeHash(f.peaks[i], h)
	}
	return Head{Size: f.size, Root: h}
}

// Bytes returns the peaks, one after the other. With the size they restore the
// frontier.
func (f *Frontier) Bytes() []byte {
	b := make([]byte, 0, len(f.peaks)*tlog.HashSize)
	for _, p := range f.peaks {
		b = append(b, p[:]...)
	}
	return b
}

// ParseFrontier restores a frontier from size and Bytes.
func ParseFrontier(size int64, peaks []byte) (*Frontier, error) {
	if sized(size) != nil || len(peaks) != bits.OnesCount64(uint64(size))*tlog.HashSize {
		return nil, fmt.Errorf("frontier of %d leaves has %d bytes", size, len(peaks))
	}
	f := &Frontier{size: size}
	for ; len(peaks) > 0; peaks = peaks[tlog.HashSize:] {
		f.peaks = append(f.peaks, Hash(peaks[:tlog.HashSize]))
	}
	return f, nil
}
