package imapd

import (
	"errors"
	"math/rand/v2"
	"net"
)

// errCut is returned when the connection has been cut on purpose.
var errCut = errors.New("cut")

// wire sends in packets of odd sizes, and cuts the connection where it shall.
type wire struct {
	net.Conn
	rnd  *rand.Rand // nil: in packets as they come
	left int64      // until the cut; negative: none
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (n int, err error) {
	cut := w.left >= 0 && int64(len(p)) >= w.left
	if cut {
		p = p[:w.left]
	}
	for pieces := 0; len(p) > 0; pieces++ {
		size := len(p)
		if w.rnd != nil && pieces < 3 {
			size = 1 + w.rnd.IntN(len(p))
		}
		m, err := w.Conn.Write(p[:size])
		n += m
		if err != nil {
			return n, err
		}
		p = p[size:]
	}
	if w.left >= 0 {
		w.left -= int64(n)
	}
	if cut {
		w.Close()
		return n, errCut
	}
	return n, nil
}
