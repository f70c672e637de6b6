package catalogtest

import (
	"context"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func holdOf(tenant uid.ID, minute int) *catalog.Hold {
	return &catalog.Hold{Tenant: tenant, ID: uid.New(at(minute)), Name: "Tax audit", Reason: "Letter of the tax office", Scope: []byte(`{"all":true}`),
		PlacedBy: "user:x", PlacedRole: "dpo", PlacedAt: at(minute)}
}

func retentionOf(tenant uid.ID, years, minute int) *catalog.RetentionSetting {
	return &catalog.RetentionSetting{Tenant: tenant, ID: uid.New(at(minute)), ValidFrom: at(minute), Years: years, Jurisdiction: "DE", YearEnd: time.December,
		Zone: "Europe/Berlin", Reason: "why", SetBy: "user:x", ApprovedBy: "user:y"}
}

// act is a request for an act that is no reading.
func act(tenant uid.ID, kind string, minute int) *catalog.AccessRequest {
	a := accessRequest(tenant, uid.New(at(minute)), minute)
	a.Kind, a.Addresses, a.Query, a.From, a.To, a.Covert = kind, nil, "", time.Time{}, time.Time{}, ""
	return a
}

func approved(a *catalog.AccessRequest, minute int) *catalog.AccessRequest {
	b := *a
	b.State, b.DecidedBy, b.DecidedRole, b.DecidedAt, b.Note = catalog.AccessDone, uid.New(at(minute)), "dpo", at(minute), "yes"
	return &b
}

// testHolds places holds and lifts one together with the approval of the request for it.
func testHolds(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	first, second1 := holdOf(tenant, 1), holdOf(tenant, 2)
	for _, h := range []*catalog.Hold{first, second1} {
		must(t, e.AddHold(ctx, h, 2, events(0, 1)[0]))
		same(t, "hold", got(e.Hold(ctx, tenant, h.ID))(t), h)
	}
	mustBe(t, "one too many", e.AddHold(ctx, holdOf(tenant, 3), 2, events(0, 1)[0]), catalog.ErrManyHolds)
	mustBe(t, "of nobody", e.AddHold(ctx, holdOf(uid.New(at(0)), 3), 2), catalog.ErrNotFound)
	mustBe(t, "of another tenant", second(e.Hold(ctx, other, first.ID)), catalog.ErrNotFound)
	a := act(tenant, "lift-hold", 4)
	must(t, e.AddAccessRequest(ctx, a))
	lifted := *first
	lifted.LiftedAt, lifted.LiftedBy, lifted.ApprovedBy, lifted.LiftReason = at(5), "user:x", "user:y", "it is over"
	size := got(e.EventHead(ctx, tenant))(t).Size
	theirs := lifted
	theirs.Tenant = other
	mustBe(t, "another tenant's hold", e.CarryOutAccess(ctx, approved(a, 5), catalog.Carried{Lifted: &theirs}, events(0, 1)[0]), catalog.ErrNotFound)
	mustBe(t, "too late", e.CarryOutAccess(ctx, approved(a, 60), catalog.Carried{Lifted: &lifted}, events(0, 1)[0]), catalog.ErrAccessState)
	same(t, "the request waits", got(e.AccessRequest(ctx, tenant, a.ID))(t), a)
	same(t, "and no event tells of it", got(e.EventHead(ctx, tenant))(t).Size, size)
	must(t, e.CarryOutAccess(ctx, approved(a, 5), catalog.Carried{Lifted: &lifted}, events(0, 1)[0]))
	same(t, "the hold is lifted", got(e.Hold(ctx, tenant, first.ID))(t), &lifted)
	same(t, "the request is done", got(e.AccessRequest(ctx, tenant, a.ID))(t).State, catalog.AccessDone)
	same(t, "in force", got(e.Holds(ctx, tenant, true))(t), []*catalog.Hold{second1})
	same(t, "all", got(e.Holds(ctx, tenant, false))(t), []*catalog.Hold{second1, &lifted})
	mustBe(t, "twice", e.CarryOutAccess(ctx, approved(a, 5), catalog.Carried{Lifted: &lifted}), catalog.ErrAccessState)
	again := act(tenant, "lift-hold", 6)
	must(t, e.AddAccessRequest(ctx, again))
	mustBe(t, "what was lifted", e.CarryOutAccess(ctx, approved(again, 7), catalog.Carried{Lifted: &lifted}), catalog.ErrLifted)
	must(t, e.AddHold(ctx, holdOf(tenant, 3), 2, events(0, 1)[0])) // there is room again
	second1.Name = "Restored"
	must(t, e.RestoreHold(ctx, second1, events(0, 1)[0]))
	same(t, "restored", got(e.Hold(ctx, tenant, second1.ID))(t), second1)
}

// testRetention adds settings, of which none comes into force before what is stored has
// arrived, nor before the one that was set before.
func testRetention(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	base, first := retentionOf(tenant, 10, 1), retentionOf(tenant, 6, 2)
	base.ValidFrom = time.Time{}
	must(t, e.AddRetention(ctx, tenant, []*catalog.RetentionSetting{base, first}, events(0, 1)[0]))
	same(t, "settings", got(e.Retentions(ctx, tenant))(t), []*catalog.RetentionSetting{base, first})
	b := batch("first", 1)
	b.Messages[0].ReceivedAt = at(30)
	e.commit(t, tenant, b)
	a := act(tenant, "shorten-retention", 4)
	must(t, e.AddAccessRequest(ctx, a))
	short := retentionOf(tenant, 3, 5)
	must(t, e.CarryOutAccess(ctx, approved(a, 5), catalog.Carried{Retention: short}, events(0, 1)[0]))
	same(t, "comes into force after what is stored has arrived", short.ValidFrom, at(30))
	long := retentionOf(tenant, 8, 6)
	must(t, e.AddRetention(ctx, tenant, []*catalog.RetentionSetting{long}, events(0, 1)[0]))
	if !long.ValidFrom.After(short.ValidFrom) {
		t.Errorf("in force at %s, and the one before at %s", long.ValidFrom, short.ValidFrom)
	}
	same(t, "all", got(e.Retentions(ctx, tenant))(t), []*catalog.RetentionSetting{base, first, short, long})
	same(t, "of others", len(got(e.Retentions(ctx, e.tenant(t, "b")))(t)), 0)
	mustBe(t, "of nobody", e.AddRetention(ctx, uid.New(at(0)), []*catalog.RetentionSetting{long}), catalog.ErrNotFound)
}

// holds fills the tables of holds and of retention.
func (d *damaged) holds(t *testing.T) {
	t.Helper()
	d.hold = holdOf(d.tenant, 1)
	must(t, d.AddHold(t.Context(), d.hold, 9, events(0, 1)[0]))
	must(t, d.AddRetention(t.Context(), d.tenant, []*catalog.RetentionSetting{retentionOf(d.tenant, 10, 1)}, events(0, 1)[0]))
}

// readHolds is read for what must not be deleted.
func (d *damaged) readHolds(ctx context.Context, table string) error {
	if table == "hold" {
		return second(d.Holds(ctx, d.tenant, true))
	}
	return second(d.Retentions(ctx, d.tenant))
}

// holdAttempts are those on holds and retention.
func holdAttempts() map[string]struct {
	answer string
	call   attempt
} {
	return map[string]struct {
		answer string
		call   attempt
	}{
		"Hold":       {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) { return e.Hold(ctx, t, of.hold.ID) }},
		"Holds":      {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Holds(ctx, t, false) }},
		"Retentions": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Retentions(ctx, t) }},
		"AddRetention": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.AddRetention(ctx, t, []*catalog.RetentionSetting{retentionOf(t, 3, 9)}, events(0, 1)[0])
		}},
	}
}
