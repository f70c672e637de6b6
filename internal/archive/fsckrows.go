package archive

import (
	"context"
	"errors"
	"fmt"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

const (
	// askAgain is how often a row is read anew that a compaction keeps moving.
	askAgain = 5
	// captureBatch is how many captures are looked up at a time.
	captureBatch = 500
)

// metCapture is an arrival that the vault tells of.
type metCapture struct {
	key      [32]byte
	id, aoid uid.ID
	ref      vault.Ref
}

// capture remembers the arrival that a frame tells of, to be looked up with others.
func (f *fsck) capture(ctx context.Context, tenant uid.ID, e vault.Entry) error {
	var c *catalog.Capture
	rec, err := decodeRecord(e.Meta)
	if err == nil && rec.Decision != nil {
		return f.decision(ctx, tenant, e, rec.Decision)
	}
	if err == nil {
		c, err = rec.Capture.capture(tenant, e.Frame.AOID)
	}
	if err != nil {
		f.damage(fmt.Sprintf("segment %s", e.Frame.Ref), "what it tells of the arrival of message %s cannot be read: %v", e.Frame.AOID, err)
		return nil
	}
	f.met = append(f.met, metCapture{key: c.Key, id: c.ID, aoid: c.AOID, ref: e.Frame.Ref})
	if len(f.met) < captureBatch {
		return nil
	}
	return f.captures(ctx, tenant)
}

// captures looks up the arrivals met so far.
func (f *fsck) captures(ctx context.Context, tenant uid.ID) error {
	keys := make([][32]byte, len(f.met))
	for i, c := range f.met {
		keys[i] = c.key
	}
	known, err := f.a.catalog.KnownCaptures(ctx, tenant, keys)
	if err != nil {
		f.met = nil
		return f.unreadable(ctx, "catalog", err)
	}
	for _, c := range f.met {
		if !known[c.key] {
			f.damage("capture "+c.id.String(), "of message %s: in segment %s, but the catalog has lost its row; muniment rebuild restores it", c.aoid, c.ref)
		}
	}
	f.met = f.met[:0]
	return nil
}

// has reports whether the vault holds a frame of one of these kinds. A segment
// that was not there when they were listed is looked up.
func (f *fsck) has(ctx context.Context, tenant uid.ID, at catalog.Loc, kinds ...vault.Kind) bool {
	if f.dark || f.unread[at.Segment] {
		return true // it cannot be told, and that is reported
	}
	list, ok := f.held[at.Segment]
	if !ok {
		s, err := f.a.vault.Segment(ctx, tenant, at.Segment)
		if err != nil {
			return false
		}
		for _, x := range s.Frames {
			list = append(list, x.Kind)
		}
		f.held[at.Segment] = list
	}
	if int64(at.Frame) >= int64(len(list)) {
		return false
	}
	for _, k := range kinds {
		if list[at.Frame] == k {
			return true
		}
	}
	return false
}

// rests reports whether what a row tells of is in the vault. now reads the row
// again, for a compaction may have moved it since.
func (f *fsck) rests(ctx context.Context, tenant uid.ID, at catalog.Loc, now func() (catalog.Loc, error), kinds ...vault.Kind) bool {
	for range askAgain {
		if f.has(ctx, tenant, at, kinds...) {
			return true
		}
		moved, err := now()
		if err != nil || moved == at {
			return false
		}
		at = moved
	}
	return false
}

// rows compares every row with what the vault holds, and the accounts with the rows.
func (f *fsck) rows(ctx context.Context, tenant uid.ID) error {
	l := &ledger{f: f, tenant: tenant, days: map[accountKey]*tally{}, sources: map[uid.ID]bool{}}
	if err := l.begin(ctx); err != nil {
		return err
	}
	cat := f.a.catalog
	err := cat.WalkMessages(ctx, tenant, func(m *catalog.Message, err error) error {
		f.out.Messages++
		if l.counts(err) {
			f.messageRow(ctx, l, m)
		}
		return ctx.Err()
	})
	if !l.counts(err) {
		if err := f.unreadable(ctx, "catalog", err); err != nil {
			return err
		}
	}
	err = cat.WalkParts(ctx, tenant, func(p *catalog.Part, err error) error {
		f.out.Parts++
		if err == nil {
			f.partRow(ctx, tenant, p)
		}
		return ctx.Err()
	})
	if err := f.unreadable(ctx, "catalog", err); err != nil {
		return err
	}
	err = cat.WalkCaptures(ctx, tenant, func(c *catalog.Capture, err error) error {
		f.out.Captures++
		if !l.counts(err) {
			return nil
		}
		return f.captureRow(ctx, l, c)
	})
	if !l.counts(err) {
		if err := f.unreadable(ctx, "catalog", err); err != nil {
			return err
		}
	}
	err = cat.WalkTombstones(ctx, tenant, func(s *catalog.Tombstone, err error) error {
		if l.counts(err) {
			l.tombstone(ctx, s)
		}
		return ctx.Err()
	})
	if !l.counts(err) {
		if err := f.unreadable(ctx, "catalog", err); err != nil {
			return err
		}
	}
	return l.end(ctx)
}

// messageRow looks for a message in the vault, and counts it.
func (f *fsck) messageRow(ctx context.Context, l *ledger, m *catalog.Message) {
	l.message(ctx, m)
	now := func() (catalog.Loc, error) {
		m, err := f.a.catalog.Message(ctx, l.tenant, m.AOID)
		if err != nil {
			return catalog.Loc{}, err
		}
		return catalog.Loc{Segment: m.Segment, Frame: m.Frame}, nil
	}
	if !f.rests(ctx, l.tenant, catalog.Loc{Segment: m.Segment, Frame: m.Frame}, now, vault.KindMessage) && !f.deleted(ctx, l.tenant, m.AOID) {
		f.damage("message "+m.AOID.String(), "the vault has lost it: segment %s/%d holds no message", m.Segment, m.Frame)
	}
}

// partRow looks for an attachment in the vault.
func (f *fsck) partRow(ctx context.Context, tenant uid.ID, p *catalog.Part) {
	now := func() (catalog.Loc, error) {
		at, _, err := f.a.catalog.FindPart(ctx, tenant, p.SHA256)
		return at, err
	}
	if !f.rests(ctx, tenant, catalog.Loc{Segment: p.Segment, Frame: p.Frame}, now, vault.KindPart) && f.known(ctx, tenant, p.SHA256) {
		f.damage(fmt.Sprintf("attachment %x", p.SHA256[:8]), "the vault has lost it: segment %s/%d holds no attachment", p.Segment, p.Frame)
	}
}

// captureRow compares the row of an arrival with its record in the vault.
func (f *fsck) captureRow(ctx context.Context, l *ledger, c *catalog.Capture) error {
	now := func() (catalog.Loc, error) {
		again, err := f.captureAgain(ctx, c)
		if err != nil {
			return catalog.Loc{}, err
		}
		return catalog.Loc{Segment: again.Segment, Frame: again.Frame}, nil
	}
	if !f.rests(ctx, c.Tenant, catalog.Loc{Segment: c.Segment, Frame: c.Frame}, now, vault.KindMessage, vault.KindRecord) && !f.deleted(ctx, c.Tenant, c.AOID) {
		f.damage("capture "+c.ID.String(), "of message %s: the vault has lost its record %s/%d", c.AOID, c.Segment, c.Frame)
	}
	second, err := false, error(nil)
	if c.Journal != nil && c.Journal.SHA256 != "" {
		if second, err = f.journalReport(ctx, c); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if f.deleted(ctx, c.Tenant, c.AOID) {
				return nil
			}
			l.unsure = true // whether it was counted cannot be told
			f.damage("journal report of capture "+c.ID.String(), "of message %s: %v", c.AOID, err)
		}
	}
	l.capture(ctx, c, second)
	return nil
}

