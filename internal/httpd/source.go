package httpd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/setting"
	"github.com/muniment/muniment/internal/uid"
)

// Fetcher fetches from remote mailboxes.
type Fetcher interface {
	// Test tries settings with a password, token or log-in, and ends when ctx does.
	Test(ctx context.Context, s remote.Settings, secret oauth.Store) remote.TestResult
	// FetchNow asks for a fetch and does not wait for it.
	FetchNow(tenant, source uid.ID) error
}

// testTime bounds the test of settings: it has to end before the request does.
const testTime = 50 * time.Second

// Sources implements api.Service.
func (s *Server) Sources(ctx context.Context) (*api.Sources, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	views, err := h.Sources(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.Sources{Sources: []api.Source{}, Fetches: s.cfg.Fetcher != nil}
	for i := range views {
		out.Sources = append(out.Sources, *s.describeSource(&views[i]))
	}
	return out, nil
}

// sourceOf finds a source that a client names.
func (s *Server) sourceOf(ctx context.Context, id string) (*archive.Handle, *archive.SourceView, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, nil, err
	}
	source, err := uid.Parse(id)
	if err != nil { // still asks the archive: the right is checked before existence
		source = uid.ID{}
	}
	v, err := h.Source(ctx, source)
	return h, v, err
}

// Source implements api.Service.
func (s *Server) Source(ctx context.Context, id string) (*api.Source, error) {
	_, v, err := s.sourceOf(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.describeSource(v), nil
}

// describeSource leaves out settings and state that cannot be read: the page with
// which they are set right must open.
func (s *Server) describeSource(v *archive.SourceView) *api.Source {
	out := &api.Source{ID: v.ID.String(), Kind: v.Kind, Name: v.Name, Category: v.Category, Disabled: v.Disabled, CreatedAt: v.CreatedAt,
		JournalAddress: v.JournalAddress, HasPassword: v.HasSecret, HintPeers: []string{}}
	if v.Kind == archive.KindFolder {
		s.describeFolder(v, out)
	}
	if v.Kind == archive.KindJournal {
		var set archive.CommonSettings
		if err := json.Unmarshal(v.Settings, &set); err != nil {
			s.cfg.Log.Error("settings of a journal cannot be read", "source", v.ID, "error", err)
		}
		out.HintPeers, out.Workspace = list(set.HintPeers), set.Workspace
	}
	if v.Kind != archive.KindMailbox {
		return out
	}
	if set, err := remote.Parse(v.Settings); err == nil {
		m := api.Mailbox(set)
		out.Mailbox = &m
	} else {
		s.cfg.Log.Error("settings of a remote mailbox cannot be read", "source", v.ID, "error", err)
	}
	if v.State != nil {
		var st remote.State
		if err := json.Unmarshal(v.State, &st); err == nil {
			out.State = describeState(&st)
		} else {
			s.cfg.Log.Error("state of a remote mailbox cannot be read", "source", v.ID, "error", err)
		}
	}
	return out
}

func describeState(st *remote.State) *api.MailboxState {
	return &api.MailboxState{Fetching: st.Fetching, LastAt: st.LastAt, LastOKAt: st.LastOKAt, NextAt: st.NextAt,
		Found: describeFound(st.Found), Problem: (*api.MailboxProblem)(st.Problem),
		Stored: st.Stored, Known: st.Known, Waiting: st.Waiting, OnServer: st.OnServer, Left: st.Left}
}

func describeFound(f *remote.Found) *api.MailboxFound {
	if f == nil {
		return nil
	}
	return &api.MailboxFound{Protocol: f.Protocol, Port: f.Port, TLS: f.TLS}
}

// CreateSource implements api.Service.
func (s *Server) CreateSource(ctx context.Context, n api.NewSource) (*api.Source, error) {
	h, err := s.handle(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.manages(ctx); err != nil {
		return nil, err
	}
	d := archive.SourceDraft{Kind: n.Kind, Name: strings.TrimSpace(n.Name), Category: strings.TrimSpace(n.Category), Disabled: n.Disabled}
	errs := labels(d)
	switch {
	case n.Kind == archive.KindMailbox && n.Mailbox == nil:
		errs = append(errs, api.ProblemError{Location: "body.mailbox", Message: "a mailbox needs its settings"})
	case n.Kind == archive.KindMailbox:
		var wrong []api.ProblemError
		d.Settings, wrong = s.settings(n.Mailbox)
		errs = append(errs, wrong...)
		d.Secret, wrong = s.newSecret(ctx, n)
		errs = append(errs, wrong...)
	case n.Kind == archive.KindFolder:
		var wrong []api.ProblemError
		d.Settings, wrong = folderSettings(n.Folder)
		errs = append(errs, wrong...)
	case n.Mailbox != nil || n.Password != nil:
		errs = append(errs, api.ProblemError{Location: "body.mailbox", Message: "a journal has neither settings of a mailbox nor a password"})
	}
	if len(errs) > 0 {
		return nil, mistakes(errs...)
	}
	made, err := h.CreateSource(ctx, d)
	if err != nil {
		return nil, taken(err)
	}
	s.used(ctx, n.LogIn)
	return s.Source(ctx, made.ID.String())
}

// manages checks the right before the request is judged: whoever lacks it learns
// nothing else.
func (s *Server) manages(ctx context.Context) error {
	a, err := accountOf(ctx)
	if err != nil {
		return err
	}
	return a.Actor.Check(access.ManageSources)
}

func taken(err error) error {
	if field, ok := errors.AsType[*archive.FieldError](err); ok {
		return mistake("body."+field.Field, field.Text)
	}
	if errors.Is(err, catalog.ErrTaken) {
		return mistake("body.name", "another source of this kind has this name")
	}
	return err
}

func secret(password *string) []byte {
	if password == nil {
		return nil
	}
	return []byte(*password) // not nil, even if empty: removes it
}

// labels checks what a source is called.
func labels(d archive.SourceDraft) []api.ProblemError {
	var errs []api.ProblemError
	if d.Name == "" || len(d.Name) > 200 || strings.ContainsAny(d.Name, "\x00\r\n") {
		errs = append(errs, api.ProblemError{Location: "body.name", Message: "want one line of 1 to 200 bytes"})
	}
	if len(d.Category) > 200 || strings.ContainsAny(d.Category, "\x00\r\n") {
		errs = append(errs, api.ProblemError{Location: "body.category", Message: "want one line of at most 200 bytes"})
	}
	return errs
}

// settings checks the settings of a mailbox and returns them as they are stored.
func (s *Server) settings(m *api.Mailbox) ([]byte, []api.ProblemError) {
	set := normal(m)
	errs := fieldErrors(set.Check())
	if err := remote.CheckHost(set.Host, !s.cfg.AllowPrivate); err != nil {
		errs = append(errs, api.ProblemError{Location: "body.mailbox.host", Message: err.Error()})
	}
	if u, err := url.Parse(set.Authority); err == nil && set.Authority != "" {
		if err := remote.CheckHost(u.Hostname(), !s.cfg.AllowPrivate); err != nil {
			errs = append(errs, api.ProblemError{Location: "body.mailbox.authority", Message: "no log-in server can be there"})
		}
	}
	if len(errs) > 0 {
		return nil, errs
	}
	b, err := json.Marshal(set)
	if err != nil {
		return nil, []api.ProblemError{{Location: "body.mailbox", Message: "cannot be stored"}}
	}
	return b, nil
}

// normal takes away what slips in when people copy and paste.
func normal(m *api.Mailbox) remote.Settings {
	set := remote.Settings(*m)
	set.Host = strings.Trim(strings.TrimSpace(set.Host), "[]")
	set.User, set.Directory, set.ClientID = strings.TrimSpace(set.User), strings.TrimSpace(set.Directory), strings.TrimSpace(set.ClientID)
	set.Authority = strings.TrimRight(strings.TrimSpace(set.Authority), "/")
	set.Pin = strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(set.Pin))
	return set
}

// fieldErrors lists the mistakes of settings of a remote mailbox.
func fieldErrors(err error) []api.ProblemError {
	return mistakesIn(err, func(e *setting.Error) api.ProblemError {
		return api.ProblemError{Location: "body.mailbox." + e.Field, Message: e.Text}
	})
}

// ChangeSource implements api.Service.
func (s *Server) ChangeSource(ctx context.Context, id string, c api.SourceChange) (*api.Source, error) {
	h, v, err := s.sourceOf(ctx, id)
	if err != nil {
		return nil, err
	}
	if v.Kind != archive.KindMailbox && v.Kind != archive.KindJournal && v.Kind != archive.KindFolder {
		return nil, mistake("path.id", fmt.Sprintf("sources of kind %s are not changed here", v.Kind))
	}
	d := archive.SourceDraft{Name: v.Name, Category: v.Category, Disabled: v.Disabled, Settings: v.Settings, Secret: secret(c.Password)}
	if c.Name != nil {
		d.Name = strings.TrimSpace(*c.Name)
	}
	if c.Category != nil {
		d.Category = strings.TrimSpace(*c.Category)
	}
	if c.Disabled != nil {
		d.Disabled = *c.Disabled
	}
	errs := append(labels(d), trust(&d, v, &c)...)
	switch {
	case v.Kind != archive.KindMailbox && (c.Mailbox != nil || c.Password != nil):
		errs = append(errs, api.ProblemError{Location: "body.mailbox", Message: "a journal has neither settings of a mailbox nor a password"})
	case c.Folder != nil:
		var wrong []api.ProblemError
		d.Settings, wrong = folderSettings(c.Folder)
		if v.Kind != archive.KindFolder {
			wrong = []api.ProblemError{{Location: "body.folder", Message: "the source is no watched folder"}}
		}
		errs = append(errs, wrong...)
	case c.Mailbox != nil:
		var wrong []api.ProblemError
		d.Settings, wrong = s.settings(c.Mailbox)
		errs = append(errs, wrong...)
		if c.LogIn != "" {
			d.Secret, wrong = s.grant(ctx, c.LogIn, c.Mailbox)
			errs = append(errs, wrong...)
		} else if c.Password == nil && v.HasSecret && !sameLogIn(v, c.Mailbox) {
			errs = append(errs, needSecret(c.Mailbox))
		}
	case c.LogIn != "":
		errs = append(errs, api.ProblemError{Location: "body.mailbox", Message: "a log-in comes with the settings it is for"})
	}
	if len(errs) > 0 {
		return nil, mistakes(errs...)
	}
	if err := h.ChangeSource(ctx, v.ID, d); err != nil {
		return nil, taken(err)
	}
	s.used(ctx, c.LogIn)
	return s.Source(ctx, id)
}

// trust changes whom a journal believes.
func trust(d *archive.SourceDraft, v *archive.SourceView, c *api.SourceChange) []api.ProblemError {
	if c.HintPeers == nil && c.Workspace == nil {
		return nil
	}
	if v.Kind != archive.KindJournal {
		return []api.ProblemError{{Location: "body.hint_peers", Message: "only journals believe header fields"}}
	}
	var set archive.CommonSettings
	if err := json.Unmarshal(v.Settings, &set); err != nil {
		return []api.ProblemError{{Location: "body.hint_peers", Message: "the settings as they are cannot be read"}}
	}
	if c.Workspace != nil {
		set.Workspace = *c.Workspace
	}
	if c.HintPeers != nil {
		set.HintPeers = nil
		for _, p := range *c.HintPeers {
			if p = strings.TrimSpace(p); p != "" {
				set.HintPeers = append(set.HintPeers, p)
			}
		}
		if _, err := archive.HintPeers(set.HintPeers); err != nil {
			return []api.ProblemError{{Location: "body.hint_peers", Message: err.Error()}}
		}
	}
	b, err := json.Marshal(set)
	if err != nil {
		return []api.ProblemError{{Location: "body.hint_peers", Message: "cannot be stored"}}
	}
	d.Settings = b
	return nil
}

// TestMailbox implements api.Service.
func (s *Server) TestMailbox(ctx context.Context, t api.MailboxTest) (*api.MailboxFinding, error) {
	if err := s.manages(ctx); err != nil {
		return nil, err
	}
	_, errs := s.settings(&t.Mailbox)
	store, wrong, err := s.testSecret(ctx, t)
	if err != nil {
		return nil, err
	}
	if errs = append(errs, wrong...); len(errs) > 0 {
		return nil, mistakes(errs...)
	}
	if s.cfg.Fetcher == nil {
		return nil, api.NewProblem(api.CodeNotRunning, "")
	}
	ctx, done := context.WithTimeout(ctx, testTime)
	defer done()
	r := s.cfg.Fetcher.Test(ctx, normal(&t.Mailbox), store)
	out := &api.MailboxFinding{OK: r.OK, Found: describeFound(r.Found), Problem: (*api.MailboxProblem)(r.Problem), Messages: r.Messages,
		Folders: list(r.Folders), Steps: []api.MailboxStep{}, Certificate: r.Certificate}
	for _, x := range r.Steps {
		out.Steps = append(out.Steps, api.MailboxStep(x))
	}
	return out, nil
}

// FetchNow implements api.Service.
func (s *Server) FetchNow(ctx context.Context, id string) error {
	_, v, err := s.sourceOf(ctx, id)
	switch {
	case err != nil:
		return err
	case v.Kind != archive.KindMailbox:
		return mistake("path.id", "only remote mailboxes are fetched")
	case v.Disabled:
		return mistake("path.id", "the mailbox is disabled")
	case s.cfg.Fetcher == nil:
		return api.NewProblem(api.CodeNotRunning, "")
	}
	return s.cfg.Fetcher.FetchNow(v.Tenant, v.ID)
}

// LeftOnServer implements api.Service.
func (s *Server) LeftOnServer(ctx context.Context, id string) (*api.LeftItems, error) {
	h, v, err := s.sourceOf(ctx, id)
	if err != nil {
		return nil, err
	}
	items, err := h.Left(ctx, v.ID)
	if err != nil {
		return nil, err
	}
	out := &api.LeftItems{Items: []api.LeftItem{}}
	for _, i := range items {
		out.Items = append(out.Items, api.LeftItem{Folder: i.Folder, Item: i.Item, Outcome: string(i.Outcome), Bytes: i.Bytes, At: i.At, Detail: i.Detail})
	}
	return out, nil
}
