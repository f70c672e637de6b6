package query

import (
	"strings"
	"time"
	"unicode"
)

// Limits of a query. They bound the work of one search; nobody types more.
const (
	MaxLength   = 4000 // runes
	MaxDepth    = 16   // nested parentheses and negations
	MaxTerms    = 64   // words, phrases and values
	MaxDistance = 50   // words between the parts of NEAR
	maxTokens   = 32   // tokens of one phrase
)

// Parse reads a query. A text without anything to search for is valid and means
// every document. All errors are *Error.
func Parse(text string, env Env) (*Query, error) {
	if env.Zone == nil {
		env.Zone = time.UTC
	}
	if env.Now.IsZero() {
		env.Now = time.Now()
	}
	p := &parser{env: env, runes: []rune(text)}
	for i, r := range p.runes {
		if unicode.IsControl(r) { // nobody can type one; it separates, as white space
			p.runes[i] = ' '
		}
	}
	if len(p.runes) > MaxLength {
		return nil, &Error{Pos: MaxLength, Len: len(p.runes) - MaxLength, Code: CodeTooLong, Arg: string(p.runes[MaxLength:])}
	}
	root, err := p.parseOr(0)
	if err != nil {
		return nil, err
	}
	if p.pos < len(p.runes) { // only a closing parenthesis stops before the end
		return nil, p.fail(CodeClose, Span{p.pos, p.pos + 1}, "")
	}
	return &Query{text: text, root: root, zone: env.Zone, chips: p.chips}, nil
}

// parser is a recursive descent over the runes of a query.
type parser struct {
	env   Env
	runes []rune
	pos   int
	field *operator // of the group the parser is in
	open  int       // parentheses around the position
	terms int
	chips []Chip
}

// fail makes an error whose proposal replaces the span.
func (p *parser) fail(code string, at Span, proposal string) *Error {
	fixed := string(p.runes[:at.Start]) + proposal + string(p.runes[at.End:])
	fixed = strings.Join(strings.Fields(fixed), " ")
	return &Error{Pos: at.Start, Len: at.End - at.Start, Code: code, Arg: string(p.runes[at.Start:at.End]), Proposal: fixed}
}

// wrong is fail without a proposal.
func (p *parser) wrong(code string, at Span) *Error {
	e := p.fail(code, at, "")
	e.Proposal = ""
	return e
}

func (p *parser) parseOr(depth int) (Node, error) {
	var nodes []Node
	var last Span
	branches := 0
	for {
		n, words, err := p.parseAnd(depth)
		if err != nil {
			return nil, err
		}
		kw, at := noKeyword, Span{}
		if !p.atEnd() {
			kw, at = p.keyword()
		}
		if words == 0 && (branches > 0 || kw == kwOr) {
			if kw == kwOr {
				last = at
			}
			return nil, p.fail(CodeOperand, last, "")
		}
		branches++
		if n != nil {
			nodes = append(nodes, n)
		}
		if kw != kwOr {
			break
		}
		last, p.pos = at, at.End
	}
	if branches > 1 && p.open == 0 {
		p.chips = nil
	}
	switch len(nodes) {
	case 0:
		return nil, nil
	case 1:
		return nodes[0], nil
	}
	return &Or{Nodes: flatten(nodes, true)}, nil
}

// parseAnd reads terms side by side. It returns how many there were, including
// those without anything to search for, which count for the grammar only.
func (p *parser) parseAnd(depth int) (n Node, words int, err error) {
	var nodes []Node
	joined := false // the last thing read is AND
	var and Span
	for !p.atEnd() {
		kw, at := p.keyword()
		if kw == kwOr {
			break
		}
		if kw == kwAnd {
			if words == 0 || joined {
				return nil, 0, p.fail(CodeOperand, at, "")
			}
			joined, and, p.pos = true, at, at.End
			continue
		}
		n, err := p.parseUnary(depth)
		if err != nil {
			return nil, 0, err
		}
		words++
		joined = false
		if n != nil {
			nodes = append(nodes, n)
		}
	}
	if joined {
		return nil, 0, p.fail(CodeOperand, and, "")
	}
	switch len(nodes) {
	case 0:
		return nil, words, nil
	case 1:
		return nodes[0], words, nil
	}
	return &And{Nodes: flatten(nodes, false)}, words, nil
}

