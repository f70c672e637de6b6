package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// relocateRows bounds the rows that one transaction moves: ingest waits for it.
const relocateRows = 1000

// unfitError says why a segment must stay as it is.
type unfitError struct{ what string }

func (e *unfitError) Error() string { return e.what }

// claims returns what rests in a segment, if nothing would be lost with it: every
// frame must be claimed by a sound row, or be a copy of what is elsewhere.
// Otherwise the error is an *unfitError or tells what is damaged.
func (m *merge) claims(ctx context.Context, segment uid.ID) (*catalog.Resting, error) {
	r, err := m.a.catalog.Resting(ctx, m.tenant, segment)
	if err != nil {
		return nil, err
	}
	if len(r.Damaged) > 0 {
		return nil, &unfitError{r.Damaged[0].Error()}
	}
	s, err := m.a.vault.Segment(ctx, m.tenant, segment)
	if err != nil {
		return nil, err
	}
	claimed := make([]bool, len(s.Frames))
	claim := func(frame uint32, fits func(f vault.Frame) bool) bool {
		ok := int64(frame) < int64(len(s.Frames)) && fits(s.Frames[frame])
		if ok {
			claimed[frame] = true
		}
		return ok
	}
	for id, n := range r.Messages {
		if !claim(n, func(f vault.Frame) bool { return f.Kind == vault.KindMessage && f.AOID == id }) {
			return nil, &unfitError{fmt.Sprintf("frame %d is not the message %s that its row says", n, id)}
		}
	}
	for sum, n := range r.Parts {
		if !claim(n, func(f vault.Frame) bool { return f.Kind == vault.KindPart }) {
			return nil, &unfitError{fmt.Sprintf("frame %d is not the attachment %x that its row says", n, sum[:8])}
		}
	}
	for id, n := range r.Captures {
		if !claim(n, func(f vault.Frame) bool { return f.Kind == vault.KindMessage || f.Kind == vault.KindRecord }) {
			return nil, &unfitError{fmt.Sprintf("frame %d is not the capture %s that its row says", n, id)}
		}
	}
	for id, n := range r.Decisions {
		if !claim(n, func(f vault.Frame) bool { return f.Kind == vault.KindRecord && f.AOID == id }) {
			return nil, &unfitError{fmt.Sprintf("frame %d is not the decision on %s that its row says", n, id)}
		}
	}
	for id, n := range r.Tombstones {
		if !claim(n, func(f vault.Frame) bool { return f.Kind == vault.KindRecord && f.AOID == id }) {
			return nil, &unfitError{fmt.Sprintf("frame %d is not the tombstone of %s that its row says", n, id)}
		}
	}
	for n, f := range s.Frames {
		if !claimed[n] && f.Kind != vault.KindDict {
			return r, m.unclaimed(ctx, segment, claimed)
		}
	}
	return r, nil
}

// unclaimed makes sure that frames that no row claims are elsewhere.
func (m *merge) unclaimed(ctx context.Context, segment uid.ID, claimed []bool) error {
	return m.a.vault.Scan(ctx, m.tenant, segment, func(e vault.Entry) error {
		if e.Err != nil {
			return e.Err
		}
		if claimed[e.Frame.Ref.Frame] || e.Erased {
			return nil
		}
		ok, err := m.elsewhere(ctx, e)
		if err == nil && !ok {
			err = &unfitError{fmt.Sprintf("frame %d is a %s that the catalog does not know", e.Frame.Ref.Frame, e.Frame.Kind)}
		}
		return err
	})
}

// elsewhere tells whether the catalog knows another place for what a frame holds.
func (m *merge) elsewhere(ctx context.Context, e vault.Entry) (bool, error) {
	switch e.Frame.Kind {
	case vault.KindMessage:
		known, err := m.a.knownFrame(ctx, m.tenant, e)
		aoid, ok := known[contentOf(e)]
		if err != nil || !ok {
			return false, err
		}
		row, err := m.a.catalog.Message(ctx, m.tenant, aoid)
		if err != nil {
			return false, notFound(err)
		}
		if row.SHA256 != e.Frame.SHA256 || row.Segment == e.Frame.Ref.Segment && row.Frame == e.Frame.Ref.Frame {
			return false, nil
		}
		return m.a.intact(ctx, row)
	case vault.KindPart:
		there, ok, err := m.a.catalog.FindPart(ctx, m.tenant, e.Frame.SHA256)
		if err != nil || !ok {
			return false, notFound(err)
		}
		ref := vault.Ref{Segment: there.Segment, Frame: there.Frame}
		c, err := m.a.vault.Open(ctx, m.tenant, ref, vault.Want{SHA256: e.Frame.SHA256, Size: e.Frame.Size})
		return readable(c, err)
	case vault.KindRecord:
		rec, err := decodeRecord(e.Meta)
		if err != nil {
			return false, nil //nolint:nilerr // what it is cannot be told: it stays
		}
		if rec.Tombstone != nil { // written twice, because of a crash
			s, err := m.a.catalog.Tombstone(ctx, m.tenant, e.Frame.AOID)
			return err == nil && !s.Record.Segment.IsZero(), notFound(err)
		}
		if rec.Decision != nil {
			return m.a.superseded(ctx, m.tenant, e.Frame.AOID, rec.Decision)
		}
		c, err := rec.Capture.capture(m.tenant, e.Frame.AOID)
		if err != nil {
			return false, nil //nolint:nilerr // as above
		}
		known, err := m.a.catalog.KnownCaptures(ctx, m.tenant, [][32]byte{c.Key})
		return known[c.Key], err
	}
	return false, nil
}

