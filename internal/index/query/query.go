// Package query is the search language of Muniment: one grammar, one parser,
// for every index. docs/search.md is its manual.
//
// The package turns text into a tree (Parse), a tree into its canonical text
// (Query.String), and says which places of a text a query means (Marks,
// Snippet). It knows nothing of how an index stores or finds anything.
//
// All positions and lengths are counted in runes (Unicode code points) of the
// text they belong to, half open: [Start, End).
package query

import "time"

// Env is what the meaning of a query depends on besides its text.
type Env struct {
	Now  time.Time      // what relative dates count from; zero: time.Now
	Zone *time.Location // where days begin and end; nil: UTC
}

// Query is a parsed query. It is immutable and safe for concurrent use.
type Query struct {
	text  string
	root  Node
	zone  *time.Location
	chips []Chip
}

// Text returns the query as it was typed.
func (q *Query) Text() string { return q.text }

// Root returns the tree; nil means every document.
func (q *Query) Root() Node { return q.root }

// Zone returns the time zone the query was parsed for, never nil.
func (q *Query) Zone() *time.Location {
	if q.zone == nil {
		return time.UTC
	}
	return q.zone
}

// Chips returns the operators of the top level in the order they were typed. A
// query that is an OR at its top level has none: none could be taken away alone.
func (q *Query) Chips() []Chip { return append([]Chip(nil), q.chips...) }

// Node is one of *And, *Or, *Not, *Match, *Near, *Date, *Size, *Value.
type Node interface{ node() }

// And matches what all of Nodes match. It has at least two.
type And struct{ Nodes []Node }

// Or matches what one of Nodes matches. It has at least two.
type Or struct{ Nodes []Node }

// Not matches what Node does not match.
type Not struct{ Node Node }

// Span is a place in the text of the query, in runes.
type Span struct{ Start, End int }

// Match finds a word, a sequence of words, or words that begin with a text.
type Match struct {
	Span
	Field Field
	Text  string // as typed, without quotes, star and equals sign
	// Tokens are the normalised words of Text, at least one. More than one
	// match only side by side in this order.
	Tokens []string
	Prefix bool // the last token is the beginning of a word
	Quoted bool // typed in quotes
	Exact  bool // no other spellings and inflections: quoted or with =
	// Address is the whole e-mail address in lower case if Field is one of the
	// party fields and Text is an address: then it is compared, not Tokens.
	Address string
}

// Near finds words close to each other, in any order: between the end of each
// and the beginning of the last there are at most Distance words. Its parts are
// exact. In FieldAny it looks at subject, body and text of attachments, each alone.
type Near struct {
	Span
	Field    Field // FieldAny, FieldSubject or FieldBody
	Parts    []*Match
	Distance int
}

// Date finds documents of a time: From <= date < To. A zero bound is open.
type Date struct {
	Span
	Field    Field // FieldAfter, FieldBefore, FieldUntil or FieldDate
	Text     string
	From, To time.Time
}

// Size finds documents by their raw bytes.
type Size struct {
	Span
	Larger bool // size > Bytes; otherwise size < Bytes
	Text   string
	Bytes  int64
}

// Value finds documents that have a value: FieldHas ("attachment"), FieldType
// (a kind of file or a MIME type), FieldTag, FieldCategory, FieldClass,
// FieldSource, FieldID, FieldIs ("document").
type Value struct {
	Span
	Field  Field
	Text   string // as typed
	Value  string // normalised: text.Key, canonical kind, MIME type, or id
	Prefix bool   // Value is the beginning
}

func (*And) node()   {}
func (*Or) node()    {}
func (*Not) node()   {}
func (*Match) node() {}
func (*Near) node()  {}
func (*Date) node()  {}
func (*Size) node()  {}
func (*Value) node() {}

// Field is what an operator looks at.
type Field uint8

// The fields. FieldAny is a word without a field: everything but blind copies.
const (
	FieldAny Field = iota
	FieldFrom
	FieldTo
	FieldCc
	FieldBcc
	FieldWith
	FieldSubject
	FieldBody
	FieldFile
	FieldAttachment
	FieldType
	FieldHas
	FieldBefore
	FieldAfter
	FieldUntil
	FieldDate
	FieldLarger
	FieldSmaller
	FieldTag
	FieldCategory
	FieldClass
	FieldSource
	FieldID
	FieldIs
)

// Chip is a recognised operator at the top level of a query, for display.
type Chip struct {
	Field string // canonical English name without colon
	Value string // as typed
	Not   bool
	Start int // runes of the query text, including field name and minus sign
	End   int
}
