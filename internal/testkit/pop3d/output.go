package pop3d

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"
)

const (
	// splits is in how many pieces one answer is sent at most; large messages
	// would take for ever otherwise.
	splits = 6
	// lateness is the longest wait between two pieces.
	lateness = 2 * time.Millisecond
	// drip is the wait between two bytes of a server that Drips.
	drip = 20 * time.Millisecond
)

var errCut = errors.New("cut")

// output sends bytes in odd pieces.
type output struct {
	s    *Server
	rec  *Connection
	conn net.Conn
	rand *rand.Rand
	cut  int64 // bytes that may still be sent; negative: no end
	slow bool
	lf   bool // CR LF becomes LF
}

// Write sends p whole, in several pieces unless the server is calm.
func (o *output) Write(p []byte) (int, error) {
	n := len(p)
	if o.lf {
		p = []byte(strings.ReplaceAll(string(p), "\r\n", "\n"))
	}
	for k := 0; len(p) > 0; k++ {
		piece := p
		switch {
		case o.slow:
			piece = p[:1]
			if !o.s.pause(drip) {
				return 0, net.ErrClosed
			}
		case !o.s.opts.Calm && k < splits && len(p) > 1:
			piece = p[:1+o.rand.IntN(min(len(p), 1+o.rand.IntN(len(p))))]
			if o.rand.IntN(4) == 0 && !o.s.pause(time.Duration(o.rand.Int64N(int64(lateness)))) {
				return 0, net.ErrClosed
			}
		}
		if err := o.send(piece); err != nil {
			return 0, err
		}
		p = p[len(piece):]
	}
	return n, nil
}

func (o *output) send(p []byte) error {
	end := o.cut >= 0 && int64(len(p)) >= o.cut
	if end {
		p = p[:o.cut]
	}
	// Counted before it is sent: who has read it may look at once.
	o.s.record(func() { o.rec.Sent += int64(len(p)) })
	n, err := o.conn.Write(p)
	o.s.record(func() { o.rec.Sent -= int64(len(p) - n) })
	if err != nil {
		return err
	}
	if end {
		return errCut
	}
	if o.cut > 0 {
		o.cut -= int64(n)
	}
	return nil
}

// pause waits, unless the server ends.
func (s *Server) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.closed:
		return false
	}
}

// silence lasts until the peer closes or the server ends.
func (c *session) silence() error {
	_, err := io.Copy(io.Discard, c.in)
	return errors.Join(io.EOF, err)
}

// repeat sends line for ever.
func (c *session) repeat(line string) error {
	many := []byte(strings.Repeat(line, 1+8192/len(line)))
	for {
		if err := c.out.send(many); err != nil {
			return err
		}
	}
}
