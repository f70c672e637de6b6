package catalogtest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// lease is how long a claim of mail lasts here.
const lease = 10 * time.Minute

func instanceEvent(action string) *catalog.Event {
	return &catalog.Event{At: at(0), Actor: "cli", Action: action, Details: map[string]string{"host": "mail.example"}}
}

func outgoing(key string, minute int) *catalog.Outgoing {
	return &catalog.Outgoing{ID: uid.New(at(minute)), Kind: "test", Key: key, Sender: "archive@example.com", Size: 5, State: catalog.OutgoingWaiting,
		Recipients: []catalog.OutgoingRecipient{{Address: "anna@example.com", State: catalog.OutgoingWaiting}, {Address: "b@example.com", State: catalog.OutgoingWaiting}},
		NextAt:     at(minute), CreatedAt: at(minute)}
}

func testSmarthost(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	none := uid.ID{}
	mustBe(t, "nothing set", second(e.Smarthost(ctx, none)), catalog.ErrNotFound)
	mustBe(t, "delete nothing", e.DeleteSmarthost(ctx, none, instanceEvent("smarthost.removed")), catalog.ErrNotFound)
	for _, s := range []*catalog.Smarthost{
		{Settings: []byte(`{"host":"one"}`)},
		{Settings: []byte(`{"host":"two"}`), Secret: []byte("\x00\xffsealed")},
	} {
		must(t, e.SetSmarthost(ctx, s, instanceEvent("smarthost.changed")))
		same(t, "settings", got(e.Smarthost(ctx, none))(t), s)
	}
	own := &catalog.Smarthost{Tenant: tenant, Settings: []byte(`{"host":"own"}`)}
	must(t, e.SetSmarthost(ctx, own, instanceEvent("smarthost.changed")))
	same(t, "settings of a tenant", got(e.Smarthost(ctx, tenant))(t), own)
	must(t, e.DeleteSmarthost(ctx, none, instanceEvent("smarthost.removed")))
	mustBe(t, "removed", second(e.Smarthost(ctx, none)), catalog.ErrNotFound)
	// The log of the installation, and that of the tenant beside it.
	list := got(e.Events(ctx, none, 0, 10))(t)
	if len(list) != 3 || list[2].Seq != 2 || list[2].Action != "smarthost.removed" || list[1].Details["host"] != "mail.example" {
		t.Errorf("log of the installation: %+v", list)
	}
	if list := got(e.Events(ctx, tenant, 0, 10))(t); len(list) != 1 {
		t.Errorf("log of the tenant: %+v", list)
	}
	// The installation is no tenant.
	if list := got(e.Tenants(ctx))(t); len(list) != 1 || list[0].ID != tenant {
		t.Errorf("tenants: %+v", list)
	}
	mustBe(t, "the installation as a tenant", second(e.Tenant(ctx, none)), catalog.ErrNotFound)
	mustBe(t, "the installation by slug", second(e.TenantBySlug(ctx, ".instance")), catalog.ErrNotFound)
}

func testInstanceLogTogether(t *testing.T, e *env) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := e.AppendEvents(t.Context(), uid.ID{}, []*catalog.Event{instanceEvent("operator.created")}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(got(e.Events(t.Context(), uid.ID{}, 0, 100))(t)); n != 8 {
		t.Errorf("%d events, want 8", n)
	}
}

