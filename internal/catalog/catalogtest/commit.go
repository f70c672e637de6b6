package catalogtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func testCommitRoundTrip(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	b := e.commit(t, tenant, batch("first", 3))
	e.commit(t, tenant, &catalog.Batch{}) // nothing is no error
	e.commit(t, tenant, batch("second", 2))
	for i, m := range b.Messages {
		if m.Seq != int64(i+1) || m.Tenant != tenant {
			t.Errorf("message %d: seq %d of %s", i, m.Seq, m.Tenant)
		}
		same(t, "message", got(e.Message(ctx, tenant, m.AOID))(t), m)
		captures := got(e.Captures(ctx, tenant, m.AOID))(t)
		b.Captures[i].Tenant, b.Parts[i].Tenant = tenant, tenant
		same(t, "captures", captures, b.Captures[i:i+1])
	}
	b.Segment.Tenant = tenant
	same(t, "segment", got(e.Segment(ctx, tenant, b.Segment.ID))(t), b.Segment)
	if list := got(e.Segments(ctx, tenant))(t); len(list) != 2 {
		t.Errorf("%d segments, want 2", len(list))
	}
	ids := []uid.ID{b.Messages[0].AOID, b.Messages[2].AOID, uid.New(at(0)), b.Messages[0].AOID}
	same(t, "messages", got(e.Messages(ctx, tenant, ids))(t),
		map[uid.ID]*catalog.Message{ids[0]: b.Messages[0], ids[1]: b.Messages[2]})
	same(t, "no messages", got(e.Messages(ctx, tenant, nil))(t), map[uid.ID]*catalog.Message{})
	same(t, "head", got(e.Head(ctx, tenant))(t), 5)
	same(t, "counts", e.counts(t, tenant), counts{Head: 5, Events: 5, Messages: 5, Captures: 5, Parts: 5, Segments: 2,
		StatMessages: 5, StatSegments: 2, RawBytes: 5004, AccountRows: 2, AccountCount: 5})
}

