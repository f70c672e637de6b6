package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/mailer"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// attempts is how often a mail is tried: for about four days (RFC 5321 §4.5.4.1
// asks for four or five).
const attempts = 4 + 4*24

// backoff is the pause after so many attempts.
func backoff(attempts int) time.Duration {
	first := [...]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}
	if attempts >= 1 && attempts <= len(first) {
		return first[attempts-1]
	}
	return time.Hour
}

// Run sends what is due until ctx ends. What cannot be sent is logged; Run ends for
// nothing but ctx.
func (o *Outbox) Run(ctx context.Context) {
	look := time.NewTimer(0)
	defer look.Stop()
	var tidied time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		case <-o.cfg.Archive.Posted():
		case <-look.C:
		}
		if time.Since(tidied) > o.timings.tidy {
			tidied = time.Now()
			if err := o.cfg.Archive.TidyMail(ctx); err != nil && ctx.Err() == nil {
				o.cfg.Log.Error("old mail in the outbox cannot be removed", "error", err)
			}
		}
		look.Reset(o.round(ctx))
	}
}

// round sends what is due and returns the time to the next look.
func (o *Outbox) round(ctx context.Context) time.Duration {
	for ctx.Err() == nil {
		more, err := o.next(ctx)
		if err != nil && ctx.Err() == nil {
			if !errors.Is(err, errUnreached) { // which the mail has told
				o.cfg.Log.Error("mail cannot be sent", "error", err)
			}
			return o.timings.rest
		}
		if !more {
			break
		}
	}
	return o.timings.look
}

// errUnreached ends a round: other mail would not fare better.
var errUnreached = errors.New("the smarthost does not take mail at present")

// next sends one mail and reports whether there may be more.
func (o *Outbox) next(ctx context.Context) (bool, error) {
	// Before anything is claimed: a mail must not wait for a lease because of
	// settings. All mail leaves by the smarthost of the installation.
	set, err := o.cfg.Archive.Smarthost(ctx, uid.ID{})
	if errors.Is(err, archive.ErrNoSmarthost) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	secret, err := o.cfg.Archive.SmarthostSecret(ctx, uid.ID{})
	if err != nil {
		return false, err
	}
	m, body, err := o.cfg.Archive.ClaimMail(ctx, o.timings.lease)
	switch {
	case m == nil && errors.Is(err, catalog.ErrNotFound):
		return false, nil
	case errors.Is(err, archive.ErrMailDamaged):
		o.cfg.Log.Error("a mail cannot be sent", "mail", m.ID, "error", err)
		return true, o.giveUp(ctx, m, &remote.Problem{Code: remote.CodeInternal, Text: mailer.Text(remote.CodeInternal), Detail: err.Error()})
	case err != nil:
		return false, err
	}
	r := o.sender.Send(ctx, set.Smarthost, secret, mailer.Envelope{From: m.Sender, To: waiting(m)}, body)
	if err := o.settle(ctx, m, r); err != nil {
		return false, err
	}
	if !r.Reached {
		return false, errUnreached
	}
	return true, nil
}

// waiting are the recipients that have not got the mail and may still get it.
func waiting(m *catalog.Outgoing) []string {
	var to []string
	for _, r := range m.Recipients {
		if r.State == catalog.OutgoingWaiting {
			to = append(to, r.Address)
		}
	}
	return to
}

// settleTime bounds the writing of what became of a mail, also when the program is
// about to end: a mail that is sent and not marked is sent again.
const settleTime = 10 * time.Second

// settle writes what became of a mail.
func (o *Outbox) settle(ctx context.Context, m *catalog.Outgoing, r mailer.Result) error {
	stopped := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	answers := map[string]mailer.Answer{}
	for _, a := range r.Answers {
		answers[a.Address] = a
	}
	later, failed := 0, 0
	for i := range m.Recipients {
		p := &m.Recipients[i]
		if a, asked := answers[p.Address]; asked && p.State == catalog.OutgoingWaiting {
			p.State, p.Answer = state(a.Outcome), a.Text
		}
		switch p.State {
		case catalog.OutgoingWaiting:
			later++
		case catalog.OutgoingFailed:
			failed++
		}
	}
	now := o.cfg.Now().UTC().Truncate(time.Millisecond)
	switch {
	case stopped && later > 0: // not the server's fault: it is due at once
		m.NextAt = now
		return o.write(ctx, m)
	case later > 0 && m.Attempts >= attempts:
		return o.giveUp(ctx, m, r.Problem)
	case later > 0:
		m.NextAt = now.Add(backoff(m.Attempts))
	case failed > 0:
		return o.giveUp(ctx, m, r.Problem)
	default:
		m.State, m.EndedAt, m.Problem = catalog.OutgoingSent, now, nil
		o.cfg.Log.Info("mail sent", "mail", m.ID, "kind", m.Kind, "attempts", m.Attempts)
		return o.write(ctx, m)
	}
	m.Problem = encode(r.Problem)
	o.cfg.Log.Warn("mail is put off", "mail", m.ID, "kind", m.Kind, "attempts", m.Attempts, "next", m.NextAt, "problem", r.Problem)
	return o.write(ctx, m)
}

func state(o mailer.Outcome) catalog.OutgoingState {
	switch o {
	case mailer.Taken:
		return catalog.OutgoingSent
	case mailer.Refused:
		return catalog.OutgoingFailed
	}
	return catalog.OutgoingWaiting
}

// giveUp ends a mail for good, until somebody has it tried again.
func (o *Outbox) giveUp(ctx context.Context, m *catalog.Outgoing, p *remote.Problem) error {
	for i := range m.Recipients {
		if r := &m.Recipients[i]; r.State == catalog.OutgoingWaiting {
			r.State = catalog.OutgoingFailed
		}
	}
	m.State, m.EndedAt = catalog.OutgoingFailed, o.cfg.Now().UTC().Truncate(time.Millisecond)
	if p != nil {
		m.Problem = encode(p)
	}
	o.cfg.Log.Error("mail could not be sent", "mail", m.ID, "kind", m.Kind, "attempts", m.Attempts, "problem", p)
	return o.write(ctx, m)
}

func encode(p *remote.Problem) []byte {
	if p == nil {
		return nil
	}
	b, err := json.Marshal(p)
	if err != nil { // of three strings: never
		return nil
	}
	return b
}

// write settles a mail; that it is gone or was sent meanwhile is no error.
func (o *Outbox) write(ctx context.Context, m *catalog.Outgoing) error {
	if err := o.cfg.Archive.SettleMail(ctx, m); !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	return nil
}
