package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/uid"
)

// What proves the objects rests beside them, written once and not encrypted: trees
// hold nothing but identifiers and salted hashes, and must be readable by others.
const (
	sealsDir    = "seals/"
	batchSuffix = ".batch"
	stampSuffix = ".stamp"
	treeDir     = "tree/"
	treeSuffix  = ".tree"

	// MaxSeal is the largest object of a batch that is no tree, in bytes.
	MaxSeal = 64 << 20
)

// SealName names an object of a batch: the batch itself, or one of its stamps.
type SealName struct {
	Batch uid.ID
	Stamp int // from 1; 0: the batch itself
}

// String is the key of the object in the blob store.
func (n SealName) String() string {
	if n.Stamp == 0 {
		return sealsDir + n.Batch.String() + batchSuffix
	}
	return fmt.Sprintf("%s%s.%d%s", sealsDir, n.Batch, n.Stamp, stampSuffix)
}

func parseSealName(key string) (SealName, bool) {
	s, ok := strings.CutPrefix(key, sealsDir)
	id, rest, dot := strings.Cut(s, ".")
	batch, err := uid.Parse(id)
	if !ok || !dot || err != nil {
		return SealName{}, false
	}
	n := SealName{Batch: batch}
	if number, ok := strings.CutSuffix("."+rest, stampSuffix); ok {
		n.Stamp, err = strconv.Atoi(strings.TrimPrefix(number, "."))
	}
	return n, err == nil && n.String() == key
}

// PutSeal stores an object of a batch, durably. blob.ErrExists (wrapped) if it is
// there already.
func (v *Vault) PutSeal(ctx context.Context, n SealName, data []byte) error {
	if len(data) > MaxSeal {
		return fmt.Errorf("put %s: %d bytes, at most %d: %w", n, len(data), MaxSeal, ErrTooLarge)
	}
	if err := v.blobs.Put(ctx, n.String(), bytes.NewReader(data), int64(len(data))); err != nil {
		return fmt.Errorf("put %s: %w", n, err)
	}
	return nil
}

// ReadSeal returns an object of a batch. ErrNotFound.
func (v *Vault) ReadSeal(ctx context.Context, n SealName) ([]byte, error) {
	b, err := v.readWhole(ctx, n.String(), MaxSeal)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, fmt.Errorf("%s: %w", n, ErrNotFound)
	}
	return b, err
}

// Seals calls fn for every object of every batch, ascending by batch, and other for
// what lies among them and has another name. It stops at the first error.
func (v *Vault) Seals(ctx context.Context, fn func(n SealName) error, other func(key string) error) error {
	return v.blobs.List(ctx, sealsDir, func(i blob.Info) error {
		n, ok := parseSealName(i.Key)
		switch {
		case ok:
			return fn(n)
		case other != nil:
			return other(i.Key)
		}
		return nil
	})
}

// RemoveSeal deletes an object of a batch that nothing needs.
func (v *Vault) RemoveSeal(ctx context.Context, n SealName) error {
	if err := v.blobs.Delete(ctx, n.String()); err != nil {
		return fmt.Errorf("remove %s: %w", n, err)
	}
	return nil
}

// TreeObject is the key of the tree of a tenant in a batch.
func TreeObject(tenant, batch uid.ID) string {
	return tenantsDir + tenant.String() + "/" + treeDir + batch.String() + treeSuffix
}

// parseTreeName reads a key below the tenant's space.
func parseTreeName(s string) (batch uid.ID, ok bool) {
	s, ok = strings.CutPrefix(s, treeDir)
	name, ok2 := strings.CutSuffix(s, treeSuffix)
	batch, err := uid.Parse(name)
	return batch, ok && ok2 && err == nil && batch.String() == name
}

// PutTree stores the tree of a tenant in a batch, durably, from exactly size bytes.
// blob.ErrExists (wrapped) if it is there already.
func (v *Vault) PutTree(ctx context.Context, tenant, batch uid.ID, r io.Reader, size int64) error {
	if err := v.blobs.Put(ctx, TreeObject(tenant, batch), r, size); err != nil {
		return fmt.Errorf("put tree of tenant %s in batch %s: %w", tenant, batch, err)
	}
	return nil
}

// OpenTree opens the tree of a tenant in a batch. ErrNotFound.
func (v *Vault) OpenTree(ctx context.Context, tenant, batch uid.ID) (blob.Object, error) {
	o, err := v.blobs.Open(ctx, TreeObject(tenant, batch))
	if errors.Is(err, blob.ErrNotFound) {
		return nil, fmt.Errorf("tree of tenant %s in batch %s: %w", tenant, batch, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("open tree: %w", err)
	}
	return o, nil
}

// Trees calls fn for the batch of every tree of a tenant, ascending.
func (v *Vault) Trees(ctx context.Context, tenant uid.ID, fn func(batch uid.ID) error) error {
	prefix := tenantsDir + tenant.String() + "/"
	return v.blobs.List(ctx, prefix+treeDir, func(i blob.Info) error {
		if batch, ok := parseTreeName(strings.TrimPrefix(i.Key, prefix)); ok {
			return fn(batch)
		}
		return nil
	})
}

// RemoveTree deletes a tree that nothing needs.
func (v *Vault) RemoveTree(ctx context.Context, tenant, batch uid.ID) error {
	if err := v.blobs.Delete(ctx, TreeObject(tenant, batch)); err != nil {
		return fmt.Errorf("remove tree: %w", err)
	}
	return nil
}
