package text

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// kind is what a character is to the scanner.
type kind uint8

const (
	separator kind = iota
	letter         // also digits
	mark           // continues a token: the vowels of many scripts
	pair           // of a script that is indexed in pairs
	ignored        // does not exist: invisible, or an accent
)

// kindOf is asked for every character beyond ASCII, so it begins with what is
// frequent.
func kindOf(r rune) kind {
	t := folds()
	switch {
	case int(r) < len(t.kinds):
		return t.kinds[r]
	case r >= 0x2000 && r <= 0x20ff && !invisible(r) && !unicode.IsNumber(r) && !unicode.IsLetter(r):
		return separator // dashes, quotes, currency
	case r >= 0x4e00 && r <= 0x9fff || r >= 0xac00 && r <= 0xd7a3:
		return pair
	}
	return kindSlow(r)
}

func kindSlow(r rune) kind {
	switch {
	case invisible(r) || accent(r):
		return ignored
	case paired(r):
		return pair
	case unicode.IsLetter(r) || unicode.IsNumber(r):
		if foldSlow(r) == "" {
			return separator
		}
		return letter
	case unicode.IsMark(r):
		return mark
	}
	return separator
}

// paired reports whether r belongs to a script that does not put spaces between
// words, or, as Korean, inflects so much that pairs find more.
func paired(r rune) bool {
	if r < 0x0e00 {
		return false
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) && (unicode.IsLetter(r) || unicode.IsMark(r)) ||
		r == 'ー' // U+30FC, the long vowel, is common to two scripts
}

// invisible reports whether r changes nothing that a reader sees: soft hyphen,
// zero-width characters, direction and variation marks.
func invisible(r rune) bool {
	return r == 0xad || r == 0x34f || r == 0x61c || r == 0x180e || r >= 0x200b && r <= 0x200f ||
		r >= 0x202a && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r >= 0xfe00 && r <= 0xfe0f || r == 0xfeff ||
		r >= 0xe0100 && r <= 0xe01ef
}

// accent reports whether r is a mark without which a word is still the same to
// someone who searches: combining accents, Hebrew points, Arabic vowel signs,
// Japanese voicing marks that belong to nothing. In other scripts marks are
// vowels and count.
func accent(r rune) bool {
	return r >= 0x300 && r <= 0x36f || r >= 0x591 && r <= 0x5c7 && unicode.Is(unicode.Mn, r) ||
		r >= 0x64b && r <= 0x65f || r == 0x670 || r == 0x640 ||
		r == 0x3099 || r == 0x309a || r >= 0x1ab0 && r <= 0x1aff || r >= 0x1dc0 && r <= 0x1dff
}

// foldTable holds kind and folded form of the characters below its length, which
// are the letters of nearly all mail; the others are looked at when they occur.
type foldTable struct {
	kinds  []kind
	folded []string
}

// folds returns the table; it is made once and never changes.
var folds = sync.OnceValue(func() *foldTable {
	const n = 0x2000
	t := &foldTable{kinds: make([]kind, n), folded: make([]string, n)}
	for r := range rune(n) {
		t.kinds[r], t.folded[r] = kindSlow(r), foldSlow(r)
	}
	return t
})

// fold returns r without case, accent, width and ligature.
func (t *foldTable) fold(r rune) string {
	if int(r) < len(t.folded) {
		return t.folded[r]
	}
	return foldSlow(r)
}

func foldSlow(r rune) string {
	// Accents go first: one of Greek has an upper case that is a letter.
	bare := strings.Map(func(r rune) rune {
		if accent(r) || invisible(r) {
			return -1
		}
		return r
	}, norm.NFKD.String(string(r)))
	// Fold swaps the cases of Cherokee; lower case after it settles that.
	s := norm.NFKD.String(strings.ToLower(cases.Fold().String(bare)))
	var b strings.Builder
	for _, r := range s {
		if accent(r) || invisible(r) || !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) {
			continue
		}
		b.WriteString(plain(r))
	}
	// Decomposed: some vowels of India can be written as one character or two.
	return b.String()
}

// plain maps letters that Unicode does not decompose to what people type.
func plain(r rune) string {
	switch r {
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'ø':
		return "o"
	case 'đ', 'ð':
		return "d"
	case 'ł':
		return "l"
	case 'ħ':
		return "h"
	case 'ı':
		return "i"
	case 'þ':
		return "th"
	}
	return string(r)
}

// decode returns the first character of s in composed form and how many bytes
// it takes. Only Korean and Japanese need composition here: their decomposed and
// half-width characters would otherwise make other pairs.
func decode(s string) (rune, int) {
	r, n := utf8.DecodeRuneInString(s)
	switch {
	case r < 0x1100:
		return r, n
	case r == utf8.RuneError && n <= 1:
		return ' ', max(n, 1)
	case r >= 0x1100 && r <= 0x11ff || r >= 0xf900 && r <= 0xfaff || r >= 0xff00 && r <= 0xffef || r >= 0x2f800 && r <= 0x2fa1f:
	case r >= 0x3041 && r <= 0x30fe:
		// A voicing mark (U+3099, U+309A) may follow: E3 82 99, E3 82 9A.
		if len(s) < n+3 || s[n] != 0xe3 || s[n+1] != 0x82 || s[n+2] != 0x99 && s[n+2] != 0x9a {
			return r, n
		}
	default:
		return r, n
	}
	return compose(s, r, n)
}

// compose returns the character that the first characters of s, of which r takes
// n bytes, make together.
func compose(s string, r rune, n int) (rune, int) {
	most := norm.NFKC.NextBoundaryInString(s, true)
	for end := n; end <= most; {
		c := norm.NFKC.String(s[:end])
		q, k := utf8.DecodeRuneInString(c)
		if k != len(c) {
			break
		}
		r, n = q, end
		_, k = utf8.DecodeRuneInString(s[end:])
		end += max(k, 1)
	}
	return r, n
}

// writeEscaped writes a character that is neither letter nor space into a key.
func writeEscaped(b *strings.Builder, r rune) {
	b.WriteString("__")
	b.WriteString(strconv.FormatInt(int64(r), 16))
	b.WriteByte('_')
}

// maxKey bounds keys; a longer one ends in a hash of the whole.
const maxKey = 120

func shorten(key string) string {
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return string(cutTo([]byte(key), maxKey-20)) + "__" + hex.EncodeToString(sum[:8])
}

func cutTo(b []byte, n int) []byte {
	for n > 0 && !utf8.RuneStart(b[n]) {
		n--
	}
	return b[:n]
}
