package eventlog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// ErrSignature is returned (wrapped) for what is not signed as it claims.
var ErrSignature = errors.New("signature does not hold")

// originPrefix begins the origins of all logs of this product.
const originPrefix = "muniment/"

// idLength is the length of an identifier in an origin.
const idLength = 26

// Origin names a log in checkpoints: "muniment/INSTALLATION/TENANT".
func Origin(instance, tenant string) string { return originPrefix + instance + "/" + tenant }

// splitOrigin is the inverse of Origin.
func splitOrigin(origin string) (instance, tenant string, err error) {
	rest, ok := strings.CutPrefix(origin, originPrefix)
	instance, tenant, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 || !isID(instance) || !isID(tenant) {
		return "", "", fmt.Errorf("origin %.100q is none of an event log", origin)
	}
	return instance, tenant, nil
}

func isID(s string) bool {
	return len(s) == idLength && !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

// ed25519Note is the algorithm byte of Ed25519 in C2SP signed-note.
const ed25519Note = 1

// signer signs notes in the name of a log. It implements note.Signer.
type signer struct {
	name string
	key  ed25519.PrivateKey
}

func (s signer) Name() string { return s.name }
func (s signer) KeyHash() uint32 {
	return keyHash(s.name, s.key.Public().(ed25519.PublicKey)) //nolint:forcetypeassert // always is
}
func (s signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.key, msg), nil }

// verifier implements note.Verifier.
type verifier struct {
	name string
	key  ed25519.PublicKey
}

func (v verifier) Name() string                { return v.name }
func (v verifier) KeyHash() uint32             { return keyHash(v.name, v.key) }
func (v verifier) Verify(msg, sig []byte) bool { return ed25519.Verify(v.key, msg, sig) }

// keyHash is that of C2SP signed-note: SHA-256(name ‖ \n ‖ 0x01 ‖ key)[:4].
func keyHash(name string, key ed25519.PublicKey) uint32 {
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write(append([]byte{ed25519Note}, key...))
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// VerifierKey writes a public key as programs that read signed notes want it:
// NAME+HASH+BASE64.
func VerifierKey(name string, key ed25519.PublicKey) string {
	return fmt.Sprintf("%s+%08x+%s", name, keyHash(name, key), base64.StdEncoding.EncodeToString(append([]byte{ed25519Note}, key...)))
}

// ParseVerifierKey reads what VerifierKey writes.
func ParseVerifierKey(s string) (name string, key ed25519.PublicKey, err error) {
	bad := fmt.Errorf("verifier key %.100q: want NAME+HASH+KEY of an Ed25519 key", s)
	name, rest, _ := strings.Cut(s, "+")
	_, data, ok := strings.Cut(rest, "+")
	b, err := base64.StdEncoding.Strict().DecodeString(data)
	if !ok || err != nil || len(b) != 1+ed25519.PublicKeySize || b[0] != ed25519Note {
		return "", nil, bad
	}
	key = ed25519.PublicKey(b[1:])
	if VerifierKey(name, key) != s {
		return "", nil, bad
	}
	return name, key, nil
}

// sign makes a signed note of text.
func sign(name, text string, key ed25519.PrivateKey) (string, error) {
	b, err := note.Sign(&note.Note{Text: text}, signer{name, key})
	return string(b), err
}

// open returns the text of a signed note with exactly one signature, that of
// name by key, and nothing else in it.
func open(name, signed string, key ed25519.PublicKey) (string, error) {
	n, err := note.Open([]byte(signed), note.VerifierList(verifier{name, key}))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrSignature, err)
	}
	again := n.Text + "\n"
	for _, s := range n.Sigs {
		again += "— " + s.Name + " " + s.Base64 + "\n"
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64)
	if err != nil || len(n.Sigs) != 1 || len(sig) != 4+ed25519.SignatureSize || again != signed {
		return "", fmt.Errorf("%w: not exactly one signature", ErrSignature)
	}
	return n.Text, nil
}

// successionTitle is the first line of a Succession.
const successionTitle = "muniment log key succession 1"

// Succession says that from a time on a new key signs for an installation. The
// old key signs it.
type Succession struct {
	Instance string // identifier of the installation
	Old, New ed25519.PublicKey
	Time     int64 // UTC milliseconds since 1970
}

func (s *Succession) name() string { return originPrefix + s.Instance + "/keys" }

func (s *Succession) text() string {
	e := base64.StdEncoding.EncodeToString
	return successionTitle + "\n" + s.Instance + "\n" + e(s.Old) + "\n" + e(s.New) + "\n" + strconv.FormatInt(s.Time, 10) + "\n"
}

// Sign returns the succession as a note signed by the old key.
func (s *Succession) Sign(old ed25519.PrivateKey) (string, error) {
	return sign(s.name(), s.text(), old)
}

// OpenSuccession reads a succession and verifies that its old key signed it.
// Whether that key deserves trust, the caller has to know.
func OpenSuccession(signed string) (*Succession, error) {
	if len(signed) > maxNote {
		return nil, fmt.Errorf("key succession of %d bytes: %w", len(signed), ErrSignature)
	}
	lines := strings.SplitN(signed, "\n", 6)
	if len(lines) < 6 || lines[0] != successionTitle || !isID(lines[1]) {
		return nil, fmt.Errorf("key succession: %w: not in its form", ErrSignature)
	}
	s := &Succession{Instance: lines[1]}
	var err1, err2, err3 error
	s.Old, err1 = base64.StdEncoding.DecodeString(lines[2])
	s.New, err2 = base64.StdEncoding.DecodeString(lines[3])
	s.Time, err3 = strconv.ParseInt(lines[4], 10, 64)
	if errors.Join(err1, err2, err3) != nil || len(s.Old) != ed25519.PublicKeySize || len(s.New) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("key succession: %w: not in its form", ErrSignature)
	}
	text, err := open(s.name(), signed, s.Old)
	if err == nil && text != s.text() {
		err = fmt.Errorf("%w: not in its form", ErrSignature)
	}
	if err != nil {
		return nil, fmt.Errorf("key succession: %w", err)
	}
	return s, nil
}
