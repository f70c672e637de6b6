package query

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/muniment/muniment/internal/index/text"
	"github.com/muniment/muniment/internal/uid"
)

// maxSize is the greatest size that can be asked for. Up to here all numbers
// are exact.
const maxSize = 1e15

// mimeForm is a MIME type of the characters of RFC 6838 §4.2, or a class of them.
var mimeForm = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/(?:[a-z0-9][a-z0-9!#$&^_.+-]{0,126}|\*)$`)

var sizeForm = regexp.MustCompile(`^(\d{1,15}(?:[.,]\d{1,9})?)\s*([a-z]*)$`)

// sizeUnits are the bytes of a unit. As disks and mail programs count, k is
// 1000; the binary units are spelled out.
var sizeUnits = map[string]float64{
	"": 1, "b": 1, "byte": 1, "bytes": 1, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
}

// sizeUnit reads the unit that stands apart from its number, as in 5 MB.
func (p *parser) sizeUnit(raw string) string {
	if raw == "" || strings.Trim(raw, "0123456789.,") != "" || p.peek(0) != ' ' {
		return raw
	}
	end := p.pos + 1
	for end < len(p.runes) && !wordEnds(p.runes[end]) {
		end++
	}
	unit := strings.ToLower(string(p.runes[p.pos+1 : end]))
	if _, ok := sizeUnits[unit]; !ok || unit == "" {
		return raw
	}
	p.pos = end
	return raw + unit
}

func (p *parser) sizeValue(field Field, raw string, at Span) (Node, error) {
	m := sizeForm.FindStringSubmatch(strings.ToLower(raw))
	if m == nil {
		return nil, p.wrong(CodeSize, at)
	}
	n, err := strconv.ParseFloat(strings.Replace(m[1], ",", ".", 1), 64)
	unit, ok := sizeUnits[m[2]]
	if err != nil || !ok || n*unit > maxSize {
		return nil, p.wrong(CodeSize, at)
	}
	bytes := int64(math.Round(n * unit))
	return &Size{Span: at, Larger: field == FieldLarger, Text: sizeText(bytes), Bytes: bytes}, nil
}

// sizeText writes a size with the largest unit in which it is whole. It always
// has a unit, so that no word after it is taken for one.
func sizeText(n int64) string {
	switch {
	case n == 0 || n%1000 != 0:
		return strconv.FormatInt(n, 10) + "B"
	case n%1e9 == 0:
		return strconv.FormatInt(n/1e9, 10) + "GB"
	case n%1e6 == 0:
		return strconv.FormatInt(n/1e6, 10) + "MB"
	}
	return strconv.FormatInt(n/1e3, 10) + "kB"
}

func (p *parser) hasValue(raw string, at Span) (Node, error) {
	switch strings.ToLower(raw) {
	case "attachment", "attachments", "anhang", "anhänge", "anhaenge", "anlage", "anlagen":
		return &Value{Span: at, Field: FieldHas, Text: "attachment", Value: "attachment"}, nil
	}
	if kind, ok := kindNamed(raw); ok {
		return &Value{Span: at, Field: FieldType, Text: kind, Value: kind}, nil
	}
	return nil, p.fail(CodeHas, at, "attachment")
}

// isValue tells mail from documents. What is no document is mail.
func (p *parser) isValue(raw string, at Span) (Node, error) {
	document := &Value{Span: at, Field: FieldIs, Text: "document", Value: "document"}
	switch strings.ToLower(raw) {
	case "document", "documents", "dokument", "dokumente":
		return document, nil
	case "mail", "mails", "email", "e-mail", "message", "nachricht", "nachrichten":
		return &Not{document}, nil
	}
	return nil, p.fail(CodeIs, at, "document")
}

func (p *parser) typeValue(raw string, at Span) (Node, error) {
	raw = strings.ToLower(strings.TrimPrefix(raw, "."))
	if kind, ok := kindNamed(raw); ok {
		return &Value{Span: at, Field: FieldType, Text: kind, Value: kind}, nil
	}
	major, minor, ok := strings.Cut(raw, "/")
	if !ok {
		for i := range fileKinds {
			for _, name := range fileKinds[i].names() {
				if len(raw) > 2 && oneEdit([]rune(raw), []rune(name)) {
					return nil, p.fail(CodeType, at, name)
				}
			}
		}
		return nil, p.wrong(CodeType, at)
	}
	v := &Value{Span: at, Field: FieldType, Text: raw, Value: raw}
	if minor == "*" || minor == "" {
		v.Text, v.Value, v.Prefix = major+"/*", major+"/", true
	}
	if !mimeForm.MatchString(v.Text) {
		return nil, p.wrong(CodeType, at)
	}
	return v, nil
}

func (p *parser) idValue(raw string, at Span) (Node, error) {
	id, err := uid.Parse(raw)
	if err != nil {
		return nil, p.wrong(CodeID, at)
	}
	return &Value{Span: at, Field: FieldID, Text: id.String(), Value: id.String()}, nil
}

// keyValue reads a whole value: a tag, a category. An asterisk ends a prefix; in
// quotes it is a sign like others.
func (p *parser) keyValue(field Field, raw string, at Span) (Node, error) {
	v := &Value{Span: at, Field: field, Text: raw}
	quoted := closing(p.runes[at.Start]) != ""
	if quoted && p.peek(0) == '*' { // "…"*
		p.pos++
		v.End = p.pos
		v.Prefix = true
	}
	if !quoted {
		v.Text, v.Prefix = strings.CutSuffix(raw, "*")
		if strings.Contains(v.Text, "*") {
			return nil, p.wrong(CodeStar, at)
		}
	}
	v.Value = text.Key(v.Text)
	if v.Value == "" {
		return nil, p.wrong(CodeNoLetters, at)
	}
	return v, nil
}
