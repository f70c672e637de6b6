package message

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decodeField decodes a header value for people: encoded words (RFC 2047) in
// their right and wrong forms, and raw bytes above ASCII, which are UTF-8
// (RFC 6532) or else of the message's character set.
func decodeField(s, charset string) string {
	if len(s) > maxField {
		s = s[:maxField]
	}
	if strings.Contains(s, "=?") {
		return clean(decodeWords(s, charset))
	}
	return clean(raw8(s, charset))
}

// raw8 reads bytes that nobody declared: UTF-8, else the character set of the
// message, else what they look like.
func raw8(s, charset string) string {
	escape := strings.IndexByte(s, 0x1b) >= 0
	if utf8.ValidString(s) && !escape {
		return s
	}
	if escape && charset == "" {
		charset = "iso-2022-jp"
	}
	if charset != "" {
		if out, ok := toUTF8([]byte(s), charset); ok && !replaced(out) {
			return out
		}
	}
	out, _ := undeclared([]byte(s))
	return out
}

// latin reads bytes as windows-1252.
func latin(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	out, _ := toUTF8([]byte(s), "windows-1252")
	return out
}

// decodeWords decodes all encoded words of s. Words side by side with the same
// character set are joined before they are decoded: many programs split
// characters between them.
func decodeWords(s, charset string) string {
	var out strings.Builder
	var run []byte // decoded bytes of the words before
	var runSet string
	flush := func() {
		if run != nil {
			text, _ := toUTF8(run, runSet)
			out.WriteString(text)
			run = nil
		}
	}
	for s != "" {
		i := strings.Index(s, "=?")
		if i < 0 {
			break
		}
		w, n, ok := encodedWord(s[i:])
		if !ok {
			flush()
			out.WriteString(raw8(s[:i+2], charset))
			s = s[i+2:]
			continue
		}
		if between := s[:i]; run == nil || strings.Trim(between, " \t") != "" {
			flush()
			out.WriteString(raw8(between, charset))
		}
		if run != nil && runSet != w.charset {
			flush()
		}
		run, runSet = append(run, w.bytes...), w.charset
		if run == nil {
			run = []byte{}
		}
		s = s[i+n:]
	}
	flush()
	out.WriteString(raw8(s, charset))
	return out.String()
}

type word struct {
	charset string
	bytes   []byte
}

// maxCharsetName bounds the name of a character set in an encoded word, bytes.
const maxCharsetName = 60

// encodedWord reads "=?charset?B or Q?text?=" at the start of s and returns how
// long it is. Spaces inside the text, a missing end, missing padding and a
// language suffix (RFC 2231 §5) are tolerated.
func encodedWord(s string) (word, int, bool) {
	q1 := strings.IndexByte(s[2:min(len(s), 3+maxCharsetName)], '?')
	if q1 <= 0 || strings.ContainsAny(s[2:2+q1], " \t=<>@") {
		return word{}, 0, false
	}
	charset, _, _ := strings.Cut(s[2:2+q1], "*")
	rest := s[3+q1:]
	if len(rest) < 2 || rest[1] != '?' {
		return word{}, 0, false
	}
	kind, text := rest[0]|0x20, rest[2:]
	if kind != 'b' && kind != 'q' {
		return word{}, 0, false
	}
	end, skip := wordEnd(text, kind)
	if end+skip == 0 {
		return word{}, 0, false
	}
	w := word{charset: strings.ToLower(strings.TrimSpace(charset))}
	n := 3 + q1 + 2 + end + skip
	if kind == 'q' {
		w.bytes = decodeQ(text[:end])
		return w, n, true
	}
	w.bytes = lenientBase64(text[:end])
	return w, n, true
}

// wordEnd finds where the text of an encoded word ends and how long the mark of
// the end is. Without "?=" the word ends before the next one, or at a space.
func wordEnd(text string, kind byte) (end, skip int) {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '?' && i+1 < len(text) && text[i+1] == '=':
			// In Q text, "?=" may begin with an unencoded question mark: "what?=3D?=".
			if kind == 'q' && i+3 < len(text) && isHex(text[i+2]) && isHex(text[i+3]) && endsLater(text[i+2:]) {
				continue
			}
			return i, 2
		case text[i] == '?' && (kind == 'b' || i+1 == len(text)):
			return i, 1 // base64 has no question mark: the end is broken
		case text[i] == '=' && i+1 < len(text) && text[i+1] == '?' && wordBegins(text[i:]):
			return len(strings.TrimRight(text[:i], " \t")), 0
		}
	}
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		return i, 0
	}
	return len(text), 0
}

