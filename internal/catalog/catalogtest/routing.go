package catalogtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func testDomains(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	main := &catalog.Domain{Name: "müller.example", Tenant: tenant, CreatedAt: at(1)}
	alias := &catalog.Domain{Name: "muller.example", Tenant: tenant, Main: main.Name, CreatedAt: at(2)}
	theirs := &catalog.Domain{Name: "other.example", Tenant: other, CreatedAt: at(3)}
	for _, d := range []*catalog.Domain{main, alias, theirs} {
		must(t, e.AddDomain(ctx, d))
	}
	mustBe(t, "twice", e.AddDomain(ctx, main), catalog.ErrTaken)
	mustBe(t, "another tenant's", e.AddDomain(ctx, &catalog.Domain{Name: main.Name, Tenant: other, CreatedAt: at(4)}), catalog.ErrTaken)
	mustBe(t, "no tenant", e.AddDomain(ctx, &catalog.Domain{Name: "x.example", Tenant: uid.New(at(0))}), catalog.ErrNotFound)
	mustBe(t, "no name", e.AddDomain(ctx, &catalog.Domain{Tenant: tenant}), catalog.ErrInvalid)
	same(t, "all", got(e.Domains(ctx))(t), []*catalog.Domain{alias, main, theirs})
	same(t, "one tenant's", got(e.DomainsOf(ctx, tenant))(t), []*catalog.Domain{alias, main})
	mustBe(t, "remove across the wall", e.RemoveDomain(ctx, other, main.Name), catalog.ErrNotFound)
	must(t, e.RemoveDomain(ctx, tenant, main.Name))
	mustBe(t, "remove again", e.RemoveDomain(ctx, tenant, main.Name), catalog.ErrNotFound)
	must(t, e.AddDomain(ctx, &catalog.Domain{Name: main.Name, Tenant: other, CreatedAt: at(4)}))

	// With their events, or not at all.
	n := got(e.EventHead(ctx, tenant))(t).Size
	must(t, e.AddDomain(ctx, &catalog.Domain{Name: "x.example", Tenant: tenant, CreatedAt: at(5)}, events(0, 1)...))
	must(t, e.RemoveDomain(ctx, tenant, "x.example", events(1, 1)...))
	same(t, "events", got(e.EventHead(ctx, tenant))(t).Size, n+2)
	mustBe(t, "taken", e.AddDomain(ctx, &catalog.Domain{Name: main.Name, Tenant: tenant, CreatedAt: at(5)}, events(0, 1)...), catalog.ErrTaken)
	mustBe(t, "not there", e.RemoveDomain(ctx, tenant, "x.example", events(1, 1)...), catalog.ErrNotFound)
	bad := &catalog.Event{At: at(0), Actor: "nobody at all", Action: "x"}
	if err := e.AddDomain(ctx, &catalog.Domain{Name: "y.example", Tenant: tenant, CreatedAt: at(5)}, bad); err == nil {
		t.Error("an event that cannot be written was taken")
	}
	same(t, "no events", got(e.EventHead(ctx, tenant))(t).Size, n+2)
	same(t, "no domain without its event", got(e.DomainsOf(ctx, tenant))(t), []*catalog.Domain{alias})
}

func testSelection(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	mustBe(t, "nobody has said", second(e.Selection(ctx, tenant)), catalog.ErrNotFound)
	var many []string
	for i := range 5000 {
		many = append(many, fmt.Sprintf("person%04d@example.com", i))
	}
	for i, s := range []*catalog.Selection{
		{Tenant: tenant, Enabled: true, Addresses: many, ChangedAt: at(1), ChangedBy: "user:1"},
		{Tenant: tenant, ChangedAt: at(2), ChangedBy: "cli"},
	} {
		must(t, e.SetSelection(ctx, s, events(i, 1)[0]))
		same(t, "selection", got(e.Selection(ctx, tenant))(t), s)
	}
	mustBe(t, "across the wall", second(e.Selection(ctx, other)), catalog.ErrNotFound)
	if n := e.counts(t, tenant).Events; n != 2 {
		t.Errorf("%d events, want 2", n)
	}
}

// entry makes the entry of a message in quarantine.
func entry(tenant uid.ID, m *catalog.Message) *catalog.QuarantineEntry {
	return &catalog.QuarantineEntry{Tenant: tenant, AOID: m.AOID, Source: m.Source, ReceivedAt: m.ReceivedAt, Size: m.Size, Counted: true,
		Reason: "domain", Subject: m.Facts.Subject, Parties: m.Parties, State: catalog.Waiting}
}

// quarantined makes a batch whose messages are all in quarantine.
func quarantined(tenant uid.ID, n int) *catalog.Batch {
	b := batch("strange", n)
	for _, m := range b.Messages {
		m.Class = catalog.ClassQuarantine
		b.Quarantine = append(b.Quarantine, entry(tenant, m))
		m.Parties = nil
	}
	b.Accounts[0].Outcome = catalog.Quarantined
	return b
}

