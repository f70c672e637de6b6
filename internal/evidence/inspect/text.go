package inspect

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// maxShown bounds a piece of foreign text in a report, in characters.
const maxShown = 400

// utf8Text returns s as UTF-8; other bytes are taken for Windows-1252, which mails
// without a declaration mostly are.
func utf8Text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	t, err := charmap.Windows1252.NewDecoder().String(s)
	if err != nil {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return t
}

// clean makes foreign text harmless: line ends and tabs become spaces, characters that
// are invisible or turn the direction of writing are shown by their number, and what
// is too long is cut, visibly.
func clean(s string) string {
	var b strings.Builder
	n, space := 0, true
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		if n >= maxShown {
			b.WriteString(" […]")
			break
		}
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r == ' ' || r == '\u00a0':
			if !space {
				b.WriteByte(' ')
				n++
			}
			space = true
			continue
		case joins(r):
			continue
		case hidden(r):
			b.WriteString(number(r))
		default:
			b.WriteRune(r)
		}
		space = false
		n++
	}
	return strings.TrimSpace(b.String())
}

// hidden reports whether nobody would see r, or r changes how others are seen.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Co, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// joins reports whether r only tells how its neighbours are drawn, as in emoji.
func joins(r rune) bool {
	return unicode.Is(unicode.Variation_Selector, r) || r == '\u200c' || r == '\u200d' || r == '\u00ad'
}

// number shows a character by its number.
func number(r rune) string { return fmt.Sprintf("[U+%04X]", r) }
