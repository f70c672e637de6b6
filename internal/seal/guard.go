package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrDamaged is returned (wrapped) when an object is not what was stored.
var ErrDamaged = errors.New("damaged")

// sumPrefix begins the second line of an object that is JSON.
const sumPrefix = "sha256:"

// guard writes v as one line of JSON, and its SHA-256 as a second one.
func guard(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	return fmt.Appendf(b, "\n%s%s\n", sumPrefix, hex.EncodeToString(sum[:])), nil
}

// unguard reads what guard wrote.
func unguard(b []byte, v any) error {
	line, rest, _ := bytes.Cut(b, []byte("\n"))
	sum := sha256.Sum256(line)
	if string(rest) != sumPrefix+hex.EncodeToString(sum[:])+"\n" {
		return fmt.Errorf("%w: its check sum differs", ErrDamaged)
	}
	d := json.NewDecoder(bytes.NewReader(line))
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// Hash is a hash value, in hexadecimal digits.
type Hash []byte

// MarshalText writes the digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

// UnmarshalText reads them.
func (h *Hash) UnmarshalText(b []byte) error {
	v, err := hex.DecodeString(string(b))
	*h = v
	return err
}
