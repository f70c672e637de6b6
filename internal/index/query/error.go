package query

import (
	"fmt"
	"maps"
	"slices"
)

// The mistakes that Parse finds.
const (
	CodeTooLong      = "too-long"
	CodeTooDeep      = "too-deep"
	CodeTooMany      = "too-many"
	CodePhraseLong   = "phrase-long"
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
	CodeIs           = "is"
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

// Error returns the English message.
func (e *Error) Error() string { return "query: " + e.Message("en") }

type messages struct{ en, de string }

// maxArg is how many runes of what is wrong a message repeats.
const maxArg = 40

// Message says where the mistake is, what is wrong and what to do, in German if
// lang is "de" and in English otherwise. Characters are counted from 1.
func (e *Error) Message(lang string) string {
	m, ok := explained[e.Code]
	if !ok {
		m = messages{"This part of the query cannot be understood.", "Dieser Teil der Suche ist nicht verständlich."}
	}
	arg := []rune(e.Arg)
	if len(arg) > maxArg {
		arg = append(arg[:maxArg-1:maxArg-1], '…')
	}
	format, text := "Character %d, “%s”: %s", m.en
	if lang == "de" {
		format, text = "Zeichen %d, „%s“: %s", m.de
	}
	return fmt.Sprintf(format, e.Pos+1, string(arg), text)
}

var explained = map[string]messages{
	CodeTooLong: {fmt.Sprintf("The query is too long. Shorten it to %d characters.", MaxLength),
		fmt.Sprintf("Die Suche ist zu lang. Kürzen Sie sie auf %d Zeichen.", MaxLength)},
	CodeTooDeep: {fmt.Sprintf("Parentheses can be nested at most %d deep.", MaxDepth),
		fmt.Sprintf("Klammern lassen sich höchstens %d-fach verschachteln.", MaxDepth)},
	CodeTooMany: {fmt.Sprintf("The query has too many parts. At most %d words and operators can be combined.", MaxTerms),
		fmt.Sprintf("Die Suche hat zu viele Teile. Höchstens %d Wörter und Suchfelder lassen sich verbinden.", MaxTerms)},
	CodePhraseLong: {fmt.Sprintf("This phrase is too long. Shorten it to %d words; words with a sign between them count apart.", maxTokens),
		fmt.Sprintf("Diese Wortfolge ist zu lang. Kürzen Sie sie auf %d Wörter; Wörter mit einem Zeichen dazwischen zählen einzeln.", maxTokens)},
	CodeQuote: {"This quotation mark is not closed. Add a second one where the phrase ends.",
		"Dieses Anführungszeichen wird nicht geschlossen. Setzen Sie ein zweites an das Ende der Wortfolge."},
	CodeOpen: {"This parenthesis is not closed. Add a closing one.",
		"Diese Klammer wird nicht geschlossen. Ergänzen Sie eine schließende Klammer."},
	CodeClose: {"This parenthesis closes nothing. Remove it, or add an opening one before it.",
		"Zu dieser Klammer fehlt die öffnende. Entfernen Sie sie, oder öffnen Sie vorher eine Klammer."},
	CodeOperand: {"Something to search for is missing beside this word. Put it in quotes to search for the word itself.",
		"Neben diesem Wort fehlt ein Suchbegriff. In Anführungszeichen wird nach dem Wort selbst gesucht."},
	CodeEmpty: {"Something to search for is missing after the colon. Add it, or put the word in quotes to search for it as text.",
		"Nach dem Doppelpunkt fehlt, wonach gesucht werden soll. Ergänzen Sie es, oder suchen Sie in Anführungszeichen nach dem Text."},
	CodeUnknownField: {"There is no such search field. Put it in quotes to search for it as text.",
		"Dieses Suchfeld gibt es nicht. In Anführungszeichen wird danach als Text gesucht."},
	CodeNestedField: {"A search field cannot stand inside the parentheses of another one. Close the parenthesis before it.",
		"Ein Suchfeld kann nicht in der Klammer eines anderen stehen. Schließen Sie die Klammer davor."},
	CodeStar: {"An asterisk is possible only at the end of a word, as in invoi*.",
		"Ein Sternchen ist nur am Wortende möglich, zum Beispiel Rechn*."},
	CodePrefixShort: {"Before an asterisk at least two letters are needed. Add one.",
		"Vor einem Sternchen müssen mindestens zwei Buchstaben stehen. Ergänzen Sie einen."},
	CodeNear: {"NEAR joins only words and phrases. Put it inside the parentheses of the field: subject:(a NEAR b).",
		"NAHE verbindet nur Wörter und Wortfolgen. Setzen Sie es in die Klammer des Suchfelds: betreff:(a NAHE b)."},
	CodeNearField: {"NEAR works in subject and text only. Join the words with AND here.",
		"NAHE ist nur in Betreff und Text möglich. Verbinden Sie die Wörter hier mit UND."},
	CodeDistance: {fmt.Sprintf("The distance is a number of words from 1 to %d.", MaxDistance),
		fmt.Sprintf("Der Abstand ist eine Anzahl Wörter von 1 bis %d.", MaxDistance)},
	CodeDate: {"This is not a date. Write 2024-05-17, 2024-05, 2024, 7d, 2w, 3m, 1y, today or yesterday.",
		"Das ist kein Datum. Möglich sind 17.05.2024, 05.2024, 2024, 7t, 2w, 3m, 1j, heute oder gestern."},
	CodeDateOrder: {"The end of the period lies before its beginning. Swap them.",
		"Das Ende des Zeitraums liegt vor seinem Anfang. Vertauschen Sie die beiden."},
	CodeSize: {"This is not a size. Write 500k, 5MB or 1.5GB.", "Das ist keine Größe. Möglich sind zum Beispiel 500k, 5MB oder 1,5GB."},
	CodeHas: {"There is only has:attachment, and kinds of files as in has:pdf.",
		"Möglich sind nur hat:anhang und Dateiarten wie hat:pdf."},
	CodeIs: {"There are is:mail and is:document.", "Möglich sind ist:mail und ist:dokument."},
	CodeType: {"There is no such type of file. Examples: pdf, image, word, excel, archive, or a MIME type such as text/csv.",
		"Diese Dateiart gibt es nicht. Beispiele: pdf, bild, word, excel, archiv oder ein MIME-Typ wie text/csv."},
	CodeID: {"This is not an identifier of the archive. Copy all of its 26 letters and digits.", "Das ist keine Kennung des Archivs. Übernehmen Sie alle 26 Buchstaben und Ziffern."},
	CodeNoLetters: {"It has neither letters nor digits, so nothing in it can be searched. Add a word.",
		"Es enthält weder Buchstaben noch Ziffern, danach lässt sich nicht suchen. Ergänzen Sie ein Wort."},
}

// Codes returns all codes of errors, sorted.
func Codes() []string { return slices.Sorted(maps.Keys(explained)) }
