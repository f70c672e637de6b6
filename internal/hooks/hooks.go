// Package hooks tells other programs of events: it has the event logs read, sends what
// was found to the webhooks that want it, and comes again until it is taken.
//
// Each event is delivered at least once. A delivery is marked as taken after the
// receiver has answered: if the program ends between the two, it is sent once more, with
// the same bytes and the same id. Several processes may send: each delivery is claimed
// by one, and by another only when the claim has expired. To one receiver nothing is
// sent beside what is under way, and what a receiver does not take keeps nothing from the
// others.
package hooks

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/webhook"
)

// Config says what Hooks stand on. Archive is required.
type Config struct {
	Archive *archive.Archive
	Log     *slog.Logger
	Sending webhook.Config
	Now     func() time.Time
}

// Hooks tell. Their methods may be called concurrently.
type Hooks struct {
	cfg     Config
	sender  *webhook.Sender
	timings timings
	wake    chan struct{} // capacity 1: look at once
}

// timings of the worker.
type timings struct {
	look  time.Duration // between two looks for events and for what is due
	watch time.Duration // between two looks for what goes wrong
	tidy  time.Duration // between two times of forgetting
	lease time.Duration // how long a delivery is claimed; more than an attempt may take
}

// senders is how many receivers are asked at the same time.
const senders = 4

// New makes a door that does nothing before Run.
func New(c Config) (*Hooks, error) {
	if c.Archive == nil {
		return nil, errors.New("hooks: no archive")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Hooks{cfg: c, sender: webhook.NewSender(c.Sending), wake: make(chan struct{}, 1),
		timings: timings{look: 5 * time.Second, watch: time.Minute, tidy: time.Hour, lease: webhook.SendTime + time.Minute}}, nil
}

// Wake has the worker look at once.
func (h *Hooks) Wake() {
	select {
	case h.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Try sends a message once, now. Nothing is kept.
func (h *Hooks) Try(ctx context.Context, m webhook.Message) webhook.Result {
	return h.sender.Send(ctx, m, h.cfg.Now())
}

// Run tells until ctx ends. What goes wrong is logged; Run ends for nothing but ctx.
func (h *Hooks) Run(ctx context.Context) {
	look := time.NewTicker(h.timings.look)
	defer look.Stop()
	var watched, tidied time.Time
	for {
		if time.Since(watched) >= h.timings.watch {
			watched = time.Now()
			h.tell(ctx, "looking for what goes wrong", h.cfg.Archive.WatchTroubles(ctx))
		}
		if time.Since(tidied) >= h.timings.tidy {
			tidied = time.Now()
			h.tell(ctx, "forgetting old deliveries", h.cfg.Archive.TidyDeliveries(ctx))
		}
		h.Round(ctx)
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		case <-look.C:
		}
	}
}

func (h *Hooks) tell(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		h.cfg.Log.Error("webhooks: "+what, "error", err)
	}
}

// Round queues what has happened and sends what is due now.
func (h *Hooks) Round(ctx context.Context) {
	_, err := h.cfg.Archive.TellWebhooks(ctx)
	h.tell(ctx, "reading the event logs", err)
	var work sync.WaitGroup
	for range senders {
		work.Go(func() {
			for ctx.Err() == nil {
				more, err := h.next(ctx)
				h.tell(ctx, "sending", err)
				if !more || err != nil {
					return
				}
			}
		})
	}
	work.Wait()
}

// settleTime bounds the writing of what became of an attempt, also when the program is
// about to end: what is taken and not marked is sent again.
const settleTime = 10 * time.Second

// next sends one delivery and reports whether there may be more.
func (h *Hooks) next(ctx context.Context) (bool, error) {
	d, m, err := h.cfg.Archive.ClaimDelivery(ctx, h.timings.lease)
	if d == nil {
		if errors.Is(err, catalog.ErrNotFound) {
			return false, nil
		}
		return false, err
	}
	var r webhook.Result
	switch {
	case m != nil:
		r = h.sender.Send(ctx, *m, h.cfg.Now())
		if ctx.Err() != nil && !r.OK { // not the receiver's fault: another attempt comes when the claim is over
			return false, nil
		}
	case err != nil: // such as a secret that cannot be read
		h.cfg.Log.Error("a delivery cannot be sent", "delivery", d.ID, "webhook", d.Webhook, "error", err)
		r.Problem = webhook.NewProblem("internal")
	default:
		r.Problem = webhook.NewProblem(webhook.CodeOff)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if err := h.cfg.Archive.SettleDelivery(ctx, d, r); err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return false, err
	}
	if !r.OK {
		h.cfg.Log.Warn("a webhook was not told", "webhook", d.Webhook, "delivery", d.ID, "kind", d.Kind, "attempts", d.Attempts, "problem", r.Problem.Code)
	}
	return true, nil
}
