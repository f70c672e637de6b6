package query

import (
	"strconv"
	"strings"

	"github.com/muniment/muniment/internal/index/text"
)

// String returns the canonical text of the query: English names, AND as a space,
// no needless parentheses. Parsing it with the same Env gives an equal tree.
// Relative dates stay relative.
func (q *Query) String() string {
	var b strings.Builder
	if q.root != nil {
		write(&b, q.root, levelOr)
	}
	return b.String()
}

// level is how tightly the place binds into which a node is written.
type level uint8

const (
	levelOr level = iota
	levelAnd
	levelUnary
)

func write(b *strings.Builder, n Node, at level) {
	switch n := n.(type) {
	case *Or:
		writeList(b, n.Nodes, " OR ", at > levelOr, levelAnd)
	case *And:
		writeList(b, n.Nodes, " ", at > levelAnd, levelUnary)
	case *Not:
		if _, ok := n.Node.(*Near); ok { // a minus sign would seem to mean its first word only
			b.WriteString("NOT ")
		} else {
			b.WriteByte('-')
		}
		write(b, n.Node, levelUnary)
	case *Match:
		writeField(b, n.Field)
		writeMatch(b, n)
	case *Near:
		writeNear(b, n)
	case *Date:
		writeField(b, n.Field)
		b.WriteString(n.Text)
	case *Size:
		if n.Larger {
			writeField(b, FieldLarger)
		} else {
			writeField(b, FieldSmaller)
		}
		b.WriteString(n.Text)
	case *Value:
		writeField(b, n.Field)
		writeValue(b, n)
	}
}

func writeList(b *strings.Builder, nodes []Node, between string, parens bool, at level) {
	if parens {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	for i, n := range nodes {
		if i > 0 {
			b.WriteString(between)
		}
		write(b, n, at)
	}
}

func writeField(b *strings.Builder, f Field) {
	if f != FieldAny {
		b.WriteString(f.String())
		b.WriteByte(':')
	}
}

func writeMatch(b *strings.Builder, m *Match) {
	switch {
	case m.Quoted:
		writeQuoted(b, m.Text)
	case m.Exact:
		b.WriteByte('=')
		fallthrough
	default:
		b.WriteString(m.Text)
	}
	// A last Chinese character goes on by itself.
	if _, open := text.Sequence(m.Text, maxTokens); m.Prefix && !open {
		b.WriteByte('*')
	}
}

func writeNear(b *strings.Builder, n *Near) {
	writeField(b, n.Field)
	if n.Field != FieldAny {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	for i, m := range n.Parts {
		if i > 0 {
			b.WriteString(" NEAR/")
			b.WriteString(strconv.Itoa(n.Distance))
			b.WriteByte(' ')
		}
		writeMatch(b, m)
	}
}

func writeValue(b *strings.Builder, v *Value) {
	switch {
	case v.Field == FieldType:
		b.WriteString(v.Text) // a prefix shows its asterisk in Text
		return
	case needsQuotes(v.Text):
		writeQuoted(b, v.Text)
	default:
		b.WriteString(v.Text)
	}
	if v.Prefix {
		b.WriteByte('*')
	}
}

// writeQuoted encloses s in quotes that do not occur in it: a parsed text never
// holds the mark that would have closed it.
func writeQuoted(b *strings.Builder, s string) {
	switch {
	case !strings.Contains(s, `"`):
		b.WriteString(`"` + s + `"`)
	case !strings.Contains(s, "»"):
		b.WriteString("«" + s + "»")
	default:
		b.WriteString("»" + s + "«")
	}
}

// needsQuotes reports whether s would mean something else without quotes.
func needsQuotes(s string) bool {
	if s == "" || s[0] == '=' {
		return true
	}
	return strings.ContainsFunc(s, func(r rune) bool { return wordEnds(r) || r == '*' })
}

// Quote returns value as it has to be written after the colon of a field. Of a
// value with all kinds of quotation marks the plain ones are left out.
func Quote(value string) string {
	if !needsQuotes(value) {
		return value
	}
	if strings.Contains(value, `"`) && strings.Contains(value, "»") && strings.Contains(value, "«") {
		value = strings.ReplaceAll(value, `"`, "")
	}
	var b strings.Builder
	writeQuoted(&b, value)
	return b.String()
}
