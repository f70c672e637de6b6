package smtpd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// CA returns the authority of the server's certificate, PEM; empty if it is of
// nobody.
func (s *Server) CA() string {
	if s.is(UnknownAuthority) {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.root.Raw}))
}

// Pin returns the SHA-256 of the server's certificate, hexadecimal.
func (s *Server) Pin() string {
	sum := sha256.Sum256(s.root.Raw)
	return hex.EncodeToString(sum[:])
}

func (s *Server) makeCertificate() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	tmpl := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: "smtpd"},
		NotBefore:             time.Now().AddDate(0, 0, -3),
		NotAfter:              time.Now().AddDate(0, 0, 2),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:                  true,
		BasicConstraintsValid: true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if s.is(WrongHost) {
		tmpl.DNSNames, tmpl.IPAddresses = []string{"other.example"}, nil
	}
	if s.is(Expired) {
		tmpl.NotAfter = time.Now().AddDate(0, 0, -1)
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return err
	}
	if s.root, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	s.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: s.root}
	return nil
}
