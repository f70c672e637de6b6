// Package tspclient asks time-stamping authorities over HTTP (RFC 3161 §3.4):
// several in order, each with its authentication, time-out, quota and back-off.
// It is apart from package tsp so that a verifier links no HTTP.
//
//	client.go  Authority: one request
//	pool.go    Pool: several authorities, back-off, quota
//	fetch.go   NewFetcher: certificates, CRLs and OCSP responses
package tspclient

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

const (
	typeQuery = "application/timestamp-query" // RFC 3161 §3.4
	typeReply = "application/timestamp-reply"

	// defaultTimeout bounds one request with its answer.
	defaultTimeout = 30 * time.Second
)

// Authority is a time-stamping authority as it is configured.
type Authority struct {
	Name   string // unique in a Pool
	URL    string // http or https
	Policy asn1.ObjectIdentifier
	Auth   Auth
	Terms  tsp.Terms

	Timeout  time.Duration // of one request; 0: 30 s
	Interval time.Duration // least time between two requests, for those that ask to slow down; 0: none
	Quota    Quota
	Now      func() time.Time // with which the time of a token is compared; nil: time.Now

	// HTTP does the requests; nil: http.DefaultClient. With a client
	// certificate: TLSClient. It decides which addresses may be reached.
	HTTP *http.Client
}

// Auth is how the archive shows who it is: not at all, by HTTP Basic (User), or
// by a bearer token. A TLS client certificate is a matter of Authority.HTTP.
type Auth struct {
	User, Password string
	Bearer         string
}

// TLSClient returns an http.Client that shows a client certificate. Roots nil
// are those of the system.
func TLSClient(cert tls.Certificate, roots *x509.CertPool) *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: roots, MinVersion: tls.VersionTLS12},
	}}
}

// Check reports what is wrong with the settings.
func (a *Authority) Check() error {
	u, err := url.Parse(a.URL)
	if err != nil {
		return fmt.Errorf("time-stamp authority %q: %w", a.Name, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("time-stamp authority %q: address %q must begin with http:// or https://", a.Name, a.URL)
	}
	if u.Scheme == "http" && a.Auth != (Auth{}) {
		return fmt.Errorf("time-stamp authority %q: a password is not sent without TLS; use https://", a.Name)
	}
	if a.Auth.User != "" && a.Auth.Bearer != "" {
		return fmt.Errorf("time-stamp authority %q: either a user or a bearer token", a.Name)
	}
	return nil
}

// Stamp asks for a stamp on a hash value and returns the token, accepted by
// Terms. It takes at most Timeout and keeps no state; Pool does.
func (a *Authority) Stamp(ctx context.Context, h algo.Hash, imprint []byte) (*tsp.Token, error) {
	r, err := tsp.NewRequest(h, imprint, a.Policy, rand.Reader)
	if err != nil {
		return nil, err
	}
	query, err := r.Marshal()
	if err != nil {
		return nil, fmt.Errorf("time-stamp request: %w", err)
	}
	timeout := a.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := a.post(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("time-stamp authority %q: %w", a.Name, err)
	}
	now := time.Now
	if a.Now != nil {
		now = a.Now
	}
	t, err := r.Accept(answer, now(), a.Terms)
	if err != nil {
		return nil, fmt.Errorf("time-stamp authority %q: %w", a.Name, err)
	}
	return t, nil
}

func (a *Authority) post(ctx context.Context, query []byte) ([]byte, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL, bytes.NewReader(query))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", tsp.CodeHTTP, err)
	}
	req.Header.Set("Content-Type", typeQuery)
	req.Header.Set("Accept", typeReply)
	if a.Auth.User != "" {
		req.SetBasicAuth(a.Auth.User, a.Auth.Password)
	}
	if a.Auth.Bearer != "" {
		req.Header.Set("Authorization", "Bearer "+a.Auth.Bearer)
	}
	client := a.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", tsp.CodeHTTP, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: %s", tsp.CodeHTTP, resp.Status)
	}
	if t, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || !strings.EqualFold(t, typeReply) {
		return nil, fmt.Errorf("%w: %.100q instead of %s", tsp.CodeMediaType, resp.Header.Get("Content-Type"), typeReply)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, tsp.MaxToken+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", tsp.CodeHTTP, err)
	}
	if len(answer) > tsp.MaxToken {
		return nil, fmt.Errorf("%w: answer of more than %d bytes", tsp.CodeTooLarge, tsp.MaxToken)
	}
	return answer, nil
}
