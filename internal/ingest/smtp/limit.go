package smtp

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/muniment/muniment/internal/ingest/wire"
	"github.com/muniment/muniment/internal/uid"
)

// sweepAbove is how many peers and tenants are remembered before those that
// have used nothing lately are forgotten.
const sweepAbove = 4096

// limiter counts what peers and tenants use. It is safe for concurrent use.
type limiter struct {
	limits Limits

	mu      sync.Mutex
	total   int
	peers   map[netip.Prefix]*usage
	tenants map[uid.ID]*usage
}

// usage is what one peer or tenant has in use.
type usage struct {
	now  int           // connections, or messages being received
	rate *rate.Limiter // messages per minute; nil: no limit
}

func newLimiter(l Limits) *limiter {
	return &limiter{limits: l, peers: map[netip.Prefix]*usage{}, tenants: map[uid.ID]*usage{}}
}

// perMinute allows n at once and n in any minute after that at most.
func perMinute(n int) *rate.Limiter {
	if n < 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(float64(n)/60), n)
}

func (u *usage) allow() bool { return u.rate == nil || u.rate.Allow() }

func (u *usage) idle(now time.Time) bool {
	return u.now == 0 && (u.rate == nil || u.rate.TokensAt(now) >= float64(u.rate.Burst()))
}

func entry[K comparable](m map[K]*usage, key K, messages int) *usage {
	if u, ok := m[key]; ok {
		return u
	}
	if len(m) >= sweepAbove {
		now := time.Now()
		for k, u := range m {
			if u.idle(now) {
				delete(m, k)
			}
		}
	}
	u := &usage{rate: perMinute(messages)}
	m[key] = u
	return u
}

// network is the peer as limits see it: one who has an IPv6 /64 has 2^64
// addresses.
func network(peer netip.Addr) netip.Prefix {
	bits := 32
	if peer.Is6() {
		bits = 64
	}
	p, err := peer.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address: all local peers together
	}
	return p
}

// connect counts a connection, unless it would be one too many.
func (l *limiter) connect(peer netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := entry(l.peers, network(peer), l.limits.MessagesPerPeer)
	if !wire.Within(l.total, l.limits.Connections) || !wire.Within(u.now, l.limits.ConnectionsPerPeer) {
		return false
	}
	l.total++
	u.now++
	return true
}

// disconnect takes back what connect counted.
func (l *limiter) disconnect(peer netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	l.peers[network(peer)].now--
}

// messageFrom counts a message of the peer, unless there were too many in the
// last minute.
func (l *limiter) messageFrom(peer netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return entry(l.peers, network(peer), l.limits.MessagesPerPeer).allow()
}

// messageFor counts a message for the tenant in the same way.
func (l *limiter) messageFor(tenant uid.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return entry(l.tenants, tenant, l.limits.MessagesPerTenant).allow()
}

// receive counts messages being received for each of the tenants, or none.
func (l *limiter) receive(tenants []uid.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range tenants {
		if !wire.Within(entry(l.tenants, t, l.limits.MessagesPerTenant).now, l.limits.ReceivingPerTenant) {
			return false
		}
	}
	for _, t := range tenants {
		entry(l.tenants, t, l.limits.MessagesPerTenant).now++
	}
	return true
}

// received takes back what receive counted.
func (l *limiter) received(tenants []uid.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range tenants {
		l.tenants[t].now--
	}
}
