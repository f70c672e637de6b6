package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

type outboxCmd struct {
	List  outboxListCmd  `cmd:"" help:"List mail that waits to be sent, was sent, or cannot be sent; the youngest 200."`
	Retry outboxRetryCmd `cmd:"" help:"Have a mail tried at once by muniment serve, also one that was given up."`
	Drop  outboxDropCmd  `cmd:"" help:"Remove a mail: it is not sent any more."`
}

type outboxListCmd struct{ listing }

func (c *outboxListCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	o, err := a.archive.Outbox(ctx)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, m := range o.Mails {
		var to []string
		for _, r := range m.Recipients {
			to = append(to, r.Address)
		}
		next := ""
		if m.State == catalog.OutgoingWaiting {
			next = m.NextAt.Format(time.RFC3339)
		}
		rows = append(rows, []any{m.ID.String(), m.Kind, string(m.State), m.Attempts, m.CreatedAt.Format(time.RFC3339), next, to, problemText(m)})
	}
	return c.print(s, []string{"id", "kind", "state", "attempts", "created", "next", "to", "problem"}, rows)
}

// problemText says in one line what the last attempt met.
func problemText(m *catalog.Outgoing) string {
	var p remote.Problem
	if m.Problem == nil || json.Unmarshal(m.Problem, &p) != nil {
		return ""
	}
	return fmt.Sprintf("%s: %s", p.Code, p.Detail)
}

type outboxMail struct {
	ID string `arg:"" help:"Id of the mail; outbox list shows it."`
}

// act opens the archive and does something with the mail.
func (c *outboxMail) act(ctx context.Context, g *Globals, s *streams, do func(*archive.Archive, context.Context, uid.ID) error) error {
	id, err := uid.Parse(c.ID)
	if err != nil {
		return usage(fmt.Errorf("%q is no id of a mail; muniment outbox list shows them", c.ID))
	}
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	err = do(a.archive, ctx, id)
	if errors.Is(err, catalog.ErrNotFound) {
		return usage(fmt.Errorf("there is no mail %s, or it is sent; muniment outbox list shows all", id))
	}
	return err
}

type outboxRetryCmd struct{ outboxMail }

func (c *outboxRetryCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return c.act(ctx, g, s, (*archive.Archive).RetryMail)
}

type outboxDropCmd struct{ outboxMail }

func (c *outboxDropCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return c.act(ctx, g, s, (*archive.Archive).DropMail)
}
