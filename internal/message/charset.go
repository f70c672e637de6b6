package message

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
)

// aliases are names of character sets that programs write and the registries do
// not know.
func alias(name string) string {
	switch name {
	case "utf8mb4", "utf_8", "utf-8-sig", "unicode-1-1-utf-8", "x-unicode-2-0-utf-8":
		return "utf-8"
	case "cp932", "ms932", "x-sjis", "shift-jis", "ms_kanji", "csshiftjis", "windows-31j":
		return "shift_jis"
	case "cp936", "ms936", "x-gbk", "gb_2312-80", "chinesesimplified":
		return "gbk"
	case "cp949", "ms949", "ks_c_5601-1987", "korean":
		return "euc-kr"
	case "cp950", "ms950", "big5-hkscs:2004":
		return "big5"
	case "ansi_x3.4-1968", "646", "us", "iso646-us", "unknown-8bit", "x-unknown", "unknown", "default", "x-user-defined", "_iso-8859-1$esc", "8bit", "binary", "none":
		return "windows-1252"
	case "iso-8859-8-i", "iso-8859-8-e", "visual":
		return "iso-8859-8"
	case "utf-16", "utf16", "ucs-2", "iso-10646-ucs-2":
		return "utf-16be"
	}
	for _, prefix := range []string{"cp-", "cp", "win-", "win", "windows", "x-cp", "ibm-", "ibm"} {
		if n, ok := strings.CutPrefix(name, prefix); ok && len(n) >= 3 && len(n) <= 4 && strings.Trim(n, "0123456789") == "" {
			if strings.HasPrefix(n, "125") || n == "874" {
				return "windows-" + n
			}
			return "ibm" + n
		}
	}
	for _, prefix := range []string{"iso8859-", "iso8859_", "iso_8859-", "iso-8859_", "latin-"} {
		if n, ok := strings.CutPrefix(name, prefix); ok {
			n, _, _ = strings.Cut(n, ":")
			return "iso-8859-" + n
		}
	}
	return name
}

// toUTF8 decodes b. ok is false if nobody knows the character set: then b is
// taken as UTF-8 or windows-1252, whatever fits.
func toUTF8(b []byte, name string) (s string, ok bool) {
	name = alias(strings.ToLower(strings.Trim(strings.TrimSpace(name), `"'`)))
	switch name {
	case "utf-8", "utf8":
		if utf8.Valid(b) {
			return string(b), true
		}
		return decodeLabel(b, "windows-1252")
	case "us-ascii", "ascii", "":
		if utf8.Valid(b) {
			return string(b), true
		}
		return decodeLabel(b, "windows-1252")
	case "utf-7", "unicode-1-1-utf-7", "x-unicode-2-0-utf-7":
		return decodeUTF7(b), true
	case "utf-32", "utf-32be", "utf-32le":
		return decodeUTF32(b, name == "utf-32le"), true
	}
	return decodeLabel(b, name)
}

func decodeLabel(b []byte, name string) (string, bool) {
	enc, _ := charset.Lookup(name)
	if enc == nil {
		if utf8.Valid(b) {
			return string(b), false
		}
		enc, _ = charset.Lookup("windows-1252")
		out, err := enc.NewDecoder().Bytes(b)
		if err != nil {
			return strings.ToValidUTF8(string(b), "\uFFFD"), false
		}
		return string(out), false
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD"), false
	}
	return string(out), true
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
