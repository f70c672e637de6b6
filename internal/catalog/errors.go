package catalog

import (
	"errors"
	"fmt"
)

// ErrInvalid is returned (wrapped) when a value cannot be stored as it is, e.g.
// a row without an identifier.
var ErrInvalid = errors.New("invalid value")

// ErrNewer is returned (wrapped) by Open when the database was written by a
// newer version of the program.
var ErrNewer = errors.New("database is of a newer version")

// MaxName is how long a name something is looked up by may be, in bytes as they
// are stored, where NUL, SUB and bytes that are not UTF-8 take three: ErrInvalid
// if it is longer. It bounds slugs, log-ins, addresses of users, kinds, names and
// journal addresses of sources, and outcomes. A row of an index of PostgreSQL
// takes at most 2704 bytes, and the longest has two names in it.
const MaxName = 1000

// nameable returns ErrInvalid (wrapped) if one of names is too long to be looked
// up by.
func nameable(names ...text) error {
	for _, n := range names {
		if size := len(escapeText(string(n))); size > MaxName {
			return fmt.Errorf("%w: %.20q… takes %d bytes, at most %d are allowed", ErrInvalid, string(n), size, MaxName)
		}
	}
	return nil
}

// Groups of columns that have a check sum of their own.
const (
	GroupRow    = "row"    // all columns but those of GroupFacts
	GroupFacts  = "facts"  // of a message: category, tags, parties, facts, which can be parsed again
	GroupDetail = "detail" // of an event: its details
)

// RowError reports a row that is not what this package wrote.
type RowError struct {
	Table  string // as in the schema, e.g. "message"
	Object string // the row's own identifier as it stands there now, e.g. an AOID
	Seq    int64  // of a message or event, else 0
	Group  string // GroupRow, GroupFacts or GroupDetail
	Reason string
}

// Error implements error.
func (e *RowError) Error() string {
	return fmt.Sprintf("%s %s: columns of group %q: %s", e.Table, e.Object, e.Group, e.Reason)
}
