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

// wait returns how long an attempt has to wait, 0 if it may go on.
func (t *throttle) wait(peer, login string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	var wait time.Duration
	for key, limit := range throttleKeys(peer, login) {
		if c := t.counters[key]; c != nil && c.failures >= limit {
			wait = max(wait, c.until.Sub(t.now()))
		}
	}
	return wait
}

func (t *throttle) failed(peer, login string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if len(t.counters) >= maxThrottled {
		t.sweep(now)
	}
	for key := range throttleKeys(peer, login) {
		c := t.counters[key]
		if c == nil || !now.Before(c.until) {
			c = &counter{until: now.Add(throttleWindow)}
			t.counters[key] = c
		}
		c.failures++
	}
}

// sweep forgets windows that have ended; under attack from everywhere, all.
func (t *throttle) sweep(now time.Time) {
	for key, c := range t.counters {
		if !now.Before(c.until) {
			delete(t.counters, key)
		}
	}
	if len(t.counters) >= maxThrottled {
		clear(t.counters)
	}
}

// succeeded forgives the failures of one user at one place.
func (t *throttle) succeeded(peer, login string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, limit := range throttleKeys(peer, login) {
		if limit == failuresPerLogin {
			delete(t.counters, key)
		}
	}
}
