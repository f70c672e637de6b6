package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/ingest/mailbox"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/spool"
)

func (a *app) newFetcher() (*mailbox.Fetcher, error) {
	dir, err := spool.Open(filepath.Join(a.config.Data, spoolDir, "fetch"))
	if err != nil {
		return nil, err
	}
	return mailbox.New(mailbox.Config{Archive: a.archive, Spool: dir, Log: a.log, PublicOnly: !a.config.Fetch.PrivateNetworks,
		Histories: filepath.Join(a.config.Data, "histories")})
}

type sourceAddMailboxCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	Name   string `arg:"" help:"Name of the source."`

	Host     string `required:"" help:"Mail server."`
	User     string `required:"" help:"User name there."`
	Protocol string `help:"${enum}; auto finds out." enum:"auto,imap,pop3" default:"auto"`
	Port     int    `help:"Port; 0 is the usual one." default:"0"`
	TLS      string `name:"tls" help:"${enum}; auto finds out and never goes without, none lets everybody on the way read password and mail." enum:"auto,implicit,starttls,none" default:"auto"`
	CA       string `name:"ca" help:"File with the certificate authorities to trust for this server (PEM)." type:"existingfile"`
	Pin      string `help:"SHA-256 of the only certificate to accept, hexadecimal; source test shows it."`
	logInFlags
	Every    time.Duration `help:"Time from one fetch to the next." default:"1m"`
	Keep     bool          `help:"Leave the messages on the server; they are deleted there otherwise. The mailbox will be full one day."`
	MaxSize  int64         `help:"Largest message to fetch, in MiB (1 to 150); larger ones stay on the server and are listed. 0: no limit." default:"0" placeholder:"MIB"`
	Folders  string        `help:"Folders to fetch by IMAP: ${enum}; all leaves out drafts, spam and trash, list takes those of --folder." enum:"inbox,all,list" default:"inbox"`
	Folder   []string      `help:"Folder to fetch with --folders list; may be repeated." sep:"none"`
	Without  []string      `help:"Folder to leave out with --folders all, with what lies below it; may be repeated." sep:"none"`
	Drafts   bool          `help:"With --folders all: drafts too."`
	Spam     bool          `help:"With --folders all: spam too."`
	Trash    bool          `help:"With --folders all: trash too."`
	Category string        `help:"Category of what arrives there."`
	NoReport bool          `name:"no-journal-reports" help:"Archive journal reports as they are, without unwrapping them."`
	Disabled bool          `help:"Add it switched off."`
	secret
}

func (c *sourceAddMailboxCmd) settings() (remote.Settings, error) {
	s := remote.Settings{Protocol: c.Protocol, Host: c.Host, Port: c.Port, TLS: c.TLS, Pin: c.Pin, User: c.User,
		Interval: int(c.Every / time.Second), Keep: c.Keep, MaxBytes: c.MaxSize << 20,
		Folders: c.Folders, Named: c.Folder, Without: c.Without, Drafts: c.Drafts, Spam: c.Spam, Trash: c.Trash}
	c.apply(&s)
	if c.NoReport {
		s.JournalReports = new(false)
	}
	if c.CA != "" {
		b, err := os.ReadFile(c.CA)
		if err != nil {
			return s, err
		}
		s.CA = string(b)
	}
	return s, s.Check()
}

func (c *sourceAddMailboxCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	set, err := c.settings()
	if err != nil {
		return usage(err)
	}
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	password, err := c.secretFor(ctx, s, a, set)
	if err != nil {
		return err
	}
	b, err := json.Marshal(set)
	if err != nil {
		return err
	}
	x, err := a.archive.CreateMailbox(ctx, t.ID, archive.SourceDraft{Name: c.Name, Category: c.Category, Disabled: c.Disabled, Settings: b, Secret: password})
	if err != nil {
		return taken(err, "source %q exists already", c.Name)
	}
	if set.TLS == remote.NoTLS {
		fmt.Fprintln(s.err, "warning: without TLS everybody on the way can read the password and the mail")
	}
	if set.Keep {
		fmt.Fprintln(s.err, "warning: messages stay on the server; somebody has to see to it that the mailbox does not become full")
	} else {
		fmt.Fprintln(s.err, "note: messages are deleted on the server once they are archived")
	}
	fmt.Fprintf(s.out, "added remote mailbox %s (%s); muniment serve fetches it, muniment source test %s %q tests it\n", x.Name, x.ID, c.Tenant, x.Name)
	return nil
}

