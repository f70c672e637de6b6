package message

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// maxReferences bounds the references of one message that are kept.
const maxReferences = 10_000

// references are what HTML refers to, but by links: addresses as they are
// written, those of parts with a Content-ID as "cid:" and the id.
type references map[string]struct{}

// to reports whether one of the references means a part: by its Content-ID
// (RFC 2392) or its Content-Location (RFC 2557 §5).
func (r references) to(p Part) bool {
	_, byID := r["cid:"+p.ContentID]
	_, byLocation := r[p.Location]
	return p.ContentID != "" && byID || p.Location != "" && byLocation
}

// add takes the references of an HTML text.
func (r references) add(source string) {
	z := html.NewTokenizer(strings.NewReader(source))
	z.SetMaxBuf(1 << 20)
	style := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.TextToken:
			if style {
				r.css(string(z.Text()))
			}
		case html.EndTagToken:
			style = false
		case html.StartTagToken, html.SelfClosingTagToken:
			tag, more := z.TagName()
			name := string(tag)
			style = name == "style"
			for more {
				var k, v []byte
				k, v, more = z.TagAttr()
				switch key := string(k); {
				case key == "style":
					r.css(string(v))
				case key == "src" || key == "background" || key == "data" || key == "poster" || strings.HasSuffix(key, "href") && name != "a" && name != "area":
					r.put(string(v))
				}
			}
		}
	}
}

// css takes the url() of a style.
func (r references) css(style string) {
	for {
		i := strings.IndexByte(style, '(')
		if i < 0 {
			return
		}
		function := style[max(0, i-len("url")):i]
		style = style[i+1:]
		if !strings.EqualFold(function, "url") {
			continue
		}
		value, rest, closed := strings.Cut(style, ")")
		if !closed {
			return
		}
		r.put(strings.Trim(value, " \t\r\n\"'"))
		style = rest
	}
}

func (r references) put(ref string) {
	ref = strings.TrimSpace(clean(ref))
	if id, ok := cid(ref); ok {
		ref = "cid:" + id
	}
	if ref != "" && len(r) < maxReferences && !strings.HasPrefix(ref, "data:") {
		r[ref] = struct{}{}
	}
}

// cid returns the Content-ID that a cid: URL names (RFC 2392).
func cid(ref string) (string, bool) {
	scheme, id, ok := strings.Cut(ref, ":")
	if !ok || !strings.EqualFold(scheme, "cid") {
		return "", false
	}
	if plain, err := url.PathUnescape(id); err == nil {
		id = plain
	}
	return strings.Trim(strings.TrimSpace(id), "<>"), true
}
