// Package naive decides by looking whether a document matches a query: no index,
// no speed, every rule as docs/search.md words it. It is the oracle that tests
// hold an index against, so it must not use what an index uses to cut text into
// tokens. It takes from package query the tree, the other forms of a word
// (Match.Alternatives) and the kinds of files, which are part of the language.
//
//	naive.go  trees and fields      words.go  text into words
//	find.go   words in a text
package naive

import (
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/uid"
)

// Doc is a document whose texts are cut into words once, for many queries. It is
// safe for concurrent use.
type Doc struct {
	doc                         *index.Doc
	subject, body               []word
	names, texts                [][]word // of files
	from, to, cc, bcc           []party
	category, class, source, id string
	tags                        []string
}

type party struct {
	address string
	texts   [][]word // name, address
}

// New prepares a document, which must not change afterwards.
func New(d *index.Doc) *Doc {
	out := &Doc{
		doc: d, subject: words(d.Subject), body: words(d.Body),
		from: people(d.From), to: people(d.To), cc: people(d.Cc), bcc: people(d.Bcc),
		category: whole(d.Category), class: whole(d.Class), source: whole(d.Source), id: d.ID.String(),
	}
	for _, f := range d.Files {
		out.names = append(out.names, words(f.Name))
		out.texts = append(out.texts, words(f.Text))
	}
	for _, t := range d.Tags {
		out.tags = append(out.tags, whole(t))
	}
	return out
}

func people(ps []index.Party) []party {
	var out []party
	for _, p := range ps {
		out = append(out, party{p.Address, [][]word{words(p.Name), words(p.Address)}})
	}
	return out
}

// Match reports whether a search for root by someone with scope finds d. A nil
// root finds everything.
func Match(root query.Node, d *index.Doc, scope index.Scope) bool {
	return len(Find(root, []*Doc{New(d)}, scope)) == 1
}

// Find returns those of docs that a search for root by someone with scope finds.
func Find(root query.Node, docs []*Doc, scope index.Scope) []uid.ID {
	s := &search{scope: scope, wishes: map[*query.Match]wish{}}
	var out []uid.ID
	for _, d := range docs {
		if !scope.All && !overlap(scope.Addresses, d.doc.Access) {
			continue
		}
		if root == nil || s.node(d, root) {
			out = append(out, d.doc.ID)
		}
	}
	return out
}

// search is who looks for what.
type search struct {
	scope  index.Scope
	wishes map[*query.Match]wish // what was made of the words of the query
}

func (s *search) wish(m *query.Match) wish {
	w, ok := s.wishes[m]
	if !ok {
		w = wanted(m)
		s.wishes[m] = w
	}
	return w
}

func (s *search) node(d *Doc, n query.Node) bool {
	switch n := n.(type) {
	case *query.And:
		return !slices.ContainsFunc(n.Nodes, func(c query.Node) bool { return !s.node(d, c) })
	case *query.Or:
		return slices.ContainsFunc(n.Nodes, func(c query.Node) bool { return s.node(d, c) })
	case *query.Not:
		return !s.node(d, n.Node)
	case *query.Match:
		return s.match(d, n)
	case *query.Near:
		return s.near(d, n)
	case *query.Date:
		return (n.From.IsZero() || !d.doc.Date.Before(n.From)) && (n.To.IsZero() || d.doc.Date.Before(n.To))
	case *query.Size:
		return n.Larger && d.doc.Size > n.Bytes || !n.Larger && d.doc.Size < n.Bytes
	case *query.Value:
		return d.value(n)
	}
	return false
}

func (s *search) match(d *Doc, m *query.Match) bool {
	var ps []party
	switch m.Field {
	case query.FieldFrom:
		ps = d.from
	case query.FieldTo:
		ps = d.to
	case query.FieldCc:
		ps = d.cc
	case query.FieldBcc:
		if !s.scope.All && !overlap(s.scope.Addresses, d.doc.BccAccess) {
			return false
		}
		ps = d.bcc
	case query.FieldWith, query.FieldAny:
		ps = slices.Concat(d.from, d.to, d.cc)
	}
	if m.Address != "" {
		return slices.ContainsFunc(ps, func(p party) bool { return p.address == m.Address })
	}
	w := s.wish(m)
	for _, p := range ps {
		if slices.ContainsFunc(p.texts, w.in) {
			return true
		}
	}
	return slices.ContainsFunc(d.searched(m.Field), w.in)
}

func (s *search) near(d *Doc, n *query.Near) bool {
	texts := d.searched(n.Field)
	if n.Field == query.FieldAny {
		texts = slices.Concat([][]word{d.subject, d.body}, d.texts)
	}
	var wishes []wish
	for _, m := range n.Parts {
		wishes = append(wishes, s.wish(m))
	}
	return slices.ContainsFunc(texts, func(text []word) bool { return closeBy(text, wishes, n.Distance) })
}

// searched returns the texts besides parties that a field looks at.
func (d *Doc) searched(f query.Field) [][]word {
	switch f {
	case query.FieldSubject:
		return [][]word{d.subject}
	case query.FieldBody:
		return [][]word{d.body}
	case query.FieldFile:
		return d.names
	case query.FieldAttachment:
		return slices.Concat(d.names, d.texts)
	case query.FieldAny:
		return slices.Concat([][]word{d.subject, d.body}, d.names, d.texts)
	}
	return nil
}

func (d *Doc) value(v *query.Value) bool {
	switch v.Field {
	case query.FieldHas:
		return len(d.doc.Files) > 0 && !d.doc.Document
	case query.FieldIs:
		return d.doc.Document
	case query.FieldID:
		return d.id == v.Value
	case query.FieldType:
		return slices.ContainsFunc(d.doc.Files, func(f index.File) bool {
			return slices.Contains(query.KindsOf(f.Name, f.Type), v.Value) || f.Type == v.Value ||
				v.Prefix && strings.HasPrefix(f.Type, v.Value)
		})
	}
	have := map[query.Field][]string{
		query.FieldCategory: {d.category}, query.FieldClass: {d.class}, query.FieldSource: {d.source}, query.FieldTag: d.tags,
	}[v.Field]
	want := whole(v.Text)
	return slices.ContainsFunc(have, func(h string) bool { return h == want || v.Prefix && strings.HasPrefix(h, want) })
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