func testOutbox(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	mustBe(t, "nothing is due", third(e.ClaimOutgoing(ctx, at(0), lease)), catalog.ErrNotFound)
	first, later := outgoing("one", 0), outgoing("", 5)
	must(t, e.Enqueue(ctx, first, []byte("first")))
	must(t, e.Enqueue(ctx, later, []byte("later")))
	mustBe(t, "the same again", e.Enqueue(ctx, outgoing("one", 1), []byte("again")), catalog.ErrTaken)
	must(t, e.Enqueue(ctx, outgoing("", 9), []byte("no key")))
	ofTenant := outgoing("one", 30)
	ofTenant.Tenant = tenant
	must(t, e.Enqueue(ctx, ofTenant, []byte("other")))
	mustBe(t, "no recipient", e.Enqueue(ctx, &catalog.Outgoing{ID: uid.New(at(0))}, nil), catalog.ErrInvalid)
	same(t, "by key", got(e.OutgoingByKey(ctx, uid.ID{}, "one"))(t), first)
	same(t, "by id", got(e.Outgoing(ctx, later.ID))(t), later)
	if list := got(e.Outbox(ctx, 3))(t); len(list) != 3 || list[0].ID != ofTenant.ID {
		t.Errorf("outbox: %+v", list)
	}

	m, body, err := e.ClaimOutgoing(ctx, at(6), lease)
	must(t, err)
	if m.ID != first.ID || string(body) != "first" || m.Attempts != 1 || !m.TriedAt.Equal(at(6)) || !m.ClaimedUntil.Equal(at(16)) {
		t.Errorf("claimed %+v with %q", m, body)
	}
	next, _, err := e.ClaimOutgoing(ctx, at(6), lease)
	must(t, err)
	same(t, "the next that is due", next.ID, later.ID)
	mustBe(t, "both are claimed", third(e.ClaimOutgoing(ctx, at(6), lease)), catalog.ErrNotFound)
	must(t, e.HurryOutbox(ctx, at(7))) // frees no claim
	again, _, err := e.ClaimOutgoing(ctx, at(16), lease)
	must(t, err)
	if again.ID != first.ID || again.Attempts != 2 {
		t.Errorf("after the lease: %+v", again)
	}

	m.State, m.Problem = catalog.OutgoingFailed, []byte(`{"code":"connect"}`)
	mustBe(t, "settled by the slower one", e.SettleOutgoing(ctx, m), catalog.ErrNotFound)
	again.NextAt, again.Problem = at(60), []byte(`{"code":"connect"}`)
	again.Recipients[0] = catalog.OutgoingRecipient{Address: "anna@example.com", State: catalog.OutgoingSent, Answer: "250 ok"}
	must(t, e.SettleOutgoing(ctx, again))
	again.ClaimedUntil = time.Time{}
	same(t, "settled", got(e.Outgoing(ctx, first.ID))(t), again)
	must(t, e.HurryOutbox(ctx, at(20)))
	m, body, err = e.ClaimOutgoing(ctx, at(20), lease)
	for err == nil && m.ID != first.ID {
		m, body, err = e.ClaimOutgoing(ctx, at(20), lease)
	}
	must(t, err)
	if string(body) != "first" || m.Attempts != 3 {
		t.Errorf("hurried: %+v with %q", m, body)
	}
	m.State, m.EndedAt, m.Problem = catalog.OutgoingSent, at(21), nil
	must(t, e.SettleOutgoing(ctx, m))
	mustBe(t, "settled twice", e.SettleOutgoing(ctx, m), catalog.ErrNotFound)
	mustBe(t, "retry of what is sent", e.RetryOutgoing(ctx, m.ID, at(22), instanceEvent("outbox.retried")), catalog.ErrNotFound)
	same(t, "counts", got(e.OutboxCounts(ctx))(t), catalog.OutboxCounts{Waiting: 3, Sent: 1})
}

