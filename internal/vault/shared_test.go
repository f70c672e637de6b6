package vault

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What goes into a dictionary is what others have too: every byte of it.
func TestSharedTextIsShared(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z ]{10,60}`), 3, 8).Draw(t, "sentences")
		var texts [][]byte
		for range rapid.IntRange(0, 6).Draw(t, "texts") {
			var text []byte
			for range rapid.IntRange(0, 8).Draw(t, "length") {
				if rapid.Bool().Draw(t, "own") {
					text = append(text, rapid.StringMatching(`[0-9]{1,40}`).Draw(t, "words")...)
				} else {
					text = append(text, rapid.SampledFrom(words).Draw(t, "sentence")...)
				}
			}
			texts = append(texts, text)
		}
		limit := rapid.IntRange(0, 2000).Draw(t, "limit")
		got := sharedText(texts, limit)
		if len(got) > limit {
			t.Fatalf("%d bytes, limit %d", len(got), limit)
		}
		for i, counts := range countGrains(texts) {
			for _, r := range sharedRuns(texts[i], counts) {
				shared(t, texts, r.text)
				if limit >= 1<<11 && !bytes.Contains(got, r.text) {
					t.Fatalf("%q is not in the text", r.text)
				}
			}
		}
		if total := len(sharedText(texts, 1<<20)); total > 0 && limit > total && len(got) != total {
			t.Fatalf("%d bytes of %d, limit %d", len(got), total, limit)
		}
	})
}

// shared makes sure that each byte of run is within a grain that enough texts have.
func shared(t *rapid.T, texts [][]byte, run []byte) {
	covered := 0
	for at := 0; at+grain <= len(run); at++ {
		n := 0
		for _, text := range texts {
			if bytes.Contains(text, run[at:at+grain]) {
				n++
			}
		}
		if n >= minSharers {
			if at > covered {
				break
			}
			covered = at + grain
		}
	}
	if covered != len(run) {
		t.Fatalf("byte %d of %q is in too few of %q", covered, run, texts)
	}
}

func TestSharedTextPutsFrequentLast(t *testing.T) {
	t.Parallel()
	var texts [][]byte
	for i := range 10 {
		text := fmt.Sprintf("%d This sentence stands in every single one of them. %d", i, i*i)
		if i < 3 {
			text += " And this other one stands in three of them only."
		}
		texts = append(texts, []byte(text))
	}
	got := string(sharedText(texts, 1000))
	often, seldom := strings.Index(got, "stands in every single one"), strings.Index(got, "stands in three of them")
	if often < seldom || seldom < 0 {
		t.Errorf("shared text = %q", got)
	}
	if got := string(sharedText(texts, 60)); !strings.Contains(got, "every single") || strings.Contains(got, "other one") {
		t.Errorf("shared text of at most 60 bytes = %q", got)
	}
}

// Every text is in one cluster, none is too large, and kinds stay together.
func TestClusters(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	const kinds = 5
	var all []sketch
	var kind []int
	for i := range 4000 {
		k := rnd.IntN(kinds)
		text := fmt.Sprintf("List-Id: <list-%c>\nX-Mailer: mailer of %c\nSubject: number %d\nDate: 2026\nReceived: by server-%c\n", 'a'+k, 'a'+k, i, 'a'+k)
		s := sketchOf([]byte(text))
		s.size = 10<<10 + rnd.Int64N(10<<10)
		all = append(all, s)
		kind = append(kind, k)
	}
	sets := clusters(all)
	seen := make([]bool, len(all))
	for _, set := range sets {
		if !slices.IsSorted(set) {
			t.Errorf("a cluster is out of order")
		}
		if size := sizeOf(all, set); size > clusterSize*3/2 {
			t.Errorf("a cluster of %d bytes", size)
		}
		for _, i := range set {
			if seen[i] {
				t.Errorf("text %d is in two clusters", i)
			}
			seen[i] = true
		}
	}
	if i := slices.Index(seen, false); i >= 0 {
		t.Errorf("text %d is in no cluster", i)
	}
	mixed := 0
	for _, set := range sets {
		for _, i := range set {
			if kind[i] != kind[set[0]] {
				mixed++
			}
		}
	}
	if mixed > 0 {
		t.Errorf("%d of %d texts are in a cluster of another kind; %d clusters", mixed, len(all), len(sets))
	}
}

// Texts that tell nothing are divided by size.
func TestClustersOfNothing(t *testing.T) {
	t.Parallel()
	if got := clusters(nil); len(got) != 0 {
		t.Errorf("clusters of nothing: %v", got)
	}
	all := make([]sketch, 100)
	for i := range all {
		all[i] = sketch{size: 1 << 20}
	}
	n := 0
	for _, set := range clusters(all) {
		if len(set) > 12 {
			t.Errorf("a cluster of %d texts of 1 MiB", len(set))
		}
		n += len(set)
	}
	if n != len(all) {
		t.Errorf("%d texts of %d", n, len(all))
	}
}
