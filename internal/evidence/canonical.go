package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxNesting is how deep a canonical value may be nested.
const maxNesting = 16

// maxInteger is the largest integer that every JSON reader keeps exactly
// (RFC 7493 §2.2).
const maxInteger = 1<<53 - 1

// Canonical writes a JSON text by RFC 8785 (JSON Canonicalization Scheme), for
// the values that occur here: objects, arrays, strings, booleans, null and
// integers up to 2^53-1. Other numbers are an error, as are a name that occurs
// twice and text that is not UTF-8.
func Canonical(text []byte) ([]byte, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("canonical JSON: not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var out bytes.Buffer
	if err := canonicalValue(d, &out, 0); err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("canonical JSON: more than one value")
	}
	return out.Bytes(), nil
}

func canonicalValue(d *json.Decoder, out *bytes.Buffer, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("nested deeper than %d", maxNesting)
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			return canonicalObject(d, out, depth)
		}
		return canonicalArray(d, out, depth)
	case string:
		canonicalString(out, v)
	case json.Number:
		n, err := strconv.ParseInt(v.String(), 10, 64)
		if err != nil || n > maxInteger || n < -maxInteger || strconv.FormatInt(n, 10) != v.String() {
			return fmt.Errorf("%s is not an integer up to 2^53-1", v)
		}
		out.WriteString(v.String())
	case bool:
		out.WriteString(strconv.FormatBool(v))
	default:
		out.WriteString("null")
	}
	return nil
}

func canonicalArray(d *json.Decoder, out *bytes.Buffer, depth int) error {
	out.WriteByte('[')
	for first := true; d.More(); first = false {
		if !first {
			out.WriteByte(',')
		}
		if err := canonicalValue(d, out, depth+1); err != nil {
			return err
		}
	}
	out.WriteByte(']')
	_, err := d.Token()
	return err
}

func canonicalObject(d *json.Decoder, out *bytes.Buffer, depth int) error {
	type field struct {
		name  []uint16 // names are sorted as UTF-16 (RFC 8785 §3.2.3)
		value []byte
	}
	var fields []field
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, ok := token.(string)
		if !ok {
			return errors.New("a name is no string")
		}
		var value bytes.Buffer
		canonicalString(&value, name)
		value.WriteByte(':')
		if err := canonicalValue(d, &value, depth+1); err != nil {
			return err
		}
		fields = append(fields, field{utf16.Encode([]rune(name)), value.Bytes()})
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	slices.SortFunc(fields, func(a, b field) int { return slices.Compare(a.name, b.name) })
	out.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			if slices.Equal(f.name, fields[i-1].name) {
				return fmt.Errorf("%q occurs twice", string(utf16.Decode(f.name)))
			}
			out.WriteByte(',')
		}
		out.Write(f.value)
	}
	out.WriteByte('}')
	return nil
}

// canonicalString writes a string by RFC 8785 §3.2.2.2.
func canonicalString(out *bytes.Buffer, s string) {
	out.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r >= 0x20:
			out.WriteRune(r)
		case r == '\b':
			out.WriteString(`\b`)
		case r == '\t':
			out.WriteString(`\t`)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\f':
			out.WriteString(`\f`)
		case r == '\r':
			out.WriteString(`\r`)
		default:
			fmt.Fprintf(out, `\u%04x`, r)
		}
	}
	out.WriteByte('"')
}
