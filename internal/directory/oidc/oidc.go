// Package oidc logs people in at a provider of OpenID Connect 1.0 by the code flow with
// PKCE (RFC 7636), state and nonce. It trusts nothing that comes by the browser, takes
// no token without a signature, and keeps nothing between the two halves of a log-in:
// what it has to remember is the Flow that its caller keeps. Discovery and keys are
// fetched anew for every log-in, so that a provider may change its keys at any time.
//
//	oidc.go   beginning and finishing   token.go  what has to hold of an identity token
//	http.go   what a provider may send  test.go   trying settings
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/directory/dial"
	"github.com/muniment/muniment/internal/remote"
)

// skew is how far the clocks of both servers may differ.
const skew = 2 * time.Minute

// patience bounds one half of a log-in.
const patience = 20 * time.Second

// Client talks to providers. It may be used concurrently.
type Client struct {
	dial dial.Func
	now  func() time.Time
}

// New returns a client; d and now may be nil.
func New(d dial.Func, now func() time.Time) *Client {
	if d == nil {
		d = dial.New(false)
	}
	if now == nil {
		now = time.Now
	}
	return &Client{d, now}
}

// discover reads what a provider says of itself (OpenID Connect Discovery 1.0 §4).
func (c *Client) discover(ctx context.Context, set directory.OIDC) (context.Context, *oidc.Provider, error) {
	client, err := c.http(set)
	if err != nil {
		return ctx, nil, err
	}
	ctx = oidc.ClientContext(ctx, client)
	p, err := oidc.NewProvider(ctx, set.Issuer)
	if err != nil {
		return ctx, nil, coded(err)
	}
	for _, address := range []string{p.Endpoint().AuthURL, p.Endpoint().TokenURL} {
		if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "https" && !loopback(set.Issuer) {
			return ctx, nil, directory.Fail(remote.CodeProtocol, fmt.Errorf("the provider names the address %.200q, which does not begin with https", address))
		}
	}
	return ctx, p, nil
}

// loopback reports whether an issuer is on this machine, as in tests.
func loopback(issuer string) bool { return strings.HasPrefix(issuer, "http://") } // Settings.Check lets no other http pass

func (c *Client) config(set directory.OIDC, secret []byte, p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: set.ClientID, ClientSecret: string(secret), Endpoint: p.Endpoint(), RedirectURL: set.Redirect,
		Scopes: append([]string{oidc.ScopeOpenID, "email", "profile"}, set.Scopes...)}
}

// Begin returns where to send a browser to.
func (c *Client) Begin(ctx context.Context, set directory.OIDC, secret []byte) (string, directory.Flow, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, p, err := c.discover(ctx, set)
	if err != nil {
		return "", directory.Flow{}, err
	}
	flow := directory.Flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
	options := []oauth2.AuthCodeOption{oidc.Nonce(flow.Nonce), oauth2.S256ChallengeOption(flow.Verifier)}
	if set.Hosted != "" {
		options = append(options, oauth2.SetAuthURLParam("hd", set.Hosted))
	}
	return c.config(set, secret, p).AuthCodeURL(flow.State, options...), flow, nil
}

// Finish judges what the browser came back with.
func (c *Client) Finish(ctx context.Context, set directory.OIDC, secret []byte, flow directory.Flow, answer url.Values) (*directory.Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if flow.State == "" || subtle.ConstantTimeCompare([]byte(flow.State), []byte(answer.Get("state"))) != 1 {
		return nil, directory.Fail(directory.CodeState, errors.New("the state is another one"))
	}
	if iss := answer.Get("iss"); answer.Has("iss") && iss != set.Issuer { // RFC 9207 §2.4
		return nil, directory.Fail(directory.CodeIssuer, fmt.Errorf("the answer is of %.200q", iss))
	}
	if code := answer.Get("error"); code != "" {
		return nil, directory.Fail(directory.CodeProvider, fmt.Errorf("%.100q: %.500q", code, answer.Get("error_description")))
	}
	ctx, p, err := c.discover(ctx, set)
	if err != nil {
		return nil, err
	}
	token, err := c.config(set, secret, p).Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(flow.Verifier))
	if err != nil {
		return nil, exchange(err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, directory.Fail(directory.CodeToken, errors.New("there is no identity token"))
	}
	claims, err := c.verify(ctx, set, p, raw, flow.Nonce)
	if err != nil {
		return nil, err
	}
	if claims.text("email") == "" {
		if err := more(ctx, p, token, claims); err != nil {
			return nil, err
		}
	}
	return identity(set, claims)
}

// more asks the provider for claims that the token does not have (OpenID Connect Core
// 1.0 §5.3). Those of the token stay.
func more(ctx context.Context, p *oidc.Provider, token *oauth2.Token, c claims) error {
	if p.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return coded(err)
	}
	if info.Subject != c.text("sub") { // §5.3.2
		return directory.Fail(directory.CodeToken, errors.New("what the provider says about the account is about another one"))
	}
	extra := claims{}
	if err := info.Claims(&extra); err != nil {
		return directory.Fail(directory.CodeToken, err)
	}
	for k, v := range extra {
		if _, have := c[k]; !have {
			c[k] = v
		}
	}
	return nil
}

// exchange gives an error of the token request its code.
func exchange(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return coded(err)
	}
	text := fmt.Errorf("%.100q: %.500q", refused.ErrorCode, refused.ErrorDescription)
	switch {
	case refused.ErrorCode == "invalid_client" || refused.ErrorCode == "unauthorized_client":
		return directory.Fail(directory.CodeSecret, text)
	case refused.ErrorCode != "":
		return directory.Fail(directory.CodeProvider, text)
	case refused.Response != nil && refused.Response.StatusCode >= 500:
		return directory.Fail(remote.CodeUnavailable, errors.New(refused.Response.Status))
	}
	return directory.Fail(remote.CodeProtocol, errors.New("the provider does not answer the token request as it should"))
}
