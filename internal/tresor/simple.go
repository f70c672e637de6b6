package tresor

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Simple types of XML Schema, as far as packages use them.
type simple int

const (
	typeString simple = iota
	typeDate
	typeTime
	typeBase64
	typeHex
	typeURI
	typeID
	typeRef
	typeRefs
)

// check reports what is wrong with the text of an element or attribute.
func (s simple) check(text string) error {
	if s != typeBase64 && len(text) > maxText {
		return fmt.Errorf("longer than %d bytes", maxText)
	}
	switch s {
	case typeDate:
		_, err := ParseDate(text)
		return err
	case typeTime:
		_, err := ParseTime(text)
		return err
	case typeBase64:
		_, err := decodeBase64([]byte(text))
		return err
	case typeHex:
		_, err := hex.DecodeString(strings.TrimSpace(text))
		return err
	case typeURI:
		if strings.ContainsFunc(strings.TrimSpace(text), unicode.IsControl) {
			return fmt.Errorf("%.60q is no URI", text)
		}
	case typeID, typeRef:
		return checkID(strings.TrimSpace(text))
	case typeRefs:
		list := strings.Fields(text)
		if len(list) == 0 {
			return fmt.Errorf("names nothing")
		}
		for _, id := range list {
			if err := checkID(id); err != nil {
				return err
			}
		}
	case typeString:
	}
	return nil
}

// checkID refuses what is no NCName (Namespaces in XML 1.0 §3), within the letters
// and digits of all languages.
func checkID(id string) error {
	for i, r := range id {
		letter := r == '_' || unicode.IsLetter(r)
		if !letter && (i == 0 || r != '-' && r != '.' && r != '\u00b7' && !unicode.IsDigit(r) && !unicode.IsMark(r)) {
			return fmt.Errorf("%.60q is no identifier: it begins with a letter or _, and has letters, digits, '.', '-' and '_'", id)
		}
	}
	if id == "" || len(id) > maxID {
		return fmt.Errorf("an identifier of %d bytes; want 1 to %d", len(id), maxID)
	}
	return nil
}

// ParseDate reads an xs:date and returns the moment at which the day is over.
func ParseDate(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{"2006-01-02", "2006-01-02Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.AddDate(0, 0, 1).UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no date such as 2036-12-31", text)
}

// zoned is an xs:dateTime: Go's layouts would take a comma or an hour of one digit.
var zoned = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$`)

// ParseTime reads an xs:dateTime; without a zone it is UTC.
func ParseTime(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if zoned.MatchString(text) {
		for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00"} {
			if t, err := time.Parse(layout, text); err == nil {
				return t.UTC(), nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no time such as 2026-12-31T12:00:00Z", text)
}

// decodeBase64 reads xs:base64Binary, in which space may be anywhere.
func decodeBase64(text []byte) ([]byte, error) {
	compact := make([]byte, 0, len(text))
	for _, c := range text {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			compact = append(compact, c)
		}
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(compact)))
	n, err := base64.StdEncoding.Strict().Decode(out, compact)
	if err != nil {
		return nil, fmt.Errorf("base64: %w", err)
	}
	return out[:n], nil
}
