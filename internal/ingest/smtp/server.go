package smtp

import (
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/muniment/muniment/internal/ingest/wire"
)

// ErrClosed is returned by Serve after Shutdown.
var ErrClosed = wire.ErrClosed

// Server receives mail on any number of listeners. Make one with New. Shutdown tells
// waiting peers to come again (421), and lets messages that are being received be
// finished and acknowledged; what it cuts off is not acknowledged.
type Server struct {
	*wire.Server
	cfg     Config
	limiter *limiter
	stats   counters
	serial  atomic.Uint64 // numbers the connections in the log
}

// New returns a server that listens nowhere yet.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, limiter: newLimiter(cfg.Limits)}
	s.Server = wire.New(wire.Config{Protocol: "smtp", Log: cfg.Log, Write: cfg.Limits.Write, Attend: s.attend})
	return s, nil
}

// attend runs one connection from greeting to end.
func (s *Server) attend(w *wire.Conn) {
	peer := wire.Peer(w.RemoteAddr())
	log := s.cfg.Log.With(slog.Uint64("conn", s.serial.Add(1)), slog.String("peer", wire.PeerName(peer)))
	s.stats.connections.Add(1)
	if !wire.Allowed(s.cfg.Networks, peer) {
		s.turnAway(w, "554 5.7.1 your network is not allowed here")
		log.Warn("smtp: peer outside the allowed networks")
		return
	}
	if !s.limiter.connect(peer) {
		s.turnAway(w, "421 4.7.0 too many connections, try again later")
		log.Warn("smtp: too many connections")
		return
	}
	defer s.limiter.disconnect(peer)
	s.stats.open.Add(1)
	defer s.stats.open.Add(-1)
	newSession(s, w, peer, log).run()
}

func (s *Server) turnAway(w *wire.Conn, reply string) {
	s.stats.turnedAway.Add(1)
	if !s.cfg.ImplicitTLS {
		// The peer may be gone already; there is nobody to tell then.
		_, _ = io.WriteString(w, reply+"\r\n")
	}
}
