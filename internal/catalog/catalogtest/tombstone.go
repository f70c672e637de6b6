package catalogtest

import (
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func tombstone(tenant, aoid uid.ID, segment uid.ID) *catalog.Tombstone {
	return &catalog.Tombstone{Tenant: tenant, AOID: aoid, Size: 7, ReceivedAt: at(1), Source: uid.New(at(1)), Class: "unclassified", Due: at(2), DeletedAt: at(3), AskedBy: uid.New(at(1)),
		AskedRole: "dpo", ApprovedBy: uid.New(at(2)), ApprovedRole: "auditor", CarriedBy: "user:x", Reason: "why", Request: uid.New(at(1)), Record: catalog.Loc{Segment: segment, Frame: 3},
		Arrivals: []catalog.Arrival{{Source: uid.New(at(1)), Day: "2026-01-02", Outcome: catalog.Stored, Bytes: 7}}, Rest: []byte(`{"frames":[]}`)}
}

// testErase replaces messages by tombstones.
func testErase(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	user := e.user(t, tenant, "anna").ID
	b := e.commit(t, tenant, batch("first", 3))
	before := got(e.Statistics(ctx, tenant, at(9)))(t)
	gone := b.Messages[2]
	s := tombstone(tenant, gone.AOID, uid.ID{})
	s.Record, s.Size = catalog.Loc{}, gone.Size
	s.ReceivedAt = gone.ReceivedAt
	r := accessRequest(tenant, user, 1)
	must(t, e.AddAccessRequest(ctx, r, events(0, 1)[0]))
	done := *r
	done.State, done.EndedBy, done.EndedAt = catalog.AccessDone, user, at(5)
	erasure := catalog.Erasure{Tombstones: []*catalog.Tombstone{s}, Parts: [][32]byte{b.Parts[2].SHA256}, Request: &done, Events: events(0, 1)}
	mustBe(t, "before it is approved", e.Erase(ctx, tenant, erasure), catalog.ErrAccessState)
	approve(t, e, r)
	done.DecidedBy, done.DecidedAt = r.DecidedBy, r.DecidedAt
	h := holdOf(tenant, 3)
	must(t, e.AddHold(ctx, h, 9))
	mustBe(t, "a hold that nobody looked at", e.Erase(ctx, tenant, erasure), catalog.ErrHeld)
	erasure.Judged = got(e.JudgedBy(ctx, tenant))(t)
	must(t, e.AddRetention(ctx, tenant, []*catalog.RetentionSetting{retentionOf(tenant, 10, 4)}))
	mustBe(t, "a setting that nobody looked at", e.Erase(ctx, tenant, erasure), catalog.ErrHeld)
	erasure.Judged = got(e.JudgedBy(ctx, tenant))(t)
	lifted := *h
	lifted.LiftedAt = at(4)
	must(t, e.RestoreHold(ctx, &lifted))
	must(t, e.Erase(ctx, tenant, erasure))
	mustBe(t, "twice", e.Erase(ctx, tenant, erasure), catalog.ErrAccessState)
	mustBe(t, "what is gone", e.Erase(ctx, tenant, catalog.Erasure{Tombstones: []*catalog.Tombstone{s}, Judged: erasure.Judged}), catalog.ErrNotFound)
	same(t, "tombstone", got(e.Tombstone(ctx, tenant, gone.AOID))(t), s)
	mustBe(t, "the message", second(e.Message(ctx, tenant, gone.AOID)), catalog.ErrNotFound)
	if list := got(e.Captures(ctx, tenant, gone.AOID))(t); len(list) > 0 {
		t.Errorf("%d arrivals are left", len(list))
	}
	after := got(e.Statistics(ctx, tenant, at(9)))(t)
	if after.Messages != before.Messages-1 || after.RawBytes != before.RawBytes-gone.Size {
		t.Errorf("figures %+v, before %+v", after, before)
	}
	must(t, e.Scrub(ctx))
	sound(t, e)

	same(t, "unfinished", got(e.Tombstones(ctx, tenant, catalog.TombstoneFilter{Unfinished: true, Request: s.Request}, 9))(t), []*catalog.Tombstone{s})
	s.Record = catalog.Loc{Segment: b.Segment.ID, Frame: 9}
	segment := &catalog.Segment{ID: uid.New(at(6)), CreatedAt: at(6)}
	s.Record.Segment = segment.ID
	must(t, e.PlaceTombstones(ctx, tenant, segment, []*catalog.Tombstone{s}, false))
	same(t, "placed", got(e.Tombstone(ctx, tenant, gone.AOID))(t), s)
	must(t, e.PlaceTombstones(ctx, tenant, nil, []*catalog.Tombstone{s}, true))
	s.Rest = nil
	same(t, "finished", got(e.Tombstone(ctx, tenant, gone.AOID))(t), s)
	if list := got(e.Tombstones(ctx, tenant, catalog.TombstoneFilter{Unfinished: true}, 9))(t); len(list) > 0 {
		t.Errorf("%d are not finished", len(list))
	}
	if r := got(e.Resting(ctx, tenant, segment.ID))(t); r.Tombstones[gone.AOID] != 9 {
		t.Errorf("rests in the segment: %+v", r)
	}
	mustBe(t, "drop its segment", e.Relocate(ctx, tenant, catalog.Moves{Drop: []uid.ID{segment.ID}}), catalog.ErrInUse)

	must(t, e.ClearMessages(ctx, tenant))
	must(t, e.RestoreTombstones(ctx, tenant, segment, []*catalog.Tombstone{s}))
	must(t, e.Commit(ctx, tenant, batch("second", 2)))
	n := 0
	must(t, e.WalkTombstones(ctx, tenant, func(x *catalog.Tombstone, err error) error {
		n++
		same(t, "restored", x, s)
		return err
	}))
	if n != 1 {
		t.Errorf("%d tombstones", n)
	}
}

// sound fails if the check finds anything.
func sound(t *testing.T, e *env) {
	t.Helper()
	must(t, e.Check(t.Context(), func(err error) { t.Errorf("check: %v", err) }))
}
