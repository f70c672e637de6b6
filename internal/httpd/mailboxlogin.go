package httpd

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

const (
	// logInsEach and logInsAll bound the log-ins by a code that are remembered, of
	// one user and in all; the oldest give way.
	logInsEach = 5
	logInsAll  = 500
	// logInKept is how long a finished one can be used.
	logInKept = time.Hour
)

// logIn is a log-in by a code: under way, or finished and not used yet. It belongs
// to who began it.
type logIn struct {
	id           string
	tenant, user uid.ID
	settings     remote.Settings
	code         *oauth.Code
	began        time.Time
	stop         context.CancelFunc

	mu      sync.Mutex
	store   *oauth.Memory // nil: not finished
	problem *api.MailboxProblem
}

// logIns remembers them, in memory only.
type logIns struct {
	mu   sync.Mutex
	list []*logIn // the oldest first
}

func (l *logIns) add(n *logIn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	mine := 0
	for i := len(l.list) - 1; i >= 0; i-- {
		old := l.list[i]
		own := old.tenant == n.tenant && old.user == n.user
		if own {
			mine++
		}
		if n.began.Sub(old.began) > logInKept || own && mine >= logInsEach {
			l.remove(i)
		}
	}
	for len(l.list) >= logInsAll {
		l.remove(0)
	}
	l.list = append(l.list, n)
}

// remove needs the lock.
func (l *logIns) remove(i int) {
	l.list[i].stop()
	l.list = append(l.list[:i], l.list[i+1:]...)
}

// find returns a log-in of somebody. take forgets it.
func (l *logIns) find(id string, tenant, user uid.ID, take bool) (*logIn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, n := range l.list {
		if n.id == id && n.tenant == tenant && n.user == user {
			if take {
				l.remove(i)
			}
			return n, nil
		}
	}
	return nil, catalog.ErrNotFound
}

// BeginMailboxLogIn implements api.Service.
func (s *Server) BeginMailboxLogIn(ctx context.Context, in api.MailboxLogIn) (*api.MailboxLogInState, error) {
	if err := s.manages(ctx); err != nil {
		return nil, err
	}
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	_, errs := s.settings(&in.Mailbox)
	if in.Mailbox.Method != remote.ByDevice {
		errs = append(errs, api.ProblemError{Location: "body.mailbox.method", Message: "want device"})
	}
	client, wrong, err := s.clientSecret(ctx, in)
	if err != nil {
		return nil, err
	}
	if errs = append(errs, wrong...); len(errs) > 0 {
		return nil, mistakes(errs...)
	}
	if s.cfg.LogIns == nil {
		return nil, api.NewProblem(api.CodeNotRunning, "")
	}
	set := normal(&in.Mailbox)
	code, err := s.cfg.LogIns.Begin(ctx, oauth.AppOf(set), client)
	if err != nil {
		return &api.MailboxLogInState{State: "failed", Problem: logInProblem(err)}, nil
	}
	// It goes on when this request is over, but not for longer than its code.
	wait, stop := context.WithDeadline(context.WithoutCancel(ctx), code.Expires.Add(time.Second))
	n := &logIn{id: rand.Text(), tenant: a.Actor.Tenant, user: a.Actor.User, settings: set, code: code, began: time.Now(), stop: stop}
	s.logIns.add(n)
	go func() {
		defer stop()
		g, _, err := s.cfg.LogIns.Await(wait, code)
		n.mu.Lock()
		defer n.mu.Unlock()
		if err != nil {
			n.problem = logInProblem(err)
			return
		}
		n.store = oauth.NewMemory(g.Encode())
	}()
	return n.describe(), nil
}

