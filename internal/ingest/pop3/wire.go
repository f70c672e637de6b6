package pop3

import (
	"context"
	"net"
	"sync"
	"time"
)

// wire is a connection that sets a deadline before each read and write. Under
// TLS it carries the encrypted bytes, so the deadlines hold for the handshake
// too.
type wire struct {
	net.Conn
	idle time.Duration // a single read or write may take this long

	mu          sync.Mutex
	exchange    int       // counts them
	until       time.Time // and all of this one together until here
	interrupted bool
}

// begin starts an exchange that may take total, and no longer than ctx allows.
// What it returns must be called at the end.
func (w *wire) begin(ctx context.Context, total time.Duration) (release func()) {
	w.mu.Lock()
	w.exchange++
	w.until, w.interrupted = time.Now().Add(total), false
	exchange := w.exchange
	w.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { w.interrupt(exchange) })
	return func() { stop() }
}

// interrupt makes a read or write of the exchange that is going on, or comes,
// fail at once. The next exchange is not touched by an interrupt that was late.
func (w *wire) interrupt(exchange int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.exchange == exchange {
		w.interrupted = true
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
	if w.interrupted {
		deadline = now.Add(-time.Second)
	}
	_ = w.SetDeadline(deadline)
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
	w.mu.Lock()
	w.arm()
	w.mu.Unlock()
	return w.Conn.Write(p)
}
