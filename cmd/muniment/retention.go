package main

import (
	"context"
	"fmt"
	"time"
)

type retentionCmd struct {
	Show retentionShowCmd `cmd:"" help:"Show how long a tenant keeps what nothing classifies, and what was set before."`
}

type retentionShowCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	listing
}

func (c *retentionShowCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	v, err := a.archive.RetentionOfTenant(ctx, t.ID)
	if err != nil {
		return err
	}
	var rows [][]any
	for i, x := range v.Set {
		from, state := "always", "before"
		if !x.ValidFrom.IsZero() {
			from = x.ValidFrom.Format(time.DateTime)
		}
		if i == 0 {
			state = "in force"
		}
		rows = append(rows, []any{x.Years, x.Jurisdiction, int(x.YearEnd), x.Zone, from, state})
	}
	if v.Default {
		rows = append(rows, []any{v.Current.Years, v.Current.Jurisdiction, int(v.Current.YearEnd), v.Current.Zone, "always", "in force, as shipped"})
	}
	if err := c.print(s, []string{"years", "law", "business year ends", "time zone", "from (UTC)", "state"}, rows); err != nil || c.JSON {
		return err
	}
	_, err = fmt.Fprintln(s.out, "What is stored is kept by the longest that was in force since it came.")
	return err
}
