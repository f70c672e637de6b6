// Package loopback has what the servers of tests share: a listener on the loopback
// interface that ends with its test, and certificates. It is for tests only.
package loopback

import (
	"net"
	"sync"
	"testing"
)

// Address is where Serve listens.
const Address = "127.0.0.1"

// Serve has each connection to a port of its own attended to, on a goroutine of its
// own, and closes it when attend returns. When the test ends it stops listening, closes
// all connections, and waits until all have been attended to. It returns where it
// listens.
func Serve(t testing.TB, attend func(net.Conn)) *net.TCPAddr {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(Address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	at, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("unexpected address %v", l.Addr())
	}
	s := &server{conns: map[net.Conn]bool{}, attend: attend}
	s.all.Go(func() { s.accept(l) })
	t.Cleanup(func() {
		l.Close()
		s.close()
		s.all.Wait()
	})
	return at
}

type server struct {
	attend func(net.Conn)
	all    sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]bool
}

func (s *server) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return // closed
		}
		if !s.add(conn) {
			return
		}
		s.all.Go(func() {
			s.attend(conn)
			conn.Close()
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.conns, conn)
		})
	}
}

func (s *server) add(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		conn.Close()
		return false
	}
	s.conns[conn] = true
	return true
}

func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.conns {
		c.Close()
	}
}