// clientSecret is that of the application: the one that is given, or the stored one
// where it goes to the same server.
func (s *Server) clientSecret(ctx context.Context, in api.MailboxLogIn) (string, []api.ProblemError, error) {
	if in.ClientSecret != nil && *in.ClientSecret != "" || in.ID == "" {
		return strings.TrimSpace(value(in.ClientSecret)), nil, nil
	}
	_, v, err := s.sourceOf(ctx, in.ID)
	if err != nil {
		return "", nil, err
	}
	kept, err := s.cfg.Archive.SourceSecret(ctx, v.Tenant, v.ID)
	if err != nil {
		return "", nil, err
	}
	g, ok := oauth.ParseGrant(kept)
	if !ok || g.ClientSecret == "" {
		return "", nil, nil
	}
	if !sameLogIn(v, &in.Mailbox) {
		return "", []api.ProblemError{{Location: "body.client_secret", Message: "give it again: the stored one is for another application or server"}}, nil
	}
	return g.ClientSecret, nil, nil
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func logInProblem(err error) *api.MailboxProblem {
	var e *oauth.Error
	switch {
	case errors.As(err, &e):
		return &api.MailboxProblem{Code: e.Code, Text: cmp.Or(remote.LogInText(e.Code), "The log-in server cannot be reached."), Detail: e.Detail}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &api.MailboxProblem{Code: remote.CodeCodeExpired, Text: remote.LogInText(remote.CodeCodeExpired)}
	}
	return &api.MailboxProblem{Code: remote.CodeInternal, Text: "This should not happen; the log says more."}
}

func (n *logIn) describe() *api.MailboxLogInState {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := &api.MailboxLogInState{ID: n.id, State: "waiting", Code: n.code.Code, URL: n.code.URL, ExpiresAt: new(n.code.Expires.UTC())}
	switch {
	case n.store != nil:
		out.State = "done"
	case n.problem != nil:
		out.State, out.Problem = "failed", n.problem
	}
	return out
}

// logInOf finds a log-in of who asks.
func (s *Server) logInOf(ctx context.Context, id string, take bool) (*logIn, error) {
	if err := s.manages(ctx); err != nil {
		return nil, err
	}
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	return s.logIns.find(id, a.Actor.Tenant, a.Actor.User, take)
}

// MailboxLogIn implements api.Service.
func (s *Server) MailboxLogIn(ctx context.Context, id string) (*api.MailboxLogInState, error) {
	n, err := s.logInOf(ctx, id, false)
	if err != nil {
		return nil, err
	}
	return n.describe(), nil
}

// CancelMailboxLogIn implements api.Service.
func (s *Server) CancelMailboxLogIn(ctx context.Context, id string) error {
	_, err := s.logInOf(ctx, id, true)
	return err
}

// finishedLogIn is where the grant of a finished log-in is kept. What is wrong with
// it is for the client to see. To another application or server it would be worth
// nothing, or come out.
func (s *Server) finishedLogIn(ctx context.Context, id string, m *api.Mailbox) (oauth.Store, []api.ProblemError) {
	wrong := func(text string) []api.ProblemError {
		return []api.ProblemError{{Location: "body.log_in", Message: text}}
	}
	n, err := s.logInOf(ctx, id, false)
	if err != nil {
		return nil, wrong("there is no such log-in any more; log in again")
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.store == nil:
		return nil, wrong("nobody has entered the code yet")
	case m == nil || !sameApplication(n.settings, normal(m)):
		return nil, wrong("it was for other settings; log in again")
	}
	return n.store, nil
}

// sameApplication reports whether tokens come from the same server, for the same
// application.
func sameApplication(a, b remote.Settings) bool {
	return a.OAuth == b.OAuth && a.Method == b.Method && strings.EqualFold(a.Directory, b.Directory) && a.ClientID == b.ClientID && a.Authority == b.Authority
}

// storeOf is where the secret of a source is kept.
func (s *Server) storeOf(tenant, source uid.ID) oauth.Store {
	return oauth.StoreFuncs{
		LoadFunc: func(ctx context.Context) ([]byte, error) { return s.cfg.Archive.SourceSecret(ctx, tenant, source) },
		SwapFunc: func(ctx context.Context, old, now []byte) (bool, error) {
			return s.cfg.Archive.SwapSourceSecret(ctx, tenant, source, old, now)
		},
	}
}

// used forgets a log-in that belongs to a source now.
func (s *Server) used(ctx context.Context, id string) {
	if id != "" {
		_, _ = s.logInOf(ctx, id, true) // it may have been forgotten already
	}
}
