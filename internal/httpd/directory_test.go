package httpd_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/testkit/oidcd"
	"github.com/muniment/muniment/internal/testkit/slapd"
)

func private(c *httpd.Config) { c.AllowPrivate = true }

// chrome is a client that follows redirects and keeps cookies, as browsers do.
func chrome(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// provided is a site whose tenant has a provider.
func provided(t *testing.T, p *oidcd.Server) (*site, string) {
	t.Helper()
	s := start(t, private)
	if _, err := s.AddDomain(t.Context(), s.tenant.ID, "example.com", ""); err != nil {
		t.Fatal(err)
	}
	var d api.Directory
	s.as(t, "bernd").do(t, "POST", "/api/v1/directories", map[string]any{"name": "Firma", "secret": p.ClientSecret, "settings": map[string]any{"oidc": map[string]any{
		"issuer": p.Issuer, "client_id": p.ClientID, "redirect": s.url + "/auth/oidc/callback", "offered": true}}}).into(t, &d)
	return s, d.ID
}

// TestProviderLogIn logs in at a provider, from the button to the session.
func TestProviderLogIn(t *testing.T) {
	t.Parallel()
	p := oidcd.New(t, oidcd.Options{})
	s, id := provided(t, p)
	var offers api.LogInOffers
	s.browser().get(t, "/api/v1/log-in-offers").into(t, &offers)
	if len(offers.Offers) != 1 || offers.Offers[0].ID != id || offers.Offers[0].Name != "Firma" {
		t.Fatalf("offers: %+v", offers)
	}
	p.Is(oidcd.Account{Subject: "7", Claims: map[string]any{"email": "anna@example.com", "email_verified": true}})
	c := chrome(t)
	resp, err := c.Get(s.url + "/auth/oidc/start?directory=" + id)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.Request.URL.Path != "/" || resp.StatusCode != http.StatusOK {
		t.Fatalf("ends at %s with %s", resp.Request.URL, resp.Status)
	}
	site, _ := url.Parse(s.url)
	for _, x := range c.Jar.Cookies(site) {
		if strings.Contains(x.Name, "provider") {
			t.Errorf("the cookie %s stays", x.Name)
		}
	}
	resp, err = c.Get(s.url + "/api/v1/session")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("no session: %s", resp.Status)
	}
	if log := s.log.String(); strings.Contains(log, "code-1") || strings.Contains(log, p.ClientSecret) {
		t.Error("the log tells what it should not")
	}
}

// TestProviderTrouble: each way that does not end in a session ends on the log-in page,
// which says why.
func TestProviderTrouble(t *testing.T) {
	t.Parallel()
	good := oidcd.Account{Subject: "7", Claims: map[string]any{"email": "anna@example.com", "email_verified": true}}
	stranger := oidcd.Account{Subject: "8", Claims: map[string]any{"email": "eve@example.com", "email_verified": true}}
	for name, x := range map[string]struct {
		wrong   oidcd.Misbehaviour
		account oidcd.Account
		path    string // instead of the start
		code    string
	}{
		"nobody":        {account: stranger, code: "unknown"},
		"unverified":    {account: oidcd.Account{Subject: "7", Claims: map[string]any{"email": "anna@example.com"}}, code: "no-email"},
		"refused":       {wrong: oidcd.Refuses, account: good, code: "provider"},
		"alg none":      {wrong: oidcd.AlgNone, account: good, code: "id-token"},
		"nonce":         {wrong: oidcd.WrongNonce, account: good, code: "nonce"},
		"state":         {wrong: oidcd.WrongState, account: good, code: "state"},
		"down":          {wrong: oidcd.Down, account: good, code: "protocol"},
		"no directory":  {account: good, path: "/auth/oidc/start?directory=x", code: "not-found"},
		"not begun":     {account: good, path: "/auth/oidc/callback?code=code-1&state=x", code: "state"},
		"open redirect": {account: good, path: "/auth/oidc/callback?code=1&state=//evil.example&error=x", code: "state"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := oidcd.New(t, oidcd.Options{Misbehave: x.wrong})
			p.Is(x.account)
			s, id := provided(t, p)
			if x.path == "" {
				x.path = "/auth/oidc/start?directory=" + id
			}
			c := chrome(t)
			resp, err := c.Get(s.url + x.path)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got := resp.Request.URL; got.Path != "/login" || got.Query().Get("problem") != x.code || !strings.HasPrefix(s.url, "http://"+got.Host) {
				t.Errorf("ends at %s, want code %s", got, x.code)
			}
			site, _ := url.Parse(s.url)
			for _, k := range c.Jar.Cookies(site) {
				t.Errorf("the cookie %s", k.Name)
			}
		})
	}
}

