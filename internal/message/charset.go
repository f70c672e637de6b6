package message

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// aliases are names of character sets that programs write and the registries do
// not know.
func alias(name string) string {
	switch name {
	case "utf8", "utf8mb4", "utf_8", "utf 8", "utf-8utf-8", "x-utf-8", "\ufeffutf-8", "unicode-utf-8", "utf-8-sig", "unicode-1-1-utf-8", "x-unicode-2-0-utf-8":
		return "utf-8"
	case "cp932", "ms932", "cp-932", "windows-932", "x-sjis", "sjis", "s-jis", "shift-jis", "ms_kanji", "csshiftjis", "windows-31j":
		return "shift_jis"
	case "cp936", "ms936", "cp-936", "windows-936", "gb2312-80", "x-gbk", "gb_2312-80", "chinesesimplified":
		return "gbk"
	case "cp949", "ms949", "ks_c_5601", "ks_c_5601-1987", "ks_c_5601-1989", "ksc5601", "ksc_5601", "ks-c-5601", "korean", "uhc":
		return "euc-kr"
	case "cp950", "ms950", "big5-hkscs:2004":
		return "big5"
	case "unknown-8bit", "x-unknown", "unknown", "default", "x-user-defined", "user-defined", "8bit", "7bit", "binary", "none", "x-binaryenc", "charset", "utf-8 or us-ascii":
		return "" // as good as nothing: the bytes must tell
	case "ansi", "x-ansi", "cp-ansi", "_iso-8859-1$esc", "iso-8859", "8859-1", "western", "latin":
		return "windows-1252"
	case "ansi_x3.4-1968", "646", "us", "iso646-us", "ansi_x3.110-1983", "usascii", "us_ascii", "asci", "iso-ascii":
		return "us-ascii"
	case "iso-8859-8-i", "iso-8859-8-e", "visual":
		return "iso-8859-8"
	case "utf16", "ucs-2", "iso-10646-ucs-2", "unicode", "csunicode":
		return "utf-16"
	}
	for _, prefix := range []string{"cp-", "cp", "win-", "win", "windows", "x-cp", "ibm-", "ibm"} {
		if n, ok := strings.CutPrefix(name, prefix); ok && len(n) >= 3 && len(n) <= 4 && strings.Trim(n, "0123456789") == "" {
			if strings.HasPrefix(n, "125") || n == "874" {
				return "windows-" + n
			}
			return "ibm" + n
		}
	}
	for _, prefix := range []string{"iso-8859", "iso8859", "iso_8859", "iso 8859", "8859", "latin-", "x-iso-8859"} {
		if n, ok := strings.CutPrefix(name, prefix); ok {
			n, _, _ = strings.Cut(strings.TrimLeft(n, "-_ "), ":")
			return strings.TrimSuffix("iso-8859-"+n, "-i")
		}
	}
	return name
}

// toUTF8 decodes b. ok is false if the declaration does not hold: nobody knows
// the character set, or bytes mean nothing in it. Then what the bytes look like
// decides: UTF-8, or what guess names.
func toUTF8(b []byte, name string) (s string, ok bool) {
	name = alias(strings.ToLower(strings.Trim(strings.TrimSpace(name), `"'`)))
	switch name {
	case "utf-8", "us-ascii", "ascii", "":
		if utf8.Valid(b) {
			return string(b), true
		}
		s, _ := undeclared(b)
		return s, name == "" || name == "us-ascii"
	case "utf-7", "unicode-1-1-utf-7", "x-unicode-2-0-utf-7", "unicode-2-0-utf-7":
		return decodeUTF7(b), true
	case "utf-16", "utf-16le", "utf-16be":
		return decodeUTF16(b, name), true
	case "utf-32", "utf-32be", "utf-32le":
		return decodeUTF32(b, name == "utf-32le"), true
	case "iso-2022-kr":
		return decodeISO2022KR(b), true
	}
	enc := lookup(name)
	if enc == nil {
		return undeclared(b)
	}
	if western(name) && above(b) && utf8.Valid(b) {
		return string(b), true // what looks like UTF-8 never is anything else
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil || replaced(string(out)) && above(b) {
		if utf8.Valid(b) || err != nil {
			return undeclared(b)
		}
		return strings.ToValidUTF8(string(out), "\uFFFD"), false
	}
	return strings.ToValidUTF8(string(out), "\uFFFD"), true
}

// lookup finds the decoder of a character set, nil if nobody knows it: those of
// the web first, because they are right about what Latin-1 means in practice.
func lookup(name string) encoding.Encoding {
	if name == "hz-gb-2312" {
		return simplifiedchinese.HZGB2312
	}
	if enc, _ := charset.Lookup(name); enc != nil && enc != encoding.Replacement {
		return enc
	}
	if enc, err := ianaindex.MIME.Encoding(name); err == nil && enc != nil {
		return enc
	}
	return nil
}

// undeclared decodes bytes of which nothing is known.
func undeclared(b []byte) (string, bool) {
	if utf8.Valid(b) {
		return string(b), false
	}
	if mostlyUTF8(b) {
		return strings.ToValidUTF8(string(b), "\uFFFD"), false
	}
	enc, _ := charset.Lookup(guess(b))
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD"), false
	}
	return strings.ToValidUTF8(string(out), "\uFFFD"), false
}

