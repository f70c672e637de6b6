package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// secretPrefix begins every secret, so that scanners for secrets know it.
const secretPrefix = "whsec_"

// secretSize is the length of the key in a secret, in bytes. The specification wants 24
// to 64.
const secretSize = 32

// NewSecret makes a secret: whsec_ and the key in base64.
func NewSecret() string {
	var key [secretSize]byte
	rand.Read(key[:]) // never fails: crypto/rand ends the program instead
	return secretPrefix + base64.StdEncoding.EncodeToString(key[:])
}

// keyOf returns the key in a secret.
func keyOf(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok {
		return nil, errors.New("the secret does not begin with " + secretPrefix)
	}
	return base64.StdEncoding.DecodeString(text)
}

// mac is HMAC-SHA-256 over id, time in seconds and body, with dots between.
func mac(key []byte, id string, at int64, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	fmt.Fprintf(h, "%s.%d.", id, at) // a hash takes everything
	h.Write(body)
	return h.Sum(nil)
}

// Sign makes the header webhook-signature: one signature for each secret, with spaces
// between.
func Sign(secrets []string, id string, at time.Time, body []byte) (string, error) {
	var out []string
	for _, s := range secrets {
		key, err := keyOf(s)
		if err != nil {
			return "", fmt.Errorf("secret of a webhook: %w", err)
		}
		out = append(out, "v1,"+base64.StdEncoding.EncodeToString(mac(key, id, at.Unix(), body)))
	}
	if len(out) == 0 {
		return "", errors.New("a webhook without a secret")
	}
	return strings.Join(out, " "), nil
}

// Tolerance is how far the time of a message may be from the receiver's.
const Tolerance = 5 * time.Minute

// Verify is what a receiver does: it reports why a message is not genuine or is too
// old.
func Verify(secret, id, timestamp, signatures string, body []byte, now time.Time) error {
	at, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return errors.New("webhook-timestamp is no number")
	}
	if d := now.Sub(time.Unix(at, 0)); d > Tolerance || d < -Tolerance {
		return errors.New("webhook-timestamp is not of now")
	}
	key, err := keyOf(secret)
	if err != nil {
		return err
	}
	want := mac(key, id, at, body)
	for s := range strings.FieldsSeq(signatures) {
		text, ok := strings.CutPrefix(s, "v1,")
		if !ok {
			continue
		}
		if have, err := base64.StdEncoding.DecodeString(text); err == nil && hmac.Equal(have, want) {
			return nil
		}
	}
	return errors.New("no signature fits")
}
