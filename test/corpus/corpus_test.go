// Package corpus imports the whole test corpus into whole archives and compares
// every byte with what comes back.
package corpus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/corpustest"
	"github.com/muniment/muniment/internal/ingest/importer"
	"github.com/muniment/muniment/internal/pgtest"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// bulkMessages is the number of files in the corpus's bulk folder.
const bulkMessages = 23443

// slowest is the time no message may take from offer to acknowledgement.
const slowest = 5 * time.Second

func TestBulkComesBackOnSQLite(t *testing.T)     { bulk(t, archivetest.Options{}) }
func TestBulkComesBackOnPostgreSQL(t *testing.T) { bulk(t, archivetest.Options{DSN: pgtest.DSN(t)}) }

// bulk imports everything twice; the second time nothing may be stored.
func bulk(t *testing.T, o archivetest.Options) {
	t.Parallel()
	dir := filepath.Join(corpustest.Dir(t), "bulk")
	e := archivetest.New(t, o)
	tenant, source := importInto(t, e, "bulk")
	r := imported(t, e, source, dir)
	if r.Stored != bulkMessages || !r.Complete() {
		t.Fatalf("first import: %d stored, %d failed, want %d stored", r.Stored, r.Failed, bulkMessages)
	}
	r = imported(t, e, source, dir)
	if r.Stored != 0 || r.Duplicate != bulkMessages || !r.Complete() {
		t.Fatalf("second import: %d stored, %d known, want 0 and %d", r.Stored, r.Duplicate, bulkMessages)
	}
	want := sums(t, dir)
	got := readAll(t, e, tenant.ID)
	if len(got) != bulkMessages {
		t.Errorf("%d messages in the archive, want %d", len(got), bulkMessages)
	}
	for sum, path := range want {
		if !got[sum] {
			t.Errorf("%s did not come back", path)
		}
	}
	clean(t, e)
}

// Every file of the cases is kept as it is, or taken apart as an mbox, whose
// messages then stand in the file one after the other.
func TestCasesComeBack(t *testing.T) {
	dir := filepath.Join(corpustest.Dir(t), "cases")
	e := archivetest.New(t, archivetest.Options{})
	tenant, source := importInto(t, e, "cases")
	watch := &stopwatch{Ingester: e}
	for _, sub := range []string{"torture", "dsn", "journal", "mbox-pipermail"} {
		r := importedBy(t, watch, e, source, filepath.Join(dir, sub))
		if !r.Complete() || r.Stored == 0 {
			t.Errorf("%s: %d stored, %d failed: %v", sub, r.Stored, r.Failed, r.Problems)
		}
		t.Logf("%s: %d stored, %d known, %d skipped", sub, r.Stored, r.Duplicate, r.Skipped)
	}
	got := readAll(t, e, tenant.ID)
	for sum := range watch.offered {
		if !got[sum] {
			t.Errorf("a message offered with SHA-256 %x did not come back", sum)
		}
	}
	for _, sub := range []string{"torture", "dsn", "journal"} {
		for sum, path := range sums(t, filepath.Join(dir, sub)) {
			if filepath.Ext(path) == ".eml" && !got[sum] {
				t.Errorf("%s did not come back", path)
			}
		}
	}
	if watch.longest > slowest {
		t.Errorf("a message took %v, at most %v is allowed", watch.longest, slowest)
	}
	clean(t, e)
}

// importInto makes a tenant with a source for imports.
func importInto(t *testing.T, e *archivetest.Env, slug string) (*catalog.Tenant, *catalog.Source) {
	t.Helper()
	tenant, _ := e.Tenant(t, slug)
	source, err := e.ImportSource(t.Context(), tenant.ID, "Import", "")
	if err != nil {
		t.Fatal(err)
	}
	return tenant, source
}

// stopwatch measures the longest offer and remembers what was offered.
type stopwatch struct {
	importer.Ingester
	mu      sync.Mutex
	longest time.Duration
	offered map[[32]byte]bool
}

func (s *stopwatch) Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(sub.Raw, 0, sub.Raw.Size())); err != nil {
		return archive.Receipt{}, err
	}
	start := time.Now()
	r, err := s.Ingester.Ingest(ctx, sub)
	took := time.Since(start)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.offered == nil {
		s.offered = map[[32]byte]bool{}
	}
	s.offered[[32]byte(h.Sum(nil))] = true
	s.longest = max(s.longest, took)
	return r, err
}

