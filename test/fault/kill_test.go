package fault

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/testkit/need"
)

// kills is how often the archive is killed; MUNIMENT_TEST_KILLS chooses more.
const kills = 12

// proveEvery is after how many kills everything is read back.
const proveEvery = 6

// The server and an import are killed together, at any moment, again and again.
func TestKilledAtAnyMoment(t *testing.T) {
	n := kills
	if v := os.Getenv("MUNIMENT_TEST_KILLS"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			t.Fatalf("MUNIMENT_TEST_KILLS: %v", err)
		}
	}
	s := newSubject(t, t.TempDir())
	files := t.TempDir()
	imported := 0
	for i := range n {
		imported += s.writeFiles(filepath.Join(files, fmt.Sprintf("%03d", i)), 40)
		srv := s.serve()
		senders := s.load(t.Context(), srv.smtp, 6)
		imp := s.command("import", "acme", files)
		if err := imp.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(700)) * time.Millisecond)
		srv.kill()
		imp.Process.Signal(syscall.SIGKILL) //nolint:errcheck // it may have ended
		imp.Wait()                          //nolint:errcheck // it was killed
		senders.Wait()
		if (i+1)%proveEvery == 0 {
			s.prove()
		}
	}
	if out, err := s.command("import", "acme", files).CombinedOutput(); err != nil {
		t.Fatalf("the last import: %v\n%s", err, out)
	}
	s.acknowledgeFiles(files)
	s.prove()
	t.Logf("%d kills, %d messages acknowledged over SMTP, %d imported; all there", n, len(s.acked)-imported, imported)
	if len(s.acked) < n {
		t.Errorf("only %d messages were acknowledged; the load is too small to show anything", len(s.acked))
	}
}

// writeFiles writes messages to import.
func (s *subject) writeFiles(dir string, n int) int {
	s.t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		s.t.Fatal(err)
	}
	for range n {
		raw, k := s.message()
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.eml", k)), raw, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	return n
}

// acknowledgeFiles counts all files as acknowledged, after an import without error.
func (s *subject) acknowledgeFiles(dir string) {
	s.t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*.eml"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range paths {
		raw, err := os.ReadFile(p)
		if err != nil {
			s.t.Fatal(err)
		}
		var k int64
		if _, err := fmt.Sscanf(filepath.Base(p), "%d.eml", &k); err != nil {
			s.t.Fatal(err)
		}
		s.acked[sha256.Sum256(raw)] = k
	}
}

// A full disk is answered with 4xx, never with silence, and the archive goes on
// when there is room again.
func TestDiskFull(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=24m"); err != nil {
		need.Lacks(t, "root", fmt.Sprintf("cannot mount a small disk: %v", err))
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 6<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSubject(t, filepath.Join(disk, "data"))
	srv := s.serve()
	refused := s.fill(srv)
	files := t.TempDir()
	s.writeFiles(filepath.Join(files, "1"), 50)
	if out, err := s.command("import", "acme", files).CombinedOutput(); err == nil {
		t.Errorf("an import on a full disk claims success:\n%s", out)
	} else {
		t.Logf("import on the full disk: %v\n%s", err, out)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := s.eventually(srv); err != nil {
		t.Errorf("with room on the disk the archive still refuses: %v\n%s", err, srv.log)
	}
	srv.stop(t)
	s.prove()
	t.Logf("%d acknowledged, %d answered with 4xx; all acknowledged are there", len(s.acked), refused)
}

// fill sends until the server has refused some messages, and returns how many.
func (s *subject) fill(srv *server) (refused int) {
	s.t.Helper()
	for refused < 20 {
		c, err := dial(srv.smtp)
		if err != nil && !later(err) {
			s.t.Fatalf("no connection: %v\n%s", err, srv.log)
		}
		for err == nil {
			err = s.send(c)
		}
		if !later(err) {
			s.t.Fatalf("on a full disk the answer is %v, want 4xx\n%s", err, srv.log)
		}
		refused++
		if c != nil {
			c.Close()
		}
	}
	return refused
}

// eventually sends one message, trying for a while.
func (s *subject) eventually(srv *server) error {
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	for {
		c, err := dial(srv.smtp)
		if err == nil {
			err = s.send(c)
			c.Close()
		}
		if err == nil || ctx.Err() != nil || srv.ended() {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}
