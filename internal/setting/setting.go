// Package setting names what is wrong with settings, for all packages that check some.
// It must not know any of them.
package setting

import "fmt"

// Error names the setting that is wrong. A check of several settings returns one for
// each that is, joined.
type Error struct {
	Field string // such as host or authorities[0].url
	Text  string // for people
}

// Error implements error.
func (e *Error) Error() string { return e.Field + ": " + e.Text }

// Wrong returns an *Error.
func Wrong(field, format string, args ...any) error {
	return &Error{Field: field, Text: fmt.Sprintf(format, args...)}
}
