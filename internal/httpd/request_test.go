package httpd_test

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/httpd"
)

func TestInterfaceFiles(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.browser()
	for path, want := range map[string]struct {
		status     int
		kind       string
		cache      string
		isIndex    bool
		hasContent bool
	}{
		"/":                      {200, "text/html; charset=utf-8", "no-cache", true, true},
		"/search":                {200, "text/html; charset=utf-8", "no-cache", true, true},
		"/messages/01xyz/text":   {200, "text/html; charset=utf-8", "no-cache", true, true},
		"/index.html":            {200, "text/html; charset=utf-8", "no-cache", true, true},
		"/assets/app-1a2b.js":    {200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", false, true},
		"/assets/app-1a2b.css":   {200, "text/css; charset=utf-8", "public, max-age=31536000, immutable", false, true},
		"/favicon.svg":           {200, "image/svg+xml", "no-cache", false, true},
		"/assets/gone.js":        {404, "text/plain; charset=utf-8", "", false, false},
		"/robots.txt":            {404, "text/plain; charset=utf-8", "", false, false},
		"/.env":                  {404, "text/plain; charset=utf-8", "", false, false},
		"/%2e%2e/%2e%2e/go.mod":  {404, "text/plain; charset=utf-8", "", false, false},
		"/..%2f..%2fgo.mod":      {404, "text/plain; charset=utf-8", "", false, false},
		"/assets/..%5c..%5cx.go": {404, "text/plain; charset=utf-8", "", false, false},
		"/%00":                   {200, "text/html; charset=utf-8", "no-cache", true, true},
	} {
		a := b.get(t, path)
		for a.StatusCode == http.StatusMovedPermanently || a.StatusCode == http.StatusTemporaryRedirect { // ServeMux cleans paths
			to := a.Header.Get("Location")
			if u, err := url.Parse(to); err != nil || u.Host != "" || u.Scheme != "" {
				t.Fatalf("%s redirects to %q", path, to)
			}
			a = b.get(t, to)
		}
		if a.StatusCode != want.status || a.Header.Get("Content-Type") != want.kind || strings.Contains(string(a.body), "<title>") != want.isIndex {
			t.Errorf("%s: %d %s %.60s", path, a.StatusCode, a.Header.Get("Content-Type"), a.body)
		}
		if want.cache != "" && a.Header.Get("Cache-Control") != want.cache {
			t.Errorf("%s: Cache-Control %q", path, a.Header.Get("Cache-Control"))
		}
		if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src 'self' ") {
			t.Errorf("%s: policy %q", path, csp)
		}
		b.header.Set("If-None-Match", a.Header.Get("ETag"))
		if again := b.get(t, path); want.hasContent && again.StatusCode != 304 {
			t.Errorf("%s with its ETag: %d", path, again.StatusCode)
		}
		b.header.Del("If-None-Match")
	}
	if a := b.do(t, "POST", "/search", ""); a.StatusCode != 405 {
		t.Errorf("POST to a page: %d", a.StatusCode)
	}
}

