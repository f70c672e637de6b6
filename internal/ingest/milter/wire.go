package milter

import (
	"net"
	"sync"
	"time"
)

// wire is a connection that sets a deadline before each read and write, and
// whose wait for a packet can be interrupted by a shutdown.
type wire struct {
	net.Conn
	write time.Duration

	mu          sync.Mutex
	until       time.Time // all reads of this phase end here
	waiting     bool      // between messages: may be interrupted
	interrupted bool
}

// phase sets until when the coming reads may take. Waiting says that a shutdown
// need not wait for them.
func (w *wire) phase(until time.Time, waiting bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until, w.waiting = until, waiting
}

// interrupt makes a read that waits, now or later, fail.
func (w *wire) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interrupted = true
	if w.waiting {
		w.arm()
	}
}

// arm needs the lock. An error to set a deadline means that the connection is
// closed, which the read itself will find.
func (w *wire) arm() {
	deadline := w.until
	if w.interrupted && w.waiting {
		deadline = time.Now().Add(-time.Second)
	}
	_ = w.SetReadDeadline(deadline)
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	w.mu.Lock()
	w.arm()
	w.mu.Unlock()
	return w.Conn.Read(p)
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	_ = w.SetWriteDeadline(time.Now().Add(w.write))
	return w.Conn.Write(p)
}
