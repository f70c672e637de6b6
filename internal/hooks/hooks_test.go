package hooks

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/webhook"
)

// Each owner is told of its own, once, signed, and without a word of a mail.
func TestWhoIsTold(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		r := newRig(t, dsn)
		_, secret := r.hook(t, operator(), "/operator")
		r.hook(t, r.seller(), "/reseller")
		stranger := access.Actor{User: uid.ID{4}, Role: access.RoleReseller, Reseller: uid.ID{9}}
		r.hook(t, stranger, "/stranger")
		r.provision(t)
		r.hook(t, r.admin(), "/tenant")
		other, _ := r.Tenant(t, "other")
		r.state(t, catalog.TenantSuspended)
		r.state(t, catalog.TenantActive)
		if err := r.CountUsage(t.Context()); err != nil { // the reseller has as many customers as it may
			t.Fatal(err)
		}
		for range 2 { // nothing is told twice
			r.hooks.Round(t.Context())
		}
		all := r.take("/operator")
		for path, want := range map[string][]string{
			"/reseller": {"limit.reached", "tenant.created", "tenant.resumed", "tenant.suspended"},
			"/tenant":   {"tenant.resumed", "tenant.suspended"}, // it was made after its tenant
			"/stranger": nil,
		} {
			if have := kinds(r.take(path)); !slices.Equal(have, want) {
				t.Errorf("%s is told of %v, want %v", path, have, want)
			}
		}
		if have, want := kinds(all), []string{"limit.reached", "tenant.created", "tenant.created", "tenant.resumed", "tenant.suspended"}; !slices.Equal(have, want) {
			t.Errorf("the operator is told of %v, want %v", have, want)
		}
		made := map[string]bool{}
		for _, g := range all {
			if err := webhook.Verify(secret, g.id, g.header.Get("webhook-timestamp"), g.header.Get("webhook-signature"), g.body, r.now()); err != nil {
				t.Error(err)
			}
			if g.Type == webhook.TenantCreated {
				made[g.Data.Tenant] = true
			}
			if g.Type == webhook.LimitReached && (g.Data.Reseller != r.reseller.String() || g.Data.Limit != "customers" || g.Data.Used != 1 || g.Data.Of != 1) {
				t.Errorf("limit: %s", g.body)
			}
		}
		if !made[r.tenant.String()] || !made[other.ID.String()] {
			t.Errorf("tenants that were told of: %v", made)
		}
	})
}

// A receiver that is down gets the same again, under the same id, with growing pauses;
// in the end it is given up, and the webhook is switched off.
func TestRetry(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		r := newRig(t, dsn)
		r.provision(t)
		v, _ := r.hook(t, r.admin(), "/down")
		own, _ := r.hook(t, operator(), "/operator")
		h := r.As(r.admin())
		r.answer(http.StatusInternalServerError)
		r.state(t, catalog.TenantSuspended)
		r.hooks.Round(t.Context())
		r.hooks.Round(t.Context()) // it is not time yet
		first := r.take("/down")
		if len(first) != 1 {
			t.Fatalf("%d attempts at once", len(first))
		}
		r.forward(10 * time.Second)
		r.hooks.Round(t.Context())
		again := r.take("/down")
		if len(again) != 1 || again[0].id != first[0].id || string(again[0].body) != string(first[0].body) || again[0].header.Get("webhook-timestamp") == first[0].header.Get("webhook-timestamp") {
			t.Errorf("the second attempt: %+v", again)
		}
		tries := 2
		for ; tries < 50; tries++ {
			list, err := h.WebhookDeliveries(t.Context(), v.ID)
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			if list[0].State == catalog.OutgoingFailed {
				break
			}
			r.forward(list[0].NextAt.Sub(r.now()))
			r.hooks.Round(t.Context())
		}
		if tries != 14 {
			t.Errorf("given up after %d attempts", tries)
		}
		if w, err := h.Webhook(t.Context(), v.ID); err != nil || w.Off || w.State.Failing.IsZero() {
			t.Errorf("after three days: %+v, %v", w, err)
		}
		// Somebody has it sent again, in vain, and what comes later fails as well.
		r.take("/operator")
		r.forward(archive.WebhookPatience)
		r.state(t, catalog.TenantActive)
		r.hooks.Round(t.Context())
		for range 5 {
			r.forward(12 * time.Hour)
			r.hooks.Round(t.Context())
		}
		w, err := h.Webhook(t.Context(), v.ID)
		if err != nil || !w.Off || w.OffBy != "failing" {
			t.Fatalf("after days: %+v, %v", w, err)
		}
		if n := len(r.take("/down")); n < 5 {
			t.Errorf("switched off after %d attempts", n)
		}
		r.hooks.Round(t.Context())
		list, err := h.WebhookDeliveries(t.Context(), v.ID)
		if err != nil || len(list) != 2 || list[0].State != catalog.OutgoingFailed || archive.ParseDeliveryResult(list[0].Result).Problem != webhook.CodeOff {
			t.Errorf("what waited: %+v, %v", list[0], err)
		}
		if err := h.SendAgain(t.Context(), v.ID, list[1].ID); err == nil {
			t.Error("sent again by a webhook that is off")
		}
		// Switched on, it gets what is sent again, and what happens from now on.
		r.answer(http.StatusOK)
		if err := h.ChangeWebhook(t.Context(), v.ID, archive.WebhookChange{Off: new(bool)}); err != nil {
			t.Fatal(err)
		}
		if err := h.SendAgain(t.Context(), v.ID, list[1].ID); err != nil {
			t.Fatal(err)
		}
		r.hooks.Round(t.Context())
		if have := r.take("/down"); len(have) != 1 || have[0].id != first[0].id {
			t.Errorf("sent again: %+v", have)
		}
		if w, err := h.Webhook(t.Context(), v.ID); err != nil || w.Off || !w.State.Failing.IsZero() || w.State.OKAt.IsZero() || w.Waiting != 0 {
			t.Errorf("in the end: %+v, %v", w, err)
		}
		if err := r.As(operator()).DeleteWebhook(t.Context(), own.ID); err != nil {
			t.Error(err)
		}
	})
}

