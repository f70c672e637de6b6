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
	return g.carryOut(ctx, s, shared, approved{c.Tenant, c.Request}, func(a *app, tenant, request uid.ID) error {
		objects, left, err := a.archive.ExportUnder(ctx, tenant, request, c.Query, c.volume)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%d messages written, %d left out; complete.json in the bundle names them\n", objects, left)
		return err
	})
}

// volume makes the file of a volume, counted from 1.
func (c *exportCmd) volume(n int) (io.WriteCloser, error) {
	name := c.Out
	if n > 1 {
		name = fmt.Sprintf("%s-%d.zip", strings.TrimSuffix(c.Out, ".zip"), n)
	}
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}
