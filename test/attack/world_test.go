// Package attack tries to break in: each attempt is a test that it fails, against the
// real server. docs/security.md lists them beside what they show.
//
//	world_test.go    the server and those who attack   session_test.go  sessions, log-in
//	foreign_test.go  other people's things             input_test.go    what is sent in
//	admin_test.go    what administers                  output_test.go   what is handed out
//	reach_test.go    directories, bombs    list_test.go     the list is complete
//	act_test.go      deletion, holds       elsewhere_test.go  mail servers, tokens of programs
package attack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/directory/connect"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/upload"
)

// attempt tries one way to break in and reports an error if it succeeds.
type attempt struct {
	name string
	try  func(t *testing.T, w *world)
}

// attempts are all of them, in the order of docs/security.md.
func attempts() []attempt {
	var all []attempt
	for _, list := range [][]attempt{sessionAttempts(), logInAttempts(), foreignAttempts(), adminAttempts(), inputAttempts(), bombAttempts(), outputAttempts(), siteAttempts(), actAttempts(), elsewhereAttempts()} {
		all = append(all, list...)
	}
	return all
}

// TestAttacks makes every attempt, one after the other, on one server: what one of
// them leaves behind is there for the next.
func TestAttacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, a := range attempts() {
		t.Run(a.name, func(t *testing.T) { a.try(t, w) }) //nolint:paralleltest // see above
	}
}

// world is a server with two tenants.
type world struct {
	env     *archivetest.Env
	server  *httptest.Server
	dir     string // of uploads
	uploads *upload.Store
	tenants map[string]*catalog.Tenant
	sources map[string]*catalog.Source
	actors  map[string]access.Actor
	mail    uid.ID // alpha's anna's, hostile
	tokens  sync.Map
}

// hostile is a message that attacks whoever shows it.
const hostile = "From: \"<script>alert(1)</script>\" <evil@else.example>\r\nTo: anna@alpha.example\r\n" +
	"Subject: =?utf-8?q?walnuss=0D=0AX-Injected:_yes=0D=0A=0D=0A=3Cscript=3Ealert(1)=3C/script=3E?=\r\nMessage-ID: <a@else.example>\r\n" +
	"Date: Tue, 7 Jul 2025 10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n" +
	"<p>walnuss<script>alert(1)</script><img src=x onerror=alert(1)><a href='javascript:alert(1)'>x</a><svg onload=alert(1)></svg>" +
	"<iframe src=https://evil.example/></iframe><form action=https://evil.example/><input name=p></form><base href=https://evil.example/>" +
	"<meta http-equiv=refresh content='0;url=https://evil.example/'><link rel=stylesheet href=https://evil.example/x.css>" +
	"<div style=\"background:url(https://evil.example/track)\">y</div><img src=https://evil.example/pixel.gif></p>\r\n" +
	"--b\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename*=utf-8''..%2F..%2F%0d%0aX-Injected%3A%20yes%0d%0aevil.html\r\n\r\n<script>alert(1)</script>\r\n" +
	"--b\r\nContent-Type: image/svg+xml\r\nContent-Disposition: attachment; filename=\"..\\\\..\\\\evil.svg\"\r\n\r\n<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>\r\n--b--\r\n"

