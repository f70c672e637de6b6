package catalogtest

import (
	"errors"
	"slices"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// testPages reads in pages whose limits are odd.
func testPages(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	e.commit(t, tenant, batch("first", 7))
	for _, id := range got(e.MessagesAfter(ctx, tenant, 0, 9))(t) {
		must(t, e.UpdateFacts(ctx, tenant, id.AOID, catalog.Described{}))
	}
	for _, c := range []struct{ after, limit, want int }{{0, 3, 3}, {0, 7, 7}, {0, 8, 7}, {5, 3, 2}, {7, 3, 0}, {99, 3, 0}, {-5, 3, 3}, {0, 0, 0}, {0, -1, 0}} {
		list := got(e.MessagesAfter(ctx, tenant, int64(c.after), c.limit))(t)
		if len(list) != c.want {
			t.Errorf("at most %d messages after %d: %d, want %d", c.limit, c.after, len(list), c.want)
		}
		for i, m := range list {
			if m.Seq != int64(max(c.after, 0)+i+1) {
				t.Errorf("message %d after %d has number %d", i, c.after, m.Seq)
			}
		}
		events := got(e.Events(ctx, tenant, int64(c.after), c.limit))(t)
		if len(events) != c.want {
			t.Errorf("at most %d events from %d: %d, want %d", c.limit, c.after, len(events), c.want)
		}
		if pending := got(e.PendingReindex(ctx, tenant, c.limit))(t); len(pending) != min(max(c.limit, 0), 7) {
			t.Errorf("at most %d pending: %d", c.limit, len(pending))
		}
	}
}

// testWalk walks over more rows than a walk reads at a time.
func testWalk(t *testing.T, e *env) {
	const n = 2300
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	var aoids, captures []uid.ID
	var parts [][32]byte
	for _, name := range []string{"first", "second"} {
		b := e.commit(t, tenant, batch(name, n/2))
		for i := range b.Messages {
			aoids, captures, parts = append(aoids, b.Messages[i].AOID), append(captures, b.Captures[i].ID), append(parts, b.Parts[i].SHA256)
		}
	}
	e.commit(t, other, batch("other", 3))
	slices.SortFunc(captures, uid.ID.Compare)
	slices.SortFunc(parts, func(a, b [32]byte) int { return slices.Compare(a[:], b[:]) })
	var gotIDs, gotCaptures []uid.ID
	var gotParts [][32]byte
	must(t, e.WalkMessages(ctx, tenant, func(m *catalog.Message, err error) error {
		gotIDs = append(gotIDs, m.AOID)
		return err
	}))
	must(t, e.WalkCaptures(ctx, tenant, func(c *catalog.Capture, err error) error {
		gotCaptures = append(gotCaptures, c.ID)
		return err
	}))
	must(t, e.WalkParts(ctx, tenant, func(p *catalog.Part, err error) error {
		gotParts = append(gotParts, p.SHA256)
		return err
	}))
	if !slices.Equal(gotIDs, aoids) {
		t.Errorf("walked over %d messages, want %d in the order of their numbers", len(gotIDs), len(aoids))
	}
	if !slices.Equal(gotCaptures, captures) {
		t.Errorf("walked over %d captures, want %d in order", len(gotCaptures), len(captures))
	}
	if !slices.Equal(gotParts, parts) {
		t.Errorf("walked over %d parts, want %d in order", len(gotParts), len(parts))
	}
	// The same in pages.
	var paged []uid.ID
	for seq := int64(0); ; {
		page := got(e.MessagesAfter(ctx, tenant, seq, 700))(t)
		if len(page) == 0 {
			break
		}
		for _, m := range page {
			paged = append(paged, m.AOID)
		}
		seq = page[len(page)-1].Seq
	}
	if !slices.Equal(paged, aoids) {
		t.Errorf("paged over %d messages, want %d", len(paged), len(aoids))
	}
}

func testWalkStops(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	e.commit(t, tenant, batch("first", 5))
	stop := errors.New("enough")
	n := 0
	err := e.WalkMessages(ctx, tenant, func(*catalog.Message, error) error { n++; return stop })
	mustBe(t, "walk", err, stop)
	if n != 1 {
		t.Errorf("went on %d times after an error", n)
	}
	// What do calls may use the catalog itself.
	must(t, e.WalkMessages(ctx, tenant, func(m *catalog.Message, err error) error {
		must(t, err)
		return e.UpdateFacts(ctx, tenant, m.AOID, catalog.Described{Facts: m.Facts, Category: "walked"})
	}))
	for _, m := range got(e.MessagesAfter(ctx, tenant, 0, 9))(t) {
		if m.Category != "walked" {
			t.Errorf("message %d was not walked over", m.Seq)
		}
	}
	if err := e.WalkMessages(ctx, uid.New(at(0)), func(*catalog.Message, error) error { return stop }); err != nil {
		t.Errorf("walk over the messages of no tenant: %v", err)
	}
}
