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
	request, err := uid.Parse(c.Request)
	if err != nil {
		return usage(fmt.Errorf("%q is no identifier of a request", c.Request))
	}
	a, err := g.open(ctx, s, exclusive)
	if err != nil {
		return err
	}
	defer a.close()
	t, err := a.tenant(ctx, c.Tenant)
	if err != nil {
		return err
	}
	n, err := a.archive.DeleteUnder(ctx, t.ID, request)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%d messages deleted for good; their tombstones remain\n", n)
	return err
}
