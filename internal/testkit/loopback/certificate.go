package loopback

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// Identity is a certificate that has signed itself, with its key.
type Identity struct {
	TLS  tls.Certificate
	Cert *x509.Certificate
}

// Names says whose certificate it is. Without hosts and addresses it is that of
// localhost and 127.0.0.1.
type Names struct {
	Common    string
	Hosts     []string
	Addresses []net.IP
	Expired   bool // yesterday
}

// Certify makes a certificate, good for two days unless it has expired.
func Certify(n Names) (*Identity, error) {
	if len(n.Hosts)+len(n.Addresses) == 0 {
		n.Hosts, n.Addresses = []string{"localhost"}, []net.IP{net.ParseIP(Address)}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	tmpl := &x509.Certificate{
		SerialNumber:          big.NewInt(now.UnixNano()),
		Subject:               pkix.Name{CommonName: n.Common},
		NotBefore:             now.AddDate(0, 0, -3),
		NotAfter:              now.AddDate(0, 0, 2),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:                  true,
		BasicConstraintsValid: true,
		DNSNames:              n.Hosts,
		IPAddresses:           n.Addresses,
	}
	if n.Expired {
		tmpl.NotAfter = now.AddDate(0, 0, -1)
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &Identity{TLS: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}, Cert: cert}, nil
}

// PEM returns the certificate.
func (i *Identity) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Cert.Raw})
}

// KeyPEM returns the key (PKCS #8).
func (i *Identity) KeyPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(i.TLS.PrivateKey)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Trust returns a configuration for clients that trusts this certificate only.
func (i *Identity) Trust() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(i.Cert)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}
