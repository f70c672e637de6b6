package milter

import (
	"crypto/rand"
	"log/slog"
	"sync/atomic"

	"github.com/muniment/muniment/internal/ingest/wire"
)

// ErrClosed is returned by Serve after Shutdown.
var ErrClosed = wire.ErrClosed

// Server is a mail filter on any number of listeners. Make one with New. Shutdown
// closes connections on which no content is under way (the MTA then does what it is told
// to do without the filter: Postfix answers 451), and lets messages whose content has
// begun be finished and answered; what it cuts off is not answered.
type Server struct {
	*wire.Server
	cfg    Config
	stats  counters
	serial atomic.Uint64 // numbers the connections in the log
	secret [32]byte      // see transaction.origin
}

// New returns a server that listens nowhere yet.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg}
	rand.Read(s.secret[:])
	s.Server = wire.New(wire.Config{Protocol: "milter", Log: cfg.Log, Write: cfg.Limits.Write, Attend: s.attend})
	return s, nil
}

// attend runs one connection, or turns it away by leaving it: before the negotiation
// there are no words for a refusal.
func (s *Server) attend(c *wire.Conn) {
	peer := wire.Peer(c.RemoteAddr())
	log := s.cfg.Log.With(slog.Uint64("conn", s.serial.Add(1)), slog.String("peer", wire.PeerName(peer)))
	s.stats.connections.Add(1)
	if !wire.Allowed(s.cfg.Networks, peer) {
		s.stats.turnedAway.Add(1)
		log.Warn("milter: peer outside the allowed networks")
		return
	}
	defer s.stats.open.Add(-1)
	if others := s.stats.open.Add(1) - 1; !wire.Within(int(others), s.cfg.Limits.Connections) {
		s.stats.turnedAway.Add(1)
		log.Error("milter: too many connections", "limit", s.cfg.Limits.Connections)
		return
	}
	newSession(s, c, log).run()
}
