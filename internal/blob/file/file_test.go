//go:build unix

package file_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/blob/blobtest"
	"github.com/muniment/muniment/internal/blob/file"
)

func open(t *testing.T, dir string, opts ...file.Option) *file.Store {
	t.Helper()
	s, err := file.Open(dir, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blob.Store { return open(t, t.TempDir()) })
}

// The order of the calls is the durability: see the package comment.
func TestPutCalls(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var calls []string
	note := func(op, path string) error {
		path, _ = filepath.Rel(dir, path)
		if strings.HasPrefix(path, ".tmp/") {
			path = "TMP"
		}
		calls = append(calls, op+" "+path)
		return nil
	}
	s := open(t, dir, file.WithFS(file.Faulty(file.OS(), note)))
	for _, c := range []struct {
		name string
		call func() error
		want []string
	}{
		{"first in its directory", func() error { return s.Put(t.Context(), "a/k1", strings.NewReader("x"), 1) }, []string{
			"create TMP", "write TMP", "sync TMP", "close TMP",
			"mkdir a", "open .", "sync .", "close .", "open .", "sync .", "close .",
			"publish a/k1", "open a", "sync a", "close a",
		}},
		{"second", func() error { return s.Put(t.Context(), "a/k2", strings.NewReader("x"), 1) }, []string{
			"create TMP", "write TMP", "sync TMP", "close TMP", "publish a/k2", "open a", "sync a", "close a",
		}},
		{"replace", func() error { return s.Replace(t.Context(), "a/k2", strings.NewReader("y"), 1) }, []string{
			"create TMP", "write TMP", "sync TMP", "close TMP", "rename a/k2", "open a", "sync a", "close a",
		}},
		{"delete", func() error { return s.Delete(t.Context(), "a/k2") }, []string{
			"remove a/k2", "open a", "sync a", "close a",
		}},
	} {
		calls = nil
		if err := c.call(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, calls); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// Each call of a Put fails in turn, with each of the usual errors: an error
// is returned, the object is absent or whole, and the next Put works.
func TestEveryCallFails(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat([]byte("muniment"), 100<<10) // several writes
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EEXIST} {
		dir := t.TempDir()
		for n, done := 1, false; !done; n++ {
			count, failed, armed := 0, "", false
			s := open(t, dir, file.WithFS(file.Faulty(file.OS(), func(op, path string) error {
				if count++; count != n || !armed {
					return nil
				}
				failed = op
				return errno
			})))
			count, armed = 0, true
			key := "k" + strings.Repeat("x", n) + "/object"
			err := s.Put(t.Context(), key, bytes.NewReader(data), int64(len(data)))
			armed = false
			done = failed == ""
			// A directory that somebody else made, and removed again, is made anew.
			tolerated := failed == "mkdir" && errno == syscall.EEXIST
			if (err == nil) != (done || tolerated) {
				t.Fatalf("call %d (%s) fails with %v: Put = %v", n, failed, errno, err)
			}
			if errors.Is(err, blob.ErrExists) != (failed == "publish" && errno == syscall.EEXIST) {
				t.Errorf("call %d (%s) fails with %v: Put = %v", n, failed, errno, err)
			}
			wholeOrAbsent(t, s, key, data, err == nil)
			if err := s.Put(t.Context(), key+"2", bytes.NewReader(data), int64(len(data))); err != nil {
				t.Errorf("Put after failure of call %d (%s): %v", n, failed, err)
			}
			if left := temporary(t, dir); len(left) != 0 {
				t.Errorf("call %d (%s) left %v", n, failed, left)
			}
			if n > 200 {
				t.Fatal("no end of calls")
			}
		}
	}
}

func wholeOrAbsent(t *testing.T, s *file.Store, key string, want []byte, must bool) {
	t.Helper()
	o, err := s.Open(t.Context(), key)
	if errors.Is(err, blob.ErrNotFound) && !must {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	got := make([]byte, o.Size())
	if _, err := o.ReadAt(got, 0); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("object is there with %d bytes of %d", len(got), len(want))
	}
}

// temporary lists unfinished files.
func temporary(t *testing.T, dir string) []string {
	t.Helper()
	var left []string
	err := filepath.WalkDir(filepath.Join(dir, ".tmp"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "lock" {
			left = append(left, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func TestModes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "blobs")
	s := open(t, dir)
	if err := s.Put(t.Context(), "a/k", strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{"": 0o750, "a": 0o750, "a/k": 0o440} {
		st, err := os.Stat(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		if got := st.Mode().Perm(); got&^want != 0 {
			t.Errorf("%q has mode %o, want at most %o", path, got, want)
		}
	}
}

// A store whose process was killed in the middle of a Put leaves a file that the
// next Open removes; files of living processes stay.
func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	living := open(t, dir)
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledHelper$")
	cmd.Env = append(os.Environ(), "MUNIMENT_BLOB_DIR="+dir)
	cmd.Stdin, cmd.Stdout = nil, nil
	if err := cmd.Run(); err == nil {
		t.Fatal("the helper should have been killed")
	}
	if left := temporary(t, dir); len(left) != 1 {
		t.Fatalf("unfinished files after the kill: %v, want one", left)
	}
	var dirs []fs.DirEntry
	err := living.Put(t.Context(), "k", readerFunc(func(p []byte) (int, error) {
		if dirs == nil {
			open(t, dir)
			dirs, _ = os.ReadDir(filepath.Join(dir, ".tmp"))
			p[0] = 'x'
			return 1, nil
		}
		return 0, errors.New("end")
	}), 1)
	if err != nil {
		t.Errorf("Put during another Open: %v", err)
	}
	if len(dirs) != 2 {
		t.Errorf("temporary directories of %d processes after the sweep, want 2", len(dirs))
	}
	if left := temporary(t, dir); len(left) != 0 {
		t.Errorf("the sweep left %v", left)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestKilledHelper is run by TestSweep in a process of its own.
func TestKilledHelper(t *testing.T) {
	dir := os.Getenv("MUNIMENT_BLOB_DIR")
	if dir == "" {
		return
	}
	s, err := file.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Put(t.Context(), "k", readerFunc(func([]byte) (int, error) {
		return 0, syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}), 1)
	select {}
}

// A directory may go while the store is open, as after a restore from a backup.
func TestDirectoryRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	for range 2 {
		if err := s.Put(t.Context(), "a/b/k", strings.NewReader("x"), 1); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(dir, "a")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSymlinkedDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	s := open(t, filepath.Join(dir, "link"))
	if err := s.Put(t.Context(), "a", strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
}
