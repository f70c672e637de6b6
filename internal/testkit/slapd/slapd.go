// Package slapd gives tests an OpenLDAP server of their own, filled from LDIF. It
// listens on the loopback interface in the clear (with StartTLS) and with TLS, keeps
// everything in a temporary directory, and ends with the test process, however that
// ends. No system service is touched. It is written for OpenLDAP 2.5 of Debian 12
// (package slapd).
//
// Without slapd the test is skipped, and fails where MUNIMENT_TEST_REQUIRE names
// "slapd" or "all".
//
//	slapd.go   options, what a test can ask of the server
//	start.go   running it      people.go   a company of any size
package slapd

import (
	"io"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/muniment/muniment/internal/testkit/need"
)

// What every server has.
const (
	Suffix   = "dc=firma,dc=example"
	RootDN   = "cn=admin," + Suffix
	Password = "root of a test"
	// ReaderDN may read but neither change nor see passwords.
	ReaderDN       = "cn=reader," + Suffix
	ReaderPassword = `reader's "password"`
)

// Options choose what the server is like.
type Options struct {
	// LDIF is what it holds besides the suffix and the reader.
	LDIF string
	// SizeLimit is how many entries a search gives the reader at once; pages may go
	// beyond. 0: 500, as servers usually have it.
	SizeLimit int
	// Settings are lines added to the end of slapd.conf.
	Settings string
}

// Server is a running server.
type Server struct {
	LDAP, LDAPS string // addresses, host:port
	CA          string // certificate of the server, PEM

	dir  string
	life io.Closer
	done <-chan struct{}
}

// New starts a server that ends with the test. It skips the test, or fails it, where
// there is no slapd.
func New(t testing.TB, opts Options) *Server {
	t.Helper()
	program := need.Program(t, "slapd")
	need.Program(t, "slapadd")
	s := &Server{dir: t.TempDir()}
	if err := s.start(program, opts); err != nil {
		t.Fatalf("slapd: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stop slapd: %v", err)
		}
	})
	return s
}

// Admin returns a connection that may change everything. It ends with the test.
func (s *Server) Admin(t testing.TB) *ldap.Conn {
	t.Helper()
	conn, err := ldap.DialURL("ldap://" + s.LDAP)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.Bind(RootDN, Password); err != nil {
		t.Fatal(err)
	}
	return conn
}
