package mapi

import (
	"bytes"
	"fmt"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of header fields.
const (
	lineLength   = 76       // characters of a line that is folded (RFC 5322 §2.1.1 asks for 78 at most)
	maxWord      = 200      // characters of a word without a space that is written as it is
	maxTextField = 64 << 10 // bytes of a text that goes into one field; the rest is left out
)

// oneLine makes a foreign text fit for a header field: valid UTF-8 on one line
// without control characters.
func oneLine(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029' || r == '\u0085':
			return ' '
		case unicode.IsControl(r) || r == '\uFEFF':
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// plain reports whether s can stand in a field as it is.
func plain(s string) bool {
	word := 0
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
		if word++; s[i] == ' ' {
			word = 0
		}
		if word > maxWord {
			return false
		}
	}
	return !strings.Contains(s, "=?")
}

// encodeText writes an unstructured text (RFC 2047 §5 (1)).
func encodeText(s string) string {
	s = oneLine(s)
	if len(s) > maxTextField {
		s = strings.ToValidUTF8(s[:maxTextField], "")
	}
	if plain(s) {
		return s
	}
	high := 0
	for _, r := range s {
		if r >= utf8.RuneSelf {
			high++
		}
	}
	if high*4 > utf8.RuneCountInString(s) {
		return forceWords(mime.BEncoding, s)
	}
	return forceWords(mime.QEncoding, s)
}

// forceWords encodes also what needs no encoding but must not stand as it is.
func forceWords(e mime.WordEncoder, s string) string {
	if out := e.Encode("utf-8", s); out != s {
		return out
	}
	var out []string
	for len(s) > 0 {
		n := min(len(s), 20) // three characters each at most, and the frame, fit a word
		var w strings.Builder
		for i := range n {
			fmt.Fprintf(&w, "=%02X", s[i])
		}
		out = append(out, "=?utf-8?q?"+w.String()+"?=")
		s = s[n:]
	}
	return strings.Join(out, " ")
}

// phrase writes a display name (RFC 5322 §3.2.5).
func phrase(s string) string {
	s = oneLine(s)
	if s == "" {
		return ""
	}
	if !plain(s) { // in base64, because the Q of package mime leaves characters that no phrase may have
		return forceWords(mime.BEncoding, strings.ToValidUTF8(s[:min(len(s), maxTextField)], ""))
	}
	if strings.IndexFunc(s, func(r rune) bool { return !atom(r) && r != ' ' }) < 0 && !strings.Contains(s, "  ") {
		return s
	}
	return quote(s)
}

// atom reports whether r may stand in an atom (RFC 5322 §3.2.3).
func atom(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

// quote writes a quoted string (RFC 5322 §3.2.4).
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// fields collects a header.
type fields struct {
	buf bytes.Buffer
}

// add appends a field, folded at spaces (RFC 5322 §2.2.3). The value must be
// encoded already.
func (f *fields) add(name, value string) {
	f.buf.WriteString(name)
	f.buf.WriteByte(':')
	column := len(name) + 1
	for i, first := 0, true; i < len(value) || first; first = false {
		// a piece is the spaces before a word and the word
		j := i
		for j < len(value) && value[j] == ' ' {
			j++
		}
		for j < len(value) && value[j] != ' ' {
			j++
		}
		piece := value[i:j]
		if first {
			piece = " " + piece
		}
		if !first && column+len(piece) > lineLength && strings.Trim(piece, " ") != "" {
			f.buf.WriteString("\r\n")
			column = 0
		}
		f.buf.WriteString(piece)
		column += len(piece)
		i = j
	}
	f.buf.WriteString("\r\n")
}

// parameter writes "; name=value" of a MIME field: as a quoted string, or by
// RFC 2231 if the value has other than ASCII characters or is long.
func parameter(name, value string) string {
	value = oneLine(value)
	if len(value) <= 60 && ascii([]byte(value)) && !strings.Contains(value, "=?") {
		return "; " + name + "=" + quote(value)
	}
	const room = 54 // characters of a value on one line
	var pieces []string
	var b strings.Builder
	for _, r := range value {
		enc := percent(string(r))
		if b.Len()+len(enc) > room {
			pieces = append(pieces, b.String())
			b.Reset()
		}
		b.WriteString(enc)
	}
	pieces = append(pieces, b.String())
	if len(pieces) == 1 {
		return "; " + name + "*=utf-8''" + pieces[0]
	}
	var out strings.Builder
	for i, p := range pieces {
		set := ""
		if i == 0 {
			set = "utf-8''"
		}
		fmt.Fprintf(&out, "; %s*%d*=%s%s", name, i, set, p)
	}
	return out.String()
}

// percent encodes what is no attribute-char (RFC 2231 §7).
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$&+-.^_`{|}~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
