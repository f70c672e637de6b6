package factor

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"image/png"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

// Parameters of codes, which are those that all applications know.
const (
	totpPeriod = 30 // seconds
	totpDigits = 6
	totpSecret = 20 // bytes (RFC 4226 §4: 160 bits)
	totpSkew   = 1  // periods that a clock may be wrong (RFC 6238 §5.2)
	qrPixels   = 240
)

// TOTP is a new shared secret, as an application takes it.
type TOTP struct {
	Secret []byte
	Text   string // the secret in base 32, for typing
	URI    string // otpauth://
	PNG    []byte // the URI as a QR code
}

// NewTOTP makes a secret. issuer and account are what the application shows.
func NewTOTP(issuer, account string) (*TOTP, error) {
	secret := make([]byte, totpSecret)
	rand.Read(secret)
	clean := func(s string) string { return strings.ReplaceAll(s, ":", " ") } // separates the two in the URI
	key, err := totp.Generate(totp.GenerateOpts{Issuer: clean(issuer), AccountName: clean(account), Secret: secret, Period: totpPeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return nil, fmt.Errorf("authenticator secret: %w", err)
	}
	img, err := key.Image(qrPixels, qrPixels)
	if err != nil {
		return nil, fmt.Errorf("QR code: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("QR code: %w", err)
	}
	return &TOTP{Secret: secret, Text: base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret), URI: key.URL(), PNG: b.Bytes()}, nil
}

// CheckTOTP reports whether code belongs to secret now and was not used before. last
// is the step of the code that was used last; step, which is to be stored in its place,
// that of this one (RFC 6238 §5.2: a code is taken once).
func CheckTOTP(secret []byte, code string, now time.Time, last int64) (step int64, ok bool) {
	code = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code)
	if len(code) != totpDigits {
		return 0, false
	}
	text := base32.StdEncoding.EncodeToString(secret)
	current := now.Unix() / totpPeriod
	for s := current - totpSkew; s <= current+totpSkew; s++ {
		fits, err := hotp.ValidateCustom(code, uint64(max(s, 0)), text, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && fits && s > last {
			return s, true
		}
	}
	return 0, false
}
