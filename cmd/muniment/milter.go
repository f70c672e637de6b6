package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/config"
	"github.com/muniment/muniment/internal/ingest/milter"
	"github.com/muniment/muniment/internal/spool"
)

// milterSource is the name of the source of what comes through the mail filter.
const milterSource = "Milter"

// openMilter opens the mail filter of the settings.
func (s *server) openMilter(ctx context.Context, dir *spool.Dir) (string, error) {
	a, c := s.app, s.app.config.Milter
	tenant, err := a.archive.TenantBySlug(ctx, c.Tenant)
	if errors.Is(err, catalog.ErrNotFound) {
		return "", usage(fmt.Errorf("milter.tenant: there is no tenant %q; muniment tenant list shows all", c.Tenant))
	}
	if err != nil {
		return "", err
	}
	source, err := a.archive.MilterSource(ctx, tenant.ID, milterSource, "")
	if err != nil {
		return "", err
	}
	networks, err := config.Networks(c.Networks)
	if err != nil {
		return "", err
	}
	m, err := milter.New(milter.Config{Archive: a.archive, Spool: dir, Log: a.log, Source: source, Networks: networks, OnTrouble: milter.OnTrouble(c.OnTrouble)})
	if err != nil {
		return "", err
	}
	ln, err := milter.Listen(c.Listen)
	if err != nil {
		return "", usage(fmt.Errorf("milter.listen: %w", err))
	}
	s.mail = append(s.mail, mailDoor{m, ln})
	return ln.Addr().String(), nil
}
