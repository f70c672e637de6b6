package oidc

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/remote"
)

// maxAnswer bounds what a provider may send at once, in bytes.
const maxAnswer = 1 << 20

var errTooLarge = errors.New("the provider sends more than is read")

// http returns a client that goes nowhere but where it is told: it follows no redirect,
// uses no proxy, and reads so much and no more.
func (c *Client) http(set directory.OIDC) (*http.Client, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if set.CA != "" {
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM([]byte(set.CA)) {
			return nil, directory.Fail(remote.CodeCertificate, errors.New("the setting ca holds no certificate that can be read"))
		}
	}
	t := &http.Transport{DialContext: c.dial, TLSClientConfig: conf, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 15 * time.Second,
		DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10}
	return &http.Client{Transport: bounded{t}, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// bounded bounds the bodies of answers.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		resp.Body.Close()
		return nil, directory.Fail(remote.CodeProtocol, fmt.Errorf("the provider answers %s with a redirect, which is not followed", r.URL.Path))
	}
	resp.Body = &body{resp.Body, maxAnswer}
	return resp, nil
}

type body struct {
	io.ReadCloser
	left int
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, directory.Fail(directory.CodeTooLarge, errTooLarge)
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// coded gives an error of the library its code.
func coded(err error) error {
	var known *directory.Error
	switch {
	case errors.As(err, &known):
		return err
	case strings.Contains(err.Error(), errTooLarge.Error()):
		return directory.Fail(directory.CodeTooLarge, err)
	case strings.Contains(err.Error(), "not followed"):
		return directory.Fail(remote.CodeProtocol, err)
	case strings.Contains(err.Error(), "issuer did not match"), strings.Contains(err.Error(), "issuer URL provided to client"):
		return directory.Fail(directory.CodeIssuer, err)
	}
	return directory.Fail(directory.Code(err), err)
}
