// Package archivetest builds whole archives for tests: the real vault, catalog
// and index in a temporary directory, on SQLite or PostgreSQL.
package archivetest

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/blob/file"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/index/fts"
	"github.com/muniment/muniment/internal/password"
	"github.com/muniment/muniment/internal/vault"
)

// Options choose what New builds. The zero value is an archive on SQLite in a
// new directory.
type Options struct {
	DSN   string     // of the catalog; empty: SQLite
	Dir   string     // empty: a new one
	Blobs blob.Store // nil: files in Dir
	Log   io.Writer  // nil: discard
	Now   func() time.Time
	// Catalogue of algorithms; nil: the shipped one.
	Catalogue *algo.Catalogue
	// Directories asks user repositories; nil: nobody does.
	Directories archive.Directories
	// LookupTXT asks the DNS; nil: it knows nothing.
	LookupTXT func(ctx context.Context, name string) ([]string, error)
	// WebhookNetworks may be told of events although they are private.
	WebhookNetworks []netip.Prefix
	// Index, if set, comes between the archive and its index.
	Index func(index.Index) index.Index
}

// Env is an open archive with what it stands on.
type Env struct {
	*archive.Archive
	Catalog *catalog.Catalog
	Vault   *vault.Vault
	// Hasher hashes passwords at little cost, and counts them.
	Hasher *password.Hasher
	Dir    string
	DSN    string
	index  *fts.Index
}

// New opens an archive that is closed when the test ends.
func New(t testing.TB, o Options) *Env {
	t.Helper()
	e := &Env{Dir: o.Dir, DSN: o.DSN, Hasher: password.NewCheapHasher(8)}
	if e.Dir == "" {
		e.Dir = t.TempDir()
	}
	if e.DSN == "" {
		e.DSN = "sqlite:" + filepath.Join(e.Dir, "catalog.db")
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	keyFile := filepath.Join(e.Dir, "instance.key")
	keys, err := vault.LoadKeyring(keyFile)
	if err != nil {
		keys, err = vault.CreateKeyring(keyFile)
	}
	must(err)
	if o.Blobs == nil {
		o.Blobs, err = file.Open(filepath.Join(e.Dir, "blobs"))
		must(err)
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	log := slog.New(slog.NewTextHandler(o.Log, nil))
	e.Catalog, err = catalog.Open(t.Context(), e.DSN, catalog.Options{Log: log})
	must(err)
	e.Vault, err = vault.Open(vault.Config{Blobs: o.Blobs, Keys: keys, Parts: archive.Parts{Catalog: e.Catalog}, Spool: filepath.Join(e.Dir, "spool")})
	must(err)
	e.index, err = fts.Open(filepath.Join(e.Dir, "index"))
	must(err)
	var idx index.Index = e.index
	if o.Index != nil {
		idx = o.Index(idx)
	}
	if o.LookupTXT == nil { // tests ask no servers of others
		o.LookupTXT = func(_ context.Context, name string) ([]string, error) {
			return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
		}
	}
	e.Archive, err = archive.New(archive.Config{Catalog: e.Catalog, Vault: e.Vault, Index: idx, Log: log, Spool: filepath.Join(e.Dir, "spool"), Now: o.Now, Catalogue: o.Catalogue, Directories: o.Directories, WebhookNetworks: o.WebhookNetworks, LookupTXT: o.LookupTXT,
		Hasher: e.Hasher})
	must(err)
	t.Cleanup(e.Close)
	return e
}

// Close closes the archive early; it may be called more than once.
func (e *Env) Close() {
	if e.Archive == nil {
		return
	}
	e.Archive.Close()
	e.index.Close()
	e.Catalog.Close()
	e.Archive = nil
}

// Tenant makes a tenant with a journal source.
func (e *Env) Tenant(t testing.TB, slug string) (*catalog.Tenant, *catalog.Source) {
	t.Helper()
	tenant, err := e.CreateTenant(t.Context(), archive.NewTenant{Slug: slug})
	if err != nil {
		t.Fatal(err)
	}
	source, err := e.CreateJournal(t.Context(), tenant.ID, "Journal", "")
	if err != nil {
		t.Fatal(err)
	}
	return tenant, source
}

// Password is the password of every user User makes.
const Password = "correct horse battery"

// User makes a user of the tenant and returns how it acts.
func (e *Env) User(t testing.TB, tenant *catalog.Tenant, login string, role access.Role, addresses ...string) access.Actor {
	t.Helper()
	u, err := e.CreateUser(t.Context(), archive.NewUser{Tenant: tenant.ID, Login: login, Role: role, Password: Password, Addresses: addresses, Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	return access.Actor{Tenant: tenant.ID, User: u.ID, Role: role, Addresses: u.Addresses}
}
