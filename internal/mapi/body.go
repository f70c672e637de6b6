package mapi

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
)

// utf8Body returns a body in UTF-8.
func utf8Body(kind, s string) body { return body{kind: kind, charset: "utf-8", data: []byte(s)} }

// bodies returns the bodies of the message, the plainest first, as
// multipart/alternative wants them (RFC 2046 §5.1.4). RTF that was made from HTML
// or text is nothing but that; RTF of its own stands beside the text.
func (m *Message) bodies() []body {
	var out []body
	plain, html, rich := m.Text(IDBody), m.html(), m.rich()
	kind := rtfKind(rich)
	if rich != nil && html.data == nil && kind == rtfHTML {
		if s := readRTF(rich, true); strings.TrimSpace(s) != "" {
			html = utf8Body("html", s)
		}
	}
	if strings.TrimSpace(plain) == "" && rich != nil && html.data == nil {
		plain = readRTF(rich, false)
	}
	if strings.TrimSpace(plain) != "" {
		out = append(out, utf8Body("plain", plain))
	}
	if rich != nil && html.data == nil && kind == rtfPlain {
		out = append(out, body{kind: "rtf", data: rich})
	}
	if html.data != nil {
		out = append(out, html)
	}
	return out
}

// rich returns the RTF body, nil if there is none.
func (m *Message) rich() []byte {
	b := m.Bytes(IDRTFCompressed)
	if len(b) == 0 {
		return nil
	}
	out, err := decompressRTF(b)
	if err != nil {
		m.Warn("%v", err)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// html returns the HTML body; bytes stay as they are.
func (m *Message) html() body {
	switch v := m.Get(IDHTML).(type) {
	case string:
		if strings.TrimSpace(v) != "" {
			return utf8Body("html", v)
		}
	case ANSI:
		return m.htmlBytes(v)
	case []byte:
		return m.htmlBytes(v)
	}
	return body{}
}

// htmlBytes finds the character set of HTML: the code page of the message if the
// bytes can be that, else what the HTML says.
func (m *Message) htmlBytes(b []byte) body {
	if len(b) == 0 {
		return body{}
	}
	cp := int(m.Int(IDInternetCodepage))
	enc, name := page(cp)
	if enc == nil || cp == utf8Page && !utf8.Valid(b) || cp == asciiPage && !ascii(b) {
		_, name, _ = charset.DetermineEncoding(b[:min(len(b), 4096)], "text/html")
	}
	return body{kind: "html", charset: name, data: b}
}
