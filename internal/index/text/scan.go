package text

import "unicode/utf8"

// Scanner cuts a text into tokens. The zero Scanner is at the end of an empty
// text.
type Scanner struct {
	s          string
	pos        int
	start, end int
	full       bool // buf was cut
	buf        []byte
}

// NewScanner returns a Scanner over s. Bytes that are not UTF-8 separate tokens.
func NewScanner(s string) *Scanner {
	return &Scanner{s: s, buf: make([]byte, 0, MaxToken+utf8.UTFMax*4)}
}

// Reset starts over with s.
func (sc *Scanner) Reset(s string) { *sc = Scanner{s: s, buf: sc.buf[:0]} }

// Token returns the current token. It is valid until the next call of Next.
func (sc *Scanner) Token() []byte { return sc.buf }

// Start returns the offset in bytes of the first character of the token.
func (sc *Scanner) Start() int { return sc.start }

// End returns the offset in bytes after the last character of the token.
func (sc *Scanner) End() int { return sc.end }

// Next moves to the next token and reports whether there is one.
func (sc *Scanner) Next() bool {
	sc.buf, sc.full = sc.buf[:0], false
	s, i := sc.s, sc.pos
	for i < len(s) {
		// The fast way: ASCII, which most mail is.
		c := ascii[s[i]]
		if c > 1 {
			if len(sc.buf) == 0 {
				sc.start = i
			}
			for c > 1 {
				if len(sc.buf) < MaxToken && !sc.full {
					sc.buf = append(sc.buf, c)
				}
				if i++; i == len(s) {
					break
				}
				c = ascii[s[i]]
			}
			sc.end = i
			continue
		}
		if c == 0 {
			i++
			if len(sc.buf) > 0 {
				break
			}
			continue
		}
		n, done := sc.wide(i)
		i = n
		if done {
			break
		}
	}
	sc.pos = i
	return len(sc.buf) > 0
}

// wide handles the character at i, which is not ASCII. It returns where to go on
// and whether the token is complete.
func (sc *Scanner) wide(i int) (next int, done bool) {
	r, n := decode(sc.s[i:])
	k := kindOf(r)
	if k == mark && len(sc.buf) == 0 { // belongs to nothing
		k = ignored
	}
	switch k {
	case letter, mark:
		if len(sc.buf) == 0 {
			sc.start = i
		}
		if len(sc.buf) < MaxToken && !sc.full {
			sc.buf = append(sc.buf, folds().fold(r)...)
			n := len(sc.buf)
			sc.buf = cut(sc.buf)
			sc.full = len(sc.buf) < n
		}
		sc.end = i + n
		return i + n, false
	case ignored: // an accent belongs to the letter before it
		if len(sc.buf) > 0 {
			sc.end = i + n
		}
		return i + n, false
	case pair:
		if len(sc.buf) > 0 {
			return i, true
		}
		return sc.pair(i, r, n), true
	default:
		return i + n, len(sc.buf) > 0
	}
}

// pair makes the token that begins with r of n bytes at i: with the character
// that follows, or alone at the end of a run.
func (sc *Scanner) pair(i int, r rune, n int) (next int) {
	sc.start, sc.end = i, i+n
	sc.buf = utf8.AppendRune(sc.buf, r)
	j := i + n
	for j < len(sc.s) && sc.s[j] >= utf8.RuneSelf {
		q, m := decode(sc.s[j:])
		switch kindOf(q) {
		case pair:
			sc.buf = utf8.AppendRune(sc.buf, q)
			sc.end = j + m
			return j
		case ignored:
			j += m
		default:
			return j
		}
	}
	return j
}

// cut shortens b to MaxToken bytes of whole characters.
func cut(b []byte) []byte {
	if len(b) <= MaxToken {
		return b
	}
	n := MaxToken
	for n > 0 && !utf8.RuneStart(b[n]) {
		n--
	}
	return b[:n]
}

// ascii maps a byte to its lower-case letter or digit; 0 separates tokens, 1
// begins a character beyond ASCII.
var ascii = asciiTable()

func asciiTable() (t [256]byte) {
	for c := range 256 {
		switch {
		case c >= utf8.RuneSelf:
			t[c] = 1
		case c >= 'A' && c <= 'Z':
			t[c] = byte(c) + 'a' - 'A'
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			t[c] = byte(c)
		}
	}
	return t
}
