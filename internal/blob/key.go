package blob

import (
	"errors"
	"fmt"
	"strings"
)

// ErrKey is returned (wrapped) for a key that no object can have.
var ErrKey = errors.New("invalid object key")

// MaxKey is the longest key, in bytes.
const MaxKey = 200

// CheckKey returns ErrKey (wrapped) unless key is a slash-separated path of
// [a-z0-9._-] elements, none of which is empty or starts with a dot, of at most
// MaxKey bytes.
func CheckKey(key string) error {
	if len(key) > MaxKey {
		return fmt.Errorf("%w: %.20q…: longer than %d bytes", ErrKey, key, MaxKey)
	}
	for e := range strings.SplitSeq(key, "/") {
		if e == "" || e[0] == '.' {
			return fmt.Errorf("%w: %q", ErrKey, key)
		}
		for _, c := range []byte(e) {
			if !keyByte(c) {
				return fmt.Errorf("%w: %q", ErrKey, key)
			}
		}
	}
	return nil
}

func keyByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}
