package api

import (
	"context"
	"net/http"
	"time"
)

// Webhook is an address of another program that is told of events. Its secret is shown
// once and never comes out again.
type Webhook struct {
	ID           string     `json:"id"`
	URL          string     `json:"url"`
	Description  string     `json:"description"`
	Kinds        []string   `json:"kinds" doc:"Kinds of events that it is told of"`
	Off          bool       `json:"off" doc:"It is told of nothing"`
	OffBy        string     `json:"off_by,omitempty" enum:",failing,gone" doc:"Why it is off, if nobody has switched it off: nothing was taken for days, or the receiver wants nothing any more"`
	CreatedAt    time.Time  `json:"created_at"`
	OKAt         *time.Time `json:"ok_at,omitempty" doc:"When something was taken last"`
	FailingSince *time.Time `json:"failing_since,omitempty" doc:"Since when nothing is taken; absent: it is"`
	OldUntil     *time.Time `json:"old_secret_until,omitempty" doc:"Until when the secret before this one signs as well"`
	Waiting      int        `json:"waiting" doc:"Deliveries that wait"`
}

// Webhooks are the webhooks of one's tenant, reseller or installation.
type Webhooks struct {
	Webhooks []Webhook `json:"webhooks" doc:"The oldest first"`
	Kinds    []string  `json:"kinds" doc:"That one can choose"`
}

// NewWebhook is a webhook to be made.
type NewWebhook struct {
	URL         string   `json:"url" maxLength:"2000" doc:"https, unless the operator allows http to its network"`
	Description string   `json:"description,omitempty" maxLength:"200"`
	Kinds       []string `json:"kinds" maxItems:"50"`
}

// CreatedWebhook is a webhook that was made.
type CreatedWebhook struct {
	Webhook Webhook `json:"webhook"`
	Secret  string  `json:"secret" doc:"With which receivers check the signature; it is shown this once"`
}

// WebhookChange changes a webhook; what is absent stays.
type WebhookChange struct {
	URL         *string  `json:"url,omitempty" maxLength:"2000"`
	Description *string  `json:"description,omitempty" maxLength:"200"`
	Kinds       []string `json:"kinds,omitempty" maxItems:"50"`
	Off         *bool    `json:"off,omitempty" doc:"Of one that is switched on again, what happened meanwhile is not sent"`
}

// WebhookSecret is a new secret of a webhook.
type WebhookSecret struct {
	Secret   string     `json:"secret" doc:"It is shown this once"`
	OldUntil *time.Time `json:"old_secret_until,omitempty" doc:"Until when the old one signs as well"`
}

// WebhookFinding is what a test of a webhook finds.
type WebhookFinding struct {
	OK      bool            `json:"ok"`
	ID      string          `json:"id" doc:"Of the message, as the receiver got it"`
	Status  int             `json:"status,omitempty" doc:"Of the answer; absent: there was none"`
	Answer  string          `json:"answer,omitempty" doc:"Begin of the answer"`
	Took    int64           `json:"took_ms"`
	Problem *WebhookProblem `json:"problem,omitempty"`
}

// WebhookProblem is why a webhook was not told.
type WebhookProblem struct {
	Code   string `json:"code" enum:"dns,connect,timeout,forbidden,certificate,tls,protocol,unavailable,redirect,refused,gone,backlog,off,internal"`
	Text   string `json:"text" doc:"English, for people"`
	Detail string `json:"detail"`
}

// Delivery is an event that a webhook is told of.
type Delivery struct {
	ID        string          `json:"id" doc:"webhook-id, the same for every attempt"`
	Kind      string          `json:"kind"`
	State     string          `json:"state" enum:"waiting,sent,failed"`
	Attempts  int             `json:"attempts"`
	CreatedAt time.Time       `json:"created_at"`
	TriedAt   *time.Time      `json:"tried_at,omitempty" doc:"Begin of the last attempt"`
	NextAt    *time.Time      `json:"next_at,omitempty" doc:"Of a waiting one: when it is tried next"`
	EndedAt   *time.Time      `json:"ended_at,omitempty"`
	Status    int             `json:"status,omitempty" doc:"Of the last answer"`
	Answer    string          `json:"answer,omitempty" doc:"Begin of it"`
	Took      int64           `json:"took_ms,omitempty"`
	Problem   *WebhookProblem `json:"problem,omitempty" doc:"Of the last attempt"`
	Body      string          `json:"body" doc:"What is sent"`
}

