package catalogtest

import (
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// moves has all of the batches go to a new segment.
func moves(batches ...*catalog.Batch) catalog.Moves {
	m := catalog.Moves{Segment: &catalog.Segment{ID: uid.New(at(100)), Size: 10, RawSize: 20, Frames: 30, Compacted: true, CreatedAt: at(100)},
		Messages: map[uid.ID]catalog.Loc{}, Parts: map[[32]byte]catalog.Loc{}, Captures: map[uid.ID]catalog.Loc{}}
	frame := uint32(0)
	to := func() catalog.Loc { frame++; return catalog.Loc{Segment: m.Segment.ID, Frame: frame} }
	for _, b := range batches {
		for i := range b.Messages {
			m.Messages[b.Messages[i].AOID], m.Parts[b.Parts[i].SHA256], m.Captures[b.Captures[i].ID] = to(), to(), to()
		}
		m.Drop = append(m.Drop, b.Segment.ID)
	}
	return m
}

func testRelocate(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	first, second := e.commit(t, tenant, batch("first", 3)), e.commit(t, tenant, batch("second", 2))
	stays := e.commit(t, tenant, batch("stays", 1))
	e.commit(t, other, batch("first", 3))
	before := e.counts(t, other)
	m := moves(first, second)
	must(t, e.Relocate(ctx, tenant, m))
	for _, b := range []*catalog.Batch{first, second} {
		for i, message := range b.Messages {
			want := *message
			want.Segment, want.Frame = m.Messages[want.AOID].Segment, m.Messages[want.AOID].Frame
			same(t, "message", got(e.Message(ctx, tenant, want.AOID))(t), &want)
			c := *b.Captures[i]
			c.Tenant, c.Segment, c.Frame = tenant, m.Captures[c.ID].Segment, m.Captures[c.ID].Frame
			same(t, "captures", got(e.Captures(ctx, tenant, want.AOID))(t), []*catalog.Capture{&c})
			if loc, ok, err := e.FindPart(ctx, tenant, b.Parts[i].SHA256); !ok || err != nil || loc != m.Parts[b.Parts[i].SHA256] {
				t.Errorf("part is in %v, %v, %v", loc, ok, err)
			}
		}
		_, err := e.Segment(ctx, tenant, b.Segment.ID)
		mustBe(t, "dropped segment", err, catalog.ErrNotFound)
	}
	m.Segment.Tenant = tenant
	same(t, "new segment", got(e.Segment(ctx, tenant, m.Segment.ID))(t), m.Segment)
	same(t, "what stays", got(e.Message(ctx, tenant, stays.Messages[0].AOID))(t), stays.Messages[0])
	same(t, "the other tenant", e.counts(t, other), before)
	// A segment nothing rests in may go without a new one.
	lonely := batch("lonely", 1)
	e.commit(t, tenant, &catalog.Batch{Segment: lonely.Segment})
	must(t, e.Relocate(ctx, tenant, catalog.Moves{Drop: []uid.ID{lonely.Segment.ID}}))
	if n := e.counts(t, tenant); n.Segments != 2 || n.Messages != 6 || n.Head != 6 {
		t.Errorf("counts = %+v", n)
	}
}

// testResting looks at what rests in a segment, among others and among damage.
func testResting(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	b := e.commit(t, tenant, batch("first", 3))
	e.commit(t, tenant, batch("second", 2))
	want := catalog.Resting{Messages: map[uid.ID]uint32{}, Parts: map[[32]byte]uint32{}, Captures: map[uid.ID]uint32{}, Decisions: map[uid.ID]uint32{}, Tombstones: map[uid.ID]uint32{}}
	for i := range b.Messages {
		want.Messages[b.Messages[i].AOID], want.Parts[b.Parts[i].SHA256], want.Captures[b.Captures[i].ID] =
			b.Messages[i].Frame, b.Parts[i].Frame, b.Captures[i].Frame
	}
	same(t, "segment", got(e.Resting(ctx, tenant, b.Segment.ID))(t), &want)
	if r := got(e.Resting(ctx, tenant, uid.New(at(0))))(t); len(r.Messages)+len(r.Parts)+len(r.Captures)+len(r.Damaged) != 0 {
		t.Errorf("in no segment: %+v", r)
	}
	e.exec(t, 1, "UPDATE part SET size = size + 1 WHERE sha256 = $1", b.Parts[1].SHA256[:])
	delete(want.Parts, b.Parts[1].SHA256)
	r := got(e.Resting(ctx, tenant, b.Segment.ID))(t)
	if len(r.Damaged) != 1 {
		t.Fatalf("damaged: %v", r.Damaged)
	}
	isDamaged(t, "damaged", r.Damaged[0])
	r.Damaged = nil
	same(t, "segment with a damaged row", r, &want)
}

// testRelocateRefuses has every piece of a compaction be wrong once.
func testRelocateRefuses(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	b := e.commit(t, tenant, batch("first", 3))
	theirs := e.commit(t, other, batch("first", 1))
	messages := got(e.MessagesAfter(ctx, tenant, 0, 9))(t)
	before := e.counts(t, tenant)
	for name, c := range map[string]struct {
		spoil func(m *catalog.Moves)
		want  error
	}{
		"message left":     {func(m *catalog.Moves) { delete(m.Messages, b.Messages[0].AOID) }, catalog.ErrInUse},
		"part left":        {func(m *catalog.Moves) { delete(m.Parts, b.Parts[0].SHA256) }, catalog.ErrInUse},
		"capture left":     {func(m *catalog.Moves) { delete(m.Captures, b.Captures[0].ID) }, catalog.ErrInUse},
		"no message":       {func(m *catalog.Moves) { m.Messages[uid.New(at(0))] = catalog.Loc{Segment: m.Segment.ID} }, catalog.ErrNotFound},
		"no part":          {func(m *catalog.Moves) { m.Parts[[32]byte{1}] = catalog.Loc{Segment: m.Segment.ID} }, catalog.ErrNotFound},
		"no capture":       {func(m *catalog.Moves) { m.Captures[uid.New(at(0))] = catalog.Loc{Segment: m.Segment.ID} }, catalog.ErrNotFound},
		"their message":    {func(m *catalog.Moves) { m.Messages[theirs.Messages[0].AOID] = catalog.Loc{Segment: m.Segment.ID} }, catalog.ErrNotFound},
		"no segment":       {func(m *catalog.Moves) { m.Drop = append(m.Drop, uid.New(at(0))) }, catalog.ErrNotFound},
		"their segment":    {func(m *catalog.Moves) { m.Drop = append(m.Drop, theirs.Segment.ID) }, catalog.ErrNotFound},
		"segment taken":    {func(m *catalog.Moves) { m.Segment.ID = b.Segment.ID }, catalog.ErrTaken},
		"to no segment":    {func(m *catalog.Moves) { m.Messages[b.Messages[0].AOID] = catalog.Loc{Segment: uid.New(at(0))} }, nil},
		"to their segment": {func(m *catalog.Moves) { m.Messages[b.Messages[0].AOID] = catalog.Loc{Segment: theirs.Segment.ID} }, nil},
	} {
		m := moves(b)
		c.spoil(&m)
		err := e.Relocate(ctx, tenant, m)
		if c.want != nil {
			mustBe(t, name, err, c.want)
		} else if err == nil {
			t.Errorf("%s: no error", name)
		}
		same(t, name, e.counts(t, tenant), before)
		same(t, name, got(e.MessagesAfter(ctx, tenant, 0, 9))(t), messages)
	}
	mustBe(t, "no tenant", e.Relocate(ctx, uid.New(at(0)), catalog.Moves{}), catalog.ErrNotFound)
}

func testClearMessages(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	b := e.commit(t, tenant, batch("first", 3))
	e.commit(t, other, batch("first", 2))
	must(t, e.UpdateFacts(ctx, tenant, b.Messages[0].AOID, catalog.Described{}))
	must(t, e.SetIndexed(ctx, tenant, 2))
	before, events := e.counts(t, other), got(e.Events(ctx, tenant, 0, 9))(t)
	must(t, e.ClearMessages(ctx, tenant))
	same(t, "cleared", e.counts(t, tenant), counts{Events: 3, AccountRows: 1, AccountCount: 3})
	same(t, "events", got(e.Events(ctx, tenant, 0, 9))(t), events)
	same(t, "mark", got(e.Indexed(ctx, tenant))(t), 0)
	same(t, "the other tenant", e.counts(t, other), before)
	if s := got(e.Statistics(ctx, tenant, at(0)))(t); !s.FirstReceived.IsZero() || !s.LastReceived.IsZero() {
		t.Errorf("statistics = %+v", s)
	}
	// The rebuild puts the same in again.
	e.commit(t, tenant, &catalog.Batch{Segment: b.Segment, Messages: b.Messages, Parts: b.Parts, Captures: b.Captures})
	same(t, "rebuilt", got(e.Message(ctx, tenant, b.Messages[2].AOID))(t), b.Messages[2])
	same(t, "numbers", got(e.Head(ctx, tenant))(t), 3)
	mustBe(t, "no tenant", e.ClearMessages(ctx, uid.New(at(0))), catalog.ErrNotFound)
}
