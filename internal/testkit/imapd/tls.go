package imapd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"
)

// identity is what a server shows, and what its clients trust.
type identity struct {
	cert  tls.Certificate
	roots *x509.CertPool
}

// certificate makes one for the loopback addresses, signed by itself.
func certificate(t testing.TB) *identity {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Error(err)
		return &identity{}
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "imapd of a test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Error(err)
		return &identity{}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Error(err)
		return &identity{}
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &identity{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots}
}
