package httpd

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/setting"
	"github.com/muniment/muniment/internal/site"
)

// Certificates keeps the certificate in force.
type Certificates interface {
	Settings() site.Settings
	State() site.State
	// Ready reports whether plain connections may be sent to TLS.
	Ready() bool
	Apply(set site.Settings, key []byte) error
	// Obtain asks for a certificate, if that is the way to one, and waits for it.
	Obtain(ctx context.Context) error
}

// setupLogin is what attempts to guess the code of the first start count under.
const setupLogin = "\x00setup"

// Found implements api.Service.
func (s *Server) Found(ctx context.Context, in api.FirstOperator) (*api.Account, []http.Cookie, error) {
	q := requestOf(ctx)
	if wait := s.throttle.take(q.peer, setupLogin); wait > 0 {
		p := api.NewProblem(api.CodeTooMany, "")
		p.RetryAfter = wait
		return nil, nil, p
	}
	if s.cfg.SetupCode == "" {
		return nil, nil, api.NewProblem(api.CodeFounded, "")
	}
	given := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(in.Code))
	if subtle.ConstantTimeCompare([]byte(given), []byte(strings.ReplaceAll(s.cfg.SetupCode, "-", ""))) != 1 {
		return nil, nil, api.NewProblem(api.CodeLogIn, "The code is not the one that the server has printed at its start.")
	}
	s.throttle.succeeded(q.peer, setupLogin)
	_, err := s.cfg.Archive.CreateFirstOperator(ctx, archive.NewUser{Login: in.Login, Name: strings.TrimSpace(in.Name), Password: in.Password, Language: in.Language})
	switch {
	case errors.Is(err, archive.ErrFounded):
		return nil, nil, api.NewProblem(api.CodeFounded, "")
	case errors.Is(err, archive.ErrInvalid):
		field, _, _ := strings.Cut(err.Error(), " ")
		if field != "login" && field != "name" {
			field = "password"
		}
		return nil, nil, mistake("body."+field, err.Error())
	case err != nil:
		return nil, nil, err
	}
	return s.LogIn(ctx, api.LogIn{Login: in.Login, Password: in.Password, Operator: true})
}

// unfounded reports whether the installation waits for its first operator.
func (s *Server) unfounded(ctx context.Context) bool {
	if s.cfg.SetupCode == "" {
		return false
	}
	there, err := s.cfg.Archive.HasOperator(ctx)
	return err == nil && !there
}

// managesSite checks the right before the request is judged.
func (s *Server) managesSite(ctx context.Context) (*archive.Handle, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	return s.cfg.Archive.As(a.Actor), a.Actor.Check(access.ManageSite)
}

// Site implements api.Service.
func (s *Server) Site(ctx context.Context) (*api.SiteState, error) {
	h, err := s.managesSite(ctx)
	if err != nil {
		return nil, err
	}
	v, err := h.Site(ctx)
	if err != nil {
		return nil, err
	}
	set := v.Normal()
	out := &api.SiteState{Site: api.Site(set), HasKey: v.HasKey, Fixed: s.cfg.SiteFixed, Address: set.URL(s.cfg.Port)}
	if s.cfg.Certificates != nil {
		st := s.cfg.Certificates.State()
		out.Names, out.Issuer, out.NotAfter, out.Obtaining, out.Problem = st.Names, st.Issuer, known(st.NotAfter), st.Obtaining, st.Problem
	}
	return out, nil
}

// ChangeSite implements api.Service.
func (s *Server) ChangeSite(ctx context.Context, c api.SiteChange) (*api.SiteState, error) {
	h, err := s.managesSite(ctx)
	if err != nil {
		return nil, err
	}
	d := archive.SiteDraft{Settings: site.Settings(c.Site), Key: secret(c.Key)}
	if s.cfg.SiteFixed && d.TLS != site.Off {
		return nil, mistake("body.site.tls", "the configuration file names the certificate (http.tls_cert); it is not changed here")
	}
	if err := h.SetSite(ctx, d); err != nil {
		if wrong := siteErrors(err); len(wrong) > 0 {
			return nil, mistakes(wrong...)
		}
		return nil, err
	}
	if s.cfg.Certificates != nil {
		if _, err := s.applySite(ctx); err != nil {
			return nil, err
		}
		if !s.cfg.SiteFixed {
			s.obtain(ctx)
		}
	}
	return s.Site(ctx)
}

