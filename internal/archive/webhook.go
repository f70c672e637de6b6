package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/webhook"
)

// Bounds of webhooks.
const (
	maxWebhooks       = 20  // of one owner
	maxWebhookText    = 200 // bytes of a description
	deliveriesShown   = 200
	webhookSecretRest = 24 * time.Hour // how long an old secret signs beside the new one
)

// WebhookView is a webhook with what waits for it. The secret never comes out with it.
type WebhookView struct {
	catalog.Webhook
	Waiting  int
	OldUntil time.Time // the secret before this one signs until then; zero: there is none
}

// WebhookDraft is what somebody wants a webhook to be.
type WebhookDraft struct {
	URL         string
	Description string
	Kinds       []string
}

// WebhookChange is what somebody changes of a webhook; nil stays as it is.
type WebhookChange struct {
	URL, Description *string
	Kinds            []string
	Off              *bool
}

// webhookSecrets are what signs.
type webhookSecrets struct {
	Current  string    `json:"current"`
	Old      string    `json:"old,omitempty"`
	OldUntil time.Time `json:"old_until,omitzero"`
}

// at lists the secrets that sign at a time.
func (s *webhookSecrets) at(now time.Time) []string {
	if s.Old != "" && now.Before(s.OldUntil) {
		return []string{s.Current, s.Old}
	}
	return []string{s.Current}
}

// webhookName is the name under which the secrets of a webhook are sealed.
func webhookName(id uid.ID) string { return "webhook " + id.String() }

func (a *Archive) sealWebhook(id uid.ID, s webhookSecrets) ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return a.vault.SealInstance(webhookName(id), b)
}

func (a *Archive) openWebhook(w *catalog.Webhook) (s webhookSecrets, err error) {
	b, err := a.vault.OpenInstance(webhookName(w.ID), w.Secret)
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		return s, fmt.Errorf("secret of webhook %s: %w", w.ID, err)
	}
	return s, nil
}

// WebhookKinds lists the kinds of events that the actor's webhooks can be told of.
func (h *Handle) WebhookKinds() []webhook.Kind {
	switch h.actor.Role {
	case access.RoleOperator:
		return webhook.KindsOfOperator()
	case access.RoleReseller:
		return webhook.KindsOfReseller()
	}
	return webhook.KindsOfTenant()
}

// Webhooks lists the webhooks of the actor's tenant, reseller or, of an operator, of the
// installation, the oldest first.
func (h *Handle) Webhooks(ctx context.Context) ([]WebhookView, error) {
	if err := h.actor.Check(access.ManageWebhooks); err != nil {
		return nil, err
	}
	list, err := h.a.catalog.WebhooksOf(ctx, h.actor.Tenant, h.actor.Reseller)
	if err := h.a.sound("webhooks", err); err != nil {
		return nil, err
	}
	waiting, err := h.a.catalog.WaitingDeliveries(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]WebhookView, 0, len(list))
	for _, w := range list {
		v := WebhookView{Webhook: *w, Waiting: waiting[w.ID]}
		if s, err := h.a.openWebhook(w); err != nil {
			h.a.log.Error("the secret of a webhook cannot be read; make a new one", "webhook", w.ID, "error", err)
		} else if h.a.now().Before(s.OldUntil) {
			v.OldUntil = s.OldUntil
		}
		out = append(out, v)
	}
	return out, nil
}

// Webhook returns one of Webhooks. catalog.ErrNotFound also for those of others.
func (h *Handle) Webhook(ctx context.Context, id uid.ID) (*WebhookView, error) {
	list, err := h.Webhooks(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].ID == id {
			return &list[i], nil
		}
	}
	return nil, fmt.Errorf("webhook %s: %w", id, catalog.ErrNotFound)
}

func (h *Handle) checkWebhookURL(raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	if err := webhook.CheckURL(raw, h.a.webhookNetworks); err != nil {
		return "", wrongField("url", "%v", err)
	}
	return raw, nil
}

