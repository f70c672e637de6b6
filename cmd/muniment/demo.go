package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/demo"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/ingest/uploaded"
	"github.com/muniment/muniment/internal/uid"
)

type demoCmd struct {
	Listen string `help:"Address and port of the web interface." default:"127.0.0.1:8080"`
	SMTP   string `help:"Address and port of the SMTP receiver." default:"127.0.0.1:2525"`
	JSON   bool   `help:"Print addresses and log-ins as one line of JSON."`
}

// demoState marks a data directory as a demonstration and remembers what it needs
// at the next start.
type demoState struct {
	Journal string            `json:"journal"`
	Logins  []httpd.DemoLogin `json:"logins"`
	Sent    int               `json:"sent"`
}

// demoPassword is public: it opens invented mail only, and the demonstration
// listens on this machine alone unless told otherwise.
const demoPassword = "muniment-demo"

func (c *demoCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	conf, err := g.load()
	if err != nil {
		return err
	}
	conf.HTTP.Listen, conf.SMTP.Listen = c.Listen, c.SMTP
	if conf.Log.Level == "info" {
		conf.Log.Level = "warn"
	}
	state, err := readDemo(conf.Data)
	if err != nil {
		return err
	}
	if state == nil { // mark the directory first: whatever happens next, it stays recognisable
		state = &demoState{}
		if err := writeDemo(conf.Data, state); err != nil {
			return err
		}
	}
	a, err := openApp(ctx, conf, newLogger(conf, s), founding)
	if err != nil {
		return err
	}
	defer a.close()
	if state.Journal == "" {
		if state, err = a.createDemo(ctx); err != nil {
			return err
		}
	}
	srv, err := a.listen(ctx, &httpd.Demo{Logins: state.Logins})
	if err != nil {
		return err
	}
	runCtx, stop := context.WithCancel(ctx)
	defer stop()
	if err := a.demoSealing(runCtx); err != nil {
		return fmt.Errorf("test authority: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.run(runCtx) }()
	if state.Sent == 0 {
		if err := a.demoDocuments(ctx); err != nil {
			stop()
			return errors.Join(fmt.Errorf("archive sample documents: %w", err), <-ended)
		}
		if state.Sent, err = demo.Send(ctx, srv.smtpAddr, state.Journal); err != nil {
			stop()
			return errors.Join(fmt.Errorf("send sample mail: %w", err), <-ended)
		}
		if err := writeDemo(conf.Data, state); err != nil {
			return err
		}
	}
	c.announce(s, srv, state)
	return <-ended
}

func (c *demoCmd) announce(s *streams, srv *server, state *demoState) {
	if c.JSON {
		//nolint:errcheck // nobody reads the output any more
		json.NewEncoder(s.out).Encode(map[string]any{"url": srv.url(), "smtp": srv.smtpAddr, "journal": state.Journal, "logins": state.Logins, "sent": state.Sent})
		return
	}
	fmt.Fprintf(s.out, "\nMuniment demonstration: %d messages were received over SMTP.\n\n  Open   %s\n", state.Sent, srv.url())
	for _, l := range state.Logins {
		fmt.Fprintf(s.out, "  Log in as %-6s password %s   (%s, %s)\n", l.Login, l.Password, l.Name, l.Role)
	}
	fmt.Fprintf(s.out, "  Mail sent to %s at %s is archived at once.\n\nStop with Ctrl-C.\n", state.Journal, srv.smtpAddr)
}

// readDemo returns the state of the demonstration in dir, nil for a new or empty
// directory. Any other archive is refused: a demonstration never touches it.
func readDemo(dir string) (*demoState, error) {
	b, err := os.ReadFile(filepath.Join(dir, demoFile))
	if err == nil {
		var s demoState
		if err := json.Unmarshal(b, &s); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, demoFile), err)
		}
		return &s, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if len(entries) > 0 {
		return nil, usage(fmt.Errorf("%s is not empty and not a demonstration; choose another directory with --data", dir))
	}
	return nil, nil
}

func writeDemo(dir string, s *demoState) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, demoFile), append(b, '\n'), 0o600)
}

// createDemo makes tenant, users and journal address of the demonstration.
func (a *app) createDemo(ctx context.Context) (*demoState, error) {
	state := &demoState{}
	t, err := a.archive.CreateTenant(ctx, archive.NewTenant{Slug: demo.Tenant().Slug, Name: demo.Tenant().Name})
	if errors.Is(err, catalog.ErrTaken) { // an earlier start was interrupted
		t, err = a.archive.TenantBySlug(ctx, demo.Tenant().Slug)
	}
	if err != nil {
		return nil, err
	}
	for _, u := range demo.Users() {
		n := archive.NewUser{Tenant: t.ID, Login: u.Login, Name: u.Name, Role: access.Role(u.Role), Password: demoPassword, Addresses: u.Addresses, Shared: true, Demo: true}
		create := a.archive.CreateUser
		if n.Role == access.RoleOperator {
			create = a.archive.CreateOperator
		}
		if _, err := create(ctx, n); err != nil && !errors.Is(err, catalog.ErrTaken) {
			return nil, err
		}
		state.Logins = append(state.Logins, httpd.DemoLogin{Login: u.Login, Password: demoPassword, Name: u.Name, Role: u.Role})
	}
	if state.Journal, err = a.demoJournal(ctx, t.ID); err != nil {
		return nil, err
	}
	return state, writeDemo(a.config.Data, state)
}

// demoDocuments archives the documents of the demonstration; once, whatever is
// interrupted.
func (a *app) demoDocuments(ctx context.Context) error {
	t, err := a.archive.TenantBySlug(ctx, demo.Tenant().Slug)
	if err != nil {
		return err
	}
	source, err := a.archive.UploadSource(ctx, t.ID, uploaded.SourceName)
	if err != nil {
		return err
	}
	for _, d := range demo.Documents() {
		_, err := a.archive.Ingest(ctx, archive.Submission{Tenant: t.ID, Source: source.ID, Raw: bytes.NewReader(d.Content), Origin: d.Name, Category: d.Category,
			Document: &archive.Document{Name: d.Name, Title: d.Title, Date: d.Date, Owners: d.Owners}})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *app) demoJournal(ctx context.Context, tenant uid.ID) (string, error) {
	sources, err := a.archive.Sources(ctx, tenant)
	if err != nil {
		return "", err
	}
	for _, s := range sources {
		if s.Kind == archive.KindJournal {
			return s.JournalAddress, nil
		}
	}
	j, err := a.archive.CreateJournal(ctx, tenant, "Journal", "")
	if err != nil {
		return "", err
	}
	return j.JournalAddress, nil
}
