// Package wire takes the connections of doors that listen: it accepts them, sets
// their deadlines, and shuts the door without cutting off what is being received. It
// must not know what is spoken.
//
//	server.go  listeners, shutdown     conn.go  deadlines     peer.go  who is there
package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// ErrClosed is returned by Serve after Shutdown.
var ErrClosed = errors.New("server closed")

// Config says what a Server stands on. All of it is required.
type Config struct {
	Protocol string // for the log and errors
	Log      *slog.Logger
	Write    time.Duration // a single write may take this long

	// Attend runs a connection from its beginning to its end, on a goroutine of its
	// own. The connection is closed when it returns.
	Attend func(*Conn)
}

// Server takes connections on any number of listeners. Make one with New. All
// methods may be called at the same time.
type Server struct {
	cfg    Config
	ctx    context.Context // of all work; cancelled when Shutdown loses patience
	cancel context.CancelFunc

	mu        sync.Mutex
	closing   bool
	listeners map[net.Listener]struct{}
	conns     map[*Conn]struct{}
	done      sync.WaitGroup
}

// New returns a server that listens nowhere yet.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, listeners: map[net.Listener]struct{}{}, conns: map[*Conn]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Context is that of all work: it ends when Shutdown loses patience, and after it.
func (s *Server) Context() context.Context { return s.ctx }

// Closing says whether Shutdown was called.
func (s *Server) Closing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// Serve takes connections from ln until Shutdown, and then returns ErrClosed;
// any other error is the listener's. It may be called for several listeners.
func (s *Server) Serve(ln net.Listener) error {
	if !s.addListener(ln) {
		return errors.Join(ErrClosed, ln.Close())
	}
	defer s.removeListener(ln)
	pause := time.Duration(0)
	for {
		conn, err := ln.Accept()
		if err == nil {
			pause = 0
			s.serve(conn)
			continue
		}
		if s.Closing() {
			return ErrClosed
		}
		var temporary interface{ Temporary() bool } // such as no file descriptor left
		if !errors.As(err, &temporary) || !temporary.Temporary() {
			return fmt.Errorf("%s: %w", s.cfg.Protocol, err)
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.cfg.Log.Warn(s.cfg.Protocol+": accept failed", "error", err, "retry_in", pause)
		select {
		case <-time.After(pause):
		case <-s.ctx.Done():
		}
	}
}

// Shutdown stops listening, makes reads fail that wait for a peer to begin something,
// lets what has begun be finished, and returns when all connections are closed. When
// ctx ends first, the remaining ones are cut off, Context ends, and the error of ctx is
// returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	for ln := range s.listeners {
		ln.Close()
	}
	for c := range s.conns {
		c.interrupt()
	}
	s.mu.Unlock()

	idle := make(chan struct{})
	go func() { s.done.Wait(); close(idle) }()
	defer s.cancel()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	s.cancel()
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	<-idle
	return ctx.Err()
}

func (s *Server) addListener(ln net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.listeners[ln] = struct{}{}
	return true
}

func (s *Server) removeListener(ln net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, ln)
	ln.Close()
}

// serve has a new connection attended to.
func (s *Server) serve(conn net.Conn) {
	c := NewConn(conn, s.cfg.Write)
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		conn.Close()
		return
	}
	s.conns[c] = struct{}{}
	s.done.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.done.Done()
		defer s.forget(c)
		s.cfg.Attend(c)
	}()
}

func (s *Server) forget(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	c.Close()
}