func (h *Handle) checkWebhookKinds(kinds []string) ([]string, error) {
	if len(kinds) == 0 {
		return nil, wrongField("kinds", "choose at least one")
	}
	for _, k := range kinds {
		if !webhook.Known(k, h.WebhookKinds()) {
			return nil, wrongField("kinds", "%.40q is not one of those that you can choose", k)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(kinds))), nil
}

func checkWebhookText(s string) (string, error) {
	if s = strings.TrimSpace(s); len(s) > maxWebhookText {
		return "", wrongField("description", "at most %d bytes", maxWebhookText)
	}
	if s == "" {
		return "", nil
	}
	return s, inField("description", checkName(s))
}

// CreateWebhook makes a webhook and returns its secret, which is shown this once. It is
// told of what happens from now on. A *FieldError says what is wrong.
func (h *Handle) CreateWebhook(ctx context.Context, d WebhookDraft) (*WebhookView, string, error) {
	list, err := h.Webhooks(ctx)
	if err != nil {
		return nil, "", err
	}
	now := h.a.now().UTC().Truncate(time.Millisecond)
	w := &catalog.Webhook{ID: uid.New(now), Tenant: h.actor.Tenant, Reseller: h.actor.Reseller, CreatedAt: now, State: catalog.WebhookState{OnSince: now}}
	if w.URL, err = h.checkWebhookURL(d.URL); err != nil {
		return nil, "", err
	}
	if w.Description, err = checkWebhookText(d.Description); err != nil {
		return nil, "", err
	}
	if w.Kinds, err = h.checkWebhookKinds(d.Kinds); err != nil {
		return nil, "", err
	}
	if len(list) >= maxWebhooks {
		return nil, "", wrongField("url", "there are %d webhooks already; remove one", len(list))
	}
	secret := webhook.NewSecret()
	if w.Secret, err = h.a.sealWebhook(w.ID, webhookSecrets{Current: secret}); err != nil {
		return nil, "", err
	}
	e := h.event("webhook.created", w.ID.String(), map[string]string{"url": w.URL, "description": w.Description, "kinds": strings.Join(w.Kinds, " ")})
	if err := h.a.catalog.CreateWebhook(ctx, w, e); err != nil {
		return nil, "", err
	}
	return &WebhookView{Webhook: *w}, secret, nil
}

// ChangeWebhook changes a webhook. Whoever switches it on again has it told of what
// happens from then on. A *FieldError says what is wrong; catalog.ErrNotFound.
func (h *Handle) ChangeWebhook(ctx context.Context, id uid.ID, c WebhookChange) (err error) {
	if _, err := h.Webhook(ctx, id); err != nil {
		return err
	}
	if c.URL != nil {
		if *c.URL, err = h.checkWebhookURL(*c.URL); err != nil {
			return err
		}
	}
	if c.Description != nil {
		if *c.Description, err = checkWebhookText(*c.Description); err != nil {
			return err
		}
	}
	if c.Kinds != nil {
		if c.Kinds, err = h.checkWebhookKinds(c.Kinds); err != nil {
			return err
		}
	}
	now := h.a.now().UTC().Truncate(time.Millisecond)
	return h.a.catalog.ChangeWebhook(ctx, h.actor.Tenant, id, func(w *catalog.Webhook) ([]*catalog.Event, error) {
		details := map[string]string{}
		changeText(details, "url", &w.URL, c.URL)
		changeText(details, "description", &w.Description, c.Description)
		if c.Kinds != nil && !slices.Equal(c.Kinds, w.Kinds) {
			details["before.kinds"], details["after.kinds"] = strings.Join(w.Kinds, " "), strings.Join(c.Kinds, " ")
			w.Kinds = c.Kinds
		}
		if c.Off != nil && *c.Off != w.Off {
			details["before.off"], details["after.off"] = fmt.Sprint(w.Off), fmt.Sprint(*c.Off)
			w.Off, w.OffBy = *c.Off, ""
			if !w.Off {
				w.State.OnSince = now
			}
		}
		if len(details) == 0 {
			return nil, nil
		}
		w.State.Failing, w.NextAt = time.Time{}, time.Time{} // whatever was wrong, it is tried anew
		return []*catalog.Event{h.event("webhook.changed", id.String(), details)}, nil
	})
}

