package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/muniment/muniment/internal/vault"
)

// sharing says how a command shares the data directory with other processes,
// and whether it may start a new archive.
type sharing int

const (
	shared    sharing = syscall.LOCK_SH // import, reading commands: together
	exclusive sharing = syscall.LOCK_EX // rebuild, repairs: alone
	founding  sharing = 1 << 16         // together, in a new archive if there is none
)

// Directories and files of the data directory; docs/format.md describes them.
const (
	lockFile    = "lock"
	blobDir     = "blobs"
	indexDir    = "index"
	spoolDir    = "spool"
	uploadDir   = "uploads"
	demoFile    = "demo.json"
	catalogFile = "catalog.db"
)

// lock locks the data directory. Only a founding command makes a new one.
func (a *app) lock(how sharing) error {
	dir := a.config.Data
	if how == founding {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return fmt.Errorf("data directory: %w", err)
		}
	}
	if err := a.inspect(how); err != nil {
		return &exitCode{exitUsage, err}
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if how == founding {
		how = shared
	}
	if err := syscall.Flock(int(f.Fd()), int(how)|syscall.LOCK_NB); err != nil {
		f.Close()
		return &exitCode{exitLocked, fmt.Errorf("another process works on %s; stop it first, or wait until it has ended", dir)}
	}
	a.closers = append(a.closers, f.Close)
	return nil
}

// inspect refuses a directory without an archive, unless the command may start
// one and the directory holds nothing else.
func (a *app) inspect(how sharing) error {
	dir := a.config.Data
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("data directory: %w", err)
	}
	var others []string
	for _, e := range entries {
		switch path := filepath.Join(dir, e.Name()); {
		case e.Name() == blobDir || e.Name() == catalogFile:
			return nil
		case !slices.Contains([]string{lockFile, indexDir, spoolDir, uploadDir, demoFile}, e.Name()) && path != a.config.KeyPath():
			others = append(others, e.Name())
		}
	}
	if how != founding {
		return fmt.Errorf("there is no archive in %s; muniment tenant create or muniment serve starts one", dir)
	}
	if len(others) > 0 {
		return fmt.Errorf("%s holds no archive but other files (%s); choose an empty directory", dir, strings.Join(others[:min(len(others), 3)], ", "))
	}
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