func testOutboxCare(t *testing.T, e *env) {
	ctx := t.Context()
	var failed []uid.ID
	for i := range 4 {
		m := outgoing("", i)
		must(t, e.Enqueue(ctx, m, []byte("body")))
		c, _, err := e.ClaimOutgoing(ctx, at(i), lease)
		must(t, err)
		c.State, c.EndedAt = catalog.OutgoingFailed, at(i)
		c.Recipients[1] = catalog.OutgoingRecipient{Address: "b@example.com", State: catalog.OutgoingFailed, Answer: "550 no"}
		must(t, e.SettleOutgoing(ctx, c))
		failed = append(failed, m.ID)
	}
	mustBe(t, "retry of none", e.RetryOutgoing(ctx, uid.New(at(0)), at(9), instanceEvent("outbox.retried")), catalog.ErrNotFound)
	must(t, e.RetryOutgoing(ctx, failed[3], at(9), instanceEvent("outbox.retried")))
	m, body, err := e.ClaimOutgoing(ctx, at(9), lease)
	must(t, err)
	if m.ID != failed[3] || string(body) != "body" || m.Attempts != 1 || m.Recipients[1].State != catalog.OutgoingWaiting {
		t.Errorf("after retry: %+v with %q", m, body)
	}
	if n := got(e.TidyOutbox(ctx, at(1), 1))(t); n != 2 { // the first is old, the second one too many
		t.Errorf("tidy forgets %d, want 2", n)
	}
	mustBe(t, "tidied", second(e.Outgoing(ctx, failed[0])), catalog.ErrNotFound)
	must(t, second(e.Outgoing(ctx, failed[2])))
	must(t, e.DropOutgoing(ctx, failed[3], instanceEvent("outbox.dropped")))
	mustBe(t, "dropped twice", e.DropOutgoing(ctx, failed[3], instanceEvent("outbox.dropped")), catalog.ErrNotFound)
	m.State = catalog.OutgoingSent
	mustBe(t, "settled after it was dropped", e.SettleOutgoing(ctx, m), catalog.ErrNotFound)
	if list := got(e.Events(ctx, uid.ID{}, 0, 10))(t); len(list) != 2 {
		t.Errorf("log: %+v", list)
	}
}

// testOutboxTogether has many take mail at the same moment: each mail goes to one.
func testOutboxTogether(t *testing.T, e *env) {
	ctx := t.Context()
	const n = 40
	for i := range n {
		must(t, e.Enqueue(ctx, outgoing(fmt.Sprint(i), 0), []byte("x")))
	}
	var mu sync.Mutex
	seen := map[uid.ID]int{}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range n {
				m, _, err := e.ClaimOutgoing(ctx, at(1), lease)
				if errors.Is(err, catalog.ErrNotFound) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				seen[m.ID]++
				mu.Unlock()
				m.State = catalog.OutgoingSent
				if err := e.SettleOutgoing(ctx, m); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for id, times := range seen {
		if times != 1 {
			t.Errorf("mail %s was claimed %d times", id, times)
		}
	}
	if len(seen) != n {
		t.Errorf("%d mails were claimed, want %d", len(seen), n)
	}
}

func testOutboxFull(t *testing.T, e *env) {
	m := outgoing("", 0)
	m.Size = 256 << 20
	must(t, e.Enqueue(t.Context(), m, []byte("x")))
	mustBe(t, "one more", e.Enqueue(t.Context(), outgoing("", 1), []byte("x")), catalog.ErrOutboxFull)
}

// testOutboxDamaged has damaged rows among sound ones: the others still leave.
func testOutboxDamaged(t *testing.T, e *env) {
	ctx := t.Context()
	bad, noBody, good := outgoing("", 0), outgoing("", 1), outgoing("", 2)
	for _, m := range []*catalog.Outgoing{bad, noBody, good} {
		must(t, e.Enqueue(ctx, m, []byte("body")))
	}
	e.exec(t, 1, "UPDATE outbox SET sender = 'other@example.com' WHERE id = $1", bad.ID[:])
	e.exec(t, 1, "UPDATE outbox_body SET body = $2 WHERE outbox = $1", noBody.ID[:], []byte("bodx"))
	m, _, err := e.ClaimOutgoing(ctx, at(9), lease)
	isDamaged(t, "bytes", err)
	if m == nil || m.ID != noBody.ID {
		t.Errorf("claimed %+v", m)
	}
	m, _, err = e.ClaimOutgoing(ctx, at(9), lease)
	must(t, err)
	same(t, "claimed beside damage", m.ID, good.ID)
	list, err := e.Outbox(ctx, 10)
	isDamaged(t, "outbox", err)
	if len(list) != 2 {
		t.Errorf("%d mails beside a damaged one, want 2", len(list))
	}
	must(t, e.HurryOutbox(ctx, at(1)))
	isDamaged(t, "retry", e.RetryOutgoing(ctx, bad.ID, at(9)))
	must(t, e.DropOutgoing(ctx, bad.ID)) // the way to get rid of it
}

func third[A, B any](_ A, _ B, err error) error { return err }