// DeleteWebhook removes a webhook with its deliveries. catalog.ErrNotFound.
func (h *Handle) DeleteWebhook(ctx context.Context, id uid.ID) error {
	w, err := h.Webhook(ctx, id)
	if err != nil {
		return err
	}
	return h.a.catalog.DeleteWebhook(ctx, w.Tenant, id, h.event("webhook.removed", id.String(), map[string]string{"url": w.URL, "description": w.Description}))
}

// NewWebhookSecret gives a webhook a new secret, which is shown this once. The old one
// signs as well for 24 hours, so that receivers need not change at the same moment.
func (h *Handle) NewWebhookSecret(ctx context.Context, id uid.ID) (secret string, oldUntil time.Time, err error) {
	if _, err := h.Webhook(ctx, id); err != nil {
		return "", oldUntil, err
	}
	secret = webhook.NewSecret()
	now := h.a.now().UTC().Truncate(time.Millisecond)
	err = h.a.catalog.ChangeWebhook(ctx, h.actor.Tenant, id, func(w *catalog.Webhook) ([]*catalog.Event, error) {
		next := webhookSecrets{Current: secret}
		if old, err := h.a.openWebhook(w); err == nil { // else nobody could have signed with it
			next.Old, next.OldUntil = old.Current, now.Add(webhookSecretRest)
		}
		oldUntil = next.OldUntil
		sealed, err := h.a.sealWebhook(w.ID, next)
		w.Secret = sealed
		return []*catalog.Event{h.event("webhook.secret-changed", id.String(), nil)}, err
	})
	return secret, oldUntil, err
}

// WebhookDeliveries lists the youngest deliveries of a webhook, the youngest first.
func (h *Handle) WebhookDeliveries(ctx context.Context, id uid.ID) ([]*catalog.Delivery, error) {
	w, err := h.Webhook(ctx, id)
	if err != nil {
		return nil, err
	}
	list, err := h.a.catalog.Deliveries(ctx, w.Tenant, id, deliveriesShown)
	return list, h.a.sound("deliveries", err)
}

// SendAgain has a delivery sent again at once, under the same id. catalog.ErrNotFound; a
// *FieldError if the webhook is off.
func (h *Handle) SendAgain(ctx context.Context, id, delivery uid.ID) error {
	w, err := h.Webhook(ctx, id)
	if err != nil {
		return err
	}
	if w.Off {
		return wrongField("off", "the webhook is switched off; switch it on first")
	}
	now := h.a.now().UTC().Truncate(time.Millisecond)
	err = h.a.catalog.RetryDelivery(ctx, w.Tenant, id, delivery, now, h.event("webhook.sent-again", id.String(), map[string]string{"delivery": delivery.String()}))
	if err != nil || w.NextAt.IsZero() {
		return err
	}
	return h.a.catalog.ChangeWebhook(ctx, w.Tenant, id, func(w *catalog.Webhook) ([]*catalog.Event, error) { w.NextAt = time.Time{}; return nil, nil })
}

// WebhookTrial makes the message that tries a webhook. It is sent once and not kept.
func (h *Handle) WebhookTrial(ctx context.Context, id uid.ID) (*webhook.Message, error) {
	w, err := h.Webhook(ctx, id)
	if err != nil {
		return nil, err
	}
	now := h.a.now()
	s, err := h.a.openWebhook(&w.Webhook)
	if err != nil {
		return nil, err
	}
	p := webhook.Payload{Type: webhook.Test, Timestamp: now, Data: webhook.Data{Webhook: id.String()}}
	if !w.Tenant.IsZero() {
		p.Data.Tenant = w.Tenant.String()
	}
	if !w.Reseller.IsZero() {
		p.Data.Reseller = w.Reseller.String()
	}
	body, err := p.Encode()
	return &webhook.Message{URL: w.URL, Secrets: s.at(now), ID: uid.New(now).String(), Body: body}, err
}

// errNoWebhook is a delivery whose webhook is gone.
var errNoWebhook = errors.New("the webhook is gone")
