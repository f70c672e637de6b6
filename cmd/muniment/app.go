package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/blob/file"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/config"
	"github.com/muniment/muniment/internal/directory/connect"
	"github.com/muniment/muniment/internal/index/fts"
	"github.com/muniment/muniment/internal/password"
	"github.com/muniment/muniment/internal/vault"
)

// app is an open archive with all it stands on.
type app struct {
	config  config.Config
	log     *slog.Logger
	archive *archive.Archive
	catalog *catalog.Catalog
	closers []func() error // in the order of opening
}

// open opens the archive of the settings.
func (g *Globals) open(ctx context.Context, s *streams, how sharing) (*app, error) {
	c, err := g.load()
	if err != nil {
		return nil, err
	}
	return openApp(ctx, c, newLogger(c, s), how)
}

func newLogger(c config.Config, s *streams) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(s.err, o))
	}
	return slog.New(slog.NewTextHandler(s.err, o))
}

func openApp(ctx context.Context, c config.Config, log *slog.Logger, how sharing) (*app, error) {
	boundMemory()
	a := &app{config: c, log: log}
	if err := a.open(ctx, how); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

func (a *app) open(ctx context.Context, how sharing) error {
	c := a.config
	if err := a.lock(how); err != nil {
		return err
	}
	keys, err := a.keyring()
	if err != nil {
		return err
	}
	blobs, err := file.Open(filepath.Join(c.Data, blobDir))
	if err != nil {
		return err
	}
	if a.catalog, err = catalog.Open(ctx, c.CatalogDSN(), catalog.Options{Log: a.log}); err != nil {
		return err
	}
	a.closers = append(a.closers, a.catalog.Close)
	spool := filepath.Join(c.Data, spoolDir)
	reading := filepath.Join(spool, "read")
	if err := os.MkdirAll(reading, 0o700); err != nil {
		return err
	}
	v, err := vault.Open(vault.Config{Blobs: blobs, Keys: keys, Parts: archive.Parts{Catalog: a.catalog}, Spool: filepath.Join(spool, "vault")})
	if err != nil {
		return err
	}
	idx, err := fts.Open(filepath.Join(c.Data, indexDir))
	if err != nil {
		return err
	}
	a.closers = append(a.closers, idx.Close)
	policy, err := password.NewPolicy(password.PolicyConfig{Breached: c.Passwords.BreachedFile})
	if err != nil {
		return err
	}
	hooked, err := config.Networks(c.Webhook.Networks)
	if err != nil {
		return usage(fmt.Errorf("webhook.networks: %w", err))
	}
	a.archive, err = archive.New(archive.Config{WebhookNetworks: hooked, LookupTXT: txtLookup(c.DNS.Server), Catalog: a.catalog, Vault: v, Index: idx, Log: a.log, Spool: reading, JournalDomain: c.SMTP.JournalDomain,
		Passwords: policy, DeleteAfter: c.Tenants.After(), URL: c.BaseURL(c.HTTP.Listen), Directories: connect.New(connect.Config{Public: !c.Fetch.PrivateNetworks}),
		Disk:   a.disk,
		LogIns: archive.LogInTimes{SessionIdle: c.Login.SessionIdle, SessionMax: c.Login.SessionMax, Welcome: c.Login.WelcomeLink, Reset: c.Login.ResetLink}})
	if err != nil {
		return err
	}
	a.closers = append(a.closers, func() error { a.archive.Close(); return nil })
	if how == founding {
		return a.archive.CheckFounded(ctx)
	}
	return nil
}

// close closes everything in reverse order.
func (a *app) close() {
	for i := len(a.closers) - 1; i >= 0; i-- {
		if err := a.closers[i](); err != nil {
			a.log.Error("closing", "error", err)
		}
	}
	a.closers = nil
}
