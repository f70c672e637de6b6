package query

import "strings"

// valueKind says what follows the colon of a field.
type valueKind uint8

const (
	valueWords valueKind = iota // words, phrases, prefixes
	valueKey                    // a whole value, compared as a whole
	valueDate
	valueSize
	valueHas
	valueType
	valueID
	valueIs
)

// operator describes a field for people and for the parser.
type operator struct {
	field   Field
	en, de  string   // canonical names
	aliases []string // further names
	kind    valueKind
	helpEN  string
	helpDE  string
	ask     string // Suggestion.Kind of its values, if the caller knows them
}

// operators lists the fields in the order in which they are suggested.
var operators = []operator{
	{FieldFrom, "from", "von", []string{"sender", "absender"}, valueWords, "sender", "Absender", "person"},
	{FieldTo, "to", "an", []string{"empfänger", "empfaenger"}, valueWords, "recipient", "Empfänger", "person"},
	{FieldWith, "with", "mit", []string{"beteiligt"}, valueWords, "sender or recipient", "Absender oder Empfänger", "person"},
	{FieldSubject, "subject", "betreff", nil, valueWords, "words in the subject", "Wörter im Betreff", ""},
	{FieldHas, "has", "hat", nil, valueHas, "has an attachment", "hat einen Anhang", ""},
	{FieldDate, "date", "datum", []string{"on", "am"}, valueDate, "day, month, year or range", "Tag, Monat, Jahr oder Zeitraum", "year"},
	{FieldAfter, "after", "nach", []string{"since", "seit", "ab"}, valueDate, "from this day on", "ab diesem Tag", "year"},
	{FieldBefore, "before", "vor", nil, valueDate, "before this day", "vor diesem Tag", "year"},
	{FieldUntil, "until", "bis", nil, valueDate, "up to and including this day", "bis einschließlich dieses Tages", "year"},
	{FieldType, "type", "typ", []string{"filetype", "dateityp"}, valueType, "type of an attachment", "Art eines Anhangs", ""},
	{FieldFile, "filename", "dateiname", []string{"file", "datei"}, valueWords, "name of an attachment", "Name eines Anhangs", ""},
	{FieldAttachment, "attachment", "anhang", nil, valueWords, "name or text of an attachment", "Name oder Inhalt eines Anhangs", ""},
	{FieldBody, "body", "text", []string{"inhalt"}, valueWords, "words in the text", "Wörter im Text", ""},
	{FieldCc, "cc", "kopie", nil, valueWords, "copy to", "Kopie an", "person"},
	{FieldBcc, "bcc", "blindkopie", nil, valueWords, "blind copy to", "Blindkopie an", "person"},
	{FieldLarger, "larger", "größer", []string{"groesser", "grösser"}, valueSize, "larger than", "größer als", ""},
	{FieldSmaller, "smaller", "kleiner", nil, valueSize, "smaller than", "kleiner als", ""},
	{FieldCategory, "category", "kategorie", nil, valueKey, "category", "Kategorie", "category"},
	{FieldTag, "tag", "schlagwort", nil, valueKey, "tag", "Schlagwort", "tag"},
	{FieldClass, "class", "klasse", nil, valueKey, "retention class", "Aufbewahrungsklasse", "class"},
	{FieldSource, "source", "quelle", nil, valueKey, "source it came from", "Quelle, aus der sie kam", "source"},
	{FieldIs, "is", "ist", nil, valueIs, "mail or document", "E-Mail oder Dokument", ""},
	{FieldID, "id", "id", []string{"aoid"}, valueID, "identifier in the archive", "Kennung im Archiv", ""},
}

// String returns the canonical English name; empty for FieldAny.
func (f Field) String() string {
	if op := f.operator(); op != nil {
		return op.en
	}
	return ""
}

func (f Field) operator() *operator {
	for i := range operators {
		if operators[i].field == f {
			return &operators[i]
		}
	}
	return nil
}

func (f Field) party() bool {
	switch f {
	case FieldFrom, FieldTo, FieldCc, FieldBcc, FieldWith:
		return true
	}
	return false
}

// name returns the operator's name in a language.
func (op *operator) name(lang string) string {
	if lang == "de" {
		return op.de
	}
	return op.en
}

// help says in a language what the field looks at.
func (op *operator) help(lang string) string {
	if lang == "de" {
		return op.helpDE
	}
	return op.helpEN
}

func (op *operator) names() []string { return append([]string{op.en, op.de}, op.aliases...) }

// operatorNamed finds a field by any of its names, in any case.
func operatorNamed(name string) *operator {
	name = strings.ToLower(name)
	for i := range operators {
		for _, n := range operators[i].names() {
			if n == name {
				return &operators[i]
			}
		}
	}
	return nil
}

// operatorLike finds the name that someone who typed name probably meant: one
// letter off or two neighbours swapped.
func operatorLike(name string) (string, bool) {
	name = strings.ToLower(name)
	if len([]rune(name)) < 3 {
		return "", false
	}
	for i := range operators {
		for _, n := range operators[i].names() {
			if len(n) > 2 && oneEdit([]rune(name), []rune(n)) {
				return n, true
			}
		}
	}
	return "", false
}

// oneEdit reports whether a becomes b by one insertion, deletion, replacement or
// swap of neighbours.
func oneEdit(a, b []rune) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 0:
		if i == len(a) {
			return false
		}
		if string(a[i+1:]) == string(b[i+1:]) {
			return true
		}
		return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && string(a[i+2:]) == string(b[i+2:])
	case 1:
		return string(a[i:]) == string(b[i+1:])
	}
	return false
}
