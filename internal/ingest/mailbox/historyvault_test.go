package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/imapd"
	"github.com/muniment/muniment/internal/uid"
)

// broken says of some messages that they do not come back from the vault.
type broken struct {
	Archive
	every int64
	n     atomic.Int64
	err   error
}

func (b *broken) VerifyArrival(ctx context.Context, tenant, source uid.ID, at archive.Arrival, sum [32]byte) error {
	if b.n.Add(1)%b.every == 0 {
		return fmt.Errorf("%s: %w", at.Origin, b.err)
	}
	return b.Archive.VerifyArrival(ctx, tenant, source, at, sum)
}

func TestHistoryKeepsWhatIsNotIntact(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	olden(s, "INBOX", 0, 20)
	id := r.add("box", imapSettings(s), s.Password)
	b := &broken{Archive: r.gate.Archive, every: 5, err: archive.ErrNotIntact}
	r.gate.Archive = b
	rep := r.history(id, remote.History{RemoveOlderThan: pastDays})
	f := figures(t, rep, "INBOX")
	if f.Due != 10 || f.Intact != 8 || f.Removed != 8 || f.Remaining != 12 || len(f.Reasons) != 2 || rep.Problem == nil || rep.Problem.Code != remote.CodeArchive {
		t.Errorf("%+v", rep)
	}
	if slices.Contains(s.Deleted("INBOX"), uint32(5)) || slices.Contains(s.Deleted("INBOX"), uint32(10)) {
		t.Errorf("deleted %v", s.Deleted("INBOX"))
	}
	b.every, b.err = 1, errors.New("the database is away")
	if rep = r.history(id, remote.History{RemoveOlderThan: pastDays}); rep.Complete || rep.Problem == nil || rep.Sum().Removed != 0 {
		t.Errorf("nothing can be read: %+v", rep)
	}
}

// A message that is damaged in the vault stays on the server.
func TestHistoryReadsTheVault(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	olden(s, "INBOX", 0, 10)
	id := r.add("box", imapSettings(s), s.Password)
	r.history(id, remote.History{})
	if len(s.Deleted("INBOX")) > 0 || r.messages() != 10 {
		t.Fatal("a history without removal removes, or does not archive")
	}
	damageSegments(t, r.env.Dir)
	rep := r.history(id, remote.History{RemoveOlderThan: pastDays})
	f := figures(t, rep, "INBOX")
	if f.Intact == f.Due || f.Removed != f.Intact || len(s.Deleted("INBOX")) != int(f.Removed) || len(f.Reasons) != int(f.Due-f.Intact) {
		t.Errorf("%+v", rep)
	}
}

// damageSegments flips a bit in every 512 bytes of every segment: wherever the
// messages that are due lie, some of them are hit.
func damageSegments(t *testing.T, dir string) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || !strings.HasSuffix(path, ".seg") && !strings.Contains(path, "segment") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil || len(b) < 200 {
			return err
		}
		n++
		for i := 100; i < len(b); i += 512 {
			b[i] ^= 1
		}
		return os.WriteFile(path, b, 0o600)
	})
	if err != nil || n == 0 {
		t.Fatalf("%d segments, %v", n, err)
	}
}
