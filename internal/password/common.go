package password

import (
	_ "embed"
	"strings"
)

// common holds words that people use as passwords, each list with the most frequent
// first, an empty line between the lists: leaked passwords, German words, first names,
// family names. It was compiled from public lists of frequencies.
//
//go:embed common.txt
var common string

// loadCommon returns the rank of every word, from 1. A word with umlauts is known as
// well as it is written without them.
func loadCommon() map[string]int {
	words := make(map[string]int, strings.Count(common, "\n"))
	umlauts := strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss")
	rank := 0
	for line := range strings.Lines(common) {
		w := strings.TrimSuffix(line, "\n")
		if rank++; w == "" {
			rank = 0
			continue
		}
		for _, w := range []string{w, umlauts.Replace(w)} {
			if have := words[w]; have == 0 || rank < have {
				words[w] = rank
			}
		}
	}
	return words
}
