package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
)

// A check sum is the first 8 bytes of SHA-256 over
//
//	"muniment row 1" NUL table NUL group NUL column…
//
// where a column is 'i' and its eight bytes, big endian, or 's' and its length
// in eight bytes and its bytes. It finds accidents: a flipped bit, a lost write,
// a row restored to the wrong place, a statement typed by hand. Somebody who
// means to deceive can compute it; against him stand the event log and the vault.

const sumSize = 8

// sumSpace is what the columns of most rows need.
const sumSpace = 1024

type summer struct{ buf []byte }

func newSummer(space []byte, table, group string) *summer {
	s := &summer{buf: append(space[:0], "muniment row 1\x00"...)}
	s.buf = append(append(s.buf, table...), 0)
	s.buf = append(append(s.buf, group...), 0)
	return s
}

func (s *summer) num(values ...num) *summer {
	for _, v := range values {
		s.buf = binary.BigEndian.AppendUint64(append(s.buf, 'i'), uint64(v))
	}
	return s
}

func (s *summer) bytes(values ...[]byte) *summer {
	for _, v := range values {
		s.buf = binary.BigEndian.AppendUint64(append(s.buf, 's'), uint64(len(v)))
		s.buf = append(s.buf, v...)
	}
	return s
}

func (s *summer) text(values ...text) *summer {
	for _, v := range values {
		s.buf = binary.BigEndian.AppendUint64(append(s.buf, 's'), uint64(len(v)))
		s.buf = append(s.buf, v...)
	}
	return s
}

func (s *summer) document(values ...document) *summer {
	for _, v := range values {
		s.text(text(v))
	}
	return s
}

func (s *summer) sum() blob {
	h := sha256.Sum256(s.buf)
	return append(blob(nil), h[:sumSize]...)
}

// row is what every guarded row can do.
type row interface {
	// verify reports the first group of columns that fails its check sum.
	verify() *RowError
}

// differs makes the error of a row whose check sum is have.
func differs(have, want blob, e RowError) *RowError {
	if bytes.Equal(have, want) {
		return nil
	}
	if e.Group == "" {
		e.Group = GroupRow
	}
	e.Reason = "check sum differs"
	return &e
}
