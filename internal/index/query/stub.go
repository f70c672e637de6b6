package query

// Parse reads a query. A text without anything to search for is valid and means
// every document. All errors are *Error.
func Parse(text string, env Env) (*Query, error) { return &Query{text: text, zone: env.Zone}, nil }

// String returns the canonical text.
func (q *Query) String() string { return q.text }

// Chips returns the top-level operators in the order they were typed.
func (q *Query) Chips() []Chip { return nil }

// Error returns the English message with the position.
func (e *Error) Error() string { return e.Code }

// Message returns what is wrong and what to do, in German for lang "de" and in
// English otherwise.
func (e *Error) Message(lang string) string { return e.Code }

// Suggest proposes what could follow at cursor (in runes), explained in lang
// ("de" or English).
func Suggest(text string, cursor int, lang string) []Suggestion { return nil }

// Marks returns the places of text that q means, in order and without overlap.
func (q *Query) Marks(text string) [][2]int { return nil }

// Snippet returns at most max runes of text around the first places that q
// means, or its beginning.
func (q *Query) Snippet(text string, max int) Snippet { return Snippet{} }
