package httpd

import (
	"context"
	"errors"
	"net/http"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
)

// Authenticate implements api.Door.
func (s *Server) Authenticate(ctx context.Context) (context.Context, error) {
	return s.authenticate(ctx, s.cfg.Archive.Session)
}

// AuthenticateSetup implements api.Door.
func (s *Server) AuthenticateSetup(ctx context.Context) (context.Context, error) {
	return s.authenticate(ctx, s.cfg.Archive.AnySession)
}

func (s *Server) authenticate(ctx context.Context, find func(ctx context.Context, token, peer string) (*archive.Account, error)) (context.Context, error) {
	q := requestOf(ctx)
	if q.program {
		a, err := s.authenticateToken(ctx, q)
		if err != nil {
			return nil, err
		}
		return context.WithValue(ctx, accountKey{}, a), nil
	}
	if q.token == "" {
		return nil, archive.ErrNoSession
	}
	a, err := find(ctx, q.token, q.peer)
	if err != nil {
		return nil, err
	}
	return context.WithValue(ctx, accountKey{}, a), nil
}

// Allow implements api.Door.
func (s *Server) Allow(ctx context.Context, right access.Right) error {
	a, err := accountOf(ctx)
	if err != nil {
		return err
	}
	return a.Actor.Check(right)
}

// AllowChange implements api.Door.
func (s *Server) AllowChange(ctx context.Context) error {
	a, err := accountOf(ctx)
	if err != nil || a.Actor.Tenant.IsZero() {
		return err
	}
	return s.cfg.Archive.Takes(ctx, a.Actor.Tenant)
}

// known lets only requests pass whose session has the right.
func (s *Server) known(right access.Right, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := s.Authenticate(r.Context())
		if err == nil {
			err = s.Allow(ctx, right)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		next(w, r.WithContext(ctx))
	})
}

// Status implements api.Service.
func (s *Server) Status(ctx context.Context) (*api.Status, error) {
	b, err := s.cfg.Archive.BrandingAt(ctx, requestOf(ctx).host)
	if err != nil { // whoever wants to log in must not fail because of a picture
		s.cfg.Log.Error("branding cannot be read", "error", err)
	}
	st := &api.Status{Name: "Muniment", Setup: s.unfounded(ctx), PasskeyHost: s.cfg.Archive.PasskeyHost(), Branding: branding(b)}
	// Which release runs is nothing for those who look for one with a hole.
	if _, err := s.Authenticate(ctx); err == nil || s.cfg.Demo != nil {
		st.Version = s.cfg.Version
	}
	if s.cfg.Demo != nil {
		st.Demo = true
		for _, l := range s.cfg.Demo.Logins {
			st.DemoLogins = append(st.DemoLogins, api.DemoLogin(l))
		}
	}
	return st, nil
}

// LogIn implements api.Service.
func (s *Server) LogIn(ctx context.Context, in api.LogIn) (*api.Account, []http.Cookie, error) {
	q := requestOf(ctx)
	try := archive.LogIn{Login: in.Login, Tenant: in.Tenant, Operator: in.Operator, Password: in.Password, Peer: q.peer, UserAgent: q.agent, Device: q.device}
	// A browser that the user has logged in with before is not slowed down for what
	// others in its network do.
	place, err := s.cfg.Archive.Known(ctx, try)
	if err != nil {
		return nil, nil, err
	}
	if place == "" {
		place = q.peer
	}
	if wait := s.throttle.take(place, in.Login); wait > 0 {
		return nil, nil, tooMany(wait)
	}
	token, a, err := s.cfg.Archive.LogIn(ctx, try)
	if errors.Is(err, archive.ErrLogIn) {
		return nil, nil, err
	}
	var step *archive.SecondFactorError
	if errors.As(err, &step) {
		s.throttle.succeeded(place, in.Login)
		return nil, nil, stepProblem(q, step)
	}
	if err != nil {
		s.throttle.giveBack(place, in.Login)
		return nil, nil, err
	}
	s.throttle.succeeded(place, in.Login)
	return s.entered(ctx, q, token, a)
}

// LogOut implements api.Service.
func (s *Server) LogOut(ctx context.Context) (*http.Cookie, error) {
	q := requestOf(ctx)
	if q.token != "" {
		if err := s.cfg.Archive.LogOut(ctx, q.token, q.peer); err != nil {
			return nil, err
		}
	}
	return sessionCookie(q, "", -1), nil
}

// sessionCookie ends with the browser; the session itself ends earlier. Lax: a link in
// a mail to a page of the archive finds the session.
func sessionCookie(q *request, token string, maxAge int) *http.Cookie {
	c := newCookie(q, api.CookieName, token, maxAge)
	c.SameSite = http.SameSiteLaxMode
	return c
}

// newCookie makes a cookie for this host alone, that no script reads and no other site
// sends.
func newCookie(q *request, name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: cookieName(q, name), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: q.secure, SameSite: http.SameSiteStrictMode}
}

// cookieName binds a cookie to host and TLS where there is TLS.
func cookieName(q *request, name string) string {
	if q.secure {
		return api.SecurePrefix + name
	}
	return name
}

// Account implements api.Service.
func (s *Server) Account(ctx context.Context) (*api.Account, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	return s.account(ctx, a), nil
}

// ChangeAccount implements api.Service.
func (s *Server) ChangeAccount(ctx context.Context, c api.AccountChange) (*api.Account, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	if c.Language != nil {
		if err := s.cfg.Archive.As(a.Actor).SetLanguage(ctx, *c.Language); err != nil {
			return nil, err
		}
		a.User.Language = *c.Language
	}
	return s.account(ctx, a), nil
}

func (s *Server) account(ctx context.Context, a *archive.Account) *api.Account {
	out := &api.Account{
		ID: a.User.ID.String(), Login: a.User.Login, Name: a.User.Name, Role: a.User.Role, Language: a.User.Language, SetupNeeded: a.SetUp(),
		Addresses: list(a.User.Addresses), ExpiresAt: a.ExpiresAt,
	}
	b, err := s.cfg.Archive.BrandingOf(ctx, a.Actor)
	if err != nil {
		s.cfg.Log.Error("branding cannot be read", "error", err)
	}
	out.Branding = branding(b)
	if !a.Tenant.ID.IsZero() { // an operator has none
		out.Tenant = &api.Tenant{ID: a.Tenant.ID.String(), Slug: a.Tenant.Slug, Name: a.Tenant.Name, Zone: a.Tenant.Zone}
	}
	return out
}

// list makes sure that a list is sent as a list, never as null.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}
