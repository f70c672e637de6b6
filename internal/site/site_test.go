package site

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/setting"
)

// pairFor makes a certificate for name, signed by itself.
func pairFor(t *testing.T, name string, from, to time.Time) (chain string, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	now := time.Now()
	chain, key := pairFor(t, "archive.example", now.Add(-time.Hour), now.Add(time.Hour))
	old, oldKey := pairFor(t, "archive.example", now.Add(-2*time.Hour), now.Add(-time.Hour))
	future, futureKey := pairFor(t, "archive.example", now.Add(time.Hour), now.Add(2*time.Hour))
	_, other := pairFor(t, "archive.example", now, now.Add(time.Hour))
	locked := []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n")
	for name, tc := range map[string]struct {
		set  Settings
		key  []byte
		want string // fields that are wrong
	}{
		"nothing":              {Settings{}, nil, ""},
		"a name":               {Settings{Host: "Archiv.Müller.example. "}, nil, ""},
		"an address":           {Settings{Host: "[::1]"}, nil, ""},
		"a URL":                {Settings{Host: "https://archive.example/"}, nil, "host"},
		"a port":               {Settings{Host: "archive.example:443"}, nil, "host"},
		"a long label":         {Settings{Host: strings.Repeat("a", 64) + ".example"}, nil, "host"},
		"an empty label":       {Settings{Host: "archive..example"}, nil, "host"},
		"an unknown way":       {Settings{TLS: "ssl"}, nil, "tls"},
		"a proxy":              {Settings{Host: "archive.example", TLS: Proxy}, nil, ""},
		"a proxy without name": {Settings{TLS: Proxy}, nil, "host"},
		"own":                  {Settings{Host: "archive.example", TLS: Own, Certificate: chain}, key, ""},
		"own, no key":          {Settings{TLS: Own, Certificate: chain}, nil, "key"},
		"own, other key":       {Settings{TLS: Own, Certificate: chain}, other, "key"},
		"own, locked key":      {Settings{TLS: Own, Certificate: chain}, locked, "key"},
		"own, no PEM":          {Settings{TLS: Own, Certificate: "x"}, key, "certificate"},
		"own, bad key":         {Settings{TLS: Own, Certificate: chain}, []byte("x"), "key"},
		"own, nothing":         {Settings{TLS: Own}, nil, "certificate"},
		"own, ended":           {Settings{TLS: Own, Certificate: old}, oldKey, "certificate"},
		"own, not yet":         {Settings{TLS: Own, Certificate: future}, futureKey, "certificate"},
		"own, other name":      {Settings{Host: "mail.example", TLS: Own, Certificate: chain}, key, "certificate"},
		"acme":                 {Settings{Host: "archive.example", TLS: ACME, Agreed: true, Email: "a@firma.example"}, nil, ""},
		"acme, own authority":  {Settings{Host: "archive.example", TLS: ACME, Agreed: true, Directory: "https://ca.example/acme"}, nil, ""},
		"acme, no name":        {Settings{TLS: ACME, Agreed: true}, nil, "host"},
		"acme, an address":     {Settings{Host: "192.0.2.1", TLS: ACME, Agreed: true}, nil, "host"},
		"acme, half a name":    {Settings{Host: "archive", TLS: ACME, Agreed: true}, nil, "host"},
		"acme, not agreed":     {Settings{Host: "archive.example", TLS: ACME}, nil, "agreed"},
		"acme, all wrong":      {Settings{Host: "archive.example", TLS: ACME, Email: "x", Directory: "http://ca.example"}, nil, "agreed directory email"},
	} {
		err := tc.set.Normal().Check(tc.key, now)
		var got []string
		for _, f := range fields(err) {
			got = append(got, f.Field)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != tc.want || (err != nil) != (tc.want != "") {
			t.Errorf("%s: %v, want mistakes in %q", name, err, tc.want)
		}
	}
}

func fields(err error) (out []*setting.Error) {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			out = append(out, fields(e)...)
		}
	} else if f, ok := errors.AsType[*setting.Error](err); ok {
		out = append(out, f)
	}
	return out
}

func TestURL(t *testing.T) {
	t.Parallel()
	for want, set := range map[string]Settings{
		"":                             {},
		"http://archive.example:8080/": {Host: "archive.example", TLS: Off},
		"https://archive.example/":     {Host: "archive.example", TLS: Proxy},
		"https://[::1]:8080/":          {Host: "::1", TLS: Own},
	} {
		if got := set.URL("8080"); got != want {
			t.Errorf("%+v: %q, want %q", set, got, want)
		}
	}
	if got := (Settings{Host: "archive.example", TLS: ACME}).URL("443"); got != "https://archive.example/" {
		t.Error(got)
	}
}

