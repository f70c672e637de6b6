package main

import (
	"context"
	"fmt"

	"github.com/muniment/muniment/internal/uid"
)

// deleteCmd deletes what somebody has asked for and somebody else has approved. It has no
// way around that.
type deleteCmd struct {
	Tenant  string `arg:"" help:"Short name of the tenant."`
	Request string `required:"" help:"Identifier of the approved request of the kind deletion." placeholder:"ID"`
}

// Run deletes the messages of the request for good.
func (c *deleteCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return g.carryOut(ctx, s, exclusive, approved{c.Tenant, c.Request}, func(a *app, tenant, request uid.ID) error {
		n, err := a.archive.DeleteUnder(ctx, tenant, request)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%d messages deleted for good; their tombstones remain\n", n)
		return err
	})
}

// approved names a request that somebody has approved, and whose it is.
type approved struct{ tenant, request string }

// carryOut opens the archive and does what a request asks for.
func (g *Globals) carryOut(ctx context.Context, s *streams, how sharing, x approved, do func(a *app, tenant, request uid.ID) error) error {
	request, err := uid.Parse(x.request)
	if err != nil {
		return usage(fmt.Errorf("%q is no identifier of a request", x.request))
	}
	a, err := g.open(ctx, s, how)
	if err != nil {
		return err
	}
	defer a.close()
	t, err := a.tenant(ctx, x.tenant)
	if err != nil {
		return err
	}
	return do(a, t.ID, request)
}
