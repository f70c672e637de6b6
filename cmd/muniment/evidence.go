package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/uid"
)

type evidenceCmd struct {
	Record   evidenceRecordCmd   `cmd:"" help:"Write the evidence record (RFC 4998) of a message to standard output."`
	Metadata evidenceMetadataCmd `cmd:"" help:"Write the metadata that the evidence record of a message covers to standard output."`
	Bundle   evidenceBundleCmd   `cmd:"" help:"Write everything that proves a message to standard output, as a ZIP file with instructions."`
}

// evidenceOf names a message.
type evidenceOf struct {
	Tenant string `arg:"" help:"Short name of the tenant."`
	AOID   string `arg:"" name:"aoid" help:"Identifier of the message."`
}

// with opens the archive and finds the message.
func (e *evidenceOf) with(ctx context.Context, g *Globals, s *streams, do func(a *app, tenant, aoid uid.ID) error) error {
	aoid, err := uid.Parse(e.AOID)
	if err != nil {
		return usage(fmt.Errorf("%q is no identifier of a message", e.AOID))
	}
	a, err := g.open(ctx, s, shared)
	if err != nil {
		return err
	}
	defer a.close()
	t, err := a.tenant(ctx, e.Tenant)
	if err != nil {
		return err
	}
	err = do(a, t.ID, aoid)
	if errors.Is(err, archive.ErrNotSealed) {
		return fmt.Errorf("%w; muniment seal --now gets one", err)
	}
	return err
}

type evidenceRecordCmd struct{ evidenceOf }

func (c *evidenceRecordCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return c.with(ctx, g, s, func(a *app, tenant, aoid uid.ID) error {
		b, err := a.archive.EvidenceRecord(ctx, tenant, aoid)
		if err == nil {
			_, err = s.out.Write(b)
		}
		return err
	})
}

type evidenceMetadataCmd struct{ evidenceOf }

func (c *evidenceMetadataCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return c.with(ctx, g, s, func(a *app, tenant, aoid uid.ID) error {
		b, err := a.archive.Metadata(ctx, tenant, aoid)
		if err == nil {
			_, err = s.out.Write(b)
		}
		return err
	})
}

type evidenceBundleCmd struct{ evidenceOf }

func (c *evidenceBundleCmd) Run(ctx context.Context, g *Globals, s *streams) error {
	return c.with(ctx, g, s, func(a *app, tenant, aoid uid.ID) error {
		b, err := a.archive.Bundle(ctx, tenant, aoid)
		if err != nil {
			return err
		}
		return b.WriteZIP(ctx, s.out)
	})
}
