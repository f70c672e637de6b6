package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/sealing"
)

type sealRenewCmd struct {
	DryRun bool `help:"Only tell what is due, and what comes next."`
	Now    bool `help:"Renew all time stamps, whatever their end. It costs a token for each hash algorithm that is in use."`
	Tree   bool `help:"With --now: read all objects again and hash them by another algorithm. It takes as long as reading the whole archive."`
	JSON   bool `name:"json" help:"Print the result as JSON."`
}

func (c *sealRenewCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	if c.Tree && !c.Now {
		return usage(fmt.Errorf("--tree needs --now: by itself a tree is renewed when its hash algorithm comes near its end"))
	}
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	sealer, err := a.newSealer()
	if err != nil {
		return err
	}
	if c.DryRun {
		return c.plan(ctx, sealer, s)
	}
	o := sealing.RenewOptions{Act: a.archive.OperatorAct()}
	switch {
	case c.Tree:
		o.Hand = ers.RenewTree
	case c.Now:
		o.Hand = ers.RenewStamp
	}
	done, r, err := sealer.Renew(ctx, o)
	switch {
	case err != nil:
		return err
	case c.JSON:
		if err := json.NewEncoder(s.out).Encode(map[string]any{"renewals": done.Renewals, "stamps": done.Stamps, "batches_rehashed": done.Rehashed,
			"objects_rehashed": done.Objects, "objects_left_out": done.LeftOut, "stamped": r.Stamped, "pending": r.Pending}); err != nil {
			return err
		}
	case !r.NoAuthority:
		c.tell(s, done)
	}
	switch {
	case r.NoAuthority:
		return fmt.Errorf("no authority is set that gives time stamps; muniment authority add sets one")
	case r.Problem != nil:
		return fmt.Errorf("no time stamp yet, it is tried again (%s): %s", r.Problem.Code, r.Problem.Detail)
	case done.LeftOut > 0:
		return &exitCode{exitFindings, fmt.Errorf("%d objects could not be read; their old proofs stay, muniment fsck tells more", done.LeftOut)}
	}
	return nil
}

func (c *sealRenewCmd) tell(s *streams, r archive.Renewed) {
	if r.Renewals+r.Rehashed == 0 {
		fmt.Fprintln(s.out, "nothing is due")
		return
	}
	fmt.Fprintf(s.out, "%d time stamps renewed with %d new ones\n", r.Stamps, r.Renewals)
	if r.Rehashed > 0 {
		fmt.Fprintf(s.out, "%d objects in %d batches read again and hashed by another algorithm\n", r.Objects, r.Rehashed)
	}
}

// plan prints what is due and what comes next.
func (c *sealRenewCmd) plan(ctx context.Context, sealer *sealing.Sealer, s *streams) error {
	list, err := sealer.DueRenewals(ctx)
	if err != nil {
		return err
	}
	rows := [][]any{}
	for _, d := range list {
		until := ""
		if !d.End.IsZero() {
			until = d.End.Format(time.DateOnly)
		}
		rows = append(rows, []any{d.Head.Batch.ID.String(), d.Head.Stamp.GenTime.Format(time.RFC3339), d.Head.Stamp.Authority, d.Head.Batches(), d.Head.Objects, string(d.Action),
			string(d.Reason), d.From.Format(time.DateOnly), until})
	}
	l := listing{JSON: c.JSON}
	return l.print(s, []string{"batch", "stamped", "authority", "batches", "objects", "action", "reason", "due", "until"}, rows)
}
