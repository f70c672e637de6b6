package catalogtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
)

// testCancelled calls every method that takes a tenant, and others, with a
// context that has ended.
func testCancelled(t *testing.T, e *env) {
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	of := theirs{batch: e.commit(t, tenant, batch("first", 3)), user: e.user(t, tenant, "anna"), source: e.source(t, tenant, "files")}
	must(t, e.CreateSession(t.Context(), &catalog.Session{TokenHash: [32]byte{1}, User: of.user.ID, Tenant: tenant, ExpiresAt: at(9)}))
	must(t, e.SetSmarthost(t.Context(), &catalog.Smarthost{Tenant: tenant, Settings: []byte("{}")}))
	mail := outgoing("key", 0)
	mail.Tenant = tenant
	must(t, e.Enqueue(t.Context(), mail, []byte("body")))
	must(t, e.SetSelection(t.Context(), &catalog.Selection{Tenant: tenant, ChangedAt: at(0)}, events(0, 1)[0]))
	of.access, of.hold = e.access(t, tenant, of.user.ID), holdOf(tenant, 1)
	e.withDirectory(t, &of)
	e.withWebhook(t, &of)
	before := snapshot(t, e, tenant)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, a := range allAttempts() {
		_, err := a.call(ended, e, other, of)
		mustBe(t, name, err, context.Canceled)
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	mustBe(t, "Commit", e.Commit(late, tenant, batch("second", 1)), context.DeadlineExceeded)
	mustBe(t, "CreateUser", e.CreateUser(ended, &catalog.User{ID: of.batch.Messages[0].AOID, Tenant: tenant, Login: "x"}), context.Canceled)
	mustBe(t, "Check", e.Check(ended, func(err error) { t.Errorf("a cancelled check finds %v", err) }), context.Canceled)
	mustBe(t, "Ping", e.Ping(ended), context.Canceled)
	same(t, "afterwards", snapshot(t, e, tenant), before)
}

// testCancelledMidway ends the context of a large commit at many moments:
// then it is either all there or not at all, and the answer says which.
func testCancelledMidway(t *testing.T, e *env) {
	tenant := e.tenant(t, "a")
	const n = 300
	var committed int64
	aborted := 0
	for i := 0; i < 40; i++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
		err := e.Commit(ctx, tenant, batch(string(rune('A'+i)), n))
		cancel()
		switch {
		case err == nil:
			committed += n
		case errors.Is(err, context.DeadlineExceeded):
			aborted++
		default:
			t.Errorf("commit that ran out of time: %v", err)
		}
		if head := got(e.Head(t.Context(), tenant))(t); head != committed {
			t.Fatalf("the last number is %d, acknowledged were %d", head, committed)
		}
	}
	if aborted == 0 {
		t.Error("no commit ran out of time")
	}
	e.commit(t, tenant, batch("last", n))
	if c := e.counts(t, tenant); c.Messages != int(committed)+n || c.Events != committed+n || c.Captures != c.Messages || c.Parts != c.Messages {
		t.Errorf("%d were acknowledged: %+v", committed+n, c)
	}
}
