package oauth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/muniment/muniment/internal/remote"
)

// Bounds of what a server says about codes.
const (
	longestCode     = 30 * time.Minute
	longestInterval = 60 // seconds between two questions
	maxShown        = 200
)

// Code is what somebody has to enter, and where.
type Code struct {
	Code    string    // as it is typed
	URL     string    // page to open
	Expires time.Time // until when

	app    App
	secret string
	answer *oauth2.DeviceAuthResponse
}

// Grant is a log-in of somebody, as it is kept (sealed).
type Grant struct {
	LogIn        string `json:"log_in"` // changes with each new log-in, not with renewals
	Refresh      string `json:"refresh_token"`
	ClientSecret string `json:"client_secret,omitempty"` // Google's applications for devices have one
}

// Encode writes a Grant as the secret of a source.
func (g Grant) Encode() []byte {
	b, err := json.Marshal(g)
	if err != nil { // strings only
		panic(err)
	}
	return b
}

// ParseGrant undoes Encode. False if it is none.
func ParseGrant(secret []byte) (g Grant, ok bool) {
	ok = json.Unmarshal(secret, &g) == nil && g.Refresh != ""
	return g, ok
}

// Begin asks for a code. clientSecret is empty for public applications.
func (c *Client) Begin(ctx context.Context, a App, clientSecret string) (*Code, error) {
	if err := c.check(a); err != nil {
		return nil, err
	}
	d, err := c.config(a, clientSecret).DeviceAuth(c.context(ctx))
	if err != nil {
		return nil, explain(err, c.cfg.Now(), clientSecret)
	}
	u, err := url.Parse(d.VerificationURI)
	ours := err == nil && u.Host != "" && (u.Scheme == "https" || remote.CheckAuthority(u.Scheme+"://"+u.Host) == nil)
	if d.DeviceCode == "" || d.UserCode == "" || len(d.UserCode) > maxShown || len(d.VerificationURI) > maxShown || len(d.DeviceCode) > maxToken || !ours {
		return nil, &Error{Code: remote.CodeAuthority, Detail: "the answer holds no code that can be used"}
	}
	if last := c.cfg.Now().Add(longestCode); d.Expiry.IsZero() || d.Expiry.After(last) {
		d.Expiry = last
	}
	d.Interval = min(max(d.Interval, 1), longestInterval)
	return &Code{Code: d.UserCode, URL: d.VerificationURI, Expires: d.Expiry, app: a, secret: clientSecret, answer: d}, nil
}

// Await waits until somebody has entered the code, has declined, or the code has
// expired. Trouble on the way is waited out.
func (c *Client) Await(ctx context.Context, code *Code) (Grant, Token, error) {
	wait, stop := context.WithDeadline(ctx, code.Expires)
	defer stop()
	pause := time.Duration(code.answer.Interval) * time.Second
	for {
		t, err := c.config(code.app, code.secret).DeviceAccessToken(c.context(wait), code.answer)
		token, err := c.take(t, err, code.secret, code.answer.DeviceCode)
		var e *Error
		switch {
		case err == nil && token.Refresh == "":
			return Grant{}, Token{}, &Error{Code: remote.CodeScope, Detail: "the provider lets the log-in not be renewed: it gives no refresh token"}
		case err == nil:
			return Grant{LogIn: rand.Text(), Refresh: token.Refresh, ClientSecret: code.secret}, token, nil
		case ctx.Err() != nil:
			return Grant{}, Token{}, ctx.Err()
		case wait.Err() != nil:
			return Grant{}, Token{}, &Error{Code: remote.CodeCodeExpired}
		case !errors.As(err, &e) || !e.Passing():
			return Grant{}, Token{}, err
		}
		select { // the server has trouble: neither yes nor no
		case <-wait.Done():
		case <-time.After(max(pause, min(e.RetryAfter, time.Minute))):
		}
	}
}
