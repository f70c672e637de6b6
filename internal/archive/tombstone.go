package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// restOf is what of a deleted message is still to be destroyed: catalog.Tombstone.Rest.
type restOf struct {
	Frames []vault.Ref `json:"frames"`
}

// tombstoneRecord is what the vault keeps of a deleted message, alone in its record but
// for the version; docs/format.md specifies it.
type tombstoneRecord struct {
	Size         int64             `json:"size"`
	ReceivedAt   time.Time         `json:"received_at"`
	Source       uid.ID            `json:"source"`
	Class        string            `json:"class"`
	Due          time.Time         `json:"due,omitzero"`
	DeletedAt    time.Time         `json:"deleted_at"`
	AskedBy      uid.ID            `json:"asked_by,omitzero"`
	AskedRole    string            `json:"asked_role,omitempty"`
	ApprovedBy   uid.ID            `json:"approved_by,omitzero"`
	ApprovedRole string            `json:"approved_role,omitempty"`
	CarriedBy    string            `json:"carried_by"`
	Reason       string            `json:"reason,omitempty"`
	Request      uid.ID            `json:"request,omitzero"`
	Arrivals     []catalog.Arrival `json:"arrivals"`
}

func newTombstoneRecord(s *catalog.Tombstone) *tombstoneRecord {
	return &tombstoneRecord{Size: s.Size, ReceivedAt: s.ReceivedAt, Source: s.Source, Class: s.Class, Due: s.Due, DeletedAt: s.DeletedAt, AskedBy: s.AskedBy, AskedRole: s.AskedRole,
		ApprovedBy: s.ApprovedBy, ApprovedRole: s.ApprovedRole, CarriedBy: s.CarriedBy, Reason: s.Reason, Request: s.Request, Arrivals: s.Arrivals}
}

func (r *tombstoneRecord) tombstone(tenant uid.ID, e vault.Entry) *catalog.Tombstone {
	return &catalog.Tombstone{Tenant: tenant, AOID: e.Frame.AOID, Size: r.Size, ReceivedAt: r.ReceivedAt, Source: r.Source, Class: r.Class, Due: r.Due, DeletedAt: r.DeletedAt,
		AskedBy: r.AskedBy, AskedRole: r.AskedRole, ApprovedBy: r.ApprovedBy, ApprovedRole: r.ApprovedRole, CarriedBy: r.CarriedBy, Reason: r.Reason, Request: r.Request,
		Arrivals: r.Arrivals, Record: catalog.Loc{Segment: e.Frame.Ref.Segment, Frame: e.Frame.Ref.Frame}}
}

