package message

import (
	"encoding/base64"
	"sort"
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

// raw8 reads bytes that nobody declared.
func raw8(s, charset string) string {
	if utf8.ValidString(s) && !strings.ContainsRune(s, 0x1b) {
		return s
	}
	if charset != "" {
		if out, ok := toUTF8([]byte(s), charset); ok && !strings.ContainsRune(out, utf8.RuneError) {
			return out
		}
	}
	if utf8.ValidString(s) {
		return s
	}
	return latin(s)
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

// encodedWord reads "=?charset?B or Q?text?=" at the start of s and returns how
// long it is. Spaces inside the text, missing padding and a language suffix
// (RFC 2231 §5) are tolerated.
func encodedWord(s string) (word, int, bool) {
	q1 := strings.IndexByte(s[2:], '?')
	if q1 <= 0 || q1 > 60 {
		return word{}, 0, false
	}
	charset, _, _ := strings.Cut(s[2:2+q1], "*")
	rest := s[3+q1:]
	if len(rest) < 2 || rest[1] != '?' {
		return word{}, 0, false
	}
	kind, text := rest[0]|0x20, rest[2:]
	end := strings.Index(text, "?=")
	if end < 0 || kind != 'b' && kind != 'q' {
		return word{}, 0, false
	}
	// In Q text, "?=" may begin with an unencoded question mark: "what?=3D?=".
	for kind == 'q' && len(text) > end+3 && isHex(text[end+2]) && isHex(text[end+3]) {
		next := strings.Index(text[end+2:], "?=")
		if next < 0 {
			break
		}
		end += 2 + next
	}
	n := 3 + q1 + 2 + end + 2
	w := word{charset: strings.ToLower(strings.TrimSpace(charset))}
	if kind == 'b' {
		b, ok := lenientBase64(text[:end])
		if !ok {
			return word{}, 0, false
		}
		w.bytes = b
		return w, n, true
	}
	w.bytes = decodeQ(text[:end])
	return w, n, true
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
func lenientBase64(s string) ([]byte, bool) {
	buf := make([]byte, 0, len(s))
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '-':
			c = '+'
		case c == '_':
			c = '/'
		case c == '=' || c == ' ' || c == '\t':
			continue
		}
		buf = append(buf, c)
	}
	if len(buf)%4 == 1 {
		buf = buf[:len(buf)-1] // a lone character holds no byte
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(buf)))
	n, err := base64.RawStdEncoding.Decode(out, buf)
	return out[:n], err == nil || n > 0
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
	sort.SliceStable(list, func(i, j int) bool { return list[i].index < list[j].index })
	charset, bytes := "", []byte(nil)
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
