package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/blob/file"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

// Mail comes in and segments are merged while fsck runs, again and again: it finds
// nothing, for nothing is wrong.
func TestFsckAmongWriters(t *testing.T) {
	onBoth(t, func(t *testing.T, e *archivetest.Env) {
		tenant, source := e.Tenant(t, "acme")
		var done atomic.Bool
		var writers, others sync.WaitGroup
		for w := range 3 {
			writers.Go(func() {
				for i := range 30 {
					raw := withAttachment(fmt.Sprintf("Vorgang %d", w*1000+i))
					for range 1 + i%2 {
						if _, err := e.Ingest(t.Context(), archive.Submission{Tenant: tenant.ID, Source: source.ID, Raw: bytes.NewReader(raw)}); err != nil {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		others.Go(func() {
			for !done.Load() {
				if _, err := e.Compact(t.Context(), tenant.ID, true); err != nil {
					t.Error(err)
					return
				}
			}
		})
		runs := 0
		others.Go(func() {
			for !done.Load() {
				if _, err := e.Fsck(t.Context(), archive.FsckOptions{Report: func(f archive.Finding) { t.Errorf("fsck finds %+v", f) }}); err != nil {
					t.Error(err)
					return
				}
				runs++
			}
		})
		writers.Wait()
		done.Store(true)
		others.Wait()
		if runs == 0 {
			t.Error("fsck never ran among the writers")
		}
	})
}

// What somebody deletes from the catalog behind our back is found, and rebuild
// brings it back.
func TestDeletedRowsAreFound(t *testing.T) {
	t.Parallel()
	dir, originals := filled(t)
	path := filepath.Join(dir, "catalog.db")
	healthy, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ statement, named string }{
		{"DELETE FROM capture", "capture"},
		{"DELETE FROM capture WHERE rowid = (SELECT max(rowid) FROM capture)", "capture"},
		{"DELETE FROM source WHERE kind = 'journal'", "source"},
		{"DELETE FROM source", "source"},
		{"DELETE FROM account", "account"},
		{"DELETE FROM account WHERE outcome = 'stored'", "account"},
		{"DELETE FROM account WHERE outcome = 'duplicate'", "account"},
		{"DELETE FROM message", "message"},
		{"DELETE FROM part", "parts is missing"},
		{"DELETE FROM segment", "segment"},
	} {
		if err := os.WriteFile(path, healthy, 0o600); err != nil {
			t.Fatal(err)
		}
		db := openSQL(t, path)
		res, err := db.Exec(c.statement)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			t.Fatalf("%s: nothing was there to delete", c.statement)
		}
		db.Close()
		func() {
			e := archivetest.New(t, archivetest.Options{Dir: dir})
			defer e.Close()
			t.Log(c.statement)
			findings(t, e, []string{c.named})
			r, err := e.Rebuild(t.Context(), nil)
			if err != nil || r.Messages != len(originals) || len(r.Damaged) > 0 {
				t.Errorf("%s: rebuilt %+v, %v", c.statement, r, err)
			}
			for _, f := range check(t, e, false) {
				// Settings of sources that are gone and the index, which follows.
				if f.Severity == archive.Damage && !strings.HasPrefix(f.Object, "source_") {
					t.Errorf("%s: after rebuild: %+v", c.statement, f)
				}
			}
		}()
	}
}

func removeCatalog(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"catalog.db", "catalog.db-wal", "catalog.db-shm"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// The catalog is gone and somebody has made a tenant of the same name: fsck says
// so, and rebuild brings back the old one beside it, with its journal address.
func TestLostCatalog(t *testing.T) {
	t.Parallel()
	dir, originals := filled(t)
	e := archivetest.New(t, archivetest.Options{Dir: dir})
	if err := e.CheckFounded(t.Context()); err != nil {
		t.Errorf("a sound archive: %v", err)
	}
	old, err := e.TenantBySlug(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	before, err := e.Sources(t.Context(), old.ID)
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	removeCatalog(t, dir)
	e = archivetest.New(t, archivetest.Options{Dir: dir})
	findings(t, e, []string{"muniment rebuild"})
	if err := e.CheckFounded(t.Context()); !errors.Is(err, archive.ErrCatalogLost) || !strings.Contains(err.Error(), "muniment rebuild") {
		t.Errorf("an empty catalog: %v", err)
	}
	e.Tenant(t, "acme")
	findings(t, e, []string{old.ID.String()})
	r, err := e.Rebuild(t.Context(), nil)
	if err != nil || r.Messages != len(originals) || len(r.Damaged) > 0 {
		t.Fatalf("rebuilt %+v, %v", r, err)
	}
	remarks := strings.Join(r.Remarks, "\n")
	for _, w := range []string{"acme-2", "users", "event log", `mailbox "Postfach"`} {
		if !strings.Contains(remarks, w) {
			t.Errorf("the remarks do not name %s:\n%s", w, remarks)
		}
	}
	restored, err := e.TenantBySlug(t.Context(), "acme-2")
	if err != nil || restored.ID != old.ID {
		t.Fatalf("restored %+v, %v", restored, err)
	}
	for _, s := range before {
		if s.Kind != archive.KindJournal {
			continue
		}
		got, err := e.JournalSource(t.Context(), s.JournalAddress)
		if err != nil || got.ID != s.ID || got.Name != s.Name {
			t.Errorf("journal address %s: %+v, %v", s.JournalAddress, got, err)
		}
	}
	for _, f := range check(t, e, true) {
		if f.Severity == archive.Damage {
			t.Errorf("after rebuild: %+v", f)
		}
	}
	removeCatalog(t, dir) // under a running archive, whose file it stays
}

// An address that a rebuild may have lost is put off; others are unknown.
func TestLostJournalAddress(t *testing.T) {
	onBoth(t, func(t *testing.T, e *archivetest.Env) {
		tenant, source := e.Tenant(t, "acme")
		const like = "j-abcdefghijklmnop2345@journal.invalid"
		if _, err := e.JournalSource(t.Context(), like); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("nothing lost: %v", err)
		}
		id := uid.New(tenant.CreatedAt)
		err := e.Catalog.CreateSource(t.Context(), &catalog.Source{ID: id, Tenant: tenant.ID, Kind: archive.KindJournal, Name: "restored", Disabled: true, CreatedAt: tenant.CreatedAt})
		if err != nil {
			t.Fatal(err)
		}
		for address, want := range map[string]error{
			like:                     archive.ErrAddressLost,
			strings.ToUpper(like):    archive.ErrAddressLost,
			"j-x@journal.invalid":    catalog.ErrNotFound,
			"anna@journal.invalid":   catalog.ErrNotFound,
			like[:22] + "@other.org": catalog.ErrNotFound,
		} {
			if _, err := e.JournalSource(t.Context(), address); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", address, err, want)
			}
		}
		if s, err := e.JournalSource(t.Context(), source.JournalAddress); err != nil || s.ID != source.ID {
			t.Errorf("the address that is known: %+v, %v", s, err)
		}
	})
}

// unreadableStore cannot read some objects.
type unreadableStore struct {
	blob.Store
	suffix atomic.Value // string
}

func (s *unreadableStore) Open(ctx context.Context, key string) (blob.Object, error) {
	if strings.HasSuffix(key, s.suffix.Load().(string)) {
		return nil, fmt.Errorf("open %s: %w", key, os.ErrPermission)
	}
	return s.Store.Open(ctx, key)
}

// A file that cannot be read is a finding, and the check goes on.
func TestUnreadableSegment(t *testing.T) {
	t.Parallel()
	dir, _ := filled(t)
	files, err := file.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	store := &unreadableStore{Store: files}
	store.suffix.Store("\x00")
	e := archivetest.New(t, archivetest.Options{Dir: dir, Blobs: store})
	tenant, err := e.TenantBySlug(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	segments, err := e.Vault.ListSegments(t.Context(), tenant.ID)
	if err != nil || len(segments) < 2 {
		t.Fatalf("%d segments, %v", len(segments), err)
	}
	for _, suffix := range []string{".seg", ".key"} {
		store.suffix.Store(segments[0].ID.String() + suffix)
		r, err := e.Fsck(t.Context(), archive.FsckOptions{})
		if err != nil || r.Damage == 0 || r.Segments != int64(len(segments)) {
			t.Errorf("%s: %+v, %v", suffix, r, err)
		}
		findings(t, e, []string{segments[0].ID.String()})
	}
}

// A damaged page of the database is a finding as well.
func TestDamagedPages(t *testing.T) {
	t.Parallel()
	dir, _ := filled(t)
	path := filepath.Join(dir, "catalog.db")
	healthy, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"message", "capture", "part", "segment", "event", "account", "source"} {
		var page, size int64
		db := openSQL(t, path)
		if err := db.QueryRow("SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_master WHERE name = ?", table).Scan(&page, &size); err != nil {
			t.Fatal(err)
		}
		db.Close()
		broken := bytes.Clone(healthy)
		copy(broken[(page-1)*size:], bytes.Repeat([]byte{0xff}, 64))
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		func() {
			e := archivetest.New(t, archivetest.Options{Dir: dir})
			defer e.Close()
			r, err := e.Fsck(t.Context(), archive.FsckOptions{})
			if err != nil || r.Damage == 0 || r.Damage > 100 {
				t.Errorf("%s: %+v, %v", table, r, err)
			}
		}()
		if err := os.WriteFile(path, healthy, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A damaged index is found, searching says so, and repair makes it anew.
func TestDamagedIndex(t *testing.T) {
	t.Parallel()
	dir, _ := filled(t)
	shards, err := filepath.Glob(filepath.Join(dir, "index", "*", "*.db"))
	if err != nil || len(shards) == 0 {
		t.Fatalf("%v, %v", shards, err)
	}
	b, err := os.ReadFile(shards[0])
	if err != nil {
		t.Fatal(err)
	}
	for at := 4096; at < len(b); at += 4096 {
		copy(b[at:], make([]byte, 200))
	}
	if err := os.WriteFile(shards[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	var log lockedBuffer
	e := archivetest.New(t, archivetest.Options{Dir: dir, Log: &log})
	tenant, err := e.TenantBySlug(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	h := e.As(access.Actor{Tenant: tenant.ID, Role: access.RoleUser, Addresses: []string{"bernd@example.com"}})
	if _, err := h.Search(t.Context(), archive.SearchRequest{Query: "Vorgang", Limit: 10}); !errors.Is(err, index.ErrDamaged) {
		t.Errorf("search says %v", err)
	}
	if !strings.Contains(log.String(), "muniment reindex") {
		t.Errorf("the log does not tell of the damage: %s", log.String())
	}
	for _, repair := range []bool{false, true} {
		found := check(t, e, repair)
		if len(found) != 1 || found[0].Severity != archive.Leftover || found[0].Object != "search index" || found[0].Repaired != repair {
			t.Errorf("repair %v: %+v", repair, found)
		}
	}
	if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
		t.Fatal(err)
	}
	if hits := find(t, h, "Vorgang"); len(hits) != 3 {
		t.Errorf("%d hits after the repair", len(hits))
	}
	findings(t, e, nil)
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