// What was sent and not marked when the program ended is sent again under the same id.
func TestCrash(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		r := newRig(t, dsn)
		r.provision(t)
		r.hook(t, r.admin(), "/tenant")
		r.state(t, catalog.TenantEnded)
		if told, err := r.TellWebhooks(t.Context()); !told || err != nil {
			t.Fatal(told, err)
		}
		d, m, err := r.ClaimDelivery(t.Context(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if res := r.hooks.Try(t.Context(), *m); !res.OK {
			t.Fatal(res.Problem)
		}
		r.hooks.Round(t.Context()) // it is claimed
		if n := len(r.take("/tenant")); n != 1 {
			t.Fatalf("%d messages", n)
		}
		r.forward(2 * time.Minute)
		r.hooks.Round(t.Context())
		if again := r.take("/tenant"); len(again) != 1 || again[0].id != d.ID.String() {
			t.Errorf("after the crash: %+v", again)
		}
	})
}

// One that hangs keeps nothing from the others; 410 switches off at once.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.provision(t)
	hang := make(chan struct{})
	slow := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		select {
		case <-hang:
		case <-q.Context().Done():
		}
	}))
	defer slow.Close()
	h := r.As(r.admin())
	if _, _, err := h.CreateWebhook(t.Context(), archive.WebhookDraft{URL: slow.URL, Kinds: []string{"tenant.suspended"}}); err != nil {
		t.Fatal(err)
	}
	v, _ := r.hook(t, r.admin(), "/quick")
	r.answer(http.StatusGone)
	r.state(t, catalog.TenantSuspended)
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { defer close(done); r.hooks.Round(ctx) }()
	for range 3000 { // while the other one hangs
		w, err := h.Webhook(t.Context(), v.ID)
		if err != nil {
			t.Fatal(err)
		}
		if w.Off && w.OffBy == "gone" {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	close(hang)
	<-done
}

// With two secrets both sign, until the time of the old one is over.
func TestRotation(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.provision(t)
	v, old := r.hook(t, r.admin(), "/tenant")
	h := r.As(r.admin())
	fresh, until, err := h.NewWebhookSecret(t.Context(), v.ID)
	if err != nil || fresh == old || !until.After(r.now()) {
		t.Fatal(until, err)
	}
	check := func(secret string, good bool) {
		t.Helper()
		m, err := h.WebhookTrial(t.Context(), v.ID)
		if err != nil {
			t.Fatal(err)
		}
		if res := r.hooks.Try(t.Context(), *m); !res.OK {
			t.Fatal(res.Problem)
		}
		g := r.take("/tenant")[0]
		err = webhook.Verify(secret, g.id, g.header.Get("webhook-timestamp"), g.header.Get("webhook-signature"), g.body, r.now())
		if (err == nil) != good || g.Type != webhook.Test {
			t.Errorf("%s: %v", g.body, err)
		}
	}
	check(fresh, true)
	check(old, true)
	r.forward(25 * time.Hour)
	check(fresh, true)
	check(old, false)
}

// A receipt comes with its webhook; trouble is told when it begins and when it ends.
func TestReceiptsAndTroubles(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.provision(t)
	r.hook(t, r.admin(), "/tenant")
	owners, err := r.LogOwners(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.forward(48 * time.Hour)
	for i := range owners {
		if _, err := r.MakeReceipt(t.Context(), &owners[i]); err != nil {
			t.Fatal(err)
		}
	}
	src, err := r.ImportSource(t.Context(), r.tenant, "Dateien", "")
	if err != nil {
		t.Fatal(err)
	}
	set := func(state string) {
		t.Helper()
		if err := r.SetSourceState(t.Context(), r.tenant, src.ID, []byte(state)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := r.WatchTroubles(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	set(`{"problem":{"code":"auth","text":"geheim"}}`) // only just
	r.forward(time.Hour)
	set(`{"problem":{"code":"auth","text":"geheim"}}`)
	set(`{}`)
	r.hooks.Round(t.Context())
	list := r.take("/tenant")
	if have, want := kinds(list), []string{"log.receipt", "source.failing", "source.recovered"}; !slices.Equal(have, want) {
		t.Errorf("told of %v, want %v", have, want)
	}
	for _, g := range list {
		switch {
		case strings.Contains(string(g.body), "geheim"):
			t.Errorf("%s", g.body)
		case g.Type == webhook.SourceFailing && (g.Data.Source != src.ID.String() || g.Data.Problem != "auth"):
			t.Errorf("%s", g.body)
		case g.Type == webhook.LogReceipt && (g.Data.Day == "" || len(g.Data.Receipt) < 100):
			t.Errorf("%s", g.body)
		}
	}
}
