package smtp

import "sync/atomic"

// Stats count what happened since the server was made. All but Open only grow.
type Stats struct {
	Open           int64 // connections now
	Connections    int64 // of all peers, those turned away included
	TurnedAway     int64 // connections: network not allowed, or too many
	Accepted       int64 // messages acknowledged
	AcceptedBytes  int64
	Deferred       int64 // messages or recipients answered with 4xx for trouble on our side
	TooLarge       int64 // messages refused for their size
	UnknownAddress int64 // recipients refused
	Throttled      int64 // commands answered with 4xx for a limit on rate or number
	BrokenOff      int64 // messages whose data stopped before the end
	AuthFailed     int64
}

type counters struct {
	open, connections, turnedAway, accepted, acceptedBytes, deferred atomic.Int64
	tooLarge, unknownAddress, throttled, brokenOff, authFailed       atomic.Int64
}

// Stats returns the counters. It may be called at any time.
func (s *Server) Stats() Stats {
	c := &s.stats
	return Stats{
		Open:           c.open.Load(),
		Connections:    c.connections.Load(),
		TurnedAway:     c.turnedAway.Load(),
		Accepted:       c.accepted.Load(),
		AcceptedBytes:  c.acceptedBytes.Load(),
		Deferred:       c.deferred.Load(),
		TooLarge:       c.tooLarge.Load(),
		UnknownAddress: c.unknownAddress.Load(),
		Throttled:      c.throttled.Load(),
		BrokenOff:      c.brokenOff.Load(),
		AuthFailed:     c.authFailed.Load(),
	}
}
