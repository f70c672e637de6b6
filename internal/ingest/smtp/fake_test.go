package smtp

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
)

// Journal addresses of the fake archive: two tenants, one of them with two
// sources.
const (
	alice  = "j-alice@archive.example"
	alice2 = "j-alice2@archive.example"
	bob    = "j-bob@archive.example"
	shut   = "j-shut@archive.example"
)

// stored is one message the fake archive took.
type stored struct {
	sub  archive.Submission
	data []byte
	aoid uid.ID
}

type refusal struct {
	source uid.ID
	bytes  int64
}

// fakeArchive keeps messages in memory.
type fakeArchive struct {
	sources map[string]*catalog.Source
	lookup  func(address string) error                            // if set, may fail
	ingest  func(ctx context.Context, s archive.Submission) error // if set, may fail or wait

	mu      sync.Mutex
	stored  []stored
	refused []refusal
}

func newFakeArchive() *fakeArchive {
	f := &fakeArchive{sources: map[string]*catalog.Source{}}
	a, b := uid.New(time.Now()), uid.New(time.Now())
	for addr, tenant := range map[string]uid.ID{alice: a, alice2: a, bob: b, shut: b} {
		f.sources[addr] = &catalog.Source{
			ID: uid.New(time.Now()), Tenant: tenant, Kind: "journal", JournalAddress: addr,
			Category: "mail of " + addr, Disabled: addr == shut,
		}
	}
	return f
}

func (f *fakeArchive) JournalSource(_ context.Context, address string) (*catalog.Source, error) {
	if f.lookup != nil {
		if err := f.lookup(address); err != nil {
			return nil, err
		}
	}
	if s, ok := f.sources[address]; ok {
		return s, nil
	}
	return nil, fmt.Errorf("journal address: %w", catalog.ErrNotFound)
}

func (f *fakeArchive) Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error) {
	if f.ingest != nil {
		if err := f.ingest(ctx, sub); err != nil {
			return archive.Receipt{}, err
		}
	}
	data, err := io.ReadAll(io.NewSectionReader(sub.Raw, 0, sub.Raw.Size()))
	if err != nil {
		return archive.Receipt{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	aoid := uid.New(time.Now())
	f.stored = append(f.stored, stored{sub, data, aoid})
	return archive.Receipt{AOID: aoid, SHA256: sha256.Sum256(data)}, nil
}

func (f *fakeArchive) Refused(_ context.Context, _, source uid.ID, bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused = append(f.refused, refusal{source, bytes})
}

// take returns what was stored since the last call.
func (f *fakeArchive) take() []stored {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stored
	f.stored = nil
	return s
}

// start runs a server for the test and returns it with its address.
func start(t testing.TB, f *fakeArchive, change func(*Config)) (*Server, string) {
	t.Helper()
	dir, err := spool.Open(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Archive: f, Spool: dir, Hostname: "mx.test", Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // tests that want a graceful end ask for it themselves
		_ = s.Shutdown(ctx)
		if err := <-served; err != ErrClosed {
			t.Errorf("Serve returned %v", err)
		}
		if n := dir.InMemory(); n != 0 {
			t.Errorf("%d bytes of spool memory were not given back", n)
		}
	})
	return s, ln.Addr().String()
}

// talk is a connection on which a test says exactly what it wants.
type talk struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

func dial(t testing.TB, addr string) *talk {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return over(t, conn)
}

func over(t testing.TB, conn net.Conn) *talk {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &talk{t, conn, bufio.NewReader(conn)}
}

// hello dials and says EHLO.
func hello(t testing.TB, addr string) *talk {
	t.Helper()
	c := dial(t, addr)
	c.expect("220 ")
	c.cmd("EHLO client.test", "250 ")
	return c
}

func (c *talk) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, s); err != nil {
		c.t.Fatalf("send %.40q: %v", s, err)
	}
}

// reply returns the lines of one reply.
func (c *talk) reply() string {
	c.t.Helper()
	var lines []string
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatalf("read reply: %v after %q", err, lines)
		}
		if !strings.HasSuffix(line, "\r\n") {
			c.t.Fatalf("reply line %q does not end with CR LF", line)
		}
		line = strings.TrimSuffix(line, "\r\n")
		lines = append(lines, line)
		if len(line) < 4 || line[3] != '-' {
			return strings.Join(lines, "\n")
		}
	}
}

func (c *talk) expect(prefix string) string {
	c.t.Helper()
	r := c.reply()
	last := r[strings.LastIndexByte(r, '\n')+1:]
	if !strings.HasPrefix(last, prefix) {
		c.t.Fatalf("reply %q, want %q", r, prefix)
	}
	return r
}

func (c *talk) cmd(line, prefix string) string {
	c.t.Helper()
	c.send(line + "\r\n")
	return c.expect(prefix)
}

func (c *talk) expectEnd() {
	c.t.Helper()
	if b, err := c.r.ReadByte(); err != io.EOF {
		c.t.Fatalf("connection goes on with %q, %v", b, err)
	}
}

// expectEndOrReset is for a door that hangs up before it has read everything.
func (c *talk) expectEndOrReset() {
	c.t.Helper()
	if b, err := c.r.ReadByte(); err == nil {
		c.t.Fatalf("connection goes on with %q", b)
	}
}

// envelope sends MAIL and RCPT.
func (c *talk) envelope(to ...string) {
	c.t.Helper()
	c.cmd("MAIL FROM:<sender@example.org>", "250 ")
	for _, a := range to {
		c.cmd("RCPT TO:<"+a+">", "250 ")
	}
}

// only returns the one message stored.
func only(t testing.TB, f *fakeArchive) stored {
	t.Helper()
	s := f.take()
	if len(s) != 1 {
		t.Fatalf("%d messages stored, want 1", len(s))
	}
	return s[0]
}
