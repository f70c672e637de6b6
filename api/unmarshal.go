package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// unmarshal reads JSON. A number that does not fit is told in words for people, with the
// member, and not with the names of types.
func unmarshal(data []byte, v any) error {
	if !utf8.Valid(data) { // RFC 8259 §8.1; it would be stored with other characters than were sent
		return errors.New("the request is not UTF-8")
	}
	if err := distinct(data); err != nil {
		return err
	}
	err := huma.DefaultJSONFormat.Unmarshal(data, v)
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return err
	}
	member := wrong.Field
	if member == "" {
		member = "the value"
	}
	what, isNumber := strings.CutPrefix(wrong.Value, "number")
	if !isNumber {
		return fmt.Errorf("%s: %s does not fit here", member, wrong.Value)
	}
	return fmt.Errorf("%s: the number%s is too large or no whole number; give a whole number of at most 15 digits", member, strings.TrimRight(clip(what), " "))
}

// clip bounds what is repeated of a request.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// maxLevels is how deep encoding/json reads.
const maxLevels = 10_000

// distinct refuses JSON that readers do not agree about: a member that is there twice,
// also in other letters (RFC 8259 §4: the schema may be compared with one of them and
// the other one be read), and half of a character (§8.2), which would be stored as
// another one than was sent. What is no JSON at all is told by who reads it.
func distinct(data []byte) error {
	if err := wholeCharacters(data); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var open []map[string]bool // of every value that is open its members; nil: an array
	name := false              // whether what comes next is the name of a member
	for {
		token, err := dec.Token()
		if err != nil {
			return nil //nolint:nilerr // io.EOF, or no JSON
		}
		switch x := token.(type) {
		case json.Delim:
			switch x {
			case '{':
				if len(open) > maxLevels {
					return nil // encoding/json refuses it
				}
				open = append(open, map[string]bool{})
			case '[':
				open = append(open, nil)
			default:
				open = open[:len(open)-1]
			}
			name = true
		case string:
			if top := len(open) - 1; top >= 0 && open[top] != nil && name {
				key := strings.ToLower(strings.ToUpper(x))
				if open[top][key] {
					return fmt.Errorf("%s: is there twice; give it once", clip(x))
				}
				open[top][key] = true
				name = false
				continue
			}
			name = true
		default:
			name = true
		}
	}
}

// wholeCharacters refuses an escaped surrogate without its other half.
func wholeCharacters(data []byte) error {
	half := func(at int) rune {
		if at+6 > len(data) || data[at] != '\\' || data[at+1] != 'u' {
			return 0
		}
		n, err := strconv.ParseUint(string(data[at+2:at+6]), 16, 16)
		if err != nil || !utf16.IsSurrogate(rune(n)) {
			return 0
		}
		return rune(n)
	}
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		if r := half(i); r != 0 {
			if utf16.DecodeRune(r, half(i+6)) == utf8.RuneError {
				return errors.New("the request has half of a character (a surrogate without the other one)")
			}
			i += 10
		}
		i++ // what is escaped
	}
	return nil
}
