// Package site holds the settings by which people reach the installation: the name of
// its host, and whose certificate it shows. It is a leaf: it reads and stores nothing.
//
//	site.go      the settings and what is right of them
//	keeper.go    the certificate in force
//	listener.go  one port for TLS and for what is not
package site

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/muniment/muniment/internal/setting"
)

// Ways to a certificate.
const (
	Off   = "off"   // no TLS: plain HTTP, for this machine only
	Proxy = "proxy" // a proxy in front of the server speaks it, at the usual port
	Own   = "own"   // a certificate that somebody has brought
	ACME  = "acme"  // one from a certificate authority that speaks RFC 8555
)

// LetsEncrypt is the directory of the certificate authority that is asked unless
// another one is named.
const LetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// maxPEM bounds certificate and key, in bytes each.
const maxPEM = 64 << 10

// Settings are how people reach the installation. The key of an own certificate is
// kept apart.
type Settings struct {
	// Host is the name in the address of the web interface, in ASCII, without port;
	// empty: nobody has said. It may be an IP address.
	Host string `json:"host,omitempty"`
	// TLS is Off, Proxy, Own or ACME; empty: Off.
	TLS string `json:"tls,omitempty"`
	// Certificate is the chain of an own certificate, PEM, the host's first.
	Certificate string `json:"certificate,omitempty"`
	// Directory is the address of the ACME server; empty: LetsEncrypt.
	Directory string `json:"directory,omitempty"`
	// Email is told to the ACME server, which warns there of certificates that end.
	Email string `json:"email,omitempty"`
	// Agreed says that the terms of the ACME server were agreed to.
	Agreed bool `json:"agreed,omitempty"`
}

func bad(field, format string, args ...any) error {
	return setting.Wrong(field, format, args...)
}

// Wrong reports whether an error is about what somebody has set.
func Wrong(err error) bool {
	var e *setting.Error
	return errors.As(err, &e)
}

// Parse reads settings. Members that are unknown are an error.
func Parse(b []byte) (Settings, error) {
	var s Settings
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("settings of the site: %w", err)
	}
	return s, nil
}

// Normal takes away what slips in when people copy and paste, and writes the host in
// ASCII. What is not used by the way to a certificate is left out.
func (s Settings) Normal() Settings {
	s.Host = strings.TrimSuffix(strings.Trim(strings.TrimSpace(s.Host), "[]"), ".")
	if net.ParseIP(s.Host) == nil {
		if ascii, err := idna.Lookup.ToASCII(s.Host); err == nil {
			s.Host = ascii
		}
	}
	s.Email, s.Directory, s.Certificate = strings.TrimSpace(s.Email), strings.TrimSpace(s.Directory), strings.TrimSpace(s.Certificate)
	if s.TLS == "" {
		s.TLS = Off
	}
	if s.TLS != Own {
		s.Certificate = ""
	}
	if s.TLS != ACME {
		s.Email, s.Directory, s.Agreed = "", "", false
	}
	return s
}

// Check reports everything that is wrong with the settings, as *setting.Errors joined.
// key is that of an own certificate, PEM; now is when the certificate has to hold.
func (s Settings) Check(key []byte, now time.Time) error {
	var errs []error
	if s.Host == "" && s.TLS == ACME {
		errs = append(errs, bad("host", "is needed: the certificate is for that name"))
	} else if s.Host != "" && !hostName(s.Host) {
		errs = append(errs, bad("host", "want a name such as archive.example.com, without scheme, port and path"))
	}
	switch s.TLS {
	case Off:
	case Proxy:
		if s.Host == "" {
			errs = append(errs, bad("host", "is needed: the name by which people reach the proxy"))
		}
	case Own:
		_, err := s.pair(key, now)
		errs = append(errs, err)
	case ACME:
		errs = append(errs, s.checkACME())
	default:
		errs = append(errs, bad("tls", "%q is none of off, proxy, own, acme", s.TLS))
	}
	return errors.Join(errs...)
}

