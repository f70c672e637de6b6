package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/muniment/muniment/internal/ingest/graph"
	"github.com/muniment/muniment/internal/ingest/importer"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/spool"
)

type importGraphCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`

	Directory string   `required:"" help:"Id of the directory (tenant id) at Microsoft, or one of its domains." placeholder:"ID"`
	ClientID  string   `name:"client-id" required:"" help:"Id of the registered application; it needs the permission Mail.Read, and User.Read.All for --all." placeholder:"ID"`
	Mailbox   []string `help:"Address of a mailbox to import; may be repeated." sep:"none" placeholder:"ADDRESS"`
	All       bool     `help:"Import all mailboxes of the directory."`
	List      bool     `help:"List the mailboxes of the directory, and do nothing else."`
	Drafts    bool     `help:"Drafts too."`
	Spam      bool     `help:"Spam too."`
	Trash     bool     `help:"Deleted items too."`

	Source   string        `help:"Name of the source the messages are filed under; made if there is none. A continued import needs the same." default:"Microsoft 365"`
	Category string        `help:"Category of the messages."`
	Tag      []string      `help:"Tag of the messages; may be repeated." sep:"none"`
	Again    bool          `help:"Fetch everything again that an earlier import has archived."`
	DryRun   bool          `help:"Count what would be imported, and fetch nothing."`
	Wait     time.Duration `help:"How long to wait for an archive that cannot store at present before giving up." default:"30s" placeholder:"TIME"`
	Report   string        `help:"Write the whole report here: CSV for .csv, text for .txt, else JSON; - is standard output." placeholder:"FILE"`
	Quiet    bool          `short:"q" help:"No progress."`

	Authority string `help:"Log-in server, if it is not the usual one: of a national cloud such as https://login.microsoftonline.us." placeholder:"URL"`
	URL       string `name:"graph-url" help:"Microsoft Graph, if it is not where the log-in server suggests." placeholder:"URL"`
	secret
}

func (c *importGraphCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	if err := c.check(); err != nil {
		return usage(err)
	}
	// The first interrupt ends the import in good order; a second one ends the
	// process at once, which loses nothing either.
	defer context.AfterFunc(ctx, func() { signal.Reset(os.Interrupt) })()
	secret, err := c.read(s)
	if err != nil {
		return err
	}
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	cfg := c.connection(a, secret)
	if c.List {
		return c.list(ctx, s, cfg)
	}
	if err := c.into(ctx, a, &cfg); err != nil {
		return err
	}
	if !c.Quiet {
		cfg.Progress = c.progress(s)
	}
	r, err := graph.Run(ctx, cfg)
	if r == nil {
		return err
	}
	told := (&importCmd{Report: c.Report}).tell(s, r)
	if r.Stored > 0 && err == nil && !c.DryRun {
		a.awaitIndex(ctx, cfg.Tenant, c.Wait)
	}
	return errors.Join(told, c.verdict(ctx, r, err))
}

func (c *importGraphCmd) check() error {
	set := remote.Settings{Protocol: remote.Auto, Host: "graph", TLS: remote.Auto, User: "graph", OAuth: remote.Microsoft, Method: remote.ByClient,
		Directory: c.Directory, ClientID: c.ClientID, Authority: c.Authority}
	chosen := 0
	for _, b := range []bool{len(c.Mailbox) > 0, c.All, c.List} {
		if b {
			chosen++
		}
	}
	var errs []error
	if chosen != 1 {
		errs = append(errs, errors.New("want one of --mailbox, --all, --list"))
	}
	if err := remote.CheckAuthority(c.URL); err != nil {
		errs = append(errs, fmt.Errorf("--graph-url: %w", err))
	}
	if c.Source == "" || c.Wait <= 0 {
		errs = append(errs, errors.New("--source must not be empty, --wait above 0"))
	}
	return errors.Join(append(errs, set.Check(), (&importCmd{Report: c.Report}).reportable())...)
}

// connection is how Graph is asked.
func (c *importGraphCmd) connection(a *app, secret string) graph.Config {
	app := oauth.App{Provider: remote.Microsoft, Directory: c.Directory, ClientID: c.ClientID, Authority: c.Authority, Scopes: oauth.GraphScopes(c.Authority)}
	url := c.URL
	if url == "" {
		url = oauth.GraphURL(c.Authority)
	}
	return graph.Config{
		HTTP:   oauth.NewHTTP(oauth.Config{AllowPrivate: a.config.Fetch.PrivateNetworks}, 0),
		Tokens: a.newOAuth().Keep(app, remote.ByClient, oauth.NewMemory([]byte(secret))), URL: url, Log: a.log,
		Mailboxes: c.Mailbox, Drafts: c.Drafts, Spam: c.Spam, Trash: c.Trash, Category: c.Category, Tags: c.Tag, RetryFor: c.Wait, Again: c.Again, DryRun: c.DryRun,
	}
}

// into names the archive's side of the import.
func (c *importGraphCmd) into(ctx context.Context, a *app, cfg *graph.Config) error {
	t, err := a.tenant(ctx, c.Tenant)
	if err != nil || c.DryRun {
		return err
	}
	source, err := a.archive.ImportSource(ctx, t.ID, c.Source, "")
	if err != nil {
		return err
	}
	cfg.Archive, cfg.Tenant, cfg.Source = a.archive, t.ID, source.ID
	cfg.State = filepath.Join(a.config.Data, importState)
	cfg.Spool, err = spool.Open(filepath.Join(a.config.Data, spoolDir, "graph"))
	return err
}

func (c *importGraphCmd) list(ctx context.Context, s *streams, cfg graph.Config) error {
	users, err := graph.Mailboxes(ctx, cfg)
	if err != nil {
		return errors.New(graph.Plain(err))
	}
	rows := make([][]any, len(users))
	for i, u := range users {
		rows[i] = []any{u.Mail, u.Name}
	}
	return (&listing{}).print(s, []string{"address", "name"}, rows)
}

// progress writes a line now and then.
func (c *importGraphCmd) progress(s *streams) func(graph.Progress) {
	last := make(chan time.Time, 1) // it is called by many
	last <- time.Now()
	return func(p graph.Progress) {
		at := <-last
		if time.Since(at) >= plainEvery {
			at = time.Now()
			fmt.Fprintf(s.err, "import: mailbox %d of %d (%s, %q), %d messages, %.1f MB\n", p.Done+1, p.Mailboxes, p.Mailbox, p.Folder, p.Messages, float64(p.Bytes)/1e6)
		}
		last <- at
	}
}

// verdict turns how the run ended into the exit code, and says how to go on.
func (c *importGraphCmd) verdict(ctx context.Context, r *importer.Report, err error) error {
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("import interrupted; what is stored stays. To go on: %s", commandLine(os.Args))
	case err != nil:
		return fmt.Errorf("%s\nWhat is stored stays. To go on when the cause is removed: %s", graph.Plain(err), commandLine(os.Args))
	case r.Failed > 0:
		return &exitCode{exitFindings, fmt.Errorf("%d mailboxes, folders or messages could not be read or stored; the next run tries them again", r.Failed)}
	}
	return nil
}
