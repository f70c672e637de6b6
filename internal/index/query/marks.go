package query

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/index/text"
)

// MaxMarks is how many places of one text are marked. Nobody reads more, and it
// bounds the work for a text that consists of nothing else.
const MaxMarks = 2000

// Mark is a place of a text, in runes of the text.
type Mark struct{ Start, End int }

// Marks returns the places of a body text that the query asks for, in order,
// without overlaps; MaxMarks at most. What the query excludes and what it asks
// of other fields than the text is not marked.
func (q *Query) Marks(text string) []Mark {
	hits := q.hits(text)
	if len(hits) == 0 {
		return nil
	}
	slices.SortFunc(hits, func(a, b hit) int { return a.start - b.start })
	marks := make([]Mark, 0, len(hits))
	at, runes, last := 0, 0, -1
	for _, h := range hits {
		if h.start < last { // overlaps: make the mark before longer
			if h.end > last {
				runes, at, last = runes+utf8.RuneCountInString(text[at:h.end]), h.end, h.end
				marks[len(marks)-1].End = runes
			}
			continue
		}
		start := runes + utf8.RuneCountInString(text[at:h.start])
		runes = start + utf8.RuneCountInString(text[h.start:h.end])
		at, last = h.end, h.end
		marks = append(marks, Mark{start, runes})
	}
	return marks
}

// hit is a place of a text in bytes and in tokens.
type hit struct {
	start, end int // bytes
	first, n   int // number of its first token, tokens
	want       int // which of the pattern it is
}

// pattern is a sequence of tokens to look for. All but the first token have
// exactly one form.
type pattern struct {
	first  map[string]bool // forms of the first token
	tokens []string
	prefix bool // the last token is the beginning of one
	pair   bool // of the prefix only that much of the token is meant
	near   int  // number of the NEAR it belongs to, or -1
}

// nearGroup is a NEAR: numbers of its patterns.
type nearGroup struct {
	patterns []int
	distance int
}

// patterns collects what the query wants to find in a body text.
func (q *Query) patterns() (ps []pattern, near []nearGroup) {
	add := func(m *Match, group int) {
		p := pattern{tokens: m.Tokens, prefix: m.Prefix, near: group, first: map[string]bool{}}
		for _, a := range m.Alternatives() {
			p.first[a] = true
		}
		p.pair = m.Prefix && text.Pair(m.Tokens[len(m.Tokens)-1])
		ps = append(ps, p)
	}
	var walk func(Node)
	walk = func(n Node) {
		switch n := n.(type) {
		case *And:
			for _, c := range n.Nodes {
				walk(c)
			}
		case *Or:
			for _, c := range n.Nodes {
				walk(c)
			}
		case *Match:
			if n.Field == FieldAny || n.Field == FieldBody {
				add(n, -1)
			}
		case *Near:
			if n.Field == FieldAny || n.Field == FieldBody {
				g := nearGroup{distance: n.Distance}
				for _, m := range n.Parts {
					g.patterns = append(g.patterns, len(ps))
					add(m, len(near))
				}
				near = append(near, g)
			}
		}
	}
	walk(q.root)
	return ps, near
}

// hits finds the places of s that the query asks for.
func (q *Query) hits(s string) []hit {
	ps, near := q.patterns()
	if len(ps) == 0 {
		return nil
	}
	found := make([][]hit, len(ps))
	total := 0
	sc := text.NewScanner(s)
	// The last tokens; a power of two not below maxTokens.
	var ring [maxTokens]text.Token
	for n := 0; total < MaxMarks && n < text.MaxTokens && sc.Next(); n++ {
		t := text.Token{Text: string(sc.Token()), Start: sc.Start(), End: sc.End()}
		ring[n%maxTokens] = t
		for i := range ps {
			p := &ps[i]
			k := len(p.tokens)
			if k > n+1 || !p.ends(t.Text) {
				continue
			}
			if !p.before(ring[:], n) {
				continue
			}
			h := hit{start: ring[(n-k+1)%maxTokens].Start, end: t.End, first: n - k + 1, n: k, want: i}
			if p.pair {
				_, size := utf8.DecodeRuneInString(s[t.Start:])
				h.end = min(h.end, t.Start+size)
			}
			found[i] = append(found[i], h)
			total++
		}
	}
	var out []hit
	for i, list := range found {
		if ps[i].near < 0 {
			out = append(out, list...)
		}
	}
	for _, g := range near {
		out = append(out, g.clusters(found)...)
	}
	return out
}

// ends reports whether the pattern may end with token t.
func (p *pattern) ends(t string) bool {
	last := p.tokens[len(p.tokens)-1]
	switch {
	case len(p.tokens) > 1:
		return t == last || p.prefix && strings.HasPrefix(t, last)
	case !p.prefix:
		return p.first[t]
	}
	for a := range p.first {
		if strings.HasPrefix(t, a) {
			return true
		}
	}
	return false
}

// before reports whether the tokens before number n are the pattern's.
func (p *pattern) before(ring []text.Token, n int) bool {
	k := len(p.tokens)
	for j := range k - 1 {
		if ring[(n-k+1+j)%maxTokens].Text != p.tokens[j] {
			return false
		}
	}
	return true
}

// clusters returns the hits that stand close enough to one of every other part.
func (g *nearGroup) clusters(found [][]hit) []hit {
	keep := map[hit]bool{}
	for _, i := range g.patterns {
		for _, last := range found[i] {
			if cluster := g.cluster(found, last); cluster != nil {
				for _, h := range cluster {
					keep[h] = true
				}
			}
		}
	}
	out := make([]hit, 0, len(keep))
	for h := range keep {
		out = append(out, h)
	}
	return out
}

// cluster returns last with the hits of the other parts before it, or nil if
// one part is missing there.
func (g *nearGroup) cluster(found [][]hit, last hit) []hit {
	cluster := []hit{last}
	for _, i := range g.patterns {
		if i == last.want {
			continue
		}
		list := found[i]
		// Hits of one pattern ascend and are equally long.
		from, _ := slices.BinarySearchFunc(list, last.first-g.distance, func(h hit, least int) int {
			return h.first + h.n - least
		})
		some := false
		for _, h := range list[from:] {
			if h.first > last.first {
				break
			}
			cluster = append(cluster, h)
			some = true
		}
		if !some {
			return nil
		}
	}
	return cluster
}
