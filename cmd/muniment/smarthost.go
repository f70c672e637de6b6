package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/outbox"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

func (a *app) newOutbox() (*outbox.Outbox, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "" // then it calls itself localhost
	}
	return outbox.New(outbox.Config{Archive: a.archive, Log: a.log, Hello: host})
}

type smarthostCmd struct {
	Show   smarthostShowCmd   `cmd:"" help:"Show how mail of the archive leaves."`
	Set    smarthostSetCmd    `cmd:"" help:"Set the server that mail of the archive leaves by; what waits is tried at once."`
	Test   smarthostTestCmd   `cmd:"" help:"Try the settings, send a test mail, and say what is wrong."`
	Remove smarthostRemoveCmd `cmd:"" help:"Let no mail leave any more; what waits stays."`
}

type smarthostShowCmd struct {
	JSON bool `name:"json" help:"Print the settings as JSON."`
}

// errNotSet is the answer to commands that need settings.
var errNotSet = errors.New("no smarthost is set; muniment smarthost set does")

func (c *smarthostShowCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	v, err := a.archive.Smarthost(ctx, uid.ID{})
	if errors.Is(err, archive.ErrNoSmarthost) {
		return errNotSet
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(struct {
			remote.Smarthost
			HasPassword bool `json:"has_password"`
		}{v.Smarthost, v.HasSecret})
	}
	login := "none"
	if v.User != "" {
		login = v.User
	}
	fmt.Fprintf(s.out, "server: %s, port %d, TLS %s\nlog-in: %s\nsender: %s\n", v.Host, v.UsualPort(), v.TLS, login, sender(v.Smarthost))
	if v.Pin != "" {
		fmt.Fprintln(s.out, "pinned certificate (SHA-256):", v.Pin)
	}
	if v.CA != "" {
		fmt.Fprintln(s.out, "own certificate authorities: yes")
	}
	return nil
}

func sender(s remote.Smarthost) string {
	if s.Name == "" {
		return s.From
	}
	return s.Name + " <" + s.From + ">"
}

type smarthostSetCmd struct {
	Host string `required:"" help:"Mail server."`
	From string `required:"" help:"Address that mail comes from; it is not rewritten."`
	Name string `help:"Sender's name as people read it."`
	Port int    `help:"Port; 0 is the usual one: 465 (implicit), 587 (starttls), 25 (none)." default:"0"`
	TLS  string `name:"tls" help:"${enum}; starttls is required, none lets everybody on the way read password and mail." enum:"implicit,starttls,none" default:"starttls"`
	CA   string `name:"ca" help:"File with the certificate authorities to trust for this server (PEM)." type:"existingfile"`
	Pin  string `help:"SHA-256 of the only certificate to accept, hexadecimal; smarthost test shows it."`
	User string `help:"User name there; empty: no log-in."`
	Keep bool   `name:"keep-password" help:"Do not ask for the password: the stored one stays."`
	secret
}

func (c *smarthostSetCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	d := archive.SmarthostDraft{Smarthost: remote.Smarthost{Host: c.Host, Port: c.Port, TLS: c.TLS, Pin: c.Pin, User: c.User, From: c.From, Name: c.Name}.Normal()}
	if c.CA != "" {
		b, err := os.ReadFile(c.CA)
		if err != nil {
			return err
		}
		d.CA = string(b)
	}
	if err := d.Check(); err != nil {
		return usage(err)
	}
	a, err := g.open(ctx, s, founding)
	if err != nil {
		return err
	}
	defer a.close()
	switch {
	case c.User == "":
		d.Secret = []byte{}
	case !c.Keep:
		pw, err := c.read(s)
		if err != nil {
			return err
		}
		d.Secret = []byte(pw)
	}
	if err := a.archive.SetSmarthost(ctx, d); err != nil {
		return err
	}
	if d.TLS == remote.NoTLS {
		fmt.Fprintln(s.err, "warning: without TLS everybody on the way can read the password and the mail")
	}
	fmt.Fprintf(s.out, "mail leaves by %s, port %d, as %s; muniment smarthost test ADDRESS tests it\n", d.Host, d.UsualPort(), sender(d.Smarthost))
	return nil
}

type smarthostTestCmd struct {
	To       string `arg:"" optional:"" help:"Address for a test mail; without, the test ends with the log-in."`
	Language string `help:"Language of the test mail: ${enum}." enum:"en,de" default:"en"`
	JSON     bool   `name:"json" help:"Print the result as JSON."`
}

func (c *smarthostTestCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	if err := remote.MailAddress(c.To); c.To != "" && err != nil {
		return usage(err)
	}
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	v, err := a.archive.Smarthost(ctx, uid.ID{})
	if errors.Is(err, archive.ErrNoSmarthost) {
		return errNotSet
	}
	if err != nil {
		return err
	}
	password, err := a.archive.SmarthostSecret(ctx, uid.ID{})
	if err != nil {
		return err
	}
	o, err := a.newOutbox()
	if err != nil {
		return err
	}
	r := o.Test(ctx, v.Smarthost, password, c.To, c.Language)
	if c.JSON {
		err = json.NewEncoder(s.out).Encode(r)
	} else {
		showSteps(s.out, r)
	}
	if err == nil && !r.OK {
		err = fmt.Errorf("%s (%s)", r.Problem.Text, r.Problem.Code)
	}
	return err
}

// showSteps prints what a test has done.
func showSteps(w io.Writer, r remote.TestResult) {
	for _, step := range r.Steps {
		mark := "failed"
		if step.OK {
			mark = "ok"
		}
		fmt.Fprintf(w, "%-7s %s: %s\n", mark, step.What, step.Text)
	}
	if r.Certificate != "" {
		fmt.Fprintln(w, "certificate (SHA-256):", r.Certificate)
	}
}

type smarthostRemoveCmd struct{}

func (c *smarthostRemoveCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	err = a.archive.RemoveSmarthost(ctx)
	if errors.Is(err, archive.ErrNoSmarthost) {
		return errNotSet
	}
	return err
}
