package folder

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/watch"
)

// running is a worker and what it was started for.
type running struct {
	settings []byte
	name     string
	slug     string
	stop     context.CancelFunc
	ended    chan struct{}
}

// Run watches all folders that are not disabled until ctx ends; it returns nil then,
// when nothing of it is at work any more. It notices new and changed folders within
// seconds.
func (w *Watcher) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	defer workers.Wait()
	at := map[uid.ID]*running{}
	tick := time.NewTicker(w.timings.look)
	defer tick.Stop()
	for {
		if err := w.look(ctx, at, &workers); err != nil && ctx.Err() == nil {
			w.Log.Error("watched folders cannot be listed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look starts and stops workers as the folders have changed.
func (w *Watcher) look(ctx context.Context, at map[uid.ID]*running, workers *sync.WaitGroup) error {
	list, err := w.Archive.WatchedFolders(ctx)
	if err != nil {
		return err
	}
	tenants, err := w.Archive.Tenants(ctx)
	if err != nil {
		return err
	}
	slugs := map[uid.ID]string{}
	for _, t := range tenants {
		slugs[t.ID] = t.Slug
	}
	there := map[uid.ID]bool{}
	for i := range list {
		v := &list[i]
		if v.Disabled || slugs[v.Tenant] == "" {
			continue
		}
		there[v.ID] = true
		before := at[v.ID]
		if before != nil && bytes.Equal(before.settings, v.Settings) && before.name == v.Name {
			continue
		}
		ctx, stop := context.WithCancel(ctx)
		r := &running{settings: v.Settings, name: v.Name, slug: slugs[v.Tenant], stop: stop, ended: make(chan struct{})}
		at[v.ID] = r
		workers.Go(func() {
			defer close(r.ended)
			defer stop()
			if before != nil { // two must not work on one folder
				before.stop()
				<-before.ended
			}
			w.work(ctx, v, r.slug)
		})
	}
	for id, r := range at {
		if !there[id] {
			r.stop()
			delete(at, id)
		}
	}
	return nil
}

// source is a watched folder at work.
type source struct {
	w        *Watcher
	tenant   uid.ID
	id       uid.ID
	slug     string
	settings watch.Settings
	state    watch.State
	told     watch.State
	toldAt   time.Time
	seen     map[string]seen // by path
	done     map[string]seen // archived, but not moved yet
}

func (w *Watcher) newSource(v *archive.SourceView, slug string) (*source, error) {
	s := &source{w: w, tenant: v.Tenant, id: v.ID, slug: slug, seen: map[string]seen{}, done: map[string]seen{}}
	if len(v.State) > 0 && json.Unmarshal(v.State, &s.state) != nil {
		s.state = watch.State{}
	}
	set, err := watch.Parse(v.Settings)
	if err == nil {
		err = set.Check()
	}
	s.settings = set
	return s, err
}

// work looks into one folder again and again until ctx ends.
func (w *Watcher) work(ctx context.Context, v *archive.SourceView, slug string) {
	s, err := w.newSource(v, slug)
	pause := w.timings.poll
	for {
		if err != nil {
			s.state.Problem = problem(watch.CodeSettings, "The settings of this folder cannot be used. Save them again.", err)
		} else {
			s.pass(ctx)
		}
		if ctx.Err() != nil {
			return
		}
		s.tell(ctx)
		pause = w.next(pause, s.state.Problem)
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-w.wake(s.id):
		}
		t.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// next is the time to the next look: after troubles longer and longer, unless they are
// of single files, for which the others must not wait.
func (w *Watcher) next(last time.Duration, p *watch.Problem) time.Duration {
	switch {
	case p == nil || p.Code == watch.CodeOdd:
		return w.timings.poll
	case p.Code == watch.CodeRead || p.Code == watch.CodeMove:
		return 5 * w.timings.poll
	}
	return min(2*last, w.timings.longest)
}

// tell stores how the folder fares, when there is something new to tell.
func (s *source) tell(ctx context.Context) {
	now := s.w.Now().UTC().Truncate(time.Millisecond)
	s.state.LastAt = &now
	if s.state.Problem == nil {
		s.state.LastOKAt = &now
	}
	a, b := s.state, s.told
	a.LastAt, a.LastOKAt, b.LastAt, b.LastOKAt = nil, nil, nil, nil
	one, _ := json.Marshal(a)
	other, _ := json.Marshal(b)
	if bytes.Equal(one, other) && now.Sub(s.toldAt) < s.w.timings.tell {
		return
	}
	text, err := json.Marshal(s.state)
	if err == nil {
		err = s.w.Archive.SetSourceState(ctx, s.tenant, s.id, text)
	}
	if err != nil {
		s.w.Log.Warn("state of a watched folder not stored", "source", s.id, "error", err)
		return
	}
	s.told, s.toldAt = s.state, now
}
