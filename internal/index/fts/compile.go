package fts

import (
	"strconv"
	"strings"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/index/text"
	"github.com/muniment/muniment/internal/uid"
)

// plan is a query as SQLite understands it.
type plan struct {
	table string // fts, or pre if short prefixes are all there is
	match string // FTS5 expression with the words and the access terms
	where string // the rest, over doc d: dates below OR, sizes, identifiers
	args  []any  // of where
	// from and to bound the seconds of all matches, half open, if they are set.
	from, to *int64
}

// compiler knows for whom a query is compiled.
type compiler struct{ scope index.Scope }

// compile returns nil if nothing can match.
func compile(q *query.Query, scope index.Scope) *plan {
	if !scope.All && len(scope.Addresses) == 0 {
		return nil
	}
	c := &compiler{scope: scope}
	p := &plan{}
	var yes, no, begins []string
	for _, n := range conjuncts(q.Root()) {
		if d, ok := n.(*query.Date); ok {
			p.bound(d)
		}
		not, negated := n.(*query.Not)
		prefix, begin := short(n)
		switch {
		case begin:
			begins = append(begins, prefix)
		case !textual(n):
			p.rest(c, n)
		case negated:
			no = append(no, c.fts(not.Node))
		default:
			yes = append(yes, c.fts(n))
		}
	}
	p.choose(c, yes, no, begins)
	return p
}

// choose decides which table is walked. Prefixes beside other words become a
// condition: pre has no positions, and FTS5 cannot join two tables.
func (p *plan) choose(c *compiler, yes, no, begins []string) {
	p.table = "fts"
	if len(begins) > 0 && len(yes)+len(no) == 0 {
		p.table, yes, begins = "pre", begins, nil
	}
	if !c.scope.All {
		yes = append([]string{c.anyOf(markAccess)}, yes...)
	}
	p.match = combine(yes, no)
	if len(begins) > 0 {
		// The plus sign keeps SQLite from asking fts anew for every row of pre.
		p.condition("+f.rowid IN (SELECT rowid FROM pre WHERE pre MATCH ?)", []any{combine(begins, nil)})
	}
}

// conjuncts returns the parts all of which must match.
func conjuncts(n query.Node) []query.Node {
	switch n := n.(type) {
	case nil:
		return nil
	case *query.And:
		var out []query.Node
		for _, m := range n.Nodes {
			out = append(out, conjuncts(m)...)
		}
		return out
	}
	return []query.Node{n}
}

// textual reports whether n is a matter of terms alone.
func textual(n query.Node) bool {
	switch n := n.(type) {
	case *query.And:
		return allTextual(n.Nodes)
	case *query.Or:
		return allTextual(n.Nodes)
	case *query.Not:
		return textual(n.Node)
	case *query.Date, *query.Size:
		return false
	case *query.Value:
		return n.Field != query.FieldID
	}
	return true
}

func allTextual(ns []query.Node) bool {
	for _, n := range ns {
		if !textual(n) {
			return false
		}
	}
	return true
}

// bound narrows the times of all matches.
func (p *plan) bound(d *query.Date) {
	if !d.From.IsZero() {
		if s := d.From.Unix(); p.from == nil || s > *p.from {
			p.from = &s
		}
	}
	if !d.To.IsZero() {
		if s := d.To.Unix(); p.to == nil || s < *p.to {
			p.to = &s
		}
	}
}

// rest adds a condition that full text cannot express.
func (p *plan) rest(c *compiler, n query.Node) {
	p.condition(c.sql(n))
}

func (p *plan) condition(s string, args []any) {
	if p.where != "" {
		p.where += " AND "
	}
	p.where += s
	p.args = append(p.args, args...)
}

// sql expresses any node as a condition over doc d.
func (c *compiler) sql(n query.Node) (string, []any) {
	if textual(n) {
		return "d.rowid IN (SELECT rowid FROM fts WHERE fts MATCH ?)", []any{c.fts(n)}
	}
	switch n := n.(type) {
	case *query.And:
		return c.sqlAll(n.Nodes, " AND ")
	case *query.Or:
		return c.sqlAll(n.Nodes, " OR ")
	case *query.Not:
		s, args := c.sql(n.Node)
		return "NOT " + s, args
	case *query.Date:
		return dateSQL(n)
	case *query.Size:
		if n.Larger {
			return "(d.size > ?)", []any{n.Bytes}
		}
		return "(d.size < ?)", []any{n.Bytes}
	case *query.Value: // FieldID
		id, err := uid.Parse(n.Value)
		if err != nil {
			return "(0)", nil
		}
		return "(d.id = ?)", []any{id[:]}
	}
	return "(0)", nil
}

func (c *compiler) sqlAll(ns []query.Node, op string) (string, []any) {
	var parts []string
	var all []any
	for _, n := range ns {
		s, args := c.sql(n)
		parts = append(parts, s)
		all = append(all, args...)
	}
	return "(" + strings.Join(parts, op) + ")", all
}

func dateSQL(d *query.Date) (string, []any) {
	var parts []string
	var args []any
	if !d.From.IsZero() {
		parts, args = append(parts, "d.date >= ?"), append(args, d.From.Unix())
	}
	if !d.To.IsZero() {
		parts, args = append(parts, "d.date < ?"), append(args, d.To.Unix())
	}
	if len(parts) == 0 {
		return "(1)", nil
	}
	return "(" + strings.Join(parts, " AND ") + ")", args
}

