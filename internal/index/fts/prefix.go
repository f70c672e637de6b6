package fts

import (
	"unicode/utf8"

	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/query"
)

// Short prefixes expand to a large part of the vocabulary, so the beginnings of
// all words are terms of a table of their own, pre. It has no positions, and the
// access terms are in it too.
const (
	shortPrefix = 2 // runes
	longPrefix  = 3
)

// prefixes collects the distinct beginnings of the words of one document.
type prefixes struct {
	ascii [1 << 18 / 64]uint64 // bit by code: beginnings of Latin letters and digits, nearly all
	seen  map[string]bool      // others, and access terms
	out   []byte
}

// fill collects from the columns that words without a field look at.
func (p *prefixes) fill(c *columns, d *index.Doc) string {
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	clear(p.seen)
	clear(p.ascii[:])
	p.out = append(p.out[:0], termAll+" "...)
	for _, a := range d.Access {
		p.add([]byte(hashed(markAccess, a)))
	}
	for _, col := range [][]byte{c.subject, c.body, c.file, c.attach, c.sender, c.rcpt, c.cc} {
		for len(col) > 0 {
			n := 0
			for col[n] != ' ' {
				n++
			}
			p.word(col[:n])
			col = col[n+1:]
		}
	}
	return string(p.out)
}

func (p *prefixes) word(w []byte) {
	if w[0] == '_' { // a gap
		return
	}
	end, code, coded := 0, uint32(0), true
	for n := 1; n <= longPrefix && end < len(w); n++ {
		six, ok := sixBits(w[end])
		code, coded = code<<6|six, coded && ok
		_, k := utf8.DecodeRune(w[end:])
		end += k
		switch bit := uint64(1) << (code % 64); {
		case n < shortPrefix:
		case !coded:
			p.add(w[:end])
		case p.ascii[code/64]&bit == 0:
			p.ascii[code/64] |= bit
			p.out = append(append(p.out, w[:end]...), ' ')
		}
	}
}

// sixBits numbers letters and digits from 1, so that the code of two characters
// is none of three.
func sixBits(c byte) (n uint32, ok bool) {
	switch {
	case c >= 'a' && c <= 'z':
		return uint32(c-'a') + 1, true
	case c >= '0' && c <= '9':
		return uint32(c-'0') + 27, true
	}
	return 0, false
}

func (p *prefixes) add(term []byte) {
	if !p.seen[string(term)] {
		p.seen[string(term)] = true
		p.out = append(append(p.out, term...), ' ')
	}
}

// short returns the expression over pre that means the same as n, if n is a
// short beginning of a word without a field.
func short(n query.Node) (string, bool) {
	m, ok := n.(*query.Match)
	if !ok || !m.Prefix || m.Field != query.FieldAny || len(m.Tokens) != 1 {
		return "", false
	}
	var parts []string
	for _, t := range m.Alternatives() {
		if k := utf8.RuneCountInString(t); k < shortPrefix || k > longPrefix {
			return "", false
		}
		parts = append(parts, quote(t))
	}
	return either(parts), true
}
