package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
)

type resellerCmd struct {
	Create resellerCreateCmd `cmd:"" help:"Create a reseller."`
	List   resellerListCmd   `cmd:"" help:"List resellers, with what their customers use."`
	Change resellerChangeCmd `cmd:"" help:"Change a reseller: limits, host name, how the archive looks to its customers."`
	Staff  resellerStaffCmd  `cmd:"" help:"Add a user who looks after the customers of a reseller."`
}

// resellerLimits are the limits of a reseller.
type resellerLimits struct {
	Customers *int   `help:"How many customers it may have; 0: any number."`
	Mailboxes *int   `help:"Mailboxes of all customers from which on it is warned; 0: none."`
	Storage   *int64 `help:"Stored bytes of all customers from which on it is warned; 0: none."`
}

// over returns the limits with those that were given.
func (l resellerLimits) over(old catalog.Limits) catalog.Limits {
	if l.Customers != nil {
		old.Customers = *l.Customers
	}
	if l.Mailboxes != nil {
		old.Mailboxes = *l.Mailboxes
	}
	if l.Storage != nil {
		old.Storage = *l.Storage
	}
	return old
}

type resellerCreateCmd struct {
	Slug string `arg:"" help:"Short name: a-z, 0-9 and -."`
	Name string `help:"Name as people read it."`
	Host string `help:"Host name under which its customers reach the archive."`
	resellerLimits
}

func (c *resellerCreateCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, founding)
	if err != nil {
		return err
	}
	defer a.close()
	limits := c.over(catalog.Limits{Customers: archive.DefaultCustomers, Mailboxes: archive.DefaultMailboxes})
	r, err := a.archive.AsOperator().CreateReseller(ctx, archive.NewReseller{Slug: c.Slug, Name: c.Name, Host: c.Host, Limits: &limits})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "created reseller %s (%s)\n", r.Slug, r.ID)
	return nil
}

type resellerListCmd struct{ listing }

func (c *resellerListCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	list, err := a.archive.AsOperator().Resellers(ctx)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, r := range list {
		rows = append(rows, []any{r.Slug, r.Name, r.Host, r.Tenants, r.Reseller.Limits.Customers, r.Mailboxes, r.Reseller.Limits.Mailboxes, r.Stored, r.Reseller.Limits.Storage})
	}
	return c.print(s, []string{"slug", "name", "host", "customers", "customer limit", "mailboxes", "mailbox limit", "stored bytes", "storage limit"}, rows)
}

// reseller finds a reseller by its short name.
func (a *app) reseller(ctx context.Context, slug string) (*archive.ResellerView, error) {
	list, err := a.archive.AsOperator().Resellers(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Slug == slug {
			return &list[i], nil
		}
	}
	return nil, usage(fmt.Errorf("there is no reseller %q; muniment reseller list shows all", slug))
}

type resellerChangeCmd struct {
	Slug    string  `arg:"" help:"Short name of the reseller."`
	Name    *string `help:"Name as people read it."`
	Host    *string `help:"Host name under which its customers reach the archive; empty: none."`
	Brand   *string `help:"Name that customers see in place of Muniment; empty: Muniment."`
	Accent  *string `help:"Colour such as #0b5b5c, dark enough for white letters; empty: that of Muniment."`
	Support *string `help:"Mail address for questions, on the log-in page; empty: none."`
	ReplyTo *string `help:"Reply address of mail to customers; empty: none."`
	Logo    string  `help:"File with the logo, PNG, at most 256 KiB." type:"existingfile"`
	NoLogo  bool    `help:"Remove the logo."`
	resellerLimits
}

func (c *resellerChangeCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	r, err := a.reseller(ctx, c.Slug)
	if err != nil {
		return err
	}
	limits := c.over(r.Reseller.Limits)
	look := r.Branding
	for to, from := range map[*string]*string{&look.Name: c.Brand, &look.Accent: c.Accent, &look.Support: c.Support, &look.ReplyTo: c.ReplyTo} {
		if from != nil {
			*to = *from
		}
	}
	change := archive.ResellerChange{Name: c.Name, Host: c.Host, Limits: &limits, Branding: &look}
	switch {
	case c.NoLogo && c.Logo != "":
		return usage(errors.New("--logo and --no-logo exclude each other"))
	case c.NoLogo:
		change.Logo = []byte{}
	case c.Logo != "":
		if change.Logo, err = os.ReadFile(c.Logo); err != nil {
			return err
		}
	}
	return a.archive.AsOperator().ChangeReseller(ctx, r.ID, change)
}

type resellerStaffCmd struct {
	Slug  string `arg:"" help:"Short name of the reseller."`
	Login string `arg:"" help:"User name; cannot be changed later."`
	Name  string `help:"Name as people read it."`
	secret
}

func (c *resellerStaffCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	r, err := a.reseller(ctx, c.Slug)
	if err != nil {
		return err
	}
	pw, err := c.read(s)
	if err != nil {
		return err
	}
	u, err := a.archive.AsOperator().AddStaff(ctx, r.ID, archive.NewUser{Login: c.Login, Name: c.Name, Password: pw})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s looks after the customers of %s\n", u.Login, r.Slug)
	return nil
}