// serve serves with k at one port and says how each request came.
func serve(t *testing.T, k *Keeper) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0), Handler: k.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			_, _ = io.WriteString(w, "tls "+r.Proto)
			return
		}
		_, _ = io.WriteString(w, "plain "+r.Proto)
	}))}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(NewListener(ln, k.TLSConfig(), k.On))
	}()
	t.Cleanup(func() { srv.Close(); <-done })
	return ln.Addr().String()
}

// ask sends a request, trusting roots.
func ask(t *testing.T, url, name string, roots *x509.CertPool) (string, error) {
	t.Helper()
	c := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{ForceAttemptHTTP2: true, DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: name}}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

// One port serves both, and a certificate can be set, replaced and taken away.
func TestOnePort(t *testing.T) {
	t.Parallel()
	k := NewKeeper(Config{})
	addr := serve(t, k)
	plain := func() {
		t.Helper()
		if got, err := ask(t, "http://"+addr, "", nil); err != nil || got != "plain HTTP/1.1" {
			t.Errorf("plain: %q, %v", got, err)
		}
	}
	plain()
	if _, err := ask(t, "https://"+addr, "one.example", nil); err == nil || k.Ready() {
		t.Error("TLS without a certificate")
	}
	for _, name := range []string{"one.example", "two.example"} {
		chain, key := pairFor(t, name, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
		if err := k.Apply(Settings{TLS: Own, Certificate: chain}, key); err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(chain))
		if got, err := ask(t, "https://"+addr, name, roots); err != nil || got != "tls HTTP/2.0" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if s := k.State(); !k.Ready() || !slices.Equal(s.Names, []string{name}) || s.NotAfter.IsZero() {
			t.Errorf("state: %+v", s)
		}
		plain()
	}
	chain, _ := pairFor(t, "one.example", time.Now(), time.Now().Add(time.Hour))
	if err := k.Apply(Settings{TLS: Own, Certificate: chain}, nil); err == nil || !k.Ready() {
		t.Error("a certificate without key is taken, or the old one is gone")
	}
	if err := k.Apply(Settings{TLS: Off}, nil); err != nil || k.On() {
		t.Error(err)
	}
	plain()
}

// Nobody has others wait by saying nothing.
func TestSilentConnections(t *testing.T) {
	t.Parallel()
	addr := serve(t, NewKeeper(Config{}))
	for range 20 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if got, err := ask(t, "http://"+addr, "", nil); err != nil || got != "plain HTTP/1.1" {
		t.Errorf("%q, %v", got, err)
	}
}

// Old protocols and ciphers without forward secrecy are refused.
func TestTLSSettings(t *testing.T) {
	t.Parallel()
	k := NewKeeper(Config{})
	chain, key := pairFor(t, "one.example", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err := k.Apply(Settings{TLS: Own, Certificate: chain}, key); err != nil {
		t.Fatal(err)
	}
	addr := serve(t, k)
	for name, c := range map[string]*tls.Config{
		"TLS 1.1":    {MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},                                     //nolint:gosec // to be refused
		"CBC":        {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, //nolint:gosec // to be refused
		"no secrecy": {MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}},      //nolint:gosec // to be refused
	} {
		c.InsecureSkipVerify = true
		if conn, err := tls.Dial("tcp", addr, c); err == nil {
			conn.Close()
			t.Errorf("%s is spoken", name)
		}
	}
}

var errAnswer = errors.New("no answer")

// A server that gives no certificate leaves a problem to be shown.
func TestObtainFails(t *testing.T) {
	t.Parallel()
	asked := atomic.Int32{}
	client := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { asked.Add(1); return nil, errAnswer })}
	k := NewKeeper(Config{Cache: newMemory(), Client: client})
	if err := k.Obtain(t.Context()); err != nil || asked.Load() != 0 {
		t.Fatal("asks without being told to", err)
	}
	if err := k.Apply(Settings{Host: "archive.example", TLS: ACME, Agreed: true}, nil); err != nil {
		t.Fatal(err)
	}
	err := k.Obtain(t.Context())
	if !errors.Is(err, errAnswer) || k.State().Problem == "" || k.State().Obtaining || k.Ready() || !k.On() {
		t.Errorf("%v, %+v", err, k.State())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.Obtain(ctx); err == nil {
		t.Error("no error")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
