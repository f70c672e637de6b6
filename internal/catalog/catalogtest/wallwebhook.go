package catalogtest

import (
	"context"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// withWebhook gives them a webhook with a delivery.
func (e *env) withWebhook(t *testing.T, of *theirs) {
	t.Helper()
	of.webhook = webhookOf(of.user.Tenant, uid.ID{})
	of.delivery = deliveryOf(of.webhook, of.user.Tenant, 0)
	must(t, e.CreateWebhook(t.Context(), of.webhook, events(0, 1)[0]))
	must(t, e.QueueDeliveries(t.Context(), of.user.Tenant, 0, 1, []*catalog.Delivery{of.delivery}))
}

// webhookAttempts are the attempts of methods for webhooks.
func webhookAttempts() map[string]struct {
	answer string
	call   attempt
} {
	type try = struct {
		answer string
		call   attempt
	}
	return map[string]try{
		"DomainProofs": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.DomainProofs(ctx, t) }},
		"Webhook": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.Webhook(ctx, t, of.webhook.ID)
		}},
		"WebhooksOf": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.WebhooksOf(ctx, t, uid.ID{})
		}},
		"ChangeWebhook": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.ChangeWebhook(ctx, t, of.webhook.ID, func(w *catalog.Webhook) ([]*catalog.Event, error) {
				w.URL = "https://mine.example/"
				return nil, nil
			})
		}},
		"DeleteWebhook": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.DeleteWebhook(ctx, t, of.webhook.ID)
		}},
		"Deliveries": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.Deliveries(ctx, t, of.webhook.ID, 9)
		}},
		"RetryDelivery": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.RetryDelivery(ctx, t, of.webhook.ID, of.delivery.ID, at(9))
		}},
		"QueueDeliveries": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.QueueDeliveries(ctx, t, 0, 1, nil)
		}},
		"ArrivalEvent": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.ArrivalEvent(ctx, t, of.batch.Messages[0].AOID.String())
		}},
		"EventsNamed": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.EventsNamed(ctx, t, 0, 99, at(0), []string{"webhook.created"}, 9)
		}},
	}
}