// A path that begins with two slashes must not lead to another host.
func TestNoRedirectToOtherHosts(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, path := range []string{"//evil.example", "//evil.example/..", "/%2f%2fevil.example", "/\\evil.example", "/api//evil.example", "///evil.example/%2e%2e"} {
		a := s.browser().get(t, path)
		if u, err := url.Parse(a.Header.Get("Location")); err != nil || u.Host != "" {
			t.Errorf("%s redirects to %q", path, a.Header.Get("Location"))
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.as(t, "anna")
	seen := map[string]bool{}
	for _, path := range []string{"/", "/assets/app-1a2b.js", "/nope.txt", "/healthz", "/metrics", "/api/v1/status", "/api/v1/session", "/api/v1/search", "/api/v1/nothing"} {
		h := b.get(t, path).Header
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s = %q", path, name, h.Get(name))
			}
		}
		if strings.HasPrefix(path, "/api/") && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached: %q", path, h.Get("Cache-Control"))
		}
		if id := h.Get("X-Request-Id"); len(id) != 26 || seen[id] {
			t.Errorf("%s: request id %q", path, id)
		} else {
			seen[id] = true
		}
		if h.Get("Server") != "" || h.Get("X-Powered-By") != "" {
			t.Errorf("%s tells what it is: %v", path, h)
		}
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.as(t, "anna")
	big := `{"login":"` + strings.Repeat("a", 32<<10) + `","password":"x"}`
	for _, tc := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/api/v1/nothing", "", 404, "not-found"},
		{"GET", "/api/", "", 404, "not-found"},
		{"GET", "/api/v2/status", "", 404, "not-found"},
		{"PUT", "/api/v1/session", "", 405, "method"},
		{"POST", "/api/v1/search", "", 405, "method"},
		{"GET", "/api/v1/statistics", "", 403, "role"},
		{"GET", "/api/v1/search?limit=201", "", 422, "invalid"},
		{"GET", "/api/v1/search?limit=x", "", 422, "invalid"},
		{"GET", "/api/v1/search?tenant=other", "", 422, "invalid"},
		{"GET", "/api/v1/search?order=random", "", 422, "invalid"},
		{"GET", "/api/v1/search?cursor=tampered", "", 422, "cursor"},
		{"GET", "/api/v1/search?cursor=" + strings.Repeat("A", 24), "", 422, "cursor"},
		{"GET", "/api/v1/search?cursor=%00", "", 422, "cursor"},
		{"GET", "/api/v1/search?q=" + strings.Repeat("a", 5000), "", 422, "invalid"},
		{"GET", "/api/v1/search?q=before:30.02.2024", "", 422, "query"},
		{"GET", "/api/v1/search/suggest?q=a&pos=-5", "", 422, "invalid"},
		{"GET", "/api/v1/messages/x", "", 404, "not-found"},
		{"GET", "/api/v1/messages/..%2f..%2fetc", "", 404, "not-found"},
		{"GET", "/api/v1/messages/%00", "", 404, "not-found"},
		{"GET", "/api/v1/messages/x/raw", "", 404, "not-found"},
		{"GET", "/api/v1/messages/x/html", "", 404, "not-found"},
		{"GET", "/api/v1/messages/x/attachments/99999999999999999999", "", 404, "not-found"},
		{"POST", "/api/v1/session", "{", 400, "malformed"},
		{"POST", "/api/v1/session", "[]", 422, "invalid"},
		{"POST", "/api/v1/session", `{"login":"a","password":"b","admin":true}`, 422, "invalid"},
		{"POST", "/api/v1/session", big, 413, "too-large"},
		{"POST", "/api/v1/session", strings.Repeat("[", 10_000), 400, "malformed"},
		{"PATCH", "/api/v1/account", `{"language":"fr"}`, 422, "invalid"},
	} {
		a := b.do(t, tc.method, tc.path, tc.body)
		if a.StatusCode != tc.status || a.code() != tc.code || a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %.80s: %d %q %s, want %d %s", tc.method, tc.path, a.StatusCode, a.Header.Get("Content-Type"), a.body, tc.status, tc.code)
			continue
		}
		var p api.Problem
		a.StatusCode = 200 // into refuses problems
		a.into(t, &p)
		if p.RequestID != a.Header.Get("X-Request-Id") || p.Status != tc.status || p.Title == "" || p.Detail == "" || !strings.HasSuffix(p.Type, "#"+tc.code) {
			t.Errorf("%s %.80s: %+v", tc.method, tc.path, p)
		}
	}
	if a := b.do(t, "POST", "/api/v1/search", ""); a.Header.Get("Allow") != "GET" {
		t.Errorf("Allow = %q", a.Header.Get("Allow"))
	}
}

