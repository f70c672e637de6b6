package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

type domainCmd struct {
	Add    domainAddCmd    `cmd:"" help:"Add a mail domain to a tenant. As soon as a tenant has one, mail for other domains goes to quarantine."`
	Remove domainRemoveCmd `cmd:"" help:"Remove a mail domain; what is archived stays. Without any domain, everything is archived."`
	List   domainListCmd   `cmd:"" help:"List the mail domains of a tenant."`
	Prove  domainProveCmd  `cmd:"" help:"Ask the DNS whether a mail domain is the tenant's own."`
}

type domainAddCmd struct {
	Tenant  string `arg:"" help:"Short name of the tenant."`
	Domain  string `arg:"" help:"Such as example.com."`
	AliasOf string `help:"Another domain of the tenant that it stands for: who has an address there gets the mail to the same address here." placeholder:"DOMAIN"`
}

func (c *domainAddCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	d, err := a.archive.AddDomain(ctx, t.ID, c.Domain, c.AliasOf)
	if errors.Is(err, catalog.ErrTaken) {
		return fmt.Errorf("tenant %s has the domain %s already", t.Slug, c.Domain)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "added %s; what a running server archives follows within seconds\n", d.Name)
	if d.Waiting > 0 {
		fmt.Fprintf(s.out, "%d messages in quarantine belong to it: muniment quarantine release %s --domain %s\n", d.Waiting, t.Slug, d.Name)
	}
	return nil
}

type domainRemoveCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	Domain string `arg:"" help:"Such as example.com."`
}

func (c *domainRemoveCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	err = a.archive.RemoveDomain(ctx, t.ID, c.Domain)
	if errors.Is(err, catalog.ErrNotFound) {
		return usage(fmt.Errorf("tenant %s has no domain %q; muniment domain list %s shows all", t.Slug, c.Domain, t.Slug))
	}
	if err != nil {
		return err
	}
	left, err := a.archive.DomainViews(ctx, t.ID)
	if err == nil && len(left) == 0 {
		fmt.Fprintln(s.out, "that was the last domain: everything is archived again, whoever it is for")
	}
	return err
}

type domainListCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	listing
}

func (c *domainListCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	list, err := a.archive.DomainViews(ctx, t.ID)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, d := range list {
		rows = append(rows, []any{d.Name, d.Main, d.Waiting})
	}
	return c.print(s, []string{"domain", "alias of", "waiting in quarantine"}, rows)
}

type selectionCmd struct {
	Show selectionShowCmd `cmd:"" help:"Show which addresses of a tenant are archived."`
	Set  selectionSetCmd  `cmd:"" help:"Archive only mail of these addresses from now on. What else comes is not stored, only counted."`
	Off  selectionOffCmd  `cmd:"" help:"Archive mail of all addresses again."`
}

type selectionShowCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
}

func (c *selectionShowCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	v, err := a.archive.SelectionOf(ctx, t.ID)
	if err != nil {
		return err
	}
	if !v.Enabled {
		fmt.Fprintln(s.out, "off: mail of all addresses is archived")
		return nil
	}
	fmt.Fprintf(s.out, "on since %s (%s): only mail of these %d addresses is archived\n", v.ChangedAt.Format(time.RFC3339), v.By, len(v.Addresses))
	for _, x := range v.Addresses {
		fmt.Fprintln(s.out, x)
	}
	return nil
}

type selectionSetCmd struct {
	Tenant    string   `arg:"" help:"Short name of the tenant."`
	Addresses []string `arg:"" optional:"" help:"Mail addresses that are archived."`
	Confirm   bool     `name:"i-know-that-law-may-demand-archiving" help:"Needed if this leaves out what was archived until now. Business letters and tax records may have to be kept for years, in Germany by HGB §257 and AO §147."`
}

func (c *selectionSetCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	err = a.archive.SetSelection(ctx, t.ID, true, c.Addresses, c.Confirm)
	if errors.Is(err, archive.ErrUnconfirmed) {
		return usage(errors.New("mail that is left out is not stored, and law may demand that it is, in Germany HGB §257 and AO §147; whoever has checked that adds --i-know-that-law-may-demand-archiving"))
	}
	return err
}

type selectionOffCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
}

func (c *selectionOffCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	v, err := a.archive.SelectionOf(ctx, t.ID)
	if err != nil {
		return err
	}
	return a.archive.SetSelection(ctx, t.ID, false, v.Addresses, false)
}

type quarantineCmd struct {
	List    quarantineListCmd    `cmd:"" help:"List what is in quarantine: when, from whom, to whom, subject and why; never what it says."`
	Release quarantineReleaseCmd `cmd:"" help:"Release messages: from then on they are archived messages like any other, for good."`
	Keep    quarantineKeepCmd    `cmd:"" help:"Note that messages stay in quarantine, and why."`
}

type quarantineListCmd struct {
	Tenant  string `arg:"" help:"Short name of the tenant."`
	State   string `help:"Which: waiting, kept, released, all." enum:"waiting,kept,released,all" default:"waiting"`
	Text    string `help:"Only with this text in subject, sender or recipients."`
	Belongs bool   `help:"Only what would be archived if it came now."`
	listing
}

func (c *quarantineListCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	r := archive.QuarantineRequest{Text: c.Text, Belongs: c.Belongs, Limit: 200}
	if c.State != "all" {
		r.States = []catalog.QuarantineState{catalog.QuarantineState(c.State)}
	}
	var rows [][]any
	for {
		page, err := a.archive.Quarantine(ctx, t.ID, r)
		if err != nil {
			return err
		}
		for _, v := range page.Items {
			rows = append(rows, []any{v.ID.String(), v.ReceivedAt.Format(time.RFC3339), v.SourceName, strings.Join(v.From, ", "), strings.Join(v.To, ", "), v.Subject, v.Size, v.Reason, string(v.State), v.Note})
		}
		if page.Next.IsZero() {
			break
		}
		r.Before = page.Next
	}
	return c.print(s, []string{"id", "received at", "source", "from", "to", "subject", "bytes", "reason", "state", "note"}, rows)
}

type quarantineReleaseCmd struct {
	Tenant string   `arg:"" help:"Short name of the tenant."`
	IDs    []string `arg:"" optional:"" name:"ids" help:"Which messages."`
	Domain string   `help:"Instead: everything that waits, would be archived now and is of this domain."`
	Reason string   `help:"Why."`
}

func (c *quarantineReleaseCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	if (c.Domain == "") == (len(c.IDs) == 0) {
		return usage(errors.New("name the messages, or a domain with --domain"))
	}
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	if c.Domain == "" {
		return decide(ctx, a, s, t, c.IDs, catalog.Released, c.Reason)
	}
	total := 0
	for {
		n, more, err := a.archive.ReleaseBelonging(ctx, t.ID, c.Domain, c.Reason)
		total += n
		if err != nil {
			return err
		}
		if !more || n == 0 {
			fmt.Fprintf(s.out, "released %d messages\n", total)
			return nil
		}
	}
}

type quarantineKeepCmd struct {
	Tenant string   `arg:"" help:"Short name of the tenant."`
	IDs    []string `arg:"" name:"ids" help:"Which messages."`
	Reason string   `help:"Why." required:""`
}

func (c *quarantineKeepCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	return decide(ctx, a, s, t, c.IDs, catalog.Kept, c.Reason)
}

func decide(ctx context.Context, a *app, s *streams, t *catalog.Tenant, ids []string, state catalog.QuarantineState, reason string) error {
	list := make([]uid.ID, len(ids))
	for i, x := range ids {
		var err error
		if list[i], err = uid.Parse(x); err != nil {
			return usage(fmt.Errorf("%q is no id of a message; muniment quarantine list %s shows them", x, t.Slug))
		}
	}
	n, err := a.archive.Decide(ctx, t.ID, list, state, reason)
	if errors.Is(err, catalog.ErrNotFound) {
		return usage(fmt.Errorf("one of them is not in quarantine, and nothing was done; muniment quarantine list %s shows what is", t.Slug))
	}
	if err == nil {
		fmt.Fprintf(s.out, "%s %d messages\n", state, n)
	}
	return err
}
