// Package imapd is an IMAP server for tests that misbehaves: always a little,
// and badly where a test asks for it. It is written at the level of the wire
// and knows no more of IMAP than clients of this project need: LOGIN,
// AUTHENTICATE, STARTTLS, LIST, STATUS, SELECT, EXAMINE, UID FETCH, UID STORE,
// UID SEARCH, EXPUNGE, UID EXPUNGE, IDLE, NOOP, LOGOUT. It is for tests only.
//
//	s := imapd.New(t, imapd.Options{})
//	uid := s.Add("INBOX", []byte("Subject: one\r\n\r\n1\r\n"))
//	… a client at s.Host, s.Port with s.User and s.Password …
//	s.Deleted("INBOX")   // what clients expunged, in order
//	s.Mailbox("INBOX")   // what is left
//
// Unless Options.Polite is set, all servers split packets oddly, say untagged
// things nobody asked for and vary the case of words: clients must not care.
// What else can be wrong is in misbehave.go, one constant for each.
//
//	imapd.go      the server as tests see it
//	mailbox.go    folders and messages
//	misbehave.go  what can be wrong
//	session.go    one connection: greeting, log-in, dispatch
//	command.go    parsing of commands
//	folder.go     LIST, STATUS, SELECT, IDLE
//	fetch.go      FETCH and its misbehaviour
//	change.go     STORE, EXPUNGE, SEARCH
//	wire.go       odd packets and cuts
package imapd

import (
	"crypto/tls"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/muniment/muniment/internal/testkit/loopback"
)

// User, Password and Token are what a server takes unless Options says else.
const (
	User     = "reader@mailbox.example"
	Password = `pass "word\ grüß`
	Token    = "ya29.token-of-a-test"
)

// Options choose what the server is like; the zero value is a server that
// offers everything and means well.
type Options struct {
	User, Password, Token string
	ImplicitTLS           bool // speak TLS from the first byte
	Polite                bool // none of the small misbehaviour
	Without               []string
	Misbehave             []Misbehaviour
}

// Server is a running server. Its methods may be called concurrently.
type Server struct {
	Host string
	Port int
	User string
	Password,
	Token string

	opts Options
	who  func() *loopback.Identity // made when first needed

	mu       sync.Mutex
	folders  map[string]*folder
	wrong    map[Misbehaviour]bool
	cut      int64 // bytes after which a connection is cut; negative: never
	opened   int
	commands []string
	changed  chan struct{} // closed and replaced when a folder changes
}

// New starts a server with an empty INBOX. It ends with the test.
func New(t testing.TB, opts Options) *Server {
	t.Helper()
	s := &Server{
		opts: opts, User: opts.User, Password: opts.Password, Token: opts.Token,
		folders: map[string]*folder{}, wrong: map[Misbehaviour]bool{}, cut: -1,
		changed: make(chan struct{}),
	}
	for v, d := range map[*string]string{&s.User: User, &s.Password: Password, &s.Token: Token} {
		if *v == "" {
			*v = d
		}
	}
	s.who = sync.OnceValue(func() *loopback.Identity {
		who, err := loopback.Certify(loopback.Names{Common: "imapd"})
		if err != nil {
			t.Error(err)
			return &loopback.Identity{}
		}
		return who
	})
	s.folder("INBOX")
	s.Misbehave(opts.Misbehave...)
	addr := loopback.Serve(t, s.attend)
	s.Host, s.Port = addr.IP.String(), addr.Port
	return s
}

func (s *Server) attend(conn net.Conn) {
	s.mu.Lock()
	s.opened++
	number, cut := s.opened, s.cut
	s.mu.Unlock()
	newSession(s, conn, number, cut).run()
}

// TLS returns a configuration for clients that trusts this server only.
func (s *Server) TLS() *tls.Config {
	return s.who().Trust()
}

// Misbehave adds to what is wrong, from now on.
func (s *Server) Misbehave(what ...Misbehaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range what {
		s.wrong[m] = true
	}
}

// Behave ends all misbehaviour but the small one, and all cuts.
func (s *Server) Behave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.wrong)
	s.cut = -1
}

func (s *Server) is(m Misbehaviour) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wrong[m]
}

// Cut makes the server cut every connection opened from now on when it has sent
// n bytes on it, not counting TLS.
func (s *Server) Cut(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = n
}

// Connections returns how many there have been.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// Commands returns the commands of all clients so far, without their tags and
// without secrets.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

func (s *Server) record(command string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, command)
}
