// Package oauth gets access tokens from Microsoft and Google: for an application
// that logs in by itself (RFC 6749 §4.4; at Google RFC 7523), and for somebody who
// logs in once by a code (RFC 8628), whose log-in is then renewed (RFC 6749 §6).
//
// It talks to the log-in server of the provider, or to the one that the settings
// name, and to no other: redirects to another host are errors. Everything that
// comes is bounded in bytes and time. Errors are *Error, with a code of package
// remote. The package must not know what the tokens are for, and never logs or
// hands out a secret but to who asked for it.
//
//	oauth.go     what can be asked, and the connection
//	provider.go  the providers: servers, paths, scopes
//	token.go     one request for a token
//	device.go    log-ins by a code
//	keeper.go    a token that is always valid, and the log-in that is renewed for it
//	error.go     what log-in servers say, in plain words
package oauth

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/oauth2"

	"github.com/muniment/muniment/internal/remote"
)

const (
	// maxAnswer bounds an answer of a log-in server, in bytes. Tokens of large
	// directories have some tens of thousands.
	maxAnswer = 256 << 10
	// maxToken bounds a token or code, in bytes.
	maxToken = 64 << 10
	// answerTime bounds one request.
	answerTime = 30 * time.Second
	// maxHops is how many redirects within a server are followed.
	maxHops = 3
)

// App is an application that is registered with a provider, as settings of a
// mailbox or flags name it.
type App struct {
	Provider  string // remote.Microsoft or remote.Google
	Directory string // Microsoft's: id or domain
	ClientID  string
	Authority string // URL of the log-in server; empty: the provider's
	Scopes    []string
	Subject   string // whose mailbox; for Google's service accounts
}

// AppOf is the application that a mailbox is fetched with. method is
// remote.ByClient or remote.ByDevice.
func AppOf(s remote.Settings) App {
	return App{Provider: s.OAuth, Directory: s.Directory, ClientID: s.ClientID, Authority: s.Authority,
		Scopes: mailScopes(s), Subject: s.User}
}

// Config says how to talk to log-in servers.
type Config struct {
	AllowPrivate bool           // log-in servers may be on this machine and in private networks
	Roots        *x509.CertPool // nil: those of the system
	Timeout      time.Duration  // of one request; 0: 30 seconds
	Now          func() time.Time
}

// Client asks for tokens. Its methods may be called concurrently.
type Client struct {
	cfg  Config
	http *http.Client
}

// New makes a Client.
func New(c Config) *Client {
	if c.Timeout <= 0 {
		c.Timeout = answerTime
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Client{cfg: c, http: NewHTTP(c, maxAnswer)}
}

// NewHTTP returns a client for servers of providers: no proxy, no redirects to
// other hosts, no addresses that are not allowed, answers of at most most bytes
// (0: no bound). Config.Timeout bounds a request if it is set.
func NewHTTP(c Config, most int64) *http.Client {
	dialer := &net.Dialer{Timeout: 15 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("address %q: %w", address, err)
		}
		return remote.CheckAddr(a.Addr(), !c.AllowPrivate)
	}}
	t := &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots},
		TLSHandshakeTimeout: 15 * time.Second, ResponseHeaderTimeout: time.Minute, IdleConnTimeout: time.Minute,
		MaxIdleConnsPerHost: 8, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10,
		// What is unpacked on the way has neither a length nor a bound.
		DisableCompression: true,
	}
	return &http.Client{Transport: &bounded{t, most}, Timeout: c.Timeout, CheckRedirect: stay}
}

// errElsewhere is a redirect to another server.
var errElsewhere = errors.New("the server sends us to another one, which gets no secret")

// stay follows redirects only within a server.
func stay(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	if req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
		return errElsewhere
	}
	if len(via) > maxHops {
		return errors.New("the server sends us round and round")
	}
	return nil
}

// errTooMuch is an answer above the bound.
var errTooMuch = errors.New("the answer is larger than any that makes sense")

// bounded bounds what answers hold.
type bounded struct {
	next http.RoundTripper
	most int64
}

// RoundTrip implements http.RoundTripper.
func (b *bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(req)
	if err != nil || b.most <= 0 {
		return res, err
	}
	// All of it at once: an error of reading is then one of the connection, and
	// not lost in what a library makes of it. Half an answer is none.
	all, err := io.ReadAll(io.LimitReader(res.Body, b.most+1))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if int64(len(all)) > b.most {
		return nil, errTooMuch
	}
	res.Body = io.NopCloser(bytes.NewReader(all))
	return res, nil
}

// context gives the library the connection.
func (c *Client) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, c.http)
}
