//go:build unix

package offline_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/muniment/muniment/internal/evidence/evidencetest"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/evidence/tsa"
)

// TestPipe: a pipe in the place of a file, which nobody ever writes to, does not keep the
// verifier waiting.
func TestPipe(t *testing.T) {
	t.Parallel()
	w := evidencetest.New(t, tsa.Options{})
	for _, name := range []string{"bundle.json", "evidence.er", "original.eml"} {
		dir := newBundle(t, w, "one", []byte("one")).without(name).unpack(t, t.TempDir())
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
		if v, err := offline.Verify(context.Background(), offline.Request{Files: []string{dir}, Anchors: []string{filepath.Join(dir, "trust", "anchors.pem")}}, &bytes.Buffer{}); !errors.Is(err, offline.ErrRequest) {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
}