// siteErrors lists the mistakes of settings of the site.
func siteErrors(err error) []api.ProblemError {
	return mistakesIn(err, func(e *setting.Error) api.ProblemError {
		if e.Field == "key" {
			return api.ProblemError{Location: "body.key", Message: e.Text}
		}
		return api.ProblemError{Location: "body.site." + e.Field, Message: e.Text}
	})
}

// obtain asks for a certificate in the background; the state tells how it went.
func (s *Server) obtain(ctx context.Context) {
	go func() {
		if err := s.cfg.Certificates.Obtain(context.WithoutCancel(ctx)); err != nil {
			s.cfg.Log.Error("no certificate", "error", err)
		}
	}()
}

// ObtainCertificate implements api.Service.
func (s *Server) ObtainCertificate(ctx context.Context) error {
	if _, err := s.managesSite(ctx); err != nil {
		return err
	}
	if s.cfg.Certificates == nil || s.cfg.SiteFixed {
		return api.NewProblem(api.CodeNotRunning, "This server does not ask for certificates.")
	}
	s.obtain(ctx)
	return nil
}

// toTLS sends plain requests to TLS as soon as there is a certificate, but not those
// from this machine itself: whoever has set a wrong name must still get in.
func (s *Server) toTLS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := requestOf(r.Context())
		c := s.cfg.Certificates
		if c == nil || q.secure || !c.Ready() || local(q.peer) || r.URL.Path == "/healthz" {
			next.ServeHTTP(w, r)
			return
		}
		set := c.Settings()
		if host, err := s.cfg.Archive.ResellerHost(r.Context(), q.host); err == nil && host != "" && set.TLS == site.ACME {
			set.Host = host // there is a certificate for it, too
		}
		to := strings.TrimSuffix(set.URL(s.cfg.Port), "/")
		if to == "" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Connection", "close")
		http.Redirect(w, r, to+r.URL.RequestURI(), http.StatusPermanentRedirect)
	})
}

// Pauses between attempts to get a certificate that fail.
const (
	obtainAgain   = 10 * time.Minute // doubled up to obtainAgainTo
	obtainAgainTo = 6 * time.Hour
)

// WatchSite puts into force what is set, also by other processes, and sees to it that
// there is a certificate, until ctx ends.
func (s *Server) WatchSite(ctx context.Context, every time.Duration) {
	if s.cfg.Certificates == nil {
		return
	}
	t := time.NewTicker(every)
	defer t.Stop()
	var due time.Time // of the next attempt
	pause := obtainAgain
	for {
		if changed, err := s.applySite(ctx); err != nil {
			s.cfg.Log.Error("settings of the site", "error", err)
		} else if changed {
			due, pause = time.Time{}, obtainAgain
		}
		if now := time.Now(); !now.Before(due) {
			due = now.Add(time.Hour)
			if err := s.cfg.Certificates.Obtain(ctx); err != nil && ctx.Err() == nil {
				s.cfg.Log.Error("no certificate", "error", err, "again_in", pause)
				due, pause = now.Add(pause), min(2*pause, obtainAgainTo)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// applySite puts into force what is set, and reports whether that is another
// certificate.
func (s *Server) applySite(ctx context.Context) (changed bool, err error) {
	set, key, err := s.cfg.Archive.SiteSettings(ctx)
	if err != nil {
		return false, err
	}
	if url := set.URL(s.cfg.Port); url != "" && !s.cfg.URLFixed && strings.TrimSuffix(url, "/") != s.cfg.Archive.URL() {
		s.cfg.Archive.SetURL(url)
	}
	if s.cfg.SiteFixed || set.Normal() == s.cfg.Certificates.Settings() {
		return false, nil
	}
	return true, s.cfg.Certificates.Apply(set, key)
}

// local reports whether an address is of this machine.
func local(peer string) bool {
	a, err := netip.ParseAddr(peer)
	return err == nil && a.Unmap().IsLoopback()
}
