package imap

import (
	"errors"
	"net"
	"sync"
	"time"
)

// wire is a connection with a deadline for every read and write. The deadlines
// that others set on it do nothing: those of the present phase hold, under TLS
// too.
type wire struct {
	net.Conn

	mu          sync.Mutex
	silence     time.Duration // for a single read or write; zero: nothing is awaited
	until       time.Time     // for all of the phase together
	interrupted bool
	err         error // why reading ended
}

// phase sets how long the coming reads and writes, and one under way, may
// take: each, and in total.
func (w *wire) phase(silence, total time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silence, w.until = silence, time.Now().Add(total)
	_ = w.Conn.SetReadDeadline(w.deadline()) // fails only on a closed connection
}

// rest ends the phase: nothing is awaited, so nothing can come too late.
func (w *wire) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silence = 0
	_ = w.Conn.SetReadDeadline(w.deadline())
}

// interrupt makes all reads and writes fail from now on.
func (w *wire) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interrupted = true
	_ = w.Conn.SetDeadline(time.Unix(1, 0))
}

// deadline needs the lock.
func (w *wire) deadline() time.Time {
	switch now := time.Now(); {
	case w.interrupted:
		return time.Unix(1, 0)
	case w.silence == 0:
		return time.Time{}
	case now.Add(w.silence).After(w.until):
		return w.until
	default:
		return now.Add(w.silence)
	}
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	w.mu.Lock()
	_ = w.Conn.SetReadDeadline(w.deadline())
	w.mu.Unlock()
	n, err := w.Conn.Read(p)
	w.failed(err)
	return n, err
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	_ = w.Conn.SetWriteDeadline(w.deadline())
	w.mu.Unlock()
	n, err := w.Conn.Write(p)
	w.failed(err)
	return n, err
}

// failed keeps the first error that was not our own closing.
func (w *wire) failed(err error) {
	if err == nil || errors.Is(err, net.ErrClosed) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && !w.interrupted {
		w.err = err
	}
}

// cause returns why the connection failed, or nil, and whether we ended it.
func (w *wire) cause() (failure error, interrupted bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err, w.interrupted
}

// SetDeadline implements net.Conn and does nothing.
func (*wire) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn and does nothing.
func (*wire) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn and does nothing.
func (*wire) SetWriteDeadline(time.Time) error { return nil }
