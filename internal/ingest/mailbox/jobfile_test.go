package mailbox

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/imapd"
	"github.com/muniment/muniment/internal/uid"
)

// restarted makes the Fetcher of the next process and runs it.
func (r *rig) restarted(dir string) (stop func()) {
	r.t.Helper()
	config := r.f.Config
	config.Histories = dir
	f, err := New(config)
	if err != nil {
		r.t.Fatal(err)
	}
	f.timings = quick()
	r.f = f
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := f.Run(ctx); err != nil {
			r.t.Error(err)
		}
	}()
	return func() { cancel(); <-ended }
}

// A history outlives the process that it was started in, also one that is killed.
func TestHistoryGoesOn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		asked  remote.History
		killed bool
	}{
		"stopped":             {remote.History{}, false},
		"killed":              {remote.History{Drafts: true}, true},
		"dry run":             {remote.History{DryRun: true, RemoveOlderThan: pastDays}, true},
		"removes, stopped":    {remote.History{RemoveOlderThan: pastDays}, false},
		"removes, and killed": {remote.History{RemoveOlderThan: pastDays}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, dir := newRig(t), filepath.Join(t.TempDir(), "histories")
			s := imapd.New(t, imapd.Options{})
			olden(s, "INBOX", 0, 6)
			id := r.add("box", imapSettings(s), s.Password)
			r.change(id, imapSettings(s), nil, true)
			stop := r.restarted(dir)
			unlock, err := r.f.lock(t.Context(), sourceKey{r.tenant.ID, id})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.f.StartHistory(r.tenant.ID, id, tt.asked); err != nil {
				t.Fatal(err)
			}
			if tt.killed { // nothing of it is written any more
				files := map[string][]byte{jobFile(sourceKey{r.tenant.ID, id}): nil, ".unfinished-123": []byte("{"), "of somebody.json": []byte("{}"), "06-07.json": []byte("{}")}
				name := jobFile(sourceKey{r.tenant.ID, id})
				if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
				dir = t.TempDir()
				for name, b := range files {
					if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			stop()
			unlock()
			stop = r.restarted(dir)
			until(t, "the end of the history", func() bool {
				rep, running, ok := r.f.HistoryOf(r.tenant.ID, id)
				return ok && !running && rep.EndedAt != nil
			})
			checkOutlived(t, r, s, id, tt.asked)
			stop()
			stop = r.restarted(dir) // and the next one knows how it ended
			checkOutlived(t, r, s, id, tt.asked)
			stop()
		})
	}
}

func checkOutlived(t *testing.T, r *rig, s *imapd.Server, id uid.ID, asked remote.History) {
	t.Helper()
	rep, running, ok := r.f.HistoryOf(r.tenant.ID, id)
	switch {
	case !ok || running || rep.Asked.RemoveOlderThan != asked.RemoveOlderThan || rep.Asked.Drafts != asked.Drafts:
		t.Errorf("%+v, %v, %v", rep, running, ok)
	case asked.RemoveOlderThan > 0 && !asked.DryRun:
		if rep.Complete || rep.Problem == nil || rep.Problem.Code != remote.CodeInterrupted || r.messages() != 0 || len(s.Deleted("INBOX")) > 0 {
			t.Errorf("%+v, %+v, %d messages", rep, rep.Problem, r.messages())
		}
	case !rep.Complete || rep.Problem != nil || asked.DryRun != (r.messages() == 0):
		t.Errorf("%+v, %+v, %d messages", rep, rep.Problem, r.messages())
	}
}

// What is left of a source that is gone is removed, and a damaged file stops nothing.
func TestHistoryFiles(t *testing.T) {
	t.Parallel()
	r, dir := newRig(t), t.TempDir()
	gone := jobFile(sourceKey{r.tenant.ID, r.tenant.ID})
	for name, text := range map[string]string{gone: `{"report":{},"ended":false}`, jobFile(sourceKey{}): "{"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stop := r.restarted(dir)
	until(t, "the end of a file", func() bool {
		_, err := os.Lstat(filepath.Join(dir, gone))
		return os.IsNotExist(err)
	})
	if _, _, ok := r.f.HistoryOf(r.tenant.ID, r.tenant.ID); ok {
		t.Error("a history of no source")
	}
	stop()
}
