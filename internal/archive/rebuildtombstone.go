package archive

import (
	"context"
	"slices"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// keepTombstones writes tombstones into the vault that only the catalog knows, before its
// rows go: a deletion was interrupted.
func (r *rebuild) keepTombstones(ctx context.Context, tenant uid.ID) error {
	filter := catalog.TombstoneFilter{Unfinished: true}
	for {
		list, err := r.a.catalog.Tombstones(ctx, tenant, filter, maxErase)
		if err := r.a.sound("tombstones", err); err != nil || len(list) == 0 {
			return err
		}
		if err := r.a.writeTombstones(ctx, tenant, list); err != nil {
			return err
		}
		filter.Before = list[len(list)-1].AOID
	}
}

// tombstone remembers what was deleted.
func (r *rebuild) tombstone(_ context.Context, done *adopted, _ *catalog.Batch, e vault.Entry) error {
	if e.Frame.Kind != vault.KindRecord || done.stones[e.Frame.AOID] != nil {
		return nil
	}
	if rec, err := decodeRecord(e.Meta); err == nil && rec.Tombstone != nil { // what cannot be read is told of later
		done.stones[e.Frame.AOID] = rec.Tombstone.tombstone(done.tenant, e)
	}
	return nil
}

// bury takes the tombstones into the catalog, and counts what they say of arrivals.
func (r *rebuild) bury(ctx context.Context, done *adopted) error {
	list := make([]*catalog.Tombstone, 0, len(done.stones))
	for _, s := range done.stones {
		list = append(list, s)
		for _, x := range s.Arrivals {
			if x.Uncounted {
				continue
			}
			k := accountKey{x.Source, x.Day, x.Outcome}
			if r.accounts[k] == nil {
				r.accounts[k] = &catalog.Account{Source: k.source, Day: k.day, Outcome: k.outcome}
			}
			r.accounts[k].Count++
			r.accounts[k].Bytes += x.Bytes
		}
	}
	slices.SortFunc(list, func(a, b *catalog.Tombstone) int { return a.AOID.Compare(b.AOID) })
	for some := range slices.Chunk(list, maxErase) {
		if err := r.a.catalog.RestoreTombstones(ctx, done.tenant, nil, some); err != nil {
			return err
		}
	}
	return nil
}

// destroyRevenants destroys what can still be read of deleted messages.
func (r *rebuild) destroyRevenants(ctx context.Context, done *adopted) error {
	refs := done.revenants
	var parts [][32]byte
	for p := range done.unused {
		loc, ok, err := r.a.catalog.FindPart(ctx, done.tenant, p)
		if err != nil {
			return err
		}
		if ok && !done.used[p] {
			refs, parts = append(refs, vault.Ref{Segment: loc.Segment, Frame: loc.Frame}), append(parts, p)
		}
	}
	if len(refs) == 0 {
		return nil
	}
	if err := r.a.catalog.Erase(ctx, done.tenant, catalog.Erasure{Parts: parts}); err != nil {
		return err
	}
	return r.a.eraseFrames(ctx, done.tenant, refs)
}
