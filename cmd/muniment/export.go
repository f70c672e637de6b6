package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/muniment/muniment/internal/uid"
)

// exportCmd writes what somebody has asked for and somebody else has approved. It has no
// way around that.
type exportCmd struct {
	Tenant  string `arg:"" help:"Short name of the tenant."`
	Request string `required:"" help:"Identifier of the approved request of the kind export." placeholder:"ID"`
	Query   string `help:"Only what this query finds." placeholder:"QUERY"`
	Out     string `required:"" type:"path" help:"File of the first volume, such as export.zip; the others are called export-2.zip and so on. None is overwritten." placeholder:"FILE"`
}

// Run writes the volumes.
func (c *exportCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	request, err := uid.Parse(c.Request)
	if err != nil {
		return usage(fmt.Errorf("%q is no identifier of a request", c.Request))
	}
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	t, err := a.tenant(ctx, c.Tenant)
	if err != nil {
		return err
	}
	objects, left, err := a.archive.ExportUnder(ctx, t.ID, request, c.Query, func(volume int) (io.WriteCloser, error) {
		name := c.Out
		if volume > 1 {
			name = fmt.Sprintf("%s-%d.zip", strings.TrimSuffix(c.Out, ".zip"), volume)
		}
		return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%d messages written, %d left out; complete.json in the bundle names them\n", objects, left)
	return err
}
