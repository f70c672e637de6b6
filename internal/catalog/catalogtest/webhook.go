package catalogtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func webhookOf(tenant, reseller uid.ID) *catalog.Webhook {
	return &catalog.Webhook{ID: uid.New(at(1)), Tenant: tenant, Reseller: reseller, Secret: []byte{1, 2}, CreatedAt: at(1),
		WebhookSettings: catalog.WebhookSettings{URL: "https://shop.example/hook", Kinds: []string{"tenant.ended"}}}
}

func deliveryOf(w *catalog.Webhook, log uid.ID, seq int64) *catalog.Delivery {
	return &catalog.Delivery{ID: uid.New(at(2)), Webhook: w.ID, Tenant: w.Tenant, Log: log, Seq: seq, Kind: "tenant.ended", Body: `{"type":"tenant.ended"}`,
		State: catalog.OutgoingWaiting, NextAt: at(2), CreatedAt: at(2)}
}

func testWebhooks(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	reseller := uid.New(at(0))
	mine, theirs, ours := webhookOf(tenant, uid.ID{}), webhookOf(uid.ID{}, reseller), webhookOf(uid.ID{}, uid.ID{})
	for _, w := range []*catalog.Webhook{mine, theirs, ours} {
		must(t, e.CreateWebhook(ctx, w, instanceEvent("webhook.created")))
		same(t, "webhook", got(e.Webhook(ctx, w.Tenant, w.ID))(t), w)
		same(t, "webhooks of the owner", got(e.WebhooksOf(ctx, w.Tenant, w.Reseller))(t), []*catalog.Webhook{w})
	}
	if list := got(e.Webhooks(ctx))(t); len(list) != 3 {
		t.Errorf("%d webhooks, want 3", len(list))
	}
	mustBe(t, "of another tenant", second(e.Webhook(ctx, other, mine.ID)), catalog.ErrNotFound)
	change := func(w *catalog.Webhook) ([]*catalog.Event, error) {
		w.ID, w.Tenant, w.Off, w.OffBy, w.NextAt, w.State.Failing = uid.ID{}, other, true, "failing", at(7), at(6)
		return []*catalog.Event{instanceEvent("webhook.changed")}, nil
	}
	must(t, e.ChangeWebhook(ctx, tenant, mine.ID, change))
	mine.Off, mine.OffBy, mine.NextAt, mine.State.Failing = true, "failing", at(7), at(6)
	same(t, "changed", got(e.Webhook(ctx, tenant, mine.ID))(t), mine)
	mustBe(t, "change another tenant's", e.ChangeWebhook(ctx, other, mine.ID, change), catalog.ErrNotFound)
	refused := errors.New("refused")
	mustBe(t, "change that is refused", e.ChangeWebhook(ctx, tenant, mine.ID, func(*catalog.Webhook) ([]*catalog.Event, error) { return nil, refused }), refused)
	mustBe(t, "delete another tenant's", e.DeleteWebhook(ctx, other, mine.ID, instanceEvent("webhook.removed")), catalog.ErrNotFound)
	must(t, e.QueueDeliveries(ctx, tenant, 0, 3, []*catalog.Delivery{deliveryOf(mine, tenant, 0)}))
	must(t, e.DeleteWebhook(ctx, tenant, mine.ID, instanceEvent("webhook.removed")))
	if list := got(e.Deliveries(ctx, tenant, mine.ID, 9))(t); len(list) != 0 {
		t.Errorf("%d deliveries of a removed webhook", len(list))
	}
	if n := got(e.LogSizes(ctx))(t); n[tenant] != 3 || n[uid.ID{}] != 2 {
		t.Errorf("sizes of the logs: %v", n)
	}
	list := got(e.EventsNamed(ctx, tenant, 1, 3, at(0), []string{"webhook.changed", "other"}, 9))(t)
	if len(list) != 1 || list[0].Seq != 1 {
		t.Errorf("events by name: %v", list)
	}
	if list := got(e.EventsNamed(ctx, tenant, 0, 3, at(1000), []string{"webhook.changed"}, 9))(t); len(list) != 0 {
		t.Errorf("events by name after a time: %v", list)
	}
}

