package httpd

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// request is what belongs to one request besides its own values.
type request struct {
	id       string
	peer     string // address of the client, behind proxies that are trusted
	secure   bool   // the client speaks TLS
	token    string // of the session cookie, not yet checked
	step     string // likewise of a log-in whose second step is to follow
	passkey  string // likewise what a passkey is to sign
	device   string // likewise of a browser that somebody has logged in with
	bearer   string // token of a program, not yet checked
	program  bool   // there is such a token: the cookie is not looked at
	keyless  bool   // there is a header Idempotency-Key with nothing in it
	pattern  string // of the route
	host     string // as the client called the server
	agent    string
	grant    string // id of the request under which other people's mail is read; empty: one's own
	language string // "de" or "en"
}

type (
	requestKey struct{}
	accountKey struct{}
)

func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{language: "en"}
}

// accountOf returns who Authenticate has found.
func accountOf(ctx context.Context) (*archive.Account, error) {
	if a, ok := ctx.Value(accountKey{}).(*archive.Account); ok {
		return a, nil
	}
	return nil, archive.ErrNoSession
}

// handle returns the archive as the user of ctx may use it: as itself, or under the
// request for access that the request names.
func (s *Server) handle(ctx context.Context) (*archive.Handle, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	if grant := requestOf(ctx).grant; grant != "" {
		id, err := uid.Parse(grant)
		if err != nil {
			return nil, fmt.Errorf("request for access %w", catalog.ErrNotFound)
		}
		return s.cfg.Archive.InGrant(ctx, a.Actor, id)
	}
	return s.cfg.Archive.As(a.Actor), nil
}

// begin is the outermost handler: it describes the request, sets the headers
// that every answer has, logs, counts, and survives panics.
func (s *Server) begin(mux *http.ServeMux, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		q := s.describe(r)
		_, pattern := mux.Handler(r)
		q.pattern = pattern
		ctx, done := s.limited(r.Context(), pattern)
		defer done()
		r = r.WithContext(context.WithValue(ctx, requestKey{}, q))
		rec := &recorder{ResponseWriter: w}
		secure(rec.Header(), q)
		defer func() {
			p := recover()
			if p != nil && p != http.ErrAbortHandler { //nolint:errorlint // the very value
				s.cfg.Log.Error("request panicked", "request", q.id, "panic", p, "stack", string(debug.Stack()))
				if rec.status == 0 {
					s.refuse(rec, r, api.NewProblem(api.CodeInternal, ""))
					p = nil
				}
			}
			took := time.Since(start)
			s.metrics.observe(pattern, rec.status, took)
			// The query text and the path's ids stay out of the log: they are
			// about people's mail.
			s.cfg.Log.Info("request", "request", q.id, "method", r.Method, "route", pattern, "status", rec.status, "bytes", rec.bytes,
				"took", took, "peer", q.peer)
			if p != nil { // cuts the connection: half an answer must not look like a whole one
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// limited bounds the time of all requests but downloads, which take as long as
// the client takes bytes.
func (s *Server) limited(ctx context.Context, pattern string) (context.Context, context.CancelFunc) {
	if s.downloads[pattern] {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, answerTime)
}

// guard refuses changes that pages of other sites ask for, and query strings
// that cannot be read: without what is wrong they would ask for something else.
func (s *Server) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := cross.Check(r); err != nil {
			s.refuse(w, r, api.NewProblem(api.CodeOrigin, ""))
			return
		}
		if _, err := url.QueryUnescape(r.URL.RawQuery); err != nil && strings.HasPrefix(r.URL.Path, apiRest) {
			s.refuse(w, r, api.NewProblem(api.CodeMalformed, "The query string of the address is not encoded as it must be; write a percent sign as %25."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// secure sets the headers that every answer has.
func secure(h http.Header, q *request) {
	h.Set("X-Request-Id", q.id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	if q.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

func (s *Server) describe(r *http.Request) *request {
	q := &request{id: strings.ToLower(rand.Text()), agent: r.UserAgent(), host: r.Host, secure: r.TLS != nil, grant: r.URL.Query().Get("grant")}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	q.peer = host
	if s.trusted(host) {
		if r.Header.Get("X-Forwarded-Proto") == "https" {
			q.secure = true
		}
		q.peer = s.client(host, r.Header.Values("X-Forwarded-For"))
	}
	for name, value := range map[string]*string{api.CookieName: &q.token, api.StepCookieName: &q.step, api.PasskeyCookieName: &q.passkey, api.DeviceCookieName: &q.device} {
		if c, err := r.Cookie(cookieName(q, name)); err == nil {
			*value = c.Value
		}
	}
	q.bearer, q.program = bearer(r)
	q.keyless = len(r.Header.Values("Idempotency-Key")) > 0 && strings.TrimSpace(r.Header.Get("Idempotency-Key")) == ""

	q.language = s.preferred(r.Header.Get("Accept-Language"))
	return q
}

// client returns the last address of X-Forwarded-For that no trusted proxy has.
func (s *Server) client(peer string, forwarded []string) string {
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for _, hop := range slices.Backward(hops) {
		hop = strings.TrimSpace(hop)
		if _, err := netip.ParseAddr(hop); err != nil {
			return peer
		}
		peer = hop
		if !s.trusted(hop) {
			return peer
		}
	}
	return peer
}

func (s *Server) trusted(host string) bool { return within(s.cfg.TrustedProxies, host) }

func within(networks []netip.Prefix, host string) bool {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// languages are those of texts for people, the first being that for all others.
func languages() []language.Tag { return []language.Tag{language.English, language.German} }

// preferred returns the language of texts for an Accept-Language header.
func (s *Server) preferred(header string) string {
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return "en"
	}
	if _, i, _ := s.languages.Match(tags...); i == 1 {
		return "de"
	}
	return "en"
}

// recorder remembers the status and the size of an answer.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK { // not 1xx
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
