package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Webhook is an address of another program that is told of events.
type Webhook struct {
	ID       uid.ID
	Tenant   uid.ID // zero: of a reseller or the installation
	Reseller uid.ID // zero: of a tenant or the installation
	WebhookSettings
	Secret    []byte // sealed
	State     WebhookState
	NextAt    time.Time // nothing is sent before; zero: at once
	CreatedAt time.Time
}

// WebhookSettings are what somebody has said of a webhook.
type WebhookSettings struct {
	URL         string   `json:"url"`
	Description string   `json:"description,omitempty"`
	Kinds       []string `json:"kinds"`
	Off         bool     `json:"off,omitempty"`
	// OffBy is why it is off, if nobody has switched it off: a word of the archive.
	OffBy string `json:"off_by,omitempty"`
}

// WebhookState is how a webhook fares.
type WebhookState struct {
	OKAt    time.Time `json:"ok_at,omitzero"`   // when something was taken last
	Failing time.Time `json:"failing,omitzero"` // since when nothing is taken; zero: it is
	// OnSince is when it was switched on: it is told of what happens from then on.
	OnSince time.Time `json:"on_since,omitzero"`
}

type webhookRow struct {
	bun.BaseModel `bun:"table:webhook,alias:wh"`

	ID        blob     `bun:"id"`
	Tenant    blob     `bun:"tenant"`
	Reseller  blob     `bun:"reseller"`
	Settings  document `bun:"settings"`
	Secret    blob     `bun:"secret"`
	State     document `bun:"state"`
	NextAt    num      `bun:"next_at"`
	CreatedAt num      `bun:"created_at"`
	Checksum  blob     `bun:"checksum"`
}

func newWebhookRow(w *Webhook) (*webhookRow, error) {
	settings, err := toDocument(w.WebhookSettings)
	if err != nil {
		return nil, err
	}
	state, err := toDocument(w.State)
	r := &webhookRow{ID: w.ID[:], Tenant: w.Tenant[:], Reseller: w.Reseller[:], Settings: settings, Secret: append(blob{}, w.Secret...), State: state,
		NextAt: orZero(w.NextAt), CreatedAt: millis(w.CreatedAt)}
	r.Checksum = r.sum()
	return r, err
}

func (r *webhookRow) sum() blob {
	return newSummer(nil, "webhook", GroupRow).bytes(r.ID, r.Tenant, r.Reseller).document(r.Settings).bytes(r.Secret).document(r.State).num(r.NextAt, r.CreatedAt).sum()
}

func (r *webhookRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "webhook", Object: idText(r.ID)})
}

func (r *webhookRow) model() (*Webhook, error) {
	w := &Webhook{ID: toID(r.ID), Tenant: toID(r.Tenant), Reseller: toID(r.Reseller), Secret: r.Secret, NextAt: r.NextAt.orZeroTime(), CreatedAt: r.CreatedAt.millis()}
	if err := r.Settings.into(&w.WebhookSettings); err != nil {
		return nil, err
	}
	return w, r.State.into(&w.State)
}

// CreateWebhook adds w, with events in the log of its tenant or the installation.
func (c *Catalog) CreateWebhook(ctx context.Context, w *Webhook, events ...*Event) error {
	if w.ID.IsZero() {
		return fmt.Errorf("create webhook: %w: no id", ErrInvalid)
	}
	r, err := newWebhookRow(w)
	if err != nil {
		return c.wrap(err, "create webhook")
	}
	err = c.withEvents(ctx, w.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(r).Exec(ctx)
		return err
	})
	return c.wrap(err, "create webhook %s", w.ID)
}

// ChangeWebhook lets change set everything but id, owner and time of creation of a
// webhook, and stores what it leaves with the events that it returns. change may be
// called several times. ErrNotFound if the tenant has no such webhook; the zero tenant
// has those of resellers and the installation.
func (c *Catalog) ChangeWebhook(ctx context.Context, tenant, id uid.ID, change func(w *Webhook) ([]*Event, error)) error {
	err := c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, h *headRow) error {
		w, err := one[Webhook](ctx, new(webhookRow), c.locked(tx.NewSelect().Where("id = ?", id).Where("tenant = ?", tenant)))
		if err != nil {
			return err
		}
		was := *w
		events, err := change(w)
		if err != nil {
			return err
		}
		w.ID, w.Tenant, w.Reseller, w.CreatedAt = was.ID, was.Tenant, was.Reseller, was.CreatedAt
		if err := updateWebhook(ctx, tx, w); err != nil {
			return err
		}
		return c.appendEvents(ctx, tx, h, events)
	})
	return c.wrap(err, "change webhook %s", id)
}

func updateWebhook(ctx context.Context, tx bun.Tx, w *Webhook) error {
	r, err := newWebhookRow(w)
	if err != nil {
		return err
	}
	return changed(tx.NewUpdate().Model(r).Where("id = ?", w.ID).Exec(ctx))
}

// DeleteWebhook removes a webhook and its deliveries, and stores the events of it
// likewise. ErrNotFound.
func (c *Catalog) DeleteWebhook(ctx context.Context, tenant, id uid.ID, events ...*Event) error {
	err := c.withEvents(ctx, tenant, events, func(ctx context.Context, tx bun.Tx) error {
		if err := changed(tx.NewDelete().Model((*webhookRow)(nil)).Where("id = ?", id).Where("tenant = ?", tenant).Exec(ctx)); err != nil {
			return err
		}
		_, err := tx.NewDelete().Model((*deliveryRow)(nil)).Where("webhook = ?", id).Where("tenant = ?", tenant).Exec(ctx)
		return err
	})
	return c.wrap(err, "delete webhook %s", id)
}

// Webhook returns a webhook of a tenant; the zero tenant has those of resellers and
// the installation. ErrNotFound.
func (c *Catalog) Webhook(ctx context.Context, tenant, id uid.ID) (*Webhook, error) {
	w, err := one[Webhook](ctx, new(webhookRow), c.read.NewSelect().Where("id = ?", id).Where("tenant = ?", tenant))
	return w, c.wrap(err, "webhook %s", id)
}

// WebhooksOf returns the webhooks of a tenant, of a reseller, or, if both are zero, of
// the installation, the oldest first. Rows that fail their check sum are missing and
// joined as *RowError in the error, beside the good ones.
func (c *Catalog) WebhooksOf(ctx context.Context, tenant, reseller uid.ID) ([]*Webhook, error) {
	list, err := all[webhookRow, Webhook](ctx, c.read.NewSelect().Where("tenant = ?", tenant).Where("reseller = ?", reseller).Order("created_at", "id"))
	return list, c.wrap(err, "webhooks")
}

// Webhooks returns all webhooks, as WebhooksOf does.
func (c *Catalog) Webhooks(ctx context.Context) ([]*Webhook, error) {
	list, err := all[webhookRow, Webhook](ctx, c.read.NewSelect().Order("created_at", "id"))
	return list, c.wrap(err, "webhooks")
}