func imported(t *testing.T, e *archivetest.Env, source *catalog.Source, path string) *importer.Report {
	t.Helper()
	return importedBy(t, e, e, source, path)
}

func importedBy(t *testing.T, by importer.Ingester, e *archivetest.Env, source *catalog.Source, path string) *importer.Report {
	t.Helper()
	dir, err := spool.Open(filepath.Join(e.Dir, "import"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := importer.Run(t.Context(), importer.Config{
		Archive: by, Spool: dir, Tenant: source.Tenant, Source: source.ID, Paths: []string{path}, Workers: 64})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sums returns the SHA-256 of every file below dir.
func sums(t *testing.T, dir string) map[[32]byte]string {
	t.Helper()
	out := map[[32]byte]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil {
			out[sha256.Sum256(b)] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// readAll reads every message the catalog knows from the vault and returns the
// SHA-256 of what was read, computed here.
func readAll(t *testing.T, e *archivetest.Env, tenant uid.ID) map[[32]byte]bool {
	t.Helper()
	rows := make(chan *catalog.Message)
	out := map[[32]byte]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for row := range rows {
				sum, err := read(t.Context(), e.Vault, row)
				if err != nil {
					t.Errorf("message %s: %v", row.AOID, err)
				}
				mu.Lock()
				out[sum] = true
				mu.Unlock()
			}
		})
	}
	err := e.Catalog.WalkMessages(t.Context(), tenant, func(m *catalog.Message, err error) error {
		if err == nil {
			rows <- m
		}
		return err
	})
	close(rows)
	wg.Wait()
	if err != nil {
		t.Error(err)
	}
	return out
}

func read(ctx context.Context, v *vault.Vault, row *catalog.Message) (sum [32]byte, err error) {
	c, err := v.Open(ctx, row.Tenant, vault.Ref{Segment: row.Segment, Frame: row.Frame}, vault.Want{})
	if err != nil {
		return sum, err
	}
	defer c.Close()
	h := sha256.New()
	if _, err := io.Copy(h, c); err != nil {
		return sum, err
	}
	return [32]byte(h.Sum(nil)), nil
}

// clean requires that fsck finds nothing and the index knows everything.
func clean(t *testing.T, e *archivetest.Env) {
	t.Helper()
	tenants, err := e.Tenants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range tenants {
		if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
			t.Fatal(err)
		}
	}
	r, err := e.Fsck(t.Context(), archive.FsckOptions{Report: func(f archive.Finding) { t.Errorf("fsck: %+v", f) }})
	if err != nil || r.Damage+r.Leftovers > 0 {
		t.Errorf("fsck: %+v, %v", r, err)
	}
}

// The journal reports of the corpus come in where reports are believed: each is
// unwrapped, and it comes back whole.
func TestJournalReportsComeBack(t *testing.T) {
	dir := filepath.Join(corpustest.Dir(t), "cases", "journal")
	e := archivetest.New(t, archivetest.Options{})
	_, source := e.Tenant(t, "journal")
	reports := 0
	for _, path := range sums(t, dir) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := e.Ingest(t.Context(), archive.Submission{Tenant: source.Tenant, Source: source.ID, Raw: bytes.NewReader(raw)})
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		captures, err := e.Catalog.Captures(t.Context(), source.Tenant, r.AOID)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range captures {
			if c.Journal == nil || c.Journal.Problem != "" {
				continue
			}
			reports++
			if c.Journal.SHA256 != fmt.Sprintf("%x", sha256.Sum256(raw)) || len(c.Journal.Recipients) == 0 || !bytes.Contains(raw, rest(t, e, source.Tenant, r.AOID)) {
				t.Errorf("%s: %+v", path, c.Journal)
			}
		}
	}
	if reports == 0 {
		t.Error("no report was unwrapped")
	}
	clean(t, e) // puts every report together again
}

// rest returns the bytes of an archived message.
func rest(t *testing.T, e *archivetest.Env, tenant, aoid uid.ID) []byte {
	t.Helper()
	row, err := e.Catalog.Message(t.Context(), tenant, aoid)
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Vault.Open(t.Context(), tenant, vault.Ref{Segment: row.Segment, Frame: row.Frame}, vault.Want{SHA256: row.SHA256, Size: row.Size})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
