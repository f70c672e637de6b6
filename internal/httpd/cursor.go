package httpd

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"github.com/muniment/muniment/internal/index"
)

// Cursors of the index tell where a row lies among all rows of the tenant, also
// among those that the reader may not know of. They leave encrypted with a key
// that belongs to the session, so no key has to be kept.

// cursorCipher returns the cipher for cursors of the session with this token.
func cursorCipher(token string) (cipher.AEAD, error) {
	key := sha256.Sum256([]byte("search cursor\x00" + token))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("cursor: %w", err)
	}
	return cipher.NewGCM(block)
}

// sealCursor encrypts a cursor. The empty one, the end, stays empty.
func sealCursor(token, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	c, err := cursorCipher(token)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, c.NonceSize())
	rand.Read(nonce) // never fails
	return base64.RawURLEncoding.EncodeToString(c.Seal(nonce, nonce, []byte(cursor), nil)), nil
}

// openCursor decrypts a cursor. index.ErrCursor for what sealCursor has not made
// in this session.
func openCursor(token, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	c, err := cursorCipher(token)
	if err != nil {
		return "", err
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || len(b) < c.NonceSize() {
		return "", index.ErrCursor
	}
	plain, err := c.Open(nil, b[:c.NonceSize()], b[c.NonceSize():], nil)
	if err != nil {
		return "", index.ErrCursor
	}
	return string(plain), nil
}
