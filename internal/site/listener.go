package site

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// firstByte is how long a connection may take to send its first byte.
	firstByte = 10 * time.Second
	// undecided bounds the connections whose first byte has not come.
	undecided = 1000
	// tlsHandshake is the type of the first record of TLS (RFC 8446 §5.1).
	tlsHandshake = 0x16
)

// Listener takes TLS and plain connections at one port, by their first byte, so that
// a certificate can be set while people are connected without one. Accept returns a
// *tls.Conn for those that begin with a handshake while TLS is on.
type Listener struct {
	net.Listener
	config  *tls.Config
	on      func() bool
	ready   chan net.Conn
	ended   chan struct{}
	once    sync.Once
	waiting chan struct{}
	err     error // why ended was closed
}

// NewListener begins to accept from ln. on tells whether TLS is spoken at the moment;
// without it a handshake gets what plain HTTP answers to it.
func NewListener(ln net.Listener, config *tls.Config, on func() bool) *Listener {
	l := &Listener{Listener: ln, config: config, on: on, ready: make(chan net.Conn), ended: make(chan struct{}), waiting: make(chan struct{}, undecided)}
	go l.run()
	return l
}

func (l *Listener) run() {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
				continue
			}
			l.end(err)
			return
		}
		select {
		case l.waiting <- struct{}{}:
			go l.decide(c)
		default: // somebody opens connections and says nothing
			c.Close()
		}
	}
}

// decide looks at the first byte and hands the connection out.
func (l *Listener) decide(c net.Conn) {
	defer func() { <-l.waiting }()
	first := make([]byte, 1)
	if c.SetReadDeadline(time.Now().Add(firstByte)) != nil {
		c.Close()
		return
	}
	if _, err := c.Read(first); err != nil || c.SetReadDeadline(time.Time{}) != nil {
		c.Close()
		return
	}
	out := net.Conn(&peeked{Conn: c, first: first})
	if first[0] == tlsHandshake && l.on() {
		out = tls.Server(out, l.config)
	}
	select {
	case l.ready <- out:
	case <-l.ended:
		c.Close()
	}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.ended:
		return nil, l.err
	}
}

// Close implements net.Listener.
func (l *Listener) Close() error {
	err := l.Listener.Close()
	l.end(net.ErrClosed)
	return err
}

func (l *Listener) end(err error) {
	l.once.Do(func() { l.err = err; close(l.ended) })
}

// peeked gives back the byte that was looked at.
type peeked struct {
	net.Conn
	first []byte
}

func (p *peeked) Read(b []byte) (int, error) {
	if len(p.first) > 0 && len(b) > 0 {
		n := copy(b, p.first)
		p.first = p.first[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}
