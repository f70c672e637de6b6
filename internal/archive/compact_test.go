package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/blob/file"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// tricklet is a closed archive in which every message came by itself.
type tricklet struct {
	dir       string
	tenant    *catalog.Tenant
	source    *catalog.Source
	originals map[uid.ID][]byte
}

func trickle(t *testing.T, n int) *tricklet {
	t.Helper()
	e := archivetest.New(t, archivetest.Options{})
	x := &tricklet{dir: e.Dir, originals: map[uid.ID][]byte{}}
	x.tenant, x.source = e.Tenant(t, "acme")
	for i := range n {
		raw := withAttachment(fmt.Sprintf("Vorgang %d", i))
		x.originals[ingest(t, e, x.source, raw).AOID] = raw
	}
	ingest(t, e, x.source, withAttachment("Vorgang 0"), func(s *archive.Submission) { s.EnvelopeTo = []string{"dora@example.com"} })
	if err := e.AwaitIndex(t.Context(), x.tenant.ID); err != nil {
		t.Fatal(err)
	}
	e.Close()
	return x
}

// same fails unless every message is what it was, and is found.
func (x *tricklet) same(t *testing.T, e *archivetest.Env) {
	t.Helper()
	h := e.As(access.Actor{Tenant: x.tenant.ID, Role: access.RoleUser, Addresses: []string{"bernd@example.com"}})
	for id, want := range x.originals {
		row, err := e.Catalog.Message(t.Context(), x.tenant.ID, id)
		if err != nil {
			t.Fatal(err)
		}
		c, err := e.Vault.Open(t.Context(), x.tenant.ID, vault.Ref{Segment: row.Segment, Frame: row.Frame}, vault.Want{SHA256: row.SHA256, Size: row.Size})
		if err != nil {
			t.Fatalf("message %s: %v", id, err)
		}
		got, err := io.ReadAll(c)
		if err = errors.Join(err, c.Close()); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("message %s differs: %v", id, err)
		}
	}
	if got := find(t, h, "Vorgang"); len(got) != len(x.originals) {
		t.Fatalf("%d messages are found, want %d", len(got), len(x.originals))
	}
}

