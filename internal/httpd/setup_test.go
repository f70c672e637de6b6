package httpd_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/httpd"
	sites "github.com/muniment/muniment/internal/site"
)

const setupCode = "ABCD-EFGH-2345-6777"

// The first operator needs the code, and there is only one.
func TestFound(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *httpd.Config) { c.SetupCode = setupCode })
	b := s.browser()
	status := func() (st api.Status) { b.get(t, "/api/v1/status").into(t, &st); return st }
	if !status().Setup {
		t.Error("the status does not say that nobody runs the installation")
	}
	found := func(in api.FirstOperator) *answer { return b.do(t, "POST", "/api/v1/setup", in) }
	right := api.FirstOperator{Code: "abcd efgh-23456777", Login: "olga", Name: "Olga", Password: archivetest.Password}
	for want, change := range map[string]func(*api.FirstOperator){
		"401 login":    func(o *api.FirstOperator) { o.Code = "ABCD-EFGH-2345-6776" },
		"422 invalid":  func(o *api.FirstOperator) { o.Login = "Ol ga" },
		"422 invalid ": func(o *api.FirstOperator) { o.Password = "short" },
	} {
		in := right
		change(&in)
		a := found(in)
		if got := strings.TrimSpace(want); got != a.Status[:3]+" "+a.code() {
			t.Errorf("%+v: %d %s, want %s", in, a.StatusCode, a.body, want)
		}
	}
	a := found(right)
	var account api.Account
	a.into(t, &account)
	var cookies []string
	for _, c := range a.Cookies() {
		cookies = append(cookies, c.Name)
	}
	if account.Role != "operator" || account.Tenant != nil || strings.Join(cookies, " ") != "muniment_session muniment_device" {
		t.Errorf("%+v, %v", account, cookies)
	}
	if status().Setup {
		t.Error("still waits for an operator")
	}
	right.Login = "otto"
	if a := found(right); a.StatusCode != http.StatusConflict || a.code() != "founded" {
		t.Errorf("a second one: %d %s", a.StatusCode, a.body)
	}
	list, err := s.InstanceEvents(t.Context(), 0, 10)
	if err != nil || len(list) == 0 || list[0].Action != "operator.created" {
		t.Errorf("%d events, %v", len(list), err)
	}
}

// The code cannot be guessed, and without one nobody gets in.
func TestFoundGuessed(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *httpd.Config) { c.SetupCode = setupCode })
	b := s.browser()
	last := 0
	for range 20 {
		last = b.do(t, "POST", "/api/v1/setup", api.FirstOperator{Code: "AAAA", Login: "olga", Password: archivetest.Password}).StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("after twenty attempts: %d", last)
	}
	without := start(t)
	for _, code := range []string{"", "-", setupCode} {
		if a := without.browser().do(t, "POST", "/api/v1/setup", api.FirstOperator{Code: code, Login: "olga", Password: archivetest.Password}); a.code() != "founded" {
			t.Errorf("%q: %d %s", code, a.StatusCode, a.body)
		}
	}
}

// certificate makes a pair for name.
func certificate(t *testing.T, name string) (chain, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

// An operator sets name and certificate; the key never comes out, and plain requests
// from elsewhere are led to TLS.
func TestSite(t *testing.T) {
	t.Parallel()
	keeper := sites.NewKeeper(sites.Config{})
	s := start(t, func(c *httpd.Config) {
		c.Certificates, c.Port = keeper, "8443"
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	if _, err := s.CreateOperator(t.Context(), archive.NewUser{Login: "olga", Password: archivetest.Password}); err != nil {
		t.Fatal(err)
	}
	b := s.as(t, "olga")
	chain, key := certificate(t, "archive.example")
	_, other := certificate(t, "archive.example")
	change := func(set api.Site, key *string) *answer {
		return b.do(t, "PATCH", "/api/v1/site", api.SiteChange{Site: set, Key: key})
	}
	for where, a := range map[string]*answer{
		"body.site.host":   change(api.Site{Host: "https://archive.example", TLS: "off"}, nil),
		"body.key":         change(api.Site{Host: "archive.example", TLS: "own", Certificate: chain}, &other),
		"body.site.agreed": change(api.Site{Host: "archive.example", TLS: "acme"}, nil),
	} {
		if a.StatusCode != 422 || !strings.Contains(string(a.body), `"`+where+`"`) {
			t.Errorf("%s: %d %s", where, a.StatusCode, a.body)
		}
	}
	var st api.SiteState
	a := change(api.Site{Host: "archive.example", TLS: "own", Certificate: chain}, &key)
	a.into(t, &st)
	if !st.HasKey || st.Address != "https://archive.example:8443/" || st.NotAfter == nil || strings.Contains(string(a.body), "PRIVATE") {
		t.Errorf("%s", a.body)
	}
	change(api.Site{Host: "archive.example", TLS: "own", Certificate: chain}, nil).into(t, &st) // the key stays
	if !st.HasKey || !keeper.Ready() {
		t.Errorf("%+v", st)
	}
	far := s.browser()
	far.header.Set("X-Forwarded-For", "192.0.2.7")
	far.header.Set("Host", "evil.example")
	if a := far.get(t, "/overview?x=1"); a.StatusCode != http.StatusPermanentRedirect || a.Header.Get("Location") != "https://archive.example:8443/overview?x=1" {
		t.Errorf("from elsewhere: %d %v", a.StatusCode, a.Header)
	}
	if a := s.browser().get(t, "/overview"); a.StatusCode != 200 {
		t.Errorf("from this machine: %d", a.StatusCode)
	}
	far.header.Set("X-Forwarded-Proto", "https")
	if a := far.get(t, "/overview"); a.StatusCode != 200 {
		t.Errorf("by TLS of a proxy: %d", a.StatusCode)
	}
	events, err := s.InstanceEvents(t.Context(), 0, 10)
	i := slices.IndexFunc(events, func(e *catalog.Event) bool { return e.Action == "site.changed" })
	if err != nil || i < 0 || events[i].Details["after.tls"] != "own" || len(events[i].Details["after.certificate"]) != 64 {
		t.Errorf("%d events, %v", len(events), err)
	}
	if a := s.as(t, "bernd").get(t, "/api/v1/site"); a.code() != "role" {
		t.Errorf("an administrator of a tenant: %d %s", a.StatusCode, a.body)
	}
}
