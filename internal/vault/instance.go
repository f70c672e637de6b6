package vault

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
)

// MaxInstance is the largest text that SealInstance takes, in bytes.
const MaxInstance = 16 << 20

// instancePurpose is the purpose of the key for what belongs to no tenant.
const instancePurpose = "muniment instance secret 1"

// SealInstance encrypts what belongs to the installation and not to a tenant, such
// as the password of the smarthost, so that it can rest outside the vault. name is
// part of the seal: under another name it cannot be opened.
func (v *Vault) SealInstance(name string, plain []byte) ([]byte, error) {
	if len(plain) > MaxInstance {
		return nil, fmt.Errorf("seal %s: %d bytes, at most %d: %w", name, len(plain), MaxInstance, ErrTooLarge)
	}
	a, err := derive(v.keys.key[:], instancePurpose)
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", name, err)
	}
	return seal(a, plain, []byte(name)), nil
}

// OpenInstance undoes SealInstance. ErrCorrupt (wrapped) if the bytes or the name
// are others, or the instance key is another.
func (v *Vault) OpenInstance(name string, sealed []byte) ([]byte, error) {
	a, err := derive(v.keys.key[:], instancePurpose)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	plain, err := unseal(a, sealed, []byte(name))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w: %w", name, ErrCorrupt, err)
	}
	return plain, nil
}

// InstanceTag returns 32 bytes that depend on name and text and that nobody can compute
// without the instance key (HMAC-SHA256).
func (v *Vault) InstanceTag(name, text string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, v.keys.key[:], nil, "muniment instance tag 1 "+name, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("tag %s: %w", name, err)
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil), nil
}
