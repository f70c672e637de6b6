package manual

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// anchor is the paragraph above a heading that gives it its name in addresses, the same
// in all languages. On pages that show Markdown, it works as it stands there.
var anchor = regexp.MustCompile(`^<a id="([a-z0-9-]+)"></a>$`)

// render makes a page of Markdown. HTML in it is left out, but for anchors.
func render(markdown []byte) (*Page, error) {
	md := goldmark.New(goldmark.WithExtensions(extension.Table))
	doc := md.Parser().Parse(text.NewReader(markdown))
	p := &Page{}
	for n := doc.FirstChild(); n != nil; {
		next := n.NextSibling()
		if h, ok := n.(*ast.Heading); ok && h.Level == 1 {
			p.Title = plain(h, markdown)
		}
		if id := anchorOf(n, markdown); id != "" {
			h, ok := next.(*ast.Heading)
			if !ok {
				return nil, fmt.Errorf("the anchor %q stands above no heading", id)
			}
			h.SetAttributeString("id", []byte(id))
			p.Sections = append(p.Sections, Section{ID: id, Title: plain(h, markdown)})
			doc.RemoveChild(doc, n)
		}
		n = next
	}
	if p.Title == "" {
		return nil, errors.New("the page has no title")
	}
	if err := relink(doc); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := md.Renderer().Render(&out, markdown, doc); err != nil {
		return nil, err
	}
	p.body = template.HTML(out.String()) //nolint:gosec // our own text, without HTML of its own
	return p, nil
}

// anchorOf returns the id if a paragraph is nothing but an anchor.
func anchorOf(n ast.Node, source []byte) string {
	p, ok := n.(*ast.Paragraph)
	if !ok {
		return ""
	}
	m := anchor.FindSubmatch(bytes.TrimSpace(p.Lines().Value(source)))
	if m == nil {
		return ""
	}
	return string(m[1])
}

// relink lets links lead to pages of the browser instead of files, and has pictures
// loaded when they come into sight.
func relink(doc ast.Node) error {
	return ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			page, fragment, found := strings.Cut(string(n.Destination), "#")
			page = strings.TrimSuffix(page, ".md")
			if found {
				page += "#" + fragment
			}
			n.Destination = []byte(page)
		case *ast.Image:
			n.SetAttributeString("loading", []byte("lazy"))
		}
		return ast.WalkContinue, nil
	})
}

// plain returns the text of a heading.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Segment.Value(source))
		} else {
			b.WriteString(plain(c, source))
		}
	}
	return b.String()
}
