package httpd

import (
	"context"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/webhook"
)

// Webhooks tells other programs of events.
type Webhooks interface {
	// Try sends a message once and ends when ctx does.
	Try(ctx context.Context, m webhook.Message) webhook.Result
	// Wake has what waits sent at once, and does not wait for it.
	Wake()
}

// Webhooks implements api.Service.
func (s *Server) Webhooks(ctx context.Context) (*api.Webhooks, error) {
	h, err := s.entitled(ctx, access.ManageWebhooks)
	if err != nil {
		return nil, err
	}
	views, err := h.Webhooks(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.Webhooks{Webhooks: make([]api.Webhook, 0, len(views))}
	for i := range views {
		out.Webhooks = append(out.Webhooks, describeWebhook(&views[i]))
	}
	for _, k := range h.WebhookKinds() {
		out.Kinds = append(out.Kinds, string(k))
	}
	return out, nil
}

func describeWebhook(v *archive.WebhookView) api.Webhook {
	return api.Webhook{ID: v.ID.String(), URL: v.URL, Description: v.Description, Kinds: list(v.Kinds), Off: v.Off, OffBy: v.OffBy, CreatedAt: v.CreatedAt,
		OKAt: known(v.State.OKAt), FailingSince: known(v.State.Failing), OldUntil: known(v.OldUntil), Waiting: v.Waiting}
}

// CreateWebhook implements api.Service.
func (s *Server) CreateWebhook(ctx context.Context, n api.NewWebhook) (*api.CreatedWebhook, error) {
	h, err := s.entitled(ctx, access.ManageWebhooks)
	if err != nil {
		return nil, err
	}
	v, secret, err := h.CreateWebhook(ctx, archive.WebhookDraft{URL: n.URL, Description: n.Description, Kinds: n.Kinds})
	if err != nil {
		return nil, judged(err)
	}
	return &api.CreatedWebhook{Webhook: describeWebhook(v), Secret: secret}, nil
}

// ChangeWebhook implements api.Service.
func (s *Server) ChangeWebhook(ctx context.Context, id string, c api.WebhookChange) (*api.Webhook, error) {
	h, webhook, err := s.about(ctx, access.ManageWebhooks, id)
	if err != nil {
		return nil, err
	}
	if err := h.ChangeWebhook(ctx, webhook, archive.WebhookChange{URL: c.URL, Description: c.Description, Kinds: c.Kinds, Off: c.Off}); err != nil {
		return nil, judged(err)
	}
	s.wakeWebhooks()
	v, err := h.Webhook(ctx, webhook)
	if err != nil {
		return nil, err
	}
	out := describeWebhook(v)
	return &out, nil
}

func (s *Server) wakeWebhooks() {
	if s.cfg.Webhooks != nil {
		s.cfg.Webhooks.Wake()
	}
}

// DeleteWebhook implements api.Service.
func (s *Server) DeleteWebhook(ctx context.Context, id string) error {
	h, webhook, err := s.about(ctx, access.ManageWebhooks, id)
	if err != nil {
		return err
	}
	return h.DeleteWebhook(ctx, webhook)
}

// NewWebhookSecret implements api.Service.
func (s *Server) NewWebhookSecret(ctx context.Context, id string) (*api.WebhookSecret, error) {
	h, webhook, err := s.about(ctx, access.ManageWebhooks, id)
	if err != nil {
		return nil, err
	}
	secret, until, err := h.NewWebhookSecret(ctx, webhook)
	return &api.WebhookSecret{Secret: secret, OldUntil: known(until)}, err
}

// TestWebhook implements api.Service.
func (s *Server) TestWebhook(ctx context.Context, id string) (*api.WebhookFinding, error) {
	h, webhook, err := s.about(ctx, access.ManageWebhooks, id)
	if err != nil {
		return nil, err
	}
	m, err := h.WebhookTrial(ctx, webhook)
	if err != nil {
		return nil, err
	}
	if s.cfg.Webhooks == nil {
		return nil, api.NewProblem(api.CodeNotRunning, "This server tells no other programs.")
	}
	r := s.cfg.Webhooks.Try(ctx, *m)
	return &api.WebhookFinding{OK: r.OK, ID: m.ID, Status: r.Status, Answer: r.Answer, Took: r.Took.Milliseconds(), Problem: (*api.WebhookProblem)(r.Problem)}, nil
}

// Deliveries implements api.Service.
func (s *Server) Deliveries(ctx context.Context, id string) (*api.Deliveries, error) {
	h, webhook, err := s.about(ctx, access.ManageWebhooks, id)
	if err != nil {
		return nil, err
	}
	deliveries, err := h.WebhookDeliveries(ctx, webhook)
	if err != nil {
		return nil, err
	}
	out := &api.Deliveries{Deliveries: make([]api.Delivery, 0, len(deliveries))}
	for _, d := range deliveries {
		out.Deliveries = append(out.Deliveries, describeDelivery(d))
	}
	return out, nil
}

func describeDelivery(d *catalog.Delivery) api.Delivery {
	r := archive.ParseDeliveryResult(d.Result)
	out := api.Delivery{ID: d.ID.String(), Kind: d.Kind, State: string(d.State), Attempts: d.Attempts, CreatedAt: d.CreatedAt, TriedAt: known(d.TriedAt),
		EndedAt: known(d.EndedAt), Status: r.Status, Answer: r.Answer, Took: r.Took, Body: d.Body}
	if d.State == catalog.OutgoingWaiting {
		out.NextAt = known(d.NextAt)
	}
	if r.Problem != "" {
		out.Problem = &api.WebhookProblem{Code: r.Problem, Text: webhook.Text(r.Problem), Detail: r.Detail}
	}
	return out
}

// SendAgain implements api.Service.
func (s *Server) SendAgain(ctx context.Context, id, delivery string) error {
	h, webhook, err := s.about(ctx, access.ManageWebhooks, id)
	if err != nil {
		return err
	}
	d, err := uid.Parse(delivery)
	if err != nil {
		return catalog.ErrNotFound
	}
	if err := h.SendAgain(ctx, webhook, d); err != nil {
		return judged(err)
	}
	s.wakeWebhooks()
	return nil
}
