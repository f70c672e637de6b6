package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
)

type tenantCmd struct {
	Create tenantCreateCmd `cmd:"" help:"Create a tenant with a journal address."`
	List   tenantListCmd   `cmd:"" help:"List tenants."`

	Suspend tenantSuspendCmd `cmd:"" help:"Let nobody of a tenant log in; its mail is still archived."`
	Resume  tenantResumeCmd  `cmd:"" help:"Undo suspend or end."`
	End     tenantEndCmd     `cmd:"" help:"Take no more mail for a tenant; it can be read until the hand-over."`
	Delete  tenantDeleteCmd  `cmd:"" help:"Destroy a tenant that has ended, for good, and print the certificate. No server may run."`
	Usage   tenantUsageCmd   `cmd:"" help:"List what tenants have used in a month."`
}

type tenantCreateCmd struct {
	Slug string `arg:"" help:"Short name: a-z, 0-9 and -."`
	Name string `help:"Name as people read it."`
	Zone string `help:"IANA time zone." default:"Europe/Berlin"`
}

func (c *tenantCreateCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, founding)
	if err != nil {
		return err
	}
	defer a.close()
	t, err := a.archive.CreateTenant(ctx, archive.NewTenant{Slug: c.Slug, Name: c.Name, Zone: c.Zone})
	if err != nil {
		return taken(err, "tenant %q exists already", c.Slug)
	}
	j, err := a.archive.CreateJournal(ctx, t.ID, "Journal", "")
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "created tenant %s (%s)\njournal address: %s\n", t.Slug, t.ID, j.JournalAddress)
	return nil
}

// listing is for commands that list something.
type listing struct {
	JSON bool `name:"json" help:"One JSON object per line."`
}

// print writes the rows of a list: as JSON objects whose members are named by the
// columns, or as a table.
func (l *listing) print(s *streams, columns []string, rows [][]any) error {
	if l.JSON {
		enc := json.NewEncoder(s.out)
		for _, row := range rows {
			object := make(map[string]any, len(columns))
			for i, c := range columns {
				object[strings.ReplaceAll(c, " ", "_")] = row[i]
			}
			if err := enc.Encode(object); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.ToUpper(strings.Join(columns, "\t")))
	for _, row := range rows {
		for i, cell := range row {
			if list, ok := cell.([]string); ok {
				cell = strings.Join(list, " ")
			}
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

type tenantListCmd struct{ listing }

func (c *tenantListCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	tenants, err := a.archive.Tenants(ctx)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, t := range tenants {
		st, err := a.archive.Figures(ctx, t.ID)
		if err != nil {
			return err
		}
		rows = append(rows, []any{t.Slug, t.Name, t.State, st.Messages, st.RawBytes, st.StoredBytes, st.Unindexed})
	}
	return c.print(s, []string{"slug", "name", "state", "messages", "raw bytes", "stored bytes", "not yet searchable"}, rows)
}

// tenants returns the tenant called slug, or all.
func (a *app) tenants(ctx context.Context, slug string) ([]*catalog.Tenant, error) {
	if slug == "" {
		return a.archive.Tenants(ctx)
	}
	t, err := a.tenant(ctx, slug)
	if err != nil {
		return nil, err
	}
	return []*catalog.Tenant{t}, nil
}

// tenantOf opens the archive and finds a tenant.
func (g *Globals) tenantOf(ctx context.Context, s *streams, slug string) (*app, *catalog.Tenant, error) {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return nil, nil, err
	}
	t, err := a.tenant(ctx, slug)
	if err != nil {
		a.close()
		return nil, nil, err
	}
	return a, t, nil
}

func (a *app) tenant(ctx context.Context, slug string) (*catalog.Tenant, error) {
	t, err := a.archive.TenantBySlug(ctx, slug)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, usage(fmt.Errorf("there is no tenant %q; muniment tenant list shows all", slug))
	}
	return t, err
}

// taken turns ErrTaken into a message for people.
func taken(err error, format string, args ...any) error {
	if errors.Is(err, catalog.ErrTaken) {
		return fmt.Errorf(format+"; choose another", args...)
	}
	return err
}

type sourceCmd struct {
	Create     sourceCreateCmd     `cmd:"" help:"Create a journal address."`
	AddFolder  sourceAddFolderCmd  `cmd:"" help:"Add a watched folder, whose files the server archives as documents."`
	AddMailbox sourceAddMailboxCmd `cmd:"" help:"Add a remote mailbox, which the server fetches by IMAP or POP3."`
	LogIn      sourceLogInCmd      `cmd:"" help:"Log in to a remote mailbox anew, by a code in the browser."`
	Test       sourceTestCmd       `cmd:"" help:"Test the connection to a remote mailbox, and say what is wrong."`
	Fetch      sourceFetchCmd      `cmd:"" help:"Fetch a remote mailbox once, now."`
	History    sourceHistoryCmd    `cmd:"" help:"Archive the whole history of a remote mailbox, all folders, once; remove what is old from its server, if asked to."`
	List       sourceListCmd       `cmd:"" help:"List the sources of a tenant."`
}

type sourceCreateCmd struct {
	Tenant   string `arg:"" help:"Short name of the tenant."`
	Name     string `arg:"" help:"Name of the source."`
	Category string `help:"Category of what arrives there."`
}

func (c *sourceCreateCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	j, err := a.archive.CreateJournal(ctx, t.ID, c.Name, c.Category)
	if err != nil {
		return taken(err, "source %q exists already", c.Name)
	}
	fmt.Fprintln(s.out, "journal address:", j.JournalAddress)
	return nil
}

type sourceListCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	listing
}

func (c *sourceListCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	sources, err := a.archive.Sources(ctx, t.ID)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, x := range sources {
		rows = append(rows, []any{x.Kind, x.Name, x.Category, x.JournalAddress})
	}
	return c.print(s, []string{"kind", "name", "category", "journal address"}, rows)
}
