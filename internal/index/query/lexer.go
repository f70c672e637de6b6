package query

import (
	"strings"
	"unicode"
)

func (p *parser) skipSpace() {
	for p.pos < len(p.runes) && unicode.IsSpace(p.runes[p.pos]) {
		p.pos++
	}
}

// peek returns the rune n after the position, or 0.
func (p *parser) peek(n int) rune {
	if p.pos+n < len(p.runes) {
		return p.runes[p.pos+n]
	}
	return 0
}

// atEnd skips space and reports whether the expression ends here.
func (p *parser) atEnd() bool {
	p.skipSpace()
	return p.pos >= len(p.runes) || p.runes[p.pos] == ')'
}

// keyword is an operator written as a word, or none.
type keyword uint8

const (
	noKeyword keyword = iota
	kwAnd
	kwOr
	kwNot
	kwNear
)

// keyword reads the operator word at the position without moving on.
func (p *parser) keyword() (keyword, Span) {
	end := p.pos
	for end < len(p.runes) && !wordEnds(p.runes[end]) {
		end++
	}
	at := Span{p.pos, end}
	word := string(p.runes[at.Start:at.End])
	switch word {
	case "AND", "UND":
		return kwAnd, at
	case "OR", "ODER":
		return kwOr, at
	case "NOT", "NICHT":
		return kwNot, at
	}
	name, _, _ := strings.Cut(word, "/")
	if name == "NEAR" || name == "NAHE" {
		return kwNear, at
	}
	return noKeyword, at
}

// wordEnds reports whether r ends an unquoted word.
func wordEnds(r rune) bool {
	return unicode.IsSpace(r) || r == '(' || r == ')' || closing(r) != ""
}

// closing returns the marks that close what r opens; empty if r is no quote.
func closing(r rune) string {
	switch r {
	case '"':
		return `"`
	case '„', '“', '”', '‟':
		return `“”"`
	case '«':
		return "»"
	case '»':
		return "«"
	}
	return ""
}

// fieldName reads name: at the position. op is nil if there is no such field;
// name is empty if it does not look like one.
func (p *parser) fieldName() (op *operator, name string, colon int) {
	i := p.pos
	for i < len(p.runes) && unicode.IsLetter(p.runes[i]) {
		i++
	}
	if i == p.pos || i >= len(p.runes) || p.runes[i] != ':' {
		return nil, "", 0
	}
	name = string(p.runes[p.pos:i])
	if op = operatorNamed(name); op != nil {
		return op, name, i
	}
	// "Re: hello" and "http://…" are pasted text, not misspelt fields.
	if i+1 >= len(p.runes) || wordEnds(p.runes[i+1]) && closing(p.runes[i+1]) == "" || p.runes[i+1] == '/' {
		return nil, "", i
	}
	return nil, name, i
}
