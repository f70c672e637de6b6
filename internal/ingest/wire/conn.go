package wire

import (
	"net"
	"sync"
	"time"
)

// Conn is a connection that sets a deadline before each read and write, and whose
// waiting reads can be interrupted by a shutdown. Under TLS it carries the encrypted
// bytes, so the deadlines hold for the handshake too. Reading and Phase are for one
// goroutine at a time.
type Conn struct {
	net.Conn
	write time.Duration

	mu          sync.Mutex
	each        time.Duration // a single read may take this long
	until       time.Time     // and all reads of this phase together until here
	waiting     bool          // for the peer to begin: may be interrupted
	interrupted bool
}

// NewConn returns conn with a limit for each write.
func NewConn(conn net.Conn, write time.Duration) *Conn { return &Conn{Conn: conn, write: write} }

// Phase sets how long the coming reads may take: each, unless that is 0, and all of
// them together until a point in time. Waiting says that a shutdown need not wait for
// them.
func (c *Conn) Phase(each time.Duration, until time.Time, waiting bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.each, c.until, c.waiting = each, until, waiting
}

// interrupt makes a read that waits, now or later, fail.
func (c *Conn) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interrupted = true
	if c.waiting {
		c.arm()
	}
}

// arm needs the lock. An error to set a deadline means that the connection is
// closed, which the read itself will find.
func (c *Conn) arm() {
	now := time.Now()
	deadline := c.until
	if each := now.Add(c.each); c.each > 0 && each.Before(deadline) {
		deadline = each
	}
	if c.interrupted && c.waiting {
		deadline = now.Add(-time.Second)
	}
	_ = c.SetReadDeadline(deadline)
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	c.arm()
	c.mu.Unlock()
	return c.Conn.Read(p)
}

// Write implements net.Conn.
func (c *Conn) Write(p []byte) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(c.write))
	return c.Conn.Write(p)
}
