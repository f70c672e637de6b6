package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
)

type domainProveCmd struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	Domain string `arg:"" help:"Such as example.com."`
}

func (c *domainProveCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, t, err := g.tenantOf(ctx, s, c.Tenant)
	if err != nil {
		return err
	}
	defer a.close()
	v, err := a.archive.ProveDomain(ctx, t.ID, c.Domain)
	if errors.Is(err, catalog.ErrNotFound) {
		return usage(fmt.Errorf("tenant %s has no domain %q; muniment domain list %s shows all", t.Slug, c.Domain, t.Slug))
	}
	if err != nil {
		return err
	}
	if !v.ProvenAt.IsZero() {
		fmt.Fprintf(s.out, "%s was proven on %s\n", v.Name, v.ProvenAt.UTC().Format("2006-01-02 15:04 MST"))
		return nil
	}
	why := map[string]string{archive.ProofMissing: "there is no such record", archive.ProofDifferent: "there is one with another text",
		archive.ProofUnreachable: "the DNS did not answer"}[v.Problem]
	return fmt.Errorf("%s is not proven: %s. Enter this into its DNS and ask again:\n%s. TXT \"%s\"", v.Name, why, v.Record, v.Value)
}

type mailRulesCmd struct {
	Show mailRulesShowCmd `cmd:"" help:"Show the domain of new journal addresses, and whether domains have to be proven."`
	Set  mailRulesSetCmd  `cmd:"" help:"Set them; what is not named stays."`
}

type mailRulesShowCmd struct{}

func (mailRulesShowCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	m, err := a.archive.MailRules(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "domain of new journal addresses: %s (configuration: %s)\ndomains have to be proven: %v\n", m.JournalDomain, m.Configured, m.ProofNeeded)
	return nil
}

type mailRulesSetCmd struct {
	JournalDomain *string `help:"Domain of new journal addresses; empty: that of the configuration file." placeholder:"DOMAIN"`
	ProofNeeded   *bool   `help:"Mail of a domain is seen only when its tenant has proven that the domain is its own." negatable:""`
}

func (c *mailRulesSetCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.archive.SetMailRules(ctx, c.JournalDomain, c.ProofNeeded); err != nil {
		return err
	}
	fmt.Fprintln(s.out, "set; a running server follows within seconds")
	return nil
}
