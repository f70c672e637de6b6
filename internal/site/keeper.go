package site

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ErrNoCertificate is returned to a handshake while there is no certificate.
var ErrNoCertificate = errors.New("no certificate is set")

// obtainTime bounds one attempt to get a certificate by ACME.
const obtainTime = 3 * time.Minute

// State is how the certificate in force fares.
type State struct {
	TLS       string
	Names     []string
	Issuer    string
	NotAfter  time.Time // zero: there is none
	Obtaining bool      // it is being asked for at the moment
	Problem   string    // why the last attempt failed; of the ACME server or the system
}

// Config says what a Keeper stands on.
type Config struct {
	// Cache keeps keys and certificates of ACME, sealed. It is shared by all servers
	// of an installation.
	Cache autocert.Cache
	// Also returns a name if it is one besides the site's for which certificates are got by
	// ACME, else nothing; nil: there are none.
	Also func(ctx context.Context, name string) (string, error)
	// Client talks to the ACME server; nil: http.DefaultClient.
	Client *http.Client
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Keeper holds the certificate in force and changes it while connections are open. It
// may be used by many at a time.
type Keeper struct {
	cfg Config

	mu      sync.RWMutex
	set     Settings
	own     *tls.Certificate
	manager *autocert.Manager
	state   State
}

// NewKeeper returns a keeper without a certificate.
func NewKeeper(cfg Config) *Keeper {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Keeper{cfg: cfg, set: Settings{TLS: Off}, state: State{TLS: Off}}
}

// Apply puts settings into force. key is that of an own certificate. One that has
// ended or is for another name is used all the same: it is in force already, and a
// warning of the browser is better than no connection.
func (k *Keeper) Apply(set Settings, key []byte) error {
	set = set.Normal()
	next := State{TLS: set.TLS}
	var pair *tls.Certificate
	var m *autocert.Manager
	switch set.TLS {
	case Own:
		p, err := tls.X509KeyPair([]byte(set.Certificate), key)
		if err != nil {
			return fmt.Errorf("certificate of the site: %w", err)
		}
		pair = &p
		next.describe(p.Leaf)
	case ACME:
		m = k.newManager(set)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if set == k.set && set.TLS == ACME {
		return nil // what is being asked for goes on
	}
	k.set, k.own, k.manager, k.state = set, pair, m, next
	return nil
}

func (k *Keeper) newManager(set Settings) *autocert.Manager {
	directory := set.Directory
	if directory == "" {
		directory = LetsEncrypt
	}
	return &autocert.Manager{
		Prompt: func(string) bool { return set.Agreed }, Email: set.Email, HostPolicy: k.policy(set.Host),
		Cache:  within{k.cfg.Cache, directory},
		Client: &acme.Client{DirectoryURL: directory, HTTPClient: k.cfg.Client, UserAgent: "muniment"},
	}
}

// policy says for which names certificates are got: whoever connects can ask for any.
func (k *Keeper) policy(host string) autocert.HostPolicy {
	site := autocert.HostWhitelist(host)
	return func(ctx context.Context, name string) error {
		err := site(ctx, name)
		if err == nil || k.cfg.Also == nil {
			return err
		}
		also, more := k.cfg.Also(ctx, name)
		if more != nil {
			return fmt.Errorf("names of the site: %w", more)
		}
		if also == "" {
			return err
		}
		return nil
	}
}

func (s *State) describe(leaf *x509.Certificate) {
	s.Names, s.Issuer, s.NotAfter = nil, leaf.Issuer.String(), leaf.NotAfter
	s.Names = append(s.Names, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		s.Names = append(s.Names, ip.String())
	}
}

// Settings returns what is in force.
func (k *Keeper) Settings() Settings {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.set
}

// State returns how the certificate fares.
func (k *Keeper) State() State {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.state
}

// On reports whether TLS is spoken.
func (k *Keeper) On() bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.own != nil || k.manager != nil
}

// Ready reports whether TLS is spoken and there is a certificate for it: then plain
// connections may be sent there.
func (k *Keeper) Ready() bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return (k.own != nil || k.manager != nil) && !k.state.NotAfter.IsZero()
}

// TLSConfig is for servers. It takes TLS 1.2 with authenticated encryption and forward
// secrecy, and TLS 1.3 (BSI TR-02102-2 §3).
func (k *Keeper) TLSConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1", acme.ALPNProto}, GetCertificate: k.certificate,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		},
	}
}

// certificate is tls.Config.GetCertificate. Who names no host gets that of the site.
func (k *Keeper) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.RLock()
	own, m, host := k.own, k.manager, k.set.Host
	k.mu.RUnlock()
	switch {
	case own != nil:
		return own, nil
	case m == nil:
		return nil, ErrNoCertificate
	}
	if hello.ServerName == "" {
		named := *hello
		named.ServerName = host
		hello = &named
	}
	return m.GetCertificate(hello)
}

// HTTP answers the ACME server's questions over plain HTTP (RFC 8555 §8.3), and
// leaves the rest to next.
func (k *Keeper) HTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.mu.RLock()
		m := k.manager
		k.mu.RUnlock()
		if m == nil || r.TLS != nil {
			next.ServeHTTP(w, r)
			return
		}
		m.HTTPHandler(next).ServeHTTP(w, r)
	})
}

// Obtain asks for a certificate by ACME unless there is one that holds, and waits for
// it. It does nothing unless that is the way. The state tells how it went.
func (k *Keeper) Obtain(ctx context.Context) error {
	k.mu.Lock()
	m, set := k.manager, k.set
	k.state.Obtaining = m != nil
	k.mu.Unlock()
	if m == nil {
		return nil
	}
	type outcome struct {
		pair *tls.Certificate
		err  error
	}
	done := make(chan outcome, 1)
	go func() { // the manager bounds its own time: it knows no context here
		p, err := m.GetCertificate(&tls.ClientHelloInfo{ServerName: set.Host, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
			SupportedCurves: []tls.CurveID{tls.CurveP256}, SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}, SupportedVersions: []uint16{tls.VersionTLS13}})
		done <- outcome{p, err}
	}()
	t := time.NewTimer(obtainTime)
	defer t.Stop()
	var o outcome
	select {
	case o = <-done:
	case <-t.C:
		o.err = errors.New("the certificate authority has not answered in time")
	case <-ctx.Done():
		o.err = ctx.Err()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.manager != m { // other settings are in force
		return o.err
	}
	k.state.Obtaining, k.state.Problem = false, ""
	if o.err != nil {
		k.state.Problem = o.err.Error()
		return fmt.Errorf("certificate for %s: %w", set.Host, o.err)
	}
	k.state.describe(o.pair.Leaf)
	return nil
}

// within keeps what belongs to one ACME server apart from that of others.
type within struct {
	autocert.Cache
	directory string
}

func (w within) name(key string) string {
	h := sha256.Sum256([]byte(w.directory))
	return hex.EncodeToString(h[:8]) + "/" + key
}

// Get implements autocert.Cache.
func (w within) Get(ctx context.Context, key string) ([]byte, error) {
	return w.Cache.Get(ctx, w.name(key))
}

// Put implements autocert.Cache.
func (w within) Put(ctx context.Context, key string, data []byte) error {
	return w.Cache.Put(ctx, w.name(key), data)
}

// Delete implements autocert.Cache.
func (w within) Delete(ctx context.Context, key string) error {
	return w.Cache.Delete(ctx, w.name(key))
}
