package site

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/letsencrypt/challtestsrv"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"golang.org/x/crypto/acme/autocert"
)

// memory is a cache that counts.
type memory struct {
	mu   sync.Mutex
	data map[string][]byte
	puts int
}

func newMemory() *memory { return &memory{data: map[string][]byte{}} }

func (m *memory) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b, ok := m.data[key]; ok {
		return b, nil
	}
	return nil, autocert.ErrCacheMiss
}

func (m *memory) Put(_ context.Context, key string, b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data[key] = b
	m.puts++
	return nil
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.data, key)
	return nil
}

// authority starts Pebble, the certificate authority for tests of Let's Encrypt, which
// looks for whom it certifies at one port.
func authority(t *testing.T, port string) (directory string, client *http.Client, roots *x509.CertPool) {
	t.Helper()
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	logger := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	c := ca.New(logger, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "test", ValidityPeriod: 0}})
	v := va.New(logger, n, n, false, resolver(t), store)
	front := wfe.New(logger, store, v, c, nil, false, false, 1, 1)
	srv := httptest.NewTLSServer(front.Handler())
	t.Cleanup(srv.Close)
	roots = x509.NewCertPool()
	root := c.GetRootCert(0)
	roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.DER}))
	return srv.URL + wfe.DirectoryPath, srv.Client(), roots
}

// resolver starts a resolver to which every name is this machine, and returns its address.
func resolver(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := c.LocalAddr().String()
	c.Close()
	s, err := challtestsrv.New(challtestsrv.Config{DNSAddrs: []string{addr}, Log: log.New(io.Discard, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	s.SetDefaultDNSIPv4("127.0.0.1")
	s.SetDefaultDNSIPv6("")
	go s.Run()
	t.Cleanup(s.Shutdown)
	return addr
}

// A certificate comes from a real authority, by TLS-ALPN at the very port, and is kept
// for the next start.
func TestACME(t *testing.T) {
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	cache := newMemory()
	k := NewKeeper(Config{Cache: cache, Also: func(_ context.Context, name string) (string, error) {
		if name != "archiv.nord.example" {
			return "", nil
		}
		return name, nil
	}})
	addr := serve(t, k)
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	directory, client, roots := authority(t, port)
	k.cfg.Client = client
	const host = "archive.firma.example"
	set := Settings{Host: host, TLS: ACME, Agreed: true, Directory: directory, Email: "admin@firma.example"}
	if err := k.Apply(set, nil); err != nil {
		t.Fatal(err)
	}
	if err := k.Obtain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := k.State(); len(s.Names) != 1 || s.Names[0] != host || !k.Ready() {
		t.Errorf("state: %+v", s)
	}
	if got, err := ask(t, "https://"+addr, host, roots); err != nil || !strings.HasPrefix(got, "tls ") {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := ask(t, "https://"+addr, "archiv.nord.example", roots); err != nil || !strings.HasPrefix(got, "tls ") {
		t.Errorf("at a reseller's name: %q, %v", got, err)
	}
	if _, err := k.certificate(helloFor("evil.example")); err == nil {
		t.Error("a certificate for a name of nobody's")
	}
	if c, err := k.certificate(helloFor("")); err != nil || c.Leaf.VerifyHostname(host) != nil {
		t.Errorf("who names no host: %v", err)
	}
	puts := cache.puts
	again := NewKeeper(Config{Cache: cache, Client: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("asked again") })}})
	if err := again.Apply(set, nil); err != nil {
		t.Fatal(err)
	}
	if err := again.Obtain(t.Context()); err != nil || cache.puts != puts {
		t.Errorf("the next start asks again: %v", err)
	}
	if _, err := again.certificate(helloFor("elsewhere.example")); err == nil {
		t.Error("a certificate for somebody else")
	}
}

func helloFor(name string) *tls.ClientHelloInfo { return &tls.ClientHelloInfo{ServerName: name} }
