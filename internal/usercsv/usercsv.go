// Package usercsv reads and writes lists of users in the form that Securepoint UMA
// takes: user id, password, first name, last name, e-mail address and any number of
// further addresses, one user a line, without a header line. It knows nothing of the
// archive: whether a user may be made as a line says is for others to judge.
//
//	usercsv.go  values and limits    write.go   writing
//	read.go     reading              fields.go  fields of a line
//
// A file is UTF-8, with or without a byte order mark, with commas or semicolons, LF
// or CRLF, and quotes as in RFC 4180, except that no field goes over several lines:
// so every mistake is in the line that it is reported for.
package usercsv

import "fmt"

// Limits of a file.
const (
	MaxBytes  = 4 << 20
	MaxRows   = 10_000
	MaxFields = 104  // a user and 100 addresses
	MaxField  = 1024 // bytes of one field: the longest password
)

// Columns of a row, from 1. Further addresses follow ColumnAddress.
const (
	ColumnID       = 1
	ColumnPassword = 2
	ColumnFirst    = 3
	ColumnLast     = 4
	ColumnAddress  = 5
)

// Row is one user.
type Row struct {
	Line      int // of the file, from 1
	ID        string
	Password  string
	First     string
	Last      string
	Addresses []Cell // those that are not empty
}

// Cell is a field and where it stands.
type Cell struct {
	Column int
	Text   string
}

// Codes of what is wrong with the form of a file.
const (
	CodeSize       = "file-size"
	CodeEmpty      = "file-empty"
	CodeRows       = "rows"
	CodeEncoding   = "encoding"
	CodeUTF16      = "utf16"
	CodeLineEnds   = "line-ends"
	CodeDelimiter  = "delimiter"
	CodeHeader     = "header"
	CodeQuote      = "quote-open"
	CodeAfterQuote = "quote-after"
	CodeBareQuote  = "quote-inside"
	CodeControl    = "control"
	CodeLost       = "letter-lost"
	CodeFields     = "fields"
	CodeTooMany    = "fields-many"
	CodeLong       = "field-long"
	CodeNoID       = "id-empty"
	CodeTwice      = "id-twice"
)

// Problem is something wrong with a file, or worth knowing.
type Problem struct {
	Line   int // from 1; 0: the whole file
	Column int // of the row, from 1; 0: the whole line
	Code   string
	Args   map[string]string // what a text in another language needs
	Text   string            // English, with the cure
}

// String says everything, for people.
func (p Problem) String() string {
	switch {
	case p.Line == 0:
		return p.Text
	case p.Column == 0:
		return fmt.Sprintf("line %d: %s", p.Line, p.Text)
	}
	return fmt.Sprintf("line %d, column %d (%s): %s", p.Line, p.Column, ColumnName(p.Column), p.Text)
}

// ColumnName names a column for people.
func ColumnName(column int) string {
	switch column {
	case ColumnID:
		return "user id"
	case ColumnPassword:
		return "password"
	case ColumnFirst:
		return "first name"
	case ColumnLast:
		return "last name"
	case ColumnAddress:
		return "e-mail"
	}
	return "further e-mail"
}