// A password that was sent wrongly must not come back or get into the log.
func TestMistakesDoNotRepeatPasswords(t *testing.T) {
	t.Parallel()
	s := start(t)
	const secret = "hunter2 in the wrong place"
	for _, body := range []string{`{"login":"anna","password":["` + secret + `"]}`, `{"login":"` + strings.Repeat("a", 400) + `","password":"` + secret + `"}`,
		`{"password":"` + secret + `"}`, `{"login":"anna","password":"` + secret + `"}`, `{"login":"anna","password":"` + secret} {
		if a := s.browser().do(t, "POST", "/api/v1/session", body); strings.Contains(string(a.body), "hunter2") || a.StatusCode < 400 {
			t.Errorf("%s: %d %s", body, a.StatusCode, a.body)
		}
	}
	if strings.Contains(s.log.String(), "hunter2") {
		t.Error("the log knows a password")
	}
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.as(t, "anna")
	a := b.get(t, "/api/v1/search?q=divorce+lawyer")
	log := s.log.String()
	if !strings.Contains(log, "route=\"GET /api/v1/search\"") || !strings.Contains(log, a.Header.Get("X-Request-Id")) || !strings.Contains(log, "peer=127.0.0.1") {
		t.Errorf("the log lacks the request: %s", log)
	}
	for _, secret := range []string{"divorce", b.cookies[0].Value, archivetest.Password} {
		if strings.Contains(log, secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
}

func TestCompression(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.browser()
	b.header.Set("Accept-Encoding", "gzip")
	a := b.get(t, "/")
	if a.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(a.Header.Get("Vary"), "Accept-Encoding") {
		t.Fatalf("not compressed: %v", a.Header)
	}
	r, err := gzip.NewReader(strings.NewReader(string(a.body)))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if want, _ := fs.ReadFile(interfaceFiles(), "index.html"); err != nil || string(plain) != string(want) {
		t.Errorf("unpacked differs, %v", err)
	}
	if a := s.browser().get(t, "/"); a.Header.Get("Content-Encoding") != "" {
		t.Error("compressed without being asked")
	}
}

func TestMetricsAreForSomeNetworksOnly(t *testing.T) {
	t.Parallel()
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	if a := start(t).browser().get(t, "/metrics"); a.StatusCode != 404 {
		t.Errorf("nobody may, but: %d", a.StatusCode)
	}
	s := start(t, func(c *httpd.Config) { c.MetricsNetworks = loopback; c.TrustedProxies = loopback })
	s.as(t, "anna").get(t, "/api/v1/search?q=secretword")
	a := s.browser().get(t, "/metrics")
	if a.StatusCode != 200 || !strings.Contains(string(a.body), `muniment_http_request_seconds_count{route="GET /api/v1/search",status="200"} 1`) {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if strings.Contains(string(a.body), "anna") || strings.Contains(string(a.body), "secretword") || strings.Contains(string(a.body), "acme") {
		t.Error("metrics name somebody")
	}
	b := s.browser()
	b.header.Set("X-Forwarded-For", "192.0.2.7")
	if a := b.get(t, "/metrics"); a.StatusCode != 404 {
		t.Errorf("through the proxy: %d", a.StatusCode)
	}
}

func TestClientBehindProxies(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		proxies   []netip.Prefix
		forwarded string
		want      string
	}{
		"none trusted":   {nil, "192.0.2.7", "127.0.0.1"},
		"trusted":        {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "203.0.113.9, 192.0.2.7", "192.0.2.7"},
		"two trusted":    {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}, "192.0.2.7, 10.1.1.1", "192.0.2.7"},
		"not an address": {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "anna, 192.0.2.7 peer=x", "127.0.0.1"},
		"empty":          {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "", "127.0.0.1"},
	} {
		s := start(t, func(c *httpd.Config) { c.TrustedProxies = tc.proxies })
		b := s.browser()
		b.header.Set("X-Forwarded-For", tc.forwarded)
		b.get(t, "/api/v1/status")
		if !strings.Contains(s.log.String(), "peer="+tc.want+"\n") {
			t.Errorf("%s: %s", name, s.log)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	s := start(t)
	if a := s.browser().get(t, "/healthz"); a.StatusCode != 200 || string(a.body) != "ok\n" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	s = start(t, func(c *httpd.Config) { c.Ready = s.Catalog.Ping })
	if a := s.browser().get(t, "/healthz"); a.StatusCode != 200 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	s.Catalog.Close()
}

func TestStatusTellsDemoLogins(t *testing.T) {
	t.Parallel()
	var st api.Status
	s := start(t)
	b := s.browser()
	b.get(t, "/api/v1/status").into(t, &st)
	if st.Demo || len(st.DemoLogins) != 0 || st.Version != "" {
		t.Errorf("status = %+v", st)
	}
	b.logIn(t, "anna", archivetest.Password)
	b.get(t, "/api/v1/status").into(t, &st)
	if st.Version != "test" {
		t.Errorf("status of who is logged in = %+v", st)
	}
	s = start(t, func(c *httpd.Config) { c.Demo = &httpd.Demo{Logins: []httpd.DemoLogin{{Login: "anna", Password: "p"}}} })
	s.browser().get(t, "/api/v1/status").into(t, &st)
	if !st.Demo || len(st.DemoLogins) != 1 {
		t.Errorf("status = %+v", st)
	}
}
