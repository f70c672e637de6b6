package message

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of the text that is taken from the source of a message.
const (
	maxSource = 8 << 20   // bytes of source that are looked at
	maxBlock  = 256 << 10 // bytes of base64 without a declaration that are decoded
	shortBase = 16        // characters from which on a line may be base64
)

// source adds the lines of the message's source that have words which the text
// has not, but for parts that were read without a problem and for attachments in
// base64. Fields that name blind recipients are left out: who may see them is
// decided elsewhere.
func (t *texter) source() {
	at, left := int64(0), int64(maxSource)
	for _, p := range t.f.Parts {
		if p.Offset < at || !t.read[p.No] && (!encoded(p.Encoding) || strings.HasPrefix(p.Type, "text/")) {
			continue
		}
		left = t.lines(at, min(p.Offset, at+left), left)
		at = p.Offset + p.Length
	}
	t.lines(at, min(t.raw.Size(), at+left), left)
}

func encoded(e string) bool { return e == "base64" || strings.Contains(e, "uue") }

// lines adds the lines between two places and returns how many bytes may still
// be looked at.
func (t *texter) lines(from, to, left int64) int64 {
	if to <= from || t.full() {
		return left
	}
	r := bufio.NewReaderSize(io.NewSectionReader(t.raw, from, to-from), int(min(to-from, window)+16))
	var block []byte // base64 without a declaration
	hidden, whole := false, true
	for {
		piece, err := r.ReadSlice('\n')
		rest := bytes.TrimRight(piece, "\r\n")
		for more := true; more && len(piece) > 0; {
			var line []byte
			line, rest, more = bytes.Cut(rest, []byte("\r")) // lone CR ends lines, too
			if whole {
				hidden = blind(line, hidden)
			}
			whole = true
			switch {
			case hidden:
			case base64Line(line):
				block = append(block, line[:min(len(line), max(0, maxBlock-len(block)))]...)
			default:
				t.block(&block)
				t.sourceLine(line)
			}
		}
		whole = err == nil
		if err != nil && err != bufio.ErrBufferFull || t.full() {
			break
		}
	}
	t.block(&block)
	return left - (to - from)
}

// blind reports whether a line belongs to a field that names blind recipients;
// before tells whether the line before did.
func blind(line []byte, before bool) bool {
	if len(line) == 0 || line[0] == ' ' || line[0] == '\t' {
		return before && len(line) > 0
	}
	name, _, ok := bytes.Cut(line[:min(len(line), 40)], []byte(":"))
	name = bytes.TrimSpace(name)
	return ok && (bytes.EqualFold(name, []byte("bcc")) || bytes.EqualFold(name, []byte("resent-bcc")))
}

// sourceLine adds a line as it stands and as quoted-printable and encoded words
// would have it.
func (t *texter) sourceLine(line []byte) {
	s := string(bytes.TrimSpace(line))
	if s == "" || binary(s) {
		return
	}
	charset := ""
	if len(t.scan.leaves) > 0 {
		charset = t.scan.leaves[0].params["charset"]
	}
	if i := strings.IndexByte(s, '='); i >= 0 && i+2 < len(s) {
		q := quotedPrintable{}
		q.line([]byte(s), false)
		if q.out.Len() < len(s)-1 {
			t.line(clean(decodeField(q.out.String(), charset)))
		}
		if strings.Contains(s, "=?") {
			t.line(decodeField(s, charset))
		}
	}
	t.line(clean(raw8(s, charset)))
}

// binary reports whether a line is no text: it has control characters.
func binary(s string) bool {
	n := 0
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' && c != 0x1b || c == 0x7f {
			n++
		}
	}
	return n*10 > len(s)
}

// base64Line reports whether a line looks like base64: nothing but its alphabet,
// in groups of four, and letters as no word has them.
func base64Line(line []byte) bool {
	if len(line) < shortBase || len(line)%4 != 0 {
		return false
	}
	upper, lower, other := 0, 0, 0
	for _, c := range bytes.TrimRight(line, "=") {
		switch {
		case c >= 'A' && c <= 'Z':
			upper++
		case c >= 'a' && c <= 'z':
			lower++
		case isBase64(c):
			other++
		default:
			return false
		}
	}
	return upper > 0 && (other > 0 || upper > 1 && lower > 0 || upper == len(line))
}

// block takes base64 that was gathered: as text if it is one; else it is dropped,
// unless it is so little that it may be a word after all.
func (t *texter) block(b *[]byte) {
	if len(*b) == 0 {
		return
	}
	text, err := base64.StdEncoding.DecodeString(string(*b))
	switch {
	case err == nil && utf8.Valid(text) && !binary(string(text)):
		for line := range bytes.Lines(text) {
			t.line(clean(strings.TrimSpace(string(line))))
		}
	case len(*b) < 76:
		t.line(clean(string(*b)))
	}
	*b = (*b)[:0]
}

// words is a set of words, by their hashes: a wrong hit, once in 2⁶⁴ pairs, only
// keeps a line out of the text.
type words map[uint64]struct{}

// add takes the words of s and reports whether one of them is new. A word is a
// run of at least two letters or digits; case does not count.
func (w words) add(s string) bool {
	const prime = 1099511628211 // FNV-1a
	fresh, hash, n := false, uint64(14695981039346656037), 0
	end := func() {
		if n > 1 {
			if _, ok := w[hash]; !ok {
				w[hash], fresh = struct{}{}, true
			}
		}
		hash, n = 14695981039346656037, 0
	}
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9'):
		case r >= 'A' && r <= 'Z':
			r += 'a' - 'A'
		case r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			r = unicode.ToLower(r)
			n++ // a single ideograph is a word
		default:
			end()
			continue
		}
		hash = (hash ^ uint64(r)) * prime
		n++
	}
	end()
	return fresh
}