// captureAgain reads the row of an arrival once more.
func (f *fsck) captureAgain(ctx context.Context, c *catalog.Capture) (*catalog.Capture, error) {
	list, err := f.a.catalog.Captures(ctx, c.Tenant, c.AOID)
	for _, x := range list {
		if x.ID == c.ID {
			return x, nil
		}
	}
	return nil, errors.Join(err, catalog.ErrNotFound)
}

// journalReport puts the report together in which a message came, and compares. It
// reports whether the message was not the first in it.
func (f *fsck) journalReport(ctx context.Context, c *catalog.Capture) (second bool, err error) {
	for range askAgain {
		if err = f.a.checkReport(ctx, c); err == nil {
			return f.a.secondOfReport(ctx, c)
		}
		again, gone := f.captureAgain(ctx, c)
		if gone != nil || again.Segment == c.Segment && again.Frame == c.Frame {
			return false, err
		}
		c = again // a compaction has moved it
	}
	return false, err
}

// secondOfReport reports whether a message was not the first in its report.
func (a *Archive) secondOfReport(ctx context.Context, c *catalog.Capture) (bool, error) {
	rec, err := a.captureMeta(ctx, c)
	if err != nil || !rec.Capture.several() {
		return false, err
	}
	row, err := a.catalog.Message(ctx, c.Tenant, c.AOID)
	if err != nil {
		return false, err
	}
	return rec.Capture.second(row.SHA256), nil
}
