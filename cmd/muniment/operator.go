package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
)

type operatorCmd struct {
	Create   operatorCreateCmd   `cmd:"" help:"Create an operator."`
	List     operatorListCmd     `cmd:"" help:"List the operators."`
	Password operatorPasswordCmd `cmd:"" help:"Set an operator's password and end all sessions."`
	Change   operatorChangeCmd   `cmd:"" help:"Change an operator's name; disable or enable."`

	Link         operatorLinkCmd    `cmd:"" help:"Print a one-time link with which an operator sets a password."`
	ResetFactors operatorFactorsCmd `cmd:"" help:"Remove an operator's authenticator application, passkeys and recovery codes, and end all sessions."`
}

type operatorCreateCmd struct {
	Login    string `arg:"" help:"User name; cannot be changed later."`
	Name     string `help:"Name as people read it."`
	Language string `help:"de, en, or empty for the browser's." enum:",de,en" default:""`
	secret
}

func (c *operatorCreateCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, founding)
	if err != nil {
		return err
	}
	defer a.close()
	pw, err := c.read(s)
	if err != nil {
		return err
	}
	u, err := a.archive.CreateOperator(ctx, archive.NewUser{Login: c.Login, Name: c.Name, Password: pw, Language: c.Language})
	if err != nil {
		return taken(err, "operator %q exists already", c.Login)
	}
	fmt.Fprintf(s.out, "created operator %s (%s)\n", u.Login, u.ID)
	return nil
}

type operatorListCmd struct{ listing }

func (c *operatorListCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	list, err := a.archive.Operators(ctx)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, u := range list {
		state := "active"
		if u.Disabled {
			state = "disabled"
		}
		rows = append(rows, []any{u.Login, u.Name, state})
	}
	return c.print(s, []string{"login", "name", "state"}, rows)
}

func (a *app) operator(ctx context.Context, login string) (*catalog.User, error) {
	u, err := a.archive.Operator(ctx, login)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, usage(fmt.Errorf("there is no operator %q; muniment operator list shows all", login))
	}
	return u, err
}

type operatorPasswordCmd struct {
	Login string `arg:"" help:"User name."`
	secret
}

func (c *operatorPasswordCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	u, err := a.operator(ctx, c.Login)
	if err != nil {
		return err
	}
	pw, err := c.read(s)
	if err != nil {
		return err
	}
	return a.archive.SetPassword(ctx, u, pw)
}

type operatorChangeCmd struct {
	Login   string  `arg:"" help:"User name."`
	Name    *string `help:"New name."`
	Disable bool    `help:"No log-in any more; ends all sessions." xor:"state"`
	Enable  bool    `help:"Log-in again." xor:"state"`
}

func (c *operatorChangeCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	u, err := a.operator(ctx, c.Login)
	if err != nil {
		return err
	}
	if c.Name != nil {
		u.Name = *c.Name
	}
	u.Disabled = (u.Disabled || c.Disable) && !c.Enable
	return a.archive.ChangeUser(ctx, u)
}
