package httpd_test

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/httpd"
)

func TestSession(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.browser()
	if a := b.get(t, "/api/v1/session"); a.StatusCode != 401 || a.code() != "no-session" {
		t.Errorf("without a session: %d %s", a.StatusCode, a.body)
	}
	if a := b.do(t, "POST", "/api/v1/session", api.LogIn{Login: "anna", Password: "wrong wrong"}); a.StatusCode != 401 || a.code() != "login" || len(a.Cookies()) != 0 {
		t.Errorf("wrong password: %d %s", a.StatusCode, a.body)
	}
	b = s.as(t, "anna")
	c := b.cookies[0]
	if c.Name != "muniment_session" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Secure || c.Domain != "" {
		t.Errorf("cookie = %v", c)
	}
	var account api.Account
	b.get(t, "/api/v1/session").into(t, &account)
	if account.Login != "anna" || account.Role != "user" || account.Tenant.Slug != "acme" || len(account.Addresses) != 1 {
		t.Errorf("account = %+v", account)
	}
	de := "de"
	b.do(t, "PATCH", "/api/v1/account", api.AccountChange{Language: &de}).into(t, &account)
	b.get(t, "/api/v1/session").into(t, &account)
	if account.Language != "de" {
		t.Errorf("language = %q", account.Language)
	}
	a := b.do(t, "DELETE", "/api/v1/session", nil)
	if a.StatusCode != 204 || a.Cookies()[0].MaxAge >= 0 || a.Cookies()[0].Name != c.Name {
		t.Errorf("log-out: %d %v", a.StatusCode, a.Cookies())
	}
	if a := b.get(t, "/api/v1/session"); a.StatusCode != 401 {
		t.Errorf("the session lives on after the log-out: %d", a.StatusCode)
	}
}

func TestLogInByAddressAndTenant(t *testing.T) {
	t.Parallel()
	s := start(t)
	other, _ := s.Tenant(t, "other")
	s.User(t, other, "anna", "user", "anna@other.example")
	log := func(login, tenant string) *answer {
		return s.browser().do(t, "POST", "/api/v1/session", api.LogIn{Login: login, Tenant: tenant, Password: archivetest.Password})
	}
	if a := log("anna", ""); a.StatusCode != 409 || a.code() != "tenant-needed" {
		t.Errorf("two tenants: %d %s", a.StatusCode, a.body)
	}
	for login, tenant := range map[string]string{"anna": "other", "Anna@Other.example": ""} {
		var account api.Account
		log(login, tenant).into(t, &account)
		if account.Tenant.Slug != "other" {
			t.Errorf("%s: tenant %s", login, account.Tenant.Slug)
		}
	}
	for _, login := range []string{"nobody", "nobody@example.com", "a\x00b", "\xff\xfe", strings.Repeat("ä", 320)} {
		if a := log(login, "a\x00"); a.StatusCode != 401 || a.code() != "login" {
			t.Errorf("log-in %q: %d %s", login, a.StatusCode, a.body)
		}
	}
}

// An operator can log in however many users of tenants have the same name and
// password, and nobody learns from it who there is.
func TestOperatorLogsIn(t *testing.T) {
	t.Parallel()
	s := start(t)
	if _, err := s.CreateOperator(t.Context(), archive.NewUser{Login: "anna", Password: archivetest.Password}); err != nil {
		t.Fatal(err)
	}
	for _, slug := range []string{"one", "two", "three", "four", "five"} {
		other, _ := s.Tenant(t, slug)
		s.User(t, other, "anna", "user")
	}
	log := func(in api.LogIn) *answer { return s.browser().do(t, "POST", "/api/v1/session", in) }
	if a := log(api.LogIn{Login: "anna", Password: archivetest.Password}); a.StatusCode != 409 || a.code() != "tenant-needed" {
		t.Errorf("several: %d %s", a.StatusCode, a.body)
	}
	for _, in := range []api.LogIn{{Operator: true}, {Operator: true, Tenant: "one"}, {Tenant: "five"}} {
		in.Login, in.Password = "Anna", archivetest.Password
		var account api.Account
		log(in).into(t, &account)
		if in.Operator != (account.Role == "operator" && account.Tenant == nil) {
			t.Errorf("%+v: %+v", in, account)
		}
	}
	for _, in := range []api.LogIn{{Login: "anna", Password: "wrong"}, {Login: "bert", Password: archivetest.Password}, {Login: "nobody", Password: "x"}} {
		in.Operator = true
		if a := log(in); a.StatusCode != 401 || a.code() != "login" {
			t.Errorf("%+v: %d %s", in, a.StatusCode, a.body)
		}
	}
}

