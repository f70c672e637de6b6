package smtp

import (
	"net"
	"sync"
	"time"
)

// wire is a connection that sets a deadline before each read and write, and
// whose wait for a command can be interrupted by a shutdown. Under TLS it
// carries the encrypted bytes, so the deadlines hold for the handshake too.
type wire struct {
	net.Conn
	write time.Duration

	mu          sync.Mutex
	idle        time.Duration // a single read may take this long
	until       time.Time     // and all reads of this phase together until here
	waiting     bool          // for a command: may be interrupted
	interrupted bool
}

// phase sets how long the coming reads may take: each, and in total. Waiting
// says that a shutdown need not wait for them.
func (w *wire) phase(idle, total time.Duration, waiting bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle, w.until, w.waiting = idle, time.Now().Add(total), waiting
}

// interrupt makes a read that waits for a command, now or later, fail.
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
	now := time.Now()
	deadline := now.Add(w.idle)
	if w.until.Before(deadline) {
		deadline = w.until
	}
	if w.interrupted && w.waiting {
		deadline = now.Add(-time.Second)
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
