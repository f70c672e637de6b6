// Package password hashes and checks passwords with argon2id (RFC 9106) and
// writes them as PHC strings, so that parameters can be raised later and
// hashes move between systems. It judges new passwords, too, without asking anybody.
//
//	password.go  hashing      policy.go    what a new password must be
//	estimate.go  match.go     how many guesses a password takes
//	common.go    what people use        breached.go  lists of leaked passwords
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

	"golang.org/x/crypto/argon2"
)

// ErrFormat is returned (wrapped) for a string that is no argon2id PHC string
// within the limits of this package.
var ErrFormat = errors.New("not an argon2id hash")

// Parameters of new hashes: the least that the OWASP Password Storage Cheat Sheet takes
// for argon2id. What is costlier (RFC 9106 §4: 64 MiB, 3 passes) keeps both cores of a
// small server busy for each log-in, and every log-in behind it waits;
// docs/decisions/0010-cost-of-passwords.md has the figures.
const (
	memoryKiB = 19 << 10
	passes    = 2
	lanes     = 1
	saltBytes = 16
	keyBytes  = 32
)

// Limits of hashes that are accepted, so that an imported hash cannot exhaust
// the machine.
const (
	maxMemoryKiB = 256 << 10
	maxPasses    = 16
	maxLanes     = 16
	maxWork      = 1 << 20 // memory times passes
	minMemoryKiB = 7 << 10 // of hashes from elsewhere; less protects little
)

// Hasher bounds how many passwords are hashed at the same time: each takes
// 19 MiB, and a core. It is safe for concurrent use.
type Hasher struct {
	slots  chan struct{}
	hashes atomic.Int64
	memory uint32 // KiB
	passes uint32
}

// NewHasher returns a Hasher for n hashes at a time.
func NewHasher(n int) *Hasher {
	return &Hasher{slots: make(chan struct{}, max(n, 1)), memory: memoryKiB, passes: passes}
}

// NewCheapHasher returns a Hasher whose new hashes cost a fiftieth: for tests, which make
// thousands, and for nothing else.
func NewCheapHasher(n int) *Hasher {
	return &Hasher{slots: make(chan struct{}, max(n, 1)), memory: minMemoryKiB, passes: 1}
}

// Stale reports whether a hash was made with other parameters than those of new hashes,
// so that it should be made anew when the password is known the next time. What is no
// hash is not stale.
func (h *Hasher) Stale(phc string) bool {
	p, err := parse(phc)
	return err == nil && (p.memory != h.memory || p.passes != h.passes || p.lanes != lanes)
}

// Hashes counts the passwords that were hashed so far, to be set or compared.
func (h *Hasher) Hashes() int64 { return h.hashes.Load() }

// Hash returns the PHC string of password.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if err := h.acquire(ctx); err != nil {
		return "", err
	}
	defer h.release()
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	key := argon2.IDKey([]byte(password), salt, h.passes, h.memory, lanes, keyBytes)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, lanes,
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
		argon2.IDKey([]byte(password), make([]byte, saltBytes), h.passes, h.memory, lanes, keyBytes)
		return false, nil
	}
	p, err := parse(phc)
	if err != nil {
		return false, err
	}
	key := argon2.IDKey([]byte(password), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.key)))
	return subtle.ConstantTimeCompare(key, p.key) == 1, nil
}

// CheckHash reports as ErrFormat what is no argon2id PHC string that Verify takes, and
// what protects its password too little to be taken from elsewhere.
func CheckHash(phc string) error {
	p, err := parse(phc)
	if err == nil && p.memory < minMemoryKiB {
		err = fmt.Errorf("memory of %d KiB is too little: %w", p.memory, ErrFormat)
	}
	return err
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
	if f[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, fmt.Errorf("version %.10q: %w", f[2], ErrFormat)
	}
	_, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes)
	if err != nil || f[3] != fmt.Sprintf("m=%d,t=%d,p=%d", p.memory, p.passes, p.lanes) { // others, such as a key id, would be ignored
		return nil, fmt.Errorf("parameters %.40q: %w", f[3], ErrFormat)
	}
	if p.memory == 0 || p.memory > maxMemoryKiB || p.passes == 0 || p.passes > maxPasses || p.lanes == 0 || p.lanes > maxLanes || p.memory*p.passes > maxWork {
		return nil, fmt.Errorf("parameters %.40q out of bounds: %w", f[3], ErrFormat)
	}
	if p.salt, err = base64.RawStdEncoding.DecodeString(f[4]); err != nil || len(p.salt) < 8 || len(p.salt) > 64 {
		return nil, fmt.Errorf("salt: %w", ErrFormat)
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(f[5]); err != nil || len(p.key) < 16 || len(p.key) > 64 {
		return nil, fmt.Errorf("key: %w", ErrFormat)
	}
	return &p, nil
}
