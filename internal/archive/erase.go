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

// maxJudged bounds how often messages are judged because something came in between.
const maxJudged = 5

// maxErase bounds the messages that are deleted together.
const maxErase = 1000

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

// plan finds out what is to be destroyed, and what speaks against it.
func (e *erasing) plan(ctx context.Context) error {
	if _, err := e.a.mayGo(ctx, e.w.tenant, e.order.list, e.order.judge); err != nil {
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
	for n := 1; ; n++ { // a hold may be placed by another process
		if err = e.bury(ctx); !errors.Is(err, catalog.ErrHeld) || n == maxJudged {
			return err
		}
	}
}

// bury judges for the last time, and carries out the transaction. It matches
// catalog.ErrHeld if something came in between.
func (e *erasing) bury(ctx context.Context) error {
	by, err := e.a.catalog.JudgedBy(ctx, e.w.tenant)
	if err != nil {
		return err
	}
	kept, err := e.a.mayGo(ctx, e.w.tenant, e.order.list, e.order.judge)
	if err != nil {
		return err
	}
	all := catalog.Erasure{Tombstones: e.stones, Request: e.order.request, Judged: by}
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
