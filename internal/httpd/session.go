package httpd

import (
	"context"
	"errors"
	"net/http"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
)

// Authenticate implements api.Door.
func (s *Server) Authenticate(ctx context.Context) (context.Context, error) {
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
	a, err := s.cfg.Archive.Session(ctx, q.token, q.peer)
	if err != nil {
		return nil, err
	}
	return context.WithValue(ctx, accountKey{}, a), nil
}

// known lets only requests with a session pass.
func (s *Server) known(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := s.Authenticate(r.Context())
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
	st := &api.Status{Name: "Muniment", Version: s.cfg.Version, Branding: branding(b)}
	if s.cfg.Demo != nil {
		st.Demo = true
		for _, l := range s.cfg.Demo.Logins {
			st.DemoLogins = append(st.DemoLogins, api.DemoLogin(l))
		}
	}
	return st, nil
}

// LogIn implements api.Service.
func (s *Server) LogIn(ctx context.Context, in api.LogIn) (*api.Account, *http.Cookie, error) {
	q := requestOf(ctx)
	if wait := s.throttle.take(q.peer, in.Login); wait > 0 {
		p := api.NewProblem(api.CodeTooMany, "")
		p.RetryAfter = wait
		return nil, nil, p
	}
	token, a, err := s.cfg.Archive.LogIn(ctx, archive.LogIn{
		Login: in.Login, Tenant: in.Tenant, Operator: in.Operator, Password: in.Password, Peer: q.peer, UserAgent: q.agent})
	if errors.Is(err, archive.ErrLogIn) {
		return nil, nil, err
	}
	if err != nil {
		s.throttle.giveBack(q.peer, in.Login)
		return nil, nil, err
	}
	s.throttle.succeeded(q.peer, in.Login)
	return s.account(ctx, a), sessionCookie(q, token, 0), nil
}

// LogOut implements api.Service.
func (s *Server) LogOut(ctx context.Context) (*http.Cookie, error) {
	q := requestOf(ctx)
	if q.token != "" {
		if err := s.cfg.Archive.LogOut(ctx, q.token); err != nil {
			return nil, err
		}
	}
	return sessionCookie(q, "", -1), nil
}

// sessionCookie ends with the browser; the session itself ends earlier.
func sessionCookie(q *request, token string, maxAge int) *http.Cookie {
	c := &http.Cookie{Name: api.CookieName, Value: token, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if q.secure {
		c.Name, c.Secure = api.SecureCookieName, true
	}
	return c
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
		ID: a.User.ID.String(), Login: a.User.Login, Name: a.User.Name, Role: a.User.Role, Language: a.User.Language,
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
