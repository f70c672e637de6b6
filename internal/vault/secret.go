package vault

import (
	"context"
	"fmt"

	"github.com/muniment/muniment/internal/uid"
)

// MaxSecret is the largest secret that SealSecret takes, in bytes.
const MaxSecret = 64 << 10

// secretPurpose is the purpose of the key that secrets are sealed with.
const secretPurpose = "muniment secret 1"

// SealSecret encrypts a password or token of a tenant so that it can rest outside
// the vault. name is part of the seal: under another name it cannot be opened.
func (v *Vault) SealSecret(ctx context.Context, tenant uid.ID, name string, plain []byte) ([]byte, error) {
	if len(plain) > MaxSecret {
		return nil, fmt.Errorf("secret of %d bytes, at most %d: %w", len(plain), MaxSecret, ErrTooLarge)
	}
	key, err := v.tenantKey(ctx, tenant)
	if err != nil {
		return nil, err
	}
	a, err := derive(key[:], secretPurpose)
	if err != nil {
		return nil, fmt.Errorf("seal secret: %w", err)
	}
	return seal(a, plain, []byte(name)), nil
}

// OpenSecret undoes SealSecret. ErrCorrupt (wrapped) if the bytes, the tenant or the
// name are others.
func (v *Vault) OpenSecret(ctx context.Context, tenant uid.ID, name string, sealed []byte) ([]byte, error) {
	key, err := v.tenantKey(ctx, tenant)
	if err != nil {
		return nil, err
	}
	a, err := derive(key[:], secretPurpose)
	if err != nil {
		return nil, fmt.Errorf("open secret: %w", err)
	}
	plain, err := unseal(a, sealed, []byte(name))
	if err != nil {
		return nil, fmt.Errorf("open secret %s: %w: %w", name, ErrCorrupt, err)
	}
	return plain, nil
}
