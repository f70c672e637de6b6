package mailbox

import (
	"context"
	"sync"

	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// job is a history in the background; it is kept when it has ended, until the next.
type job struct {
	stop  context.CancelFunc
	ended chan struct{}

	mu     sync.Mutex
	report remote.HistoryReport
}

// running reports whether the history is under way.
func (j *job) running() bool {
	select {
	case <-j.ended:
		return false
	default:
		return true
	}
}

func (j *job) show(r remote.HistoryReport) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.report = r
}

// StartHistory begins a history in the background. remote.ErrHistoryRuns if one of the
// source is under way. It goes on until it ends, CancelHistory is called or
// EndHistories.
func (f *Fetcher) StartHistory(tenant, source uid.ID, asked remote.History) error {
	if err := asked.Check(); err != nil {
		return err
	}
	k := sourceKey{tenant, source}
	f.mu.Lock()
	defer f.mu.Unlock()
	if old := f.jobs[k]; old != nil && old.running() {
		return remote.ErrHistoryRuns
	}
	ctx, stop := context.WithCancel(context.Background())
	j := &job{stop: stop, ended: make(chan struct{})}
	j.report = remote.HistoryReport{Asked: asked, StartedAt: f.Now().UTC()}
	f.jobs[k] = j
	go func() {
		defer close(j.ended)
		defer stop()
		r, err := f.History(ctx, tenant, source, asked, j.show)
		if r == nil {
			r = &remote.HistoryReport{Asked: asked, StartedAt: j.report.StartedAt}
			r.EndedAt = new(f.Now().UTC())
		}
		if err != nil && r.Problem == nil && ctx.Err() == nil {
			r.Problem = problem(err, "", nil)
			f.Log.Error("history of a remote mailbox", "tenant", tenant, "source", source, "error", err)
		}
		j.show(*r)
	}()
	return nil
}

// HistoryOf returns how far the last history of a source is that was started in
// the background; there is none after a restart of the process.
func (f *Fetcher) HistoryOf(tenant, source uid.ID) (r remote.HistoryReport, running, ok bool) {
	f.mu.Lock()
	j := f.jobs[sourceKey{tenant, source}]
	f.mu.Unlock()
	if j == nil {
		return r, false, false
	}
	running = j.running() // before the report is read: the last one comes first
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.report, running, true
}

// CancelHistory asks a history in the background to end. What is archived stays, and
// another one goes on from there.
func (f *Fetcher) CancelHistory(tenant, source uid.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if j := f.jobs[sourceKey{tenant, source}]; j != nil {
		j.stop()
	}
}

// EndHistories ends all histories in the background and waits until they have.
func (f *Fetcher) EndHistories() {
	f.mu.Lock()
	var list []*job
	for _, j := range f.jobs {
		j.stop()
		list = append(list, j)
	}
	f.mu.Unlock()
	for _, j := range list {
		<-j.ended
	}
}
