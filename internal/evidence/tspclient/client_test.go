package tspclient_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/evidence/tspclient"
)

var imprint = algo.SHA256.Sum([]byte("data"))

func authority(t *testing.T, o tsa.Options) *tsa.Authority {
	t.Helper()
	a, err := tsa.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func terms(a *tsa.Authority) tsp.Terms {
	return tsp.Terms{Skew: time.Minute, Anchors: tsp.NewAnchors([]*x509.Certificate{a.Root()})}
}

func TestStamp(t *testing.T) {
	t.Parallel()
	a := authority(t, tsa.Options{})
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		code    evidence.Code
	}{
		"honest": {a.Handler().ServeHTTP, ""},
		"error":  {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) }, tsp.CodeHTTP},
		"a page": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, tsp.CodeMediaType},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/timestamp-reply")
			b := make([]byte, 1<<20)
			for i := 0; i < 40; i++ {
				if _, err := w.Write(b); err != nil {
					return
				}
			}
		}, tsp.CodeTooLarge},
		"slow": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then it is noticed that the client has gone
			<-r.Context().Done()
		}, tsp.CodeHTTP},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := tspclient.Authority{Name: name, URL: serve(t, c.handler), Terms: terms(a)}
			if name == "slow" {
				x.Timeout = 50 * time.Millisecond
			}
			token, err := x.Stamp(context.Background(), algo.SHA256, imprint)
			if c.code == "" && (err != nil || token == nil) || c.code != "" && !errors.Is(err, c.code) {
				t.Errorf("got %v, want %q", err, c.code)
			}
		})
	}
}

// TestAuth: Basic, bearer and a client certificate arrive; none is sent without TLS.
func TestAuth(t *testing.T) {
	t.Parallel()
	a := authority(t, tsa.Options{})
	var seen *http.Request
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r
		a.Handler().ServeHTTP(w, r)
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	defer s.Close()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	mine := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "archive"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, mine, mine, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	x := tspclient.Authority{Name: "x", URL: s.URL, Terms: terms(a), HTTP: tspclient.TLSClient(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots)}
	x.Auth = tspclient.Auth{User: "u", Password: "p"}
	if _, err := x.Stamp(context.Background(), algo.SHA256, imprint); err != nil {
		t.Fatal(err)
	}
	if u, p, ok := seen.BasicAuth(); !ok || u != "u" || p != "p" {
		t.Error("user and password did not arrive")
	}
	if c := seen.TLS.PeerCertificates; len(c) != 1 || c[0].Subject.CommonName != "archive" {
		t.Error("the client certificate did not arrive")
	}
	x.Auth = tspclient.Auth{Bearer: "tok"}
	if _, err := x.Stamp(context.Background(), algo.SHA256, imprint); err != nil {
		t.Fatal(err)
	}
	if seen.Header.Get("Authorization") != "Bearer tok" {
		t.Error("the bearer token did not arrive")
	}
	for name, bad := range map[string]tspclient.Authority{
		"no TLS":    {URL: "http://tsa.example/", Auth: tspclient.Auth{Bearer: "tok"}},
		"no scheme": {URL: "tsa.example"},
		"file":      {URL: "file:///etc/passwd"},
		"both":      {URL: "https://tsa.example", Auth: tspclient.Auth{User: "u", Bearer: "b"}},
	} {
		if bad.Check() == nil {
			t.Errorf("%s: passed", name)
		}
	}
}

