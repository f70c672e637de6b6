package httpd

import (
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Failed log-ins that are let through within a window. An address is counted
// by its network, since one host has all of a /64.
const (
	failuresPerLogin   = 8
	failuresPerNetwork = 60
	throttleWindow     = 5 * time.Minute
	maxThrottled       = 20_000 // counters in memory
)

// throttle slows down guessing of passwords.
type throttle struct {
	now func() time.Time

	mu       sync.Mutex
	counters map[string]*counter
}

type counter struct {
	failures int
	until    time.Time // when the window ends
}

func newThrottle() *throttle {
	return &throttle{now: time.Now, counters: map[string]*counter{}}
}

// keys returns what an attempt is counted under, with the limits.
func throttleKeys(peer, login string) map[string]int {
	network := peer
	if a, err := netip.ParseAddr(peer); err == nil {
		bits := 32
		if a.Is6() && !a.Is4In6() {
			bits = 64
		}
		if p, err := a.Unmap().WithZone("").Prefix(bits); err == nil {
			network = p.String()
		}
	}
	return map[string]int{network: failuresPerNetwork, network + " " + strings.ToLower(strings.TrimSpace(login)): failuresPerLogin}
}

// take counts an attempt as failed before it is made, so that many at the same
// time are not let through together, and returns 0; or how long it has to wait.
func (t *throttle) take(peer, login string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, keys := t.now(), throttleKeys(peer, login)
	var wait time.Duration
	for key, limit := range keys {
		if c := t.counters[key]; c != nil && c.failures >= limit {
			wait = max(wait, c.until.Sub(now))
		}
	}
	if wait > 0 {
		return wait
	}
	if len(t.counters)+len(keys) > maxThrottled {
		t.sweep(now)
	}
	for key := range keys {
		c := t.counters[key]
		if c == nil || !now.Before(c.until) {
			c = &counter{until: now.Add(throttleWindow)}
			t.counters[key] = c
		}
		c.failures++
	}
	return 0
}

// sweep forgets windows that have ended; under attack from everywhere, all.
func (t *throttle) sweep(now time.Time) {
	for key, c := range t.counters {
		if !now.Before(c.until) {
			delete(t.counters, key)
		}
	}
	if len(t.counters) > maxThrottled/2 {
		clear(t.counters)
	}
}

// giveBack takes back what take counted for an attempt that did not fail.
func (t *throttle) giveBack(peer, login string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range throttleKeys(peer, login) {
		if c := t.counters[key]; c != nil && c.failures > 0 {
			c.failures--
		}
	}
}

// succeeded forgives the failures of one user at one place.
func (t *throttle) succeeded(peer, login string) {
	t.giveBack(peer, login)
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, limit := range throttleKeys(peer, login) {
		if limit == failuresPerLogin {
			delete(t.counters, key)
		}
	}
}
