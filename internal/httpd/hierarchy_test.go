package httpd

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/site"
)

// shop is a server with an operator's token.
type shop struct {
	*archivetest.Env
	server *httptest.Server
	token  string
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{Env: archivetest.New(t, archivetest.Options{})}
	u, err := s.CreateOperator(t.Context(), archive.NewUser{Login: "root", Password: archivetest.Password})
	if err != nil {
		t.Fatal(err)
	}
	operator := s.As(access.Actor{User: u.ID, Role: access.RoleOperator})
	if s.token, _, err = operator.CreateToken(t.Context(), "shop", archive.ScopesFor(access.RoleOperator), u.CreatedAt.AddDate(100, 0, 0)); err != nil {
		t.Fatal(err)
	}
	h, err := New(Config{Archive: s.Archive})
	if err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewServer(h.HTTP().Handler)
	t.Cleanup(s.server.Close)
	return s
}

// ask sends a request with a token and decodes the answer into out.
func (s *shop) ask(t *testing.T, token, method, path, body string, out any, header ...string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.server.URL+api.Base+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	if text, ok := out.(*string); ok {
		*text = string(b)
	} else if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			t.Errorf("%s %s: %v: %s", method, path, err, b)
		}
	}
	return res.StatusCode
}

const firstOrder = `{"name":"Muster GmbH","domains":[{"name":"muster.example"}],"admin":{"login":"admin","password":"` + archivetest.Password + `"},
	"users":[{"login":"anna","addresses":["anna@muster.example"]}],"limits":{"mailboxes":25}}`

func TestOrderByToken(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	answers := make([]string, 10)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			if status := s.ask(t, s.token, "POST", "/provisioning/tenants", firstOrder, &answers[i], "Idempotency-Key", "shop-4711"); status != http.StatusOK {
				t.Errorf("%d %s", status, answers[i])
			}
		})
	}
	wg.Wait()
	for _, a := range answers {
		if a != answers[0] {
			t.Errorf("answers differ:\n%s\n%s", a, answers[0])
		}
	}
	var p api.Provisioned
	if err := json.Unmarshal([]byte(answers[0]), &p); err != nil || p.Slug != "muster-gmbh" {
		t.Fatalf("%+v, %v", p, err)
	}
	var problem api.Problem
	other := strings.Replace(firstOrder, `"mailboxes":25`, `"mailboxes":26`, 1)
	if status := s.ask(t, s.token, "POST", "/provisioning/tenants", other, &problem, "Idempotency-Key", "shop-4711"); status != http.StatusConflict ||
		problem.Code != api.CodeDifferent || problem.Errors[0].Location != "body.limits" {
		t.Errorf("%d %+v", status, problem)
	}
	// A shop whose variable is empty would make a customer with every try.
	if status := s.ask(t, s.token, "POST", "/provisioning/tenants", `{"name":"X"}`, &problem, "Idempotency-Key", " "); status != http.StatusUnprocessableEntity ||
		problem.Errors[0].Location != "header.Idempotency-Key" {
		t.Errorf("%d %+v", status, problem)
	}
	many := `{"name":"X","users":[{"login":"x","addresses":["a@x.example"` + strings.Repeat(`,"a@x.example"`, 100) + `]}]}`
	for body, location := range map[string]string{many: "body.users[0].addresses", "{\"name\":\"M\xfcller\"}": "body"} {
		if status := s.ask(t, s.token, "POST", "/provisioning/tenants", body, &problem, "Accept-Language", "de"); status < 400 || problem.Errors[0].Location != location ||
			problem.Errors[0].Message != "höchstens 100" && problem.Errors[0].Message != "die Anfrage ist kein UTF-8" {
			t.Errorf("%d %+v", status, problem)
		}
	}
	var list api.Tenants
	if s.ask(t, s.token, "GET", "/tenants", "", &list); len(list.Tenants) != 1 || list.Tenants[0].Limits[0].Limit != 25 {
		t.Errorf("%+v", list)
	}
	var d api.TenantDetail
	for _, state := range []string{"suspended", "active", "ended"} {
		if status := s.ask(t, s.token, "POST", "/tenants/"+p.Tenant+"/state", `{"state":"`+state+`"}`, &d); status != http.StatusOK || d.State != state {
			t.Errorf("%d %+v", status, d)
		}
	}
	if d.DeletableAt == nil || d.Journals[0] != p.JournalAddress || d.Users != 2 || d.Reference != "shop-4711" {
		t.Errorf("%+v", d)
	}
	var csv string
	if status := s.ask(t, s.token, "GET", "/usage.csv?month=2026-11", "", &csv); status != http.StatusOK || !strings.HasPrefix(csv, "\ufeffmonth;tenant;") || !strings.Contains(csv, ";Muster GmbH;ended;") {
		t.Errorf("%d %q", status, csv)
	}
	if status := s.ask(t, s.token, "GET", "/usage?month=x", "", &problem); status != http.StatusUnprocessableEntity || problem.Errors[0].Location != "query.month" {
		t.Errorf("%d %+v", status, problem)
	}
}

