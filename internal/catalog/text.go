package catalog

import (
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// The types of columns. Their Scan never fails: a column whose type has been
// damaged must condemn its own row, by way of the check sum, and not the whole
// page it was read with. So Scan puts a value there that no column ever has.

// escape introduces a byte that a text column cannot hold: it is followed by
// the byte's two hexadecimal digits. PostgreSQL refuses NUL and invalid UTF-8,
// and mail and file names have both.
const escape = '\x1a'

// What stands for a column of the wrong type. No check sum was made over it.
const (
	damagedBytes  = "\x00damaged column\x00"
	damagedNumber = math.MinInt64
)

// text is any string at all, in a text column.
type text string

// Value implements driver.Valuer.
func (t text) Value() (driver.Value, error) { return escapeText(string(t)), nil }

// Scan implements sql.Scanner.
func (t *text) Scan(src any) error {
	s, ok := asString(src)
	if ok {
		s, ok = unescapeText(s)
	}
	if !ok {
		s = damagedBytes
	}
	*t = text(s)
	return nil
}

// blob is bytes.
type blob []byte

// Scan implements sql.Scanner.
func (b *blob) Scan(src any) error {
	v, ok := src.([]byte)
	if !ok {
		v = []byte(damagedBytes)
	}
	*b = append(blob{}, v...) // empty is not NULL
	return nil
}

// num is an integer.
type num int64

// Scan implements sql.Scanner.
func (n *num) Scan(src any) error {
	v, ok := src.(int64)
	if !ok {
		v = damagedNumber
	}
	*n = num(v)
	return nil
}

// document is JSON. Its encoder has replaced invalid UTF-8 and escaped NUL.
type document string

// Scan implements sql.Scanner.
func (d *document) Scan(src any) error {
	s, ok := asString(src)
	if !ok {
		s = damagedBytes
	}
	*d = document(s)
	return nil
}

func toDocument(v any) (document, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode column: %w", err)
	}
	return document(b), nil
}

// asDocument returns what becomes of s in a document: every byte that is not
// UTF-8 is replaced.
func asDocument(s string) string { return string([]rune(s)) }

// into decodes d, which has passed its check sum.
func (d document) into(v any) error {
	if err := json.Unmarshal([]byte(d), v); err != nil {
		return fmt.Errorf("decode column: %w", err)
	}
	return nil
}

func asString(src any) (string, bool) {
	switch v := src.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	}
	return "", false
}

func escapeText(s string) string {
	if utf8.ValidString(s) && !strings.ContainsAny(s, "\x00\x1a") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == 0 || r == escape || r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, "%c%02x", escape, s[i])
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// unescapeText reports false for what escapeText never writes.
func unescapeText(s string) (string, bool) {
	if strings.IndexByte(s, escape) < 0 {
		return s, utf8.ValidString(s)
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != escape {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		raw, err := hex.DecodeString(s[i+1 : i+3])
		if err != nil {
			return "", false
		}
		b.Write(raw)
		i += 2
	}
	return b.String(), escapeText(b.String()) == s
}

// millis and seconds are how times are stored. The zero time keeps its own
// number, far below any other.
func millis(t time.Time) num  { return num(t.UnixMilli()) }
func seconds(t time.Time) num { return num(t.Unix()) }

func (n num) millis() time.Time  { return time.UnixMilli(int64(n)).UTC() }
func (n num) seconds() time.Time { return time.Unix(int64(n), 0).UTC() }

func flag(b bool) num {
	if b {
		return 1
	}
	return 0
}
