package smtp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/wholefile"
)

const (
	selfMadeYears   = 10
	recheckInterval = time.Minute // of certificate files for a renewal
)

// CertificateConfig says where the certificate of the door comes from: either
// both CertFile and KeyFile (PEM), or a self-made one kept in Dir.
type CertificateConfig struct {
	CertFile, KeyFile string
	Dir               string
	Hostname          string
}

// ServerTLS returns a TLS configuration for Config.TLS. Certificate files are
// read again when they change, so that a renewal needs no restart. SelfMade
// reports that the certificate was made here: it protects against listening
// in, but peers cannot verify it, and the caller should say so.
func ServerTLS(cfg CertificateConfig) (conf *tls.Config, selfMade bool, err error) {
	if cfg.CertFile == "" && cfg.KeyFile == "" {
		selfMade = true
		cfg.CertFile = filepath.Join(cfg.Dir, "self-made.crt")
		cfg.KeyFile = filepath.Join(cfg.Dir, "self-made.key")
		if err := ensureSelfMade(cfg); err != nil {
			return nil, false, err
		}
	}
	k := &keeper{cfg: cfg}
	if _, err := k.certificate(nil); err != nil {
		return nil, false, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: k.certificate}, selfMade, nil
}

// keeper holds a certificate and follows its files.
type keeper struct {
	cfg CertificateConfig

	mu      sync.Mutex
	cert    *tls.Certificate
	changed time.Time // of the files, when cert was read
	checked time.Time
}

func (k *keeper) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if k.cert != nil && now.Sub(k.checked) < recheckInterval {
		return k.cert, nil
	}
	k.checked = now
	changed, err := latest(k.cfg.CertFile, k.cfg.KeyFile)
	if err == nil && k.cert != nil && changed.Equal(k.changed) {
		return k.cert, nil
	}
	var cert tls.Certificate
	if err == nil {
		cert, err = tls.LoadX509KeyPair(k.cfg.CertFile, k.cfg.KeyFile)
	}
	if err == nil {
		k.cert, k.changed = &cert, changed
	} else if k.cert == nil {
		return nil, fmt.Errorf("load certificate: %w", err)
	}
	// With half-renewed files the old certificate goes on.
	return k.cert, nil
}

func latest(names ...string) (time.Time, error) {
	var t time.Time
	for _, n := range names {
		st, err := os.Stat(n)
		if err != nil {
			return t, err
		}
		if st.ModTime().After(t) {
			t = st.ModTime()
		}
	}
	return t, nil
}

// ensureSelfMade makes key and certificate unless they are there and valid for
// the host name and another month.
func ensureSelfMade(cfg CertificateConfig) error {
	pair, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile)
	if err == nil && pair.Leaf.VerifyHostname(cfg.Hostname) == nil &&
		time.Now().AddDate(0, 1, 0).Before(pair.Leaf.NotAfter) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("self-made certificate: %w", err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("self-made certificate: %w", err)
	}
	cert, key, err := selfMade(cfg.Hostname, time.Now())
	if err != nil {
		return fmt.Errorf("self-made certificate: %w", err)
	}
	err = wholefile.Replace(cfg.KeyFile, 0o600, wholefile.Bytes(key))
	if err == nil {
		err = wholefile.Replace(cfg.CertFile, 0o600, wholefile.Bytes(cert))
	}
	if err != nil {
		return fmt.Errorf("self-made certificate: %w", err)
	}
	return nil
}

// selfMade returns a certificate for host signed by itself, and its key, in PEM.
func selfMade(host string, now time.Time) (cert, key []byte, err error) {
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: host},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(selfMadeYears, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	if ip := net.ParseIP(host); ip != nil {
		tmpl.IPAddresses = []net.IP{ip}
	} else {
		tmpl.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &priv.PublicKey, priv)
	if err != nil {
		return nil, nil, err
	}
	pk, err := x509.MarshalPKCS8PrivateKey(priv)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pk}), nil
}