func TestSecureCookie(t *testing.T) {
	t.Parallel()
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for name, tc := range map[string]struct {
		change func(*httpd.Config)
		secure bool
	}{
		"trusted proxy": {func(c *httpd.Config) { c.TrustedProxies = loopback }, true},
		"anybody":       {func(*httpd.Config) {}, false},
	} {
		s := start(t, tc.change)
		b := s.browser()
		b.header.Set("X-Forwarded-Proto", "https")
		a := b.do(t, "POST", "/api/v1/session", api.LogIn{Login: "anna", Password: archivetest.Password})
		c := a.Cookies()[0]
		want := "muniment_session"
		if tc.secure {
			want = "__Host-muniment_session"
		}
		if c.Secure != tc.secure || c.Name != want || (a.Header.Get("Strict-Transport-Security") != "") != tc.secure {
			t.Errorf("%s: cookie %v, %v", name, c, a.Header)
		}
		b.cookies = a.Cookies()
		if a := b.get(t, "/api/v1/session"); a.StatusCode != 200 {
			t.Errorf("%s: the cookie opens nothing: %d", name, a.StatusCode)
		}
	}
}

func TestChangesOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.as(t, "anna")
	for name, h := range map[string][2]string{"fetch metadata": {"Sec-Fetch-Site", "cross-site"}, "origin": {"Origin", "https://evil.example"}} {
		b.header = http.Header{h[0]: {h[1]}}
		for _, r := range [][2]string{{"POST", "/api/v1/session"}, {"DELETE", "/api/v1/session"}, {"PATCH", "/api/v1/account"}, {"POST", "/api/v1/messages/x/check"}} {
			if a := b.do(t, r[0], r[1], map[string]string{}); a.StatusCode != 403 || a.code() != "cross-origin" {
				t.Errorf("%s, %v: %d %s", name, r, a.StatusCode, a.body)
			}
		}
	}
	b.header = http.Header{}
	if a := b.get(t, "/api/v1/session"); a.StatusCode != 200 {
		t.Errorf("another site ended the session: %d", a.StatusCode)
	}
}

// Many attempts at the same time are no way around the limit.
func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	s := start(t)
	const attempts = 24
	codes := make([]string, attempts)
	var wg sync.WaitGroup
	for i := range attempts {
		wg.Go(func() {
			a := s.browser().do(t, "POST", "/api/v1/session", api.LogIn{Login: "Anna", Password: "guess " + strconv.Itoa(i)})
			codes[i] = a.code()
			if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); a.StatusCode == 429 && (err != nil || seconds < 1 || seconds > 300) {
				t.Errorf("Retry-After: %q", a.Header.Get("Retry-After"))
			}
		})
	}
	wg.Wait()
	tried := 0
	for _, c := range codes {
		switch c {
		case "login":
			tried++
		case "too-many":
		default:
			t.Errorf("code %q", c)
		}
	}
	if tried != 8 {
		t.Errorf("%d attempts were let through, want 8", tried)
	}
	if a := s.browser().do(t, "POST", "/api/v1/session", api.LogIn{Login: "anna", Password: archivetest.Password}); a.StatusCode != 429 {
		t.Errorf("the right password after too many wrong ones: %d", a.StatusCode)
	}
	s.as(t, "bernd") // others at the same place are let in
}
