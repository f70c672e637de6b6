package archive

import (
	"context"
	"fmt"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// Bounds of a compaction.
const (
	compactRaw = 256 << 20 // bytes of originals in one run: similar messages find each other
	compactMin = 8         // segments below which a run is not worth its while
)

// Compacted counts what a compaction did.
type Compacted struct {
	Before, After   int   // segments
	BytesBefore     int64 // of the segments taken and their keys
	BytesAfter      int64
	MessagesHandled int
}

// Compact merges the tenant's small segments into large ones in which similar
// messages share what they have in common. The originals stay what they are, and
// can be read at any moment; a crash leaves everything readable. force takes even
// a few segments.
func (a *Archive) Compact(ctx context.Context, tenant uid.ID, force bool) (*Compacted, error) {
	out := &Compacted{}
	for {
		n, err := a.compactOnce(ctx, tenant, force, out)
		if err != nil || n == 0 {
			return out, err
		}
	}
}

func (a *Archive) compactOnce(ctx context.Context, tenant uid.ID, force bool, out *Compacted) (int, error) {
	segments, err := a.catalog.Segments(ctx, tenant)
	if err != nil {
		return 0, err
	}
	chosen, raw := map[uid.ID]bool{}, int64(0)
	for _, s := range segments {
		if s.Compacted || raw >= compactRaw {
			continue
		}
		chosen[s.ID] = true
		raw += s.RawSize
		out.BytesBefore += s.Size
	}
	if len(chosen) == 0 || !force && len(chosen) < compactMin {
		return 0, nil
	}
	refs, err := a.framesOf(ctx, tenant, chosen)
	if err != nil {
		return 0, err
	}
	c, err := a.vault.Compact(ctx, tenant, refs)
	if err != nil {
		return 0, fmt.Errorf("compact: %w", err)
	}
	drop := make([]uid.ID, 0, len(chosen))
	for id := range chosen {
		drop = append(drop, id)
	}
	if err := a.relocate(ctx, tenant, c, drop); err != nil {
		return 0, err
	}
	if err := a.vault.Remove(ctx, tenant, drop...); err != nil {
		return 0, err
	}
	out.Before += len(drop)
	out.After += len(c.Segments)
	for _, s := range c.Segments {
		out.BytesAfter += s.Size
	}
	out.MessagesHandled += len(c.Moves)
	return len(drop), nil
}

// framesOf lists what the catalog knows to rest in the chosen segments: what it
// does not know was never acknowledged and is left behind.
func (a *Archive) framesOf(ctx context.Context, tenant uid.ID, chosen map[uid.ID]bool) ([]vault.Ref, error) {
	var refs []vault.Ref
	add := func(segment uid.ID, frame uint32) {
		if chosen[segment] {
			refs = append(refs, vault.Ref{Segment: segment, Frame: frame})
		}
	}
	err := a.catalog.WalkMessages(ctx, tenant, func(m *catalog.Message, err error) error {
		if err == nil {
			add(m.Segment, m.Frame)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = a.catalog.WalkParts(ctx, tenant, func(p *catalog.Part, err error) error {
		if err == nil {
			add(p.Segment, p.Frame)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	seen := make(map[vault.Ref]bool, len(refs))
	for _, r := range refs {
		seen[r] = true
	}
	err = a.catalog.WalkCaptures(ctx, tenant, func(c *catalog.Capture, err error) error {
		if r := (vault.Ref{Segment: c.Segment, Frame: c.Frame}); err == nil && !seen[r] {
			add(c.Segment, c.Frame)
		}
		return err
	})
	return refs, err
}

// relocate tells the catalog where everything rests now, one new segment after
// the other; the old ones are dropped with the last.
func (a *Archive) relocate(ctx context.Context, tenant uid.ID, c *vault.Compaction, drop []uid.ID) error {
	moved := map[vault.Ref]vault.Ref{}
	byNew := map[uid.ID]*catalog.Moves{}
	for _, s := range c.Segments {
		byNew[s.ID] = &catalog.Moves{Segment: segmentRow(tenant, s), Messages: map[uid.ID]catalog.Loc{}, Parts: map[[32]byte]catalog.Loc{}, Captures: map[uid.ID]catalog.Loc{}}
	}
	for _, m := range c.Moves {
		moved[m.From] = m.To
		loc := catalog.Loc{Segment: m.To.Segment, Frame: m.To.Frame}
		switch m.Kind {
		case vault.KindMessage:
			byNew[m.To.Segment].Messages[m.AOID] = loc
		case vault.KindPart:
			byNew[m.To.Segment].Parts[m.SHA256] = loc
		}
	}
	err := a.catalog.WalkCaptures(ctx, tenant, func(cap *catalog.Capture, err error) error {
		if to, ok := moved[vault.Ref{Segment: cap.Segment, Frame: cap.Frame}]; err == nil && ok {
			byNew[to.Segment].Captures[cap.ID] = catalog.Loc{Segment: to.Segment, Frame: to.Frame}
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, s := range c.Segments {
		m := byNew[s.ID]
		if i == len(c.Segments)-1 {
			m.Drop = drop
		}
		if err := a.catalog.Relocate(ctx, tenant, *m); err != nil {
			return fmt.Errorf("record compaction: %w", err)
		}
	}
	return nil
}

// Tidy does the regular housekeeping of all tenants: it merges segments where it
// pays, and forgets sessions that have ended.
func (a *Archive) Tidy(ctx context.Context) error {
	if err := a.catalog.DeleteExpiredSessions(ctx, a.now()); err != nil {
		return err
	}
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		if _, err := a.Compact(ctx, t.ID, false); err != nil {
			return fmt.Errorf("tenant %s: %w", t.Slug, err)
		}
	}
	return nil
}
