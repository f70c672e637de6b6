package mailbox

import (
	"context"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// job is a history in the background; it is kept when it has ended, until the next.
type job struct {
	stop  context.CancelFunc
	ended chan struct{}

	mu     sync.Mutex
	report remote.HistoryReport
	wrote  time.Time       // when the report was last written down
	keep   func(jobRecord) // writes it down
	goesOn bool            // the process ends: the next one goes on
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

// show takes over a report, and writes it down now and then, and at the end.
func (j *job) show(r remote.HistoryReport, last bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.report = r
	if now := time.Now(); last || now.Sub(j.wrote) >= writeEvery {
		j.wrote = now
		j.keep(jobRecord{Report: r, Ended: last && !j.goesOn})
	}
}

// end stops it. With goesOn the next process goes on.
func (j *job) end(goesOn bool) {
	j.mu.Lock()
	j.goesOn = j.goesOn || goesOn
	j.mu.Unlock()
	j.stop()
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
	j := &job{stop: stop, ended: make(chan struct{}), keep: func(r jobRecord) { f.keepJob(k, r) }}
	j.show(remote.HistoryReport{Asked: asked, StartedAt: f.Now().UTC()}, false)
	f.jobs[k] = j
	go func() {
		defer close(j.ended)
		defer stop()
		r, err := f.History(ctx, tenant, source, asked, func(r remote.HistoryReport) { j.show(r, false) })
		if r == nil {
			r = &remote.HistoryReport{Asked: asked, StartedAt: j.report.StartedAt}
			r.EndedAt = new(f.Now().UTC())
		}
		if err != nil && r.Problem == nil && ctx.Err() == nil {
			r.Problem = problem(err, "", nil)
			f.Log.Error("history of a remote mailbox", "tenant", tenant, "source", source, "error", err)
		}
		j.show(*r, true)
	}()
	return nil
}

// HistoryOf returns how far the last history of a source is that was started in
// the background, by this process or an earlier one.
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
		j.end(false)
	}
}

// EndHistories ends all histories in the background and waits until they have. The next
// process goes on with them.
func (f *Fetcher) EndHistories() {
	f.mu.Lock()
	var list []*job
	for _, j := range f.jobs {
		j.end(true)
		list = append(list, j)
	}
	f.mu.Unlock()
	for _, j := range list {
		<-j.ended
	}
}
