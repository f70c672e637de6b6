package pop3d

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/muniment/muniment/internal/testkit/loopback"
)

// TLS returns a configuration for clients that trusts this server only.
func (s *Server) TLS() *tls.Config {
	c := s.who.Trust()
	if s.is(UnknownAuthority) {
		c.RootCAs = x509.NewCertPool()
	}
	return c
}

func (s *Server) makeCertificate() (err error) {
	names := loopback.Names{Common: "pop3d", Expired: s.is(Expired)}
	if s.is(WrongHost) {
		names.Hosts = []string{"other.example"}
	}
	s.who, err = loopback.Certify(names)
	return err
}
