package query

import "fmt"

// The mistakes that Parse finds.
const (
	CodeTooLong      = "too-long"
	CodeTooDeep      = "too-deep"
	CodeTooMany      = "too-many"
	CodeQuote        = "quote"         // a quotation mark is not closed
	CodeOpen         = "paren-open"    // a parenthesis is not closed
	CodeClose        = "paren-close"   // a parenthesis was never opened
	CodeOperand      = "operand"       // AND, OR, NOT, NEAR without something to join
	CodeEmpty        = "value-missing" // a field without a value
	CodeUnknownField = "field-unknown"
	CodeNestedField  = "field-nested"
	CodeStar         = "star" // an asterisk other than at the end of a word
	CodePrefixShort  = "prefix-short"
	CodeNear         = "near" // NEAR joins something other than words
	CodeNearField    = "near-field"
	CodeDistance     = "distance"
	CodeDate         = "date"
	CodeDateOrder    = "date-order"
	CodeSize         = "size"
	CodeHas          = "has"
	CodeType         = "type"
	CodeID           = "id"
	CodeNoLetters    = "no-letters" // nothing in it can be searched
)

// Error is a mistake in a query.
type Error struct {
	Pos  int    // runes before the mistake
	Len  int    // runes of the mistake; 0 at the end of the text
	Code string // one of the Code constants
	Arg  string // what is wrong, as typed
	// Proposal is the whole query, corrected; empty if there is no good guess.
	Proposal string
}

// Error returns the English message with its position, counted from 1.
func (e *Error) Error() string {
	return fmt.Sprintf("query, character %d: %s", e.Pos+1, e.Message("en"))
}

type messages struct{ en, de string }

// Message returns what is wrong and what to do, in German if lang is "de" and
// in English otherwise.
func (e *Error) Message(lang string) string {
	m, ok := explained[e.Code]
	if !ok {
		m = messages{"This part of the query cannot be understood.", "Dieser Teil der Suche ist nicht verständlich."}
	}
	text := m.en
	if lang == "de" {
		text = m.de
	}
	if e.Arg == "" {
		return text
	}
	return fmt.Sprintf("%s: %s", e.Arg, text)
}

var explained = map[string]messages{
	CodeTooLong: {fmt.Sprintf("The query is too long. At most %d characters can be searched.", MaxLength),
		fmt.Sprintf("Die Suche ist zu lang. Möglich sind höchstens %d Zeichen.", MaxLength)},
	CodeTooDeep: {fmt.Sprintf("Parentheses can be nested at most %d deep.", MaxDepth),
		fmt.Sprintf("Klammern lassen sich höchstens %d-fach verschachteln.", MaxDepth)},
	CodeTooMany: {fmt.Sprintf("The query has too many parts. At most %d words and operators can be combined.", MaxTerms),
		fmt.Sprintf("Die Suche hat zu viele Teile. Höchstens %d Wörter und Suchfelder lassen sich verbinden.", MaxTerms)},
	CodeQuote: {"This quotation mark is not closed. Add a second one where the phrase ends.",
		"Dieses Anführungszeichen wird nicht geschlossen. Setzen Sie ein zweites an das Ende der Wortfolge."},
	CodeOpen: {"This parenthesis is not closed. Add a closing one.",
		"Diese Klammer wird nicht geschlossen. Ergänzen Sie eine schließende Klammer."},
	CodeClose: {"This parenthesis closes nothing. Remove it, or add an opening one before it.",
		"Zu dieser Klammer fehlt die öffnende. Entfernen Sie sie, oder öffnen Sie vorher eine Klammer."},
	CodeOperand: {"Something to search for is missing beside this word. Put it in quotes to search for the word itself.",
		"Neben diesem Wort fehlt ein Suchbegriff. In Anführungszeichen wird nach dem Wort selbst gesucht."},
	CodeEmpty: {"Something to search for is missing after the colon.", "Nach dem Doppelpunkt fehlt, wonach gesucht werden soll."},
	CodeUnknownField: {"There is no such search field. Put it in quotes to search for it as text.",
		"Dieses Suchfeld gibt es nicht. In Anführungszeichen wird danach als Text gesucht."},
	CodeNestedField: {"A search field cannot stand inside the parentheses of another one.",
		"Ein Suchfeld kann nicht in der Klammer eines anderen stehen."},
	CodeStar: {"An asterisk is possible only at the end of a word, as in invoi*.",
		"Ein Sternchen ist nur am Wortende möglich, zum Beispiel Rechn*."},
	CodePrefixShort: {"Before an asterisk at least two letters are needed.", "Vor einem Sternchen müssen mindestens zwei Buchstaben stehen."},
	CodeNear:        {"NEAR joins only words and phrases.", "NEAR verbindet nur Wörter und Wortfolgen."},
	CodeNearField:   {"NEAR works in subject and text only.", "NEAR ist nur in Betreff und Text möglich."},
	CodeDistance: {fmt.Sprintf("The distance is a number of words from 1 to %d.", MaxDistance),
		fmt.Sprintf("Der Abstand ist eine Anzahl Wörter von 1 bis %d.", MaxDistance)},
	CodeDate: {"This is not a date. Write 2024-05-17, 2024-05, 2024, 7d, 2w, 3m, 1y, today or yesterday.",
		"Das ist kein Datum. Möglich sind 17.05.2024, 05.2024, 2024, 7t, 2w, 3m, 1j, heute oder gestern."},
	CodeDateOrder: {"The end of the period lies before its beginning.", "Das Ende des Zeitraums liegt vor seinem Anfang."},
	CodeSize:      {"This is not a size. Write 500k, 5MB or 1.5GB.", "Das ist keine Größe. Möglich sind zum Beispiel 500k, 5MB oder 1,5GB."},
	CodeHas:       {"Only has:attachment is possible.", "Möglich ist nur hat:anhang."},
	CodeType: {"There is no such type of file. Examples: pdf, image, word, excel, archive, or a MIME type such as text/csv.",
		"Diese Dateiart gibt es nicht. Beispiele: pdf, bild, word, excel, archiv oder ein MIME-Typ wie text/csv."},
	CodeID:        {"This is not an identifier of the archive. It has 26 letters and digits.", "Das ist keine Kennung des Archivs. Sie hat 26 Buchstaben und Ziffern."},
	CodeNoLetters: {"Nothing in it can be searched: it has neither letters nor digits.", "Danach lässt sich nicht suchen: Es enthält weder Buchstaben noch Ziffern."},
}