// endsLater reports whether the word goes on: "?=" comes before any space.
func endsLater(s string) bool {
	if i := strings.IndexAny(s[:min(len(s), 200)], " \t"); i >= 0 {
		s = s[:i]
	}
	return strings.Contains(s[:min(len(s), 200)], "?=")
}

// wordBegins reports whether s begins an encoded word.
func wordBegins(s string) bool {
	q1 := strings.IndexByte(s[2:min(len(s), 3+maxCharsetName)], '?')
	if q1 <= 0 || strings.ContainsAny(s[2:2+q1], " \t=<>@") || len(s) < q1+5 {
		return false
	}
	kind := s[q1+3] | 0x20
	return s[q1+4] == '?' && (kind == 'b' || kind == 'q')
}

func isHex(c byte) bool { _, ok := unhex(c); return ok }

func unhex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// decodeQ decodes the Q encoding (RFC 2047 §4.2); what is no escape stays.
func decodeQ(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '_':
			out = append(out, ' ')
		case s[i] == '=' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			hi, _ := unhex(s[i+1])
			lo, _ := unhex(s[i+2])
			out = append(out, hi<<4|lo)
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return out
}

// lenientBase64 decodes base64 with spaces, with or without padding, of both
// alphabets; several padded pieces may follow each other.
func lenientBase64(s string) []byte {
	out := make([]byte, 0, base64.RawStdEncoding.DecodedLen(len(s)))
	var group [4]byte
	n := 0
	flush := func() {
		if n > 1 { // a lone character holds no byte
			out, _ = base64.RawStdEncoding.AppendDecode(out, group[:n]) // only characters of the alphabet are in it
		}
		n = 0
	}
	for i := range len(s) {
		c := s[i]
		switch c {
		case '-':
			c = '+'
		case '_':
			c = '/'
		case '=':
			flush()
			continue
		}
		if sextet(c) > 63 {
			continue
		}
		group[n] = c
		if n++; n == len(group) {
			flush()
		}
	}
	flush()
	return out
}

// piece is one part of a parameter by RFC 2231: name*1*=value.
type piece struct {
	index   int
	encoded bool
	value   string
}

// splitName takes "filename*1*" apart. ok is false for plain names.
func splitName(name string) (base string, index int, encoded, ok bool) {
	base, rest, found := strings.Cut(name, "*")
	if !found || base == "" {
		return name, 0, false, false
	}
	if rest == "" {
		return base, 0, true, true
	}
	rest, encoded = strings.CutSuffix(rest, "*")
	n, err := strconv.Atoi(rest)
	if err != nil || n < 0 || n > 1000 {
		return name, 0, false, false
	}
	return base, n, encoded, true
}

// joinPieces puts a split parameter together (RFC 2231 §3, §4).
func joinPieces(list []piece) string {
	slices.SortStableFunc(list, func(a, b piece) int { return a.index - b.index })
	charset, bytes := "", []byte(nil)
	list = slices.CompactFunc(list, func(a, b piece) bool { return a.index == b.index }) // the first of duplicates counts
	for i, p := range list {
		v := p.value
		if p.encoded && i == 0 {
			if c, rest, ok := strings.Cut(v, "'"); ok {
				if _, text, ok := strings.Cut(rest, "'"); ok {
					charset, v = strings.ToLower(c), text
				}
			}
		}
		if p.encoded || charset != "" && strings.Contains(v, "%") {
			bytes = append(bytes, unpercent(v)...)
		} else {
			bytes = append(bytes, v...)
		}
	}
	if charset == "" {
		return string(bytes)
	}
	s, _ := toUTF8(bytes, charset)
	return s
}

func unpercent(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			hi, _ := unhex(s[i+1])
			lo, _ := unhex(s[i+2])
			out = append(out, hi<<4|lo)
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}