// notFound drops the errors that mean that there is no sound row.
func notFound(err error) error {
	var bad *catalog.RowError
	if errors.Is(err, catalog.ErrNotFound) || errors.As(err, &bad) {
		return nil
	}
	return err
}

// intact reads a stored message to its end and reports whether it is what its row
// says. The error is about reading alone.
func (a *Archive) intact(ctx context.Context, row *catalog.Message) (bool, error) {
	return readable(a.open(ctx, row))
}

// readable reads to the end what was opened with err.
func readable(c *vault.Content, err error) (bool, error) {
	if err == nil {
		_, err = io.Copy(io.Discard, c)
		err = errors.Join(err, c.Close())
	}
	if damaged(err) || errors.Is(err, vault.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func refsOf(segment uid.ID, r *catalog.Resting) []vault.Ref {
	var refs []vault.Ref
	add := func(frame uint32) { refs = append(refs, vault.Ref{Segment: segment, Frame: frame}) }
	for _, n := range r.Messages {
		add(n)
	}
	for _, n := range r.Parts {
		add(n)
	}
	for _, n := range r.Captures { // of the first arrivals in the frames of their messages
		add(n)
	}
	for _, n := range r.Decisions {
		add(n)
	}
	for _, n := range r.Tombstones {
		add(n)
	}
	return refs
}

// relocate tells the catalog where everything rests now, in several transactions
// between which others have their turn; the last one drops the old segments. At
// any moment every row says where its frame is. If the catalog refuses, the
// segments returned are in the way.
func (m *merge) relocate(ctx context.Context, drop []uid.ID) ([]LeftOut, error) {
	list := m.moves()
	list[len(list)-1].Drop = drop
	for _, x := range list {
		err := m.a.catalog.Relocate(ctx, m.tenant, *x)
		if err == nil {
			continue
		}
		err = fmt.Errorf("record compaction: %w", err)
		var row *catalog.RowError
		if !errors.Is(err, catalog.ErrInUse) && !errors.Is(err, catalog.ErrNotFound) && !errors.As(err, &row) {
			return nil, err // it may have been recorded all the same; fsck tidies up
		}
		bad := make([]LeftOut, len(drop))
		for i, id := range drop {
			bad[i] = LeftOut{id, err}
		}
		return bad, m.undo(ctx, m.done.Segments)
	}
	return nil, nil
}

// moves lists what changes in the catalog, in portions. The row of a new segment
// comes with its first portion.
func (m *merge) moves() []*catalog.Moves {
	captures := map[vault.Ref][]uid.ID{}
	for segment, r := range m.resting {
		for id, n := range r.Captures {
			ref := vault.Ref{Segment: segment, Frame: n}
			captures[ref] = append(captures[ref], id)
		}
	}
	decisions, tombstones := map[vault.Ref]uid.ID{}, map[vault.Ref]uid.ID{}
	for segment, r := range m.resting {
		for id, n := range r.Tombstones {
			tombstones[vault.Ref{Segment: segment, Frame: n}] = id
		}
		for id, n := range r.Decisions {
			decisions[vault.Ref{Segment: segment, Frame: n}] = id
		}
	}
	at := map[uid.ID][]vault.Move{}
	for _, x := range m.done.Moves {
		at[x.To.Segment] = append(at[x.To.Segment], x)
	}
	var out []*catalog.Moves
	begin := func(s *catalog.Segment) *catalog.Moves {
		x := &catalog.Moves{Segment: s, Messages: map[uid.ID]catalog.Loc{}, Parts: map[[32]byte]catalog.Loc{}, Captures: map[uid.ID]catalog.Loc{}, Decisions: map[uid.ID]catalog.Loc{}, Tombstones: map[uid.ID]catalog.Loc{}}
		out = append(out, x)
		return x
	}
	for _, s := range m.done.Segments {
		x := begin(segmentRow(m.tenant, s))
		for _, move := range at[s.ID] {
			if len(x.Messages)+len(x.Parts)+len(x.Captures)+len(x.Decisions)+len(x.Tombstones) >= relocateRows {
				x = begin(nil)
			}
			loc := catalog.Loc{Segment: move.To.Segment, Frame: move.To.Frame}
			switch move.Kind {
			case vault.KindMessage:
				x.Messages[move.AOID] = loc
			case vault.KindPart:
				x.Parts[move.SHA256] = loc
			}
			for _, id := range captures[move.From] {
				x.Captures[id] = loc
			}
			if id, ok := decisions[move.From]; ok {
				x.Decisions[id] = loc
			}
			if id, ok := tombstones[move.From]; ok {
				x.Tombstones[id] = loc
			}
		}
	}
	if len(out) == 0 {
		begin(nil) // nothing was left in the old ones
	}
	return out
}
