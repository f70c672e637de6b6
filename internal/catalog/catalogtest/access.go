package catalogtest

import (
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// access makes an approved request with a record and a policy.
func (e *env) access(t *testing.T, tenant, user uid.ID) *catalog.AccessRequest {
	t.Helper()
	a := accessRequest(tenant, user, 1)
	must(t, e.AddAccessRequest(t.Context(), a, events(0, 1)[0]))
	approve(t, e, a)
	must(t, e.AddAccessRecord(t.Context(), accessRecord(a, 3), events(0, 1)[0]))
	must(t, e.SetAccessPolicy(t.Context(), &catalog.AccessPolicy{Tenant: tenant, Silent: true, ChangedAt: at(4), ChangedBy: "cli"}, events(0, 1)[0]))
	return a
}

func accessRequest(tenant, user uid.ID, minute int) *catalog.AccessRequest {
	return &catalog.AccessRequest{Tenant: tenant, ID: uid.New(at(minute)), Kind: "mailbox", Addresses: []string{"anna@example.com"}, Query: "subject:offer",
		From: at(0).Truncate(time.Second), To: at(9).Truncate(time.Second), Reason: "why", Covert: "§", RequestedBy: user, RequestedRole: "auditor", RequestedAt: at(minute),
		ValidUntil: at(60), State: catalog.AccessWaiting, About: []byte(`{"list":["x"]}`)}
}

func approve(t *testing.T, e *env, a *catalog.AccessRequest) {
	t.Helper()
	a.State, a.DecidedBy, a.DecidedRole, a.DecidedAt, a.Note = catalog.AccessApproved, uid.New(at(2)), "dpo", at(2), "yes"
	must(t, e.SettleAccess(t.Context(), a, catalog.AccessWaiting, events(0, 1)[0]))
}

func accessRecord(a *catalog.AccessRequest, minute int) *catalog.AccessRecord {
	return &catalog.AccessRecord{Tenant: a.Tenant, ID: uid.New(at(minute)), Request: a.ID, User: a.RequestedBy, At: at(minute), Act: "message.read",
		Object: "an AOID", Query: "offer", Addresses: a.Addresses, Peer: "192.0.2.7"}
}

func testAccess(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	user := e.user(t, tenant, "anna").ID
	first, second1 := accessRequest(tenant, user, 1), accessRequest(tenant, uid.New(at(8)), 2)
	second1.Addresses, second1.From, second1.To, second1.About = []string{"b@example.com", "c@example.com"}, time.Time{}, time.Time{}, nil
	for _, a := range []*catalog.AccessRequest{first, second1} {
		must(t, e.AddAccessRequest(ctx, a, events(0, 1)[0]))
		same(t, "request", got(e.AccessRequest(ctx, tenant, a.ID))(t), a)
	}
	mustBe(t, "read before it is approved", e.AddAccessRecord(ctx, accessRecord(first, 3), events(0, 1)[0]), catalog.ErrAccessState)
	same(t, "all", got(e.AccessRequests(ctx, tenant, catalog.AccessFilter{}, 9))(t), []*catalog.AccessRequest{second1, first})
	same(t, "of one", got(e.AccessRequests(ctx, tenant, catalog.AccessFilter{RequestedBy: user}, 9))(t), []*catalog.AccessRequest{first})
	approve(t, e, first)
	same(t, "approved", got(e.AccessRequest(ctx, tenant, first.ID))(t), first)
	mustBe(t, "decide twice", e.SettleAccess(ctx, first, catalog.AccessWaiting), catalog.ErrAccessState)
	mustBe(t, "decide on nothing", e.SettleAccess(ctx, accessRequest(tenant, user, 7), catalog.AccessWaiting), catalog.ErrNotFound)
	same(t, "waiting", got(e.AccessRequests(ctx, tenant, catalog.AccessFilter{States: []catalog.AccessState{catalog.AccessWaiting}}, 9))(t), []*catalog.AccessRequest{second1})

	one, two := accessRecord(first, 3), accessRecord(first, 5)
	must(t, e.AddAccessRecord(ctx, one, events(0, 1)[0]))
	must(t, e.AddAccessRecord(ctx, two, events(0, 1)[0]))
	mustBe(t, "read when the time is over", e.AddAccessRecord(ctx, accessRecord(first, 60), events(0, 1)[0]), catalog.ErrAccessState)
	mustBe(t, "read under nothing", e.AddAccessRecord(ctx, accessRecord(accessRequest(tenant, user, 7), 8), events(0, 1)[0]), catalog.ErrNotFound)
	for name, c := range map[string]struct {
		f    catalog.RecordFilter
		want []*catalog.AccessRecord
	}{
		"all":          {catalog.RecordFilter{}, []*catalog.AccessRecord{two, one}},
		"of a request": {catalog.RecordFilter{Requests: []uid.ID{second1.ID}}, nil},
		"of a user":    {catalog.RecordFilter{User: user, Requests: []uid.ID{first.ID}}, []*catalog.AccessRecord{two, one}},
		"of another":   {catalog.RecordFilter{User: first.ID}, nil},
		"from":         {catalog.RecordFilter{From: at(4)}, []*catalog.AccessRecord{two}},
		"to":           {catalog.RecordFilter{To: at(5)}, []*catalog.AccessRecord{one}},
		"older":        {catalog.RecordFilter{Before: two.ID}, []*catalog.AccessRecord{one}},
	} {
		same(t, name, got(e.AccessRecords(ctx, tenant, c.f, 9))(t), c.want)
	}
	first.State, first.EndedBy, first.EndedAt = catalog.AccessEnded, user, at(6)
	must(t, e.SettleAccess(ctx, first, catalog.AccessApproved, events(0, 1)[0]))
	mustBe(t, "read after the end", e.AddAccessRecord(ctx, accessRecord(first, 7), events(0, 1)[0]), catalog.ErrAccessState)

	mustBe(t, "no policy", second(e.AccessPolicy(ctx, tenant)), catalog.ErrNotFound)
	for _, p := range []*catalog.AccessPolicy{{Tenant: tenant, Silent: true, ChangedAt: at(1), ChangedBy: "cli"}, {Tenant: tenant, ChangedAt: at(2), ChangedBy: "user:x"}} {
		must(t, e.SetAccessPolicy(ctx, p, events(0, 1)[0]))
		same(t, "policy", got(e.AccessPolicy(ctx, tenant))(t), p)
	}
	// Nothing of what failed left an event.
	if n := len(got(e.Events(ctx, tenant, 0, 100))(t)); n != 8 {
		t.Errorf("%d events, want 8", n)
	}
}
