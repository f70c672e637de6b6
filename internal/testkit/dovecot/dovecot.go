// Package dovecot gives tests a Dovecot of their own: a real IMAP and POP3
// server with one user, whose mailbox tests fill with Put.
//
// The server runs from the binaries on this machine with its own configuration,
// ports and certificate in a temporary directory, as an unprivileged user, and
// ends with the test process, however that ends. No system service is touched.
// It is written for the Dovecot 2.3 of Debian 12 (packages dovecot-core,
// dovecot-imapd, dovecot-pop3d).
//
// Without Dovecot the test is skipped, and fails where MUNIMENT_TEST_REQUIRE
// names "dovecot" or "all".
//
//	dovecot.go   options, what a test can ask of the server
//	config.go    its configuration
//	start_*.go   running it
//	mailbox.go   putting messages into it
//	tls.go       its certificate
package dovecot

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/muniment/muniment/internal/testkit/loopback"
	"github.com/muniment/muniment/internal/testkit/need"
)

// User and Password are those of the only mailbox.
const (
	User     = "reader@mailbox.example"
	Password = `pass "word\ grüß`
)

// Options choose what the server offers; the zero value offers everything.
type Options struct {
	// NoPlain refuses passwords on connections that are not encrypted.
	NoPlain bool
	// NoStartTLS leaves STARTTLS and STLS out on IMAP and POP3.
	NoStartTLS bool
	// NoImplicitTLS leaves out the listeners IMAPS and POP3S, whose addresses
	// are then empty.
	NoImplicitTLS bool
	// Only, if not empty, is the one listener there is: "imap", "imaps", "pop3"
	// or "pop3s". The addresses of the others are empty.
	Only string
	// Settings are lines added to the end of dovecot.conf.
	Settings string
}

// Server is a running Dovecot. Its methods may be called concurrently.
type Server struct {
	// IMAP, IMAPS, POP3 and POP3S are addresses, host:port. An empty one is not
	// offered.
	IMAP, IMAPS, POP3, POP3S string
	// CertFile is the server's certificate, PEM, signed by itself.
	CertFile string

	dir  string
	cert *loopback.Identity
	who  owner
	life io.Closer
	done <-chan struct{}
	puts atomic.Int64
}

// owner is the user the server runs as; -1 is the one of this process.
type owner struct {
	uid, gid    int
	name, group string
}

// New starts a server that ends with the test. It skips the test, or fails it,
// where there is no Dovecot.
func New(t testing.TB, opts Options) *Server {
	t.Helper()
	s, err := Start(opts)
	if errors.Is(err, ErrMissing) {
		need.Lacks(t, "dovecot", err.Error()+"; scripts/setup test installs it")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of dovecot:\n%s", s.Log())
		}
		if err := s.Stop(); err != nil {
			t.Errorf("stop dovecot: %v", err)
		}
	})
	return s
}

// ErrMissing is the error of Start where there is no Dovecot.
var ErrMissing = errors.New("dovecot is not installed")

// Start starts a server for other purposes than a test; Stop ends it.
func Start(opts Options) (*Server, error) {
	program, err := find()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	// The server's sockets have long names; a socket's path has 107 bytes.
	dir, err := os.MkdirTemp("", "dc")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if err := s.start(program, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("start dovecot: %w\n%s", err, s.Log()), os.RemoveAll(dir))
	}
	return s, nil
}

// TLS returns a configuration for clients that trusts this server only.
func (s *Server) TLS() *tls.Config {
	c := s.cert.Trust()
	c.ServerName = hostname
	return c
}

// Log returns what the server has logged so far.
func (s *Server) Log() string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "log")) // none yet
	return string(b)
}
