package message

import (
	"bytes"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// htmlText reduces HTML to its text. The tokenizer does not build a tree, so
// deep nesting costs nothing.
func htmlText(s string) string {
	z := html.NewTokenizer(strings.NewReader(s))
	z.SetMaxBuf(1 << 20)
	w := textWriter{}
	skip := atom.Atom(0) // the element whose content is no text
	for {
		switch z.Next() {
		case html.ErrorToken:
			return w.b.String()
		case html.TextToken:
			if skip == 0 {
				w.text(z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, attrs := z.TagName()
			tag := atom.Lookup(name)
			if skip == 0 {
				w.element(tag)
				if attrs && tag == atom.Img {
					w.alt(z)
				}
			}
			if skip == 0 && hidden(tag) {
				skip = tag
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			tag := atom.Lookup(name)
			if tag == skip {
				skip = 0
			}
			w.element(tag)
		}
	}
}

func hidden(tag atom.Atom) bool {
	switch tag {
	case atom.Script, atom.Style, atom.Title, atom.Template, atom.Noscript, atom.Svg, atom.Math:
		return true
	}
	return false
}

// textWriter joins pieces of text as a browser would set them.
type textWriter struct {
	b     strings.Builder
	space bool
	lines int // line breaks at the end
}

// text adds the words of s, with one space wherever there was any.
func (w *textWriter) text(s []byte) {
	for rest := s; len(rest) > 0; {
		word := bytes.TrimLeftFunc(rest, unicode.IsSpace)
		w.space = w.space || len(word) < len(rest)
		if len(word) == 0 {
			return
		}
		n := bytes.IndexFunc(word, unicode.IsSpace)
		if n < 0 {
			n = len(word)
		}
		if w.space && w.lines == 0 && w.b.Len() > 0 {
			w.b.WriteByte(' ')
		}
		w.b.Write(word[:n])
		w.lines, w.space = 0, false
		rest = word[n:]
	}
}

func (w *textWriter) element(tag atom.Atom) {
	switch tag {
	case atom.Br, atom.Div, atom.Tr, atom.Li, atom.Dt, atom.Dd, atom.Hr, atom.Option, atom.Center, atom.Section, atom.Article, atom.Header, atom.Footer:
		w.breakLine(1)
	case atom.P, atom.Table, atom.Ul, atom.Ol, atom.Blockquote, atom.Pre, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.breakLine(2)
	case atom.Td, atom.Th:
		w.space = true
	}
}

func (w *textWriter) breakLine(n int) {
	for w.b.Len() > 0 && w.lines < n {
		w.b.WriteByte('\n')
		w.lines++
	}
	w.space = false
}

func (w *textWriter) alt(z *html.Tokenizer) {
	for {
		key, val, more := z.TagAttr()
		if string(key) == "alt" {
			w.text(slices.Concat([]byte(" "), val, []byte(" ")))
		}
		if !more {
			return
		}
	}
}
