package archive

import (
	"context"
	"errors"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// What is to be destroyed of a message that is deleted, and which others speak against
// it.

// message makes the tombstone of one message, and finds out where everything of it
// rests. It returns the messages without which it cannot be deleted.
func (e *erasing) message(ctx context.Context, m *catalog.Message) (with []uid.ID, err error) {
	at := vault.Ref{Segment: m.Segment, Frame: m.Frame}
	s := e.order.tombstone
	s.Tenant, s.AOID, s.Size, s.ReceivedAt, s.Source, s.Class = m.Tenant, m.AOID, m.Size, m.ReceivedAt, m.Source, m.Class
	refs := []vault.Ref{at}
	captures, err := e.a.catalog.Captures(ctx, m.Tenant, m.AOID)
	if err != nil {
		return nil, err
	}
	outcome, decision, err := e.quarantine(ctx, m)
	if err != nil {
		return nil, err
	}
	if !decision.Segment.IsZero() {
		refs = append(refs, decision)
	}
	for _, c := range captures {
		x := catalog.Arrival{Source: c.Source, Day: c.ReceivedAt.UTC().Format(time.DateOnly), Outcome: catalog.Duplicate, Bytes: m.Size}
		ref := vault.Ref{Segment: c.Segment, Frame: c.Frame}
		if ref == at {
			x.Outcome = outcome
		} else {
			refs = append(refs, ref)
		}
		if c.Journal != nil && c.Journal.SHA256 != "" {
			others, second, err := e.sameReport(ctx, m, c)
			if err != nil {
				return nil, err
			}
			with, x.Uncounted = append(with, others...), second
		}
		s.Arrivals = append(s.Arrivals, x)
	}
	others, err := e.otherVersions(ctx, m)
	if err != nil {
		return nil, err
	}
	parts, err := e.a.vault.Refers(ctx, m.Tenant, at)
	if err != nil && !damaged(err) {
		return nil, err // what is damaged can be deleted as well; attachments of it may stay
	}
	for _, p := range parts {
		if loc, ok, err := e.a.catalog.FindPart(ctx, m.Tenant, p); err != nil {
			return nil, err
		} else if ok {
			e.shared[p] = vault.Ref{Segment: loc.Segment, Frame: loc.Frame}
		}
	}
	e.rest[m.AOID] = refs
	e.stones = append(e.stones, &s)
	return append(with, others...), nil
}

// quarantine tells as what a message was counted, and where the decision on it rests.
func (e *erasing) quarantine(ctx context.Context, m *catalog.Message) (catalog.Outcome, vault.Ref, error) {
	q, err := e.a.catalog.QuarantinedMessage(ctx, m.Tenant, m.AOID)
	if errors.Is(err, catalog.ErrNotFound) {
		return catalog.Stored, vault.Ref{}, nil
	}
	if err != nil {
		return "", vault.Ref{}, err
	}
	at := vault.Ref{Segment: q.Decision.Segment, Frame: q.Decision.Frame}
	if q.State == catalog.Released {
		return catalog.ReleasedLater, at, nil
	}
	return catalog.Quarantined, at, nil
}

// sameReport returns the messages that came in the same journal report and are not to
// be deleted: the report is put together from all of them, and what is kept of it tells
// their hashes.
func (e *erasing) sameReport(ctx context.Context, m *catalog.Message, c *catalog.Capture) (with []uid.ID, second bool, err error) {
	rec, err := e.a.captureMeta(ctx, c)
	if err != nil {
		if damaged(err) {
			return nil, false, nil
		}
		return nil, false, err
	}
	if !rec.Capture.several() {
		return nil, false, nil
	}
	sums, err := rec.Capture.messages()
	if err != nil {
		return nil, false, err
	}
	known, err := e.a.catalog.Known(ctx, m.Tenant, sums)
	for _, id := range known {
		if !e.gone[id] {
			with = append(with, id)
		}
	}
	return with, rec.Capture.second(m.SHA256), err
}

// otherVersions returns the versions of the same object that are not to be deleted.
func (e *erasing) otherVersions(ctx context.Context, m *catalog.Message) (with []uid.ID, err error) {
	if m.Facts.File == nil || m.Facts.File.Type != packageType {
		return nil, nil
	}
	v, err := e.a.version(ctx, m.Tenant, m.AOID)
	if err != nil {
		return nil, err
	}
	list, err := e.a.versions(ctx, m.Tenant, v.Object)
	for _, id := range list {
		if !e.gone[id] {
			with = append(with, id)
		}
	}
	return with, err
}

// users strikes the attachments off the list that other messages use. It reads the heads
// of all frames that were not read before.
func (e *erasing) users(ctx context.Context) error {
	if len(e.shared) == 0 {
		return nil
	}
	segments, err := e.a.vault.ListSegments(ctx, e.w.tenant)
	if err != nil {
		return err
	}
	for _, s := range segments {
		if e.seen[s.ID] {
			continue
		}
		e.seen[s.ID] = true
		err := e.a.vault.Scan(ctx, e.w.tenant, s.ID, func(x vault.Entry) error {
			if x.Err != nil { // what it refers to cannot be told
				return x.Err
			}
			if x.Frame.Kind != vault.KindMessage || e.gone[x.Frame.AOID] {
				return nil
			}
			for _, p := range x.Parts {
				delete(e.shared, p)
			}
			return nil
		})
		if errors.Is(err, vault.ErrCorrupt) { // rather keep an attachment than lose one
			e.a.log.Error("a segment is damaged: attachments of deleted messages stay; muniment fsck tells more", "tenant", e.w.tenant, "segment", s.ID, "error", err)
			clear(e.shared)
			err = nil
		}
		if err != nil {
			return err
		}
		if len(e.shared) == 0 {
			break
		}
	}
	return nil
}
