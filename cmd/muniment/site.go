package main

import (
	"context"
	"fmt"
	"os"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/site"
)

type siteCmd struct {
	Show siteShowCmd `cmd:"" help:"Show the host name and the way to a certificate."`
	Set  siteSetCmd  `cmd:"" help:"Set them; a running server takes it over within half a minute."`
}

type siteShowCmd struct{}

func (siteShowCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	v, err := a.archive.Site(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "host: %s\ntls: %s\n", v.Host, v.TLS)
	if v.TLS == site.ACME {
		directory := v.Directory
		if directory == "" {
			directory = site.LetsEncrypt
		}
		fmt.Fprintf(s.out, "certificate authority: %s\nemail: %s\n", directory, v.Email)
	}
	if a.config.HTTP.TLSCert != "" {
		fmt.Fprintln(s.out, "the certificate is that of http.tls_cert")
	}
	return nil
}

type siteSetCmd struct {
	Host      *string `help:"Name in the address of the web interface, such as archive.example.com."`
	TLS       *string `help:"off: plain HTTP, for this machine only; proxy: a proxy in front of the server speaks TLS; own: --cert and --key; acme: a certificate that the server gets by itself." enum:"off,proxy,own,acme"`
	Cert      string  `help:"Certificate chain (PEM) for --tls own." type:"existingfile"`
	Key       string  `help:"Key (PEM) for --tls own." type:"existingfile"`
	Directory *string `help:"Address of the ACME certificate authority; empty: Let's Encrypt."`
	Email     *string `help:"Whom the certificate authority warns."`
	Agree     bool    `help:"Agree to the terms of the certificate authority, for --tls acme."`
}

func (c *siteSetCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, founding)
	if err != nil {
		return err
	}
	defer a.close()
	v, err := a.archive.Site(ctx)
	if err != nil {
		return err
	}
	d := archive.SiteDraft{Settings: v.Settings}
	for to, from := range map[*string]*string{&d.Host: c.Host, &d.TLS: c.TLS, &d.Directory: c.Directory, &d.Email: c.Email} {
		if from != nil {
			*to = *from
		}
	}
	d.Agreed = d.Agreed || c.Agree
	if c.Cert != "" {
		b, err := os.ReadFile(c.Cert)
		if err != nil {
			return usage(fmt.Errorf("--cert: %w", err))
		}
		d.Certificate = string(b)
	}
	if c.Key != "" {
		if d.Key, err = os.ReadFile(c.Key); err != nil {
			return usage(fmt.Errorf("--key: %w", err))
		}
	}
	if err := a.archive.SetSite(ctx, d); err != nil {
		if site.Wrong(err) {
			return usage(err)
		}
		return err
	}
	return nil
}
