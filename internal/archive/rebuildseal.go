package archive

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// seals restores batches, trees and time stamps from the vault.
func (r *rebuild) seals(ctx context.Context) error {
	if err := r.a.catalog.ClearSeals(ctx); err != nil {
		return err
	}
	tenants, err := r.a.Tenants(ctx)
	if err != nil {
		return err
	}
	known := map[uid.ID]bool{}
	for _, t := range tenants {
		known[t.ID] = true
	}
	var batches []uid.ID
	numbers := map[uid.ID][]int{}
	err = r.a.vault.Seals(ctx, func(n vault.SealName) error {
		if n.Stamp == 0 {
			batches = append(batches, n.Batch)
		} else {
			numbers[n.Batch] = append(numbers[n.Batch], n.Stamp)
		}
		return nil
	}, nil)
	if err != nil {
		return err
	}
	signer, err := r.a.logSigner(ctx)
	if err != nil {
		return err
	}
	r.restored = map[uid.ID]bool{}
	// Renewals refer to batches, whatever the clock said when they were made.
	for _, renewals := range []bool{false, true} {
		for _, id := range batches {
			if err := r.sealBatch(ctx, id, numbers[id], known, signer, renewals); err != nil {
				return err
			}
		}
	}
	for _, t := range tenants {
		if err := r.a.settleMark(ctx, t.ID); err != nil {
			r.out.Damaged = append(r.out.Damaged, err)
		}
	}
	return nil
}

// sealBatch restores one batch, if it is a renewal or none as is wanted. What cannot be
// read is damage, and the rest goes on.
func (r *rebuild) sealBatch(ctx context.Context, id uid.ID, numbers []int, known map[uid.ID]bool, signer *logSigner, renewals bool) error {
	bad := func(err error) error {
		r.out.Damaged = append(r.out.Damaged, err)
		return ctx.Err()
	}
	b, err := r.a.batch(ctx, id)
	if err != nil {
		if renewals {
			return ctx.Err() // told of in the first round
		}
		return bad(err)
	}
	if (b.Kind == seal.KindRenewal) != renewals {
		return nil
	}
	row, parts := sealRows(b)
	all := parts.Trees
	parts.Trees = nil
	for _, t := range all {
		if !known[t.Tenant] {
			continue // it is gone; its root is in the batch
		}
		o, err := r.a.vault.OpenTree(ctx, t.Tenant, id)
		if err != nil {
			if err := bad(err); err != nil {
				return err
			}
			continue
		}
		parts.Trees = append(parts.Trees, t)
		if err := o.Close(); err != nil {
			return err
		}
	}
	parts.Checkpoints = slices.DeleteFunc(parts.Checkpoints, func(c *catalog.SealCheckpoint) bool {
		// A log that was lost began anew, under another origin.
		return !c.Tenant.IsZero() && !known[c.Tenant] || !strings.HasPrefix(b.Checkpoints[c.Position].Note, signer.origin(c.Tenant)+"\n")
	})
	parts.Covers = slices.DeleteFunc(parts.Covers, func(c *catalog.SealCover) bool { return !r.restored[c.Covers] })
	for _, n := range numbers {
		s, err := r.a.stampRow(ctx, id, n)
		if err != nil {
			if err := bad(err); err != nil {
				return err
			}
			continue
		}
		parts.Stamps = append(parts.Stamps, s)
		row.State = catalog.SealStamped
	}
	r.restored[id] = true
	return r.a.catalog.AddSealBatch(ctx, row, parts)
}

// errUnsealed ends the search for the first message that is in no batch.
var errUnsealed = errors.New("in no batch")

// settleMark moves the mark of a tenant over the messages that are in a batch.
func (a *Archive) settleMark(ctx context.Context, tenant uid.ID) error {
	f := &sealFinder{a: a, tenant: tenant}
	defer f.close()
	var mark int64
	for {
		n := 0
		err := a.catalog.Sealables(ctx, tenant, mark, sealPage, func(s catalog.Sealable, err error) error {
			if err != nil {
				return err
			}
			if found, err := f.has(ctx, s.AOID); err != nil || !found {
				return errors.Join(err, errUnsealed)
			}
			n++
			mark = s.Seq
			return nil
		})
		if errors.Is(err, errUnsealed) || err == nil && n == 0 {
			break
		}
		if err != nil {
			return err
		}
	}
	if mark == 0 {
		return nil
	}
	return a.catalog.SetSealMark(ctx, tenant, catalog.SealMove{To: mark})
}

// sealFinder looks many messages of a tenant up, most of which are in the same tree.
type sealFinder struct {
	a      *Archive
	tenant uid.ID
	last   *sealedAt
}

func (f *sealFinder) has(ctx context.Context, aoid uid.ID) (bool, error) {
	if f.last != nil {
		if _, found, err := f.last.file.Find(aoid); found || err != nil {
			return found, err
		}
	}
	at, err := f.a.findSealed(ctx, f.tenant, aoid)
	if err != nil || at == nil {
		return false, err
	}
	f.close()
	f.last = at
	return true, nil
}

func (f *sealFinder) close() {
	if err := f.last.Close(); err != nil {
		f.a.log.Warn("close tree", "error", err)
	}
	f.last = nil
}
