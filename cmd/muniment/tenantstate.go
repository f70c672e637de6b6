package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
)

type tenantSuspendCmd struct {
	Slug string `arg:"" help:"Short name of the tenant."`
}

func (c *tenantSuspendCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return setState(ctx, g, s, c.Slug, catalog.TenantSuspended)
}

type tenantResumeCmd struct {
	Slug string `arg:"" help:"Short name of the tenant."`
}

func (c *tenantResumeCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return setState(ctx, g, s, c.Slug, catalog.TenantActive)
}

type tenantEndCmd struct {
	Slug string `arg:"" help:"Short name of the tenant."`
}

func (c *tenantEndCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return setState(ctx, g, s, c.Slug, catalog.TenantEnded)
}

func setState(ctx context.Context, g *Globals, s *streams, slug string, state catalog.TenantState) error {
	a, t, err := g.tenantOf(ctx, s, slug)
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.archive.AsOperator().SetTenantState(ctx, t.ID, state); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "tenant %s is %s\n", t.Slug, state)
	return nil
}

type tenantDeleteCmd struct {
	Slug    string `arg:"" help:"Short name of the tenant."`
	Confirm string `required:"" help:"Name of the tenant, as a confirmation: everything of it is destroyed for good." placeholder:"NAME"`
	JSON    bool   `name:"json" help:"Print the certificate as JSON."`
}

func (c *tenantDeleteCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, exclusive) // a server would go on working on the tenant
	if err != nil {
		return err
	}
	defer a.close()
	t, err := a.tenant(ctx, c.Slug)
	if err != nil {
		return err
	}
	if _, err := a.newFileDoors(); err != nil { // uploads of the tenant go with it
		return err
	}
	cert, err := a.archive.AsOperator().DeleteTenant(ctx, t.ID, c.Confirm)
	if errors.Is(err, archive.ErrNotDeletable) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(s.out)
		enc.SetIndent("", "  ")
		return enc.Encode(cert)
	}
	fmt.Fprint(s.out, cert.Text("en"))
	return nil
}

type tenantUsageCmd struct {
	Month string `help:"Calendar month such as 2026-11 (UTC); empty: this one."`
	Count bool   `help:"Count first what is new; a running server does so every ten minutes."`
	listing
}

func (c *tenantUsageCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	if c.Count {
		if err := a.archive.CountUsage(ctx); err != nil {
			return err
		}
	}
	if c.Month == "" {
		c.Month = time.Now().UTC().Format("2006-01")
	}
	list, err := a.archive.AsOperator().Usage(ctx, c.Month)
	if err != nil {
		return err
	}
	var rows [][]any
	for i := range list {
		u := &list[i]
		rows = append(rows, []any{u.Month, u.Tenant.Slug, u.Tenant.Name, u.Tenant.State, u.Reseller, u.Mailboxes, u.Shared, u.Messages, u.Bytes, u.StoredBytes})
	}
	return c.print(s, []string{"month", "slug", "name", "state", "reseller", "mailboxes", "shared", "messages", "bytes", "stored bytes"}, rows)
}
