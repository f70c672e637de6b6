package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// The one way on which messages and documents are deleted. In this order, so that after
// a crash they are either still there or the deletion goes on at the next start:
//
//	1  everything is looked at that speaks against it, and what is to be destroyed
//	2  one transaction: the rows go, tombstones and events come, the tombstones say
//	   what is still to be destroyed
//	3  the index forgets
//	4  the tombstones are written into the vault
//	5  the keys of the frames are destroyed; what shares text with them is moved
//	6  the tombstones say that nothing is left to be destroyed
//
// From 2 on nobody finds or reads the messages any more.

// maxErase bounds the messages that are deleted together.
const maxErase = 1000

// ErrKept is matched by a *KeptError.
var ErrKept = errors.New("must not be deleted")

// KeptMessage is a message that must stay, and why.
type KeptMessage struct {
	AOID  uid.ID
	Class string
	Due   time.Time
	Holds []uid.ID
	// With are messages without which it cannot be deleted.
	With []uid.ID
	// Missing says that it is not there.
	Missing bool
}

// KeptError refuses a deletion. It names every message that stands in the way.
type KeptError struct{ List []KeptMessage }

// Error implements error.
func (e *KeptError) Error() string {
	s := fmt.Sprintf("%d messages must not be deleted", len(e.List))
	for i, k := range e.List {
		if i == 5 {
			return s + "; …"
		}
		s += "; " + k.String()
	}
	return s
}

// Is makes it match ErrKept.
func (e *KeptError) Is(target error) bool { return target == ErrKept }

// String says why a message must stay.
func (k KeptMessage) String() string {
	switch {
	case k.Missing:
		return fmt.Sprintf("%s is not there", k.AOID)
	case len(k.Holds) > 0:
		return fmt.Sprintf("%s (class %s) is on hold %s", k.AOID, k.Class, k.Holds[0])
	case len(k.With) > 0:
		return fmt.Sprintf("%s came or belongs together with %s: delete them in one request", k.AOID, k.With[0])
	}
	return fmt.Sprintf("%s (class %s) is kept until %s", k.AOID, k.Class, k.Due.Format(time.DateOnly))
}

// eraseOrder says what is to be deleted, and who has said so.
type eraseOrder struct {
	list []uid.ID
	// tombstone has who asked, who approved and why; the rest is filled in.
	tombstone catalog.Tombstone
	// judge refuses messages by what is known of their retention, beside holds.
	judge   func(uid.ID, Retained) *KeptMessage
	request *catalog.AccessRequest // as it is afterwards; nil: there is none
	peer    string
	due     time.Time        // end of the retention that the object names itself; zero: it names none
	events  []*catalog.Event // besides those of the messages
}

// erasing is a deletion under way.
type erasing struct {
	a      *Archive
	w      *tenantWork
	order  eraseOrder
	stones []*catalog.Tombstone
	rest   map[uid.ID][]vault.Ref // what is to be destroyed of each
	shared map[vault.Sum]vault.Ref
	gone   map[uid.ID]bool
	seen   map[uid.ID]bool // segments that were searched for messages with the same parts
}

