package archive

import (
	"context"
	"errors"
	"fmt"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// Compacted counts what a compaction did.
type Compacted struct {
	Before, After   int   // segments
	BytesBefore     int64 // of the segments taken and their keys
	BytesAfter      int64
	MessagesHandled int       // frames moved
	Left            []LeftOut // segments that should have been merged and cannot be
}

// LeftOut is a segment that a compaction left as it is, because something in it
// is damaged or unknown: only whole segments are ever replaced.
type LeftOut struct {
	Segment uid.ID
	Err     error
}

// Compact merges the tenant's small segments into large ones in which similar
// messages share what they have in common. The originals stay what they are, and
// can be read at any moment; a crash leaves everything readable. force takes even
// a few segments.
//
// A segment is only replaced if everything in it is sound, and rests there
// according to a sound row, or elsewhere too. Any other is left out and named in
// Compacted.Left and in the log; until the next start it is not tried again,
// unless force is set. One compaction of a tenant runs at a time.
func (a *Archive) Compact(ctx context.Context, tenant uid.ID, force bool) (*Compacted, error) {
	out := &Compacted{}
	w, err := a.work(tenant)
	if err != nil {
		return out, err
	}
	ctx, end, err := a.enter(ctx)
	if err != nil {
		return out, err
	}
	defer end()
	select {
	case w.compacting <- struct{}{}:
		defer func() { <-w.compacting }()
	case <-ctx.Done():
		return out, ctx.Err()
	}
	if force {
		clear(w.leftOut)
	}
	for {
		more, err := a.compactOnce(ctx, w, force, out)
		if err != nil || !more {
			return out, err
		}
	}
}

// enter makes Close wait for what is under way, and ends its context.
func (a *Archive) enter(ctx context.Context) (context.Context, func(), error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return ctx, nil, ErrBusy
	}
	a.workers.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(a.background, cancel)
	return ctx, func() { release(); cancel(); a.workers.Done() }, nil
}

// compactOnce does one run. It reports whether there may be another.
func (a *Archive) compactOnce(ctx context.Context, w *tenantWork, force bool, out *Compacted) (more bool, err error) {
	segments, err := a.catalog.Segments(ctx, w.tenant)
	if err != nil && len(rowErrors(err)) == 0 {
		return false, err // rows that are damaged are fsck's matter: their segments stay
	}
	var candidates []*catalog.Segment
	for _, s := range segments {
		if !w.leftOut[s.ID] {
			candidates = append(candidates, s)
		}
	}
	chosen := chooseRun(candidates, force)
	if len(chosen) == 0 {
		return false, nil
	}
	m := &merge{a: a, tenant: w.tenant, resting: map[uid.ID]*catalog.Resting{}}
	bad, err := m.run(ctx, chosen)
	for _, l := range bad {
		w.leftOut[l.Segment] = true
		out.Left = append(out.Left, l)
		a.log.Error("segment is left out of compaction; muniment fsck tells more", "tenant", w.tenant, "segment", l.Segment, "error", l.Err)
	}
	if err != nil || len(bad) > 0 {
		return err == nil, err
	}
	out.Before += len(chosen)
	for _, s := range chosen {
		out.BytesBefore += s.Size
	}
	out.After += len(m.done.Segments)
	for _, s := range m.done.Segments {
		out.BytesAfter += s.Size
	}
	out.MessagesHandled += len(m.done.Moves)
	return true, nil
}

// merge is one run of a compaction.
type merge struct {
	a       *Archive
	tenant  uid.ID
	resting map[uid.ID]*catalog.Resting
	done    *vault.Compaction
}

// run replaces the chosen segments by new ones. If it returns segments, it has
// changed nothing and they are in the way.
func (m *merge) run(ctx context.Context, chosen []*catalog.Segment) ([]LeftOut, error) {
	var bad []LeftOut
	var refs []vault.Ref
	drop := make([]uid.ID, 0, len(chosen))
	for _, s := range chosen {
		r, err := m.claims(ctx, s.ID)
		var unfit *unfitError
		if errors.As(err, &unfit) || errors.Is(err, vault.ErrCorrupt) || errors.Is(err, vault.ErrNotFound) {
			bad = append(bad, LeftOut{s.ID, err})
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("compact: %w", err)
		}
		m.resting[s.ID] = r
		refs = append(refs, refsOf(s.ID, r)...)
		drop = append(drop, s.ID)
	}
	if len(bad) > 0 {
		return bad, nil
	}
	var err error
	m.done, err = m.a.vault.Compact(ctx, m.tenant, refs)
	var damage *vault.CorruptError
	if errors.As(err, &damage) && m.resting[damage.Ref.Segment] != nil {
		return []LeftOut{{damage.Ref.Segment, err}}, nil
	}
	if err != nil {
		return nil, err
	}
	if bad, err := m.refuseErased(ctx); len(bad) > 0 || err != nil {
		return bad, err
	}
	// What follows is short and should not stay half done.
	ctx = context.WithoutCancel(ctx)
	bad, err = m.relocate(ctx, drop)
	if err != nil || len(bad) > 0 {
		return bad, err
	}
	return nil, m.a.vault.Remove(ctx, m.tenant, drop...)
}

// refuseErased undoes the run if rows rest on frames that are erased: they cannot
// be moved.
func (m *merge) refuseErased(ctx context.Context) ([]LeftOut, error) {
	named := map[uid.ID]bool{}
	var bad []LeftOut
	for _, ref := range m.done.Erased {
		if !named[ref.Segment] {
			named[ref.Segment] = true
			bad = append(bad, LeftOut{ref.Segment, fmt.Errorf("frame %s: %w", ref, vault.ErrErased)})
		}
	}
	if len(bad) == 0 {
		return nil, nil
	}
	return bad, m.undo(context.WithoutCancel(ctx), m.done.Segments)
}

// undo removes new segments that the catalog does not know.
func (m *merge) undo(ctx context.Context, segments []*vault.Segment) error {
	for _, s := range segments {
		_, err := m.a.catalog.Segment(ctx, m.tenant, s.ID)
		if errors.Is(err, catalog.ErrNotFound) {
			err = m.a.vault.Remove(ctx, m.tenant, s.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TidyIndex rearranges a tenant's index so that searches are fast. Searching and
// indexing go on meanwhile.
func (a *Archive) TidyIndex(ctx context.Context, tenant uid.ID) error {
	return a.index.Tidy(ctx, tenant)
}

// Tidy does the regular housekeeping of all tenants: it merges segments where it
// pays, tidies the index, forgets sessions that have ended, goes on with deletions of
// tenants and messages, and counts what is used. What goes wrong for one tenant does not keep it
// from the others.
func (a *Archive) Tidy(ctx context.Context) error {
	errs := []error{a.catalog.DeleteExpiredSessions(ctx, a.now()), a.catalog.DeleteExpiredLinks(ctx, a.now()), a.FinishDeletions(ctx), a.FinishErasures(ctx), a.CountUsage(ctx), a.CountGrowth(ctx)}
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, t := range tenants {
		_, err := a.Compact(ctx, t.ID, false)
		if err := errors.Join(err, a.TidyIndex(ctx, t.ID)); err != nil {
			errs = append(errs, fmt.Errorf("tenant %s: %w", t.Slug, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}
