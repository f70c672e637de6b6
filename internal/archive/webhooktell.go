package archive

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/webhook"
)

// What follows is for the door that tells webhooks. It acts for nobody.
//
// Webhooks are told of what is in the event logs: the logs are read on from where they
// were read last, and the deliveries of what was found are stored in the same
// transaction as the new place. So each event is queued once, whatever is interrupted.

const (
	webhookPage = 200 // events that are queued in one transaction
	// maxWaiting bounds what waits for one webhook; what is beyond is listed and not tried.
	maxWaiting = 1000
	// maxReceiptSent bounds a receipt that is sent along, in bytes.
	maxReceiptSent = 256 << 10
)

// ofTenantLog are the events of a tenant's log that webhooks can be told of.
func ofTenantLog() map[string]webhook.Kind {
	return map[string]webhook.Kind{
		"tenant.created": webhook.TenantCreated, "tenant.suspended": webhook.TenantSuspended, "tenant.resumed": webhook.TenantResumed, "tenant.ended": webhook.TenantEnded,
		"limit.near": webhook.LimitNear, "limit.reached": webhook.LimitReached, "source.failing": webhook.SourceFailing, "source.recovered": webhook.SourceRecovered,
		"quarantine.filled": webhook.QuarantineFilled, "log.receipt-made": webhook.LogReceipt, "webhook.switched-off": webhook.WebhookOff,
	}
}

// ofInstanceLog are those of the installation's.
func ofInstanceLog() map[string]webhook.Kind {
	return map[string]webhook.Kind{
		"tenant.deleted": webhook.TenantDeleted, "limit.near": webhook.LimitNear, "limit.reached": webhook.LimitReached,
		"sealing.failing": webhook.SealingFailing, "sealing.recovered": webhook.SealingRecovered, "log.receipt-made": webhook.LogReceipt, "webhook.switched-off": webhook.WebhookOff,
	}
}

// teller reads the logs for the webhooks that are on.
type teller struct {
	a       *Archive
	hooks   []*catalog.Webhook
	cares   map[uid.ID]*catalog.Care
	waiting map[uid.ID]int
	now     time.Time
}

// TellWebhooks queues what has happened since the last time, and reports whether
// anything was queued. While no webhook is on, nothing is read.
func (a *Archive) TellWebhooks(ctx context.Context) (bool, error) {
	t := &teller{a: a, now: a.now().UTC().Truncate(time.Millisecond)}
	list, err := a.catalog.Webhooks(ctx)
	if err := a.sound("webhooks", err); err != nil {
		return false, err
	}
	if t.hooks = slices.DeleteFunc(list, func(w *catalog.Webhook) bool { return w.Off }); len(t.hooks) == 0 {
		return false, nil
	}
	if t.cares, err = a.catalog.Cares(ctx); a.sound("care of tenants", err) != nil {
		return false, err
	}
	if t.waiting, err = a.catalog.WaitingDeliveries(ctx); err != nil {
		return false, err
	}
	sizes, err := a.catalog.LogSizes(ctx)
	if err != nil {
		return false, err
	}
	marks, err := a.catalog.WebhookMarks(ctx)
	if err := a.sound("marks of webhooks", err); err != nil {
		return false, err
	}
	var errs []error
	told := false
	for log, size := range sizes {
		for from := marks[log]; from < size && ctx.Err() == nil; {
			until, n, err := t.read(ctx, log, from, size)
			if told = told || n > 0; err != nil {
				errs = append(errs, fmt.Errorf("event log of tenant %s: %w", log, err))
				break
			}
			from = until
		}
	}
	return told, errors.Join(errs...)
}

// since is from when on some webhook is told.
func (t *teller) since() time.Time {
	return slices.MinFunc(t.hooks, func(x, y *catalog.Webhook) int { return x.State.OnSince.Compare(y.State.OnSince) }).State.OnSince
}

// read queues a page of a log and returns how far it is read.
func (t *teller) read(ctx context.Context, log uid.ID, from, size int64) (until int64, queued int, err error) {
	kinds := ofTenantLog()
	if log.IsZero() {
		kinds = ofInstanceLog()
	}
	actions := make([]string, 0, len(kinds))
	for action := range kinds {
		actions = append(actions, action)
	}
	slices.Sort(actions)
	events, err := t.a.catalog.EventsNamed(ctx, log, from, size, t.since(), actions, webhookPage)
	bad := len(rowErrors(err))
	if err := t.a.sound("events", err); err != nil {
		return from, 0, err
	}
	if until = size; len(events)+bad == webhookPage && len(events) > 0 {
		until = events[len(events)-1].Seq + 1
	}
	var list []*catalog.Delivery
	for _, e := range events {
		more, err := t.deliveries(ctx, log, e, kinds[e.Action])
		if err != nil {
			return from, 0, err
		}
		list = append(list, more...)
	}
	err = t.a.catalog.QueueDeliveries(ctx, log, from, until, list)
	if errors.Is(err, catalog.ErrTaken) { // another process was faster
		return size, 0, nil
	}
	return until, len(list), err
}

