package smtp

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/ingest/wire"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
)

func base64String(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func testSpool(t *testing.T) *spool.Dir {
	t.Helper()
	d, err := spool.Open(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	s, addr := start(t, newFakeArchive(), func(c *Config) { c.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	c := dial(t, addr)
	c.expect("554 5.7.1")
	c.expectEnd()
	if st := s.Stats(); st.TurnedAway != 1 {
		t.Errorf("stats %+v", st)
	}
	_, addr = start(t, newFakeArchive(), func(c *Config) { c.Networks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	hello(t, addr)

	s = &Server{cfg: Config{Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}}}
	for peer, want := range map[string]bool{
		"192.0.2.9:1": true, "[::ffff:192.0.2.9]:1": true, "192.0.3.1:1": false, "[2001:db8::1]:1": true, "[2001:db9::1]:1": false, "[fe80::1%eth0]:1": false,
	} {
		if got := wire.Allowed(s.cfg.Networks, wire.Peer(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(peer)))); got != want {
			t.Errorf("%s: %v", peer, got)
		}
	}
	if !wire.Allowed(s.cfg.Networks, wire.Peer(&net.UnixAddr{Name: "/run/x", Net: "unix"})) {
		t.Error("a local socket is not allowed")
	}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	_, addr := start(t, newFakeArchive(), func(c *Config) { c.Limits.ConnectionsPerPeer = 2 })
	first, _ := hello(t, addr), hello(t, addr)
	c := dial(t, addr)
	c.expect("421 4.7.0 too many connections")
	c.expectEnd()
	first.cmd("QUIT", "221 ")
	first.expectEnd()
	for { // the place is free a moment after the end of the connection
		c := dial(t, addr)
		if c.reply()[:3] == "220" {
			break
		}
	}
}

// What one peer or tenant uses up is not missing to another.
func TestLimiter(t *testing.T) {
	t.Parallel()
	l := newLimiter(Limits{Connections: 3, ConnectionsPerPeer: 2, MessagesPerPeer: 1, MessagesPerTenant: 1, ReceivingPerTenant: 1}.withDefaults())
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	six, neighbour := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff")
	for _, step := range []struct {
		what string
		got  bool
		want bool
	}{
		{"first of a", l.connect(a), true}, {"second of a", l.connect(a), true}, {"third of a", l.connect(a), false},
		{"first of b", l.connect(b), true}, {"a fourth in all", l.connect(six), false},
		{"message of a", l.messageFrom(a), true}, {"second message of a", l.messageFrom(a), false}, {"message of b", l.messageFrom(b), true},
		{"message of an IPv6 peer", l.messageFrom(six), true}, {"message from the same /64", l.messageFrom(neighbour), false},
	} {
		if step.got != step.want {
			t.Errorf("%s: %v", step.what, step.got)
		}
	}
	l.disconnect(a)
	if !l.connect(six) {
		t.Error("a place that was given back is not free")
	}
	x, y := uid.New(time.Now()), uid.New(time.Now())
	if !l.messageFor(x) || l.messageFor(x) || !l.messageFor(y) {
		t.Error("messages of tenants are not counted apart")
	}
	if !l.receive([]uid.ID{x}) || l.receive([]uid.ID{y, x}) || !l.receive([]uid.ID{y}) {
		t.Error("a message for two tenants must have both places or none")
	}
	l.received([]uid.ID{x})
	if !l.receive([]uid.ID{x}) {
		t.Error("a place that was given back is not free")
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	_, addr := start(t, newFakeArchive(), func(c *Config) { c.Limits.MessagesPerTenant = 2; c.Limits.MessagesPerPeer = 4 })
	c := hello(t, addr)
	c.envelope(alice, alice2) // of one tenant: counts once
	c.cmd("RSET", "250 ")
	c.envelope(alice, bob)
	c.cmd("RSET", "250 ")
	c.envelope(bob)
	c.cmd("RCPT TO:<"+alice+">", "451 4.7.1 too many messages for this recipient")
	c.cmd("RSET", "250 ")
	c.cmd("MAIL FROM:<a@b>", "250 ")
	c.cmd("RSET", "250 ")
	c.cmd("MAIL FROM:<a@b>", "451 4.7.1 too many messages from your network")
}

func TestReceivingAtOnce(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	_, addr := start(t, f, func(c *Config) { c.Limits.ReceivingPerTenant = 1 })
	first, second, other := hello(t, addr), hello(t, addr), hello(t, addr)
	first.envelope(alice)
	first.cmd("DATA", "354 ")
	second.envelope(alice2) // the same tenant
	second.cmd("DATA", "451 4.7.1 too many messages at once")
	other.envelope(bob)
	other.cmd("DATA", "354 ")
	first.cmd("x\r\n.", "250 ")
	second.envelope(alice2)
	second.cmd("DATA", "354 ")
	second.cmd("x\r\n.", "250 ")
	other.cmd("x\r\n.", "250 ")
	if n := len(f.take()); n != 3 {
		t.Errorf("%d stored", n)
	}
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	_, addr := start(t, newFakeArchive(), func(c *Config) { c.Limits.Recipients = 2 })
	c := hello(t, addr)
	c.envelope(alice, bob)
	c.cmd("RCPT TO:<"+alice2+">", "452 4.5.3")
}

// Addresses are not to be found by trying: unknown ones count as mistakes.
func TestTryingAddressesIsCutOff(t *testing.T) {
	t.Parallel()
	s, addr := start(t, newFakeArchive(), func(c *Config) { c.Limits.Errors = 3 })
	c := hello(t, addr)
	c.cmd("MAIL FROM:<a@b>", "250 ")
	c.cmd("RCPT TO:<j-1@archive.example>", "550 5.1.1")
	c.cmd("RCPT TO:<j-2@archive.example>", "550 5.1.1")
	c.cmd("RCPT TO:<"+shut+">", "421 4.7.0 too many errors")
	c.expectEnd()
	if st := s.Stats(); st.UnknownAddress != 3 {
		t.Errorf("stats %+v", st)
	}
}

func TestSilenceEndsTheConnection(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	_, addr := start(t, f, func(c *Config) {
		c.Limits.Command, c.Limits.DataIdle = 50*time.Millisecond, 50*time.Millisecond
	})
	c := dial(t, addr)
	c.expect("220 ")
	c.expect("421 4.4.2")
	c.expectEnd()
	c = hello(t, addr)
	c.envelope(alice)
	c.cmd("DATA", "354 ")
	c.send("half of it\r\n")
	c.expect("421 4.4.2")
	c.expectEnd()
	if n := len(f.take()); n != 0 {
		t.Errorf("%d stored", n)
	}
}

// A message that takes longer than all of it may take is cut off, however
// diligently the peer sends.
func TestWholeMessageHasATimeLimit(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	_, addr := start(t, f, func(c *Config) { c.Limits.Data = 100 * time.Millisecond })
	c := hello(t, addr)
	c.envelope(alice)
	c.cmd("DATA", "354 ")
	go func() {
		for {
			if _, err := c.conn.Write([]byte("x\r\n")); err != nil {
				return
			}
		}
	}()
	c.expect("421 4.4.2")
	if n := len(f.take()); n != 0 {
		t.Errorf("%d stored", n)
	}
}

// An archive that takes too long is trouble: the peer comes again, and if the
// archive did store the message after all, it will be a duplicate.
func TestSlowArchiveIsTemporary(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	f.ingest = func(ctx context.Context, _ archive.Submission) error { <-ctx.Done(); return ctx.Err() }
	_, addr := start(t, f, func(c *Config) { c.Limits.Ingest = 20 * time.Millisecond })
	c := hello(t, addr)
	c.envelope(alice)
	c.cmd("DATA", "354 ")
	c.cmd("x\r\n.", "451 4.3.0")
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	f := newFakeArchive()
	s, err := New(Config{Archive: f, Spool: testSpool(t), Hostname: "x", LMTP: true, Log: slog.New(slog.DiscardHandler),
		Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "lmtp")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c := over(t, conn)
	c.expect("220 x LMTP")
	c.cmd("LHLO x", "250 ")
	c.envelope(alice)
	c.cmd("DATA", "354 ")
	c.cmd("x\r\n.", "250 ")
	c.cmd("QUIT", "221 ")
	if m := only(t, f); m.sub.Peer != "local" {
		t.Errorf("peer %q", m.sub.Peer)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}
