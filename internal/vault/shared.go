package vault

import (
	"cmp"
	"math"
	"math/rand/v2"
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

// roller hashes every stretch of grain bytes of a text. Its base is random, so that
// nobody can write mail for which the table of hashes becomes a list.
type roller struct{ base, top uint64 }

func newRoller() roller {
	r := roller{base: rand.Uint64()<<3 | 5, top: 1}
	for range grain - 1 {
		r.top *= r.base
	}
	return r
}

// each calls fn with the hash of every grain of b. Two different grains practically
// never have the same.
func (r roller) each(b []byte, fn func(at int, h uint64)) {
	if len(b) < grain {
		return
	}
	h := uint64(0)
	for _, c := range b[:grain] {
		h = h*r.base + uint64(c) + 1
	}
	fn(0, h)
	for i := grain; i < len(b); i++ {
		h = (h-(uint64(b[i-grain])+1)*r.top)*r.base + uint64(b[i]) + 1
		fn(i-grain+1, h)
	}
}

// grainTable tells in how many texts a grain occurs, of those that occur in
// enough. It is a hash table with open addressing.
type grainTable struct {
	keys []uint64 // 0: free
	n    []uint16 // 0: found once already
	mask uint64
}

func (t *grainTable) at(h uint64) int {
	for i := (h ^ h>>29) & t.mask; ; i = (i + 1) & t.mask {
		if t.keys[i] == h || t.keys[i] == 0 {
			return int(i)
		}
	}
}

// reset makes room for n grains.
func (t *grainTable) reset(n int) {
	size := 8
	for size < 2*n {
		size *= 2
	}
	if cap(t.keys) < size {
		t.keys, t.n = make([]uint64, size), make([]uint16, size)
	}
	t.keys, t.n, t.mask = t.keys[:size], t.n[:size], uint64(size-1)
	clear(t.keys)
}

// countGrains tells for every byte of every text in how many texts the grain that
// starts there occurs: 0 if in too few, or if it has started before.
func countGrains(texts [][]byte) [][]uint16 {
	counts := make([][]uint16, len(texts))
	for i, text := range texts {
		counts[i] = make([]uint16, len(text))
	}
	roll := newRoller()
	var t grainTable
	var all, one []uint64
	for pass := range uint64(grainPasses) {
		all = all[:0]
		for _, text := range texts {
			one = one[:0]
			roll.each(text, func(_ int, h uint64) {
				if h%grainPasses == pass && h != 0 {
					one = append(one, h)
				}
			})
			slices.Sort(one)
			all = append(all, slices.Compact(one)...)
		}
		slices.Sort(all)
		t.fill(all)
		for i, text := range texts {
			roll.each(text, func(at int, h uint64) {
				if h%grainPasses != pass {
					return
				}
				if k := t.at(h); t.keys[k] == h {
					counts[i][at], t.n[k] = t.n[k], 0
				}
			})
		}
	}
	return counts
}

// fill puts those of the sorted grains into the table that occur often enough.
func (t *grainTable) fill(all []uint64) {
	each := func(fn func(h uint64, n int)) {
		for i := 0; i < len(all); {
			k := i + 1
			for k < len(all) && all[k] == all[i] {
				k++
			}
			if k-i >= minSharers {
				fn(all[i], k-i)
			}
			i = k
		}
	}
	size := 0
	each(func(uint64, int) { size++ })
	t.reset(size)
	each(func(h uint64, n int) {
		k := t.at(h)
		t.keys[k], t.n[k] = h, uint16(min(n, math.MaxUint16))
	})
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
	var runs []sharedRun
	size := 0
	for i, counts := range countGrains(texts) {
		for _, r := range sharedRuns(texts[i], counts) {
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

// sharedRuns returns the stretches of a text that are shared and new. Every byte
// of a stretch is within a grain that others have too.
func sharedRuns(text []byte, counts []uint16) []sharedRun {
	var out []sharedRun
	start, end, sum := 0, 0, int64(0)
	for at, n := range counts {
		if n == 0 {
			continue
		}
		if at >= end && end > 0 {
			out = append(out, sharedRun{text[start:end], sum})
			sum = 0
		}
		if sum == 0 {
			start = at
		}
		end = at + grain
		sum += int64(n)
	}
	if sum > 0 {
		out = append(out, sharedRun{text[start:end], sum})
	}
	return out
}
