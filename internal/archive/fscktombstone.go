package archive

import (
	"context"
	"errors"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// grave handles a frame that is a tombstone, or of a message that has one. It reports
// whether nothing else is to be asked about it.
func (f *fsck) grave(ctx context.Context, tenant uid.ID, e vault.Entry) (buried bool, err error) {
	s, err := f.a.catalog.Tombstone(ctx, tenant, e.Frame.AOID)
	var bad *catalog.RowError
	known := err == nil || errors.As(err, &bad) // Check has reported a damaged one
	if err != nil && !known && !errors.Is(err, catalog.ErrNotFound) {
		return true, f.unreadable(ctx, "catalog", err)
	}
	if rec, err := decodeRecord(e.Meta); err == nil && rec.Tombstone != nil {
		if !known {
			f.damage("message "+e.Frame.AOID.String(), "segment %s tells that it was deleted, but the catalog has lost that; muniment rebuild restores it", e.Frame.Ref)
		}
		return true, nil
	}
	if !known {
		return false, nil
	}
	if s != nil {
		x := Finding{Severity: Leftover, Object: "message " + e.Frame.AOID.String(), What: "was deleted, and in segment " + e.Frame.Ref.String() + " is something of it that is still to be destroyed"}
		if f.o.Repair {
			if err := f.a.destroyLeft(ctx, tenant, s, e.Frame.Ref); err != nil {
				return true, err
			}
			x.Repaired = true
		}
		f.report(x)
	}
	return true, nil
}

// destroyLeft destroys a frame of a deleted message that a crash has left.
func (a *Archive) destroyLeft(ctx context.Context, tenant uid.ID, s *catalog.Tombstone, at vault.Ref) error {
	if len(s.Rest) > 0 {
		return a.finishErasures(ctx, tenant)
	}
	return a.vault.Erase(ctx, tenant, []vault.Ref{at})
}

// deleted reports whether a message was deleted since its row was read.
func (f *fsck) deleted(ctx context.Context, tenant, aoid uid.ID) bool {
	_, err := f.a.catalog.Tombstone(ctx, tenant, aoid)
	if err != nil {
		return false
	}
	_, err = f.a.catalog.Message(ctx, tenant, aoid)
	return errors.Is(err, catalog.ErrNotFound)
}

// known reports whether the catalog knows an attachment still.
func (f *fsck) known(ctx context.Context, tenant uid.ID, sum [32]byte) bool {
	_, ok, err := f.a.catalog.FindPart(ctx, tenant, sum)
	return ok || err != nil
}

// tombstones compares the rows of tombstones with what the vault holds, and with the
// messages.
func (f *fsck) tombstones(ctx context.Context, tenant uid.ID) error {
	err := f.a.catalog.WalkTombstones(ctx, tenant, func(s *catalog.Tombstone, err error) error {
		if err != nil {
			return nil //nolint:nilerr // Check has reported it
		}
		if _, err := f.a.catalog.Message(ctx, tenant, s.AOID); !errors.Is(err, catalog.ErrNotFound) {
			f.damage("message "+s.AOID.String(), "was deleted, but the catalog has a row of it")
		}
		if s.Record.Segment.IsZero() {
			if len(s.Rest) == 0 {
				f.damage("tombstone "+s.AOID.String(), "it is not in the vault")
			}
			return ctx.Err()
		}
		now := func() (catalog.Loc, error) {
			again, err := f.a.catalog.Tombstone(ctx, tenant, s.AOID)
			if err != nil {
				return catalog.Loc{}, err
			}
			return again.Record, nil
		}
		if !f.rests(ctx, tenant, s.Record, now, vault.KindRecord) {
			f.damage("tombstone "+s.AOID.String(), "the vault has lost its record %s/%d", s.Record.Segment, s.Record.Frame)
		}
		return ctx.Err()
	})
	return f.unreadable(ctx, "catalog", err)
}
