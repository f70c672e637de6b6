package remote

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// A PinError is a certificate that is not the pinned one.
type PinError struct{ Got string }

// Error implements error.
func (e *PinError) Error() string {
	return "the certificate is not the pinned one; its SHA-256 is " + e.Got
}

// Trust says which certificates of a server are accepted.
type Trust struct {
	Host string // for whom it has to be
	CA   string // as in Settings
	Pin  string // as in Settings
}

// Config returns how to check the server's certificate; seen is called with the
// SHA-256 of the one that came, whether it is trusted or not.
func (t Trust) Config(seen func(string)) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		ServerName: t.Host,
		// VerifyConnection checks, as a pinned certificate has no authority and
		// one that is refused must be shown to be pinned.
		InsecureSkipVerify: true, //nolint:gosec // see above
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return errors.New("the server shows no certificate")
			}
			sum := sha256.Sum256(state.PeerCertificates[0].Raw)
			got := hex.EncodeToString(sum[:])
			seen(got)
			if t.Pin == "" {
				return t.verify(state.PeerCertificates)
			}
			if !strings.EqualFold(t.Pin, got) {
				return &PinError{got}
			}
			return nil
		},
	}
}

func (t Trust) verify(chain []*x509.Certificate) error {
	o := x509.VerifyOptions{DNSName: t.Host, Intermediates: x509.NewCertPool()}
	if t.CA != "" {
		o.Roots = x509.NewCertPool()
		if !o.Roots.AppendCertsFromPEM([]byte(t.CA)) {
			return errors.New("the setting ca holds no certificate that can be read")
		}
	}
	for _, c := range chain[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(o)
	return err
}

// IsCertificate reports whether an error is about a certificate that is not
// trusted.
func IsCertificate(err error) bool {
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		verify  *tls.CertificateVerificationError
		pin     *PinError
	)
	return errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &invalid) || errors.As(err, &verify) || errors.As(err, &pin)
}

// NetworkCode returns the code of an error of the network; empty if it is none.
func NetworkCode(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	var op *net.OpError
	switch {
	case errors.As(err, &dns):
		return CodeDNS
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return CodeTimeout
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &op), errors.Is(err, net.ErrClosed):
		return CodeConnect
	}
	return ""
}
