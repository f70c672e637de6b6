package mailbox

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/remote"
)

// work fetches one source again and again until ctx ends.
func (f *Fetcher) work(ctx context.Context, v *archive.SourceView) {
	k := sourceKey{v.Tenant, v.ID}
	unlock, err := f.lock(ctx, k) // the worker before it may still be ending
	if err != nil {
		return
	}
	if fresh, err := f.find(ctx, k); err == nil {
		v = fresh // with the state that one has left
	}
	src := newSource(v)
	wake := f.wake(k)
	unlock()
	defer func() { src.hangUp(ctx) }()
	failures, force := 0, false
	for {
		if f.turn(ctx, v, src, force) != nil {
			return
		}
		if src.state.Problem == nil || goesOn(src.state.Problem.Code) {
			failures = 0
		} else {
			failures++
		}
		wait := f.pause(v, src, failures)
		if failures > 0 {
			src.hangUp(ctx)
		}
		if force, err = f.wait(ctx, src, wake, wait); err != nil {
			return
		}
	}
}

// turn does one fetch when it is the source's turn, and tells when the next is due.
func (f *Fetcher) turn(ctx context.Context, v *archive.SourceView, src *source, force bool) error {
	unlock, err := f.lock(ctx, src.key)
	if err != nil {
		return err
	}
	defer unlock()
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-f.slots }()
	return f.fetch(ctx, v, src, force)
}

// goesOn reports whether a problem is of single messages or folders only.
func goesOn(code string) bool {
	return code == remote.CodeFolder || code == remote.CodeUnreadable || code == remote.CodeNotDeleted
}

// needsSomebody reports whether a log-in cannot work before somebody does something.
func needsSomebody(code string) bool {
	switch code {
	case remote.CodeAuth, remote.CodeConsent, remote.CodeNotAssigned, remote.CodeClient, remote.CodeClientSecret, remote.CodeDirectory,
		remote.CodeLicence, remote.CodeScope, remote.CodeRevoked, remote.CodeToken:
		return true
	}
	return false
}

// pause is the time to the next fetch: the interval, or after failures longer and
// longer, with some chance in it, so that sources that failed together do not come
// back together. A wrong password is tried more slowly: servers lock accounts.
func (f *Fetcher) pause(v *archive.SourceView, src *source, failures int) time.Duration {
	every := remote.DefaultInterval
	if set, err := remote.Parse(v.Settings); err == nil {
		every = set.Every()
	}
	d := every
	if failures > 0 {
		d = f.timings.backoff
		if p := src.state.Problem; p != nil && needsSomebody(p.Code) {
			d *= 12
		}
		for range failures - 1 {
			if d *= 2; d >= f.timings.longest {
				break
			}
		}
		d = min(d, f.timings.longest)
		d = d*3/4 + time.Duration(rand.Int64N(int64(d)/2+1)) //nolint:gosec // chance is enough
	}
	return max(d, src.rest)
}

// wait returns when the next fetch is due: after a time, when there is new mail,
// or when somebody asks, which it reports.
func (f *Fetcher) wait(ctx context.Context, src *source, wake <-chan struct{}, d time.Duration) (asked bool, err error) {
	src.state.NextAt = new(f.Now().UTC().Add(d))
	(&task{f: f, src: src}).tell(ctx)
	conn := src.conn
	idle := make(chan struct{}, 1)
	ictx, stop := context.WithCancel(ctx)
	if conn != nil {
		go func() {
			defer close(idle)
			news, err := conn.Idle(ictx, d)
			if err == nil && news {
				idle <- struct{}{}
			}
		}()
	} else {
		close(idle)
	}
	// The connection is for one goroutine: it is left before another uses it.
	defer func() {
		stop()
		for range idle {
		}
	}()
	timer := time.NewTimer(d)
	defer timer.Stop()
	news := (<-chan struct{})(idle)
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-wake:
			return true, nil
		case <-timer.C:
			return false, nil
		case _, ok := <-news:
			if ok {
				return false, nil
			}
			news = nil // no more of it, until the time is over
		}
	}
}

// hangUp ends the connection that waits for news.
func (s *source) hangUp(ctx context.Context) {
	if s.conn == nil {
		return
	}
	if ctx.Err() == nil && s.conn.Usable() {
		_ = s.conn.Logout(ctx) // a courtesy
	} else {
		_ = s.conn.Close() // likewise
	}
	s.conn = nil
}
