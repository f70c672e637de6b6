package usercsv

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxProblems bounds how many problems are listed: a file of another kind has one in
// every line.
const maxProblems = 1000

// File is what a file says.
type File struct {
	Delimiter rune
	Rows      []Row // those with sound form
	Problems  []Problem
	Left      int // problems beyond those that are listed
}

func (f *File) add(p Problem) {
	if len(f.Problems) >= maxProblems {
		f.Left++
		return
	}
	f.Problems = append(f.Problems, p)
}

// Read reads a file. It always tells as much as it can: a line with a mistake does
// not keep those behind it from being read.
func Read(content []byte) *File {
	f := &File{Delimiter: ','}
	if len(content) > MaxBytes {
		f.add(Problem{Code: CodeSize, Args: map[string]string{"limit": fmt.Sprint(MaxBytes)}, Text: fmt.Sprintf("the file is larger than %d bytes; divide it", MaxBytes)})
		return f
	}
	if utf16(content) {
		f.add(Problem{Line: 1, Code: CodeUTF16, Text: "the file is UTF-16; save it as UTF-8 (Excel: CSV UTF-8)"})
		return f
	}
	if i := bytes.IndexByte(content, '\r'); i >= 0 && i < len(content)-1 && !bytes.ContainsRune(content, '\n') {
		f.add(Problem{Line: 1, Code: CodeLineEnds, Text: "the lines end with CR alone, as on very old Macs; save the file with LF or CRLF (Excel: CSV UTF-8)"})
		return f
	}
	r := reader{File: f, ids: map[string]int{}}
	offset := 0
	if bytes.HasPrefix(content, []byte("\ufeff")) {
		offset = len("\ufeff")
	}
	for n := 1; offset < len(content); n++ {
		line, _, _ := bytes.Cut(content[offset:], []byte("\n"))
		if !r.line(n, offset, bytes.TrimSuffix(line, []byte("\r"))) {
			break
		}
		offset += len(line) + 1
	}
	if !r.begun && len(f.Problems) == 0 {
		f.add(Problem{Code: CodeEmpty, Text: "the file has no lines with users"})
	}
	return f
}

// utf16 reports whether a file is UTF-16, with or without a mark.
func utf16(b []byte) bool {
	if bytes.HasPrefix(b, []byte{0xff, 0xfe}) || bytes.HasPrefix(b, []byte{0xfe, 0xff}) {
		return true
	}
	return len(b) >= 4 && len(b)%2 == 0 && (b[0] == 0 && b[2] == 0 && b[1] != 0 || b[1] == 0 && b[3] == 0 && b[0] != 0)
}

type reader struct {
	*File
	ids   map[string]int // line of an id in lower case
	begun bool           // a line that is not empty was there
	count int
}

// line reads a line that begins at offset, and reports whether to go on.
func (r *reader) line(n, offset int, raw []byte) bool {
	if len(bytes.Trim(raw, " \t,;")) == 0 { // spreadsheets leave such lines
		return true
	}
	if r.count++; r.count > MaxRows {
		r.add(Problem{Line: n, Code: CodeRows, Args: map[string]string{"limit": fmt.Sprint(MaxRows)}, Text: fmt.Sprintf("the file has more than %d users; divide it", MaxRows)})
		return false
	}
	first := !r.begun
	r.begun = true
	if first {
		r.Delimiter = delimiterOf(string(raw))
	}
	if !utf8.Valid(raw) {
		r.add(r.badByte(n, offset, raw))
		return true
	}
	fields, bad := split(string(raw), byte(r.Delimiter))
	switch {
	case bad != nil:
		bad.Line = n
		r.add(*bad)
	case first && header(fields):
		r.add(Problem{Line: n, Code: CodeHeader, Text: "this is a header line; the format has none, delete it"})
	case first && len(fields) == 1 && bytes.ContainsRune(raw, '\t'):
		r.add(Problem{Line: n, Code: CodeDelimiter, Text: "the fields are separated by tabs; save the file with commas or semicolons"})
	default:
		r.row(n, fields)
	}
	return true
}

