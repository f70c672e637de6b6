package fts

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/muniment/muniment/internal/index"
)

// The beginnings of a document are those of its words, each once.
func TestPrefixes(t *testing.T) {
	t.Parallel()
	var p prefixes
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9äßж日]{1,6}`), 0, 30).Draw(t, "words")
		want := map[string]bool{}
		var body []byte
		for _, w := range words {
			body = append(append(body, w...), ' ')
			r := []rune(w)
			for n := shortPrefix; n <= min(longPrefix, len(r)); n++ {
				want[string(r[:n])] = true
			}
		}
		got := strings.Fields(p.fill(&columns{body: body}, &index.Doc{}))
		if len(got) == 0 || got[0] != termAll {
			t.Fatalf("the first term is not %s: %q", termAll, got)
		}
		var list []string
		for w := range want {
			list = append(list, w)
		}
		slices.Sort(list)
		got = slices.Clone(got[1:])
		slices.Sort(got)
		if !slices.Equal(got, list) {
			t.Fatalf("beginnings of %q are %q, want %q", words, got, list)
		}
	})
}

func BenchmarkPrefixes(b *testing.B) {
	var p prefixes
	body := []byte(strings.Repeat("the quick brown fox jumps over lazy dogs and 2026 other animals müde würfel ", 40))
	for b.Loop() {
		p.fill(&columns{body: body}, &index.Doc{})
	}
}
