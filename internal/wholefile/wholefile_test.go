package wholefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type putter func(name string, mode fs.FileMode, write func(io.Writer) error) error

// content is what a directory holds: names, modes and contents.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range entries {
		i, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = i.Mode().String() + " " + string(b)
	}
	return got
}

func TestPut(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	half := func(w io.Writer) error {
		_, err := io.WriteString(w, "ha")
		return errors.Join(err, broken)
	}
	tests := []struct {
		name  string
		put   putter
		old   string
		write func(io.Writer) error
		err   error
		want  map[string]string
	}{
		{"replace nothing", Replace, "", Bytes([]byte("new")), nil, map[string]string{"f": "-rw-r----- new"}},
		{"replace", Replace, "old", Bytes([]byte("new")), nil, map[string]string{"f": "-rw-r----- new"}},
		{"create", Create, "", Bytes(nil), nil, map[string]string{"f": "-rw-r----- "}},
		{"create what is there", Create, "old", Bytes([]byte("new")), fs.ErrExist, map[string]string{"f": "-rw------- old"}},
		{"replace, cut off", Replace, "old", half, broken, map[string]string{"f": "-rw------- old"}},
		{"create, cut off", Create, "", half, broken, map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tt.old != "" {
				if err := os.WriteFile(filepath.Join(dir, "f"), []byte(tt.old), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := tt.put(filepath.Join(dir, "f"), 0o640, tt.write); !errors.Is(err, tt.err) {
				t.Errorf("%v, want %v", err, tt.err)
			}
			if d := cmp.Diff(tt.want, content(t, dir)); d != "" {
				t.Error(d)
			}
		})
	}
	if err := Replace(filepath.Join(t.TempDir(), "not", "there"), 0o600, Bytes(nil)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

// While a file is written, its directory has it under a name that Unfinished knows.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := Replace(filepath.Join(dir, "f"), 0o600, func(io.Writer) error {
		for name := range content(t, dir) {
			if !Unfinished(name) {
				t.Errorf("%q counts as finished", name)
			}
		}
		return nil
	})
	if err != nil || Unfinished("f") || Unfinished("unfinished-f") {
		t.Error(err, "or a finished file counts as unfinished")
	}
}

func TestAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { errs[i] = Create(filepath.Join(dir, "f"), 0o600, Bytes([]byte("one"))) })
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if !errors.Is(err, fs.ErrExist) {
			t.Error(err)
		}
	}
	if got := content(t, dir); made != 1 || len(got) != 1 || got["f"] != "-rw------- one" {
		t.Errorf("%d made it: %v", made, got)
	}
}
