package password

import (
	"math"
	"slices"
	"strings"
	"unicode"
)

// The estimate follows the idea of zxcvbn (Wheeler, USENIX Security 2016): a password
// is cut into pieces that people are known to use, every piece costs as many guesses
// as there are likelier ones of its kind, and what fits no kind costs ten guesses a
// character. Among all cuts the cheapest counts.

const (
	// estimated is how many characters are looked at; what comes after makes a
	// password better only.
	estimated = 64
	minWord   = 3
	maxWord   = 24
	bruteRune = 10 // guesses per character that fits nothing
	// pieceCost is what an attacker pays for not knowing of how many pieces a
	// password consists.
	pieceCost = 10_000
)

// Kinds of pieces, as people read them.
const (
	kindBrute    = ""
	kindCommon   = "common words"
	kindPersonal = "personal words"
	kindKeyboard = "neighbouring keys"
	kindRepeat   = "repetitions"
	kindSequence = "sequences such as abc or 321"
	kindDate     = "dates or years"
)

// piece is a part of a password: runes i to j, exclusive.
type piece struct {
	i, j    int
	guesses float64
	kind    string
}

// estimate is what guess finds.
type estimate struct {
	total    float64
	kinds    []string // of the pieces, each once
	personal bool     // personal words make up a third of it or more
	unknown  int      // pieces that an attacker has to guess the number of
}

// reason names the pieces for people.
func (e estimate) reason() string {
	var known []string
	for _, k := range e.kinds {
		if k != kindBrute {
			known = append(known, k)
		}
	}
	if len(known) == 0 {
		return "too few characters"
	}
	return strings.Join(known, " and ")
}

// guess estimates password.
func (p *Policy) guess(password string, personal []string) estimate {
	runes := []rune(password)
	runes = runes[:min(len(runes), estimated)]
	m := matcher{words: p.words, personal: personalWords(personal)}
	return cheapest(len(runes), m.pieces(runes))
}

// cheapest finds the cut of n runes that costs least: the product of its pieces'
// guesses times the number of their orders, and pieceCost for each but the first.
func cheapest(n int, pieces []piece) estimate {
	if n == 0 {
		return estimate{total: 1}
	}
	byEnd := make([][]piece, n+1)
	for _, x := range pieces {
		byEnd[x.j] = append(byEnd[x.j], x)
	}
	// log[k][l] is the logarithm of the product for the first k runes in l pieces.
	log := make([][]float64, n+1)
	from := make([][]piece, n+1)
	for k := range log {
		log[k], from[k] = make([]float64, n+1), make([]piece, n+1)
		for l := range log[k] {
			log[k][l] = math.Inf(1)
		}
	}
	log[0][0] = 0
	for k := 1; k <= n; k++ {
		for _, x := range withBrute(byEnd[k], k) {
			cost := math.Log(x.guesses)
			for l := 1; l <= k; l++ {
				if c := log[x.i][l-1] + cost; c < log[k][l] {
					log[k][l], from[k][l] = c, x
				}
			}
		}
	}
	best, factorial := estimate{total: math.Inf(1)}, 1.0
	for l := 1; l <= n; l++ {
		factorial *= float64(l)
		if math.IsInf(log[n][l], 1) {
			continue
		}
		e := describe(n, l, from)
		if e.total = factorial*math.Exp(log[n][l]) + math.Pow(pieceCost, float64(e.unknown)); e.total < best.total {
			best = e
		}
	}
	return best
}

// describe looks at the cut of n runes in l pieces.
func describe(n, l int, from [][]piece) estimate {
	e := estimate{unknown: l - 1}
	own, known, signs := 0, 0, 0
	for k := n; l > 0; l-- {
		x := from[k][l]
		if !slices.Contains(e.kinds, x.kind) {
			e.kinds = append(e.kinds, x.kind)
		}
		switch {
		case x.kind == kindPersonal:
			own, known = own+x.j-x.i, known+1
		case x.kind == kindBrute && x.j-x.i == 1:
			signs++
		}
		k = x.i
	}
	slices.Sort(e.kinds)
	e.personal = 3*own >= n
	if known > 0 { // whoever tries what belongs to the person tries signs in between
		e.unknown = max(e.unknown-known-signs, 0)
	}
	return e
}

// withBrute adds the pieces that fit nothing and end at k.
func withBrute(list []piece, k int) []piece {
	out := slices.Clone(list)
	for i := range k {
		g := math.Pow(bruteRune, float64(k-i))
		if k-i == 1 {
			g++
		}
		out = append(out, piece{i, k, g, kindBrute})
	}
	return out
}

// variations is in how many ways a word can be written with capital letters, as far
// as an attacker has to try them.
func variations(word []rune) float64 {
	upper, lower := 0, 0
	for _, r := range word {
		if unicode.IsUpper(r) {
			upper++
		} else if unicode.IsLower(r) {
			lower++
		}
	}
	switch {
	case upper == 0:
		return 1
	case lower == 0, upper == 1 && (unicode.IsUpper(word[0]) || unicode.IsUpper(word[len(word)-1])):
		return 2
	}
	var sum float64
	for i := 1; i <= min(upper, lower); i++ {
		sum += choose(upper+lower, i)
	}
	return max(sum, 2)
}

func choose(n, k int) float64 {
	r := 1.0
	for i := 1; i <= k; i++ {
		r = r * float64(n-k+i) / float64(i)
	}
	return r
}
