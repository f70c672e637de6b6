package message

import (
	"context"
	"strings"
)

// texter gathers Facts.Text.
type texter struct {
	f    *Facts
	ctx  context.Context // ends with timeLimit
	raw  Raw
	scan *scanner
	b    strings.Builder
	seen words        // words in b; nil until somebody asks
	read map[int]bool // parts whose text is wholly in b
	refs references   // what the HTML refers to
}

// texts fills Facts.Text: the plain texts in order, then HTML without its
// markup. Where HTML stands beside a plain text, only those lines of it are added
// that have words of their own: mail often says less in the one than in the
// other, and people look for what they saw. After any warning the same is done
// with the source, so that nothing readable is lost by a misunderstanding. It
// returns what the HTML refers to.
func (f *Facts) texts(ctx context.Context, raw Raw, s *scanner) references {
	t := &texter{f: f, ctx: ctx, raw: raw, scan: s, read: map[int]bool{}, refs: references{}}
	plain := map[*entity]bool{} // alternatives that have a plain text
	for i, p := range f.Parts {
		if parent := s.leaves[i].parent; textual(p) && t.plain(p) && parent != nil && parent.mediaType == "multipart/alternative" {
			plain[parent] = true
		}
	}
	for i, p := range f.Parts {
		if p.Type == "text/html" {
			f.HTML = f.HTML || p.Disposition != "attachment"
			t.html(p, plain[s.leaves[i].parent])
		}
	}
	if len(f.Warnings) > 0 {
		t.source()
	}
	f.Text = strings.TrimSpace(clean(normalizeLines(t.b.String())))
	return t.refs
}

// textual reports whether a part is read as plain text.
func textual(p Part) bool {
	switch p.Type {
	case "text/plain", "text/enriched", "text/rfc822-headers", "message/delivery-status":
		return p.Disposition != "attachment"
	}
	return false
}

// full reports whether no more text is taken.
func (t *texter) full() bool {
	if t.b.Len() < maxText && t.ctx.Err() == nil {
		return false
	}
	if !t.f.Truncated {
		t.f.Truncated = true
		t.f.warn("the text is too long or takes too long to read; only its beginning is used")
	}
	return true
}

// part reads a text part and keeps account of what is wrong with it.
func (t *texter) part(p Part) string {
	s, problem, cut := readText(t.raw, p, int64(maxText-t.b.Len()))
	t.f.Truncated = t.f.Truncated || cut
	if cut {
		t.f.warn("part %s is too long; only its beginning is used", p.Path)
	}
	if problem != "" {
		t.f.warn("part %s: %s", p.Path, problem)
	} else {
		t.read[p.No] = true
	}
	return s
}

func (t *texter) plain(p Part) bool {
	if p.Length == 0 || t.full() {
		return false
	}
	s := t.part(p)
	if p.Type == "text/enriched" {
		s = htmlText(s)
	}
	t.add(s)
	return strings.TrimSpace(s) != ""
}

func (t *texter) html(p Part, beside bool) {
	if p.Disposition == "attachment" || p.Length == 0 || t.full() {
		return
	}
	source := t.part(p)
	t.refs.add(source)
	s := htmlText(source)
	if !beside {
		t.add(s)
		return
	}
	for line := range strings.Lines(s) {
		t.line(strings.TrimSpace(line))
	}
}

// add appends a text after a blank line.
func (t *texter) add(s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	if t.b.Len() > 0 {
		t.b.WriteString("\n\n")
	}
	t.b.WriteString(s)
	if t.seen != nil {
		t.seen.add(s)
	}
}

// line appends a line if it has a word that the text has not.
func (t *texter) line(s string) {
	if s == "" || t.b.Len() >= maxText {
		return
	}
	if t.seen == nil {
		t.seen = words{}
		t.seen.add(t.f.Subject)
		t.seen.add(t.b.String())
		if t.b.Len() > 0 {
			t.b.WriteString("\n")
		}
	}
	if t.seen.add(s) {
		t.b.WriteString("\n")
		t.b.WriteString(s)
	}
}

func normalizeLines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}