// testCommitConcurrently has several goroutines commit for two tenants: every
// number is given exactly once, in the order of the commits of its batch.
func testCommitConcurrently(t *testing.T, e *env) {
	const workers, commits, size = 8, 6, 3
	tenants := []uid.ID{e.tenant(t, "a"), e.tenant(t, "b")}
	var wg sync.WaitGroup
	errs := make(chan error, workers*commits)
	numbers := make([][]int64, len(tenants))
	var mu sync.Mutex
	for w := range workers {
		wg.Go(func() {
			for n := range commits {
				b := batch(fmt.Sprint(w, n), size)
				// All count into one account: increments must not get lost.
				b.Accounts[0].Source = uid.ID{1}
				which := (w + n) % len(tenants)
				if err := e.Commit(t.Context(), tenants[which], b); err != nil {
					errs <- err
					return
				}
				mu.Lock()
				for i, m := range b.Messages {
					if m.Seq != b.Messages[0].Seq+int64(i) {
						errs <- fmt.Errorf("a batch is numbered %d after %d", m.Seq, b.Messages[0].Seq)
					}
					numbers[which] = append(numbers[which], m.Seq)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	for i, tenant := range tenants {
		slices.Sort(numbers[i])
		const each = workers * commits * size / 2
		for n, seq := range numbers[i] {
			if seq != int64(n+1) {
				t.Fatalf("the numbers have a gap: %v", numbers[i])
			}
		}
		same(t, "counts", e.counts(t, tenant), counts{Head: each, Events: each, Messages: each, Captures: each, Parts: each, Segments: each / size,
			StatMessages: each, StatSegments: each / size, RawBytes: each / size * 3003, AccountRows: 1, AccountCount: each})
	}
}

// testCommitAllOrNothing has every piece of a batch fail once: nothing of the
// batch may be seen, then or later.
func testCommitAllOrNothing(t *testing.T, e *env) {
	tenant := e.tenant(t, "a")
	first := e.commit(t, tenant, batch("first", 2))
	before := e.counts(t, tenant)
	spoil := map[string]func(b *catalog.Batch){
		"segment taken":         func(b *catalog.Batch) { b.Segment.ID = first.Segment.ID },
		"segment missing":       func(b *catalog.Batch) { b.Segment = nil },
		"content taken":         func(b *catalog.Batch) { b.Messages[39].SHA256 = first.Messages[1].SHA256 },
		"content twice":         func(b *catalog.Batch) { b.Messages[39].SHA256 = b.Messages[0].SHA256 },
		"AOID taken":            func(b *catalog.Batch) { b.Messages[39].AOID = first.Messages[0].AOID },
		"no AOID":               func(b *catalog.Batch) { b.Messages[39].AOID = uid.ID{} },
		"no segment":            func(b *catalog.Batch) { b.Messages[39].Segment = uid.ID{} },
		"part taken":            func(b *catalog.Batch) { b.Parts[39].SHA256 = first.Parts[0].SHA256 },
		"capture key taken":     func(b *catalog.Batch) { b.Captures[39].Key = first.Captures[0].Key },
		"capture id taken":      func(b *catalog.Batch) { b.Captures[39].ID = first.Captures[0].ID },
		"capture without id":    func(b *catalog.Batch) { b.Captures[39].ID = uid.ID{} },
		"capture of no message": func(b *catalog.Batch) { b.Captures[39].AOID = uid.New(at(0)) },
		"capture in no segment": func(b *catalog.Batch) { b.Captures[39].Segment = uid.New(at(0)) },
		"parties of no message": func(b *catalog.Batch) {
			b.Parties = map[uid.ID][]catalog.Party{uid.New(at(0)): {{Role: "to", Address: "x@example.com"}}}
		},
		"account of no day":     func(b *catalog.Batch) { b.Accounts[0].Day = "yesterday" },
		"account of no outcome": func(b *catalog.Batch) { b.Accounts[0].Outcome = "" },
		"event of no action":    func(b *catalog.Batch) { b.Events[39].Action = "" },
		"event with an address": func(b *catalog.Batch) { b.Events[39].Object = "anna@example.com" },
	}
	for name, f := range spoil {
		b := batch("next", 40)
		f(b)
		if err := e.Commit(t.Context(), tenant, b); err == nil {
			t.Errorf("%s: no error", name)
		}
		for _, m := range b.Messages {
			if m.Seq != 0 {
				t.Errorf("%s: a message got the number %d", name, m.Seq)
				break
			}
		}
		same(t, name, e.counts(t, tenant), before)
		if known := got(e.Known(t.Context(), tenant, [][32]byte{b.Messages[0].SHA256, b.Messages[1].SHA256}))(t); len(known) != 0 && name != "content twice" {
			t.Errorf("%s: known: %v", name, known)
		}
	}
	b := e.commit(t, tenant, batch("next", 40))
	if b.Messages[0].Seq != 3 || b.Events[0].Seq != 2 {
		t.Errorf("the next numbers are %d and %d, want 3 and 2", b.Messages[0].Seq, b.Events[0].Seq)
	}
	mustBe(t, "tenant of none", e.Commit(t.Context(), uid.New(at(0)), batch("x", 1)), catalog.ErrNotFound)
}

func testCommitLarge(t *testing.T, e *env) {
	const n = 1000
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	b := e.commit(t, tenant, batch("large", n))
	sums := make([][32]byte, n)
	keys := make([][32]byte, n)
	parts := make([][32]byte, n)
	ids := make([]uid.ID, n)
	for i, m := range b.Messages {
		sums[i], ids[i], keys[i], parts[i] = m.SHA256, m.AOID, b.Captures[i].Key, b.Parts[i].SHA256
	}
	known := got(e.Known(ctx, tenant, sums))(t)
	messages := got(e.Messages(ctx, tenant, ids))(t)
	captured := got(e.KnownCaptures(ctx, tenant, keys))(t)
	found := got(e.Parts(ctx, tenant, parts))(t)
	for i, m := range b.Messages {
		p := found[parts[i]]
		if known[m.SHA256] != m.AOID || messages[m.AOID] == nil || messages[m.AOID].Seq != int64(i+1) || !captured[keys[i]] || p == nil || p.Size != b.Parts[i].Size {
			t.Fatalf("message %d of a large batch is not as it was", i)
		}
	}
	same(t, "counts", e.counts(t, tenant), counts{Head: n, Events: n, Messages: n, Captures: n, Parts: n, Segments: 1,
		StatMessages: n, StatSegments: 1, RawBytes: 1000*n + n*(n-1)/2, AccountRows: 1, AccountCount: n})
}

// testCommitTaken has goroutines race for the same contents: exactly one wins,
// the others learn it from ErrTaken.
func testCommitTaken(t *testing.T, e *env) {
	tenant := e.tenant(t, "a")
	var wg sync.WaitGroup
	results := make([]error, 6)
	for i := range results {
		wg.Go(func() { results[i] = e.Commit(context.WithoutCancel(t.Context()), tenant, batch("same", 5)) })
	}
	wg.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
		} else if !errors.Is(err, catalog.ErrTaken) {
			t.Errorf("the error is %v, want %v", err, catalog.ErrTaken)
		}
	}
	if n := e.counts(t, tenant); won != 1 || n.Messages != 5 || n.Head != 5 || n.Segments != 1 {
		t.Errorf("%d have won: %+v", won, n)
	}
}

func testCommitParties(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	b := e.commit(t, tenant, batch("first", 2))
	m := b.Messages[0]
	to := catalog.Party{Role: "envelope-to", Name: "Dora", Address: "dora@example.com"}
	strange := catalog.Party{Role: "envelope-to", Address: "d\xffö\xc3(@example.com"}
	for range 2 { // the second time there is nothing new
		e.commit(t, tenant, &catalog.Batch{Parties: map[uid.ID][]catalog.Party{m.AOID: {to, m.Parties[0], to, strange}}})
	}
	want := *m
	strange.Address = "d\ufffdö\ufffd(@example.com"
	want.Parties = append(slices.Clone(m.Parties), to, strange)
	same(t, "merged", got(e.Message(ctx, tenant, m.AOID))(t), &want)
	same(t, "the other", got(e.Message(ctx, tenant, b.Messages[1].AOID))(t), b.Messages[1])
	if list := got(e.PendingReindex(ctx, tenant, 10))(t); len(list) != 1 || list[0].AOID != m.AOID {
		t.Errorf("to be indexed again: %v", list)
	}
	// A message and its later parties may come in one batch.
	next := batch("second", 1)
	next.Parties = map[uid.ID][]catalog.Party{next.Messages[0].AOID: {to}}
	e.commit(t, tenant, next)
	if m := got(e.Message(ctx, tenant, next.Messages[0].AOID))(t); len(m.Parties) != 3 {
		t.Errorf("parties = %v", m.Parties)
	}
	other := e.tenant(t, "b")
	err := e.Commit(ctx, other, &catalog.Batch{Parties: map[uid.ID][]catalog.Party{m.AOID: {to}}})
	mustBe(t, "message of another tenant", err, catalog.ErrNotFound)
}

func testCapturesAndParts(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	b := e.commit(t, tenant, batch("first", 2))
	m := b.Messages[0]
	late := *b.Captures[0]
	late.ID, late.Key, late.ReceivedAt, late.EnvelopeTo, late.EnvelopeFrom = uid.New(at(50)), [32]byte{1}, at(50), nil, ""
	early := late
	early.ID, early.Key, early.ReceivedAt, early.EnvelopeTo = uid.New(at(51)), [32]byte{2}, at(-50), []string{""}
	e.commit(t, tenant, &catalog.Batch{Captures: []*catalog.Capture{&late, &early}})
	b.Captures[0].Tenant, late.Tenant, early.Tenant = tenant, tenant, tenant
	same(t, "captures by time", got(e.Captures(ctx, tenant, m.AOID))(t), []*catalog.Capture{&early, b.Captures[0], &late})
	if list := got(e.Captures(ctx, tenant, uid.New(at(0))))(t); len(list) != 0 {
		t.Errorf("captures of no message: %v", list)
	}
	keys := [][32]byte{{1}, {9}, b.Captures[1].Key, {1}}
	same(t, "known captures", got(e.KnownCaptures(ctx, tenant, keys))(t), map[[32]byte]bool{{1}: true, b.Captures[1].Key: true})
	same(t, "no known captures", got(e.KnownCaptures(ctx, tenant, nil))(t), map[[32]byte]bool{})

	p := b.Parts[1]
	p.Tenant = tenant
	same(t, "parts", got(e.Parts(ctx, tenant, [][32]byte{p.SHA256, {9}, p.SHA256}))(t), map[[32]byte]*catalog.Part{p.SHA256: p})
	loc, ok, err := e.FindPart(ctx, tenant, p.SHA256)
	if err != nil || !ok || loc != (catalog.Loc{Segment: p.Segment, Frame: p.Frame}) {
		t.Errorf("part = %v, %v, %v", loc, ok, err)
	}
	if _, ok, err := e.FindPart(ctx, tenant, [32]byte{9}); ok || err != nil {
		t.Errorf("part of none: %v, %v", ok, err)
	}
}