// TestPool: the first is down, so the second is asked; back-off, quota, both
// down, catching up (TSP-7).
func TestPool(t *testing.T) {
	t.Parallel()
	a := authority(t, tsa.Options{})
	down := true
	asked := 0
	first := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if down {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		a.Handler().ServeHTTP(w, r)
	}))
	second := serve(t, a.Handler())
	now := time.Now()
	config := []tspclient.Authority{
		{Name: "first", URL: first, Terms: terms(a)},
		{Name: "second", URL: second, Terms: terms(a), Quota: tspclient.Quota{Limit: 2, Period: tspclient.Monthly}},
	}
	p := tspclient.NewPool(config, nil, func() time.Time { return now })
	stamp := func() (string, error) {
		_, by, err := p.Stamp(context.Background(), algo.SHA256, imprint)
		return by, err
	}
	if by, err := stamp(); by != "second" || err != nil {
		t.Fatalf("first down: %q, %v", by, err)
	}
	if by, err := stamp(); by != "second" || err != nil || asked != 1 {
		t.Fatalf("first is asked again at once (%d): %q, %v", asked, by, err)
	}
	if _, err := stamp(); !errors.Is(err, tsp.CodeBackOff) || !errors.Is(err, tsp.CodeQuota) {
		t.Fatalf("one in back-off, one without tokens: %v", err)
	}
	// States survive a restart.
	p = tspclient.NewPool(config, p.States(), func() time.Time { return now })
	if _, err := stamp(); !errors.Is(err, tsp.CodeQuota) {
		t.Fatalf("after a restart the quota is forgotten: %v", err)
	}
	now = now.Add(16 * time.Second)
	if _, err := stamp(); !errors.Is(err, tsp.CodeHTTP) || asked != 2 {
		t.Fatalf("after the pause the first must be asked (%d): %v", asked, err)
	}
	now = now.Add(16 * time.Second)
	if _, err := stamp(); !errors.Is(err, tsp.CodeBackOff) || asked != 2 {
		t.Fatalf("the second pause must be longer (%d): %v", asked, err)
	}
	down = false
	now = now.Add(time.Hour)
	if by, err := stamp(); by != "first" || err != nil {
		t.Fatalf("caught up: %q, %v", by, err)
	}
	if s := p.States()["first"]; s.Failures != 0 || s.Spent != 1 {
		t.Errorf("%+v", s)
	}
	if _, _, err := tspclient.NewPool(nil, nil, nil).Stamp(context.Background(), algo.SHA256, imprint); !errors.Is(err, tsp.CodeNoAuthority) {
		t.Errorf("no authority: %v", err)
	}
}

// TestPoolRefuses: a malicious first authority is never used, and the second is.
func TestPoolRefuses(t *testing.T) {
	t.Parallel()
	evil := authority(t, tsa.Options{})
	evil.Alter = func(p *tsa.Parts) { p.Nonce = big.NewInt(7) }
	good := authority(t, tsa.Options{})
	p := tspclient.NewPool([]tspclient.Authority{{Name: "evil", URL: serve(t, evil.Handler()), Terms: terms(evil)}, {Name: "good", URL: serve(t, good.Handler()), Terms: terms(good)}}, nil, nil)
	_, by, err := p.Stamp(context.Background(), algo.SHA256, imprint)
	if by != "good" || err != nil {
		t.Fatalf("%q, %v", by, err)
	}
	if s := p.States()["evil"]; s.Failures != 1 || s.Spent != 1 {
		t.Errorf("what was refused is counted as spent and failed: %+v", s)
	}
}

func TestQuotaPeriods(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)
	for p, next := range map[tspclient.Period]time.Duration{tspclient.Daily: 2 * time.Hour, tspclient.Monthly: 2 * time.Hour, tspclient.Yearly: 2 * time.Hour} {
		q := tspclient.Quota{Limit: 1, Period: p}
		s := tspclient.State{}.Succeeded(at, q, 0)
		if s.Ready(at, q) == nil || s.Remaining(at, q) != 0 || s.Ready(at.Add(next), q) != nil || s.Remaining(at.Add(next), q) != 1 {
			t.Errorf("%s: %+v", p, s)
		}
	}
	q := tspclient.Quota{Limit: 1}
	s := tspclient.State{}.Succeeded(at, q, 15*time.Second)
	if s.Ready(at.AddDate(50, 0, 0), q) == nil {
		t.Error("a quota for ever begins anew")
	}
	if s.Ready(at.Add(14*time.Second), tspclient.Quota{}) == nil || s.Ready(at.Add(15*time.Second), tspclient.Quota{}) != nil {
		t.Error("the interval is not kept")
	}
	for range 100 {
		s = s.Failed(at, q, false)
	}
	if d := s.NextTry.Sub(at); d != 30*time.Minute {
		t.Errorf("longest pause is %v", d)
	}
	if !strings.Contains(s.Ready(at, q).Error(), "failures") {
		t.Error("the reason is not told")
	}
}
