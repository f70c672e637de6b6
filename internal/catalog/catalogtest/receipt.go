package catalogtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
)

func logKey(n int) *catalog.LogKey {
	return &catalog.LogKey{Number: int64(n), Instance: uid.New(at(0)), Public: []byte{1, byte(n)}, Secret: []byte{2, byte(n)}, ChangeNote: fmt.Sprint("note ", n), CreatedAt: at(n)}
}

func noEvents(*catalog.Receipt) []*catalog.Event { return nil }

func signed(made time.Time) func(eventlog.Head) (*catalog.Receipt, *catalog.Event, error) {
	return func(h eventlog.Head) (*catalog.Receipt, *catalog.Event, error) {
		return &catalog.Receipt{MadeAt: made, Key: 1, Body: fmt.Sprintf("%d %s\n", h.Size, h.Root)}, events(7, 1)[0], nil
	}
}

func testLogKeys(t *testing.T, e *env) {
	ctx := t.Context()
	same(t, "keys", len(got(e.LogKeys(ctx))(t)), 0)
	first, second := logKey(1), logKey(2)
	second.Instance = first.Instance
	must(t, e.AddLogKey(ctx, first, instanceEvent("log.key-made")))
	same(t, "keys", got(e.LogKeys(ctx))(t), []*catalog.LogKey{first})
	mustBe(t, "the same number", e.AddLogKey(ctx, logKey(1), instanceEvent("log.key-made")), catalog.ErrTaken)
	mustBe(t, "a gap", e.AddLogKey(ctx, logKey(3), instanceEvent("log.key-made")), catalog.ErrTaken)
	must(t, e.AddLogKey(ctx, second, instanceEvent("log.key-changed")))
	first.Secret = nil
	same(t, "keys", got(e.LogKeys(ctx))(t), []*catalog.LogKey{first, second})
	list := got(e.Events(ctx, uid.ID{}, 0, 9))(t)
	if len(list) != 2 || list[1].Action != "log.key-changed" {
		t.Errorf("events are %+v", list)
	}
}

func testReceipts(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	must(t, e.AppendEvents(ctx, tenant, events(0, 3)))
	var given *catalog.Receipt
	first := got(e.MakeReceipt(ctx, tenant, "2026-01-02", func(last *catalog.Receipt) []*catalog.Event { given = last; return events(3, 2) }, signed(at(3))))(t)
	if given != nil || first.Size != 5 || got(e.EventHead(ctx, tenant))(t).Size != 6 {
		t.Errorf("first receipt of %d events, with %+v before", first.Size, given)
	}
	root := got(e.EventHeadAt(ctx, tenant, 5))(t).Root
	same(t, "what was signed", first.Body, fmt.Sprintf("5 %s\n", root))
	for _, day := range []string{"2026-01-02", "2026-01-01"} {
		_, err := e.MakeReceipt(ctx, tenant, day, noEvents, signed(at(4)))
		mustBe(t, "receipt of "+day, err, catalog.ErrTaken)
	}
	same(t, "events after refusals", got(e.EventHead(ctx, tenant))(t).Size, int64(6))
	second := got(e.MakeReceipt(ctx, tenant, "2026-01-05", func(last *catalog.Receipt) []*catalog.Event { given = last; return nil }, signed(at(5))))(t)
	same(t, "last", given, first)
	of := got(e.MakeReceipt(ctx, uid.ID{}, "2026-01-05", noEvents, signed(at(5))))(t)
	same(t, "of the installation", got(e.Receipts(ctx, uid.ID{}, "", 9))(t), []*catalog.Receipt{of})
	same(t, "receipts", got(e.Receipts(ctx, tenant, "", 9))(t), []*catalog.Receipt{second, first})
	same(t, "earlier receipts", got(e.Receipts(ctx, tenant, "2026-01-05", 9))(t), []*catalog.Receipt{first})
	same(t, "other's receipts", len(got(e.Receipts(ctx, other, "", 9))(t)), 0)
	must(t, e.HandedOut(ctx, tenant, "2026-01-02", true, false))
	must(t, e.HandedOut(ctx, tenant, "2026-01-02", false, true))
	must(t, e.AttachRecord(ctx, tenant, "2026-01-02", "with a record\n"))
	first.Filed, first.Mailed, first.Body = true, true, "with a record\n"
	same(t, "receipt", got(e.Receipt(ctx, tenant, "2026-01-02"))(t), first)
	_, err := e.Receipt(ctx, other, "2026-01-02")
	mustBe(t, "other's receipt", err, catalog.ErrNotFound)
	s := &catalog.ReceiptSetting{Tenant: tenant, Settings: []byte(`{"at":"00:10"}`)}
	if none := got(e.ReceiptSetting(ctx, tenant))(t); none != nil {
		t.Errorf("settings of nobody: %+v", none)
	}
	must(t, e.SetReceiptSetting(ctx, s, events(9, 1)[0]))
	must(t, e.SetReceiptSetting(ctx, s, events(10, 1)[0]))
	same(t, "settings", got(e.ReceiptSetting(ctx, tenant))(t), s)
}

func testEventsFound(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	list := events(0, 12)
	list[3].Actor, list[3].Action = "user:x", "user.created"
	list[7].Actor, list[7].Object = "user:x", list[3].Object
	must(t, e.AppendEvents(ctx, tenant, list))
	for name, c := range map[string]struct {
		filter catalog.EventFilter
		limit  int
		want   []int
	}{
		"newest":   {catalog.EventFilter{}, 3, []int{11, 10, 9}},
		"page":     {catalog.EventFilter{Before: 9}, 2, []int{8, 7}},
		"actor":    {catalog.EventFilter{Actor: "user:x"}, 9, []int{7, 3}},
		"group":    {catalog.EventFilter{Group: "user"}, 9, []int{3}},
		"no group": {catalog.EventFilter{Group: "use"}, 9, nil},
		"object":   {catalog.EventFilter{Object: list[3].Object}, 9, []int{7, 3}},
		"when":     {catalog.EventFilter{From: list[4].At, Until: list[6].At}, 9, []int{5, 4}},
	} {
		var seqs []int
		for _, ev := range got(e.FindEvents(ctx, tenant, c.filter, c.limit))(t) {
			seqs = append(seqs, int(ev.Seq))
			same(t, "event", ev, list[ev.Seq])
		}
		if !slices.Equal(seqs, c.want) {
			t.Errorf("%s: found %v, want %v", name, seqs, c.want)
		}
	}
	var tree eventlog.Frontier
	must(t, e.WalkLeaves(ctx, tenant, 0, 12, func(_ *catalog.Event, leaf []byte) error {
		tree.Append(eventlog.LeafHash(leaf), nil)
		return nil
	}))
	same(t, "head", tree.Head(), got(e.EventHead(ctx, tenant))(t))
}

// withReceipt adds a key and a receipt of the tenant.
func (d *damaged) withReceipt(t *testing.T) {
	t.Helper()
	e := d.env
	must(t, e.AddLogKey(t.Context(), logKey(1), events(0, 1)[0]))
	must(t, second(e.MakeReceipt(t.Context(), d.tenant, "2026-01-02", noEvents, signed(at(3)))))
	must(t, e.SetReceiptSetting(t.Context(), &catalog.ReceiptSetting{Tenant: d.tenant, Settings: []byte(`{"to":[]}`)}, events(0, 1)[0]))
}
