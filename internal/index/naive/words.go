package naive

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/runes"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// maxWord is how many bytes of a word count.
const maxWord = 64

// word is a word of a text, or a single character of a script that does not
// put spaces between words.
type word struct {
	text  string
	char  bool // a single character
	glued bool // a single character that another one follows
}

var (
	// unseen characters do not exist: soft hyphen, grapheme joiner, zero-width
	// characters, marks of direction and variation.
	unseen = &unicode.RangeTable{R16: []unicode.Range16{
		{0xad, 0xad, 1}, {0x34f, 0x34f, 1}, {0x61c, 0x61c, 1}, {0x180e, 0x180e, 1}, {0x200b, 0x200f, 1}, {0x202a, 0x202e, 1},
		{0x2060, 0x206f, 1}, {0xfe00, 0xfe0f, 1}, {0xfeff, 0xfeff, 1},
	}, R32: []unicode.Range32{{0xe0100, 0xe01ef, 1}}}
	// accents are combining diacritical marks, Hebrew points, Arabic vowel signs.
	accents = &unicode.RangeTable{R16: []unicode.Range16{
		{0x300, 0x36f, 1}, {0x591, 0x5bd, 1}, {0x5bf, 0x5bf, 1}, {0x5c1, 0x5c2, 1}, {0x5c4, 0x5c5, 1}, {0x5c7, 0x5c7, 1},
		{0x640, 0x640, 1}, {0x64b, 0x65f, 1}, {0x670, 0x670, 1}, {0x1ab0, 0x1aff, 1}, {0x1dc0, 0x1dff, 1},
	}}
	voicing = &unicode.RangeTable{R16: []unicode.Range16{{0x3099, 0x309a, 1}}}
	spelled = strings.NewReplacer("æ", "ae", "œ", "oe", "ø", "o", "đ", "d", "ð", "d", "ł", "l", "ħ", "h", "ı", "i", "þ", "th")
)

// plain returns s without what does not count: width, accents, what is unseen.
// Bytes that are not UTF-8 become spaces.
func plain(s string) string {
	s = strings.ToValidUTF8(s, " ")
	s = width.Fold.String(runes.Remove(runes.In(unseen)).String(s))
	s = runes.Remove(runes.In(accents)).String(norm.NFD.String(s))
	return runes.Remove(runes.In(voicing)).String(norm.NFC.String(s))
}

// counts reports whether r is part of a word.
func counts(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.M) && (r < 0x20d0 || r > 0x20f0)
}

// alone reports whether r is of a script without spaces, or of Korean.
func alone(r rune) bool {
	return r == 'ー' || unicode.In(r, unicode.L, unicode.M) && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana,
		unicode.Hangul, unicode.Bopomofo, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// folded returns the letters and digits r stands for, without case.
func folded(r rune) string {
	if r < 0x80 {
		return string(unicode.ToLower(r))
	}
	s := runes.Remove(runes.In(accents)).String(norm.NFKD.String(string(r)))
	s = runes.Remove(runes.In(accents)).String(norm.NFKD.String(strings.ToLower(cases.Fold().String(s))))
	s = runes.Remove(runes.Predicate(func(r rune) bool { return !counts(r) })).String(s)
	return spelled.Replace(s)
}

// words cuts a text into words.
func words(s string) []word {
	var out []word
	var b strings.Builder
	cut := false
	flush := func() {
		if b.Len() > 0 {
			out = append(out, word{text: b.String()})
		}
		b.Reset()
		cut = false
	}
	previous := false // the rune before is a single character
	for _, r := range plain(s) {
		switch {
		case alone(r):
			flush()
			if previous {
				out[len(out)-1].glued = true
			}
			out = append(out, word{text: string(r), char: true})
			previous = true
			continue
		case unicode.IsMark(r) && b.Len() == 0 && counts(r): // belongs to nothing
		case counts(r) && folded(r) != "":
			for _, f := range folded(r) {
				if cut = cut || b.Len()+len(string(f)) > maxWord; !cut {
					b.WriteRune(f)
				}
			}
		default:
			flush()
		}
		previous = false
	}
	flush()
	return out
}

// whole returns the form in which whole values are compared: folded, but with
// all signs, and one space for several.
func whole(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(plain(s)), " ") {
		if counts(r) && !alone(r) {
			b.WriteString(folded(r))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
