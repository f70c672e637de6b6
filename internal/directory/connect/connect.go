// Package connect asks directories of every kind: it chooses the package that speaks
// their language.
package connect

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/directory/dial"
	"github.com/muniment/muniment/internal/directory/imap"
	"github.com/muniment/muniment/internal/directory/ldap"
	"github.com/muniment/muniment/internal/directory/oidc"
)

// Config says how to connect.
type Config struct {
	// Public lets directories be nowhere but on the Internet.
	Public bool
	Now    func() time.Time // nil: time.Now
}

// Client asks directories. It may be used concurrently.
type Client struct {
	ldap *ldap.Client
	oidc *oidc.Client
	imap *imap.Client
}

// New returns a client.
func New(c Config) *Client {
	d := dial.New(c.Public)
	return &Client{ldap: ldap.New(ldap.Config{Dial: d}), oidc: oidc.New(d, c.Now), imap: imap.New(d)}
}

var errKind = errors.New("directories of this kind cannot do that")

// Test tries settings, and tells what it finds.
func (c *Client) Test(ctx context.Context, set directory.Settings, secret []byte) directory.Finding {
	switch set.Kind() {
	case directory.KindLDAP:
		return c.ldap.Test(ctx, set, secret)
	case directory.KindOIDC:
		return c.oidc.Test(ctx, set, secret)
	case directory.KindIMAP:
		return c.imap.Test(ctx, set)
	}
	return directory.Finding{Problem: directory.Explain(errKind, "", nil), Steps: []directory.Step{}}
}

// Read reads the users of an LDAP directory.
func (c *Client) Read(ctx context.Context, set directory.Settings, secret []byte) (*directory.Snapshot, error) {
	if set.LDAP == nil {
		return nil, errKind
	}
	return c.ldap.Read(ctx, set, secret)
}

// Verify has a password checked: external is the lasting id of LDAP, or a mail address.
func (c *Client) Verify(ctx context.Context, set directory.Settings, secret []byte, external, password string) error {
	switch {
	case set.LDAP != nil:
		return c.ldap.Verify(ctx, *set.LDAP, secret, external, password)
	case set.IMAP != nil:
		return c.imap.Verify(ctx, *set.IMAP, external, password)
	}
	return errKind
}

// Begin begins a log-in at a provider.
func (c *Client) Begin(ctx context.Context, set directory.Settings, secret []byte) (string, directory.Flow, error) {
	if set.OIDC == nil {
		return "", directory.Flow{}, errKind
	}
	return c.oidc.Begin(ctx, *set.OIDC, secret)
}

// Finish judges with what a browser came back from a provider.
func (c *Client) Finish(ctx context.Context, set directory.Settings, secret []byte, flow directory.Flow, answer url.Values) (*directory.Identity, error) {
	if set.OIDC == nil {
		return nil, errKind
	}
	return c.oidc.Finish(ctx, *set.OIDC, secret, flow, answer)
}