// mailbox finds a remote mailbox by name.
func (a *app) mailbox(ctx context.Context, tenant, name string) (*archive.SourceView, error) {
	t, err := a.tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	list, err := a.archive.RemoteMailboxes(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Tenant == t.ID && list[i].Name == name {
			return &list[i], nil
		}
	}
	return nil, usage(fmt.Errorf("tenant %s has no remote mailbox %q; muniment source list %s shows all sources", tenant, name, tenant))
}

// openMailbox opens the archive and finds a remote mailbox in it, with what fetches
// it.
func (g *Globals) openMailbox(ctx context.Context, s *streams, tenant, name string) (*app, *archive.SourceView, *mailbox.Fetcher, error) {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return nil, nil, nil, err
	}
	v, err := a.mailbox(ctx, tenant, name)
	var f *mailbox.Fetcher
	if err == nil {
		f, err = a.newFetcher()
	}
	if err != nil {
		a.close()
		return nil, nil, nil, err
	}
	return a, v, f, nil
}

type sourceTestCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	Name   string `arg:"" help:"Name of the source."`
	JSON   bool   `help:"Print the result as JSON."`
}

func (c *sourceTestCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, v, f, err := g.openMailbox(ctx, s, c.Tenant, c.Name)
	if err != nil {
		return err
	}
	defer a.close()
	set, err := remote.Parse(v.Settings)
	if err != nil {
		return err
	}
	r := f.Test(ctx, set, a.secretOf(v))
	if err := c.show(s, r); err != nil {
		return err
	}
	if !r.OK {
		return fmt.Errorf("%s (%s)", r.Problem.Text, r.Problem.Code)
	}
	return nil
}

func (c *sourceTestCmd) show(s *streams, r remote.TestResult) error {
	if c.JSON {
		return json.NewEncoder(s.out).Encode(r)
	}
	for _, step := range r.Steps {
		mark := "failed"
		if step.OK {
			mark = "ok"
		}
		fmt.Fprintf(s.out, "%-7s %s: %s\n", mark, step.What, step.Text)
	}
	if r.Certificate != "" {
		fmt.Fprintln(s.out, "certificate (SHA-256):", r.Certificate)
	}
	for _, f := range r.Folders {
		fmt.Fprintf(s.out, "folder %s\n", f)
	}
	if r.Found != nil {
		fmt.Fprintf(s.out, "found: %s, port %d, TLS %s; %d messages to fetch\n", r.Found.Protocol, r.Found.Port, r.Found.TLS, r.Messages)
	}
	return nil
}

type sourceFetchCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	Name   string `arg:"" help:"Name of the source."`
	JSON   bool   `help:"Print the state afterwards as JSON."`
}

func (c *sourceFetchCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, v, f, err := g.openMailbox(ctx, s, c.Tenant, c.Name)
	if err != nil {
		return err
	}
	defer a.close()
	st, err := f.Fetch(ctx, v.Tenant, v.ID)
	if errors.Is(err, mailbox.ErrNoSource) {
		return usage(fmt.Errorf("remote mailbox %q is switched off", c.Name))
	}
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(s.out).Encode(st)
	} else {
		_, err = fmt.Fprintf(s.out, "%d stored, %d known already; on the server: %d, of them %d waiting, %d left there\n", st.Stored, st.Known, st.OnServer, st.Waiting, st.Left)
	}
	if err == nil && st.Problem != nil {
		err = fmt.Errorf("%s (%s: %s)", st.Problem.Text, st.Problem.Code, st.Problem.Detail)
	}
	return err
}
