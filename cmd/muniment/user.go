package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
)

type userCmd struct {
	Create   userCreateCmd   `cmd:"" help:"Create a user."`
	List     userListCmd     `cmd:"" help:"List the users of a tenant."`
	Password userPasswordCmd `cmd:"" help:"Set a user's password and end all sessions."`
	Change   userChangeCmd   `cmd:"" help:"Change a user's names, role, addresses, last day; disable or enable."`
	Import   userImportCmd   `cmd:"" help:"Make users from a CSV file: user id, password, first name, last name, e-mail addresses; all of them, or none."`
	Export   userExportCmd   `cmd:"" help:"Write the users as such a file to standard output."`

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

// person are the members of a user that commands set.
type person struct {
	Name      *string `help:"Name as people read it; empty: first and last name, or else the login."`
	FirstName *string `help:"First name."`
	LastName  *string `help:"Last name."`
	Expires   *string `help:"Last day of log-ins, such as 2027-03-31, in the tenant's zone; empty: for ever." placeholder:"DAY"`
	Shared    bool    `help:"Addresses may belong to other users as well: shared mailboxes."`
}

type userCreateCmd struct {
	Tenant   string   `arg:"" help:"Short name of the tenant."`
	Login    string   `arg:"" help:"User name; cannot be changed later."`
	Role     string   `help:"${enum}." enum:"user,tenant-admin,auditor,dpo" default:"user"`
	Language string   `help:"de, en, or empty for the browser's." enum:",de,en" default:""`
	Address  []string `short:"a" help:"Mail address whose mail the user may see; may be repeated."`
	None     bool     `name:"no-password" help:"Set no password: nobody logs in with one until one is set."`
	person
	secret
}

func (c *userCreateCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	n := archive.NewUser{Tenant: t.ID, Login: c.Login, Name: deref(c.Name), FirstName: deref(c.FirstName), LastName: deref(c.LastName), ExpiresOn: deref(c.Expires),
		Role: access.Role(c.Role), Language: c.Language, Addresses: c.Address, Shared: c.Shared}
	if !c.None {
		if n.Password, err = c.read(s); err != nil {
			return err
		}
		if n.Password == "" {
			return usage(errors.New("password: is empty; --no-password makes a user without one"))
		}
	}
	u, err := a.archive.CreateUser(ctx, n)
	if err != nil {
		return taken(err, "user %q exists already", c.Login)
	}
	fmt.Fprintf(s.out, "created user %s (%s)\n", u.Login, u.ID)
	return nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
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
		switch {
		case u.Disabled:
			state = "disabled"
		case !u.ExpiresAt.IsZero() && !time.Now().Before(u.ExpiresAt):
			state = "expired"
		}
		seen := ""
		if !u.LoggedInAt.IsZero() {
			seen = u.LoggedInAt.Local().Format("2006-01-02 15:04")
		}
		rows = append(rows, []any{u.Login, u.Name, u.Role, state, seen, u.Addresses})
	}
	return c.print(s, []string{"login", "name", "role", "state", "last log-in", "addresses"}, rows)
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
	Role          *string  `help:"New role: user, tenant-admin, auditor or dpo."`
	AddAddress    []string `help:"Mail address to add; may be repeated."`
	RemoveAddress []string `help:"Mail address to remove; may be repeated."`
	Disable       bool     `help:"No log-in any more; ends all sessions." xor:"state"`
	Enable        bool     `help:"Log-in again." xor:"state"`
	person
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
	change := archive.UserChange{Name: c.Name, FirstName: c.FirstName, LastName: c.LastName, ExpiresOn: c.Expires, Add: c.AddAddress, Remove: c.RemoveAddress, Shared: c.Shared}
	if c.Role != nil {
		change.Role = new(access.Role(*c.Role))
	}
	if c.Disable || c.Enable {
		change.Disabled = new(c.Disable)
	}
	v, err := a.archive.ChangeUserOf(ctx, u.Tenant, u.ID, change)
	if errors.Is(err, archive.ErrInvalid) {
		return usage(err)
	}
	if err != nil || len(c.AddAddress)+len(c.RemoveAddress) == 0 || v.Sees == nil {
		return err
	}
	more := ""
	if !v.Sees.Exact {
		more = "more than "
	}
	fmt.Fprintf(s.out, "%s sees %s%d archived messages now\n", v.Login, more, v.Sees.N)
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
