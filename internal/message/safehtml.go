package message

import (
	"errors"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
)

// ErrNoHTML is returned by SafeHTML for a message without an HTML body.
var ErrNoHTML = errors.New("message has no HTML body")

// maxHTML bounds the HTML that is shown, in bytes.
const maxHTML = 2 << 20

// HTMLOptions choose what SafeHTML lets through.
type HTMLOptions struct {
	Remote bool // references to pictures elsewhere stay
	// CID returns a data: URI for a picture that the message carries.
	CID func(contentID string) (dataURI string, ok bool)
}

// HTMLView is an HTML body made safe.
type HTMLView struct {
	HTML    string // a whole document
	Blocked int    // pictures elsewhere that Remote would show; what never stays does not count
}

// SafeHTML returns the message's HTML body as a document without anything that
// acts: no script, form, frame, style sheet, no overlay, and without Remote no
// reference to anything outside the message. It is meant for a sandboxed frame
// with a Content-Security-Policy of its own: three walls, each enough.
func SafeHTML(raw Raw, f *Facts, o HTMLOptions) (HTMLView, error) {
	var body strings.Builder
	for _, p := range f.Parts {
		if p.Type == "text/html" && p.Disposition != "attachment" && body.Len() < maxHTML {
			t, _, _ := readText(raw, p, int64(maxHTML-body.Len()))
			body.WriteString(t)
		}
	}
	if body.Len() == 0 {
		return HTMLView{}, ErrNoHTML
	}
	s := &sheet{options: o}
	safe := policy().Sanitize(body.String())
	return HTMLView{HTML: document(s.rewrite(safe)), Blocked: s.blocked}, nil
}

// document wraps a body. Mail is written for white paper: it keeps it, whatever
// colours the interface has.
func document(body string) string {
	return `<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="referrer" content="no-referrer">` +
		`<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light">` +
		`<style>html{background:#fff;color:#1a1a1a;color-scheme:light}body{margin:12px;font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}` +
		`img{max-width:100%;height:auto}table{max-width:100%}blockquote{margin:0 0 0 .6em;padding-left:.8em;border-left:3px solid #d0d7d7}` +
		`pre{white-space:pre-wrap}a{color:#0b6b6b}</style></head><body>` + body + `</body></html>`
}

// policy says which markup stays: everything that only looks.
func policy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("a", "abbr", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite", "code", "col",
		"colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6",
		"header", "hr", "i", "img", "ins", "kbd", "li", "main", "mark", "ol", "p", "pre", "q", "s", "samp", "section", "small", "span", "strike", "strong",
		"sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var", "wbr")
	p.AllowNoAttrs().OnElements("a", "font", "span", "img")
	p.SkipElementsContent("script", "style", "title", "noscript", "template", "svg", "math", "iframe", "object", "select", "textarea", "button")
	p.AllowURLSchemes("http", "https", "mailto", "tel", "cid")
	p.AllowDataURIImages()
	p.AllowRelativeURLs(false)
	p.AllowAttrs("href").OnElements("a")
	p.RequireNoReferrerOnLinks(true)
	p.RequireNoFollowOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	p.AllowAttrs("src").OnElements("img")
	short := regexp.MustCompile(`^[^\x00-\x08<>]{0,500}$`)
	p.AllowAttrs("alt", "title", "summary").Matching(short).Globally()
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`(?i)^(rtl|ltr|auto)$`)).Globally()
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[a-zA-Z-]{1,20}$`)).Globally()
	p.AllowAttrs("align", "valign").Matching(regexp.MustCompile(`(?i)^[a-z]{1,10}$`)).Globally()
	size := regexp.MustCompile(`^[0-9]{1,4}(px|%)?$`)
	p.AllowAttrs("width", "height", "border", "cellpadding", "cellspacing", "hspace", "vspace", "size", "span", "colspan", "rowspan", "start", "value").Matching(size).Globally()
	colour := regexp.MustCompile(`^#?[a-zA-Z0-9]{1,20}$`)
	p.AllowAttrs("bgcolor", "color", "bordercolor").Matching(colour).Globally()
	p.AllowAttrs("face").Matching(regexp.MustCompile(`^[\w ,'-]{1,100}$`)).OnElements("font")
	p.AllowStyles("background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left", "border-radius", "border-right",
		"border-spacing", "border-style", "border-top", "border-width", "color", "display", "font", "font-family", "font-size", "font-style", "font-weight",
		"height", "letter-spacing", "line-height", "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right", "margin-top", "max-height",
		"max-width", "min-width", "padding", "padding-bottom", "padding-left", "padding-right", "padding-top", "text-align", "text-decoration",
		"text-indent", "text-transform", "vertical-align", "white-space", "width", "word-break").MatchingHandler(harmless).Globally()
	return p
}

// harmless reports whether the value of a style property only looks: plain
// words, numbers and colours, nothing that refers or computes, no negative
// margins that would move things over others.
func harmless(value string) bool {
	if len(value) > 200 {
		return false
	}
	for _, r := range value {
		if r < 0x20 || strings.ContainsRune(`\<>{};@`, r) {
			return false
		}
	}
	v := strings.ToLower(value)
	for _, bad := range []string{"url", "expression", "javascript", "import", "var(", "attr(", "env(", "image", "element(", "-moz", "behavior", "/*", "fixed", "absolute", "sticky"} {
		if strings.Contains(v, bad) {
			return false
		}
	}
	return !strings.Contains(v, " -") && !strings.HasPrefix(v, "-")
}

// sheet rewrites the references that are left after the policy.
type sheet struct {
	options HTMLOptions
	blocked int
}

func (s *sheet) rewrite(safe string) string {
	z := html.NewTokenizer(strings.NewReader(safe))
	var b strings.Builder
	for {
		tt := z.Next()
		if tt == html.ErrorToken {
			return b.String()
		}
		t := z.Token()
		if t.Data == "img" && (tt == html.StartTagToken || tt == html.SelfClosingTagToken) {
			s.image(&t)
		}
		b.WriteString(t.String())
	}
}

// image decides on the source of a picture.
func (s *sheet) image(t *html.Token) {
	kept := t.Attr[:0]
	for _, a := range t.Attr {
		if a.Key != "src" {
			kept = append(kept, a)
			continue
		}
		v := strings.TrimSpace(a.Val)
		scheme, rest, _ := strings.Cut(v, ":")
		switch strings.ToLower(scheme) {
		case "cid":
			if s.options.CID != nil {
				id, _ := cid(v)
				if uri, ok := s.options.CID(id); ok {
					a.Val = uri
					kept = append(kept, a)
				}
			}
		case "data":
			if strings.HasPrefix(strings.ToLower(rest), "image/") && !strings.HasPrefix(strings.ToLower(rest), "image/svg") {
				kept = append(kept, a)
			}
		case "http", "https":
			if s.options.Remote {
				kept = append(kept, a)
			} else {
				s.blocked++
			}
		}
	}
	t.Attr = kept
}