func newWorld(t *testing.T) *world {
	t.Helper()
	e := archivetest.New(t, archivetest.Options{Directories: connect.New(connect.Config{})})
	w := &world{env: e, dir: t.TempDir(), tenants: map[string]*catalog.Tenant{}, sources: map[string]*catalog.Source{}, actors: map[string]access.Actor{}}
	for _, slug := range []string{"alpha", "beta"} {
		w.tenants[slug], w.sources[slug] = e.Tenant(t, slug)
		for login, role := range map[string]access.Role{"anna": access.RoleUser, "bernd": access.RoleUser, "admin": access.RoleTenantAdmin, "auditor": access.RoleAuditor, "dpo": access.RoleDPO} {
			w.actors[slug+"-"+login] = e.User(t, w.tenants[slug], slug+"-"+login, role, login+"@"+slug+".example")
		}
	}
	if _, err := e.CreateOperator(t.Context(), archive.NewUser{Login: "operator", Password: archivetest.Password}); err != nil {
		t.Fatal(err)
	}
	w.mail = w.ingest(t, "alpha", hostile)
	store, err := upload.NewStore(upload.Config{Dir: w.dir, MaxSize: 1 << 20, PerTenant: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	w.uploads = store
	s, err := httpd.New(httpd.Config{Archive: e.Archive, Uploads: store, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewUnstartedServer(s.HTTP().Handler)
	w.server.Config.MaxHeaderBytes = s.HTTP().MaxHeaderBytes
	w.server.Start()
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) ingest(t *testing.T, slug, raw string) uid.ID {
	t.Helper()
	r, err := w.env.Ingest(t.Context(), archive.Submission{Tenant: w.tenants[slug].ID, Source: w.sources[slug].ID, Raw: bytes.NewReader([]byte(raw))})
	if err == nil {
		err = w.env.AwaitIndex(t.Context(), w.tenants[slug].ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r.AOID
}

// approved makes an approved request of alpha's auditor.
func (w *world) approved(t *testing.T, reason string) string {
	t.Helper()
	v, err := w.env.As(w.actors["alpha-auditor"]).RequestAccess(t.Context(), archive.NewAccess{Kind: access.ReadMailbox, Addresses: []string{"anna@alpha.example"},
		Reason: reason, Until: time.Now().Add(time.Hour)})
	if err == nil {
		_, err = w.env.As(w.actors["alpha-dpo"]).DecideAccess(t.Context(), v.ID, true, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	return v.ID.String()
}

// answer is what an attacker gets.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) String() string { return fmt.Sprintf("%d %v %.600s", a.status, a.header, a.body) }

// ask sends a request below the base of the interface as somebody; nobody if who is
// empty. change may turn it into an attack.
func (w *world) ask(t *testing.T, who, method, path, body string, change ...func(*http.Request)) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.server.URL+api.Base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		req.AddCookie(&http.Cookie{Name: api.CookieName, Value: w.token(t, who)})
	}
	for _, f := range change {
		f(req)
	}
	return send(t, req)
}

// plain sends a request to a path of the server.
func (w *world) plain(t *testing.T, method, path string, change ...func(*http.Request)) answer {
	t.Helper()
	return w.ask(t, "", method, "", "", append([]func(*http.Request){func(r *http.Request) {
		r.URL.Path, r.URL.Opaque = "", "//"+r.URL.Host+path
	}}, change...)...)
}

func send(t *testing.T, req *http.Request) answer {
	t.Helper()
	c := &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

// set sets a header field of a request.
func set(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func credentials(login, password string) string {
	b, err := json.Marshal(map[string]string{"login": login, "password": password})
	if err != nil {
		panic(err) // of texts: never
	}
	return string(b)
}

// token returns a session's token, of one log-in for all attempts.
func (w *world) token(t *testing.T, who string) string {
	t.Helper()
	if v, ok := w.tokens.Load(who); ok {
		return v.(string) //nolint:forcetypeassert // only this function stores
	}
	v := w.freshToken(t, who)
	w.tokens.Store(who, v)
	return v
}

func (w *world) freshToken(t *testing.T, who string, change ...func(*http.Request)) string {
	t.Helper()
	a := w.ask(t, "", http.MethodPost, "/session", credentials(who, archivetest.Password), change...)
	if a.status != http.StatusOK {
		t.Fatalf("%s cannot log in: %s", who, a)
	}
	c, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	if err != nil {
		t.Fatal(err)
	}
	return c.Value
}

// wants fails unless an answer has one of the statuses.
func wants(t *testing.T, what string, a answer, statuses ...int) {
	t.Helper()
	for _, s := range statuses {
		if a.status == s {
			return
		}
	}
	t.Errorf("%s: want %v, got %s", what, statuses, a)
}
