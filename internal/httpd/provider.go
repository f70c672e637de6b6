package httpd

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// Routes of a log-in at a provider. Browsers go there; they are no operations.
const (
	providerStart = "/auth/oidc/start"
	providerPath  = "/auth/oidc" // of the cookie
)

// flowAge is how long the browser keeps what belongs to a log-in, in seconds.
const flowAge = 15 * 60

// LogInOffers implements api.Service.
func (s *Server) LogInOffers(ctx context.Context, tenant string) (*api.LogInOffers, error) {
	offers, err := s.cfg.Archive.Offers(ctx, tenant, requestOf(ctx).host)
	if err != nil {
		return nil, err
	}
	out := &api.LogInOffers{Offers: []api.LogInOffer{}}
	for _, o := range offers {
		out.Offers = append(out.Offers, api.LogInOffer{ID: o.ID.String(), Name: o.Name, Tenant: o.Tenant})
	}
	return out, nil
}

// flowCookie binds a log-in to one browser. It has to come with a request that begins at
// the provider, so it is Lax.
func flowCookie(q *request, value string, maxAge int) *http.Cookie {
	c := &http.Cookie{Name: "muniment_provider", Value: value, Path: providerPath, MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if q.secure {
		c.Name, c.Secure = "__Secure-muniment_provider", true
	}
	return c
}

// startProvider sends the browser to the provider.
func (s *Server) startProvider(w http.ResponseWriter, r *http.Request) {
	q := requestOf(r.Context())
	key := "provider"
	if s.throttle.take(q.peer, key) > 0 {
		s.loggedOut(w, r, errTooMany)
		return
	}
	id, err := uid.Parse(r.URL.Query().Get("directory"))
	if err != nil {
		s.loggedOut(w, r, catalog.ErrNotFound)
		return
	}
	address, sealed, err := s.cfg.Archive.BeginLogIn(r.Context(), id)
	if err != nil {
		s.loggedOut(w, r, err)
		return
	}
	s.throttle.giveBack(q.peer, key)
	value := base64.RawURLEncoding.EncodeToString(sealed)
	if next := insidePath(r.URL.Query().Get("next")); next != "/" {
		value += "." + base64.RawURLEncoding.EncodeToString([]byte(next))
	}
	http.SetCookie(w, flowCookie(q, value, flowAge))
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// finishProvider takes the browser back from the provider, and opens a session.
func (s *Server) finishProvider(w http.ResponseWriter, r *http.Request) {
	q := requestOf(r.Context())
	key := "provider"
	if s.throttle.take(q.peer, key) > 0 {
		s.loggedOut(w, r, errTooMany)
		return
	}
	var sealed, next []byte
	if c, err := r.Cookie(flowCookie(q, "", 0).Name); err == nil {
		flow, page, _ := strings.Cut(c.Value, ".")
		sealed, _ = base64.RawURLEncoding.DecodeString(flow) // what is none cannot be opened
		next, _ = base64.RawURLEncoding.DecodeString(page)   // what is none leads to the first page
	}
	http.SetCookie(w, flowCookie(q, "", -1)) // good for one log-in
	token, _, err := s.cfg.Archive.FinishProviderLogIn(r.Context(), sealed, r.URL.Query(), archive.LogIn{Peer: q.peer, UserAgent: q.agent})
	if err != nil {
		s.loggedOut(w, r, err)
		return
	}
	s.throttle.giveBack(q.peer, key)
	http.SetCookie(w, sessionCookie(q, token, 0))
	http.Redirect(w, r, insidePath(string(next)), http.StatusSeeOther)
}

// maxNext bounds the page that somebody is led to after the log-in, in bytes.
const maxNext = 1000

// insidePath returns a path with its query if it is one of the web interface's pages, and
// the first page if it is anything else: nobody is led to another site after the log-in.
func insidePath(next string) string {
	u, err := url.Parse(next)
	if err != nil || len(next) > maxNext || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || u.Host != "" || u.Scheme != "" || u.User != nil ||
		strings.ContainsFunc(next, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return "/"
	}
	clean := url.URL{Path: path.Clean(u.Path), RawQuery: u.RawQuery}
	if strings.HasPrefix(clean.Path, "//") || strings.HasPrefix(clean.Path, api.Base) || strings.HasPrefix(clean.Path, "/auth/") || strings.ContainsAny(clean.Path, "\\\r\n") {
		return "/"
	}
	return clean.RequestURI()
}

var errTooMany = errors.New("too many attempts")

// loggedOut sends the browser back to the log-in page, which says by the code what is
// wrong; the cause goes into the log.
func (s *Server) loggedOut(w http.ResponseWriter, r *http.Request, err error) {
	code := directory.Code(err)
	switch {
	case errors.Is(err, errTooMany):
		code = string(api.CodeTooMany)
	case errors.Is(err, catalog.ErrNotFound):
		code = string(api.CodeNotFound)
	case errors.Is(err, archive.ErrDirectory):
		code = remote.CodeUnavailable
	}
	s.cfg.Log.Warn("log-in at a provider failed", "request", requestOf(r.Context()).id, "peer", requestOf(r.Context()).peer, "code", code, "error", err)
	http.Redirect(w, r, "/login?"+url.Values{"problem": {code}}.Encode(), http.StatusSeeOther)
}
