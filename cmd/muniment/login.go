package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
)

// logInFlags say how to log in to a mailbox if not by password.
type logInFlags struct {
	OAuth     string `name:"oauth" help:"Log in with an access token of this provider: microsoft or google." enum:",microsoft,google" default:""`
	LogIn     string `name:"log-in" help:"Where the access token comes from: ${enum}. token: it is entered in place of the password, and expires; client: an application logs in by itself, the password is its secret, or for Google the JSON file with the key of a service account; device: somebody logs in once, by a code in the browser, and the password, if there is a file, is the secret of the application." enum:"token,client,device" default:"token"`
	Directory string `help:"Microsoft: id of the directory (tenant id), or one of its domains." placeholder:"ID"`
	ClientID  string `name:"client-id" help:"Id of the registered application." placeholder:"ID"`
	Authority string `help:"Log-in server, if it is not the usual one: of a national cloud such as https://login.microsoftonline.us." placeholder:"URL"`
}

// apply writes the flags into settings.
func (f *logInFlags) apply(s *remote.Settings) {
	s.OAuth, s.Directory, s.ClientID, s.Authority = f.OAuth, f.Directory, f.ClientID, f.Authority
	if f.LogIn != "token" {
		s.Method = f.LogIn
	}
}

// newOAuth is the connection to log-in servers.
func (a *app) newOAuth() *oauth.Client {
	return oauth.New(oauth.Config{AllowPrivate: a.config.Fetch.PrivateNetworks})
}

// secretOf is where the secret of a source is kept.
func (a *app) secretOf(v *archive.SourceView) oauth.Store {
	return oauth.StoreFuncs{
		LoadFunc: func(ctx context.Context) ([]byte, error) { return a.archive.SourceSecret(ctx, v.Tenant, v.ID) },
		SwapFunc: func(ctx context.Context, old, now []byte) (bool, error) {
			return a.archive.SwapSourceSecret(ctx, v.Tenant, v.ID, old, now)
		},
	}
}

// maxKeyFile bounds the file with the key of a service account, in bytes.
const maxKeyFile = 64 << 10

// secretFor reads what the settings need, or lets somebody log in.
func (p *secret) secretFor(ctx context.Context, s *streams, a *app, set remote.Settings) ([]byte, error) {
	switch {
	case set.Method == remote.ByDevice:
		client := ""
		if p.PasswordFile != "" {
			var err error
			if client, err = p.read(s); err != nil {
				return nil, err
			}
		}
		return a.logIn(ctx, s, set, client)
	case set.Method == remote.ByClient && set.OAuth == remote.Google:
		if p.PasswordFile == "" {
			return nil, usage(errors.New("--password-file: name the JSON file with the key of the service account"))
		}
		b, err := os.ReadFile(p.PasswordFile)
		if err == nil && len(b) > maxKeyFile {
			err = usage(fmt.Errorf("--password-file: %d bytes, a key has at most %d", len(b), maxKeyFile))
		}
		return b, err
	}
	text, err := p.read(s)
	return []byte(text), err
}

// logIn shows a code and waits until somebody has entered it.
func (a *app) logIn(ctx context.Context, s *streams, set remote.Settings, clientSecret string) ([]byte, error) {
	c := a.newOAuth()
	code, err := c.Begin(ctx, oauth.AppOf(set), clientSecret)
	if err != nil {
		return nil, plainLogIn(err)
	}
	fmt.Fprintf(s.err, "Open %s in a browser, enter the code %s and log in as %s.\nWaiting until %s …\n",
		code.URL, code.Code, set.User, code.Expires.Local().Format(time.TimeOnly))
	g, _, err := c.Await(ctx, code)
	if err != nil {
		return nil, plainLogIn(err)
	}
	return g.Encode(), nil
}

// plainLogIn says what a failed log-in means.
func plainLogIn(err error) error {
	var e *oauth.Error
	if errors.As(err, &e) {
		if text := remote.LogInText(e.Code); text != "" {
			return fmt.Errorf("%s (%w)", text, err)
		}
	}
	return err
}

type sourceLogInCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	Name   string `arg:"" help:"Name of the source."`
	secret
}

func (c *sourceLogInCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	v, err := a.mailbox(ctx, c.Tenant, c.Name)
	if err != nil {
		return err
	}
	set, err := remote.Parse(v.Settings)
	if err != nil {
		return err
	}
	if set.Method != remote.ByDevice {
		return usage(fmt.Errorf("remote mailbox %q does not log in by a code", c.Name))
	}
	old, err := a.archive.SourceSecret(ctx, v.Tenant, v.ID)
	if err != nil {
		return err
	}
	now, err := c.again(ctx, s, a, set, old)
	if err != nil {
		return err
	}
	// The server may have renewed the old log-in meanwhile; the new one counts.
	for range 3 {
		ok, err := a.archive.LoggedIn(ctx, v.Tenant, v.ID, old, now)
		if err != nil {
			return err
		}
		if ok {
			fmt.Fprintf(s.out, "logged in to %s\n", v.Name)
			return nil
		}
		if old, err = a.archive.SourceSecret(ctx, v.Tenant, v.ID); err != nil {
			return err
		}
	}
	return errors.New("the log-in is being changed by somebody else; try again")
}

// again logs in, with the secret of the application that was given before unless
// there is a file.
func (c *sourceLogInCmd) again(ctx context.Context, s *streams, a *app, set remote.Settings, old []byte) ([]byte, error) {
	if c.PasswordFile == "" {
		g, _ := oauth.ParseGrant(old)
		return a.logIn(ctx, s, set, g.ClientSecret)
	}
	return c.secretFor(ctx, s, a, set)
}