// flatten lifts the parts of an Or in an Or, of an And in an And.
func flatten(nodes []Node, or bool) []Node {
	var out []Node
	for _, n := range nodes {
		switch n := n.(type) {
		case *Or:
			if or {
				out = append(out, n.Nodes...)
				continue
			}
		case *And:
			if !or {
				out = append(out, n.Nodes...)
				continue
			}
		}
		out = append(out, n)
	}
	return out
}

func (p *parser) parseUnary(depth int) (Node, error) {
	start := p.pos
	kw, at := p.keyword()
	switch {
	case kw == kwNear:
		return nil, p.fail(CodeOperand, at, "")
	case kw == kwNot:
		p.pos = at.End
	case p.runes[p.pos] == '-' && p.peek(1) != 0 && !unicode.IsSpace(p.peek(1)) && p.peek(1) != ')':
		at = Span{p.pos, p.pos + 1}
		p.pos++
	default:
		return p.parseNear(depth)
	}
	if depth >= MaxDepth {
		return nil, p.wrong(CodeTooDeep, at)
	}
	if p.atEnd() {
		return nil, p.fail(CodeOperand, at, "")
	}
	if next, _ := p.keyword(); next != noKeyword && next != kwNot {
		return nil, p.fail(CodeOperand, at, "")
	}
	chips := len(p.chips)
	n, err := p.parseUnary(depth + 1)
	if err != nil || n == nil {
		return nil, err
	}
	if len(p.chips) > chips {
		p.chips[chips].Not = !p.chips[chips].Not
		p.chips[chips].Start = start
	}
	if not, ok := n.(*Not); ok {
		return not.Node, nil
	}
	return &Not{Node: n}, nil
}

func (p *parser) parsePrimary(depth int) (Node, error) {
	if p.runes[p.pos] == '(' {
		return p.parseGroup(depth)
	}
	if p.field != nil {
		if op, _, colon := p.fieldName(); op != nil {
			return nil, p.wrong(CodeNestedField, Span{p.pos, colon + 1})
		}
		return p.parseValue(p.field)
	}
	op, name, colon := p.fieldName()
	if op == nil {
		if name != "" {
			if like, ok := operatorLike(name); ok {
				return nil, p.fail(CodeUnknownField, Span{p.pos, colon}, like)
			}
		}
		return p.parseWords(FieldAny)
	}
	start := p.pos
	p.pos = colon + 1
	p.skipSpace()
	from := p.pos
	if p.pos >= len(p.runes) || p.runes[p.pos] == ')' {
		return nil, p.wrong(CodeEmpty, Span{start, colon + 1})
	}
	n, err := p.parseField(op, depth)
	if err != nil {
		return nil, err
	}
	if n == nil {
		return nil, p.wrong(CodeNoLetters, Span{from, p.pos})
	}
	if p.open == 0 {
		p.chips = append(p.chips, Chip{Field: op.en, Value: unquote(string(p.runes[from:p.pos])), Start: start, End: p.pos})
	}
	return n, nil
}

// parseField reads what follows the colon: a value or a group of values.
func (p *parser) parseField(op *operator, depth int) (Node, error) {
	if p.runes[p.pos] != '(' {
		return p.parseValue(op)
	}
	p.field = op
	n, err := p.parseGroup(depth - 1) // not counted: fields do not nest
	p.field = nil
	return n, err
}

// parseGroup reads ( … ).
func (p *parser) parseGroup(depth int) (Node, error) {
	open := Span{p.pos, p.pos + 1}
	if depth >= MaxDepth {
		return nil, p.wrong(CodeTooDeep, open)
	}
	p.pos++
	p.open++
	n, err := p.parseOr(depth + 1)
	p.open--
	if err != nil {
		return nil, err
	}
	if p.pos >= len(p.runes) {
		e := p.wrong(CodeOpen, open)
		e.Proposal = string(p.runes) + ")"
		return nil, e
	}
	p.pos++
	return n, nil
}
