package tspclient

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// Back-off after failures: doubled from the first to the last.
const (
	firstPause = 15 * time.Second
	lastPause  = 30 * time.Minute
)

// Quota is how many tokens may be spent, for they cost money.
type Quota struct {
	Limit  int64  // tokens per period; 0: without limit
	Period Period // "": for ever
}

// Period is how long a quota lasts, in UTC.
type Period string

// The periods.
const (
	Ever    Period = ""
	Daily   Period = "day"
	Monthly Period = "month"
	Yearly  Period = "year"
)

// label names the period that t lies in.
func (p Period) label(t time.Time) string {
	switch p {
	case Daily:
		return t.UTC().Format("2006-01-02")
	case Monthly:
		return t.UTC().Format("2006-01")
	case Yearly:
		return t.UTC().Format("2006")
	}
	return ""
}

// State is what is known about an authority's behaviour. It is a value: the
// methods return the next state, so that it can be stored anywhere.
type State struct {
	Failures int       `json:"failures"` // since the last success
	NextTry  time.Time `json:"nextTry"`  // not before
	LastGood time.Time `json:"lastGood"`
	Spent    int64     `json:"spent"`  // tokens in the period
	Period   string    `json:"period"` // "2026-11"
}

// Ready reports tsp.CodeBackOff or tsp.CodeQuota if the authority must not be asked now.
func (s State) Ready(now time.Time, q Quota) error {
	if now.Before(s.NextTry) {
		return fmt.Errorf("%w: not before %s, after %d failures", tsp.CodeBackOff, s.NextTry.UTC().Format(time.RFC3339), s.Failures)
	}
	if q.Limit > 0 && s.spent(now, q) >= q.Limit {
		return fmt.Errorf("%w: all %d tokens of the period are spent", tsp.CodeQuota, q.Limit)
	}
	return nil
}

func (s State) spent(now time.Time, q Quota) int64 {
	if s.Period != q.Period.label(now) {
		return 0
	}
	return s.Spent
}

// SpentNow returns how many tokens were spent in the period that now lies in.
func (s State) SpentNow(now time.Time, q Quota) int64 { return s.spent(now, q) }

// Remaining returns how many tokens may still be spent; -1: without limit.
func (s State) Remaining(now time.Time, q Quota) int64 {
	if q.Limit <= 0 {
		return -1
	}
	return max(0, q.Limit-s.spent(now, q))
}

// Succeeded returns the state after a token was received; interval is the least
// time until the next request.
func (s State) Succeeded(now time.Time, q Quota, interval time.Duration) State {
	s.Spent = s.spent(now, q) + 1
	s.Period = q.Period.label(now)
	s.Failures, s.LastGood, s.NextTry = 0, now, now.Add(interval)
	return s
}

// Failed returns the state after a failure. An answer that was refused counts
// as a token spent, because the authority does so too.
func (s State) Failed(now time.Time, q Quota, answered bool) State {
	if answered {
		s.Spent = s.spent(now, q) + 1
		s.Period = q.Period.label(now)
	}
	pause := firstPause << min(s.Failures, 16)
	s.Failures++
	s.NextTry = now.Add(min(pause, lastPause))
	return s
}

// Pool asks several authorities in order. Safe for concurrent use.
type Pool struct {
	authorities []Authority
	now         func() time.Time

	mu     sync.Mutex
	states map[string]State
}

// NewPool returns a pool of the authorities, the first being asked first, with
// the states of an earlier one (by name; may be nil). The clock rules back-off
// and quota; nil is time.Now.
func NewPool(authorities []Authority, states map[string]State, now func() time.Time) *Pool {
	p := &Pool{authorities: authorities, states: maps.Clone(states), now: now}
	if p.states == nil {
		p.states = map[string]State{}
	}
	if p.now == nil {
		p.now = time.Now
	}
	return p
}

// States returns a copy of the states, by name.
func (p *Pool) States() map[string]State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.states)
}

// Stamp returns a token on a hash value and the name of the authority that gave
// it. It asks each authority that is ready once, in order, and returns all
// their errors if none gives a token: the caller tries again later.
func (p *Pool) Stamp(ctx context.Context, h algo.Hash, imprint []byte) (*tsp.Token, string, error) {
	var errs []error
	for i := range p.authorities {
		a := &p.authorities[i]
		if err := p.ready(a); err != nil {
			errs = append(errs, fmt.Errorf("time-stamp authority %q: %w", a.Name, err))
			continue
		}
		t, err := a.Stamp(ctx, h, imprint)
		if err == nil {
			p.update(a, func(s State) State { return s.Succeeded(p.now(), a.Quota, a.Interval) })
			return t, a.Name, nil
		}
		if ctx.Err() != nil { // the caller has given up; no fault of the authority
			return nil, "", fmt.Errorf("time stamp: %w", errors.Join(append(errs, ctx.Err())...))
		}
		answered := !errors.Is(err, tsp.CodeHTTP) && !errors.Is(err, tsp.CodeStatus) && !errors.Is(err, tsp.CodeMediaType)
		p.update(a, func(s State) State { return s.Failed(p.now(), a.Quota, answered) })
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		return nil, "", fmt.Errorf("%w: no time-stamp authority is configured", tsp.CodeNoAuthority)
	}
	return nil, "", fmt.Errorf("no authority gave a time stamp: %w", errors.Join(errs...))
}

// Refuse notes that the token of an authority cannot be used: it counts as a failure,
// and the next authority gets its turn. The token is spent already.
func (p *Pool) Refuse(name string) {
	for i := range p.authorities {
		if a := &p.authorities[i]; a.Name == name {
			p.update(a, func(s State) State { return s.Failed(p.now(), a.Quota, false) })
		}
	}
}

// ready reports why a must not be asked now.
func (p *Pool) ready(a *Authority) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.states[a.Name].Ready(p.now(), a.Quota)
}

func (p *Pool) update(a *Authority, f func(State) State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.states[a.Name] = f(p.states[a.Name])
}
