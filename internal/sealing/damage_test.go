package sealing_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
)

func TestRebuildKeepsSeals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, archivetest.Options{})
	a, as := w.Tenant(t, "a")
	first := w.ingest(t, a, as, 0, 5)
	w.now(t)
	second := w.ingest(t, a, as, 10, 3)
	w.now(t)
	last := w.ingest(t, a, as, 20, 2)
	before, err := w.EvidenceRecord(t.Context(), a.ID, second[1])
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.Rebuild(t.Context(), nil)
	if err != nil || len(r.Damaged) > 0 {
		t.Fatal(err, r.Damaged)
	}
	after, err := w.EvidenceRecord(t.Context(), a.ID, second[1])
	if err != nil || !bytes.Equal(before, after) {
		t.Fatalf("the record is another after a rebuild: %v", err)
	}
	w.proves(t, a, first[4], mail(4))
	w.sound(t)
	if r := w.now(t); r.Batches != 1 || r.Objects != 2 {
		t.Fatalf("after a rebuild: %+v", r)
	}
	w.proves(t, a, last[1], mail(21))
	w.sound(t)
}

// TestFlippedBytes changes every object that proves something, and has fsck name it.
func TestFlippedBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, archivetest.Options{})
	a, as := w.Tenant(t, "a")
	w.ingest(t, a, as, 0, 3)
	w.now(t)
	n := 0
	err := filepath.WalkDir(filepath.Join(w.Dir, "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".batch", ".stamp", ".tree"}, filepath.Ext(path)) {
			return err
		}
		n++
		good, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for at := 0; at < len(good); at += max(1, len(good)/40) {
			bad := bytes.Clone(good)
			bad[at] ^= 4
			overwrite(t, path, bad)
			named := false
			_, err := w.Fsck(t.Context(), archive.FsckOptions{Report: func(f archive.Finding) {
				named = named || f.Severity == archive.Damage && strings.HasSuffix(path, f.Object)
			}})
			if err != nil {
				return err
			}
			if !named {
				t.Errorf("%s: the change of byte %d is not found", path, at)
			}
		}
		overwrite(t, path, good)
		return nil
	})
	if err != nil || n != 3 {
		t.Fatalf("%d objects, %v", n, err)
	}
	w.sound(t)
}

func overwrite(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
