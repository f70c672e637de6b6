package fts

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/muniment/muniment/internal/index"
)

// cursor is the place after the last hit of a page.
type cursor struct {
	year  int
	rowid int64
}

// A cursor is 4 bytes of year, 8 of row number and 6 that tie it to a search.
const cursorLen = 4 + 8 + 6

// fingerprint ties a cursor to what was searched, so that pages of different
// searches are not mixed up. It is no secret: a forged cursor only begins
// elsewhere in one's own results.
func fingerprint(r *index.Request) []byte {
	h := sha256.New()
	fmt.Fprintf(h, "%q %v %v %q", r.Query.Text(), r.Oldest, r.Scope.All, strings.Join(r.Scope.Addresses, " "))
	return h.Sum(nil)[:6]
}

func (c cursor) encode(r *index.Request) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(c.year))
	b = binary.BigEndian.AppendUint64(b, uint64(c.rowid))
	return base64.RawURLEncoding.EncodeToString(append(b, fingerprint(r)...))
}

// decodeCursor returns nil for an empty cursor.
func decodeCursor(r *index.Request) (*cursor, error) {
	if r.Cursor == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(r.Cursor)
	if err != nil || len(b) != cursorLen || string(b[12:]) != string(fingerprint(r)) {
		return nil, index.ErrCursor
	}
	c := &cursor{year: int(binary.BigEndian.Uint32(b)), rowid: int64(binary.BigEndian.Uint64(b[4:]))}
	if c.year < firstYear || c.year > lastYear || c.rowid < 0 || c.rowid > maxRowid {
		return nil, index.ErrCursor
	}
	return c, nil
}
