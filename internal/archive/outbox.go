package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// Mail that ended is remembered for outboxMemory, so that the same is not queued
// again; of what was given up, the youngest outboxFailed.
const (
	outboxMemory = 30 * 24 * time.Hour
	outboxFailed = 1000
)

// outboxPage is how many mails the outbox shows.
const outboxPage = 200

// NewMail is a message to be queued. Package outbox makes it.
type NewMail struct {
	ID     uid.ID
	Tenant uid.ID // on whose behalf; zero: the installation's
	Kind   string // what it is: a short word, such as "test"
	Key    string // who queues the same twice queues it once; empty: it is not compared
	Sender string
	To     []string
	Body   []byte // the whole message, as it is sent
}

// Outbox is the mail that waits, and what became of the rest.
type Outbox struct {
	catalog.OutboxCounts
	Mails []*catalog.Outgoing // the youngest, at most 200
}

// Outbox returns it to those who may see it: recipients and states, not what is in
// the mail.
func (h *Handle) Outbox(ctx context.Context) (*Outbox, error) {
	if err := h.actor.Check(access.ManageMail); err != nil {
		return nil, err
	}
	return h.a.Outbox(ctx)
}

// RetryMail has a mail tried at once, also one that was given up.
// catalog.ErrNotFound if there is none, or it is sent.
func (h *Handle) RetryMail(ctx context.Context, id uid.ID) error {
	if err := h.actor.Check(access.ManageMail); err != nil {
		return err
	}
	return h.a.catalog.RetryOutgoing(ctx, id, h.a.now(), h.event("outbox.retried", id.String(), nil))
}

// DropMail removes a mail: it is not sent any more. catalog.ErrNotFound.
func (h *Handle) DropMail(ctx context.Context, id uid.ID) error {
	if err := h.actor.Check(access.ManageMail); err != nil {
		return err
	}
	return h.a.catalog.DropOutgoing(ctx, id, h.event("outbox.dropped", id.String(), nil))
}

// Outbox is Handle.Outbox, for the operator on the command line. Damaged rows are
// left out and logged.
func (a *Archive) Outbox(ctx context.Context) (*Outbox, error) {
	list, err := a.catalog.Outbox(ctx, outboxPage)
	if len(rowErrors(err)) > 0 {
		a.log.Error("rows of the outbox are damaged; muniment fsck tells more", "error", err)
	} else if err != nil {
		return nil, err
	}
	n, err := a.catalog.OutboxCounts(ctx)
	return &Outbox{OutboxCounts: n, Mails: list}, err
}

// RetryMail is Handle.RetryMail, for the operator on the command line.
func (a *Archive) RetryMail(ctx context.Context, id uid.ID) error {
	return a.catalog.RetryOutgoing(ctx, id, a.now(), a.cliEvent("outbox.retried", id.String(), nil))
}

// DropMail is Handle.DropMail, for the operator on the command line.
func (a *Archive) DropMail(ctx context.Context, id uid.ID) error {
	return a.catalog.DropOutgoing(ctx, id, a.cliEvent("outbox.dropped", id.String(), nil))
}

// What follows is for the door that sends. It acts for nobody.

// QueueMail makes a mail durable, to be sent. The same Key again, within 30 days
// after the first was sent, adds nothing and returns the mail that is there.
// catalog.ErrOutboxFull if too much waits.
func (a *Archive) QueueMail(ctx context.Context, n NewMail) (*catalog.Outgoing, error) {
	sealed, err := a.vault.SealInstance(mailName(n.ID), n.Body)
	if err != nil {
		return nil, err
	}
	now := a.now().UTC().Truncate(time.Millisecond)
	m := &catalog.Outgoing{ID: n.ID, Tenant: n.Tenant, Kind: n.Kind, Key: n.Key, Sender: n.Sender, Size: int64(len(n.Body)),
		State: catalog.OutgoingWaiting, NextAt: now, CreatedAt: now}
	for _, a := range n.To {
		m.Recipients = append(m.Recipients, catalog.OutgoingRecipient{Address: a, State: catalog.OutgoingWaiting})
	}
	err = a.catalog.Enqueue(ctx, m, sealed)
	if errors.Is(err, catalog.ErrTaken) && n.Key != "" {
		return a.catalog.OutgoingByKey(ctx, n.Tenant, n.Key)
	}
	return m, err
}

// mailName is the name under which the bytes of a mail are sealed.
func mailName(id uid.ID) string { return "mail " + id.String() }

// ErrMailDamaged is returned (wrapped) by ClaimMail for a mail whose bytes are not
// what they were.
var ErrMailDamaged = errors.New("the stored mail is damaged")

// ClaimMail takes the mail that is due for the longest time, for as long as the
// lease says. catalog.ErrNotFound if none is due.
func (a *Archive) ClaimMail(ctx context.Context, lease time.Duration) (*catalog.Outgoing, []byte, error) {
	m, sealed, err := a.catalog.ClaimOutgoing(ctx, a.now().UTC().Truncate(time.Millisecond), lease)
	if m == nil {
		return nil, nil, err
	}
	if errors.Is(err, catalog.ErrNotFound) || len(rowErrors(err)) > 0 {
		return m, nil, fmt.Errorf("%w: %w", ErrMailDamaged, err)
	}
	if err != nil {
		return m, nil, err
	}
	body, err := a.vault.OpenInstance(mailName(m.ID), sealed)
	if err != nil {
		return m, nil, fmt.Errorf("%w: %w", ErrMailDamaged, err)
	}
	return m, body, nil
}

// SettleMail writes what became of a mail that was claimed. catalog.ErrNotFound if
// somebody else was faster.
func (a *Archive) SettleMail(ctx context.Context, m *catalog.Outgoing) error {
	return a.catalog.SettleOutgoing(ctx, m)
}

// TidyMail forgets mail that ended long ago.
func (a *Archive) TidyMail(ctx context.Context) error {
	n, err := a.catalog.TidyOutbox(ctx, a.now().Add(-outboxMemory), outboxFailed)
	if n > 0 {
		a.log.Warn("forgot mails that could not be sent", "mails", n)
	}
	return err
}
