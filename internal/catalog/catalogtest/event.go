package catalogtest

import (
	"fmt"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
)

// events makes n events from number first on.
func events(first, n int) (list []*catalog.Event) {
	for i := first; i < first+n; i++ {
		ev := &catalog.Event{At: at(i), Actor: "cli", Action: "test.done", Object: uid.New(at(i)).String()}
		if i%2 == 0 {
			ev.Details = map[string]string{"who": fmt.Sprintf("anna%d@example.com", i)}
		}
		list = append(list, ev)
	}
	return list
}

func testEvents(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	same(t, "head of an empty log", got(e.EventHead(ctx, tenant))(t), (&eventlog.Frontier{}).Head())
	must(t, e.AppendEvents(ctx, tenant, nil))
	var want []*catalog.Event
	for _, n := range []int{1, 2, 30, 4, 200} {
		list := events(len(want), n)
		must(t, e.AppendEvents(ctx, tenant, list))
		want = append(want, list...)
	}
	must(t, e.AppendEvents(ctx, other, events(0, 3)))
	same(t, "events", got(e.Events(ctx, tenant, 0, 1000))(t), want)
	for i, ev := range want {
		if ev.Seq != int64(i) {
			t.Fatalf("event %d has number %d", i, ev.Seq)
		}
	}
	if err := e.VerifyEvents(ctx, tenant, func(err error) { t.Error(err) }); err != nil {
		t.Error(err)
	}
	mustBe(t, "log of no tenant", e.VerifyEvents(ctx, uid.New(at(0)), func(error) {}), catalog.ErrNotFound)
	mustBe(t, "append to no tenant", e.AppendEvents(ctx, uid.New(at(0)), events(0, 1)), catalog.ErrNotFound)
	for name, ev := range map[string]*catalog.Event{
		"address as object": {Actor: "cli", Action: "x", Object: "anna@example.com"},
		"text as digest":    {Actor: "cli", Action: "x", Digest: "a subject"},
		"no actor":          {Action: "x"}, "no action": {Actor: "cli"},
	} {
		mustBe(t, name, e.AppendEvents(ctx, tenant, []*catalog.Event{ev}), eventlog.ErrLeaf)
	}
	same(t, "head after refusals", got(e.EventHead(ctx, tenant))(t).Size, int64(len(want)))
}

// testEventProofs recomputes heads and checks proofs with the library alone.
func testEventProofs(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	const n = 75
	heads := []eventlog.Head{got(e.EventHead(ctx, tenant))(t)}
	for i := range n {
		must(t, e.AppendEvents(ctx, tenant, events(i, 1)))
		heads = append(heads, got(e.EventHead(ctx, tenant))(t))
	}
	for size, head := range heads {
		same(t, "earlier head", got(e.EventHeadAt(ctx, tenant, int64(size)))(t), head)
		for _, from := range []int{0, 1, size / 2, size - 1, size} {
			if from < 0 || from > size {
				continue
			}
			p := got(e.ProveConsistency(ctx, tenant, int64(from), int64(size)))(t)
			must(t, eventlog.CheckConsistency(heads[from], head, p))
			if from > 0 {
				must(t, tlog.CheckTree(p, head.Size, head.Root, heads[from].Size, heads[from].Root))
			}
		}
	}
	for _, size := range []int64{1, 2, 16, 17, 33, 64, n} {
		for seq := range size {
			p := got(e.ProveEvent(ctx, tenant, seq, size))(t)
			must(t, eventlog.CheckInclusion(heads[size], seq, p.Leaf, p.Path))
			must(t, tlog.CheckRecord(p.Path, size, heads[size].Root, seq, tlog.RecordHash(p.Leaf)))
			leaf := got(eventlog.ParseLeaf(p.Leaf))(t)
			if leaf.Seq != seq || leaf.Tenant != tenant.String() || leaf.Time != at(int(seq)).UnixMilli() || leaf.Type != "test.done" {
				t.Errorf("leaf = %+v", leaf)
			}
		}
	}
	for _, c := range []struct{ seq, size int64 }{{0, n + 1}, {n, n}, {-1, n}, {0, 0}, {0, -1}, {5, 5}, {0, 1 << 62}, {1 << 62, n}} {
		_, err := e.ProveEvent(ctx, tenant, c.seq, c.size)
		mustBe(t, fmt.Sprintf("event %d in %d", c.seq, c.size), err, catalog.ErrNotFound)
	}
	for _, c := range []struct{ from, to int64 }{{0, n + 1}, {1, 1 << 62}, {0, -1}, {n + 1, n}, {-1, n}} {
		_, err := e.ProveConsistency(ctx, tenant, c.from, c.to)
		mustBe(t, fmt.Sprintf("from %d to %d", c.from, c.to), err, catalog.ErrNotFound)
	}
}

func testEventDetails(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	list := events(0, 20)
	must(t, e.AppendEvents(ctx, tenant, list))
	head := got(e.EventHead(ctx, tenant))(t)
	proof := got(e.ProveEvent(ctx, tenant, 4, 20))(t)
	must(t, e.DeleteEventDetails(ctx, tenant, 4))
	must(t, e.DeleteEventDetails(ctx, tenant, 4))
	must(t, e.DeleteEventDetails(ctx, tenant, 5))
	must(t, e.DeleteEventDetails(ctx, tenant, 999))
	list[4].Details = nil
	same(t, "events", got(e.Events(ctx, tenant, 0, 99))(t), list)
	same(t, "head", got(e.EventHead(ctx, tenant))(t), head)
	same(t, "proof", got(e.ProveEvent(ctx, tenant, 4, 20))(t), proof)
}

// testEventsConcurrently has goroutines append: the log stays one.
func testEventsConcurrently(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	var wg sync.WaitGroup
	lists := make([][]*catalog.Event, 24)
	for i := range lists {
		lists[i] = events(i*100, 1+i%5)
		wg.Go(func() {
			if err := e.AppendEvents(ctx, tenant, lists[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	all := got(e.Events(ctx, tenant, 0, 1000))(t)
	n := 0
	for _, list := range lists {
		for i, ev := range list {
			if ev.Seq != list[0].Seq+int64(i) {
				t.Errorf("an append is numbered %d after %d", ev.Seq, list[0].Seq)
			}
			same(t, "event", all[ev.Seq], ev)
			n++
		}
	}
	if len(all) != n {
		t.Errorf("%d events, want %d", len(all), n)
	}
}
