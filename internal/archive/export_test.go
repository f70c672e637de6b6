package archive

import (
	"context"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/uid"
)

// Waiting counts the tenant's messages that wait for the next group commit.
func (a *Archive) Waiting(tenant uid.ID) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.tenants[tenant]; w != nil {
		return len(w.queue)
	}
	return 0
}

// Hashes counts the passwords that were hashed: the work of log-ins.
func (a *Archive) Hashes() int64 { return a.hasher.Hashes() }

// PartSums returns the SHA-256 of what the evidence record of a version covers, as the
// catalog knows them, and their hash values by h, read anew.
func (a *Archive) PartSums(ctx context.Context, tenant, id uid.ID, h algo.Hash) (known, read [][]byte, err error) {
	v, err := a.version(ctx, tenant, id)
	if err != nil {
		return nil, nil, err
	}
	p, err := a.protected(ctx, v.row)
	if err != nil {
		return nil, nil, err
	}
	read, err = a.partSums(ctx, v, p.metadata, h)
	return group(v.row.SHA256[:], v.row.Members), read, err
}
