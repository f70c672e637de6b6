package smtpd

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/muniment/muniment/internal/testkit/loopback"
)

// CA returns the authority of the server's certificate, PEM; empty if it is of
// nobody.
func (s *Server) CA() string {
	if s.is(UnknownAuthority) {
		return ""
	}
	return string(s.who.PEM())
}

// Pin returns the SHA-256 of the server's certificate, hexadecimal.
func (s *Server) Pin() string {
	sum := sha256.Sum256(s.who.Cert.Raw)
	return hex.EncodeToString(sum[:])
}

func (s *Server) makeCertificate() (err error) {
	names := loopback.Names{Common: "smtpd", Expired: s.is(Expired)}
	if s.is(WrongHost) {
		names.Hosts = []string{"other.example"}
	}
	s.who, err = loopback.Certify(names)
	return err
}
