package text

import (
	"slices"
	"strings"
)

// MaxVariants bounds the tokens that stand for one word of a query.
const MaxVariants = 32

// Variants returns the tokens that mean the same as a typed word of one token:
// the token itself first, other spellings of umlauts (Müller, Mueller), then
// inflections of German and English (Rechnung, Rechnungen; invoice, invoiced).
// Inflections are guessed by rule, not by dictionary. A word without a token has
// none.
func Variants(word string) []string {
	out := Spellings(word)
	for _, t := range out[:len(out):len(out)] {
		for _, f := range forms(t) {
			if !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out[:min(len(out), MaxVariants)]
}

// Spellings returns the token of a typed word and, after it, the tokens of its
// other spellings: ae, oe, ue for ä, ö, ü and the other way round.
func Spellings(word string) []string {
	out := Words(word, 1)
	if len(out) == 0 {
		return nil
	}
	add := func(s string) {
		if w := Words(s, 1); len(w) == 1 && !slices.Contains(out, w[0]) {
			out = append(out, w[0])
		}
	}
	spelled := strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue",
		"ø", "oe", "Ø", "Oe", "å", "aa", "Å", "Aa",
		"a\u0308", "ae", "o\u0308", "oe", "u\u0308", "ue", "A\u0308", "Ae", "O\u0308", "Oe", "U\u0308", "Ue").Replace(word)
	add(spelled)
	add(contract(out[0]))
	return out
}

// contract writes ae, oe, ue as a, o, u, except where the e belongs to another
// sound, as in neue, Bauer, Quelle.
func contract(token string) string {
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		c := token[i]
		b.WriteByte(c)
		if i+1 < len(token) && token[i+1] == 'e' && (c == 'a' || c == 'o' || c == 'u') {
			if c != 'u' || i == 0 || !strings.ContainsRune("aeq", rune(token[i-1])) {
				i++
			}
		}
	}
	return b.String()
}

// minStem is what a suffix must leave. With three letters Tim would find time.
const minStem = 4

// stem strips the endings of German and English that do not change what a word
// is about, until none is left. Only words of plain letters have endings.
func stem(w string) string {
	for {
		s := stemOnce(w)
		if s == w {
			return s
		}
		w = s
	}
}

func stemOnce(w string) string {
	if n := len(w); n > 5 && strings.HasSuffix(w, "ies") {
		return w[:n-3] + "y"
	}
	for _, end := range []string{"ern", "ing", "em", "en", "er", "ed", "e", "s"} {
		s, ok := strings.CutSuffix(w, end)
		if !ok || len(s) < minStem {
			continue
		}
		switch end {
		case "s":
			if last := s[len(s)-1]; last == 's' || last == 'u' || last == 'i' {
				continue // address, status, Preis: not a plural
			}
		case "ing", "ed":
			return undouble(s)
		}
		return s
	}
	return w
}

// undouble turns plann into plan.
func undouble(s string) string {
	n := len(s)
	if n > minStem && s[n-1] == s[n-2] && strings.IndexByte("bdgmnprt", s[n-1]) >= 0 {
		return s[:n-1]
	}
	return s
}

// forms returns the words that have the same stem as token, of the endings
// that occur.
func forms(token string) []string {
	for i := range len(token) { // every token has at least one byte
		if token[i] < 'a' || token[i] > 'z' {
			return nil
		}
	}
	s := stem(token)
	var out []string
	add := func(f string) {
		if stem(f) == s {
			out = append(out, f)
		}
	}
	for _, end := range []string{"", "e", "s", "en", "es", "er", "n", "em", "ern", "ed", "ing", "ens", "ers", "ings"} {
		add(s + end)
	}
	last := s[len(s)-1]
	if last == 'y' {
		add(s[:len(s)-1] + "ies")
	}
	if strings.IndexByte("bdgmnprt", last) >= 0 {
		add(s + string(last) + "ing")
		add(s + string(last) + "ed")
	}
	return out
}