// fts expresses a textual node.
func (c *compiler) fts(n query.Node) string {
	switch n := n.(type) {
	case *query.And:
		var yes, no []string
		for _, m := range n.Nodes {
			if not, ok := m.(*query.Not); ok {
				no = append(no, c.fts(not.Node))
			} else {
				yes = append(yes, c.fts(m))
			}
		}
		return combine(yes, no)
	case *query.Or:
		var parts []string
		for _, m := range n.Nodes {
			parts = append(parts, c.fts(m))
		}
		return either(parts)
	case *query.Not:
		return combine(nil, []string{c.fts(n.Node)})
	case *query.Match:
		return c.match(n)
	case *query.Near:
		return near(n)
	case *query.Value:
		return value(n)
	}
	return combine(nil, []string{quote(termAll)})
}

// combine matches what all of yes match and none of no.
func combine(yes, no []string) string {
	if len(yes) == 0 {
		yes = []string{quote(termAll)}
	}
	s := strings.Join(yes, " AND ")
	if len(yes) > 1 {
		s = "(" + s + ")"
	}
	if len(no) == 0 {
		return s
	}
	return "(" + s + " NOT " + either(no) + ")"
}

func either(parts []string) string {
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

// anyOf matches documents that have a term of one of the searcher's addresses.
func (c *compiler) anyOf(mark string) string {
	var parts []string
	for _, a := range c.scope.Addresses {
		parts = append(parts, quote(hashed(mark, a)))
	}
	return either(parts)
}

func (c *compiler) match(m *query.Match) string {
	if m.Field == query.FieldBcc {
		return c.bcc(m)
	}
	if m.Address != "" {
		var parts []string
		for _, mark := range addressMarks(m.Field) {
			parts = append(parts, quote(hashed(mark, m.Address)))
		}
		return either(parts)
	}
	var parts []string
	if len(m.Tokens) > 1 {
		parts = []string{phrase(m.Tokens, m.Prefix)}
	} else {
		for _, t := range m.Alternatives() {
			parts = append(parts, phrase([]string{t}, m.Prefix))
		}
	}
	return columnFilter(m.Field) + either(parts)
}

// bcc matches blind recipients for those who may know of them.
func (c *compiler) bcc(m *query.Match) string {
	var parts []string
	if m.Address != "" {
		parts = []string{quote(hashed(markBcc, m.Address))}
	} else if len(m.Tokens) > 1 {
		parts = []string{phrase(marked(m.Tokens), m.Prefix)}
	} else {
		for _, t := range m.Alternatives() {
			parts = append(parts, phrase(marked([]string{t}), m.Prefix))
		}
	}
	if c.scope.All {
		return either(parts)
	}
	return "(" + either(parts) + " AND " + c.anyOf(markBccAccess) + ")"
}

func marked(tokens []string) []string {
	out := make([]string, len(tokens))
	for i, t := range tokens {
		out[i] = markBccWord + t
	}
	return out
}

func addressMarks(f query.Field) []string {
	switch f {
	case query.FieldFrom:
		return []string{markFrom}
	case query.FieldTo:
		return []string{markTo}
	case query.FieldCc:
		return []string{markCc}
	}
	return []string{markFrom, markTo, markCc}
}

// columnFilter says where to look. Words without a field look everywhere, which
// needs no filter: the terms of the last column are no words.
func columnFilter(f query.Field) string {
	switch f {
	case query.FieldFrom:
		return "sender : "
	case query.FieldTo:
		return "rcpt : "
	case query.FieldCc:
		return "cc : "
	case query.FieldWith:
		return "{sender rcpt cc} : "
	case query.FieldSubject:
		return "subject : "
	case query.FieldBody:
		return "body : "
	case query.FieldFile:
		return "file : "
	case query.FieldAttachment:
		return "{file attach} : "
	}
	return ""
}

func near(n *query.Near) string {
	var parts []string
	for _, p := range n.Parts {
		parts = append(parts, phrase(p.Tokens, p.Prefix))
	}
	filter := columnFilter(n.Field)
	if n.Field == query.FieldAny {
		filter = "{subject body attach} : "
	}
	return filter + "NEAR(" + strings.Join(parts, " ") + ", " + strconv.Itoa(n.Distance) + ")"
}

func value(v *query.Value) string {
	marks := map[query.Field]string{
		query.FieldTag: markTag, query.FieldCategory: markCategory, query.FieldClass: markClass, query.FieldSource: markSource,
	}
	switch v.Field {
	case query.FieldHas:
		return quote(termAttached)
	case query.FieldIs:
		return quote(termDocument)
	case query.FieldType:
		if strings.Contains(v.Value, "/") {
			return phrase([]string{markMIME + text.Key(v.Value)}, v.Prefix)
		}
		return phrase([]string{markKind + v.Value}, v.Prefix)
	}
	return phrase([]string{marks[v.Field] + v.Value}, v.Prefix)
}

func phrase(tokens []string, prefix bool) string {
	s := quote(strings.Join(tokens, " "))
	if prefix {
		s += "*"
	}
	return s
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
