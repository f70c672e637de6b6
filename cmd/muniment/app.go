package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/blob/file"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/config"
	"github.com/muniment/muniment/internal/index/fts"
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

// access says how a command shares the data directory with other processes.
type sharing int

const (
	shared    sharing = syscall.LOCK_SH // serve, import, reading commands: together
	exclusive sharing = syscall.LOCK_EX // rebuild, repairs: alone
)

// Directories and files of the data directory; docs/format.md describes them.
const (
	lockFile = "lock"
	blobDir  = "blobs"
	indexDir = "index"
	spoolDir = "spool"
	demoFile = "demo.json"
)

// open opens the archive of the settings. A new data directory is made with a
// new instance key; a directory that holds anything else is refused.
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

func openApp(ctx context.Context, c config.Config, log *slog.Logger, how sharing) (a *app, err error) {
	boundMemory()
	a = &app{config: c, log: log}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if err := a.lock(how); err != nil {
		return nil, err
	}
	keys, err := a.keyring()
	if err != nil {
		return nil, err
	}
	blobs, err := file.Open(filepath.Join(c.Data, blobDir))
	if err != nil {
		return nil, err
	}
	if a.catalog, err = catalog.Open(ctx, c.CatalogDSN(), catalog.Options{Log: log}); err != nil {
		return nil, err
	}
	a.closers = append(a.closers, a.catalog.Close)
	spool := filepath.Join(c.Data, spoolDir)
	reading := filepath.Join(spool, "read")
	if err := os.MkdirAll(reading, 0o700); err != nil {
		return nil, err
	}
	v, err := vault.Open(vault.Config{Blobs: blobs, Keys: keys, Parts: archive.Parts{Catalog: a.catalog}, Spool: filepath.Join(spool, "vault")})
	if err != nil {
		return nil, err
	}
	idx, err := fts.Open(filepath.Join(c.Data, indexDir))
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, idx.Close)
	a.archive, err = archive.New(archive.Config{Catalog: a.catalog, Vault: v, Index: idx, Log: log, Spool: reading, JournalDomain: c.SMTP.JournalDomain})
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, func() error { a.archive.Close(); return nil })
	return a, nil
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

// lock makes the data directory if it is missing and locks it.
func (a *app) lock(how sharing) error {
	if err := os.MkdirAll(a.config.Data, 0o750); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(a.config.Data, lockFile), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), int(how)|syscall.LOCK_NB); err != nil {
		f.Close()
		return &exitCode{exitLocked, fmt.Errorf("another process works on %s; stop it first, or wait until it has ended", a.config.Data)}
	}
	a.closers = append(a.closers, f.Close)
	return nil
}

// keyring loads the instance key. It is made only where nothing has been stored
// yet: an archive whose key is missing must not get a new one.
func (a *app) keyring() (*vault.Keyring, error) {
	path := a.config.KeyPath()
	k, err := vault.LoadKeyring(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	entries, rerr := os.ReadDir(filepath.Join(a.config.Data, blobDir))
	if rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		return nil, rerr
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("instance key %s is missing, but %s holds an archive: put the key back from your copy", path, a.config.Data)
	}
	if k, err = vault.CreateKeyring(path); errors.Is(err, fs.ErrExist) {
		return vault.LoadKeyring(path) // another process was faster
	}
	if err == nil {
		a.log.Warn("made a new instance key; keep a copy elsewhere: without it the archive cannot be read", "file", path)
	}
	return k, err
}