// erase deletes messages for good. Errors match ErrKept, catalog.ErrAccessState. If it
// fails later, the messages are gone and the rest is destroyed later.
func (a *Archive) erase(ctx context.Context, tenant uid.ID, o eraseOrder) ([]*catalog.Tombstone, error) {
	w, err := a.work(tenant)
	if err != nil {
		return nil, err
	}
	ctx, end, err := a.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	select { // what is to be destroyed must not move
	case w.compacting <- struct{}{}:
		defer func() { <-w.compacting }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	o.list = slices.Compact(slices.SortedFunc(slices.Values(o.list), uid.ID.Compare))
	if len(o.list) == 0 || len(o.list) > maxErase {
		return nil, invalid("messages: want 1 to %d", maxErase)
	}
	e := &erasing{a: a, w: w, order: o, rest: map[uid.ID][]vault.Ref{}, shared: map[vault.Sum]vault.Ref{}, gone: map[uid.ID]bool{}, seen: map[uid.ID]bool{}}
	for _, id := range o.list {
		e.gone[id] = true
	}
	if err := e.plan(ctx); err != nil {
		return nil, err
	}
	if err := e.users(ctx); err != nil {
		return nil, err
	}
	if err := e.commit(ctx); err != nil {
		return nil, err
	}
	if err := a.destroy(context.WithoutCancel(ctx), w, e.stones); err != nil {
		a.log.Error("messages are deleted, but not everything of them is destroyed yet; it is tried again", "tenant", tenant, "messages", len(e.stones), "error", err)
	}
	return e.stones, nil
}

// judge refuses what must stay.
func (e *erasing) judge(ctx context.Context) (map[uid.ID]Retained, error) {
	kept, err := e.a.retained(ctx, e.w.tenant, e.order.list)
	if err != nil {
		return nil, err
	}
	refused := &KeptError{}
	for _, id := range e.order.list {
		r, there := kept[id]
		switch k := (*KeptMessage)(nil); {
		case !there:
			refused.List = append(refused.List, KeptMessage{AOID: id, Missing: true})
		case len(r.Holds) > 0:
			refused.List = append(refused.List, KeptMessage{AOID: id, Class: r.Class, Due: r.Due, Holds: r.Holds})
		default:
			if k = e.order.judge(id, r); k != nil {
				refused.List = append(refused.List, *k)
			}
		}
	}
	if len(refused.List) > 0 {
		return nil, refused
	}
	return kept, nil
}

// plan finds out what is to be destroyed, and what speaks against it.
func (e *erasing) plan(ctx context.Context) error {
	if _, err := e.judge(ctx); err != nil {
		return err
	}
	rows, err := e.a.catalog.Messages(ctx, e.w.tenant, e.order.list)
	if err != nil {
		return err
	}
	refused := &KeptError{}
	for _, id := range e.order.list {
		m := rows[id]
		if m == nil {
			return &KeptError{List: []KeptMessage{{AOID: id, Missing: true}}}
		}
		with, err := e.message(ctx, m)
		if err != nil {
			return fmt.Errorf("message %s: %w", id, err)
		}
		if len(with) > 0 {
			refused.List = append(refused.List, KeptMessage{AOID: id, Class: m.Class, With: with})
		}
	}
	if len(refused.List) > 0 {
		return refused
	}
	return nil
}

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

// commit replaces the rows by tombstones. Meanwhile nothing is stored that could use an
// attachment which goes, and nothing is indexed.
func (e *erasing) commit(ctx context.Context) error {
	e.w.storing.Lock()
	defer e.w.storing.Unlock()
	e.w.indexing.Lock()
	defer e.w.indexing.Unlock()
	if err := e.users(ctx); err != nil { // what has come since
		return err
	}
	// What waits in memory for the index must not come into it afterwards.
	mark, err := e.a.catalog.Indexed(ctx, e.w.tenant)
	if err == nil {
		err = e.a.catchUp(ctx, e.w.tenant, mark)
	}
	if err != nil {
		return err
	}
	kept, err := e.judge(ctx)
	if err != nil {
		return err
	}
	all := catalog.Erasure{Tombstones: e.stones, Request: e.order.request}
	var parts []vault.Ref
	for sum, ref := range e.shared {
		all.Parts, parts = append(all.Parts, sum), append(parts, ref)
	}
	for i, s := range e.stones {
		s.DeletedAt = e.a.now().UTC().Truncate(time.Millisecond)
		if s.Class, s.Due = kept[s.AOID].Class, kept[s.AOID].Due.UTC().Truncate(time.Millisecond); !e.order.due.IsZero() {
			s.Due = e.order.due.UTC().Truncate(time.Millisecond)
		}
		rest := restOf{Frames: e.rest[s.AOID]}
		if i == 0 {
			rest.Frames = append(slices.Clip(rest.Frames), parts...)
		}
		if s.Rest, err = json.Marshal(rest); err != nil {
			return err
		}
		all.Events = append(all.Events, deletedEvent(s, e.order.peer))
	}
	all.Events = append(all.Events, e.order.events...)
	return e.a.catalog.Erase(ctx, e.w.tenant, all)
}

// deletedEvent is the entry of a deletion in the event log. It says nothing of what was
// in the message.
func deletedEvent(s *catalog.Tombstone, peer string) *catalog.Event {
	d := map[string]string{"class": s.Class}
	for k, v := range map[string]string{"reason": s.Reason, "peer": peer, "requested_role": s.AskedRole, "approved_role": s.ApprovedRole} {
		if v != "" {
			d[k] = v
		}
	}
	for k, v := range map[string]uid.ID{"request": s.Request, "requested_by": s.AskedBy, "approved_by": s.ApprovedBy} {
		if !v.IsZero() {
			d[k] = v.String()
		}
	}
	if !s.Due.IsZero() {
		d["due"] = s.Due.Format(time.RFC3339)
	}
	return &catalog.Event{At: s.DeletedAt, Actor: s.CarriedBy, Action: actionDeleted, Object: s.AOID.String(), Details: d}
}
