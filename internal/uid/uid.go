// Package uid makes the identifiers that leave the archive: of tenants, users,
// sources and, as AOID (archive object id, BSI TR-03125), of archived objects.
//
// An ID is 128 bits in the layout of a version 7 UUID (RFC 9562 §5.7): 48 bits
// of Unix milliseconds and 74 random bits. It is never reused, sorts roughly by
// creation and tells nothing about how many others exist.
package uid

import (
	"bytes"
	"crypto/rand"
	"database/sql/driver"
	"encoding/base32"
	"fmt"
	"strings"
	"time"
)

// ID is a 128-bit identifier. The zero ID means "none".
type ID [16]byte

// alphabet is Crockford's base 32 in lower case: no i, l, o, u.
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

func encoding() *base32.Encoding {
	return base32.NewEncoding(alphabet).WithPadding(base32.NoPadding)
}

// New returns a fresh ID whose time part is now.
func New(now time.Time) ID {
	var id ID
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	rand.Read(id[6:]) // never fails: crypto/rand ends the program instead
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// String returns the 26 characters people and URLs see.
func (id ID) String() string { return encoding().EncodeToString(id[:]) }

// IsZero reports whether id is none.
func (id ID) IsZero() bool { return id == ID{} }

// Time returns the creation time kept in id, UTC, in milliseconds.
func (id ID) Time() time.Time {
	var ms int64
	for i := range 6 {
		ms = ms<<8 | int64(id[i])
	}
	return time.UnixMilli(ms).UTC()
}

// Compare orders IDs by their bytes.
func (id ID) Compare(other ID) int { return bytes.Compare(id[:], other[:]) }

// Parse reads what String wrote. It accepts upper case and nothing else.
func Parse(s string) (ID, error) {
	var id ID
	if len(s) != 26 {
		return id, fmt.Errorf("id %.40q: want 26 characters", s)
	}
	b, err := encoding().DecodeString(strings.ToLower(s))
	if err != nil {
		return id, fmt.Errorf("id %.40q: characters other than 0-9 and a-z without i, l, o, u", s)
	}
	copy(id[:], b)
	if id.String() != strings.ToLower(s) {
		return ID{}, fmt.Errorf("id %.40q: not a canonical id", s)
	}
	return id, nil
}

// MarshalText implements encoding.TextMarshaler.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ID) UnmarshalText(b []byte) error {
	v, err := Parse(string(b))
	if err != nil {
		return err
	}
	*id = v
	return nil
}

// Value implements driver.Valuer: 16 bytes, in every database.
func (id ID) Value() (driver.Value, error) { return append([]byte(nil), id[:]...), nil }

// Scan implements sql.Scanner. NULL scans as the zero ID.
func (id *ID) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*id = ID{}
	case []byte:
		if len(v) != len(id) {
			return fmt.Errorf("id column holds %d bytes, want %d", len(v), len(id))
		}
		copy(id[:], v)
	default:
		return fmt.Errorf("id column holds %T, want bytes", src)
	}
	return nil
}
