package milter

import "sync/atomic"

// Stats count what happened since the server was made. All but Open only grow.
type Stats struct {
	Open          int64 // connections now
	Connections   int64 // of all peers, those turned away included
	TurnedAway    int64 // connections: network not allowed, or too many
	Accepted      int64 // messages archived and let go
	AcceptedBytes int64
	Deferred      int64 // messages answered with 451 for trouble on our side
	Missed        int64 // messages let go unarchived, as OnTrouble says
	Aborted       int64 // transactions the MTA gave up before their end, or whose connection was lost
	Malformed     int64 // connections ended because they did not keep to the protocol
}

type counters struct {
	open, connections, turnedAway, accepted, acceptedBytes atomic.Int64
	deferred, missed, aborted, malformed                   atomic.Int64
}

// Stats returns the counters. It may be called at any time.
func (s *Server) Stats() Stats {
	c := &s.stats
	return Stats{
		Open:          c.open.Load(),
		Connections:   c.connections.Load(),
		TurnedAway:    c.turnedAway.Load(),
		Accepted:      c.accepted.Load(),
		AcceptedBytes: c.acceptedBytes.Load(),
		Deferred:      c.deferred.Load(),
		Missed:        c.missed.Load(),
		Aborted:       c.aborted.Load(),
		Malformed:     c.malformed.Load(),
	}
}
