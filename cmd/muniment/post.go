package main

import (
	"context"

	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/outbox"
)

// post has the web door's letters queued in the outbox.
type post struct{ outbox *outbox.Outbox }

func (p post) Queue(ctx context.Context, l httpd.Letter) error {
	_, err := p.outbox.Queue(ctx, outbox.Letter{Tenant: l.Tenant, Kind: l.Kind, Key: l.Key, To: l.To, Subject: l.Subject, Text: l.Text})
	return err
}
