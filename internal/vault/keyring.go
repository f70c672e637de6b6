package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/muniment/muniment/internal/wholefile"
)

// The instance key file is one line:
//
//	muniment-instance-key-1:<64 hex digits: the key>:<16 hex digits: its id>
const (
	keyFilePrefix = "muniment-instance-key-1:"
	keyFileSize   = len(keyFilePrefix) + 64 + 1 + 16 + 1
	keySize       = 32
)

// ErrKeyFile is returned (wrapped) for an instance key file that is not beyond
// doubt.
var ErrKeyFile = errors.New("instance key file")

// keyID names an instance key without telling it. It is its check sum as well.
type keyID [8]byte

// Keyring holds the instance key, which wraps the keys of all tenants. Who loses
// it has lost the archive.
type Keyring struct {
	key [keySize]byte
	id  keyID
}

func newKeyring(key [keySize]byte) *Keyring {
	k := &Keyring{key: key}
	sum := sha256.Sum256(append([]byte("muniment instance key id 1"), key[:]...))
	copy(k.id[:], sum[:])
	return k
}

// LoadKeyring reads the instance key file made by CreateKeyring. It refuses
// (ErrKeyFile) a file that is no regular file, that others than its owner may
// read or write, or that is not whole to the last character.
func LoadKeyring(path string) (*Keyring, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read instance key: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read instance key: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%w %s: not a regular file", ErrKeyFile, path)
	}
	if p := st.Mode().Perm(); p&0o077 != 0 {
		return nil, fmt.Errorf("%w %s: mode is %04o, others may use it; make it 0600", ErrKeyFile, path, p)
	}
	if st.Size() != int64(keyFileSize) {
		return nil, fmt.Errorf("%w %s: %d bytes, want %d", ErrKeyFile, path, st.Size(), keyFileSize)
	}
	text := make([]byte, keyFileSize)
	if _, err := f.ReadAt(text, 0); err != nil {
		return nil, fmt.Errorf("read instance key: %w", err)
	}
	k, err := parseKeyFile(string(text))
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrKeyFile, path, err)
	}
	return k, nil
}

func parseKeyFile(text string) (*Keyring, error) {
	rest, ok := strings.CutPrefix(text, keyFilePrefix)
	if !ok {
		return nil, fmt.Errorf("does not start with %q", keyFilePrefix)
	}
	var key [keySize]byte
	if _, err := hex.Decode(key[:], []byte(rest[:64])); err != nil {
		return nil, errors.New("the key is not 64 hexadecimal digits")
	}
	k := newKeyring(key)
	if k.fileText() != text {
		return nil, errors.New("the check sum does not agree with the key")
	}
	return k, nil
}

func (k *Keyring) fileText() string {
	return keyFilePrefix + hex.EncodeToString(k.key[:]) + ":" + hex.EncodeToString(k.id[:]) + "\n"
}

// CreateKeyring makes a new instance key and writes it durably to path with
// mode 0600. It fails with fs.ErrExist if path exists, and never leaves part of
// a key behind.
func CreateKeyring(path string) (*Keyring, error) {
	var key [keySize]byte
	rand.Read(key[:]) // never fails
	k := newKeyring(key)
	if err := wholefile.Create(path, 0o600, wholefile.Bytes([]byte(k.fileText()))); err != nil {
		return nil, fmt.Errorf("create instance key: %w", err)
	}
	return k, nil
}

// derive makes a key for one purpose from another key (HKDF-SHA-256 without
// salt). No derived key is used for two purposes.
func derive(key []byte, purpose string, context ...byte) (cipher.AEAD, error) {
	k, err := hkdf.Key(sha256.New, key, nil, purpose+"\x00"+string(context), keySize)
	if err != nil {
		return nil, err
	}
	return newGCM(k)
}

func newGCM(key []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

const nonceSize = 12

// seal encrypts under a random nonce and returns nonce ‖ ciphertext ‖ tag.
func seal(a cipher.AEAD, plain, aad []byte) []byte {
	out := make([]byte, nonceSize, nonceSize+len(plain)+a.Overhead())
	rand.Read(out)
	return a.Seal(out, out, plain, aad)
}

var errUnseal = errors.New("encryption check failed: the bytes or their place have changed, or the key is another")

// unseal undoes seal.
func unseal(a cipher.AEAD, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < nonceSize+a.Overhead() {
		return nil, errUnseal
	}
	plain, err := a.Open(nil, sealed[:nonceSize], sealed[nonceSize:], aad)
	if err != nil {
		return nil, errUnseal
	}
	return plain, nil
}