func testDeliveries(t *testing.T, e *env) {
	ctx := t.Context()
	w, quick := webhookOf(uid.ID{}, uid.ID{}), webhookOf(uid.ID{}, uid.ID{})
	must(t, e.CreateWebhook(ctx, w, instanceEvent("webhook.created")))
	must(t, e.CreateWebhook(ctx, quick, instanceEvent("webhook.created")))
	first, next, third := deliveryOf(w, uid.ID{}, 1), deliveryOf(w, uid.ID{}, 2), deliveryOf(quick, uid.ID{}, 1)
	next.NextAt, third.NextAt = at(3), at(4)
	must(t, e.QueueDeliveries(ctx, uid.ID{}, 0, 5, []*catalog.Delivery{first, next, third}))
	mustBe(t, "queue the same again", e.QueueDeliveries(ctx, uid.ID{}, 0, 5, []*catalog.Delivery{deliveryOf(w, uid.ID{}, 1)}), catalog.ErrTaken)
	mustBe(t, "the same event twice", e.QueueDeliveries(ctx, uid.ID{}, 5, 6, []*catalog.Delivery{deliveryOf(w, uid.ID{}, 1)}), catalog.ErrTaken)
	same(t, "marks", got(e.WebhookMarks(ctx))(t), map[uid.ID]int64{{}: 5})
	if n := got(e.WaitingDeliveries(ctx))(t); n[w.ID] != 2 || n[quick.ID] != 1 {
		t.Errorf("waiting: %v", n)
	}
	claim := func(now time.Time, want *catalog.Delivery) *catalog.Delivery {
		t.Helper()
		d, err := e.ClaimDelivery(ctx, now, time.Minute)
		if want == nil {
			mustBe(t, "claim", err, catalog.ErrNotFound)
			return nil
		}
		must(t, err)
		if d.ID != want.ID || d.TriedAt != now {
			t.Fatalf("claimed %s at %s, want %s", d.ID, d.TriedAt, want.ID)
		}
		return d
	}
	claim(at(1), nil)
	d := claim(at(5), first)
	other := claim(at(5), third) // the webhook of the other one is busy
	claim(at(5), nil)
	other.State, other.EndedAt = catalog.OutgoingSent, at(99)
	must(t, e.SettleDelivery(ctx, other))
	d.State, d.NextAt, d.Result = catalog.OutgoingWaiting, at(9), []byte(`{"status":500}`)
	must(t, e.SettleDelivery(ctx, d))
	d.ClaimedUntil = time.Time{}
	must(t, e.ChangeWebhook(ctx, uid.ID{}, w.ID, func(w *catalog.Webhook) ([]*catalog.Event, error) { w.NextAt = at(7); return nil, nil }))
	claim(at(6), nil)
	n := claim(at(7), next)
	n.State, n.EndedAt = catalog.OutgoingSent, at(7)
	must(t, e.SettleDelivery(ctx, n))
	mustBe(t, "settle what is sent", e.SettleDelivery(ctx, n), catalog.ErrNotFound)
	// After a crash it is due again once the claim is over, under the same id.
	claim(at(9), d)
	claim(at(9), nil)
	again := claim(at(11), d)
	once := *again
	again.Attempts--
	mustBe(t, "settle another one's claim", e.SettleDelivery(ctx, again), catalog.ErrNotFound)
	once.State, once.EndedAt = catalog.OutgoingFailed, at(9)
	must(t, e.SettleDelivery(ctx, &once))
	list := got(e.Deliveries(ctx, uid.ID{}, w.ID, 9))(t)
	if len(list) != 2 {
		t.Errorf("%d deliveries", len(list))
	}
	mustBe(t, "retry under another webhook", e.RetryDelivery(ctx, uid.ID{}, quick.ID, first.ID, at(9), instanceEvent("webhook.sent-again")), catalog.ErrNotFound)
	must(t, e.TidyDeliveries(ctx, at(9), 1))
	if list := got(e.Deliveries(ctx, uid.ID{}, w.ID, 9))(t); len(list) != 1 || list[0].ID != first.ID {
		t.Errorf("after tidying: %v", list)
	}
	must(t, e.RetryDelivery(ctx, uid.ID{}, w.ID, first.ID, at(9), instanceEvent("webhook.sent-again")))
	must(t, e.TidyDeliveries(ctx, at(99), 0))
	if list := got(e.Deliveries(ctx, uid.ID{}, w.ID, 9))(t); len(list) != 1 || list[0].State != catalog.OutgoingWaiting || list[0].Attempts != 0 {
		t.Errorf("what waits was tidied away: %v", list)
	}
}

func testTroubles(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	one := &catalog.Trouble{Tenant: tenant, Kind: "source", Object: "x", Since: at(1)}
	ours := &catalog.Trouble{Kind: "sealing", Since: at(2)}
	must(t, e.BeginTrouble(ctx, one, events(0, 1)[0]))
	must(t, e.BeginTrouble(ctx, ours, instanceEvent("sealing.failing")))
	mustBe(t, "begin twice", e.BeginTrouble(ctx, one, events(0, 1)[0]), catalog.ErrTaken)
	same(t, "troubles", got(e.Troubles(ctx))(t), []*catalog.Trouble{ours, one})
	must(t, e.EndTrouble(ctx, one, events(0, 1)[0]))
	mustBe(t, "end twice", e.EndTrouble(ctx, one, events(0, 1)[0]), catalog.ErrNotFound)
	same(t, "troubles", got(e.Troubles(ctx))(t), []*catalog.Trouble{ours})
	if n := got(e.LogSizes(ctx))(t); n[tenant] != 2 {
		t.Errorf("what was refused is in the log: %v", n)
	}
}

// webhooks fills the tables of webhooks.
func (d *damaged) webhooks(t *testing.T) {
	t.Helper()
	d.webhook = webhookOf(d.tenant, uid.ID{})
	must(t, d.CreateWebhook(t.Context(), d.webhook, events(0, 1)[0]))
	must(t, d.QueueDeliveries(t.Context(), d.tenant, 0, 1, []*catalog.Delivery{deliveryOf(d.webhook, d.tenant, 0)}))
	must(t, d.BeginTrouble(t.Context(), &catalog.Trouble{Tenant: d.tenant, Kind: "source", Object: "x", Since: at(1)}, events(0, 1)[0]))
}

func (d *damaged) readWebhooks(ctx context.Context, table string) error {
	switch table {
	case "webhook":
		return second(d.Webhook(ctx, d.tenant, d.webhook.ID))
	case "webhook_delivery":
		return second(d.Deliveries(ctx, d.tenant, d.webhook.ID, 9))
	case "webhook_mark":
		return second(d.WebhookMarks(ctx))
	case "trouble":
		return second(d.Troubles(ctx))
	}
	return errors.New("no table " + table)
}