// badByte tells where a line is not UTF-8.
func (r *reader) badByte(n, offset int, raw []byte) Problem {
	at := 0
	for at < len(raw) {
		c, size := utf8.DecodeRune(raw[at:])
		if c == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	column := 1 + bytes.Count(raw[:at], []byte(string(r.Delimiter))) // as good as can be said
	position := fmt.Sprint(offset + at + 1)
	return Problem{Line: n, Column: column, Code: CodeEncoding, Args: map[string]string{"byte": position, "value": fmt.Sprintf("0x%02X", raw[at])},
		Text: fmt.Sprintf("byte %s of the file (0x%02X) is not UTF-8; save the file as UTF-8 (Excel: CSV UTF-8)", position, raw[at])}
}

func (r *reader) row(n int, fields []field) {
	for len(fields) > ColumnAddress && fields[len(fields)-1].text == "" { // spreadsheets add such fields
		fields = fields[:len(fields)-1]
	}
	sound := true
	say := func(column int, p Problem) {
		p.Line, p.Column, sound = n, column, false
		r.add(p)
	}
	switch k := len(fields); {
	case k < ColumnAddress:
		say(0, Problem{Code: CodeFields, Args: map[string]string{"count": fmt.Sprint(k)},
			Text: fmt.Sprintf("has %d fields; want user id, password, first name, last name, e-mail, all of which but the user id may be empty", k)})
	case k > MaxFields:
		say(0, Problem{Code: CodeTooMany, Args: map[string]string{"count": fmt.Sprint(k), "limit": fmt.Sprint(MaxFields)}, Text: fmt.Sprintf("has %d fields, at most %d are allowed", k, MaxFields)})
		fields = fields[:MaxFields]
	}
	for i, f := range fields {
		if bad := f.check(); bad != nil {
			say(i+1, *bad)
		}
	}
	id := strings.ToLower(strings.TrimSpace(unshield(fields[0].text)))
	switch {
	case id == "":
		say(ColumnID, Problem{Code: CodeNoID, Text: "the user id is missing"})
	case r.ids[id] > 0:
		say(ColumnID, Problem{Code: CodeTwice, Args: map[string]string{"line": fmt.Sprint(r.ids[id]), "value": short(id)},
			Text: fmt.Sprintf("user id %.80q stands in line %d already", id, r.ids[id])})
	default:
		r.ids[id] = n
	}
	if sound {
		r.Rows = append(r.Rows, newRow(n, fields))
	}
}

// short is text as problems quote it.
func short(text string) string { return strings.ToValidUTF8(text[:min(len(text), 80)], "") }

func newRow(n int, fields []field) Row {
	text := func(column int) string { return unshield(fields[column-1].text) }
	row := Row{Line: n, ID: text(ColumnID), Password: fields[ColumnPassword-1].text, First: text(ColumnFirst), Last: text(ColumnLast)}
	for c := ColumnAddress; c <= len(fields); c++ {
		if s := text(c); s != "" {
			row.Addresses = append(row.Addresses, Cell{c, s})
		}
	}
	return row
}

// delimiterOf finds what separates the fields of the first line: what is there more
// often outside of quotation marks.
func delimiterOf(line string) rune {
	commas, semicolons, quoted := 0, 0, false
	for _, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ',':
			commas++
		case c == ';':
			semicolons++
		}
	}
	if semicolons > commas {
		return ';'
	}
	return ','
}

// header reports whether fields are names of columns.
func header(fields []field) bool {
	is := func(column int, names ...string) bool {
		if column > len(fields) {
			return false
		}
		plain := strings.Map(func(c rune) rune {
			if strings.ContainsRune(" -_.", c) {
				return -1
			}
			return c
		}, strings.ToLower(fields[column-1].text))
		return slices.Contains(names, plain)
	}
	return is(ColumnID, "userid", "user", "nutzer", "id", "login", "username", "uid", "name", "account", "konto", "benutzer", "benutzerid", "benutzername", "benutzerkennung", "kennung", "anmeldename") &&
		(is(ColumnPassword, "password", "passwort", "kennwort", "pass") || is(ColumnAddress, "email", "mail", "emailaddress", "emailadresse", "mailadresse", "address", "adresse"))
}
