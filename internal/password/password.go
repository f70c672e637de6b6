// Package password hashes and checks passwords with argon2id (RFC 9106) and
// writes them as PHC strings, so that parameters can be raised later and
// hashes move between systems.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// ErrFormat is returned (wrapped) for a string that is no argon2id PHC string
// within the limits of this package.
var ErrFormat = errors.New("not an argon2id hash")

// Parameters of new hashes: RFC 9106 §4, second recommended option.
const (
	memoryKiB = 64 << 10
	passes    = 3
	lanes     = 4
	saltBytes = 16
	keyBytes  = 32
)

// Limits of hashes that are accepted, so that an imported hash cannot exhaust
// the machine.
const (
	maxMemoryKiB = 256 << 10
	maxPasses    = 16
	maxLanes     = 16
)

// MinLength is the number of characters a password needs at least.
const MinLength = 10

// Hasher bounds how many passwords are hashed at the same time: each takes
// 64 MiB. It is safe for concurrent use.
type Hasher struct {
	slots  chan struct{}
	hashes atomic.Int64
}

// NewHasher returns a Hasher for n hashes at a time.
func NewHasher(n int) *Hasher { return &Hasher{slots: make(chan struct{}, max(n, 1))} }

// Hashes counts the passwords that were hashed so far, to be set or compared.
func (h *Hasher) Hashes() int64 { return h.hashes.Load() }

// CheckPolicy says why a new password is refused, or nil.
func CheckPolicy(password string) error {
	switch {
	case !utf8.ValidString(password):
		return errors.New("password: is not valid UTF-8")
	case utf8.RuneCountInString(password) < MinLength:
		return fmt.Errorf("password: has fewer than %d characters; use a longer one", MinLength)
	case len(password) > 1024:
		return errors.New("password: is longer than 1024 bytes; use a shorter one")
	}
	return nil
}

// Hash returns the PHC string of password.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.acquire(ctx); err != nil {
		return "", err
	}
	defer h.release()
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	key := argon2.IDKey([]byte(password), salt, passes, memoryKiB, lanes, keyBytes)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memoryKiB, passes, lanes,
		b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// Verify reports whether password belongs to the PHC string. An empty string
// belongs to nobody but costs the same time, so that an unknown user cannot be
// told from a wrong password.
func (h *Hasher) Verify(ctx context.Context, phc, password string) (bool, error) {
	if err := h.acquire(ctx); err != nil {
		return false, err
	}
	defer h.release()
	if phc == "" {
		argon2.IDKey([]byte(password), make([]byte, saltBytes), passes, memoryKiB, lanes, keyBytes)
		return false, nil
	}
	p, err := parse(phc)
	if err != nil {
		return false, err
	}
	key := argon2.IDKey([]byte(password), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.key)))
	return subtle.ConstantTimeCompare(key, p.key) == 1, nil
}

func (h *Hasher) acquire(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		h.hashes.Add(1)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *Hasher) release() { <-h.slots }

type parameters struct {
	memory, passes uint32
	lanes          uint8
	salt, key      []byte
}

func parse(phc string) (*parameters, error) {
	f := strings.Split(phc, "$")
	if len(f) != 6 || f[0] != "" || f[1] != "argon2id" {
		return nil, ErrFormat
	}
	var p parameters
	var version int
	if _, err := fmt.Sscanf(f[2], "v=%d", &version); err != nil || version != argon2.Version {
		return nil, fmt.Errorf("version %.10q: %w", f[2], ErrFormat)
	}
	if _, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil {
		return nil, fmt.Errorf("parameters %.40q: %w", f[3], ErrFormat)
	}
	if p.memory == 0 || p.memory > maxMemoryKiB || p.passes == 0 || p.passes > maxPasses || p.lanes == 0 || p.lanes > maxLanes {
		return nil, fmt.Errorf("parameters %.40q out of bounds: %w", f[3], ErrFormat)
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.DecodeString(f[4]); err != nil || len(p.salt) < 8 || len(p.salt) > 64 {
		return nil, fmt.Errorf("salt: %w", ErrFormat)
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(f[5]); err != nil || len(p.key) < 16 || len(p.key) > 64 {
		return nil, fmt.Errorf("key: %w", ErrFormat)
	}
	return &p, nil
}
