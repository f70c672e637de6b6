// Package pop3d is a POP3 server for tests. It follows RFC 1939, 2449, 2595 and
// 5034, and misbehaves: always in small ways that no client may mind (it splits
// its packets at odd places, waits a little, writes in odd case), and in large
// ways where Options name a Misbehaviour.
//
// A test asks afterwards what has been deleted, and by which connection: a
// message that nobody asked to delete, or whose deletion was not confirmed by
// QUIT, must still be there.
//
//	pop3d.go       options; the maildrop
//	misbehave.go   the list of misbehaviours
//	session.go     a connection and its commands
//	login.go       STLS, USER and PASS, AUTH
//	output.go      how bytes leave: split, late, cut
//	message.go     messages on the wire
//	tls.go         certificates
package pop3d

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/muniment/muniment/internal/testkit/loopback"
)

// User, Password and Token are what the server accepts unless Options say
// something else.
const (
	User     = "reader@mailbox.example"
	Password = "open sesame"
	Token    = "ya29.invented-token"
)

// Options say what the server offers. The zero value offers everything except
// implicit TLS, and only misbehaves in the small ways.
type Options struct {
	User, Password, Token string
	ImplicitTLS           bool // encrypts from the first byte
	NoSTLS                bool // does not know STLS
	NoPlaintext           bool // takes no passwords before STLS
	NoCAPA                bool // does not know CAPA
	NoUIDL                bool // does not know UIDL
	NoSASL                bool // does not know AUTH
	NoUser                bool // does not know USER and PASS
	UTF8                  bool // knows UTF8 (RFC 6856)
	// Misbehave names the large misbehaviours of every connection.
	Misbehave []Misbehaviour
	// Calm leaves the small misbehaviours out.
	Calm bool
	// Seed chooses where packets are split; equal seeds split equally.
	Seed uint64
}

// Message is a message in the maildrop.
type Message struct {
	UID  string
	Size int64
	open func() io.Reader
}

// Raw returns the bytes as they were added.
func (m Message) Raw() []byte {
	b, _ := io.ReadAll(m.open()) // readers of tests do not fail
	return b
}

// Connection is what one connection has done.
type Connection struct {
	Commands  []string // verbs and arguments; passwords and tokens left out
	Encrypted bool
	LoggedIn  bool
	Asked     []string // unique ids that DELE named and RSET did not take back
	Deleted   []string // unique ids that its QUIT deleted
	Sent      int64    // bytes, before encryption
}

// Server is a running server. Its methods may be called concurrently.
type Server struct {
	Addr string // host:port

	opts   Options
	who    *loopback.Identity
	closed <-chan struct{}

	wrongs sync.Mutex // guards opts.Misbehave

	mu          sync.Mutex
	added       int
	messages    []Message
	deleted     []string
	connections []*Connection
	cuts        []int64
}

// New starts a server on the loopback interface. It ends with the test.
func New(t testing.TB, opts Options) *Server {
	t.Helper()
	if opts.User == "" {
		opts.User = User
	}
	if opts.Password == "" {
		opts.Password = Password
	}
	if opts.Token == "" {
		opts.Token = Token
	}
	for _, m := range opts.Misbehave {
		if !slices.Contains(Misbehaviours(), m) {
			t.Fatalf("pop3d: unknown misbehaviour %q", m)
		}
	}
	s := &Server{opts: opts, closed: t.Context().Done()}
	if err := s.makeCertificate(); err != nil {
		t.Fatal(err)
	}
	s.Addr = loopback.Serve(t, s.attend).String()
	return s
}

func (s *Server) attend(conn net.Conn) {
	rec, cut := &Connection{}, int64(-1)
	s.mu.Lock()
	s.connections = append(s.connections, rec)
	if len(s.cuts) > 0 {
		cut, s.cuts = s.cuts[0], s.cuts[1:]
	}
	n := len(s.connections)
	s.mu.Unlock()
	newSession(s, conn, rec, uint64(n), cut).serve() //nolint:errcheck // how it ended is in the record
}

// Add puts messages into the maildrop and returns the unique id of the last.
// One that does not end with CR LF is sent with one: POP3 has no other way.
func (s *Server) Add(raw ...[]byte) (uid string) {
	for _, m := range raw {
		uid = s.AddFunc(int64(len(m)), func() io.Reader { return bytes.NewReader(m) })
	}
	return uid
}

// AddFunc adds a message that is made anew each time somebody reads it, so that
// large ones need no memory.
func (s *Server) AddFunc(size int64, open func() io.Reader) (uid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.added++
	uid = fmt.Sprintf("uid-%06d", s.added)
	s.messages = append(s.messages, Message{UID: uid, Size: size, open: open})
	return uid
}

// Cut breaks the next connection that has none yet after n bytes have been sent
// to it, counted before encryption. Called again, it means the one after that.
func (s *Server) Cut(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cuts = append(s.cuts, n)
}

// Messages returns what is in the maildrop.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Deleted returns the unique ids of what was deleted, in that order.
func (s *Server) Deleted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deleted)
}

// Connections returns what all connections have done so far, the first first.
func (s *Server) Connections() []Connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Connection, len(s.connections))
	for i, c := range s.connections {
		out[i] = *c
		out[i].Commands = slices.Clone(c.Commands)
		out[i].Asked, out[i].Deleted = slices.Clone(c.Asked), slices.Clone(c.Deleted)
	}
	return out
}

// commit deletes what a connection has asked for.
func (s *Server) commit(rec *Connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, uid := range rec.Asked {
		i := slices.IndexFunc(s.messages, func(m Message) bool { return m.UID == uid })
		if i < 0 {
			continue // another connection was faster
		}
		s.messages = slices.Delete(s.messages, i, i+1)
		s.deleted = append(s.deleted, uid)
		rec.Deleted = append(rec.Deleted, uid)
	}
}

// record changes the record of a connection.
func (s *Server) record(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}
