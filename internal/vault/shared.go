package vault

import (
	"cmp"
	"slices"
)

// Bounds of what a dictionary is made of.
const (
	// grain is the length of the shortest text that counts as shared, in bytes.
	// Shorter ones find more and say less: 24 was best of 16 to 40.
	grain = 24
	// minSharers is the number of messages that must have a text before it goes
	// into a dictionary: what only one says dies with its key. Three instead of
	// two takes 4 % more space, for most of what mail repeats is quoted once.
	minSharers = 2
	// grainPasses divides the memory for counting.
	grainPasses = 8
)

// grainPrime is the base of the rolling hash.
const grainPrime = 0x9E3779B185EBCA87

// eachGrain calls fn with the hash of every grain of b. Two different grains
// practically never have the same.
func eachGrain(b []byte, fn func(at int, h uint64)) {
	if len(b) < grain {
		return
	}
	top := uint64(1) // grainPrime to the power of grain-1
	for range grain - 1 {
		top *= grainPrime
	}
	h := uint64(0)
	for _, c := range b[:grain] {
		h = h*grainPrime + uint64(c) + 1
	}
	fn(0, h)
	for i := grain; i < len(b); i++ {
		h = (h-(uint64(b[i-grain])+1)*top)*grainPrime + uint64(b[i]) + 1
		fn(i-grain+1, h)
	}
}

// grainTable tells in how many texts a grain occurs, of those that occur in
// enough. It is a hash table with open addressing.
type grainTable struct {
	keys []uint64 // 0: free
	n    []int32  // negative: taken into the dictionary already
	mask uint64
}

func (t *grainTable) at(h uint64) int {
	for i := (h ^ h>>29) & t.mask; ; i = (i + 1) & t.mask {
		if t.keys[i] == h || t.keys[i] == 0 {
			return int(i)
		}
	}
}

// countGrains finds the grains that at least minSharers of the texts have.
func countGrains(texts [][]byte) *grainTable {
	var shared []uint64
	var counts []int32
	var all, one []uint64
	for pass := range uint64(grainPasses) {
		all = all[:0]
		for _, text := range texts {
			one = one[:0]
			eachGrain(text, func(_ int, h uint64) {
				if h%grainPasses == pass && h != 0 {
					one = append(one, h)
				}
			})
			slices.Sort(one)
			all = append(all, slices.Compact(one)...)
		}
		slices.Sort(all)
		for i := 0; i < len(all); {
			k := i + 1
			for k < len(all) && all[k] == all[i] {
				k++
			}
			if k-i >= minSharers {
				shared = append(shared, all[i])
				counts = append(counts, int32(k-i))
			}
			i = k
		}
	}
	size := 8
	for size < 2*len(shared) {
		size *= 2
	}
	t := &grainTable{keys: make([]uint64, size), n: make([]int32, size), mask: uint64(size - 1)}
	for i, h := range shared {
		at := t.at(h)
		t.keys[at], t.n[at] = h, counts[i]
	}
	return t
}

// sharedRun is a stretch of a text that others have too.
type sharedRun struct {
	text []byte
	sum  int64 // how many texts have each of its grains, added up
}

// sharedText returns up to limit bytes of what at least minSharers of the texts
// have in common, each stretch once and the most frequent last, where
// a reference to it is shortest. Of too much, what saves most is taken: that is
// long and frequent.
func sharedText(texts [][]byte, limit int) []byte {
	t := countGrains(texts)
	var runs []sharedRun
	size := 0
	for _, text := range texts {
		for _, r := range t.runs(text) {
			runs = append(runs, r)
			size += len(r.text)
		}
	}
	slices.SortStableFunc(runs, func(a, b sharedRun) int { return cmp.Compare(a.sum, b.sum) })
	for size > limit {
		size -= len(runs[0].text)
		runs = runs[1:]
	}
	slices.SortStableFunc(runs, func(a, b sharedRun) int {
		return cmp.Compare(a.sum*int64(len(b.text)), b.sum*int64(len(a.text)))
	})
	out := make([]byte, 0, size)
	for _, r := range runs {
		out = append(out, r.text...)
	}
	return out
}

// runs returns the stretches of a text that are shared and that no call before
// has returned. Every byte of a stretch is within a grain that others have too.
func (t *grainTable) runs(text []byte) []sharedRun {
	var out []sharedRun
	start, end, sum := -1, 0, int64(0)
	flush := func() {
		if start >= 0 {
			out = append(out, sharedRun{text[start:end], sum})
		}
		start, sum = -1, 0
	}
	eachGrain(text, func(at int, h uint64) {
		i := t.at(h)
		if t.keys[i] != h || t.n[i] < 0 {
			if start >= 0 && at >= end {
				flush()
			}
			return
		}
		if start < 0 {
			start = at
		}
		end = at + grain
		sum += int64(t.n[i])
		t.n[i] = -t.n[i]
	})
	flush()
	return out
}