func testQuarantine(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	five := quarantined(tenant, 5)
	five.Captures[0].Origin = "a.msg#original"
	b := e.commit(t, tenant, five)
	first, second1, third := b.Messages[0], b.Messages[1], b.Messages[2]
	same(t, "entry", got(e.QuarantinedMessage(ctx, tenant, first.AOID))(t), b.Quarantine[0])
	mustBe(t, "across the wall", second(e.QuarantinedMessage(ctx, other, first.AOID)), catalog.ErrNotFound)
	page := got(e.Quarantine(ctx, tenant, catalog.QuarantineFilter{States: []catalog.QuarantineState{catalog.Waiting}}, 1))(t)
	rest := got(e.Quarantine(ctx, tenant, catalog.QuarantineFilter{Before: page[0].AOID}, 10))(t)
	only := got(e.Quarantine(ctx, tenant, catalog.QuarantineFilter{Source: first.Source}, 9))(t)
	if len(only) != 1 || only[0].AOID != first.AOID {
		t.Errorf("of one source: %v", only)
	}
	if len(page) != 1 || len(rest) != 4 || len(got(e.Quarantine(ctx, other, catalog.QuarantineFilter{}, 10))(t)) != 0 {
		t.Errorf("pages of %d and %d", len(page), len(rest))
	}
	// Another arrival tells of more parties: of the entry, not of the message.
	more := catalog.Party{Role: "envelope-to", Address: "dora@example.com"}
	must(t, e.Commit(ctx, tenant, &catalog.Batch{Parties: map[uid.ID][]catalog.Party{first.AOID: {more, more}}}))
	if m := got(e.Message(ctx, tenant, first.AOID))(t); len(m.Parties) != 0 {
		t.Errorf("a message in quarantine has parties: %v", m.Parties)
	}
	from := func(tenant, source uid.ID, origins ...string) []uid.ID {
		return got(e.QuarantinedFrom(ctx, tenant, source, origins))(t)
	}
	const place = "a.msg#original"
	same(t, "from a place", from(tenant, first.Source, place, "nowhere"), []uid.ID{first.AOID})
	if len(from(other, first.Source, place))+len(from(tenant, other, place))+len(from(tenant, first.Source, "nowhere"))+len(from(tenant, first.Source)) > 0 {
		t.Error("from elsewhere")
	}
	want := *b.Quarantine[0]
	want.Parties = append(append([]catalog.Party{}, want.Parties...), more)
	same(t, "entry", got(e.QuarantinedMessage(ctx, tenant, first.AOID))(t), &want)
	// Decisions.
	segment := &catalog.Segment{ID: uid.New(at(7)), Size: 1, Frames: 2, CreatedAt: at(7)}
	record := func(n uint32) catalog.Loc { return catalog.Loc{Segment: segment.ID, Frame: n} }
	must(t, e.Decide(ctx, tenant, catalog.Decisions{Segment: segment, Class: "mail10", Events: events(0, 2), List: []catalog.Decision{
		{AOID: first.AOID, State: catalog.Released, At: at(8), By: "cli", Note: "ours", Record: record(0)},
		{AOID: second1.AOID, State: catalog.Kept, At: at(8), By: "cli", Note: "spam", Record: record(1)},
	}}))
	m := got(e.Message(ctx, tenant, first.AOID))(t)
	same(t, "parties of what is released", m.Parties, want.Parties)
	if m.Class != "mail10" || m.Size != first.Size || m.SHA512 != first.SHA512 {
		t.Errorf("released: %+v", m)
	}
	if q := got(e.PendingReindex(ctx, tenant, 10))(t); len(q) != 1 || q[0].AOID != first.AOID {
		t.Errorf("the index is to learn %v", q)
	}
	counted := map[catalog.Outcome]catalog.Account{}
	for _, a := range got(e.Accounts(ctx, tenant, "", ""))(t) {
		counted[a.Outcome] = a
	}
	if q, r := counted[catalog.Quarantined], counted[catalog.ReleasedLater]; q.Count != 4 || r.Count != 1 || r.Bytes != first.Size || q.Bytes != 5000-first.Size {
		t.Errorf("accounts: %+v", counted)
	}
	same(t, "states", got(e.CountQuarantine(ctx, tenant))(t), map[catalog.QuarantineState]int64{catalog.Waiting: 3, catalog.Kept: 1, catalog.Released: 1})
	again := catalog.Decisions{Class: "mail10", List: []catalog.Decision{{AOID: third.AOID, State: catalog.Kept, At: at(9)}, {AOID: first.AOID, State: catalog.Kept, At: at(9)}}}
	mustBe(t, "released is for good", e.Decide(ctx, tenant, again), catalog.ErrTaken)
	if q := got(e.QuarantinedMessage(ctx, tenant, third.AOID))(t); q.State != catalog.Waiting {
		t.Errorf("half of it was done: %+v", q)
	}
	mustBe(t, "decide across the wall", e.Decide(ctx, other, catalog.Decisions{List: []catalog.Decision{{AOID: third.AOID, State: catalog.Kept}}}), catalog.ErrNotFound)
	// A compaction moves the records of decisions.
	rests := got(e.Resting(ctx, tenant, segment.ID))(t)
	same(t, "resting", rests.Decisions, map[uid.ID]uint32{first.AOID: 0, second1.AOID: 1})
	mustBe(t, "drop what is in use", e.Relocate(ctx, tenant, catalog.Moves{Drop: []uid.ID{segment.ID}}), catalog.ErrInUse)
	to := &catalog.Segment{ID: uid.New(at(9)), Size: 1, Frames: 2, Compacted: true, CreatedAt: at(9)}
	must(t, e.Relocate(ctx, tenant, catalog.Moves{Segment: to, Drop: []uid.ID{segment.ID}, Decisions: map[uid.ID]catalog.Loc{
		first.AOID: {Segment: to.ID, Frame: 1}, second1.AOID: {Segment: to.ID, Frame: 0}}}))
	q := got(e.QuarantinedMessage(ctx, tenant, second1.AOID))(t)
	if q.Decision != (catalog.Loc{Segment: to.ID, Frame: 0}) || q.Note != "spam" || !q.DecidedAt.Equal(at(8).Truncate(time.Millisecond)) {
		t.Errorf("after a compaction: %+v", q)
	}
}
