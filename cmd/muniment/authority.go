package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/seal"
)

type authorityCmd struct {
	List     authorityListCmd     `cmd:"" help:"List the authorities that give time stamps, in the order in which they are asked."`
	Presets  authorityPresetsCmd  `cmd:"" help:"List authorities that one may choose from. None is ever chosen by itself."`
	Add      authorityAddCmd      `cmd:"" help:"Add an authority, to be asked after the others; one of the same name is replaced."`
	Test     authorityTestCmd     `cmd:"" help:"Ask an authority for a time stamp on random bytes and tell what came. It may cost a token."`
	Remove   authorityRemoveCmd   `cmd:"" help:"Ask an authority no more. Its time stamps stay."`
	Renewal  authorityRenewalCmd  `cmd:"" help:"Set how early time stamps are renewed."`
	Interval authorityIntervalCmd `cmd:"" help:"Set how long objects wait for their batch at most."`
}

type authorityListCmd struct{ listing }

func (c *authorityListCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	v, err := a.archive.SealSetting(ctx)
	if err != nil {
		return err
	}
	sealer, err := a.newSealer()
	if err != nil {
		return err
	}
	spent, err := sealer.Spent(ctx)
	if err != nil {
		return err
	}
	var rows [][]any
	for i, x := range v.Authorities {
		rows = append(rows, []any{x.Name, x.URL, x.Auth, x.Policy, v.HasSecret[x.Name], !x.Disabled, spent[i].Spent, x.Quota})
	}
	return c.print(s, []string{"name", "url", "auth", "policy", "secret", "active", "this month", "quota"}, rows)
}

type authorityPresetsCmd struct{ listing }

func (c *authorityPresetsCmd) Run(s *streams) error {
	var rows [][]any
	for _, p := range seal.Presets() {
		rows = append(rows, []any{p.ID, p.Name, p.URL, p.Auth, string(p.Standing), p.Country})
	}
	return c.print(s, []string{"id", "name", "url", "auth", "standing", "list"}, rows)
}

type authorityAddCmd struct {
	Name        string        `arg:"" help:"Name as people read it."`
	Preset      string        `help:"Take address and kind of log-in from this preset; authority presets lists them."`
	URL         string        `name:"url" help:"Address that requests go to."`
	Auth        string        `help:"How the archive shows who it is: ${enum}; empty: as the preset says, or none." enum:",none,basic,bearer,certificate" default:""`
	User        string        `help:"User name, with --auth=basic."`
	CA          string        `name:"ca" required:"" help:"File with the certificates (PEM) that those of the authority have to lead to." type:"existingfile"`
	Certificate string        `help:"File with the certificate (PEM) of the archive, with --auth=certificate; the key is the secret." type:"existingfile"`
	ServerCA    string        `name:"server-ca" help:"File with the certificate authorities of its web server (PEM), if the system does not know them." type:"existingfile"`
	Policy      string        `help:"Policy (OID) to ask for; empty: whatever it gives."`
	Accuracy    time.Duration `help:"Most inaccuracy of a time stamp; 0: any."`
	Pause       time.Duration `help:"Least time between two requests."`
	Quota       int64         `help:"Most time stamps in a calendar month (UTC); 0: any number."`
	Local       bool          `help:"The authority is on this machine."`
	SecretFile  string        `help:"File with the password, the token or the key." type:"existingfile"`
}

