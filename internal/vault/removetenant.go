package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/uid"
)

// RemoveTenant removes every object of a tenant whose key was destroyed, and returns
// how many there were. It can be stopped and called again. It refuses while the tenant
// has a key.
func (v *Vault) RemoveTenant(ctx context.Context, tenant uid.ID) (int, error) {
	switch err := v.CheckTenant(ctx, tenant); {
	case errors.Is(err, ErrNoTenant):
	case err != nil:
		return 0, err
	default:
		return 0, fmt.Errorf("remove tenant %s: it has a key", tenant)
	}
	var keys []string
	prefix := tenantsDir + tenant.String() + "/"
	err := v.blobs.List(ctx, prefix, func(i blob.Info) error {
		if strings.HasPrefix(i.Key, prefix) {
			keys = append(keys, i.Key)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("remove tenant %s: %w", tenant, err)
	}
	for n, key := range keys {
		if err := v.blobs.Delete(ctx, key); err != nil && !errors.Is(err, blob.ErrNotFound) {
			return n, fmt.Errorf("remove tenant %s: %w", tenant, err)
		}
	}
	return len(keys), nil
}
