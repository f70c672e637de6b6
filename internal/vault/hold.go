package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/uid"
)

// Holds rest beside the segments, each as an object of its own: what must not be deleted
// must still be known when the catalog is lost.
const (
	holdDir     = "hold/"
	holdSuffix  = ".hold"
	holdMagic   = "MUNHLD01"
	holdPurpose = "muniment hold 1"

	// MaxHold is the largest description of a hold, in bytes.
	MaxHold = 1 << 20
)

func holdObject(tenant, id uid.ID) string {
	return tenantsDir + tenant.String() + "/" + holdDir + id.String() + holdSuffix
}

// parseHoldName reads a key below the tenant's space.
func parseHoldName(s string) (id uid.ID, ok bool) {
	s, ok = strings.CutPrefix(s, holdDir)
	name, ok2 := strings.CutSuffix(s, holdSuffix)
	id, err := uid.Parse(name)
	return id, ok && ok2 && err == nil && id.String() == name
}

// PutHold stores the description of a hold in place of what was there, durably and
// encrypted with the tenant's key.
func (v *Vault) PutHold(ctx context.Context, tenant, id uid.ID, data []byte) error {
	if len(data) > MaxHold {
		return fmt.Errorf("hold %s: %d bytes, at most %d: %w", id, len(data), MaxHold, ErrTooLarge)
	}
	key, err := v.tenantKey(ctx, tenant)
	if err != nil {
		return err
	}
	a, err := derive(key[:], holdPurpose)
	if err != nil {
		return fmt.Errorf("seal hold %s: %w", id, err)
	}
	b := append([]byte(holdMagic), seal(a, data, holdAAD(tenant, id))...)
	if err := v.blobs.Replace(ctx, holdObject(tenant, id), bytes.NewReader(b), int64(len(b))); err != nil {
		return fmt.Errorf("put hold %s: %w", id, err)
	}
	return nil
}

func holdAAD(tenant, id uid.ID) []byte {
	return append(append([]byte(holdMagic), tenant[:]...), id[:]...)
}

// ReadHold returns the description of a hold. ErrNotFound, or a *CorruptError.
func (v *Vault) ReadHold(ctx context.Context, tenant, id uid.ID) ([]byte, error) {
	name := holdObject(tenant, id)
	key, err := v.tenantKey(ctx, tenant)
	if err != nil {
		return nil, err
	}
	b, err := v.readWhole(ctx, name, MaxHold+1024)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return nil, fmt.Errorf("hold %s: %w", id, ErrNotFound)
	case errors.Is(err, ErrTooLarge):
		return nil, &CorruptError{Object: name, What: "too large for a hold", NoFrame: true}
	case err != nil:
		return nil, fmt.Errorf("read hold %s: %w", id, err)
	case !bytes.HasPrefix(b, []byte(holdMagic)):
		return nil, &CorruptError{Object: name, What: "not a hold of a known version", NoFrame: true}
	}
	a, err := derive(key[:], holdPurpose)
	if err != nil {
		return nil, fmt.Errorf("open hold %s: %w", id, err)
	}
	plain, err := unseal(a, b[len(holdMagic):], holdAAD(tenant, id))
	if err != nil {
		return nil, &CorruptError{Object: name, What: err.Error(), NoFrame: true}
	}
	return plain, nil
}

// Holds calls fn for every hold of a tenant, ascending by id, with its description or
// with what is wrong with it, and stops at fn's first error.
func (v *Vault) Holds(ctx context.Context, tenant uid.ID, fn func(id uid.ID, data []byte, err error) error) error {
	prefix := tenantsDir + tenant.String() + "/"
	var list []uid.ID
	err := v.blobs.List(ctx, prefix+holdDir, func(i blob.Info) error {
		if id, ok := parseHoldName(strings.TrimPrefix(i.Key, prefix)); ok {
			list = append(list, id)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list holds: %w", err)
	}
	for _, id := range list {
		data, err := v.ReadHold(ctx, tenant, id)
		if err := fn(id, data, err); err != nil {
			return err
		}
	}
	return nil
}
