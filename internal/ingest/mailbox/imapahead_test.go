package mailbox

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/imapd"
)

// slow holds the archiving of one message, by its origin, until it may go on.
type slow struct {
	Archive
	suffix string
	wait   func()
	err    error // then, instead of archiving
}

func (s *slow) Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error) {
	if strings.HasSuffix(sub.Origin, s.suffix) {
		s.wait()
		if s.err != nil {
			return archive.Receipt{}, s.err
		}
	}
	return s.Archive.Ingest(ctx, sub)
}

// bodies counts the commands that ask for messages.
func bodies(s *imapd.Server) (n int) {
	for _, c := range s.Commands() {
		if strings.Contains(strings.ToUpper(c), "BODY.PEEK[]") {
			n++
		}
	}
	return n
}

// The next portion comes while the one before is being archived, and nothing of
// that is deleted or passed by before it is.
func TestFetchingAhead(t *testing.T) {
	t.Parallel()
	for name, keep := range map[string]bool{"kept": true, "deleted": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := imapd.New(t, imapd.Options{})
			sent := fill(s, "INBOX", 0, pageSize+20)
			set := imapSettings(s)
			set.Keep = keep
			id := r.add("box", set, s.Password)
			var early atomic.Bool
			r.f.Archive = &slow{Archive: r.f.Archive, suffix: ";UID=7", wait: func() {
				deadline := time.Now().Add(20 * time.Second)
				for bodies(s) < 2 && time.Now().Before(deadline) {
					time.Sleep(time.Millisecond)
				}
				folders, err := r.env.SourceFolders(t.Context(), r.tenant.ID, id)
				if err != nil {
					t.Error(err)
				}
				for _, f := range folders {
					early.Store(early.Load() || f.Next > 7)
				}
				early.Store(early.Load() || len(s.Deleted("INBOX")) > 0)
			}}
			well(t, r.fetch(id))
			if n := bodies(s); n != 2 {
				t.Errorf("%d commands for messages", n)
			}
			if early.Load() {
				t.Error("something was deleted, or passed by, before it was archived")
			}
			safe(t, r, s, sent)
			if n := r.messages(); n != int64(len(sent)) {
				t.Errorf("%d of %d archived", n, len(sent))
			}
			if left := len(s.UIDs("INBOX")); keep != (left == len(sent)) || !keep && left != 0 {
				t.Errorf("%d messages are on the server", left)
			}
		})
	}
}

// What the archive refuses is not passed by because a later portion went well.
func TestRefusedWhileAhead(t *testing.T) {
	t.Parallel()
	for name, keep := range map[string]bool{"kept": true, "deleted": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := imapd.New(t, imapd.Options{})
			sent := fill(s, "INBOX", 0, 2*pageSize+20)
			set := imapSettings(s)
			set.Keep = keep
			id := r.add("box", set, s.Password)
			inner := r.f.Archive
			r.f.Archive = &slow{Archive: inner, suffix: ";UID=7", err: archive.ErrBusy, wait: func() {
				deadline := time.Now().Add(20 * time.Second)
				for bodies(s) < 2 && time.Now().Before(deadline) {
					time.Sleep(time.Millisecond)
				}
			}}
			st := r.fetch(id)
			if st.Problem == nil || st.Problem.Code != "archive" {
				t.Errorf("problem %+v", st.Problem)
			}
			safe(t, r, s, sent)
			if r.has(sent[7]) {
				t.Fatal("the refused message is archived")
			}
			folders, err := r.env.SourceFolders(t.Context(), r.tenant.ID, id)
			for _, f := range folders {
				if err != nil || f.Next > 7 {
					t.Errorf("read to %d, %v", f.Next, err)
				}
			}
			r.f.Archive = inner
			well(t, r.fetch(id))
			if n := r.messages(); n != int64(len(sent)) {
				t.Errorf("%d of %d archived", n, len(sent))
			}
			safe(t, r, s, sent)
		})
	}
}

// A history waits for what came last, and so does one whose connection breaks.
func TestHistoryWaitsForTheLastPortion(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]bool{"whole": false, "cut": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.f.timings = usualTimings() // no matter how slow the machine is
			s := imapd.New(t, imapd.Options{})
			const n = pageSize + 20
			olden(s, "INBOX", 0, n)
			id := r.add("box", imapSettings(s), s.Password)
			var once atomic.Bool
			r.f.Archive = &slow{Archive: r.f.Archive, suffix: "9", wait: func() {
				if cut && once.CompareAndSwap(false, true) {
					s.Cut(10)
				}
				time.Sleep(5 * time.Millisecond) // what does not wait is faster
			}}
			rep := r.history(id, remote.History{RemoveOlderThan: pastDays})
			f := figures(t, rep, "INBOX")
			if !rep.Complete || rep.Problem != nil || f.Offered != n || f.Stored != n || f.Duplicate != 0 || f.Removed != n/2 || r.messages() != n {
				t.Errorf("%d archived, %d left out, %+v", r.messages(), len(rep.Disagreements), f)
			}
		})
	}
}

// What stays and is tried again is filed as the listing says, however long the folder.
func TestTriedAgainIsFiled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.f.timings = usualTimings() // likewise
	s := imapd.New(t, imapd.Options{})
	big := append(letter(9999), make([]byte, remote.MinLimit)...)
	u := s.Add("INBOX", big)
	s.Mark("INBOX", u, `\Flagged`)
	s.Dated("INBOX", u, time.Now().AddDate(0, 0, -pastDays-1))
	fill(s, "INBOX", 0, 2*pageSize+20)
	set := imapSettings(s)
	set.Keep, set.MaxBytes = true, remote.MinLimit
	id := r.add("box", set, s.Password)
	if st := r.fetch(id); st.Left != 1 {
		t.Fatalf("%+v", st)
	}
	set.MaxBytes, set.Keep = 0, false
	r.change(id, set, nil, false)
	well(t, r.fetch(id))
	r.filed(id, big, "INBOX", `\Flagged`)
}
