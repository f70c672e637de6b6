package ers

import (
	"bytes"
	"slices"

	"github.com/muniment/muniment/internal/evidence/algo"
)

// node returns the value of a list (RFC 4998 §4.2): one value stays, more are
// sorted, concatenated and hashed. The list is not changed.
func node(h algo.Hash, list [][]byte) []byte {
	if len(list) == 1 {
		return list[0]
	}
	return h.Sum(sorted(list)...)
}

func sorted(list [][]byte) [][]byte {
	list = slices.Clone(list)
	slices.SortFunc(list, bytes.Compare)
	return list
}

// root returns the value that a reduced hash tree leads to. Rehash is the form
// in which a single first value is hashed once more (BSI M-ADD-04, third form).
func root(h algo.Hash, tree [][][]byte, rehash bool) []byte {
	if len(tree) == 0 || len(tree[0]) == 0 {
		return nil
	}
	at := node(h, tree[0])
	if rehash && len(tree[0]) == 1 {
		at = h.Sum(at)
	}
	for _, list := range tree[1:] {
		if len(list) == 1 { // the usual case, without allocating
			at = pair(h, at, list[0])
			continue
		}
		at = h.Sum(sorted(append(list[:len(list):len(list)], at))...)
	}
	return at
}

// pair returns the value of two nodes.
func pair(h algo.Hash, a, b []byte) []byte {
	if bytes.Compare(a, b) > 0 {
		a, b = b, a
	}
	return h.Sum(a, b)
}

// finder returns a function that tells whether a value is in the list, in time
// that does not grow with long lists.
func finder(list [][]byte) func(v []byte) bool {
	const short = 64
	if len(list) <= short {
		return func(v []byte) bool { return has(list, v) }
	}
	all := make(map[string]struct{}, len(list))
	for _, v := range list {
		all[string(v)] = struct{}{}
	}
	return func(v []byte) bool {
		_, ok := all[string(v)]
		return ok
	}
}

func has(list [][]byte, v []byte) bool {
	return slices.ContainsFunc(list, func(x []byte) bool { return bytes.Equal(x, v) })
}
