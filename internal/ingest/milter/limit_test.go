package milter

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/ingest/wire"
)

const patience = 20 * time.Second

// until waits for ok, which other goroutines make true without telling.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for tick := time.NewTicker(5 * time.Millisecond); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("waited too long")
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Config){
		"no archive": func(c *Config) { c.Archive = nil }, "no spool": func(c *Config) { c.Spool = nil }, "no source": func(c *Config) { c.Source = nil },
		"message limit":               func(c *Config) { c.MaxMessage = archive.MaxMessage + 1 },
		"neither tempfail nor accept": func(c *Config) { c.OnTrouble = "reject" },
	} {
		cfg := testConfig(t, &fakeArchive{})
		change(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	s, addr := start(t, &fakeArchive{}, func(c *Config) { c.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	dial(t, addr).expectEnd()
	if st := s.Stats(); st.TurnedAway != 1 {
		t.Errorf("stats %+v", st)
	}
	for peer, want := range map[string]bool{"192.0.2.9:1": true, "[::ffff:192.0.2.9]:1": true, "192.0.3.1:1": false, "[2001:db9::1]:1": false} {
		if got := wire.Allowed(s.cfg.Networks, wire.Peer(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(peer)))); got != want {
			t.Errorf("%s: %v", peer, got)
		}
	}
	_, addr = start(t, &fakeArchive{}, func(c *Config) { c.Networks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	hello(t, addr)
}

func TestConnections(t *testing.T) {
	t.Parallel()
	s, addr := start(t, &fakeArchive{}, func(c *Config) { c.Limits.Connections = 2 })
	first := hello(t, addr)
	hello(t, addr)
	dial(t, addr).expectEnd()
	first.say(cmdQuit, "")
	first.expectEnd()
	until(t, func() bool { return s.Stats().Open == 1 })
	hello(t, addr)
	if st := s.Stats(); st.TurnedAway != 1 || st.Connections != 4 {
		t.Errorf("stats %+v", st)
	}
}

func TestTooManyRecipients(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	_, addr := start(t, f, func(c *Config) { c.Limits.Recipients = 2 })
	m := hello(t, addr)
	m.envelope("1", "a@example.org", "b@x", "c@x", "d@x")
	m.content(letter, 65535)
	m.putOff("451 4.3.4")
	m.deliver("2", letter, "b@x", "c@x")
	only(t, f)

	_, addr = start(t, f, func(c *Config) { c.Limits.Recipients = -1 })
	m = hello(t, addr)
	long := strings.Repeat("x", 1_000_000)
	m.envelope("1", "a@example.org", long, long, long, long, long)
	m.content(letter, 65535)
	m.putOff("451 4.3.4")
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	s, addr := start(t, f, func(c *Config) { c.MaxMessage = int64(len(letter)) + 100 })
	m := hello(t, addr)
	m.envelope("1", "a@example.org", "b@x")
	m.content(letter+strings.Repeat("x", 200_000), 1000)
	m.putOff("451 4.3.4")
	m.envelope("2", "a@example.org", "b@x")
	m.content(letter+strings.Repeat("x", 101), 1)
	m.putOff("451 4.3.4")
	m.deliver("3", letter+strings.Repeat("x", 100), "b@x")
	if got := only(t, f); len(got.data) != len(letter)+100 || s.Stats().Deferred != 2 {
		t.Errorf("%d bytes, stats %+v", len(got.data), s.Stats())
	}
}

// A header field or a piece of a body that is longer than any MTA sends is read
// to its end, and the message is put off.
func TestTooLongPackets(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	_, addr := start(t, f, nil)
	for _, protocol := range []uint32{modern, leadingSpace} {
		m := dial(t, addr)
		m.negotiate(6, 0, protocol)
		m.envelope("1", "a@example.org", "b@x")
		m.content("A: "+strings.Repeat("x", maxPacket)+"\r\n\r\nx\r\n", 65535)
		m.putOff("451 4.3.4")
		m.envelope("2", "a@example.org", "b@x")
		m.content("A: b\r\n\r\n"+strings.Repeat("x", maxPacket+1), maxPacket+1)
		m.putOff("451 4.3.4")
		m.deliver("3", letter, "b@x")
		only(t, f)
	}
}

func TestSilenceEndsTheConnection(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	_, addr := start(t, f, func(c *Config) {
		c.Limits.Idle, c.Limits.DataIdle, c.Limits.Packet = 100*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond
	})
	dial(t, addr).expectEnd()
	hello(t, addr).expectEnd()
	m := hello(t, addr)
	m.envelope("1", "a@example.org", "b@x")
	m.expectEnd()
	m = hello(t, addr)
	m.envelope("2", "a@example.org", "b@x")
	m.content(letter, 65535)
	m.expectEnd()
	m = hello(t, addr)
	if _, err := m.conn.Write([]byte("\x00\x00\x00\x10M<a@")); err != nil {
		t.Fatal(err)
	}
	m.expectEnd()
	if n := len(f.take()); n != 0 {
		t.Errorf("%d stored", n)
	}
}

// drip writes without end, a byte at a time.
func drip(conn net.Conn, b []byte) {
	for i := 0; ; i++ {
		if _, err := conn.Write(b[i%len(b) : i%len(b)+1]); err != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// A packet and a message that take longer than all of it may take are cut off,
// however diligently the peer sends.
func TestSlowPeers(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	_, addr := start(t, f, func(c *Config) { c.Limits.Packet = 200 * time.Millisecond })
	m := hello(t, addr)
	m.say(cmdMail, "<a@b>\x00")
	go drip(m.conn, append([]byte("\x00\x00\xff\xffR"), make([]byte, 65534)...))
	m.expectEnd()

	_, addr = start(t, f, func(c *Config) { c.Limits.Data = 200 * time.Millisecond })
	m = hello(t, addr)
	m.envelope("1", "a@example.org", "b@x")
	m.content(letter, 65535)
	go drip(m.conn, wirePacket(cmdBody, "x"))
	m.expectEnd()
	if n := len(f.take()); n != 0 {
		t.Errorf("%d stored", n)
	}
}

// An archive that takes too long is trouble.
func TestSlowArchiveIsTrouble(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{ingest: func(ctx context.Context, _ archive.Submission) error { <-ctx.Done(); return ctx.Err() }}
	_, addr := start(t, f, func(c *Config) { c.Limits.Ingest = 20 * time.Millisecond })
	m := hello(t, addr)
	m.envelope("1", "a@example.org", "b@x")
	m.content(letter, 65535)
	m.putOff("451 4.3.0")
}

func TestShutdownLetsAMessageBeFinished(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	s, addr := start(t, f, nil)
	idle, waiting, busy := hello(t, addr), hello(t, addr), dial(t, addr)
	busy.negotiate(6, allActions, modern&^noReplyBody) // an answer tells that all before it was read
	waiting.envelope("1", "a@example.org", "b@x")      // its content may be long in coming
	busy.envelope("2", "a@example.org", "b@x")
	busy.content("A: b\r\n\r\nfirst", 65535)
	busy.say(cmdBody, " half")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(ctx) }()
	idle.expectEnd()
	waiting.expectEnd()
	busy.say(cmdBody, ", second half")
	busy.finish()
	busy.expectEnd()
	if err := <-down; err != nil {
		t.Error(err)
	}
	if m := only(t, f); m.data != "A: b\r\n\r\nfirst half, second half" {
		t.Errorf("stored %q", m.data)
	}
}

func TestShutdownThatLosesPatienceAnswersNothing(t *testing.T) {
	t.Parallel()
	for _, how := range []OnTrouble{Tempfail, Accept} {
		started := make(chan struct{})
		f := &fakeArchive{ingest: func(ctx context.Context, _ archive.Submission) error {
			close(started)
			<-ctx.Done()
			return ctx.Err()
		}}
		s, addr := start(t, f, func(c *Config) { c.OnTrouble = how })
		m := hello(t, addr)
		m.envelope("1", "a@example.org", "b@x")
		m.content(letter, 65535)
		m.send(cmdEndOfBody, "")
		<-started
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown returned %v", err)
		}
		m.expectEnd()
		if len(f.take()) != 0 || len(f.refused) != 0 {
			t.Errorf("%s: stored or counted", how)
		}
	}
}

func TestUnixSocket(t *testing.T) {
	t.Parallel()
	f := &fakeArchive{}
	cfg := testConfig(t, f)
	cfg.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "milter")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	ln, err := Listen("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o660 || st.Mode()&fs.ModeSocket == 0 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	run(t, s, ln)
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	m := over(t, conn)
	m.negotiate(6, allActions, modern)
	m.deliver("1", letter, "b@x")
	if got := only(t, f); got.data != letter {
		t.Errorf("stored %q", got.data)
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for spec, want := range map[string]string{"127.0.0.1:8899": "want inet:", "inet:8899": "want inet:", "unix:": "want inet:", "": "want inet:", "unix:" + file: "is no socket"} {
		if _, err := Listen(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", spec, err)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "precious" {
		t.Errorf("%q, %v", b, err)
	}
}
