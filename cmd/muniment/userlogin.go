package main

import (
	"context"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
)

// who names a user of a tenant on the command line.
type who struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	Login  string `arg:"" help:"User name."`
}

// do opens the archive and acts on the user.
func (w *who) do(ctx context.Context, g *Globals, s *streams, act func(*archive.Archive, *catalog.User) error) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	u, err := a.user(ctx, w.Tenant, w.Login)
	if err != nil {
		return err
	}
	return act(a.archive, u)
}

// whichOperator names an operator on the command line.
type whichOperator struct {
	Login string `arg:"" help:"User name."`
}

func (w *whichOperator) do(ctx context.Context, g *Globals, s *streams, act func(*archive.Archive, *catalog.User) error) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	u, err := a.operator(ctx, w.Login)
	if err != nil {
		return err
	}
	return act(a.archive, u)
}

type userLinkCmd struct{ who }

func (c *userLinkCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return c.do(ctx, g, s, func(a *archive.Archive, u *catalog.User) error { return printLink(ctx, s, a, u) })
}

type operatorLinkCmd struct{ whichOperator }

func (c *operatorLinkCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return c.do(ctx, g, s, func(a *archive.Archive, u *catalog.User) error { return printLink(ctx, s, a, u) })
}

// printLink writes the link alone on a line of standard output, for scripts.
func printLink(ctx context.Context, s *streams, a *archive.Archive, u *catalog.User) error {
	i, err := a.Invite(ctx, u)
	if err != nil {
		return usage(err)
	}
	fmt.Fprintln(s.out, i.URL)
	fmt.Fprintf(s.err, "works once, until %s; whoever has it can become %s\n", i.ExpiresAt.Local().Format(time.DateTime), u.Login)
	return nil
}

type userFactorsCmd struct{ who }

func (c *userFactorsCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return c.do(ctx, g, s, func(a *archive.Archive, u *catalog.User) error { return a.ResetFactors(ctx, u) })
}

type operatorFactorsCmd struct{ whichOperator }

func (c *operatorFactorsCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return c.do(ctx, g, s, func(a *archive.Archive, u *catalog.User) error { return a.ResetFactors(ctx, u) })
}

type userSessionsCmd struct {
	who
	End bool `help:"End all of them."`
	listing
}

func (c *userSessionsCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return c.do(ctx, g, s, func(a *archive.Archive, u *catalog.User) error {
		if c.End {
			return a.EndSessions(ctx, u)
		}
		list, err := a.UserSessions(ctx, u)
		if err != nil {
			return err
		}
		var rows [][]any
		for _, x := range list {
			rows = append(rows, []any{x.ID.String(), x.Peer, x.CreatedAt.Format(time.RFC3339), x.SeenAt.Format(time.RFC3339), x.Method, x.UserAgent})
		}
		return c.print(s, []string{"session", "from", "since", "last used", "by", "browser"}, rows)
	})
}