// Deliveries are the youngest deliveries of a webhook, at most 200.
type Deliveries struct {
	Deliveries []Delivery `json:"deliveries" doc:"The youngest first"`
}

// WebhookService carries out the operations on webhooks.
type WebhookService interface {
	Webhooks(ctx context.Context) (*Webhooks, error)
	CreateWebhook(ctx context.Context, n NewWebhook) (*CreatedWebhook, error)
	ChangeWebhook(ctx context.Context, id string, c WebhookChange) (*Webhook, error)
	DeleteWebhook(ctx context.Context, id string) error
	NewWebhookSecret(ctx context.Context, id string) (*WebhookSecret, error)
	TestWebhook(ctx context.Context, id string) (*WebhookFinding, error)
	Deliveries(ctx context.Context, id string) (*Deliveries, error)
	SendAgain(ctx context.Context, id, delivery string) error
}

type (
	byWebhook struct {
		ID string `path:"id" doc:"Id of the webhook"`
	}
	byDelivery struct {
		ID       string `path:"id" doc:"Id of the webhook"`
		Delivery string `path:"delivery" doc:"Id of the delivery"`
	}
	webhookBody[T any] struct {
		ID   string `path:"id" doc:"Id of the webhook"`
		Body T
	}
)

func webhooks(o operations, s WebhookService) {
	acting := []Code{CodeRole, CodeOrigin, CodeNotFound}
	add(o, op{id: "listWebhooks", method: http.MethodGet, path: "/webhooks", tag: "webhooks",
		summary: "Programs that are told of events", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[Webhooks], error) { return reply(s.Webhooks(ctx)) })
	add(o, op{id: "createWebhook", method: http.MethodPost, path: "/webhooks", tag: "webhooks", status: http.StatusCreated,
		summary: "Make a webhook; its secret is shown this once", problems: changingCodes()},
		func(ctx context.Context, in *body[NewWebhook]) (*body[CreatedWebhook], error) {
			return reply(s.CreateWebhook(ctx, in.Body))
		})
	add(o, op{id: "changeWebhook", method: http.MethodPatch, path: "/webhooks/{id}", tag: "webhooks",
		summary: "Change a webhook, or switch it on or off", problems: changingCodes()},
		func(ctx context.Context, in *webhookBody[WebhookChange]) (*body[Webhook], error) {
			return reply(s.ChangeWebhook(ctx, in.ID, in.Body))
		})
	add(o, op{id: "deleteWebhook", method: http.MethodDelete, path: "/webhooks/{id}", tag: "webhooks", status: http.StatusNoContent,
		summary: "Remove a webhook with its deliveries", problems: acting},
		func(ctx context.Context, in *byWebhook) (*empty, error) { return nil, s.DeleteWebhook(ctx, in.ID) })
	add(o, op{id: "newWebhookSecret", method: http.MethodPost, path: "/webhooks/{id}/secret", tag: "webhooks",
		summary: "Give a webhook a new secret; the old one signs as well for a day", problems: acting},
		func(ctx context.Context, in *byWebhook) (*body[WebhookSecret], error) {
			return reply(s.NewWebhookSecret(ctx, in.ID))
		})
	add(o, op{id: "testWebhook", method: http.MethodPost, path: "/webhooks/{id}/test", tag: "webhooks",
		summary: "Send a test event now", problems: append([]Code{CodeNotRunning}, acting...)},
		func(ctx context.Context, in *byWebhook) (*body[WebhookFinding], error) {
			return reply(s.TestWebhook(ctx, in.ID))
		})
	add(o, op{id: "listDeliveries", method: http.MethodGet, path: "/webhooks/{id}/deliveries", tag: "webhooks",
		summary: "What a webhook was told of, and what it answered", problems: []Code{CodeRole, CodeNotFound}},
		func(ctx context.Context, in *byWebhook) (*body[Deliveries], error) {
			return reply(s.Deliveries(ctx, in.ID))
		})
	add(o, op{id: "sendAgain", method: http.MethodPost, path: "/webhooks/{id}/deliveries/{delivery}/retry", tag: "webhooks", status: http.StatusNoContent,
		summary: "Send a delivery again at once, under the same id", problems: changingCodes()},
		func(ctx context.Context, in *byDelivery) (*empty, error) {
			return nil, s.SendAgain(ctx, in.ID, in.Delivery)
		})
}
