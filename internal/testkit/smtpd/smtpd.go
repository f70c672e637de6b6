// Package smtpd is a mail server for tests that takes mail as a smarthost does
// (RFC 5321, 3207, 4954, 1870), and misbehaves in large ways where Options name a
// Misbehaviour. It keeps what it takes byte for byte; a test asks afterwards what
// has come, and how often.
//
//	smtpd.go       options; the server          session.go  a connection and its commands
//	misbehave.go   the list of misbehaviours    tls.go      certificates
package smtpd

import (
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/muniment/muniment/internal/testkit/loopback"
)

// User and Password are what the server accepts.
const (
	User     = "archive@firma.example"
	Password = "open sesame 42"
)

// Options say what the server offers. The zero value offers everything except TLS
// from the first byte, and behaves.
type Options struct {
	ImplicitTLS bool
	Auth        string // mechanisms that are offered; empty: PLAIN LOGIN
	NeedAuth    bool   // no mail without a log-in
	Misbehave   []Misbehaviour
}

// Mail is a message that the server has taken.
type Mail struct {
	From      string
	To        []string
	Data      string // as it was sent, dots taken away
	Encrypted bool
	LoggedIn  bool
}

// Server is a running server. Its methods may be called concurrently.
type Server struct {
	Addr string // host:port

	who    *loopback.Identity
	closed <-chan struct{}

	mu       sync.Mutex
	opts     Options
	opened   int
	mails    []Mail
	commands []string
	seen     map[string]bool // recipients that were put off once
}

// New starts a server on the loopback interface. It ends with the test.
func New(t testing.TB, opts Options) *Server {
	t.Helper()
	if opts.Auth == "" {
		opts.Auth = "PLAIN LOGIN"
	}
	for _, m := range opts.Misbehave {
		if !slices.Contains(Misbehaviours(), m) {
			t.Fatalf("smtpd: unknown misbehaviour %q", m)
		}
	}
	s := &Server{opts: opts, closed: t.Context().Done(), seen: map[string]bool{}}
	if err := s.makeCertificate(); err != nil {
		t.Fatal(err)
	}
	s.Addr = loopback.Serve(t, s.attend).String()
	return s
}

func (s *Server) attend(conn net.Conn) {
	s.mu.Lock()
	s.opened++
	s.mu.Unlock()
	newSession(s, conn).serve()
}

// Mails returns what was taken, in that order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Connections returns how many connections there were.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// Commands returns all commands, passwords left out.
func (s *Server) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

func (s *Server) note(command string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, command)
}

func (s *Server) take(m Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, m)
}

// first reports whether a recipient is named for the first time.
func (s *Server) first(address string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[address] {
		return false
	}
	s.seen[address] = true
	return true
}
