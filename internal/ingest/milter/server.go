package milter

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosed is returned by Serve after Shutdown.
var ErrClosed = errors.New("milter: server closed")

// Server is a mail filter on any number of listeners. Make one with New.
type Server struct {
	cfg    Config
	stats  counters
	serial atomic.Uint64 // numbers the connections in the log
	secret [32]byte      // see transaction.origin

	ctx    context.Context // of all work; cancelled when Shutdown loses patience
	cancel context.CancelFunc

	mu        sync.Mutex
	closing   bool
	listeners map[net.Listener]struct{}
	wires     map[*wire]struct{}
	done      sync.WaitGroup
}

// New returns a server that listens nowhere yet.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, listeners: map[net.Listener]struct{}{}, wires: map[*wire]struct{}{}}
	rand.Read(s.secret[:])
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
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
		if s.isClosing() {
			return ErrClosed
		}
		var temporary interface{ Temporary() bool } // such as no file descriptor left
		if !errors.As(err, &temporary) || !temporary.Temporary() {
			return err
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.cfg.Log.Warn("milter: accept failed", "error", err, "retry_in", pause)
		select {
		case <-time.After(pause):
		case <-s.ctx.Done():
		}
	}
}

// Shutdown stops listening, closes connections on which no content is under way
// (the MTA then does what it is told to do without the filter: Postfix answers
// 451), lets messages whose content has begun be finished and answered, and
// returns when all connections are closed. When ctx ends first, the remaining
// ones are cut off unanswered and the context's error is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	for ln := range s.listeners {
		ln.Close()
	}
	for w := range s.wires {
		w.interrupt()
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
	for w := range s.wires {
		w.Close()
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

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// serve starts the session of a new connection, or turns it away by closing it:
// before the negotiation there are no words for a refusal.
func (s *Server) serve(conn net.Conn) {
	peer := addrOf(conn.RemoteAddr())
	log := s.cfg.Log.With(slog.Uint64("conn", s.serial.Add(1)), slog.String("peer", peerName(peer)))
	s.stats.connections.Add(1)
	if !s.allowed(peer) {
		s.stats.turnedAway.Add(1)
		log.Warn("milter: peer outside the allowed networks")
		conn.Close()
		return
	}
	w := &wire{Conn: conn, write: s.cfg.Limits.Write}
	s.mu.Lock()
	full := !within(len(s.wires), s.cfg.Limits.Connections)
	if s.closing || full {
		s.mu.Unlock()
		if full {
			s.stats.turnedAway.Add(1)
			log.Error("milter: too many connections", "limit", s.cfg.Limits.Connections)
		}
		conn.Close()
		return
	}
	s.wires[w] = struct{}{}
	s.done.Add(1)
	s.mu.Unlock()
	s.stats.open.Add(1)
	go func() {
		defer s.done.Done()
		defer s.forget(w)
		defer s.stats.open.Add(-1)
		newSession(s, w, log).run()
	}()
}

func (s *Server) forget(w *wire) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.wires, w)
	w.Close()
}

func (s *Server) allowed(peer netip.Addr) bool {
	if len(s.cfg.Networks) == 0 || !peer.IsValid() {
		return true
	}
	for _, n := range s.cfg.Networks {
		if n.Contains(peer) {
			return true
		}
	}
	return false
}

// addrOf returns the IP address of a; the zero Addr if it has none.
func addrOf(a net.Addr) netip.Addr {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// peerName returns what the log calls a peer.
func peerName(a netip.Addr) string {
	if !a.IsValid() {
		return "local"
	}
	return a.String()
}

// within reports whether one more than n is allowed.
func within(n, limit int) bool { return limit < 0 || n < limit }
