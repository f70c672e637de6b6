// Package imap has a mail server check passwords: it logs in and out again, and looks
// at no mail. TLS is as for remote mailboxes: never without unless the settings say so.
package imap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/directory/dial"
	client "github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/remote"
)

// patience bounds one check from beginning to end.
const patience = 20 * time.Second

// Client asks mail servers. It may be used concurrently and keeps no connection.
type Client struct{ dial dial.Func }

// New returns a client; d may be nil.
func New(d dial.Func) *Client {
	if d == nil {
		d = dial.New(false)
	}
	return &Client{d}
}

// connect opens a connection on which nobody is logged in; seen is told the SHA-256 of
// the certificate.
func (c *Client) connect(ctx context.Context, set directory.IMAP, seen func(string)) (*client.Conn, error) {
	modes := map[string]client.TLSMode{remote.Implicit: client.TLSImplicit, remote.StartTLS: client.TLSStart, remote.NoTLS: client.TLSNone}
	port := set.Port
	if port == 0 {
		port = map[string]int{remote.Implicit: 993}[set.TLS]
	}
	if port == 0 {
		port = 143
	}
	conn, err := client.Dial(ctx, client.Config{Host: set.Host, Port: port, TLS: modes[set.TLS], DialContext: c.dial,
		TLSConfig: remote.Trust{Host: set.Host, CA: set.CA, Pin: set.Pin}.Config(seen)})
	if err != nil {
		return nil, coded(err)
	}
	return conn, nil
}

// coded gives an error of the client its code.
func coded(err error) error {
	var known *directory.Error
	switch {
	case errors.As(err, &known):
		return known
	case remote.IsCertificate(err):
		return directory.Fail(remote.CodeCertificate, err)
	case errors.Is(err, client.ErrTLS):
		return directory.Fail(remote.CodeTLS, err)
	case errors.Is(err, client.ErrProtocol):
		return directory.Fail(remote.CodeProtocol, err)
	}
	if c := remote.NetworkCode(err); c != "" {
		return directory.Fail(c, err)
	}
	return directory.Fail(remote.CodeUnavailable, err)
}

// Verify has the server check the password of a mail address. directory.ErrPassword if
// it says no, or if the password is empty; other errors say that it cannot be asked.
func (c *Client) Verify(ctx context.Context, set directory.IMAP, address, password string) error {
	if password == "" || strings.ContainsAny(address+password, "\x00\r\n") {
		return fmt.Errorf("%w: it is empty, or holds what none can", directory.ErrPassword)
	}
	user := address
	if set.User == directory.UserLocal {
		user, _, _ = strings.Cut(address, "@")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := c.connect(ctx, set, func(string) {})
	if err != nil {
		return err
	}
	defer conn.Close()
	err = conn.Login(ctx, user, password)
	if errors.Is(err, client.ErrAuth) {
		return fmt.Errorf("%w: %s", directory.ErrPassword, remote.Redact(err.Error(), user, []byte(password)))
	}
	if err != nil {
		return coded(err)
	}
	return nil
}

// Test tries settings as far as the log-in, for which it has nobody's password.
func (c *Client) Test(ctx context.Context, set directory.Settings) directory.Finding {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f := directory.Finding{Steps: []directory.Step{}}
	conn, err := c.connect(ctx, *set.IMAP, func(sum string) { f.Certificate = sum })
	if err != nil {
		f.Problem = directory.Explain(err, "", nil)
		what := map[string]string{remote.CodeDNS: "resolve", remote.CodeCertificate: "certificate", remote.CodeTLS: "tls"}[f.Problem.Code]
		if what == "" {
			what = "connect"
		}
		f.Steps = append(f.Steps, directory.Step{What: what, Text: f.Problem.Detail})
		return f
	}
	defer conn.Close()
	f.OK = true
	f.Steps = append(f.Steps, directory.Step{What: "connect", OK: true, Text: set.IMAP.Host}, directory.Step{What: "tls", OK: true, Text: set.IMAP.TLS})
	return f
}