// FinishErasures goes on with deletions of messages that were interrupted. What goes
// wrong for one tenant does not keep it from the others.
func (a *Archive) FinishErasures(ctx context.Context) error {
	tenants, err := a.Tenants(ctx)
	errs := []error{err}
	for _, t := range tenants {
		if err := a.finishErasures(ctx, t.ID); err != nil {
			errs = append(errs, fmt.Errorf("tenant %s: deletion: %w", t.Slug, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

func (a *Archive) finishErasures(ctx context.Context, tenant uid.ID) error {
	if list, err := a.catalog.Tombstones(ctx, tenant, catalog.TombstoneFilter{Unfinished: true}, 1); len(list) == 0 {
		return a.sound("tombstones", err)
	}
	w, err := a.work(tenant)
	if err != nil {
		return err
	}
	ctx, end, err := a.enter(ctx)
	if err != nil {
		return err
	}
	defer end()
	select {
	case w.compacting <- struct{}{}:
		defer func() { <-w.compacting }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		list, err := a.catalog.Tombstones(ctx, tenant, catalog.TombstoneFilter{Unfinished: true}, maxErase)
		if err := a.sound("tombstones", err); err != nil || len(list) == 0 {
			return err
		}
		if err := a.destroy(ctx, w, list); err != nil {
			return err
		}
	}
}

// destroy destroys what is left of messages that have only tombstones any more. It can be
// stopped at any moment and called again. Nobody compacts meanwhile.
func (a *Archive) destroy(ctx context.Context, w *tenantWork, stones []*catalog.Tombstone) error {
	ids := make([]uid.ID, len(stones))
	refs := map[vault.Ref]bool{}
	for i, s := range stones {
		ids[i] = s.AOID
		var rest restOf
		if err := json.Unmarshal(s.Rest, &rest); err != nil {
			return fmt.Errorf("tombstone of %s: %w", s.AOID, err)
		}
		for _, r := range rest.Frames {
			refs[r] = true
		}
	}
	if err := a.forgetIndexed(ctx, w, ids); err != nil {
		return err
	}
	if err := a.writeTombstones(ctx, w.tenant, stones); err != nil {
		return err
	}
	if err := a.eraseFrames(ctx, w.tenant, slices.Collect(maps.Keys(refs))); err != nil {
		return err
	}
	if err := a.catalog.Scrub(ctx); err != nil {
		return err
	}
	return a.catalog.PlaceTombstones(ctx, w.tenant, nil, stones, true)
}

func (a *Archive) forgetIndexed(ctx context.Context, w *tenantWork, ids []uid.ID) error {
	w.indexing.Lock()
	defer w.indexing.Unlock()
	return a.index.Erase(ctx, w.tenant, ids)
}

// writeTombstones writes those into the vault that are not there yet.
func (a *Archive) writeTombstones(ctx context.Context, tenant uid.ID, stones []*catalog.Tombstone) error {
	var fresh []*catalog.Tombstone
	var records []vault.Record
	for _, s := range stones {
		if !s.Record.Segment.IsZero() {
			continue
		}
		data, err := (&record{Version: recordVersion, Tombstone: newTombstoneRecord(s)}).encode()
		if err != nil {
			return err
		}
		fresh, records = append(fresh, s), append(records, vault.Record{AOID: s.AOID, Data: data})
	}
	if len(fresh) == 0 {
		return nil
	}
	seg, err := a.vault.Write(ctx, tenant, nil, records)
	if err != nil {
		return fmt.Errorf("write tombstones: %w", err)
	}
	n := 0
	for _, f := range seg.Frames {
		if f.Kind != vault.KindRecord || n == len(fresh) {
			continue
		}
		fresh[n].Record = catalog.Loc{Segment: f.Ref.Segment, Frame: f.Ref.Frame}
		n++
	}
	if n != len(fresh) {
		return fmt.Errorf("segment %s holds %d tombstones of %d", seg.ID, n, len(fresh))
	}
	return a.catalog.PlaceTombstones(ctx, tenant, segmentRow(tenant, seg), fresh, false)
}

// eraseFrames destroys the keys of frames. Where others share text with them, the whole
// segment is written anew without it: what they had in common would else stay readable
// in a dictionary.
func (a *Archive) eraseFrames(ctx context.Context, tenant uid.ID, refs []vault.Ref) error {
	bySegment := map[uid.ID][]uint32{}
	for _, r := range refs {
		bySegment[r.Segment] = append(bySegment[r.Segment], r.Frame)
	}
	for segment, frames := range bySegment {
		list := make([]vault.Ref, len(frames))
		for i, n := range frames {
			list[i] = vault.Ref{Segment: segment, Frame: n}
		}
		err := a.vault.Erase(ctx, tenant, list)
		if errors.Is(err, vault.ErrNotFound) {
			continue // it went when this was interrupted
		}
		if err != nil {
			return err
		}
		sharing, err := a.vault.Sharing(ctx, tenant, segment, frames)
		if err != nil {
			return err
		}
		if len(sharing) == 0 {
			continue
		}
		if err := a.rewrite(ctx, tenant, segment); err != nil {
			return err
		}
	}
	return nil
}

// rewrite compacts one segment by itself.
func (a *Archive) rewrite(ctx context.Context, tenant, segment uid.ID) error {
	row, err := a.catalog.Segment(ctx, tenant, segment)
	if errors.Is(err, catalog.ErrNotFound) {
		return a.removeMoved(ctx, tenant, segment)
	}
	if err != nil {
		return err
	}
	m := &merge{a: a, tenant: tenant, resting: map[uid.ID]*catalog.Resting{}}
	bad, err := m.run(ctx, []*catalog.Segment{row})
	for _, l := range bad {
		err = errors.Join(err, fmt.Errorf("segment %s shares text with what was deleted and cannot be written anew; muniment fsck tells more: %w", l.Segment, l.Err))
	}
	return err
}

// removeMoved removes a segment that the catalog does not know any more, because
// everything has been moved from it before something came in between.
func (a *Archive) removeMoved(ctx context.Context, tenant, segment uid.ID) error {
	s, err := a.vault.Segment(ctx, tenant, segment)
	if errors.Is(err, vault.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	found, err := (&fsck{a: a}).strangers(ctx, tenant, *s)
	if err != nil {
		return err
	}
	if found.unreadable != nil || found.settled+found.messages > 0 {
		return fmt.Errorf("segment %s shares text with what was deleted, and the catalog does not know it; muniment fsck tells more: %w", segment, errors.Join(found.unreadable, catalog.ErrNotFound))
	}
	return a.vault.Remove(ctx, tenant, segment)
}
