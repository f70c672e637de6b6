package query

import (
	"strings"

	"github.com/muniment/muniment/internal/index/text"
)

// parseValue reads one value of a field.
func (p *parser) parseValue(op *operator) (Node, error) {
	if op.kind == valueWords {
		return p.parseWords(op.field)
	}
	start := p.pos
	raw, _, err := p.rawValue()
	if err != nil {
		return nil, err
	}
	if op.kind == valueSize {
		raw = p.sizeUnit(raw)
	}
	at := Span{start, p.pos}
	if err := p.count(at); err != nil {
		return nil, err
	}
	switch op.kind {
	case valueDate:
		return p.dateValue(op.field, raw, at)
	case valueSize:
		return p.sizeValue(op.field, raw, at)
	case valueHas:
		return p.hasValue(raw, at)
	case valueType:
		return p.typeValue(raw, at)
	case valueIs:
		return p.isValue(raw, at)
	case valueID:
		return p.idValue(raw, at)
	}
	return p.keyValue(op.field, raw, at)
}

// count counts one more term.
func (p *parser) count(at Span) error {
	if p.terms++; p.terms > MaxTerms {
		return p.wrong(CodeTooMany, at)
	}
	return nil
}

// rawValue reads a word or a quoted text, without its quotes.
func (p *parser) rawValue() (string, bool, error) {
	if closing(p.runes[p.pos]) != "" {
		s, err := p.quoted()
		return s, true, err
	}
	start := p.pos
	for p.pos < len(p.runes) && !wordEnds(p.runes[p.pos]) {
		p.pos++
	}
	return string(p.runes[start:p.pos]), false, nil
}

// quoted reads a quoted text.
func (p *parser) quoted() (string, error) {
	open := p.pos
	ends := closing(p.runes[p.pos])
	p.pos++
	start := p.pos
	for p.pos < len(p.runes) && !strings.ContainsRune(ends, p.runes[p.pos]) {
		p.pos++
	}
	if p.pos == len(p.runes) {
		e := p.wrong(CodeQuote, Span{open, open + 1})
		if open+1 < len(p.runes) {
			e.Proposal = string(p.runes) + ends[len(ends)-1:]
			if ends != `"` {
				e.Proposal = string(p.runes) + string([]rune(ends)[0])
			}
		}
		return "", e
	}
	p.pos++
	return string(p.runes[start : p.pos-1]), nil
}

// unquote takes the quotes away that enclose a value.
func unquote(s string) string {
	r := []rune(s)
	if len(r) >= 2 && closing(r[0]) != "" && strings.ContainsRune(closing(r[0]), r[len(r)-1]) {
		return string(r[1 : len(r)-1])
	}
	return s
}

// parseWords reads a word, a phrase, a prefix, an exact word. It returns nil if
// there is nothing in it to search for.
func (p *parser) parseWords(field Field) (Node, error) {
	m := &Match{Span: Span{Start: p.pos}, Field: field}
	if p.runes[p.pos] == '=' && p.peek(1) != 0 && (closing(p.peek(1)) != "" || !wordEnds(p.peek(1))) {
		m.Exact = true
		p.pos++
	}
	raw, quoted, err := p.rawValue()
	if err != nil {
		return nil, err
	}
	m.Text, m.Quoted = raw, quoted
	if quoted {
		m.Exact = true
		switch p.peek(0) {
		case '*':
			p.pos++
			m.Prefix = true
		case '~':
			if d := p.peek(1); d >= '0' && d <= '9' {
				return p.parseTilde(m)
			}
		}
	} else if err := p.star(m); err != nil {
		return nil, err
	}
	m.End = p.pos
	if err := p.count(m.Span); err != nil {
		return nil, err
	}
	open := false
	if err := p.phraseLength(m.Text, m.Span); err != nil {
		return nil, err
	}
	m.Tokens, open = text.Sequence(m.Text, maxTokens)
	if len(m.Tokens) == 0 {
		return nil, nil
	}
	m.Prefix = m.Prefix || open
	if field.party() && !m.Prefix {
		m.Address = address(m.Text)
	}
	return m, p.prefixLength(m)
}

// star takes the asterisk from the end of a word.
func (p *parser) star(m *Match) error {
	i := strings.IndexByte(m.Text, '*')
	if i < 0 {
		return nil
	}
	if i == len(m.Text)-1 {
		m.Text, m.Prefix = m.Text[:i], true
		return nil
	}
	at := p.pos - len([]rune(m.Text)) + len([]rune(m.Text[:i]))
	return p.fail(CodeStar, Span{at, at + 1}, "")
}

// phraseLength refuses what has more words than are compared: cut, it would find
// what was not asked for.
func (p *parser) phraseLength(s string, at Span) error {
	if len(text.Tokens(s, maxTokens+1)) > maxTokens {
		return p.wrong(CodePhraseLong, at)
	}
	return nil
}

// prefixLength refuses prefixes that match nearly every document.
func (p *parser) prefixLength(m *Match) error {
	last := m.Tokens[len(m.Tokens)-1]
	wide := m.Field == FieldAny || m.Field == FieldBody || m.Field == FieldAttachment
	if m.Prefix && wide && len(last) < 2 { // one byte: a letter of a script without pairs
		return p.wrong(CodePrefixShort, m.Span)
	}
	return nil
}

// address returns s in lower case if it is a whole e-mail address.
func address(s string) string {
	s = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "<"), ">")
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || domain == "" || strings.ContainsAny(s, " \t<>,;\"()") || strings.Contains(domain, "@") {
		return ""
	}
	return strings.ToLower(s)
}

// Alternatives returns the tokens any of which may stand for a match of one
// token: the token itself first. A match of several tokens has only itself.
func (m *Match) Alternatives() []string {
	switch {
	case m.Exact || len(m.Tokens) > 1:
		return m.Tokens[:1]
	case m.Prefix:
		return text.Spellings(m.Text)
	}
	return text.Variants(m.Text)
}