func western(name string) bool {
	return name == "windows-1252" || name == "iso-8859-1" || name == "iso-8859-15" || name == "latin1"
}

// above reports whether b has bytes above ASCII.
func above(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return true
		}
	}
	return false
}

// decodeUTF16 decodes UTF-16 (RFC 2781). Without a byte order mark and a name
// that tells, the order is that in which most high bytes are zero, else big
// endian.
func decodeUTF16(b []byte, name string) string {
	little := name == "utf-16le"
	switch {
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		little, b = true, b[2:]
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		little, b = false, b[2:]
	case name == "utf-16":
		even, odd := 0, 0
		for i, c := range b[:min(len(b), 4096)] {
			if c == 0 && i%2 == 0 {
				even++
			} else if c == 0 {
				odd++
			}
		}
		little = odd > even
	}
	units := make([]uint16, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		if little {
			units = append(units, uint16(b[i+1])<<8|uint16(b[i]))
		} else {
			units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
		}
	}
	return string(utf16.Decode(units))
}

// decodeISO2022KR decodes RFC 1557: between SO and SI stands EUC-KR with the
// high bits off.
func decodeISO2022KR(b []byte) string {
	out := make([]byte, 0, len(b))
	shifted := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case bytes.HasPrefix(b[i:], []byte("\x1b$)C")):
			i += 3
		case c == 0x0e:
			shifted = true
		case c == 0x0f:
			shifted = false
		case c == '\n':
			shifted = false
			out = append(out, c)
		case shifted && c > ' ':
			out = append(out, c|0x80)
		default:
			out = append(out, c)
		}
	}
	s, err := korean.EUCKR.NewDecoder().Bytes(out)
	if err != nil {
		return latin(string(b))
	}
	return string(s)
}

// decodeUTF7 decodes UTF-7 (RFC 2152); what is wrong stays as it is.
func decodeUTF7(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		i := bytes.IndexByte(b, '+')
		if i < 0 {
			out.WriteString(latin(string(b)))
			break
		}
		out.WriteString(latin(string(b[:i])))
		b = b[i+1:]
		n := 0
		for n < len(b) && isBase64(b[n]) {
			n++
		}
		if n == 0 {
			out.WriteByte('+')
			if len(b) > 0 && b[0] == '-' {
				b = b[1:]
			}
			continue
		}
		raw := make([]byte, base64.RawStdEncoding.DecodedLen(n))
		m, _ := base64.RawStdEncoding.Decode(raw, b[:n])
		units := make([]uint16, 0, m/2)
		for j := 0; j+1 < m; j += 2 {
			units = append(units, uint16(raw[j])<<8|uint16(raw[j+1]))
		}
		out.WriteString(string(utf16.Decode(units)))
		b = b[n:]
		if len(b) > 0 && b[0] == '-' {
			b = b[1:]
		}
	}
	return out.String()
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

func decodeUTF32(b []byte, little bool) string {
	var out strings.Builder
	for i := 0; i+3 < len(b); i += 4 {
		r := rune(b[i])<<24 | rune(b[i+1])<<16 | rune(b[i+2])<<8 | rune(b[i+3])
		if little {
			r = rune(b[i+3])<<24 | rune(b[i+2])<<16 | rune(b[i+1])<<8 | rune(b[i])
		}
		if r != 0xFEFF {
			out.WriteRune(r)
		}
	}
	return out.String()
}
