package importer

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/corpustest"
)

// filesIn returns the files of a directory, with their paths in it.
func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, p)
		}
		return err
	})
	if err != nil || len(names) == 0 {
		t.Fatalf("%d files in %s, %v", len(names), dir, err)
	}
	return names
}

// Whatever the files are: each ends in an account, what was made of them is a
// message that can be read, and a second import stores nothing.
func TestCorpusOfFormats(t *testing.T) {
	t.Parallel()
	cases := filepath.Join(corpustest.Dir(t), "cases")
	for _, name := range []string{"outlook-msg", "tnef", "mbox-pipermail", "pst"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(cases, name)
			f := newFakeArchive()
			cfg := config(t, f, dir)
			rep, err := Run(context.Background(), cfg)
			if err != nil || !rep.Finished {
				t.Fatal(err)
			}
			accounted := map[string]bool{}
			for _, s := range f.subs {
				file, _, _ := strings.Cut(s.Origin, "#")
				accounted[file] = true
			}
			for _, p := range rep.Problems {
				file, _, _ := strings.Cut(p.Origin, "#")
				accounted[file] = true
				t.Logf("not stored: %s: %s: %s (failed: %v)", p.Origin, p.Reason, p.Detail, p.Failed)
			}
			for _, n := range rep.Notices {
				t.Logf("note: %s: %s", n.Origin, n.Text)
			}
			for _, n := range filesIn(t, dir) {
				if !accounted[n] {
					t.Errorf("%s is in no account", n)
				}
			}
			for _, s := range f.subs {
				if !slices.Contains(s.Tags, TagConverted) {
					continue
				}
				if _, err := netmail.ReadMessage(strings.NewReader(f.got()[s.Origin])); err != nil {
					t.Errorf("%s: %v", s.Origin, err)
				}
			}
			t.Log(rep.Summary())
			again, err := Run(context.Background(), cfg)
			if err != nil || again.Stored != 0 || again.Duplicate != rep.Offered() || again.Failed != rep.Failed {
				t.Errorf("second import: %v, %v", again.Summary(), err)
			}
		})
	}
}

// packTree writes a directory into a ZIP and a compressed tar file.
func packTree(t *testing.T, dir string, names []string) string {
	t.Helper()
	out := t.TempDir()
	zf, zerr := os.Create(filepath.Join(out, "all.zip"))
	tf, terr := os.Create(filepath.Join(out, "all.tgz"))
	if err := errors.Join(zerr, terr); err != nil {
		t.Fatal(err)
	}
	zw, gw := zip.NewWriter(zf), gzip.NewWriter(tf)
	tw := tar.NewWriter(gw)
	for _, n := range names {
		b, err := os.ReadFile(filepath.Join(dir, n))
		if err != nil {
			t.Fatal(err)
		}
		w, err := zw.Create(n)
		if err == nil {
			_, err = w.Write(b)
		}
		if err == nil {
			err = tw.WriteHeader(&tar.Header{Name: n, Mode: 0o600, Size: int64(len(b))})
		}
		if err == nil {
			_, err = tw.Write(b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(zw.Close(), tw.Close(), gw.Close(), zf.Close(), tf.Close()); err != nil {
		t.Fatal(err)
	}
	return out
}

// The broken messages of the corpus come out of a ZIP and a tar file as they come
// out of their directory, also when the import is cut off in between.
func TestCorpusInArchives(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(corpustest.Dir(t), "cases", "torture")
	plain := newFakeArchive()
	want, err := Run(context.Background(), config(t, plain, dir))
	if err != nil || want.Stored < 900 {
		t.Fatalf("%+v, %v", want, err)
	}
	t.Log(want.Summary())
	out := packTree(t, dir, filesIn(t, dir))
	for _, name := range []string{"all.zip", "all.tgz"} {
		f := newFakeArchive()
		cfg := config(t, f, filepath.Join(out, name))
		cfg.State = t.TempDir()
		ctx, cancel := context.WithCancel(context.Background())
		f.before = func(context.Context, archive.Submission) error {
			if f.offeredSoFar() == 400 {
				cancel()
			}
			return nil
		}
		first, err := Run(ctx, cfg)
		cancel()
		if err == nil || first.Finished {
			t.Fatalf("%s: was not cut off", name)
		}
		got, err := Run(context.Background(), cfg)
		if err != nil || got.Offered() != want.Offered() || got.DoneBefore != first.Offered() || got.Skipped != want.Skipped || got.Failed != want.Failed {
			t.Errorf("%s: %s, %v; the directory: %s", name, got.Summary(), err, want.Summary())
		}
		if len(f.bytes) != len(plain.bytes) {
			t.Errorf("%s: %d different messages, want %d", name, len(f.bytes), len(plain.bytes))
		}
		for sum := range plain.bytes {
			if _, ok := f.bytes[sum]; !ok {
				t.Errorf("%s lacks %x", name, sum)
			}
		}
		under := map[string]Reason{}
		for origin, r := range reasons(want) {
			under[name+"#"+origin] = r
		}
		if d := cmp.Diff(under, reasons(got)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// An import of PST files goes on where it was cut off.
func TestCorpusOfPSTGoesOn(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(corpustest.Dir(t), "cases", "pst")
	for _, k := range []int{1, 20, 100} {
		f := newFakeArchive()
		cfg := config(t, f, dir)
		cfg.State, cfg.Workers = t.TempDir(), 2
		ctx, cancel := context.WithCancel(context.Background())
		f.before = func(context.Context, archive.Submission) error {
			if f.offeredSoFar() == k {
				cancel()
			}
			return nil
		}
		first, err := Run(ctx, cfg)
		cancel()
		if err == nil || first.Finished || first.Failed > 0 {
			t.Fatalf("k %d: was not cut off: %s, %v", k, first.Summary(), err)
		}
		before := f.offeredSoFar()
		second, err := Run(context.Background(), cfg)
		if err != nil || second.DoneBefore != first.Offered() || f.offeredSoFar()-before != int(second.Stored+second.Duplicate) || second.Failed != 0 {
			t.Errorf("k %d: %s, %v; the first run %s", k, second.Summary(), err, first.Summary())
		}
		if k > 1 && second.DoneBefore == 0 {
			t.Errorf("k %d: nothing was done before", k)
		}
	}
}

func (f *fakeArchive) offeredSoFar() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.offered
}
