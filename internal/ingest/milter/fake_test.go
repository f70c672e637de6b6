package milter

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
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

// stored is one message the fake archive took.
type stored struct {
	sub  archive.Submission
	data string
}

// fakeArchive keeps messages in memory.
type fakeArchive struct {
	ingest func(ctx context.Context, s archive.Submission) error // if set, may fail or wait

	mu      sync.Mutex
	stored  []stored
	refused []int64
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
	f.stored = append(f.stored, stored{sub, string(data)})
	return archive.Receipt{AOID: uid.New(time.Now()), SHA256: sha256.Sum256(data)}, nil
}

func (f *fakeArchive) Refused(_ context.Context, _, _ uid.ID, bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused = append(f.refused, bytes)
}

// take returns what was stored since the last call.
func (f *fakeArchive) take() []stored {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stored
	f.stored = nil
	return s
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

func testSource() *catalog.Source {
	now := time.Now()
	return &catalog.Source{ID: uid.New(now), Tenant: uid.New(now), Kind: "milter", Name: "Milter", Category: "mail"}
}

func testConfig(t testing.TB, f *fakeArchive) Config {
	t.Helper()
	dir, err := spool.Open(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	return Config{Archive: f, Spool: dir, Source: testSource(), Log: slog.New(slog.DiscardHandler)}
}

// start runs a server for the test and returns it with its address.
func start(t testing.TB, f *fakeArchive, change func(*Config)) (*Server, string) {
	t.Helper()
	cfg := testConfig(t, f)
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := Listen("inet:127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	run(t, s, ln)
	return s, ln.Addr().String()
}

// run serves until the test ends, and looks for what was not given back.
func run(t testing.TB, s *Server, ln net.Listener) {
	t.Helper()
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // tests that want a graceful end ask for it themselves
		_ = s.Shutdown(ctx)
		if err := <-served; !errors.Is(err, ErrClosed) {
			t.Errorf("Serve returned %v", err)
		}
		if n := s.cfg.Spool.InMemory(); n != 0 {
			t.Errorf("%d bytes of spool memory were not given back", n)
		}
		if st := s.Stats(); st.Open != 0 {
			t.Errorf("stats %+v", st)
		}
	})
}

// What MTAs offer: Postfix 3.7 does all of modern.
const (
	modern     = 0x1fffff
	allActions = 0x1ff
)

// mta is the MTA's side of a connection, on which a test says exactly what it
// wants.
type mta struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
	deal offer
}

func dial(t testing.TB, addr string) *mta {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return over(t, conn)
}

func over(t testing.TB, conn net.Conn) *mta {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &mta{t: t, conn: conn, r: bufio.NewReader(conn)}
}

// hello dials and negotiates as a modern MTA does.
func hello(t testing.TB, addr string) *mta {
	t.Helper()
	m := dial(t, addr)
	m.negotiate(6, allActions, modern)
	return m
}

func (m *mta) negotiate(version, actions, protocol uint32) []byte {
	m.t.Helper()
	m.send(cmdNegotiate, numbers(version, actions, protocol))
	data := m.expect(cmdNegotiate)
	if len(data) < 12 {
		m.t.Fatalf("negotiation: %q", data)
	}
	m.deal = offer{binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])}
	return data[12:]
}