// copyTree copies a data directory as a crash would leave it.
func copyTree(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// watched opens the archive with blobs of whose file system calls before is told.
func (x *tricklet) watched(t *testing.T, dir string, before func(op, path string) error) *archivetest.Env {
	t.Helper()
	blobs, err := file.Open(filepath.Join(dir, "blobs"), file.WithFS(file.Faulty(file.OS(), before)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	return archivetest.New(t, archivetest.Options{Dir: dir, Blobs: blobs})
}

// changes tells whether a call changes what a crash would leave.
func changes(op string) bool {
	return op != "open" && op != "read" && op != "close" && op != "readdir"
}

// The process is killed before each of the file system calls of a compaction that change
// anything.
func TestKilledWhileCompacting(t *testing.T) {
	t.Parallel()
	x := trickle(t, 9)
	var images []string
	var calls []string
	var watch atomic.Bool
	e := x.watched(t, x.dir, func(op, path string) error {
		if watch.Load() && changes(op) {
			images = append(images, copyTree(t, x.dir))
			calls = append(calls, op+" "+filepath.Ext(path))
		}
		return nil
	})
	watch.Store(true)
	c, err := e.Compact(t.Context(), x.tenant.ID, false)
	watch.Store(false)
	if err != nil || c.Before != 10 || c.After != 1 || c.BytesAfter >= c.BytesBefore || len(c.Left) > 0 {
		t.Fatalf("compacted %+v, %v", c, err)
	}
	findings(t, e, nil)
	x.same(t, e)
	e.Close()
	unknown := 0
	for i, dir := range images {
		func() {
			e := archivetest.New(t, archivetest.Options{Dir: dir})
			defer e.Close()
			for _, f := range check(t, e, false) {
				if f.Severity == archive.Damage {
					t.Errorf("killed before %s: %+v", calls[i], f)
				}
			}
			x.same(t, e)
			for _, f := range check(t, e, true) {
				unknown++
				if f.Severity == archive.Damage || !f.Repaired {
					t.Errorf("killed before %s, repair: %+v", calls[i], f)
				}
			}
			if _, err := e.Compact(t.Context(), x.tenant.ID, true); err != nil {
				t.Errorf("killed before %s, then compacted: %v", calls[i], err)
			}
			findings(t, e, nil)
			x.same(t, e)
		}()
		if t.Failed() {
			return
		}
	}
	if len(images) < 20 || unknown < 10 {
		t.Errorf("%d images with %d findings: the test shows nothing", len(images), unknown)
	}
}

// Every fourth file system call of a compaction fails, alone; and each that
// changes anything with all such that follow.
func TestEveryCallOfCompactFails(t *testing.T) {
	t.Parallel()
	x := trickle(t, 8)
	for _, forever := range []bool{false, true} {
		step := int64(1)
		if !forever { // most of them open the old segments, one like the other
			step = 4
		}
		for n := int64(1); ; n += step {
			dir := copyTree(t, x.dir)
			var count atomic.Int64
			var armed atomic.Bool
			var failed atomic.Value
			e := x.watched(t, dir, func(op, path string) error {
				if !armed.Load() || !changes(op) && (forever || op != "open") {
					return nil
				}
				if i := count.Add(1); i == n || forever && i > n {
					failed.CompareAndSwap(nil, op+" "+filepath.Ext(path))
					return syscall.EIO
				}
				return nil
			})
			armed.Store(true)
			_, err := e.Compact(t.Context(), x.tenant.ID, false)
			armed.Store(false)
			name := fmt.Sprintf("call %d (%v) fails, all after it: %v", n, failed.Load(), forever)
			x.same(t, e)
			for _, f := range check(t, e, true) {
				if f.Severity == archive.Damage || !f.Repaired {
					t.Errorf("%s: repair: %+v", name, f)
				}
			}
			if _, err := e.Compact(t.Context(), x.tenant.ID, false); err != nil {
				t.Errorf("%s: once more: %v", name, err)
			}
			x.same(t, e)
			e.Close()
			if failed.Load() == nil {
				if err != nil || n < 20 {
					t.Errorf("%s: %v", name, err)
				}
				break
			}
			if t.Failed() {
				t.Fatal(name)
			}
		}
	}
}

// One damaged segment does not keep the others from being merged.
func TestCompactLeavesOutWhatIsDamaged(t *testing.T) {
	t.Parallel()
	x := trickle(t, 12)
	files, err := filepath.Glob(filepath.Join(x.dir, "blobs", "*", "*", "seg", "*", "*.seg"))
	if len(files) == 0 {
		files, err = filepath.Glob(filepath.Join(x.dir, "blobs", "*", "*", "seg", "*.seg"))
	}
	if err != nil || len(files) != 13 {
		t.Fatalf("segments: %v, %v", files, err)
	}
	for i, what := range []func(b []byte){
		func(b []byte) { b[70] ^= 1 },        // in a frame
		func(b []byte) { b[len(b)-60] ^= 1 }, // in the index
		func(b []byte) { b[3] ^= 1 },         // in the header
	} {
		name := files[2+3*i]
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		what(b)
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := map[string][]byte{}
	for i := range 3 {
		before[files[2+3*i]], _ = os.ReadFile(files[2+3*i])
	}
	e := archivetest.New(t, archivetest.Options{Dir: x.dir})
	if err := e.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	segments, err := e.Catalog.Segments(t.Context(), x.tenant.ID)
	if err != nil || len(segments) != 4 {
		t.Fatalf("%d segments are left, %v; want 3 and the new one", len(segments), err)
	}
	for name, want := range before {
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s has been touched: %v", name, err)
		}
	}
	intact := 0
	for id, want := range x.originals {
		h := e.As(access.Actor{Tenant: x.tenant.ID, Role: access.RoleUser, Addresses: []string{"anna@example.com"}})
		r, _, err := h.Raw(t.Context(), id)
		if err != nil {
			continue
		}
		if got, err := io.ReadAll(r); err == nil && bytes.Equal(got, want) {
			intact++
		}
		r.Close()
	}
	if intact != 9 {
		t.Errorf("%d messages are intact, want 9", intact)
	}
	c, err := e.Compact(t.Context(), x.tenant.ID, true)
	if err != nil || len(c.Left) != 3 {
		t.Errorf("forced: %+v, %v", c, err)
	}
}

// What the catalog has lost a row of may be the only copy: compaction keeps it.
func TestCompactKeepsWhatTheCatalogHasLost(t *testing.T) {
	t.Parallel()
	x := trickle(t, 9)
	db := openSQL(t, filepath.Join(x.dir, "catalog.db"))
	for _, q := range []string{
		`DELETE FROM capture WHERE aoid = (SELECT aoid FROM message WHERE seq = 3)`,
		`DELETE FROM message_address WHERE aoid = (SELECT aoid FROM message WHERE seq = 3)`,
		`DELETE FROM message WHERE seq = 3`,
		`UPDATE message SET segment = (SELECT segment FROM message WHERE seq = 6) WHERE seq = 5`,
	} {
		if _, err := db.Exec(q); err != nil && !strings.Contains(err.Error(), "no such table") {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	e := archivetest.New(t, archivetest.Options{Dir: x.dir})
	c, err := e.Compact(t.Context(), x.tenant.ID, true)
	if err != nil || len(c.Left) == 0 {
		t.Errorf("compacted %+v, %v", c, err)
	}
	if r, err := e.Rebuild(t.Context(), nil); err != nil || r.Messages != 9 || len(r.Damaged) > 0 {
		t.Errorf("rebuilt %+v, %v", r, err)
	}
	if err := e.Reindex(t.Context(), x.tenant.ID); err != nil {
		t.Fatal(err)
	}
	if err := e.AwaitIndex(t.Context(), x.tenant.ID); err != nil {
		t.Fatal(err)
	}
	x.same(t, e)
}
