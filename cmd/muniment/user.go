package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
)

type userCmd struct {
	Create   userCreateCmd   `cmd:"" help:"Create a user."`
	List     userListCmd     `cmd:"" help:"List the users of a tenant."`
	Password userPasswordCmd `cmd:"" help:"Set a user's password and end all sessions."`
	Change   userChangeCmd   `cmd:"" help:"Change a user's name, role, addresses; disable or enable."`

	Link         userLinkCmd     `cmd:"" help:"Print a one-time link with which a user sets a password."`
	ResetFactors userFactorsCmd  `cmd:"" help:"Remove a user's authenticator application, passkeys and recovery codes, and end all sessions."`
	Sessions     userSessionsCmd `cmd:"" help:"List a user's sessions, or end them."`
}

// secret is where a password comes from: never from the command line, where
// other users of the machine could read it.
type secret struct {
	PasswordFile string `help:"File whose first line is the password; otherwise it is read from standard input." type:"existingfile"`
}

func (p *secret) read(s *streams) (string, error) {
	in := os.Stdin
	if p.PasswordFile != "" {
		f, err := os.Open(p.PasswordFile)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	} else {
		fmt.Fprint(s.err, "Password: ")
	}
	line, err := bufio.NewReader(in).ReadString('\n')
	if line == "" && err != nil {
		return "", usage(errors.New("password: none given on standard input"))
	}
	return strings.TrimRight(line, "\r\n"), nil
}

type userCreateCmd struct {
	Tenant   string   `arg:"" help:"Short name of the tenant."`
	Login    string   `arg:"" help:"User name; cannot be changed later."`
	Name     string   `help:"Name as people read it."`
	Role     string   `help:"${enum}." enum:"user,tenant-admin,auditor,dpo" default:"user"`
	Language string   `help:"de, en, or empty for the browser's." enum:",de,en" default:""`
	Address  []string `short:"a" help:"Mail address whose mail the user may see; may be repeated."`
	secret
}

func (c *userCreateCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	pw, err := c.read(s)
	if err != nil {
		return err
	}
	u, err := a.archive.CreateUser(ctx, archive.NewUser{Tenant: t.ID, Login: c.Login, Name: c.Name, Role: access.Role(c.Role), Password: pw, Language: c.Language, Addresses: c.Address})
	if err != nil {
		return taken(err, "user %q exists already", c.Login)
	}
	fmt.Fprintf(s.out, "created user %s (%s)\n", u.Login, u.ID)
	return nil
}

type userListCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	listing
}

func (c *userListCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	users, err := a.archive.Users(ctx, t.ID)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, u := range users {
		state := "active"
		if u.Disabled {
			state = "disabled"
		}
		rows = append(rows, []any{u.Login, u.Name, u.Role, state, u.Addresses})
	}
	return c.print(s, []string{"login", "name", "role", "state", "addresses"}, rows)
}

type userPasswordCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	Login  string `arg:"" help:"User name."`
	secret
}

func (c *userPasswordCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	u, err := a.user(ctx, c.Tenant, c.Login)
	if err != nil {
		return err
	}
	pw, err := c.read(s)
	if err != nil {
		return err
	}
	return a.archive.SetPassword(ctx, u, pw)
}

type userChangeCmd struct {
	Tenant        string   `arg:"" help:"Short name of the tenant."`
	Login         string   `arg:"" help:"User name."`
	Name          *string  `help:"New name."`
	Role          *string  `help:"New role: user, tenant-admin, auditor or dpo."`
	AddAddress    []string `help:"Mail address to add; may be repeated."`
	RemoveAddress []string `help:"Mail address to remove; may be repeated."`
	Disable       bool     `help:"No log-in any more; ends all sessions." xor:"state"`
	Enable        bool     `help:"Log-in again." xor:"state"`
}

func (c *userChangeCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	u, err := a.user(ctx, c.Tenant, c.Login)
	if err != nil {
		return err
	}
	if err := c.apply(u); err != nil {
		return usage(err)
	}
	return a.archive.ChangeUser(ctx, u)
}

func (c *userChangeCmd) apply(u *catalog.User) error {
	add, err := archive.Addresses(c.AddAddress)
	if err != nil {
		return err
	}
	remove, err := archive.Addresses(c.RemoveAddress)
	if err != nil {
		return err
	}
	u.Addresses = slices.DeleteFunc(u.Addresses, func(x string) bool { return slices.Contains(remove, x) })
	for _, x := range add {
		if !slices.Contains(u.Addresses, x) {
			u.Addresses = append(u.Addresses, x)
		}
	}
	if c.Name != nil {
		u.Name = *c.Name
	}
	if c.Role != nil {
		r, err := access.ParseRole(*c.Role)
		if err != nil || !r.OfTenant() {
			return fmt.Errorf("role %q: want user, tenant-admin, auditor or dpo", *c.Role)
		}
		u.Role = string(r)
	}
	u.Disabled = (u.Disabled || c.Disable) && !c.Enable
	return nil
}

func (a *app) user(ctx context.Context, slug, login string) (*catalog.User, error) {
	t, err := a.tenant(ctx, slug)
	if err != nil {
		return nil, err
	}
	u, err := a.archive.User(ctx, t.ID, login)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, usage(fmt.Errorf("tenant %s has no user %q; muniment user list %s shows all", slug, login, slug))
	}
	return u, err
}