// A token is good for its scopes alone, and never for mail.
func TestTokenScopes(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var reseller api.Reseller
	if status := s.ask(t, s.token, "POST", "/resellers", `{"slug":"nord"}`, &reseller); status != http.StatusCreated {
		t.Fatalf("%d %+v", status, reseller)
	}
	tenant, _ := s.Tenant(t, "alpha")
	admin := s.As(s.User(t, tenant, "anna", access.RoleTenantAdmin, "anna@firma.example"))
	reports, _, err := admin.CreateToken(t.Context(), "reports", []archive.Scope{archive.ScopeReportsRead}, tenant.CreatedAt.AddDate(50, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		token, method, path string
		status              int
	}{
		{s.token, "GET", "/search", 403}, {s.token, "GET", "/messages/x", 403}, {s.token, "GET", "/messages/x/raw", 403}, {s.token, "GET", "/session", 403},
		{s.token, "GET", "/tokens", 403}, {s.token, "POST", "/tokens", 403}, {s.token, "POST", "/tenants/x/deletion", 403}, {s.token, "GET", "/smarthost", 403},
		{s.token, "GET", "/statistics", 403}, {s.token, "GET", "/tenants", 200}, {s.token, "GET", "/tenants/" + tenant.ID.String(), 200},
		{reports, "GET", "/statistics", 200}, {reports, "GET", "/completeness", 200}, {reports, "GET", "/search", 403}, {reports, "GET", "/tenants", 403},
		{reports, "POST", "/sources", 403}, {reports + "x", "GET", "/statistics", 401}, {"mun_", "GET", "/statistics", 401}, {"", "GET", "/statistics", 401},
	} {
		if got := s.ask(t, c.token, c.method, c.path, "", nil); got != c.status {
			t.Errorf("%.8s %s %s: %d, want %d", c.token, c.method, c.path, got, c.status)
		}
	}
	// No member of the request is told to whoever lacks the scope.
	var problem api.Problem
	if s.ask(t, reports, "POST", "/provisioning/tenants", `{"x":1}`, &problem); problem.Code != api.CodeRole {
		t.Errorf("%+v", problem)
	}
}

func TestTokenPace(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	last := 0
	for range tokenRequests + 1 {
		last = s.ask(t, s.token, "GET", "/resellers", "", nil)
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("request %d: %d", tokenRequests+1, last)
	}
}

func TestBrandingByHost(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	var r api.Reseller
	s.ask(t, s.token, "POST", "/resellers", `{"slug":"nord","host":"archiv.nord.example"}`, &r)
	change := fmt.Sprintf(`{"branding":{"name":"Nordarchiv","accent":"#0b5b5c"},"logo":%q}`, base64.StdEncoding.EncodeToString(picture.Bytes()))
	if status := s.ask(t, s.token, "PATCH", "/resellers/"+r.ID, change, &r); status != http.StatusOK || r.Branding.Logo == "" {
		t.Fatalf("%d %+v", status, r)
	}
	var st api.Status
	if s.ask(t, "", "GET", "/status", "", &st, "Host", "archiv.nord.example:8443"); st.Branding == nil || *st.Branding != r.Branding {
		t.Errorf("%+v", st)
	}
	st = api.Status{}
	if s.ask(t, "", "GET", "/status", "", &st, "Host", "far.example"); st.Branding != nil {
		t.Errorf("%+v", st)
	}
	var logo string
	if status := s.ask(t, "", "GET", "/logos/"+r.Branding.Logo, "", &logo); status != http.StatusOK || !strings.HasPrefix(logo, "\x89PNG") {
		t.Errorf("%d %q", status, logo)
	}
	if status := s.ask(t, "", "GET", "/logos/x", "", nil); status != http.StatusNotFound {
		t.Errorf("no logo: %d", status)
	}
	var problem api.Problem
	for field, body := range map[string]string{"body.logo": `{"logo":"PHN2Zz4="}`, "body.branding.accent": `{"branding":{"accent":"#ffffff"}}`, "body.host": `{"host":"x"}`} {
		if status := s.ask(t, s.token, "PATCH", "/resellers/"+r.ID, body, &problem); status != http.StatusUnprocessableEntity || problem.Errors[0].Location != field {
			t.Errorf("%s: %d %+v", field, status, problem)
		}
	}
}

// TestProblemsInTheLanguageOfTheReader: whichever way a problem leaves the server.
func TestProblemsInTheLanguageOfTheReader(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, c := range []struct{ method, path, body, want string }{
		{"GET", "/users", "", "Dafür kann ein Token nicht benutzt werden."},
		{"POST", "/provisioning/tenants", `{"name":7}`, "Text angeben"},
		{"POST", "/provisioning/tenants", `{"name":""}`, "fehlt"},
		{"GET", "/usage.csv?month=x", "", "einen Monat wie 2026-11 angeben"},
		{"GET", "/nowhere", "", "Hier ist nichts, was Sie sehen dürfen."},
	} {
		var german, english api.Problem
		s.ask(t, s.token, c.method, c.path, c.body, &german, "Accept-Language", "de-DE,de;q=0.9")
		s.ask(t, s.token, c.method, c.path, c.body, &english)
		said := func(p api.Problem) string {
			if len(p.Errors) > 0 {
				return p.Errors[0].Message
			}
			return p.Detail
		}
		if said(german) != c.want || said(english) == c.want || german.Code != english.Code || german.Title != english.Title {
			t.Errorf("%s %s: %+v\n%+v", c.method, c.path, german, english)
		}
	}
}

// byACME is a site whose certificates come by ACME.
type byACME struct{ Certificates }

func (byACME) Ready() bool { return true }

func (byACME) Settings() site.Settings {
	return site.Settings{Host: "archive.example", TLS: site.ACME}
}

// TestPlainRequestsToResellers are led to TLS under the name that they came by, if it is a
// reseller's, and else to the site.
func TestPlainRequestsToResellers(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ask(t, s.token, "POST", "/resellers", `{"slug":"nord","host":"archiv.nord.example"}`, nil)
	h, err := New(Config{Archive: s.Archive, Certificates: byACME{}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Port: "443"})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{"archiv.nord.example": "https://archiv.nord.example/x?y=1", "Archiv.Nord.example:80": "https://archiv.nord.example/x?y=1",
		"archive.example": "https://archive.example/x?y=1", "evil.example": "https://archive.example/x?y=1", "archiv.nord.example.evil.example": "https://archive.example/x?y=1"} {
		r := httptest.NewRequest(http.MethodGet, "/x?y=1", nil)
		r.Host, r.RemoteAddr = host, "192.0.2.7:4000"
		w := httptest.NewRecorder()
		h.HTTP().Handler.ServeHTTP(w, r)
		if got := w.Header().Get("Location"); w.Code != http.StatusPermanentRedirect || got != want {
			t.Errorf("%s: %d %q", host, w.Code, got)
		}
	}
}
