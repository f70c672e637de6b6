package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/sealing"
)

func (a *app) newSealer() (*sealing.Sealer, error) {
	c := sealing.Config{Archive: a.archive, Log: a.log}
	if t := a.config.Trust; len(t.Lists) > 0 {
		q, err := offline.Qualifier(t.Lists, t.Signers, nil)
		if err != nil {
			return nil, usage(fmt.Errorf("trust.lists, trust.signers: %w", err))
		}
		c.Qualifier = q
	}
	return sealing.New(c)
}

type sealCmd struct {
	State sealStateCmd `cmd:"" default:"withargs" help:"Tell what has no time stamp yet, or seal it."`
	Renew sealRenewCmd `cmd:"" help:"Renew time stamps, and hash trees, that come near their end."`
}

type sealStateCmd struct {
	Now  bool `help:"Put everything that is new into a batch and get a time stamp for it, whatever the clock says. It may cost a token."`
	JSON bool `name:"json" help:"Print the result as JSON."`
}

func (c *sealStateCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	sealer, err := a.newSealer()
	if err != nil {
		return err
	}
	if c.Now {
		return c.seal(ctx, sealer, s)
	}
	b, err := sealer.Backlog(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(map[string]any{"waiting": b.Waiting, "pending": b.Pending, "batches": b.Batches, "age_seconds": int64(b.Age.Seconds()),
			"alarm": b.Alarm, "authorities": b.Authorities})
	}
	if !b.Authorities {
		fmt.Fprintln(s.out, "no authority is set: objects are hashed, not stamped; muniment authority add sets one")
	}
	fmt.Fprintf(s.out, "without a time stamp: %d objects in no batch yet, %d in %d batches that wait for theirs\n", b.Waiting, b.Pending, b.Batches)
	if b.Age > 0 {
		fmt.Fprintf(s.out, "the oldest has waited for %s\n", b.Age.Round(time.Second))
	}
	if b.Alarm {
		return &exitCode{exitFindings, fmt.Errorf("objects wait too long for a time stamp")}
	}
	return nil
}

func (c *sealStateCmd) seal(ctx context.Context, sealer *sealing.Sealer, s *streams) error {
	r, err := sealer.Now(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(s.out).Encode(r)
	} else if !r.NoAuthority {
		fmt.Fprintf(s.out, "%d objects in %d new batches; %d batches got their time stamp, %d wait for it\n", r.Objects, r.Batches, r.Stamped, r.Pending)
	}
	switch {
	case err != nil:
		return err
	case r.NoAuthority:
		return fmt.Errorf("no authority is set that gives time stamps; muniment authority add sets one")
	case r.Problem != nil:
		return fmt.Errorf("no time stamp (%s): %s", r.Problem.Code, r.Problem.Detail)
	}
	return nil
}
