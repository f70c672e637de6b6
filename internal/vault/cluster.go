package vault

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
)

// Messages that resemble each other are compressed with the same dictionary. What
// resembles is found in the bytes alone: a feature is a line without its digits,
// hashed to 16 bits. A set of messages is divided by the feature that goes
// together with most others (association analysis, Williams and Lambert), until
// the sets are small enough for a dictionary.
const (
	// clusterSize is the size of texts that share a dictionary, in bytes.
	clusterSize = 8 << 20
	// minCluster is the smallest set that is split off.
	minCluster = 1 << 20
	// featureBytes is how much of a text is looked at: headers are at its start.
	featureBytes = 8 << 10
	// minFeature and maxFeature bound the length of a line that is a feature.
	minFeature, maxFeature = 6, 200
	// maxCandidates bounds the work of one division.
	maxCandidates = 192
)

// sketch is what clustering knows of a text.
type sketch struct {
	size     int64
	features []uint16 // ascending
}

// sketchOf finds the features of a text.
func sketchOf(text []byte) sketch {
	s := sketch{size: int64(len(text))}
	head := text[:min(len(text), featureBytes)]
	for len(head) > 0 {
		line, rest, _ := bytes.Cut(head, []byte("\n"))
		head = rest
		if len(line) < minFeature || len(line) > maxFeature {
			continue
		}
		h := uint32(2166136261) // FNV-1a
		for _, c := range line {
			if '0' <= c && c <= '9' {
				continue
			}
			h = (h ^ uint32(c)) * 16777619
		}
		s.features = append(s.features, uint16(h>>16^h))
	}
	slices.Sort(s.features)
	s.features = slices.Compact(s.features)
	return s
}

// clusters divides texts, given by their sketches, into sets of similar ones.
// Texts are named by their number and stay in their order within a set.
func clusters(all []sketch) [][]int {
	rest := make([]int, len(all))
	for i := range rest {
		rest[i] = i
	}
	var out [][]int
	for todo := [][]int{rest}; len(todo) > 0; {
		set := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		size := sizeOf(all, set)
		if size <= clusterSize*3/2 {
			if len(set) > 0 {
				out = append(out, set)
			}
			continue
		}
		with, without := divide(all, set)
		if with == nil {
			with, without = halve(all, set, size)
		}
		todo = append(todo, without, with)
	}
	return out
}

func sizeOf(all []sketch, set []int) int64 {
	n := int64(0)
	for _, i := range set {
		n += all[i].size
	}
	return n
}

// halve cuts a set in the middle of its bytes. Both halves are smaller than it,
// for a text is much smaller than a cluster.
func halve(all []sketch, set []int, size int64) (a, b []int) {
	n := int64(0)
	for k, i := range set {
		if n += all[i].size; n >= size/2 {
			return set[:k+1], set[k+1:]
		}
	}
	return set, nil
}

// divide splits a set by its best feature. with is nil if there is none.
func divide(all []sketch, set []int) (with, without []int) {
	best, score := -1, 0.0
	cand := candidates(all, set)
	for i, f := range cand {
		if f.bytes < minCluster || sizeOf(all, set)-f.bytes < minCluster {
			continue
		}
		sum := 0.0
		for k, g := range cand {
			if k != i {
				sum += association(f, g, len(set))
			}
		}
		if sum > score {
			best, score = i, sum
		}
	}
	if best < 0 {
		return nil, nil
	}
	for k, i := range set {
		if cand[best].has[k/64]>>(k%64)&1 == 1 {
			with = append(with, i)
		} else {
			without = append(without, i)
		}
	}
	return with, without
}

// feature is one of a set: which texts have it.
type feature struct {
	id    uint16
	n     int
	bytes int64
	has   []uint64 // bit k: the k-th of the set
}

// candidates returns the features that divide a set most evenly.
func candidates(all []sketch, set []int) []feature {
	counts := make([]int32, 1<<16)
	for _, i := range set {
		for _, f := range all[i].features {
			counts[f]++
		}
	}
	var out []feature
	for id, n := range counts {
		if n := int(n); n*32 >= len(set) && (len(set)-n)*32 >= len(set) && n > 0 {
			out = append(out, feature{id: uint16(id), n: n})
		}
	}
	even := func(f feature) int { return min(f.n, len(set)-f.n) }
	slices.SortFunc(out, func(a, b feature) int {
		return cmp.Or(cmp.Compare(even(b), even(a)), cmp.Compare(a.id, b.id))
	})
	out = out[:min(len(out), maxCandidates)]
	where := make([]int16, 1<<16) // place in out, plus one
	for i := range out {
		out[i].has = make([]uint64, (len(set)+63)/64)
		where[out[i].id] = int16(i + 1)
	}
	for k, i := range set {
		for _, f := range all[i].features {
			if w := where[f]; w > 0 {
				out[w-1].has[k/64] |= 1 << (k % 64)
				out[w-1].bytes += all[i].size
			}
		}
	}
	return out
}

// association is the square of the correlation of two features in a set of n.
func association(f, g feature, n int) float64 {
	both := 0
	for i, w := range f.has {
		both += bits.OnesCount64(w & g.has[i])
	}
	d := float64(both)*float64(n) - float64(f.n)*float64(g.n)
	return d / (float64(f.n) * float64(n-f.n)) * d / (float64(g.n) * float64(n-g.n))
}
