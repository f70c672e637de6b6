package catalogtest

import (
	"fmt"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func testSourceSettings(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	source := e.source(t, tenant, "mailbox").ID
	mustBe(t, "no settings", second(e.SourceSetting(ctx, tenant, source)), catalog.ErrNotFound)
	for _, s := range []*catalog.SourceSetting{
		{Source: source, Tenant: tenant, Settings: []byte(`{"host":"one"}`)},
		{Source: source, Tenant: tenant, Settings: []byte(`{"host":"two"}`), Secret: []byte("\x00\xffsealed")},
	} {
		must(t, e.SetSourceSetting(ctx, s))
		same(t, "settings", got(e.SourceSetting(ctx, tenant, source))(t), s)
		same(t, "settings of all", got(e.SourceSettings(ctx, tenant))(t), []*catalog.SourceSetting{s})
	}
	for _, s := range []string{`{}`, `{"error":"cannot connect"}`} {
		must(t, e.SetSourceState(ctx, &catalog.SourceState{Source: source, Tenant: tenant, State: []byte(s)}))
		same(t, "state", string(got(e.SourceStates(ctx, tenant))(t)[source].State), s)
	}
	// The wall, and sources that are not there.
	same(t, "settings of all across the wall", got(e.SourceSettings(ctx, other))(t), nil)
	mustBe(t, "settings across the wall", second(e.SourceSetting(ctx, other, source)), catalog.ErrNotFound)
	testRenewedSecrets(t, e, tenant, other, source)
	mustBe(t, "set across the wall", e.SetSourceSetting(ctx, &catalog.SourceSetting{Source: source, Tenant: other, Settings: []byte("{}")}), catalog.ErrNotFound)
	mustBe(t, "state across the wall", e.SetSourceState(ctx, &catalog.SourceState{Source: source, Tenant: other, State: []byte("{}")}), catalog.ErrNotFound)
	mustBe(t, "no source", e.SetSourceState(ctx, &catalog.SourceState{Source: uid.New(at(1)), Tenant: tenant, State: []byte("{}")}), catalog.ErrNotFound)
	if n := len(got(e.SourceStates(ctx, other))(t)); n != 0 {
		t.Errorf("%d states across the wall", n)
	}
}

func testSourceItems(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	source := e.source(t, tenant, "mailbox").ID
	var list []*catalog.SourceItem
	for i := range 1000 {
		list = append(list, &catalog.SourceItem{Folder: "INBOX;1", Item: fmt.Sprintf("%04d", i), Outcome: catalog.Stored, Bytes: int64(i), At: at(i)})
	}
	list[3].Outcome, list[3].Detail = catalog.Left, "larger than the limit"
	must(t, e.SettleItems(ctx, tenant, source, "INBOX;1", list, nil))
	same(t, "items", got(e.SourceItems(ctx, tenant, source, "INBOX;1"))(t), list)
	same(t, "exceptions", got(e.SourceItems(ctx, tenant, source, ""))(t), list[3:4])
	again := *list[3]
	again.Outcome, again.Detail = catalog.Duplicate, ""
	must(t, e.SettleItems(ctx, tenant, source, "INBOX;1", []*catalog.SourceItem{&again}, []string{"0000", "0001", "unknown"}))
	list[3] = &again
	same(t, "items after a change", got(e.SourceItems(ctx, tenant, source, "INBOX;1"))(t), list[2:])
	must(t, e.SettleItems(ctx, tenant, source, "INBOX;2", []*catalog.SourceItem{{Item: "7", Outcome: catalog.Stored, At: at(0)}}, nil))
	if n := len(got(e.SourceItems(ctx, tenant, source, "INBOX;1"))(t)); n != 998 {
		t.Errorf("%d items beside those of another folder, want 998", n)
	}
	for _, next := range []int64{7, 4_294_967_295} {
		f := catalog.SourceFolder{Folder: "Entwürfe", Validity: 5, Next: next}
		must(t, e.SetSourceFolder(ctx, tenant, source, f))
		same(t, "folders", got(e.SourceFolders(ctx, tenant, source))(t), map[string]catalog.SourceFolder{"Entwürfe": f})
	}
	count := catalog.SourceCount{Source: source, Folder: "Entwürfe", Day: "2026-01-02", Came: 3, Held: 3, Rest: 1}
	for _, day := range []string{"2026-01-02", "2026-01-03"} {
		count.Day, count.Came = day, count.Came+1
		must(t, e.SetSourceCount(ctx, tenant, count))
		count.Held++
		must(t, e.SetSourceCount(ctx, tenant, count))
		same(t, "last count", *got(e.LastSourceCount(ctx, tenant, source, "Entwürfe"))(t), count)
	}
	mustBe(t, "never counted", second(e.LastSourceCount(ctx, tenant, source, "x")), catalog.ErrNotFound)
	same(t, "counts", got(e.SourceCounts(ctx, tenant, "2026-01-03", "2026-01-03"))(t), []catalog.SourceCount{count})
	if n := len(got(e.SourceCounts(ctx, tenant, "", ""))(t)); n != 2 {
		t.Errorf("%d counts, want 2", n)
	}
	mustBe(t, "count across the wall", e.SetSourceCount(ctx, other, count), catalog.ErrNotFound)
	mustBe(t, "count of no day", e.SetSourceCount(ctx, tenant, catalog.SourceCount{Source: source, Folder: "x", Day: "today"}), catalog.ErrInvalid)
	mustBe(t, "items across the wall", e.SettleItems(ctx, other, source, "x", list[5:6], nil), catalog.ErrNotFound)
	mustBe(t, "folder across the wall", e.SetSourceFolder(ctx, other, source, catalog.SourceFolder{Folder: "x"}), catalog.ErrNotFound)
	if n := len(got(e.SourceItems(ctx, other, source, "INBOX;1"))(t)) + len(got(e.SourceFolders(ctx, other, source))(t)); n != 0 {
		t.Errorf("%d items across the wall", n)
	}
}

// testEditedSources: a source, its settings and the events of it are stored as a whole.
func testEditedSources(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	s := &catalog.Source{ID: uid.New(at(0)), Tenant: tenant, Kind: "mailbox", Name: "Box", CreatedAt: at(0)}
	must(t, e.EditSource(ctx, &catalog.SourceEdit{Source: s, New: true, Settings: []byte(`{"host":"a"}`), Secret: []byte("sealed"), Events: events(0, 1)}))
	again := *s
	again.ID = uid.New(at(1))
	mustBe(t, "name in use", e.EditSource(ctx, &catalog.SourceEdit{Source: &again, New: true, Settings: []byte("{}"), Events: events(1, 1)}), catalog.ErrTaken)
	s.Name, s.Disabled = "Other", true
	must(t, e.EditSource(ctx, &catalog.SourceEdit{Source: s, Settings: []byte(`{"host":"b"}`), KeepSecret: true, Events: events(1, 1)}))
	same(t, "changed", got(e.Source(ctx, tenant, s.ID))(t), s)
	same(t, "settings", got(e.SourceSetting(ctx, tenant, s.ID))(t), &catalog.SourceSetting{Source: s.ID, Tenant: tenant, Settings: []byte(`{"host":"b"}`), Secret: []byte("sealed")})
	bad := []*catalog.Event{{At: at(0), Actor: "nobody at all", Action: "x"}}
	lost := *s
	lost.Name = "Lost"
	if err := e.EditSource(ctx, &catalog.SourceEdit{Source: &lost, Settings: []byte(`{"host":"c"}`), Events: bad}); err == nil {
		t.Error("an event that cannot be written was taken")
	}
	same(t, "not changed without its event", got(e.Source(ctx, tenant, s.ID))(t), s)
	lost = *s
	lost.Tenant = other
	mustBe(t, "across the wall", e.EditSource(ctx, &catalog.SourceEdit{Source: &lost, Settings: []byte("{}"), Events: events(0, 1)}), catalog.ErrNotFound)
	same(t, "settings that stayed", string(got(e.SourceSetting(ctx, tenant, s.ID))(t).Settings), `{"host":"b"}`)
	same(t, "events", got(e.EventHead(ctx, tenant))(t).Size, 2)
	mustBe(t, "no name", e.EditSource(ctx, &catalog.SourceEdit{Source: &catalog.Source{ID: s.ID, Tenant: tenant, Kind: "x"}}), catalog.ErrInvalid)
}

// testRenewedSecrets: settings leave the secret alone, and a secret gives way only to
// what was renewed from it.
func testRenewedSecrets(t *testing.T, e *env, tenant, other, source uid.ID) {
	ctx := t.Context()
	old := []byte("\x00\xffsealed")
	must(t, e.ChangeSourceSettings(ctx, tenant, source, []byte(`{"host":"later"}`)))
	same(t, "changed settings", got(e.SourceSetting(ctx, tenant, source))(t),
		&catalog.SourceSetting{Source: source, Tenant: tenant, Settings: []byte(`{"host":"later"}`), Secret: old})
	same(t, "swap of another secret", got(e.SwapSourceSecret(ctx, tenant, source, []byte("another"), []byte("new")))(t), false)
	same(t, "swap", got(e.SwapSourceSecret(ctx, tenant, source, old, []byte("new")))(t), true)
	same(t, "renewed secret", got(e.SourceSetting(ctx, tenant, source))(t),
		&catalog.SourceSetting{Source: source, Tenant: tenant, Settings: []byte(`{"host":"later"}`), Secret: []byte("new")})
	mustBe(t, "change settings across the wall", e.ChangeSourceSettings(ctx, other, source, []byte("{}")), catalog.ErrNotFound)
	mustBe(t, "swap across the wall", second(e.SwapSourceSecret(ctx, other, source, []byte("new"), []byte("x"))), catalog.ErrNotFound)
	n := got(e.EventHead(ctx, tenant))(t).Size
	same(t, "nothing swapped, no event", got(e.SwapSourceSecret(ctx, tenant, source, old, []byte("x"), events(0, 1)...))(t), false)
	same(t, "events", got(e.EventHead(ctx, tenant))(t).Size, n)
	bare := e.source(t, tenant, "bare").ID
	must(t, e.ChangeSourceSettings(ctx, tenant, bare, []byte(`{"host":"one"}`)))
	same(t, "first settings", got(e.SourceSetting(ctx, tenant, bare))(t), &catalog.SourceSetting{Source: bare, Tenant: tenant, Settings: []byte(`{"host":"one"}`)})
}
