package factor

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// RecoveryCodes is how many codes a user gets.
const RecoveryCodes = 10

// recoveryBytes are the random bytes of a code: 80 bits, which nobody guesses, so that a
// fast hash is enough.
const recoveryBytes = 10

// NewRecoveryCodes makes codes as people write them down: xxxx-xxxx-xxxx-xxxx.
func NewRecoveryCodes() []string {
	codes := make([]string, RecoveryCodes)
	for i := range codes {
		b := make([]byte, recoveryBytes)
		rand.Read(b)
		s := strings.ToLower(base32.StdEncoding.EncodeToString(b))
		codes[i] = s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
	}
	return codes
}

// RecoveryHash is what is kept of a code of a user. How the code is written, with or
// without hyphens, in small letters or capitals, does not matter.
func RecoveryHash(user, code string) []byte {
	code = strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(code))
	h := sha256.Sum256([]byte("muniment recovery code 1\x00" + user + "\x00" + code))
	return h[:]
}
