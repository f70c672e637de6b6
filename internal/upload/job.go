package upload

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/muniment/muniment/internal/uid"
)

// What follows is for whoever archives what is complete.

// Ready tells that there may be something to archive.
func (s *Store) Ready() <-chan struct{} { return s.ready }

func (s *Store) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// Take hands out an upload that is to be archived, the oldest first; nil if there is
// none. One that an earlier process was at work on is among them. The context ends
// when the upload is cancelled. It has to be given back with Finished or Postpone.
func (s *Store) Take(ctx context.Context) (*Upload, context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var next *entry
	for _, e := range s.all {
		if (e.upload.State == Waiting || e.upload.State == Working) && e.cancel == nil &&
			(next == nil || e.upload.ID.Compare(next.upload.ID) < 0) {
			next = e
		}
	}
	if next == nil {
		return nil, nil
	}
	ctx, next.cancel = context.WithCancel(ctx)
	if next.upload.State == Waiting {
		next.upload.State = Working // on disk it need not be told from waiting
	}
	u := next.upload
	return &u, ctx
}

// Data is the path of the file with the bytes of an upload.
func (s *Store) Data(id uid.ID) string { return s.path(id, dataFile) }

// Dir is a directory for notes about an upload; it vanishes with it.
func (s *Store) Dir(id uid.ID) string { return filepath.Join(s.dir, id.String()) }

// Progress tells what has become of an upload so far.
func (s *Store) Progress(id uid.ID, r Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.all[id]; e != nil && e.cancel != nil {
		e.upload.Result = &r
	}
}

// Postpone gives an upload back that cannot be archived at present.
func (s *Store) Postpone(id uid.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.all[id]
	if e == nil {
		return
	}
	e.done()
	if e.gone {
		s.remove(e) //nolint:errcheck // Sweep and the next start try again
		return
	}
	e.upload.State = Waiting
}

// Finished gives an upload back with what became of it: a result, or the reason why
// there is none. Its bytes are removed.
func (s *Store) Finished(id uid.ID, r *Result, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.all[id]
	if e == nil {
		return ErrNotFound
	}
	e.done()
	if e.gone {
		return s.remove(e)
	}
	u := e.upload
	u.State, u.Result, u.Reason, u.ChangedAt = Done, r, reason, s.now()
	if reason != "" {
		u.State = Failed
	}
	if err := s.save(&u); err != nil {
		e.upload.State = Waiting // it is done once more; nothing is recorded twice
		return err
	}
	s.used[u.Owner.Tenant] -= e.upload.reserved()
	e.upload = u
	if err := os.Remove(s.Data(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// done ends the work. s.mu is held.
func (e *entry) done() {
	if e.cancel != nil {
		e.cancel()
		e.cancel = nil
	}
}
