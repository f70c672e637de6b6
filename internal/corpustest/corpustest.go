// Package corpustest finds the test corpus: real mail and torture cases whose
// licences keep them out of the repository.
package corpustest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/muniment/muniment/internal/testkit/need"
)

// Dir returns the directory of Find. Without a corpus the test is skipped, unless
// MUNIMENT_TEST_REQUIRE names "corpus" (as the CI run does): then it fails.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := Find()
	if errors.Is(err, fs.ErrNotExist) {
		need.Lacks(t, "corpus", err.Error())
	} else if err != nil {
		t.Fatalf("unpack corpus: %v", err)
	}
	return dir
}

// Find returns the unpacked corpus: the directory that holds bulk/, cases/ and
// attachments/. MUNIMENT_CORPUS names either such a directory or the packed
// one (with its "unpack" program); without it, ../shared/corpus beside the
// repository is tried. A packed corpus is unpacked once per machine into the
// user's cache directory. Without a corpus the error is fs.ErrNotExist.
func Find() (string, error) {
	dir := os.Getenv("MUNIMENT_CORPUS")
	if dir == "" {
		_, file, _, _ := runtime.Caller(0)
		dir = filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "corpus")
	}
	if isDir(filepath.Join(dir, "bulk")) {
		return dir, nil
	}
	if _, err := os.Stat(filepath.Join(dir, "unpack")); err != nil {
		return "", fmt.Errorf("no corpus at %s; set MUNIMENT_CORPUS: %w", dir, fs.ErrNotExist)
	}
	return unpackOnce(dir)
}

var unpacking sync.Mutex

// unpackOnce is safe against other processes: it unpacks beside the target and
// renames.
func unpackOnce(packed string) (string, error) {
	unpacking.Lock()
	defer unpacking.Unlock()
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	target := filepath.Join(cache, "muniment-corpus")
	if isDir(filepath.Join(target, "bulk")) {
		return target, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(cache, "muniment-corpus-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	if out, err := exec.Command(filepath.Join(packed, "unpack"), tmp).CombinedOutput(); err != nil {
		return "", &os.PathError{Op: "unpack: " + string(out), Path: packed, Err: err}
	}
	if err := os.Rename(tmp, target); err != nil && !isDir(filepath.Join(target, "bulk")) {
		return "", err
	}
	return target, nil
}

func isDir(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.IsDir()
}
