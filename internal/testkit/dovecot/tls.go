package dovecot

import (
	"errors"
	"net"
	"os"
	"path/filepath"

	"github.com/muniment/muniment/internal/testkit/loopback"
)

// writeCertificate makes the server's certificate, for the time of a test.
func (s *Server) writeCertificate() error {
	cert, err := loopback.Certify(loopback.Names{Common: hostname, Hosts: []string{hostname}, Addresses: []net.IP{net.ParseIP(ordinary), net.ParseIP(elsewhere)}})
	if err != nil {
		return err
	}
	key, err := cert.KeyPEM()
	if err != nil {
		return err
	}
	s.cert = cert
	s.CertFile = filepath.Join(s.dir, "cert.pem")
	keyFile := filepath.Join(s.dir, "key.pem")
	return errors.Join(os.WriteFile(s.CertFile, cert.PEM(), 0o644), os.WriteFile(keyFile, key, 0o600), s.own(keyFile))
}
