package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/muniment/muniment/internal/archive"
)

type fsckCmd struct {
	Repair bool `help:"Remove what a crash left unacknowledged and rebuild an incomplete or damaged index. Stop the server first. Damage is never touched."`
	JSON   bool `help:"One JSON object per finding, and one with the totals."`
}

func (c *fsckCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	how := shared
	if c.Repair {
		how = exclusive
	}
	a, err := g.open(ctx, s, how)
	if err != nil {
		return err
	}
	defer a.close()
	enc := json.NewEncoder(s.out)
	report := func(f archive.Finding) {
		if c.JSON {
			enc.Encode(f) //nolint:errcheck // nobody reads the output any more
			return
		}
		state := ""
		if f.Repaired {
			state = " (repaired)"
		}
		tenant := ""
		if f.Tenant != "" {
			tenant = f.Tenant + ": "
		}
		fmt.Fprintf(s.out, "%s: %s%s: %s%s\n", f.Severity, tenant, f.Object, f.What, state)
	}
	r, err := a.archive.Fsck(ctx, archive.FsckOptions{Repair: c.Repair, Report: report})
	if err != nil {
		return err
	}
	if c.JSON {
		enc.Encode(r) //nolint:errcheck // as above
	} else {
		fmt.Fprintf(s.out, "checked %d tenants, %d segments, %d messages, %d attachments, %d captures: %d damaged, %d left over (%d repaired)\n",
			r.Tenants, r.Segments, r.Messages, r.Parts, r.Captures, r.Damage, r.Leftovers, r.Repaired)
	}
	if r.Damage > 0 || r.Leftovers > r.Repaired {
		return &exitCode{exitFindings, fmt.Errorf("%d findings", r.Damage+r.Leftovers-r.Repaired)}
	}
	return nil
}

type rebuildCmd struct{}

func (rebuildCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, exclusive)
	if err != nil {
		return err
	}
	defer a.close()
	r, err := a.archive.Rebuild(ctx, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "restored %d messages and %d captures of %d tenants; the search index follows at the next start or with muniment reindex\n", r.Messages, r.Captures, r.Tenants)
	for _, m := range r.Remarks {
		fmt.Fprintln(s.out, m)
	}
	for _, d := range r.Damaged {
		fmt.Fprintln(s.out, "not restored:", d)
	}
	if len(r.Damaged) > 0 {
		return &exitCode{exitFindings, fmt.Errorf("%d objects could not be restored", len(r.Damaged))}
	}
	return nil
}

type reindexCmd struct {
	Tenant string `help:"Short name of one tenant; all otherwise."`
}

func (c *reindexCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, exclusive)
	if err != nil {
		return err
	}
	defer a.close()
	tenants, err := a.tenants(ctx, c.Tenant)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		if err := a.archive.Reindex(ctx, t.ID); err != nil {
			return err
		}
		if err := a.archive.AwaitIndex(ctx, t.ID); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s: search index is complete\n", t.Slug)
	}
	return nil
}

type compactCmd struct {
	Tenant string `help:"Short name of one tenant; all otherwise."`
}

func (c *compactCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	tenants, err := a.tenants(ctx, c.Tenant)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		r, err := a.archive.Compact(ctx, t.ID, true)
		if err != nil {
			return err
		}
		if err := a.archive.TidyIndex(ctx, t.ID); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s: %d segments of %d bytes became %d of %d bytes\n", t.Slug, r.Before, r.BytesBefore, r.After, r.BytesAfter)
	}
	return nil
}