// TestProviderOtherBrowser: what the provider gave to one browser is of no use to
// another, so that nobody can be logged in as somebody else by a link.
func TestProviderOtherBrowser(t *testing.T) {
	t.Parallel()
	p := oidcd.New(t, oidcd.Options{})
	s, id := provided(t, p)
	p.Is(oidcd.Account{Subject: "7", Claims: map[string]any{"email": "anna@example.com", "email_verified": true}})
	mine, theirs := chrome(t), chrome(t)
	var link string
	mine.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == "/auth/oidc/callback" {
			link = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	for i, c := range []*http.Client{mine, theirs} {
		address := s.url + "/auth/oidc/start?directory=" + id
		if i == 1 {
			address = link
		}
		resp, err := c.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if i == 1 && resp.Request.URL.Query().Get("problem") != "state" {
			t.Errorf("another browser ends at %s", resp.Request.URL)
		}
	}
}

// TestDirectories goes the way of an administrator with a real directory, and shows that
// nobody else may.
func TestDirectories(t *testing.T) {
	t.Parallel()
	x := slapd.New(t, slapd.Options{LDIF: slapd.Company(30)})
	host, port, _ := strings.Cut(x.LDAPS, ":")
	settings := func(bind string) map[string]any {
		var n int
		fmt.Sscan(port, &n) //nolint:errcheck // then the test fails
		return map[string]any{"ldap": map[string]any{"flavour": "generic", "host": host, "port": n, "tls": "implicit", "ca": x.CA, "bind_dn": bind, "base_dn": slapd.People}}
	}
	s := start(t, private)
	if _, err := s.AddDomain(t.Context(), s.tenant.ID, "firma.example", ""); err != nil {
		t.Fatal(err)
	}
	admin, user := s.as(t, "bernd"), s.as(t, "anna")
	draft := map[string]any{"name": "LDAP", "settings": settings(slapd.ReaderDN), "secret": slapd.ReaderPassword}
	var f api.DirectoryFinding
	admin.do(t, "POST", "/api/v1/directory-tests", map[string]any{"settings": draft["settings"], "secret": slapd.ReaderPassword}).into(t, &f)
	if !f.OK || f.People != 30 || len(f.First) != 5 {
		t.Fatalf("finding: %+v", f)
	}
	var d api.Directory
	admin.do(t, "POST", "/api/v1/directories", draft).into(t, &d)
	path := "/api/v1/directories/" + d.ID
	for _, r := range [][2]string{{"GET", "/api/v1/directories"}, {"POST", "/api/v1/directories"}, {"PATCH", path}, {"DELETE", path}, {"POST", "/api/v1/directory-tests"}, {"POST", path + "/preview"}, {"POST", path + "/sync"}} {
		var body any
		if r[0] != "GET" && r[0] != "DELETE" && !strings.HasSuffix(r[1], "preview") {
			body = map[string]any{"name": "x", "settings": map[string]any{}}
			if strings.HasSuffix(r[1], "sync") {
				body = map[string]any{}
			}
			if strings.HasSuffix(r[1], "tests") {
				body = map[string]any{"settings": map[string]any{}}
			}
		}
		if a := user.do(t, r[0], r[1], body); a.code() != "role" {
			t.Errorf("%s %s as a user: %d %s", r[0], r[1], a.StatusCode, a.body)
		}
	}
	if a := admin.get(t, "/api/v1/directories"); strings.Contains(string(a.body), "reader's") {
		t.Error("the secret comes out")
	}
	var plan api.DirectoryPlan
	admin.do(t, "POST", path+"/preview", nil).into(t, &plan)
	if plan.Done || plan.Counts["new"] != 27 || plan.Digest == "" {
		t.Errorf("preview: %+v", plan.Counts)
	}
	admin.do(t, "POST", path+"/sync", map[string]any{"digest": plan.Digest}).into(t, &plan)
	if !plan.Done {
		t.Errorf("sync: %+v", plan)
	}
	log := func(login, password string) string {
		a := s.browser().do(t, "POST", "/api/v1/session", map[string]string{"login": login, "password": password})
		if a.StatusCode == http.StatusOK {
			return ""
		}
		return a.code()
	}
	if code := log("u1", slapd.UserPassword(1)); code != "" {
		t.Errorf("log-in of u1: %s", code)
	}
	if code := log("u2", ""); code == "" {
		t.Error("an empty password lets in")
	}
	if a := admin.do(t, "PATCH", path, map[string]any{"name": "LDAP", "settings": settings("cn=other," + slapd.Suffix)}); a.code() != "invalid" || !strings.Contains(string(a.body), "body.secret") {
		t.Errorf("another reading user with the stored password: %d %s", a.StatusCode, a.body)
	}
	if err := x.Stop(); err != nil {
		t.Fatal(err)
	}
	if code := log("u1", slapd.UserPassword(1)); code != "directory" {
		t.Errorf("with the directory down: %s", code)
	}
	s.as(t, "bernd")
	plan = api.DirectoryPlan{}
	admin.do(t, "POST", path+"/sync", map[string]any{}).into(t, &plan)
	if plan.Done || plan.Problem == nil || plan.Problem.Code != "connect" {
		t.Errorf("sync with the directory down: %+v", plan.Problem)
	}
	if a := admin.do(t, "DELETE", path, nil); a.StatusCode != http.StatusNoContent {
		t.Errorf("remove: %d %s", a.StatusCode, a.body)
	}
}
