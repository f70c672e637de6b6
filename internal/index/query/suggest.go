package query

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Suggestion completes what is being typed.
type Suggestion struct {
	Insert      string // replaces the runes from Start to End
	Start, End  int
	Label       string
	Explanation string // may be empty
	Kind        string // "operator" or "value"
}

// Typing is what is being typed at a place of a query.
type Typing struct {
	// Field is the field whose value is typed; FieldAny outside of all fields.
	Field Field
	// Ask is the kind of value that only the caller knows: "person", "category",
	// "tag", "class", "source" or "year"; otherwise empty.
	Ask string
	// Prefix is what was typed of the value up to the cursor, without quotes.
	Prefix string
	// Start and End are the runes that a chosen value replaces, in the form that
	// Quote gives it.
	Start, End int
}

// maxFirst is how many operators are suggested before a letter is typed.
const maxFirst = 12

// Suggest returns what may complete the query at cursor, a number of runes; the
// names of fields in German if lang is "de", otherwise in English. Values that
// only the archive knows are not among them: TypingAt tells which those are.
func Suggest(text string, cursor int, lang string) []Suggestion {
	t := TypingAt(text, cursor)
	if t.Field != FieldAny {
		return values(t, lang)
	}
	return names(t, lang)
}

// TypingAt tells what is being typed at cursor, a number of runes.
func TypingAt(text string, cursor int) Typing {
	p := &parser{runes: []rune(text)}
	cursor = min(max(cursor, 0), len(p.runes), MaxLength)
	var group *operator // whose parentheses are open
	depth := 0
	for {
		p.skipSpace()
		if p.pos >= cursor {
			return typing(p.runes, group, Span{cursor, cursor}, cursor)
		}
		switch r := p.runes[p.pos]; {
		case r == '(':
			p.pos++
			if group != nil {
				depth++
			}
			continue
		case r == ')':
			p.pos++
			if depth--; depth <= 0 {
				group = nil
			}
			continue
		case (r == '-' || r == '=') && p.pos+1 <= cursor:
			p.pos++
			continue
		}
		op := group
		if named, _, colon := p.fieldName(); named != nil && group == nil && colon < cursor {
			op, p.pos = named, colon+1
			p.skipSpace()
			if p.pos < cursor && p.runes[p.pos] == '(' {
				group, depth = named, 0
				continue
			}
			if p.pos >= cursor {
				return typing(p.runes, op, Span{cursor, cursor}, cursor)
			}
		}
		if at := p.skipValue(); p.pos >= cursor {
			return typing(p.runes, op, at, cursor)
		}
	}
}

// skipValue passes a word or a quoted text, closed or not.
func (p *parser) skipValue() Span {
	start := p.pos
	if ends := closing(p.runes[p.pos]); ends != "" {
		p.pos++
		for p.pos < len(p.runes) && !strings.ContainsRune(ends, p.runes[p.pos]) {
			p.pos++
		}
		p.pos = min(p.pos+1, len(p.runes))
		return Span{start, p.pos}
	}
	for p.pos < len(p.runes) && !wordEnds(p.runes[p.pos]) {
		p.pos++
	}
	return Span{start, p.pos}
}

func typing(runes []rune, op *operator, at Span, cursor int) Typing {
	t := Typing{Start: at.Start, End: at.End}
	typed := runes[at.Start:max(min(cursor, at.End), at.Start)]
	if len(typed) > 0 {
		if ends := closing(typed[0]); ends != "" {
			typed = typed[1:]
			if n := len(typed); n > 0 && strings.ContainsRune(ends, typed[n-1]) {
				typed = typed[:n-1]
			}
		}
	}
	t.Prefix = string(typed)
	if op != nil {
		t.Field, t.Ask = op.field, op.ask
	}
	return t
}

// names suggests fields and the words that join.
func names(t Typing, lang string) []Suggestion {
	prefix := strings.ToLower(t.Prefix)
	if strings.ContainsFunc(prefix, func(r rune) bool { return !unicode.IsLetter(r) }) {
		return nil
	}
	starts := func(n string) bool { return strings.HasPrefix(n, prefix) }
	var out, others []Suggestion // by the name shown, by another name
	for i := range operators {
		op := &operators[i]
		if !slices.ContainsFunc(op.names(), starts) || prefix == "" && i >= maxFirst {
			continue
		}
		name := op.name(lang) + ":"
		s := Suggestion{Insert: name, Start: t.Start, End: t.End, Label: name, Explanation: op.help(lang), Kind: "operator"}
		if starts(name) {
			out = append(out, s)
		} else {
			others = append(others, s)
		}
	}
	for _, j := range joiners(lang) {
		if t.Prefix != "" && strings.HasPrefix(j.Label, t.Prefix) {
			j.Insert, j.Start, j.End, j.Kind = j.Label+" ", t.Start, t.End, "operator"
			out = append(out, j)
		}
	}
	return append(out, others...)
}

func joiners(lang string) []Suggestion {
	if lang == "de" {
		return []Suggestion{{Label: "UND", Explanation: "beides"}, {Label: "ODER", Explanation: "eines von beiden"},
			{Label: "NICHT", Explanation: "ohne das Folgende"},
			{Label: "NAHE", Explanation: fmt.Sprintf("höchstens %d Wörter voneinander entfernt", nearDefault)}}
	}
	return []Suggestion{{Label: "AND", Explanation: "both"}, {Label: "OR", Explanation: "one of both"},
		{Label: "NOT", Explanation: "without what follows"},
		{Label: "NEAR", Explanation: fmt.Sprintf("at most %d words apart", nearDefault)}}
}

// values suggests the values of a field that are the same in every archive.
func values(t Typing, lang string) []Suggestion {
	var out []Suggestion
	add := func(en, de, explanationEN, explanationDE string) {
		s := Suggestion{Insert: en, Explanation: explanationEN, Start: t.Start, End: t.End, Kind: "value"}
		if lang == "de" {
			s.Insert, s.Explanation = de, explanationDE
		}
		s.Label = s.Insert
		typed := strings.ToLower(t.Prefix)
		if strings.HasPrefix(strings.ToLower(en), typed) || strings.HasPrefix(strings.ToLower(de), typed) {
			out = append(out, s)
		}
	}
	switch t.Field.operator().kind {
	case valueHas:
		add("attachment", "anhang", "with attachments", "mit Anhängen")
	case valueIs:
		add("document", "dokument", "a file, such as a scan", "eine Datei, zum Beispiel ein Scan")
		add("mail", "mail", "a message", "eine Nachricht")
	case valueType:
		for i := range fileKinds {
			k := &fileKinds[i]
			exts := "." + strings.Join(k.exts[:min(len(k.exts), 4)], " .")
			add(k.name, k.german(), exts, exts)
		}
	case valueDate:
		add("today", "heute", "", "")
		add("yesterday", "gestern", "", "")
		add("7d", "7t", "7 days ago", "vor 7 Tagen")
		add("1m", "1m", "a month ago", "vor einem Monat")
		add("1y", "1j", "a year ago", "vor einem Jahr")
	case valueSize:
		for _, size := range []string{"1MB", "5MB", "10MB", "25MB"} {
			add(size, size, "", "")
		}
	}
	return out
}