func (s Settings) checkACME() error {
	var errs []error
	if s.Host != "" && (net.ParseIP(s.Host) != nil || !strings.Contains(s.Host, ".")) {
		errs = append(errs, bad("host", "certificate authorities want a whole name such as archive.example.com"))
	}
	if s.Email != "" {
		if a, err := mail.ParseAddress(s.Email); err != nil || a.Address != s.Email || len(s.Email) > 254 {
			errs = append(errs, bad("email", "want a mail address such as admin@example.com"))
		}
	}
	if u, err := url.Parse(s.Directory); s.Directory != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(s.Directory) > 500) {
		errs = append(errs, bad("directory", "want an address such as %s", LetsEncrypt))
	}
	if !s.Agreed {
		errs = append(errs, bad("agreed", "the certificate authority wants its terms agreed to"))
	}
	return errors.Join(errs...)
}

// hostName reports whether s is an IP address or a name of letters, digits and -.
func hostName(s string) bool {
	if net.ParseIP(s) != nil {
		return true
	}
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

// pair returns the own certificate with its key, or what is wrong with them.
func (s Settings) pair(key []byte, now time.Time) (*tls.Certificate, error) {
	switch {
	case s.Certificate == "":
		return nil, bad("certificate", "is needed: the text of the file that begins with -----BEGIN CERTIFICATE-----")
	case len(s.Certificate) > maxPEM || len(key) > maxPEM:
		return nil, bad("certificate", "is larger than %d bytes", maxPEM)
	case len(key) == 0:
		return nil, bad("key", "is needed: the text of the file that begins with -----BEGIN … PRIVATE KEY-----")
	}
	leaf, err := firstCertificate(s.Certificate)
	if err != nil {
		return nil, err
	}
	if b, _ := pem.Decode(key); b == nil {
		return nil, bad("key", "has no -----BEGIN … PRIVATE KEY-----; give it as PEM")
	} else if strings.Contains(b.Type, "ENCRYPTED") || b.Headers["DEK-Info"] != "" {
		return nil, bad("key", "is protected by a passphrase; take that away first: openssl pkey -in KEY -out PLAIN")
	}
	pair, err := tls.X509KeyPair([]byte(s.Certificate), key)
	if err != nil {
		return nil, bad("key", "does not go with the certificate: %v", err)
	}
	switch {
	case now.After(leaf.NotAfter):
		return nil, bad("certificate", "has ended on %s", leaf.NotAfter.UTC().Format(time.DateOnly))
	case now.Before(leaf.NotBefore):
		return nil, bad("certificate", "does not begin before %s", leaf.NotBefore.UTC().Format(time.DateOnly))
	case s.Host != "" && leaf.VerifyHostname(s.Host) != nil:
		return nil, bad("certificate", "is not for %s but for %s", s.Host, names(leaf))
	}
	return &pair, nil
}

func firstCertificate(text string) (*x509.Certificate, error) {
	b, _ := pem.Decode([]byte(text))
	if b == nil || b.Type != "CERTIFICATE" {
		return nil, bad("certificate", "has no -----BEGIN CERTIFICATE-----; give it as PEM, the host's certificate first")
	}
	c, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		return nil, bad("certificate", "cannot be read: %v", err)
	}
	return c, nil
}

// names lists whom a certificate is for.
func names(c *x509.Certificate) string {
	list := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		list = append(list, ip.String())
	}
	if len(list) == 0 {
		return "nobody (it has no alternative names)"
	}
	return strings.Join(list[:min(len(list), 10)], ", ")
}

// URL is the address of the web interface, with the port of where it listens unless
// that is the usual one. Without a host it is empty.
func (s Settings) URL(port string) string {
	if s.Host == "" {
		return ""
	}
	scheme, usual := "http", "80"
	switch s.TLS {
	case Proxy:
		scheme, port = "https", ""
	case Own, ACME:
		scheme, usual = "https", "443"
	}
	host := s.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" && port != usual {
		host += ":" + port
	}
	return scheme + "://" + host + "/"
}
