package imap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"
)

const opLogin = "log in"

// Login logs in with a password: by SASL PLAIN (RFC 4616) if the server offers
// it, else by LOGIN. It tries once, so that a wrong password does not lock the
// account.
func (c *Conn) Login(ctx context.Context, user, password string) error {
	switch {
	case strings.ContainsRune(user, 0) || strings.ContainsRune(password, 0):
		return &Error{Op: opLogin, Kind: ErrAuth, Text: "neither name nor password can hold NUL"}
	case c.Capability("AUTH=PLAIN"):
		return c.authenticate(ctx, sasl.NewPlainClient("", user, password))
	case c.Capability("LOGINDISABLED"):
		if c.cfg.TLS == TLSNone {
			return &Error{Op: opLogin, Kind: ErrTLS, Text: "the server takes no password without TLS"}
		}
		return &Error{Op: opLogin, Kind: ErrAuth, Text: "the server takes no password (LOGINDISABLED)"}
	}
	return c.loggedIn(ctx, func() error { return c.client.Login(user, password).Wait() })
}

// LoginXOAUTH2 logs in with an access token of OAuth 2.0, as Microsoft 365 and
// Google want it.
func (c *Conn) LoginXOAUTH2(ctx context.Context, user, token string) error {
	if strings.ContainsAny(user+token, "\x00\x01") {
		return &Error{Op: opLogin, Kind: ErrAuth, Text: "neither name nor token can hold control characters"}
	}
	if !c.Capability("AUTH=XOAUTH2") {
		return &Error{Op: opLogin, Kind: ErrAuth, Text: "the server does not take access tokens (no AUTH=XOAUTH2)"}
	}
	x := &xoauth2{user: user, token: token, blank: func() { c.guard.blank.Store(true) }}
	err := c.authenticate(ctx, x)
	var e *Error
	if x.complaint != "" && errors.As(err, &e) {
		e.Text = strings.TrimSpace(x.complaint + "; " + e.Text)
	}
	return err
}

func (c *Conn) authenticate(ctx context.Context, mechanism sasl.Client) error {
	return c.loggedIn(ctx, func() error { return c.client.Authenticate(mechanism) })
}

// loggedIn runs a log-in and asks anew what the server offers: it may be more
// now (RFC 9051 §6.2.2).
func (c *Conn) loggedIn(ctx context.Context, login func() error) error {
	return c.do(ctx, opLogin, ErrAuth, func() error {
		if err := login(); err != nil {
			return err
		}
		return c.askCapabilities(opLogin)
	})
}

// xoauth2 is the client's side of XOAUTH2, a mechanism of Google's without an
// RFC: one answer, and if the token is refused a challenge with the reason as
// JSON, which has to be answered before the server says NO.
type xoauth2 struct {
	user, token string
	blank       func() // lets the next answer be an empty line
	complaint   string // of the server, in words
}

// Start implements sasl.Client.
func (x *xoauth2) Start() (string, []byte, error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next implements sasl.Client.
func (x *xoauth2) Next(challenge []byte) ([]byte, error) {
	if x.complaint != "" {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	x.complaint = tokenComplaint(challenge)
	x.blank() // the library would write "=" for nothing, which means that only in a first answer (RFC 4959)
	return []byte{}, nil
}

// tokenComplaint puts the JSON with which a server refuses a token into words.
func tokenComplaint(challenge []byte) string {
	var reason struct {
		Status  any    `json:"status"`
		Schemes string `json:"schemes"`
		Scope   string `json:"scope"`
	}
	if err := json.Unmarshal(challenge, &reason); err != nil || reason.Status == nil {
		return "the access token is refused: " + quote(string(challenge))
	}
	text := fmt.Sprintf("the access token is refused: status %v", reason.Status)
	if reason.Scope != "" {
		text += ", needed scope " + reason.Scope
	}
	return quote(text)
}
