package httpd_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/directory/connect"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/uid"
)

// site is a running server with one tenant: anna, a user, and bernd, who
// administers it.
type site struct {
	*archivetest.Env
	tenant *catalog.Tenant
	source *catalog.Source
	url    string
	log    *journal
}

// journal collects a log that several goroutines write.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

func interfaceFiles() fstest.MapFS {
	return fstest.MapFS{
		"index.html":          {Data: []byte("<!doctype html><title>Muniment</title>" + strings.Repeat("<p>x</p>", 400))},
		"assets/app-1a2b.js":  {Data: []byte("console.log(1)")},
		"assets/app-1a2b.css": {Data: []byte("p{}")},
		"favicon.svg":         {Data: []byte("<svg/>")},
	}
}

// start runs a server; change may alter its settings.
func start(t *testing.T, change ...func(*httpd.Config)) *site {
	t.Helper()
	s := &site{Env: archivetest.New(t, archivetest.Options{Directories: connect.New(connect.Config{})}), log: &journal{}}
	s.tenant, s.source = s.Tenant(t, "acme")
	s.User(t, s.tenant, "anna", access.RoleUser, "anna@example.com")
	s.User(t, s.tenant, "bernd", access.RoleTenantAdmin, "bernd@example.com")
	c := httpd.Config{Archive: s.Archive, UI: interfaceFiles(), Log: slog.New(slog.NewTextHandler(s.log, nil)), Version: "test"}
	for _, f := range change {
		f(&c)
	}
	h, err := httpd.New(c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	server.Config = h.HTTP()
	server.Start()
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// ingest archives a message and waits until it can be found.
func (s *site) ingest(t *testing.T, raw string, to ...string) uid.ID {
	t.Helper()
	r, err := s.Ingest(t.Context(), archive.Submission{Tenant: s.tenant.ID, Source: s.source.ID, Raw: bytes.NewReader([]byte(raw)), EnvelopeTo: to})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AwaitIndex(t.Context(), s.tenant.ID); err != nil {
		t.Fatal(err)
	}
	return r.AOID
}

// answer is a response with its body.
type answer struct {
	*http.Response
	body []byte
}

// code returns the code of a problem.
func (a *answer) code() string {
	var p struct{ Code string }
	if json.Unmarshal(a.body, &p) != nil {
		return ""
	}
	return p.Code
}

func (a *answer) into(t *testing.T, v any) {
	t.Helper()
	if a.StatusCode >= 300 {
		t.Fatalf("%s: %d %s", a.Request.URL.Path, a.StatusCode, a.body)
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%s: %v in %s", a.Request.URL.Path, err, a.body)
	}
}

// browser sends requests with the cookies it was given. Unlike a real one it
// follows no redirects and takes what it gets compressed only when told.
type browser struct {
	site    *site
	cookies []*http.Cookie
	header  http.Header
}

func (s *site) browser() *browser { return &browser{site: s, header: http.Header{}} }

// as logs in.
func (s *site) as(t *testing.T, login string) *browser {
	t.Helper()
	b := s.browser()
	a := b.do(t, "POST", "/api/v1/session", map[string]string{"login": login, "password": archivetest.Password})
	if a.StatusCode != http.StatusOK {
		t.Fatalf("log-in of %s: %d %s", login, a.StatusCode, a.body)
	}
	b.cookies = a.Cookies()
	return b
}

func (b *browser) get(t *testing.T, path string) *answer {
	t.Helper()
	return b.do(t, "GET", path, nil)
}

// do sends body as JSON, or as it is if it is a string.
func (b *browser) do(t *testing.T, method, path string, body any) *answer {
	t.Helper()
	var in io.Reader
	switch v := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(v)
	default:
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		in = bytes.NewReader(j)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, b.site.url+path, in)
	if err != nil {
		t.Fatal(err)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range b.header {
		r.Header[k] = v
	}
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return &answer{res, all}
}

func itoa(n int) string { return strconv.Itoa(n) }

func escape(q string) string { return url.QueryEscape(q) }
