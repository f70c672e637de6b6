package pst

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/testkit/need"
)

// TestReadpstReadsSamples lets readpst read what the builder wrote, so that the
// forms the corpus lacks (cyclic encryption, 4096-byte pages, compression) are not
// only the reader's and the builder's common opinion. The corpus itself is compared
// in test/interop.
func TestReadpstReadsSamples(t *testing.T) {
	t.Parallel()
	readpst := need.Program(t, "readpst")
	for name, make := range forms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const size = 100_000
			dir := t.TempDir()
			file, out := filepath.Join(dir, "a.pst"), filepath.Join(dir, "out")
			if err := os.WriteFile(file, make(size), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(out, 0o700); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if b, err := exec.CommandContext(ctx, readpst, "-S", "-D", "-q", "-j", "0", "-o", out, file).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, b)
			}
			for name, want := range map[string][]byte{"1-a1024.bin": []byte("small"), "1-a1025.bin": large(size), "1-a1027.bin": []byte("ole")} {
				got, err := os.ReadFile(filepath.Join(out, "store", "Deleted Items", name))
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: %d bytes, want %d, %v", name, len(got), len(want), err)
				}
			}
			body, err := os.ReadFile(filepath.Join(out, "store", "Deleted Items", "1"))
			if err != nil || !bytes.Contains(body, []byte("Re: attachments")) {
				t.Errorf("message: %v\n%.300s", err, body)
			}
		})
	}
}
