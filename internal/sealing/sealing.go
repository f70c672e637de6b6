// Package sealing has the archive's objects stamped: it puts what is new into a
// batch now and then, asks an authority for a time stamp on it, and comes again until
// one has given it. Ingest never waits for any of that.
//
// At most one batch waits for its time stamp: what arrives meanwhile comes into the
// next one, so that an authority that was away for a week costs one token more and
// not hundreds. Several processes may seal the same archive: at worst a token is
// asked for twice, and one of them counts.
//
//	sealing.go    Sealer, the clock        ask.go    authorities as the network sees them
//	stamp.go      one batch, one stamp     trial.go  trying the settings of an authority
//	renew.go      what comes near its end  state.go  what authorities have cost
package sealing

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/evidence/tspclient"
	"github.com/muniment/muniment/internal/seal"
)

// Config says what a Sealer stands on. Archive is required.
type Config struct {
	Archive *archive.Archive
	Log     *slog.Logger
	Now     func() time.Time
	// Qualifier looks time stamps up in trusted lists; nil: none is ever qualified.
	Qualifier tsp.Qualifier
}

// Sealer seals. Its methods may be called concurrently.
type Sealer struct {
	cfg  Config
	look time.Duration // between two looks at the clock
	wake chan struct{} // capacity 1: look at once

	working  sync.Mutex // held while a round is under way
	renewing sync.Mutex // held while renewals are made

	mu     sync.Mutex // guards what follows
	pool   *tspclient.Pool
	asked  map[string]seal.Authority // of the pool, by name
	made   string                    // of which settings the pool was made
	warned time.Time                 // when the alarm was last logged

	renewed time.Time // when it was last looked for what has to be renewed
}

// lookEvery is the time between two looks at the clock.
const lookEvery = 5 * time.Second

// New makes a sealer that does nothing before Run.
func New(c Config) (*Sealer, error) {
	if c.Archive == nil {
		return nil, errors.New("sealing: no archive")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Sealer{cfg: c, look: lookEvery, wake: make(chan struct{}, 1)}, nil
}

// Wake has the sealer look at once, for instance after a change of settings.
func (s *Sealer) Wake() {
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run seals until ctx ends. What cannot be done is logged; Run ends for nothing but
// ctx.
func (s *Sealer) Run(ctx context.Context) {
	var beside sync.WaitGroup
	beside.Go(func() { s.renewals(ctx) })
	defer beside.Wait()
	look := time.NewTimer(0)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-look.C:
		}
		if _, err := s.round(ctx, false); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("sealing", "error", err)
		}
		s.alarm(ctx)
		look.Reset(s.look)
	}
}

// Now seals all that there is, whatever the clock and earlier failures say.
func (s *Sealer) Now(ctx context.Context) (seal.Report, error) { return s.round(ctx, true) }

// maxBatches bounds the batches of a round.
const maxBatches = 1000

// round stamps what waits, and puts into batches what is due.
func (s *Sealer) round(ctx context.Context, now bool) (r seal.Report, err error) {
	s.working.Lock()
	defer s.working.Unlock()
	set, err := s.cfg.Archive.SealSetting(ctx)
	if err != nil {
		return r, err
	}
	if len(set.Active()) == 0 {
		r.NoAuthority = true
		return r, nil
	}
	for range maxBatches {
		if err := s.stampAll(ctx, now, &r); err != nil {
			return r, err
		}
		s.attach(ctx)
		if r.Pending > 0 {
			return r, nil
		}
		if !now {
			last, err := s.cfg.Archive.LastSeal(ctx)
			if err != nil {
				return r, err
			}
			if last != nil && s.cfg.Now().Sub(last.CreatedAt) < set.Every() {
				return r, nil
			}
		}
		began := s.cfg.Now()
		b, more, err := s.cfg.Archive.PrepareSeal(ctx)
		if err != nil {
			return r, err
		}
		if b == nil {
			return r, nil
		}
		r.Batches++
		r.Objects += b.Leaves
		s.cfg.Log.Info("batch made", "batch", b.ID, "objects", b.Leaves, "tenants", b.Trees, "took", s.cfg.Now().Sub(began).Round(time.Millisecond))
		now = now || more
	}
	return r, nil
}

// Backlog tells what has no time stamp yet.
func (s *Sealer) Backlog(ctx context.Context) (archive.SealLag, error) {
	return s.cfg.Archive.SealLag(ctx, s.cfg.Now())
}

// alarm logs, at most once an hour, that objects wait for too long.
func (s *Sealer) alarm(ctx context.Context) {
	now := s.cfg.Now()
	s.mu.Lock()
	quiet := now.Sub(s.warned) < time.Hour
	s.mu.Unlock()
	if quiet {
		return
	}
	b, err := s.Backlog(ctx)
	if err != nil || !b.Alarm {
		return
	}
	s.cfg.Log.Warn("objects wait too long for a time stamp", "objects", b.Waiting+b.Pending, "oldest", b.Oldest, "batches", b.Batches)
	s.mu.Lock()
	s.warned = now
	s.mu.Unlock()
}
