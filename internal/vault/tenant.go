package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/uid"
)

const (
	tenantMagic = "MUNTNT01"
	tenantsDir  = "tenants/"
	tenantFile  = "/tenant.key"
	// tenantHead is magic ‖ id of the instance key.
	tenantHead = len(tenantMagic) + len(keyID{})
	// MaxTenantData is the largest TenantInfo.Data, in bytes.
	MaxTenantData = 64 << 10
	maxTenantKey  = tenantHead + nonceSize + keySize + MaxTenantData + 16
)

// TenantInfo is what the vault keeps of a tenant, for rebuild.
type TenantInfo struct {
	ID uid.ID
	// Data is whatever the caller needs to restore the tenant's row, at most
	// MaxTenantData bytes. It is encrypted with the instance key.
	Data []byte
}

type tenantKey [keySize]byte

func tenantObject(tenant uid.ID) string { return tenantsDir + tenant.String() + tenantFile }

// CreateTenant makes the tenant's key, durably. blob.ErrExists (wrapped) if it
// has one.
func (v *Vault) CreateTenant(ctx context.Context, info TenantInfo) error {
	if info.ID.IsZero() {
		return errors.New("create tenant in the vault: no id")
	}
	var key tenantKey
	rand.Read(key[:])
	b, err := v.sealTenant(key, info)
	if err == nil {
		err = v.blobs.Put(ctx, tenantObject(info.ID), bytes.NewReader(b), int64(len(b)))
	}
	if err != nil {
		return fmt.Errorf("create tenant in the vault: %w", err)
	}
	return nil
}

// UpdateTenant replaces the tenant's Data, durably; its key stays.
func (v *Vault) UpdateTenant(ctx context.Context, info TenantInfo) error {
	key, _, err := v.readTenant(ctx, info.ID)
	if err != nil {
		return err
	}
	b, err := v.sealTenant(key, info)
	if err == nil {
		err = v.blobs.Replace(ctx, tenantObject(info.ID), bytes.NewReader(b), int64(len(b)))
	}
	if err != nil {
		return fmt.Errorf("update tenant in the vault: %w", err)
	}
	return nil
}

func (v *Vault) sealTenant(key tenantKey, info TenantInfo) ([]byte, error) {
	if len(info.Data) > MaxTenantData {
		return nil, fmt.Errorf("data of tenant: %w", ErrTooLarge)
	}
	head := append([]byte(tenantMagic), v.keys.id[:]...)
	a, err := derive(v.keys.key[:], "muniment tenant key 1")
	if err != nil {
		return nil, err
	}
	return append(head, seal(a, append(key[:], info.Data...), append(head[:len(head):len(head)], info.ID[:]...))...), nil
}

// readTenant reads the tenant's key object. Damage is a *CorruptError.
func (v *Vault) readTenant(ctx context.Context, tenant uid.ID) (tenantKey, TenantInfo, error) {
	name := tenantObject(tenant)
	corrupt := func(what string) (tenantKey, TenantInfo, error) {
		return tenantKey{}, TenantInfo{ID: tenant}, &CorruptError{Object: name, What: what, NoFrame: true}
	}
	b, err := v.readWhole(ctx, name, int64(maxTenantKey))
	if errors.Is(err, blob.ErrNotFound) {
		return tenantKey{}, TenantInfo{}, fmt.Errorf("tenant %s: %w", tenant, ErrNoTenant)
	}
	if errors.Is(err, ErrTooLarge) {
		return corrupt("too large for a tenant's key")
	}
	if err != nil {
		return tenantKey{}, TenantInfo{}, fmt.Errorf("read key of tenant: %w", err)
	}
	if len(b) < tenantHead || string(b[:len(tenantMagic)]) != tenantMagic {
		return corrupt("not a tenant's key of a known version")
	}
	if keyID(b[len(tenantMagic):tenantHead]) != v.keys.id {
		return corrupt("it was made with another instance key")
	}
	a, err := derive(v.keys.key[:], "muniment tenant key 1")
	if err != nil {
		return tenantKey{}, TenantInfo{}, err
	}
	plain, err := unseal(a, b[tenantHead:], append(b[:tenantHead:tenantHead], tenant[:]...))
	if err != nil {
		return corrupt(err.Error())
	}
	if len(plain) < keySize {
		return corrupt("too short")
	}
	return tenantKey(plain[:keySize]), TenantInfo{ID: tenant, Data: plain[keySize:]}, nil
}

// readWhole reads a small object. ErrTooLarge if it has more than limit bytes.
func (v *Vault) readWhole(ctx context.Context, name string, limit int64) ([]byte, error) {
	o, err := v.blobs.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	if o.Size() > limit {
		return nil, fmt.Errorf("%s: %d bytes: %w", name, o.Size(), ErrTooLarge)
	}
	b := make([]byte, o.Size())
	if n, err := o.ReadAt(b, 0); n < len(b) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b, nil
}

// tenantKey returns the key of a tenant; keys are kept in memory once read.
func (v *Vault) tenantKey(ctx context.Context, tenant uid.ID) (tenantKey, error) {
	v.mu.Lock()
	key, ok := v.tenants[tenant]
	v.mu.Unlock()
	if ok {
		return key, nil
	}
	key, _, err := v.readTenant(ctx, tenant)
	if err != nil {
		return tenantKey{}, err
	}
	v.mu.Lock()
	v.tenants[tenant] = key
	v.mu.Unlock()
	return key, nil
}

// Tenants calls fn for every tenant that has a key, ascending by id, and stops
// at its first error. Damage to one key is passed to fn as a *CorruptError
// with only info.ID set.
func (v *Vault) Tenants(ctx context.Context, fn func(info TenantInfo, err error) error) error {
	return v.blobs.List(ctx, tenantsDir, func(i blob.Info) error {
		name, ok := strings.CutSuffix(strings.TrimPrefix(i.Key, tenantsDir), tenantFile)
		if !ok {
			return nil
		}
		id, err := uid.Parse(name)
		if err != nil {
			return nil //nolint:nilerr // not a tenant's: no id has such a name
		}
		_, info, err := v.readTenant(ctx, id)
		return fn(info, err)
	})
}

// Tenant returns what the vault keeps of a tenant. ErrNoTenant (wrapped), or a
// *CorruptError.
func (v *Vault) Tenant(ctx context.Context, tenant uid.ID) (TenantInfo, error) {
	_, info, err := v.readTenant(ctx, tenant)
	return info, err
}

// CheckTenant verifies the tenant's key object.
func (v *Vault) CheckTenant(ctx context.Context, tenant uid.ID) error {
	_, _, err := v.readTenant(ctx, tenant)
	return err
}

// DestroyTenant deletes the tenant's key: everything the tenant has stored
// becomes unreadable at once and for ever. The objects stay until they are removed.
func (v *Vault) DestroyTenant(ctx context.Context, tenant uid.ID) error {
	if err := v.blobs.Delete(ctx, tenantObject(tenant)); err != nil {
		return fmt.Errorf("destroy key of tenant: %w", err)
	}
	v.mu.Lock()
	delete(v.tenants, tenant)
	v.mu.Unlock()
	v.cache.drop(func(k segmentKey) bool { return k.tenant == tenant })
	return nil
}
