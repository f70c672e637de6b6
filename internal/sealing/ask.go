package sealing

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/evidence/tspclient"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/seal"
)

// Bounds of talking to an authority.
const (
	askTime    = 30 * time.Second // one request
	enrichTime = 2 * time.Minute  // all certificates and revocation data of a token
	skew       = 5 * time.Minute  // how far its clock may be from ours
)

// errLocal is why an authority is not asked.
var errLocal = errors.New("the address is on this machine, which its setting \"local\" does not allow")

// client returns how requests to an authority go out. Authorities are set by the
// operator and may be in private networks, but not, unless it is said so, on this
// machine, and never where clouds keep their secrets.
func client(a seal.Authority, secret string) (*http.Client, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.ServerCA != "" {
		list, err := seal.Certificates(a.ServerCA)
		if err != nil {
			return nil, fmt.Errorf("certificates of its web server: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		for _, c := range list {
			conf.RootCAs.AddCert(c)
		}
	}
	if a.Auth == seal.AuthCertificate {
		pair, err := tls.X509KeyPair([]byte(a.Certificate), []byte(secret))
		if err != nil {
			return nil, fmt.Errorf("certificate of the archive: %w", err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	d := &net.Dialer{Timeout: askTime, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		if to.Addr().Unmap().IsLoopback() && a.Local {
			return nil
		}
		if to.Addr().Unmap().IsLoopback() {
			return errLocal
		}
		return remote.CheckAddr(to.Addr(), false)
	}}
	return &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: d.DialContext, TLSClientConfig: conf, ForceAttemptHTTP2: true,
			MaxIdleConns: 4, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: askTime, ResponseHeaderTimeout: askTime},
		// A secret must not follow to another server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       askTime,
	}, nil
}

// anchors are whom the certificates of an authority have to lead to.
func anchors(a seal.Authority) (*tsp.Anchors, []*x509.Certificate, error) {
	list, err := seal.Certificates(a.CA)
	if err != nil {
		return nil, nil, fmt.Errorf("certificates to trust: %w", err)
	}
	return tsp.NewAnchors(list), list, nil
}

// authority turns settings into how it is asked.
func authority(a seal.Authority, secret string, now func() time.Time) (tspclient.Authority, error) {
	trusted, _, err := anchors(a)
	if err != nil {
		return tspclient.Authority{}, err
	}
	c, err := client(a, secret)
	if err != nil {
		return tspclient.Authority{}, err
	}
	out := tspclient.Authority{Name: a.Name, URL: a.URL, Timeout: askTime, Interval: time.Duration(a.Pause) * time.Second, HTTP: c,
		Quota: quota(a), Now: now,
		Terms: tsp.Terms{Skew: skew, Accuracy: time.Duration(a.Accuracy) * time.Millisecond, Anchors: trusted}}
	if a.Policy != "" {
		if out.Policy, err = seal.ParseOID(a.Policy); err != nil {
			return tspclient.Authority{}, err
		}
	}
	switch a.Auth {
	case seal.AuthBasic:
		out.Auth = tspclient.Auth{User: a.User, Password: secret}
	case seal.AuthBearer:
		out.Auth = tspclient.Auth{Bearer: secret}
	}
	return out, nil
}

// ready returns the pool of the settings, a new one if they have changed. fresh
// forgets earlier failures, but not what has been spent.
func (s *Sealer) ready(ctx context.Context, set *archive.SealView, secrets map[string]string, fresh bool) (*tspclient.Pool, map[string]seal.Authority, error) {
	b, err := json.Marshal(set.Setting)
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pool != nil && s.made == string(b) && !fresh {
		return s.pool, s.asked, nil
	}
	states := s.states(ctx, fresh)
	var list []tspclient.Authority
	asked := map[string]seal.Authority{}
	for _, a := range set.Active() {
		x, err := authority(a, secrets[a.Name], s.cfg.Now)
		if err != nil {
			return nil, nil, fmt.Errorf("time-stamp authority %q: %w", a.Name, err)
		}
		list, asked[a.Name] = append(list, x), a
	}
	s.pool, s.asked, s.made = tspclient.NewPool(list, states, s.cfg.Now), asked, string(b)
	return s.pool, s.asked, nil
}
