package archive

import (
	"context"
	"errors"
	"fmt"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// strangers is what an unknown segment holds that the catalog does not know.
type strangers struct {
	messages int // by content
	settled  int // messages whose row says that they are in this very segment
	done     *adopted
	// unreadable is the first damage in it; such a segment is left as it is.
	unreadable error
}

// unknownSegment handles a segment that no commit has made known. Its messages
// were never acknowledged, or the catalog is older than the vault: that cannot
// be told apart, so what is not elsewhere is kept. It reports whether the
// catalog knows the segment from now on.
func (f *fsck) unknownSegment(ctx context.Context, tenant uid.ID, s vault.Segment) (taken bool, err error) {
	if f.a.now().Sub(s.CreatedAt) < graceTime && !f.o.Repair {
		return false, nil
	}
	x := Finding{Severity: Leftover, Object: "segment " + s.ID.String()}
	found, err := f.strangers(ctx, tenant, s)
	if err != nil {
		return false, err
	}
	switch {
	case errors.Is(found.unreadable, vault.ErrNotFound):
		return false, nil // a compaction has removed it
	case found.unreadable != nil:
		f.damage(x.Object, "the catalog does not know it, and not all of it can be read: %v", found.unreadable)
		return false, nil //nolint:nilerr // it is in the report
	case found.settled > 0:
		if !f.compacted(ctx, tenant, s.ID) {
			return true, nil // committed since the catalog was asked, or its row is damaged
		}
		f.damage(x.Object, "holds %d messages, but the catalog has lost its row; muniment rebuild restores it", found.settled)
		return false, nil
	}
	x.What = "the catalog does not know it; everything in it is elsewhere too"
	if found.messages > 0 {
		x.What = fmt.Sprintf("the catalog does not know it; %d of its messages are nowhere else and were probably never acknowledged", found.messages)
	}
	if f.o.Repair {
		if taken, err = f.settle(ctx, s, found); err != nil {
			return false, err
		}
		x.Repaired = true
	}
	f.report(x)
	return taken, nil
}

// settle takes a segment with strangers into the catalog, and removes any other.
func (f *fsck) settle(ctx context.Context, s vault.Segment, found *strangers) (taken bool, err error) {
	if found.messages == 0 {
		return false, f.a.vault.Remove(ctx, found.done.tenant, s.ID)
	}
	r := &rebuild{a: f.a, out: &Rebuilt{}, accounts: accounts{}}
	for _, take := range []takeFrame{r.part, r.message, r.record} {
		if err := r.segment(ctx, found.done, s, take); err != nil {
			return false, err
		}
	}
	if err := errors.Join(r.out.Damaged...); err != nil {
		return false, err
	}
	if err := r.decide(ctx, found.done); err != nil {
		return false, err
	}
	for _, acc := range r.accounts {
		if err := f.a.catalog.AddAccount(ctx, found.done.tenant, *acc); err != nil {
			return false, err
		}
	}
	w, err := f.a.work(found.done.tenant)
	if err == nil {
		w.poke()
	}
	return true, err
}

// strangers compares a segment's frames with the catalog.
func (f *fsck) strangers(ctx context.Context, tenant uid.ID, s vault.Segment) (*strangers, error) {
	out := &strangers{done: newAdopted(tenant)}
	err := f.a.vault.Scan(ctx, tenant, s.ID, func(e vault.Entry) error {
		if e.Err != nil && out.unreadable == nil {
			out.unreadable = e.Err
		}
		if e.Err != nil || e.Erased {
			return nil //nolint:nilerr // it is in out
		}
		switch e.Frame.Kind {
		case vault.KindMessage:
			return f.stranger(ctx, e, out)
		case vault.KindPart:
			_, known, err := f.a.catalog.FindPart(ctx, tenant, e.Frame.SHA256)
			out.done.parts[e.Frame.SHA256] = known
			return err
		case vault.KindRecord:
			return f.knownCapture(ctx, e, out.done)
		}
		return nil
	})
	if errors.Is(err, vault.ErrCorrupt) || errors.Is(err, vault.ErrNotFound) {
		out.unreadable = err
		return out, nil
	}
	return out, err
}

func (f *fsck) stranger(ctx context.Context, e vault.Entry, out *strangers) error {
	tenant := out.done.tenant
	if buried, err := f.a.buried(ctx, out.done, e.Frame.AOID); buried || err != nil {
		return err
	}
	row, err := f.a.catalog.Message(ctx, tenant, e.Frame.AOID)
	if err == nil && row.Segment == e.Frame.Ref.Segment {
		out.settled++
		return nil
	}
	known, err := f.a.knownFrame(ctx, tenant, e)
	if err != nil {
		return err
	}
	if aoid, ok := known[contentOf(e)]; ok {
		out.done.sums[contentOf(e)] = aoid
		return nil
	}
	out.messages++
	return f.knownCapture(ctx, e, out.done)
}

// knownCapture remembers captures that the catalog has.
func (f *fsck) knownCapture(ctx context.Context, e vault.Entry, done *adopted) error {
	rec, err := decodeRecord(e.Meta)
	if err != nil {
		return nil //nolint:nilerr // taking it will say what is wrong
	}
	if rec.Decision != nil || rec.Tombstone != nil {
		return nil
	}
	if buried, err := f.a.buried(ctx, done, e.Frame.AOID); buried || err != nil {
		return err
	}
	c, err := rec.Capture.capture(done.tenant, e.Frame.AOID)
	if err != nil {
		return nil //nolint:nilerr // as above
	}
	known, err := f.a.catalog.KnownCaptures(ctx, done.tenant, [][32]byte{c.Key})
	if known[c.Key] {
		done.keys[c.Key] = true
	}
	return err
}

func newAdopted(tenant uid.ID) *adopted {
	return &adopted{tenant: tenant, sums: map[[32]byte]uid.ID{}, parts: map[[32]byte]bool{}, keys: map[[32]byte]bool{}, sources: map[uid.ID]bool{}, decisions: map[uid.ID]catalog.Decision{}, stones: map[uid.ID]*catalog.Tombstone{}, used: map[vault.Sum]bool{}, unused: map[vault.Sum]bool{}}
}

// buried reports whether a message was deleted by the catalog, and remembers it.
func (a *Archive) buried(ctx context.Context, done *adopted, aoid uid.ID) (bool, error) {
	s, err := a.catalog.Tombstone(ctx, done.tenant, aoid)
	if err == nil {
		done.stones[aoid] = s
	}
	return err == nil, notFound(err)
}

// takeFrame takes one frame into a batch for the catalog.
type takeFrame func(context.Context, *adopted, *catalog.Batch, vault.Entry) error
