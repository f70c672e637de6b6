package usercsv

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// field is one field of a line.
type field struct {
	text   string
	quoted bool
}

// split cuts a line into its fields. What is wrong is told once: after that nobody
// can say where the next field begins.
func split(line string, delimiter byte) ([]field, *Problem) {
	var list []field
	for {
		f, rest, more, bad := next(line, delimiter)
		if bad != nil {
			bad.Column = len(list) + 1
			return list, bad
		}
		list = append(list, f)
		if !more {
			return list, nil
		}
		line = rest
	}
}

// next takes the first field of a line. more says that another one follows.
func next(line string, delimiter byte) (f field, rest string, more bool, bad *Problem) {
	if !strings.HasPrefix(strings.TrimLeft(line, " \t"), `"`) {
		text, rest, more := strings.Cut(line, string(delimiter))
		if strings.ContainsRune(text, '"') {
			return f, "", false, &Problem{Code: CodeBareQuote, Text: `a quotation mark stands inside the field; write the field in quotation marks, and those inside it twice`}
		}
		return field{text: strings.TrimSpace(text)}, rest, more, nil
	}
	var b strings.Builder
	line = strings.TrimLeft(line, " \t")[1:]
	for {
		i := strings.IndexByte(line, '"')
		if i < 0 {
			return f, "", false, &Problem{Code: CodeQuote, Text: `the quotation mark at its beginning is not closed in this line; close it. A field must not contain a line break`}
		}
		b.WriteString(line[:i])
		line = line[i+1:]
		if !strings.HasPrefix(line, `"`) {
			break
		}
		b.WriteByte('"')
		line = line[1:]
	}
	after := strings.TrimLeft(line, " \t")
	switch {
	case after == "":
		return field{b.String(), true}, "", false, nil
	case after[0] == delimiter:
		return field{b.String(), true}, after[1:], true, nil
	}
	return f, "", false, &Problem{Code: CodeAfterQuote, Text: `something stands behind the closing quotation mark; write quotation marks inside a field twice`}
}

// check says what is wrong with a field that was cut correctly.
func (f field) check() *Problem {
	switch {
	case len(f.text) > MaxField:
		return &Problem{Code: CodeLong, Args: map[string]string{"limit": fmt.Sprint(MaxField)}, Text: fmt.Sprintf("is longer than %d bytes; shorten it", MaxField)}
	case strings.ContainsFunc(f.text, unicode.IsControl):
		return &Problem{Code: CodeControl, Text: "contains a control character such as a tab; remove it"}
	case strings.ContainsRune(f.text, utf8.RuneError):
		return &Problem{Code: CodeLost, Text: "contains a \uFFFD in place of a letter that some program could not write; put the letter there"}
	}
	return nil
}

// shielded reports whether text begins, after apostrophes, with a character by which
// spreadsheet programs take it for a formula.
func shielded(text string) bool {
	rest := strings.TrimLeft(text, "'")
	r, _ := utf8.DecodeRuneInString(rest)
	return rest != "" && strings.ContainsRune("=+-@|%＝＋－＠", r)
}

// shield puts an apostrophe before what spreadsheet programs would take for a
// formula, and before what has one there already: unshield takes exactly one away.
func shield(text string) string {
	if shielded(text) {
		return "'" + text
	}
	return text
}

func unshield(text string) string {
	if strings.HasPrefix(text, "'") && shielded(text) {
		return text[1:]
	}
	return text
}
