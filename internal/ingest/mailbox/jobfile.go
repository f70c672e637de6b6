package mailbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/wholefile"
)

// Histories in the background outlive the process: each is written down in a file, from
// its beginning on. When the next process starts, it goes on with those that had not
// ended. One that removes messages is not gone on with: what it may remove was confirmed
// for one run, by a number, and how far that run had come nobody knows exactly. Its
// report stays, and says so.

// writeEvery is the time between two writings of a report while a history is at work.
const writeEvery = 5 * time.Second

// jobRecord is what is written down of a history.
type jobRecord struct {
	Report remote.HistoryReport `json:"report"`
	Ended  bool                 `json:"ended"`
}

func jobFile(k sourceKey) string { return k.tenant.String() + "-" + k.source.String() + ".json" }

// keepJob writes a history down. That this fails is logged: the history goes on.
func (f *Fetcher) keepJob(k sourceKey, r jobRecord) {
	if f.Histories == "" {
		return
	}
	b, err := json.Marshal(r)
	if err == nil {
		err = wholefile.Replace(filepath.Join(f.Histories, jobFile(k)), 0o600, wholefile.Bytes(b))
	}
	if err != nil {
		f.Log.Warn("a history of a mailbox is not written down; it would be forgotten with this process", "source", k.source, "error", err)
	}
}

// loadJobs reads the histories of earlier processes.
func (f *Fetcher) loadJobs() error {
	if f.Histories == "" {
		return nil
	}
	if err := os.MkdirAll(f.Histories, 0o700); err != nil {
		return fmt.Errorf("mailbox: %w", err)
	}
	entries, err := os.ReadDir(f.Histories)
	if err != nil {
		return fmt.Errorf("mailbox: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(f.Histories, e.Name())
		if wholefile.Unfinished(e.Name()) {
			os.Remove(path) //nolint:errcheck // the next start tries again
			continue
		}
		k, ok := jobOf(e.Name())
		if !ok {
			continue
		}
		var r jobRecord
		b, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(b, &r)
		}
		if err != nil {
			f.Log.Warn("the report of a history cannot be read; start the history again", "file", path, "error", err)
			continue
		}
		if !r.Ended {
			r.Report.EndedAt = nil
		}
		j := &job{stop: func() {}, ended: make(chan struct{}), keep: func(jobRecord) {}, report: r.Report, goesOn: !r.Ended}
		close(j.ended)
		f.jobs[k] = j
	}
	return nil
}

// jobOf is the source of a file.
func jobOf(name string) (k sourceKey, ok bool) {
	tenant, source, ok := strings.Cut(strings.TrimSuffix(name, ".json"), "-")
	if !ok {
		return k, false
	}
	var errs [2]error
	k.tenant, errs[0] = uid.Parse(tenant)
	k.source, errs[1] = uid.Parse(source)
	return k, errors.Join(errs[:]...) == nil && name == jobFile(k)
}

// resume goes on with the histories that an earlier process had not ended.
func (f *Fetcher) resume(ctx context.Context) {
	f.mu.Lock()
	loaded := map[sourceKey]*job{}
	for k, j := range f.jobs {
		loaded[k] = j
	}
	f.mu.Unlock()
	for k, j := range loaded {
		_, err := f.any(ctx, k)
		asked := j.report.Asked
		switch {
		case errors.Is(err, ErrNoSource):
			f.forget(k, j)
		case !j.goesOn || j.running():
		case asked.RemoveOlderThan > 0 && !asked.DryRun:
			f.interrupted(k, j)
		default:
			if err := f.StartHistory(k.tenant, k.source, asked); err != nil && !errors.Is(err, remote.ErrHistoryRuns) {
				f.Log.Error("a history of a mailbox cannot go on", "source", k.source, "error", err)
			}
		}
	}
}

// forget drops the history of a source that is gone.
func (f *Fetcher) forget(k sourceKey, j *job) {
	f.mu.Lock()
	if f.jobs[k] == j {
		delete(f.jobs, k)
	}
	f.mu.Unlock()
	if err := os.Remove(filepath.Join(f.Histories, jobFile(k))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.Log.Warn("the report of a history of a mailbox that is gone stays", "error", err)
	}
}

// interrupted ends a history that is not to be gone on with.
func (f *Fetcher) interrupted(k sourceKey, j *job) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.goesOn = false
	j.report.EndedAt = new(f.Now().UTC())
	j.report.Problem = problem(&coded{remote.CodeInterrupted, errors.New("the server process ended while it was at work")}, "", nil)
	f.keepJob(k, jobRecord{Report: j.report, Ended: true})
}