// deliveries makes those of one event.
func (t *teller) deliveries(ctx context.Context, log uid.ID, e *catalog.Event, kind webhook.Kind) ([]*catalog.Delivery, error) {
	p, reseller, err := t.payload(ctx, log, e, kind)
	if err != nil {
		return nil, err
	}
	var list []*catalog.Delivery
	for _, w := range t.hooks {
		if e.At.Before(w.State.OnSince) || !slices.Contains(w.Kinds, string(kind)) || !concerns(w, log, kind, reseller) {
			continue
		}
		own := *p
		if !w.Tenant.IsZero() {
			own.Data.Reseller = ""
		}
		body, err := own.Encode()
		if err != nil {
			return nil, err
		}
		d := &catalog.Delivery{ID: uid.New(t.now), Webhook: w.ID, Tenant: w.Tenant, Log: log, Seq: e.Seq, Kind: string(kind), Body: string(body),
			State: catalog.OutgoingWaiting, NextAt: t.now, CreatedAt: t.now}
		if t.waiting[w.ID]++; t.waiting[w.ID] > maxWaiting {
			d.State, d.EndedAt = catalog.OutgoingFailed, t.now
			if d.Result, err = encodeResult(webhook.Result{Problem: webhook.NewProblem(webhook.CodeBacklog)}); err != nil {
				return nil, err
			}
		}
		list = append(list, d)
	}
	return list, nil
}

// concerns reports whether a webhook may be told of an event of a log that is about a
// tenant of reseller, or about reseller itself.
func concerns(w *catalog.Webhook, log uid.ID, kind webhook.Kind, reseller uid.ID) bool {
	switch {
	case !w.Tenant.IsZero():
		return log == w.Tenant
	case !w.Reseller.IsZero():
		return reseller == w.Reseller
	case kind == webhook.LogReceipt || kind == webhook.WebhookOff: // each has its own
		return log.IsZero()
	}
	return true
}

// payload makes what is sent of an event, and tells whose reseller it is about.
func (t *teller) payload(ctx context.Context, log uid.ID, e *catalog.Event, kind webhook.Kind) (p *webhook.Payload, reseller uid.ID, err error) {
	p = &webhook.Payload{Type: kind, Timestamp: e.At, Data: webhook.Data{Event: e.Seq, Limit: e.Details["limit"], Problem: e.Details["problem"]}}
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(e.Details[name], 10, 64) // redacted: 0, which is left out
		return n
	}
	p.Data.Used, p.Data.Of, p.Data.Waiting = number("used"), number("of"), number("waiting")
	if !log.IsZero() {
		p.Data.Tenant = log.String()
		if k := t.cares[log]; k != nil {
			reseller = k.Reseller
		}
	}
	object, _ := uid.Parse(e.Object) // what is no id is not told
	switch kind {
	case webhook.TenantDeleted:
		p.Data.Tenant = object.String()
		d, err := t.a.catalog.Deletion(ctx, object)
		if err != nil && !errors.Is(err, catalog.ErrNotFound) {
			return nil, reseller, err
		}
		if err == nil {
			reseller = d.Reseller
		}
	case webhook.LimitNear, webhook.LimitReached:
		if log.IsZero() {
			reseller = object
		}
	case webhook.SourceFailing, webhook.SourceRecovered:
		p.Data.Source = object.String()
	case webhook.WebhookOff:
		p.Data.Webhook = object.String()
	case webhook.LogReceipt:
		p.Data.Day = e.Object
		r, err := t.a.catalog.Receipt(ctx, log, e.Object)
		if err != nil && !errors.Is(err, catalog.ErrNotFound) && len(rowErrors(err)) == 0 {
			return nil, reseller, err
		}
		if err == nil && len(r.Body) <= maxReceiptSent {
			p.Data.Receipt = json.RawMessage(r.Body)
		}
	}
	if !reseller.IsZero() {
		p.Data.Reseller = reseller.String()
	}
	return p, reseller, nil
}

// DeliveryResult is what is kept of an attempt.
type DeliveryResult struct {
	Status  int    `json:"status,omitempty"`
	Answer  string `json:"answer,omitempty"`
	Took    int64  `json:"took_ms,omitempty"`
	Problem string `json:"problem,omitempty"` // code
	Detail  string `json:"detail,omitempty"`
}

func encodeResult(r webhook.Result) ([]byte, error) {
	x := DeliveryResult{Status: r.Status, Answer: r.Answer, Took: r.Took.Milliseconds()}
	if r.Problem != nil {
		x.Problem, x.Detail = r.Problem.Code, r.Problem.Detail
	}
	return json.Marshal(x)
}