func numbers(n ...uint32) string {
	var b []byte
	for _, v := range n {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return string(b)
}

func wirePacket(cmd byte, data string) []byte { return answer(cmd, []byte(data)) }

func (m *mta) send(cmd byte, data string) {
	m.t.Helper()
	if _, err := m.conn.Write(wirePacket(cmd, data)); err != nil {
		m.t.Fatalf("send %c %.40q: %v", cmd, data, err)
	}
}

func (m *mta) receive() (byte, string, error) {
	var head [5]byte
	if _, err := io.ReadFull(m.r, head[:]); err != nil {
		return 0, "", err
	}
	data := make([]byte, binary.BigEndian.Uint32(head[:])-1)
	_, err := io.ReadFull(m.r, data)
	return head[4], string(data), err
}

func (m *mta) expect(cmd byte) []byte {
	m.t.Helper()
	got, data, err := m.receive()
	if err != nil || got != cmd {
		m.t.Fatalf("answer %c %q, %v; want %c", got, data, err, cmd)
	}
	return []byte(data)
}

// say sends a command and takes the answer, if one was agreed on.
func (m *mta) say(cmd byte, data string) {
	m.t.Helper()
	m.send(cmd, data)
	noReply := map[byte]uint32{cmdConnect: noReplyConn, cmdHelo: noReplyHelo, cmdMail: noReplyMail, cmdRcpt: noReplyRcpt, cmdData: noReplyData,
		cmdUnknown: noReplyUnkn, cmdHeader: noReplyHeader, cmdEndOfHeader: noReplyEOH, cmdBody: noReplyBody}[cmd]
	if noReply != 0 && m.deal.protocol&noReply == 0 {
		m.expect(replyContinue)
	}
}

// envelope sends MAIL and RCPT with the macros Postfix sends.
func (m *mta) envelope(queue, from string, to ...string) {
	m.t.Helper()
	m.say(cmdMacro, "Mi\x00"+queue+"\x00{auth_authen}\x00\x00j\x00mx.test\x00")
	m.say(cmdMail, "<"+from+">\x00SIZE=5\x00")
	for _, a := range to {
		m.say(cmdMacro, "R{rcpt_addr}\x00"+a+"\x00")
		m.say(cmdRcpt, "<"+a+">\x00")
	}
	m.say(cmdData, "")
}

// content sends a message as an MTA does, in body chunks of at most chunk bytes.
func (m *mta) content(message string, chunk int) {
	m.t.Helper()
	head, body, _ := strings.Cut(message, "\r\n\r\n")
	for _, f := range fields(head + "\r\n") {
		name, value, _ := strings.Cut(f, ":")
		if m.deal.protocol&leadingSpace == 0 {
			value = strings.TrimPrefix(value, " ")
		}
		m.say(cmdHeader, name+"\x00"+strings.ReplaceAll(value, "\r\n", "\n")+"\x00")
	}
	m.say(cmdEndOfHeader, "")
	for len(body) > 0 {
		n := min(chunk, len(body))
		m.say(cmdBody, body[:n])
		body = body[n:]
	}
}

// fields splits a header into fields without their last line end.
func fields(head string) (all []string) {
	for line := range strings.SplitAfterSeq(head, "\r\n") {
		switch {
		case line == "":
		case strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t"):
			all[len(all)-1] += "\r\n" + strings.TrimSuffix(line, "\r\n")
		default:
			all = append(all, strings.TrimSuffix(line, "\r\n"))
		}
	}
	return all
}

// finish sends the end of the message and wants it archived.
func (m *mta) finish() {
	m.t.Helper()
	m.send(cmdEndOfBody, "")
	m.expect(replyContinue)
}

// putOff sends the end of the message and wants it put off.
func (m *mta) putOff(reply string) {
	m.t.Helper()
	m.send(cmdEndOfBody, "")
	if got := string(m.expect(replyCode)); !strings.HasPrefix(got, reply) || !strings.HasSuffix(got, "\x00") {
		m.t.Errorf("answer %q, want %q", got, reply)
	}
}

func (m *mta) deliver(queue, message string, to ...string) {
	m.t.Helper()
	m.envelope(queue, "sender@example.org", to...)
	m.content(message, 65535)
	m.finish()
}

// expectEnd wants the connection to be closed without another answer; a reset is
// an end as well.
func (m *mta) expectEnd() {
	m.t.Helper()
	var rest bytes.Buffer
	if _, err := rest.ReadFrom(m.r); rest.Len() > 0 || errors.Is(err, context.DeadlineExceeded) {
		m.t.Fatalf("connection goes on with %q, %v", rest.String(), err)
	}
}
