package message

import (
	"context"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// texts fills Facts.Text: the plain texts in order; where a part is offered in
// several forms, the plain one, else the HTML without its markup.
func (f *Facts) texts(ctx context.Context, raw Raw, s *scanner) {
	var b strings.Builder
	var html []Part // HTML bodies whose alternative has no plain text
	plain := map[*entity]bool{}
	for i, p := range f.Parts {
		e := s.leaves[i]
		if p.Attachment && p.Disposition == "attachment" {
			continue
		}
		switch {
		case p.Type == "text/html":
			f.HTML = true
		case p.Type == "text/plain" || p.Type == "" || p.Type == "text/enriched" || p.Type == "text/rfc822-headers" || p.Type == "message/delivery-status":
			if t, ok := f.plainText(ctx, raw, p, &b); ok && strings.TrimSpace(t) != "" && e.parent != nil && e.parent.mediaType == "multipart/alternative" {
				plain[e.parent] = true
			}
		}
	}
	for i, p := range f.Parts {
		if e := s.leaves[i]; p.Type == "text/html" && p.Disposition != "attachment" && !plain[e.parent] {
			html = append(html, p)
		}
	}
	for _, p := range html {
		if b.Len() >= maxText || ctx.Err() != nil {
			f.Truncated = true
			break
		}
		t, cut := readText(raw, p, maxText)
		f.Truncated = f.Truncated || cut
		appendText(&b, htmlText(t))
	}
	if b.Len() == 0 && len(f.Warnings) > 0 && len(f.Parts) > 0 {
		f.fallback(raw, s, &b)
	}
	f.Text = strings.TrimSpace(clean(normalizeLines(b.String())))
}

func (f *Facts) plainText(ctx context.Context, raw Raw, p Part, b *strings.Builder) (string, bool) {
	if b.Len() >= maxText || ctx.Err() != nil {
		f.Truncated = true
		return "", false
	}
	t, cut := readText(raw, p, int64(maxText-b.Len()))
	f.Truncated = f.Truncated || cut
	if p.Type == "text/enriched" {
		t = htmlText(t)
	}
	appendText(b, t)
	return t, true
}

// fallback takes the raw body as text: better found by a fragment than not at all.
func (f *Facts) fallback(raw Raw, s *scanner, b *strings.Builder) {
	body := Part{Type: "text/plain", Offset: s.root.start, Length: raw.Size() - s.root.start}
	t, cut := readText(raw, body, 256<<10)
	f.Truncated = f.Truncated || cut
	appendText(b, t)
}

func appendText(b *strings.Builder, t string) {
	if strings.TrimSpace(t) == "" {
		return
	}
	if b.Len() > 0 {
		b.WriteString("\n\n")
	}
	b.WriteString(t)
}

func normalizeLines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

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
				w.text(string(z.Text()))
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

func (w *textWriter) text(s string) {
	for _, word := range strings.Fields(s) {
		if i := strings.Index(s, word); i > 0 {
			w.space = true
		}
		if w.space && w.lines == 0 && w.b.Len() > 0 {
			w.b.WriteByte(' ')
		}
		w.b.WriteString(word)
		w.lines, w.space = 0, true
	}
	w.space = s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\n' || s[len(s)-1] == '\t' || s[len(s)-1] == '\r') || strings.TrimSpace(s) == "" && w.space
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
			w.text(" " + string(val) + " ")
		}
		if !more {
			return
		}
	}
}
