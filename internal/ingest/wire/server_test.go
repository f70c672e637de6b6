package wire

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

const patience = time.Minute // for what must happen; nothing waits for it to pass

// serving starts a server on a listener, and returns its address and what Serve says.
func serving(t *testing.T, attend func(*Server, *Conn), wrap func(net.Listener) net.Listener) (*Server, string, chan error) {
	t.Helper()
	var s *Server
	s = New(Config{Protocol: "test", Log: slog.New(slog.DiscardHandler), Write: patience, Attend: func(c *Conn) { attend(s, c) }})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(wrap(ln)) }()
	return s, ln.Addr().String(), served
}

func plain(ln net.Listener) net.Listener { return ln }

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// readByte reads one byte, and says so.
func readByte(c *Conn, waiting bool, read chan<- error) {
	c.Phase(0, time.Now().Add(patience), waiting)
	_, err := io.ReadFull(c, make([]byte, 1))
	read <- err
}

func TestShutdownWaitsForWhatHasBegun(t *testing.T) {
	t.Parallel()
	idle, busy, begun := make(chan error, 1), make(chan error, 1), make(chan struct{}, 2)
	var first atomic.Bool
	s, address, served := serving(t, func(_ *Server, c *Conn) {
		if first.CompareAndSwap(false, true) {
			begun <- struct{}{}
			readByte(c, true, idle)
			return
		}
		begun <- struct{}{}
		readByte(c, false, busy)
	}, plain)
	dial(t, address)
	<-begun
	sender := dial(t, address)
	<-begun
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(t.Context()) }()
	if err := <-idle; err == nil {
		t.Error("a read that waits for its peer is not interrupted")
	}
	if err := <-served; !errors.Is(err, ErrClosed) || !s.Closing() {
		t.Errorf("Serve: %v", err)
	}
	select {
	case err := <-ended:
		t.Fatalf("Shutdown does not wait for what has begun: %v", err)
	default:
	}
	if _, err := sender.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if err := <-busy; err != nil {
		t.Errorf("what had begun was cut off: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := s.Serve(listener(t)); !errors.Is(err, ErrClosed) {
		t.Errorf("Serve after Shutdown: %v", err)
	}
}

func listener(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func TestShutdownLosesPatience(t *testing.T) {
	t.Parallel()
	begun, busy := make(chan struct{}), make(chan error, 1)
	s, address, _ := serving(t, func(_ *Server, c *Conn) {
		close(begun)
		readByte(c, false, busy)
	}, plain)
	dial(t, address)
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := <-busy; err == nil || s.Context().Err() == nil {
		t.Error("a connection that does not end is not cut off")
	}
}

// short is a listener that has no file descriptor left, twice, and then breaks.
type short struct {
	net.Listener
	n int
}

type trouble bool

func (e trouble) Error() string   { return "trouble" }
func (e trouble) Temporary() bool { return bool(e) }

func (l *short) Accept() (net.Conn, error) {
	l.n++
	switch l.n {
	case 1, 2:
		return nil, trouble(true)
	case 3:
		return l.Listener.Accept()
	}
	return nil, trouble(false)
}

func TestAcceptFails(t *testing.T) {
	t.Parallel()
	met := make(chan struct{}, 1)
	_, address, served := serving(t, func(*Server, *Conn) { met <- struct{}{} }, func(ln net.Listener) net.Listener { return &short{Listener: ln} })
	dial(t, address)
	<-met
	if err := <-served; !errors.Is(err, trouble(false)) {
		t.Errorf("Serve: %v", err)
	}
}

func TestEachReadHasItsTime(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		each, total time.Duration
	}{{"each", time.Millisecond, patience}, {"all", 0, time.Millisecond}, {"all, each longer", patience, time.Millisecond}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			one, other := net.Pipe()
			defer one.Close()
			defer other.Close()
			c := NewConn(one, patience)
			c.Phase(tt.each, time.Now().Add(tt.total), false)
			var e net.Error
			if _, err := c.Read(make([]byte, 1)); !errors.As(err, &e) || !e.Timeout() {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestPeer(t *testing.T) {
	t.Parallel()
	networks := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	for _, tt := range []struct {
		addr    net.Addr
		name    string
		allowed bool
	}{
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 25}, "192.0.2.7", true},
		{net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[::ffff:192.0.2.7]:25")), "192.0.2.7", true},
		{net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[fe80::1%eth0]:25")), "fe80::1", false},
		{&net.UnixAddr{Name: "/run/x", Net: "unix"}, "local", true},
	} {
		peer := Peer(tt.addr)
		if PeerName(peer) != tt.name || Allowed(networks, peer) != tt.allowed || !Allowed(nil, peer) {
			t.Errorf("%v: %s, allowed: %v", tt.addr, PeerName(peer), Allowed(networks, peer))
		}
	}
	if !Within(5, -1) || Within(5, 5) || !Within(4, 5) || Within(0, 0) {
		t.Error("limits")
	}
}