func (c *authorityAddCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	x, err := c.authority()
	if err != nil {
		return err
	}
	err = changeSealing(ctx, g, s, func(d *archive.SealDraft) error {
		if i := slices.IndexFunc(d.Authorities, func(o seal.Authority) bool { return o.Name == x.Name }); i >= 0 {
			d.Authorities[i] = x
		} else {
			d.Authorities = append(d.Authorities, x)
		}
		d.Setting = d.Normal()
		if c.SecretFile == "" {
			return nil
		}
		secret, err := secretFile(c.SecretFile, x.Auth)
		d.Secrets = map[string]string{x.Name: secret}
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s gives time stamps; muniment authority test %q tries it\n", x.Name, x.Name)
	return nil
}

// authority makes the settings of the flags.
func (c *authorityAddCmd) authority() (seal.Authority, error) {
	x := seal.Authority{Name: c.Name, Preset: c.Preset, URL: c.URL, Auth: c.Auth, User: c.User, Policy: c.Policy, Accuracy: int(c.Accuracy.Milliseconds()),
		Pause: int(c.Pause.Seconds()), Local: c.Local, Quota: c.Quota}
	if c.Preset != "" {
		i := slices.IndexFunc(seal.Presets(), func(p seal.Preset) bool { return p.ID == c.Preset })
		if i < 0 {
			return x, usage(fmt.Errorf("no preset %q; muniment authority presets lists them", c.Preset))
		}
		p := seal.Presets()[i]
		if x.URL == "" {
			x.URL = p.URL
		}
		if x.Auth == "" {
			x.Auth = p.Auth
		}
		if c.Pause == 0 {
			x.Pause = p.Pause
		}
	}
	for _, f := range []struct {
		name string
		to   *string
	}{{c.CA, &x.CA}, {c.Certificate, &x.Certificate}, {c.ServerCA, &x.ServerCA}} {
		if f.name == "" {
			continue
		}
		b, err := os.ReadFile(f.name)
		if err != nil {
			return x, err
		}
		*f.to = string(b)
	}
	return x, nil
}

// secretFile reads a secret: the first line, or all of a key.
func secretFile(name, auth string) (string, error) {
	if auth == seal.AuthCertificate {
		b, err := os.ReadFile(name)
		return string(b), err
	}
	p := secret{PasswordFile: name}
	return p.read(nil)
}

type authorityTestCmd struct {
	Name string `arg:"" help:"Name of the authority."`
	JSON bool   `name:"json" help:"Print the result as JSON."`
}

func (c *authorityTestCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	v, err := a.archive.SealSetting(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(v.Authorities, func(o seal.Authority) bool { return o.Name == c.Name })
	if i < 0 {
		return usage(fmt.Errorf("no authority %q; muniment authority list lists them", c.Name))
	}
	secret, err := a.archive.StoredSecret(ctx, v.Authorities[i])
	if err != nil {
		return err
	}
	sealer, err := a.newSealer()
	if err != nil {
		return err
	}
	r := sealer.Try(ctx, v.Authorities[i], secret)
	if c.JSON {
		err = json.NewEncoder(s.out).Encode(r)
	} else if r.OK {
		showTrial(s, r)
	}
	if err == nil && !r.OK {
		err = fmt.Errorf("no time stamp (%s): %s", r.Problem.Code, r.Problem.Detail)
	}
	return err
}

func showTrial(s *streams, r seal.Trial) {
	fmt.Fprintf(s.out, "time: %s (this computer's clock differs by %s)\nsigned by: %s\nissued by: %s\ncertificate ends: %s\npolicy: %s\n",
		r.GenTime.Format(time.RFC3339), r.Skew, r.Signer, r.Issuer, r.Until.Format(time.RFC3339), r.Policy)
	if r.Accuracy > 0 {
		fmt.Fprintln(s.out, "accuracy:", r.Accuracy)
	}
	fmt.Fprintf(s.out, "qualified: %s (%s)\n", r.Qualified, r.Reason)
	for _, m := range r.Missing {
		fmt.Fprintln(s.out, "missing:", m)
	}
	for _, m := range r.Remarks {
		fmt.Fprintln(s.out, "remark:", m)
	}
	if r.Test {
		fmt.Fprintln(s.out, "THIS IS A TEST AUTHORITY: its time stamps prove nothing")
	}
}

type authorityRemoveCmd struct {
	Name string `arg:"" help:"Name of the authority."`
}

func (c *authorityRemoveCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return changeSealing(ctx, g, s, func(d *archive.SealDraft) error {
		n := len(d.Authorities)
		d.Authorities = slices.DeleteFunc(d.Authorities, func(o seal.Authority) bool { return o.Name == c.Name })
		if len(d.Authorities) == n {
			return usage(fmt.Errorf("no authority %q; muniment authority list lists them", c.Name))
		}
		return nil
	})
}

type authorityIntervalCmd struct {
	Interval time.Duration `arg:"" help:"From 1m to 24h."`
}

func (c *authorityIntervalCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return changeSealing(ctx, g, s, func(d *archive.SealDraft) error {
		d.Interval = int(c.Interval.Seconds())
		return nil
	})
}

type authorityRenewalCmd struct {
	Certificate int `help:"Days before the end of a time stamp's certificate; 0: the usual 365." default:"0"`
	Algorithm   int `help:"Days before the end of an algorithm; 0: the usual 730." default:"0"`
}

func (c *authorityRenewalCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return changeSealing(ctx, g, s, func(d *archive.SealDraft) error {
		d.RenewCertificate, d.RenewAlgorithm = c.Certificate, c.Algorithm
		return nil
	})
}

// changeSealing changes how objects are sealed.
func changeSealing(ctx context.Context, g *Globals, s *streams, change func(*archive.SealDraft) error) error {
	a, err := g.open(ctx, s, founding)
	if err != nil {
		return err
	}
	defer a.close()
	v, err := a.archive.SealSetting(ctx)
	if err != nil {
		return err
	}
	d := archive.SealDraft{Setting: v.Setting}
	if err := change(&d); err != nil {
		return err
	}
	if err := d.Check(); err != nil {
		return usage(err)
	}
	return a.archive.SetSealSetting(ctx, d)
}
