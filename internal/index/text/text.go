// Package text turns text into the tokens an index stores and a query asks for.
// There is one way from text to tokens (Scanner), so that what is indexed, what
// is searched and what is highlighted always agree.
//
// Rules, for people: docs/search.md "How words match". In short: letters and
// digits make tokens, everything else separates them; case, accents, width and
// ligatures do not count, ß is ss; soft hyphens and zero-width characters do not
// exist; Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese become pairs of
// characters. An e-mail address or a number such as RE-2024/0815 is a sequence
// of tokens: its parts are found alone, the whole is found as a sequence.
//
// The package knows nothing of queries, documents and back ends. Everything is
// safe for concurrent use, except one Scanner.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxToken is the length in bytes to which a token is cut. Longer ones are
	// machine noise; a query is cut in the same way and so still finds them.
	MaxToken = 64
	// MaxTokens is how many tokens of a document's text are indexed: about 7 MB
	// of prose. What follows is not found.
	MaxTokens = 1_000_000
)

// Token is a normalised token and the bytes of the text it stands for.
type Token struct {
	Text       string
	Start, End int
}

// Tokens returns at most max tokens of s.
func Tokens(s string, max int) []Token {
	var out []Token
	sc := NewScanner(s)
	for len(out) < max && sc.Next() {
		out = append(out, Token{Text: string(sc.Token()), Start: sc.Start(), End: sc.End()})
	}
	return out
}

// Words returns at most max tokens of s without their places.
func Words(s string, max int) []string {
	var out []string
	sc := NewScanner(s)
	for len(out) < max && sc.Next() {
		out = append(out, string(sc.Token()))
	}
	return out
}

// Sequence returns the tokens to look for side by side, at most max, where
// someone searches for s. If open, the last one is only the beginning of a token.
//
// It differs from Words at the end of s: the last character of a run of Chinese
// may go on in the text, so it is either dropped, because the pair before holds
// it, or, standing alone, open.
func Sequence(s string, max int) (tokens []string, open bool) {
	found := Tokens(s, max)
	if len(found) == 0 {
		return nil, false
	}
	for _, t := range found {
		tokens = append(tokens, t.Text)
	}
	last := found[len(found)-1]
	r, n := utf8.DecodeRuneInString(last.Text)
	if n != len(last.Text) || kindOf(r) != pair {
		return tokens, false
	}
	if len(found) > 1 && last.Start < found[len(found)-2].End {
		return tokens[:len(tokens)-1], false
	}
	return tokens, true
}

// Pair reports whether a token is of a script that is indexed in pairs of
// characters, as Chinese is.
func Pair(token string) bool {
	r, _ := utf8.DecodeRuneInString(token)
	return kindOf(r) == pair
}

// Key returns the form of a whole value (category, tag, name of a source) in
// which values are compared: letters folded as in tokens, spaces as one
// underscore, everything else kept apart as hexadecimal. It consists of letters,
// digits and underscores and is empty only for blank values.
func Key(value string) string {
	var b strings.Builder
	space := false
	f := folds()
	value = strings.TrimSpace(value)
	for len(value) > 0 {
		r, n := decode(value)
		value = value[n:]
		if unicode.IsSpace(r) {
			space = true
			continue
		}
		if space {
			b.WriteByte('_')
			space = false
		}
		switch kindOf(r) {
		case letter, mark:
			b.WriteString(f.fold(r))
		case pair:
			b.WriteRune(r)
		case ignored:
		default:
			writeEscaped(&b, r)
		}
	}
	return shorten(b.String())
}
