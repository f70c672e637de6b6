package catalogtest

import (
	"sync"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func testIndexed(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	e.commit(t, tenant, batch("first", 5))
	e.commit(t, other, batch("first", 2))
	for _, c := range []struct{ set, want int64 }{{0, 0}, {2, 2}, {1, 2}, {-7, 2}, {4, 4}, {99, 5}, {3, 5}} {
		must(t, e.SetIndexed(ctx, tenant, c.set))
		if n := got(e.Indexed(ctx, tenant))(t); n != c.want {
			t.Errorf("mark is %d after it was set to %d, want %d", n, c.set, c.want)
		}
	}
	same(t, "mark of the other tenant", got(e.Indexed(ctx, other))(t), 0)
	must(t, e.ResetIndexed(ctx, tenant))
	same(t, "mark after the reset", got(e.Indexed(ctx, tenant))(t), 0)
	same(t, "messages after the reset", got(e.Head(ctx, tenant))(t), 5)
	var wg sync.WaitGroup
	for seq := range int64(6) {
		wg.Go(func() {
			if err := e.SetIndexed(ctx, tenant, seq); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	same(t, "mark set by many", got(e.Indexed(ctx, tenant))(t), 5)
	mustBe(t, "set of no tenant", e.SetIndexed(ctx, uid.New(at(0)), 1), catalog.ErrNotFound)
	mustBe(t, "reset of no tenant", e.ResetIndexed(ctx, uid.New(at(0))), catalog.ErrNotFound)
	_, err := e.Indexed(ctx, uid.New(at(0)))
	mustBe(t, "mark of no tenant", err, catalog.ErrNotFound)
}

func testReindex(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	b := e.commit(t, tenant, batch("first", 4))
	if list := got(e.PendingReindex(ctx, tenant, 9))(t); len(list) != 0 {
		t.Errorf("new messages are pending: %v", list)
	}
	d := catalog.Described{Facts: catalog.Facts{Version: 2, Subject: "New", Warnings: []string{"w"}}, Category: "invoices", Tags: []string{"t"},
		Parties: []catalog.Party{{Role: "cc", Address: "dora@example.com"}}}
	for _, m := range b.Messages[:3] {
		must(t, e.UpdateFacts(ctx, tenant, m.AOID, d))
	}
	want := *b.Messages[1]
	want.Facts, want.Category, want.Tags, want.Parties = d.Facts, d.Category, d.Tags, d.Parties
	same(t, "new facts", got(e.Message(ctx, tenant, want.AOID))(t), &want)
	pending := got(e.PendingReindex(ctx, tenant, 9))(t)
	if len(pending) != 3 {
		t.Fatalf("pending: %v", pending)
	}
	// One is queued again while the index works on what it took.
	must(t, e.UpdateFacts(ctx, tenant, pending[1].AOID, d))
	must(t, e.DoneReindex(ctx, tenant, pending))
	must(t, e.DoneReindex(ctx, tenant, nil))
	left := got(e.PendingReindex(ctx, tenant, 9))(t)
	if len(left) != 1 || left[0].AOID != pending[1].AOID || left[0].Ticket == pending[1].Ticket {
		t.Errorf("pending after all but one are done: %v", left)
	}
	must(t, e.ResetIndexed(ctx, tenant))
	if list := got(e.PendingReindex(ctx, tenant, 9))(t); len(list) != 0 {
		t.Errorf("pending after the reset: %v", list)
	}
	mustBe(t, "facts of no message", e.UpdateFacts(ctx, tenant, uid.New(at(0)), d), catalog.ErrNotFound)
	if list := got(e.PendingReindex(ctx, tenant, 9))(t); len(list) != 0 {
		t.Errorf("no message is pending: %v", list)
	}
}
