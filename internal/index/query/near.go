package query

import (
	"strconv"
	"strings"

	"github.com/muniment/muniment/internal/index/text"
)

// nearDefault is the distance of NEAR without a number.
const nearDefault = 10

// parseNear reads a primary and what NEAR joins to it.
func (p *parser) parseNear(depth int) (Node, error) {
	start := p.pos
	n, err := p.parsePrimary(depth)
	if err != nil {
		return nil, err
	}
	end := p.pos
	var near *Near
	for !p.atEnd() {
		kw, at := p.keyword()
		if kw != kwNear {
			break
		}
		if near == nil {
			m, err := p.nearPart(n, Span{start, end}, at)
			if err != nil {
				return nil, err
			}
			near = &Near{Field: m.Field, Parts: []*Match{m}}
		}
		if err := p.nearNext(near, at, depth); err != nil {
			return nil, err
		}
	}
	if near == nil {
		return n, nil
	}
	near.Span = Span{start, near.Parts[len(near.Parts)-1].End}
	return near, nil
}

// nearNext reads NEAR, which stands at a place, and the part after it. Of
// several distances the greatest counts.
func (p *parser) nearNext(near *Near, at Span, depth int) error {
	distance, err := p.distance(at)
	if err != nil {
		return err
	}
	near.Distance = max(near.Distance, distance)
	p.pos = at.End
	if p.atEnd() {
		return p.fail(CodeOperand, at, "")
	}
	from := p.pos
	if kw, _ := p.keyword(); kw != noKeyword {
		return p.fail(CodeOperand, at, "")
	}
	next, err := p.parsePrimary(depth)
	if err != nil {
		return err
	}
	m, err := p.nearPart(next, Span{from, p.pos}, at)
	if err != nil {
		return err
	}
	near.Parts = append(near.Parts, m)
	return nil
}

// nearPart turns a node into a part of NEAR.
func (p *parser) nearPart(n Node, at, operator Span) (*Match, error) {
	if n == nil {
		return nil, p.fail(CodeOperand, operator, "")
	}
	m, ok := n.(*Match)
	if !ok || p.field == nil && m.Field != FieldAny {
		return nil, p.wrong(CodeNear, at)
	}
	if m.Field != FieldAny && m.Field != FieldSubject && m.Field != FieldBody {
		return nil, p.wrong(CodeNearField, operator)
	}
	part := *m
	part.Exact, part.Quoted = true, true
	return &part, nil
}

// distance reads the number of NEAR/5.
func (p *parser) distance(at Span) (int, error) {
	_, number, ok := strings.Cut(string(p.runes[at.Start:at.End]), "/")
	if !ok {
		return nearDefault, nil
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > MaxDistance {
		return 0, p.fail(CodeDistance, at, "NEAR/"+strconv.Itoa(nearDefault))
	}
	return n, nil
}

// parseTilde reads the distance of "a b"~5 and makes a Near of the words.
func (p *parser) parseTilde(m *Match) (Node, error) {
	at := p.pos
	p.pos++
	n := 0
	for ; p.peek(0) >= '0' && p.peek(0) <= '9'; p.pos++ {
		n = min(n*10+int(p.peek(0)-'0'), MaxDistance+1)
	}
	if n < 1 || n > MaxDistance {
		return nil, p.fail(CodeDistance, Span{at, p.pos}, "~10")
	}
	near := &Near{Span: Span{m.Start, p.pos}, Field: m.Field, Distance: n}
	if m.Field != FieldAny && m.Field != FieldSubject && m.Field != FieldBody {
		return nil, p.wrong(CodeNearField, Span{at, p.pos})
	}
	for _, word := range strings.Fields(m.Text) {
		part := &Match{Span: near.Span, Field: m.Field, Text: word, Quoted: true, Exact: true}
		if err := p.phraseLength(word, near.Span); err != nil {
			return nil, err
		}
		part.Tokens, part.Prefix = text.Sequence(word, maxTokens)
		if len(part.Tokens) == 0 {
			continue
		}
		if err := p.count(near.Span); err != nil {
			return nil, err
		}
		near.Parts = append(near.Parts, part)
	}
	switch len(near.Parts) {
	case 0:
		return nil, nil
	case 1:
		return near.Parts[0], nil
	}
	return near, nil
}
