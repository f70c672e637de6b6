package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/watch"
)

func TestTroubles(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.put("a.txt", "a")
	r.fails = func() error { return fmt.Errorf("disk: %w", archive.ErrBusy) }
	r.settle()
	r.problem(watch.CodeArchive)
	r.want("a.txt")
	r.fails = nil
	r.s.pass(t.Context())
	r.problem("")
	r.want("done/a.txt")
	if n := len(r.find("")); n != 1 || r.s.state.Known != 1 {
		t.Errorf("%d are archived, %+v", n, r.s.state)
	}
	r.must(os.RemoveAll(r.dir))
	r.s.pass(t.Context())
	r.problem(watch.CodeDirectory)
	r.w.Root = filepath.Join(r.w.Root, "weg")
	r.s.pass(t.Context())
	r.problem(watch.CodeRoot)
	r.w.Root = ""
	r.s.pass(t.Context())
	r.problem(watch.CodeRoot)
}

// A file that cannot be moved is archived once, and moved when that is possible.
func TestNotMoved(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.put("done", "in the way") // a file where the directory has to be: it is archived, too
	r.put("a.txt", "a")
	r.s.pass(t.Context())
	r.clock.Add(11)
	for range 3 {
		r.s.pass(t.Context())
	}
	r.problem(watch.CodeMove)
	if n := len(r.find("")); n != 2 {
		t.Errorf("%d are archived", n)
	}
	r.must(os.Remove(filepath.Join(r.dir, "done")))
	r.s.pass(t.Context())
	r.want("done/a.txt")
	r.problem("")
}

// A crash after the commit and before the move: the file is offered again, and
// recorded once.
func TestCrashBeforeMove(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	names := []string{"a.txt", "b.eml", "sub/c.txt"}
	for i, n := range names {
		text := fmt.Sprintf("text %d", i)
		if isMail(n) {
			text = letter
		}
		r.put(n, text)
	}
	crash := errors.New("crash")
	for round := range 6 {
		ctx, cancel := context.WithCancel(t.Context())
		r.fails = func() error { cancel(); return crash }
		if round == 5 {
			r.fails = nil
		}
		r.s.pass(ctx)
		r.clock.Add(11)
		r.s.pass(ctx)
		cancel()
		r.start(r.w.Root)
	}
	r.want("done/a.txt", "done/b.eml", "done/sub/c.txt")
	if n := len(r.find("")); n != len(names) {
		t.Errorf("%d are archived, want %d", n, len(names))
	}
	r.must(r.env.AwaitIndex(t.Context(), r.tenant.ID))
	captures := 0
	r.must(r.env.Catalog.WalkCaptures(t.Context(), r.tenant.ID, func(_ *catalog.Capture, err error) error { captures++; return err }))
	if captures != len(names) {
		t.Errorf("%d arrivals are recorded, want %d", captures, len(names))
	}
}

// Run watches what is added, and stops what is disabled.
func TestRun(t *testing.T) {
	t.Parallel()
	r := newRig(t, "", func(s *watch.Settings) { s.Settle = 1 })
	r.w.Now = time.Now
	r.w.timings.look, r.w.timings.poll = 10*time.Millisecond, 10*time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.w.Run(ctx) }()
	r.put("a.txt", "a")
	deadline := time.Now().Add(30 * time.Second)
	for !slices.Equal(r.tree(), []string{"done/a.txt"}) {
		if time.Now().After(deadline) {
			t.Fatalf("in the folder: %q", r.tree())
		}
		time.Sleep(10 * time.Millisecond)
	}
	for {
		list, err := r.env.WatchedFolders(t.Context())
		r.must(err)
		if bytes.Contains(list[0].State, []byte(`"stored":1`)) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("state is %s", list[0].State)
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	r.must(<-ended)
}