// ParseDeliveryResult reads what is kept of the last attempt of a delivery.
func ParseDeliveryResult(b []byte) (r DeliveryResult) {
	if len(b) > 0 && json.Unmarshal(b, &r) != nil {
		r = DeliveryResult{Problem: "internal"}
	}
	return r
}

// ClaimDelivery takes a delivery that is due, with the message that it is sent as; nil:
// it is not to be sent, for its webhook is off or gone, and has only to be settled.
// catalog.ErrNotFound if none is due.
func (a *Archive) ClaimDelivery(ctx context.Context, lease time.Duration) (*catalog.Delivery, *webhook.Message, error) {
	now := a.now().UTC().Truncate(time.Millisecond)
	d, err := a.catalog.ClaimDelivery(ctx, now, lease)
	if err != nil {
		return nil, nil, err
	}
	w, err := a.catalog.Webhook(ctx, d.Tenant, d.Webhook)
	if err != nil || w.Off {
		if errors.Is(err, catalog.ErrNotFound) {
			err = errNoWebhook
		}
		return d, nil, err
	}
	s, err := a.openWebhook(w)
	if err != nil {
		return d, nil, err
	}
	return d, &webhook.Message{URL: w.URL, Secrets: s.at(now), ID: d.ID.String(), Body: []byte(d.Body)}, nil
}

// Bounds of what fails.
const (
	// webhookRest is how long a receiver that took nothing is left alone at most before
	// something else is sent to it.
	webhookRest = 5 * time.Minute
	// WebhookPatience is how long nothing may be taken before a webhook is switched off.
	WebhookPatience = 5 * 24 * time.Hour
	patienceTries   = 5 // and so often the same must have been tried
)

// SettleDelivery writes what became of an attempt, and what follows for the webhook.
func (a *Archive) SettleDelivery(ctx context.Context, d *catalog.Delivery, r webhook.Result) (err error) {
	now := a.now().UTC().Truncate(time.Millisecond)
	if d.Result, err = encodeResult(r); err != nil {
		return err
	}
	pause, more := webhook.Pause(d.Attempts)
	pause = max(pause, r.RetryAfter)
	var code string
	if r.Problem != nil {
		code = r.Problem.Code
	}
	switch {
	case r.OK:
		d.State, d.EndedAt = catalog.OutgoingSent, now
	case more && code != webhook.CodeGone && code != webhook.CodeOff:
		d.NextAt = now.Add(pause)
	default:
		d.State, d.EndedAt = catalog.OutgoingFailed, now
	}
	if err := a.catalog.SettleDelivery(ctx, d); err != nil || code == webhook.CodeOff {
		return err
	}
	err = a.catalog.ChangeWebhook(ctx, d.Tenant, d.Webhook, func(w *catalog.Webhook) ([]*catalog.Event, error) {
		if r.OK {
			w.State.OKAt, w.State.Failing, w.NextAt = now, time.Time{}, time.Time{}
			return nil, nil
		}
		if w.State.Failing.IsZero() {
			w.State.Failing = now
		}
		w.NextAt = now.Add(min(cmp.Or(pause, webhookRest), webhookRest))
		return a.switchOff(w, d, code, now), nil
	})
	if errors.Is(err, catalog.ErrNotFound) { // removed meanwhile
		return nil
	}
	return err
}

// switchOff switches a webhook off that takes nothing for good or for days, and returns
// the event of it.
func (a *Archive) switchOff(w *catalog.Webhook, d *catalog.Delivery, code string, now time.Time) []*catalog.Event {
	lost := now.Sub(w.State.Failing) >= WebhookPatience && d.Attempts >= patienceTries
	if w.Off || !lost && code != webhook.CodeGone {
		return nil
	}
	w.Off, w.OffBy, w.NextAt = true, "failing", time.Time{}
	if code == webhook.CodeGone {
		w.OffBy = "gone"
	}
	a.log.Error("a webhook was switched off: nobody takes anything there", "webhook", w.ID, "why", w.OffBy, "failing_since", w.State.Failing)
	return []*catalog.Event{{At: now, Actor: "system", Action: "webhook.switched-off", Object: w.ID.String(),
		Details: map[string]string{"why": w.OffBy, "problem": code, "url": w.URL, "failing_since": w.State.Failing.Format(time.RFC3339)}}}
}

// Deliveries that ended are remembered for deliveryMemory, the youngest deliveriesKept
// of each webhook.
const (
	deliveryMemory = 30 * 24 * time.Hour
	deliveriesKept = 500
)

// TidyDeliveries forgets deliveries that ended long ago.
func (a *Archive) TidyDeliveries(ctx context.Context) error {
	return a.catalog.TidyDeliveries(ctx, a.now().Add(-deliveryMemory), deliveriesKept)
}
