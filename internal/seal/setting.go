package seal

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/evidence/brainpool"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/setting"
)

// How the archive shows an authority who it is.
const (
	AuthNone        = "none" // or the authority knows the address that requests come from
	AuthBasic       = "basic"
	AuthBearer      = "bearer"
	AuthCertificate = "certificate"
)

// Limits of the settings.
const (
	MinInterval     = time.Minute
	MaxInterval     = 24 * time.Hour // TSP-8
	DefaultInterval = time.Hour
	MaxAuthorities  = 16
	MaxLead         = 3650 // days
	MaxQuota        = 1_000_000_000

	maxCA     = 256 << 10 // bytes of PEM
	maxSecret = 32 << 10
)

// Setting is how objects are sealed. Secrets of authorities are kept apart.
type Setting struct {
	// Interval is the longest time that an object waits for its batch, in seconds.
	Interval int `json:"interval"`
	// RenewCertificate is how many days before the end of a time stamp's certificate it is
	// renewed; 0: 365. RenewAlgorithm is the same for algorithms; 0: 730.
	RenewCertificate int `json:"renew_certificate,omitempty"`
	RenewAlgorithm   int `json:"renew_algorithm,omitempty"`
	// Authorities are asked in this order.
	Authorities []Authority `json:"authorities"`
}

// Authority is a time-stamping authority.
type Authority struct {
	Name   string `json:"name"`             // unique
	Preset string `json:"preset,omitempty"` // the Preset it was made from
	URL    string `json:"url"`
	Auth   string `json:"auth"`
	User   string `json:"user,omitempty"`   // with AuthBasic
	Policy string `json:"policy,omitempty"` // OID that is asked for; empty: whatever it gives
	// CA are the certificates that its certificates have to lead to, PEM.
	CA string `json:"ca"`
	// Certificate is what the archive shows with AuthCertificate, PEM.
	Certificate string `json:"certificate,omitempty"`
	// ServerCA are who may certify its web server, PEM; empty: whom the system trusts.
	ServerCA string `json:"server_ca,omitempty"`
	// Accuracy is the most inaccuracy that is accepted, in milliseconds; 0: any.
	Accuracy int `json:"accuracy,omitempty"`
	// Pause is the least time between two requests, in seconds.
	Pause int `json:"pause,omitempty"`
	// Local says that the authority is on this machine.
	Local bool `json:"local,omitempty"`
	// Quota is how many time stamps a calendar month (UTC) may be asked for; 0: any number.
	Quota    int64 `json:"quota,omitempty"`
	Disabled bool  `json:"disabled,omitempty"`
}

// Default is what holds as long as nothing is set: no authority is asked (QTS-7).
func Default() Setting { return Setting{Interval: int(DefaultInterval / time.Second)} }

// ParseSetting reads settings. Members that are unknown are an error.
func ParseSetting(b []byte) (Setting, error) {
	var s Setting
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	err := d.Decode(&s)
	return s, err
}

// Every returns the interval.
func (s Setting) Every() time.Duration { return time.Duration(s.Interval) * time.Second }

// Lead is how early renewals are made (REN-5).
func (s Setting) Lead() ers.Lead {
	l := ers.DefaultLead()
	const day = 24 * time.Hour
	if s.RenewCertificate > 0 {
		l.Certificate = time.Duration(s.RenewCertificate) * day
	}
	if s.RenewAlgorithm > 0 {
		l.Algorithm = time.Duration(s.RenewAlgorithm) * day
	}
	return l
}

// Active are the authorities that may be asked.
func (s Setting) Active() []Authority {
	return slices.DeleteFunc(slices.Clone(s.Authorities), func(a Authority) bool { return a.Disabled })
}

// Normal takes away what slips in when people copy and paste.
func (s Setting) Normal() Setting {
	s.Authorities = slices.Clone(s.Authorities)
	for i := range s.Authorities {
		a := &s.Authorities[i]
		a.Name, a.URL, a.User, a.Policy = strings.TrimSpace(a.Name), strings.TrimSpace(a.URL), strings.TrimSpace(a.User), strings.TrimSpace(a.Policy)
		a.CA, a.Certificate, a.ServerCA = strings.TrimSpace(a.CA), strings.TrimSpace(a.Certificate), strings.TrimSpace(a.ServerCA)
		if a.Auth == "" {
			a.Auth = AuthNone
		}
		if a.Auth != AuthBasic {
			a.User = ""
		}
		if a.Auth != AuthCertificate {
			a.Certificate = ""
		}
	}
	return s
}

// Check reports everything that is wrong with the settings, as *setting.Errors joined.
func (s Setting) Check() error {
	var errs []error
	if d := s.Every(); d < MinInterval || d > MaxInterval {
		errs = append(errs, setting.Wrong("interval", "want %d to %d seconds", int(MinInterval.Seconds()), int(MaxInterval.Seconds())))
	}
	for field, days := range map[string]int{"renew_certificate": s.RenewCertificate, "renew_algorithm": s.RenewAlgorithm} {
		if days < 0 || days > MaxLead {
			errs = append(errs, setting.Wrong(field, "want 1 to %d days, or 0 for the usual", MaxLead))
		}
	}
	if len(s.Authorities) > MaxAuthorities {
		errs = append(errs, setting.Wrong("authorities", "want at most %d", MaxAuthorities))
	}
	names := map[string]bool{}
	for i, a := range s.Authorities {
		at := "authorities[" + strconv.Itoa(i) + "]."
		errs = append(errs, a.check(at)...)
		if names[a.Name] {
			errs = append(errs, setting.Wrong(at+"name", "another authority has this name"))
		}
		names[a.Name] = true
	}
	return errors.Join(errs...)
}

// Check reports everything that is wrong with an authority, as *setting.Errors joined.
func (a Authority) Check() error { return errors.Join(a.check("")...) }

func (a Authority) check(at string) (errs []error) {
	bad := func(field, format string, args ...any) {
		errs = append(errs, setting.Wrong(at+field, format, args...))
	}
	if a.Name == "" || len(a.Name) > 100 || strings.ContainsFunc(a.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		bad("name", "want one line of 1 to 100 bytes")
	}
	u, err := url.Parse(a.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(a.URL) > 500:
		bad("url", "want an address that begins with http:// or https://")
	case u.User != nil:
		bad("url", "user and password belong into fields of their own")
	case u.Scheme == "http" && a.Auth != AuthNone:
		bad("url", "who logs in needs https://: without it everybody on the way reads the secret")
	}
	switch a.Auth {
	case AuthNone, AuthBearer:
	case AuthBasic:
		if a.User == "" || len(a.User) > 320 || strings.ContainsAny(a.User, ":\r\n\x00") {
			bad("user", "want one line of 1 to 320 bytes, without a colon")
		}
	case AuthCertificate:
		if _, err := Certificates(a.Certificate); err != nil {
			bad("certificate", "%v", err)
		}
	default:
		bad("auth", "%q is none of none, basic, bearer, certificate", a.Auth)
	}
	if a.Quota < 0 || a.Quota > MaxQuota {
		bad("quota", "want 0 to %d", MaxQuota)
	}
	if _, err := ParseOID(a.Policy); a.Policy != "" && err != nil {
		bad("policy", "want numbers and dots, such as 0.4.0.2023.1.1")
	}
	if _, err := Certificates(a.CA); err != nil {
		bad("ca", "%v", err)
	}
	if _, err := Certificates(a.ServerCA); a.ServerCA != "" && err != nil {
		bad("server_ca", "%v", err)
	}
	if a.Accuracy < 0 || a.Accuracy > 3_600_000 {
		bad("accuracy", "want 0 to 3600000 milliseconds")
	}
	if a.Pause < 0 || a.Pause > 3600 {
		bad("pause", "want 0 to 3600 seconds")
	}
	return errs
}

// CheckSecret reports what is wrong with the secret of an authority, as a
// *setting.Error.
func (a Authority) CheckSecret(secret string) error {
	switch {
	case a.Auth == AuthNone:
		return nil
	case secret == "":
		return setting.Wrong("secret", "is needed to log in")
	case len(secret) > maxSecret:
		return setting.Wrong("secret", "want at most %d bytes", maxSecret)
	case a.Auth == AuthCertificate:
		if _, err := tls.X509KeyPair([]byte(a.Certificate), []byte(secret)); err != nil {
			return setting.Wrong("secret", "is not the key of the certificate: %v", err)
		}
	case strings.ContainsAny(secret, "\r\n\x00"):
		return setting.Wrong("secret", "want one line")
	}
	return nil
}

// SameServer reports whether a secret that was given for b may be shown to a: the
// same server, logged in to in the same way.
func (a Authority) SameServer(b Authority) bool {
	return a.URL == b.URL && a.Auth == b.Auth && a.User == b.User && a.Certificate == b.Certificate && a.ServerCA == b.ServerCA
}

// Certificates reads certificates in PEM; at least one.
func Certificates(text string) ([]*x509.Certificate, error) {
	if len(text) > maxCA {
		return nil, fmt.Errorf("more than %d KiB", maxCA>>10)
	}
	var list []*x509.Certificate
	for rest := []byte(text); ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("a %s is no certificate", b.Type)
		}
		c, err := brainpool.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("a certificate cannot be read: %w", err)
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, errors.New("no certificate: want text that begins with -----BEGIN CERTIFICATE-----")
	}
	return list, nil
}

// ParseOID reads an object identifier in dots.
func ParseOID(s string) (asn1.ObjectIdentifier, error) {
	var oid asn1.ObjectIdentifier
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.ParseInt(part, 10, 32)
		if err != nil || n < 0 || len(oid) == 32 {
			return nil, fmt.Errorf("object identifier %.50q", s)
		}
		oid = append(oid, int(n))
	}
	if len(oid) < 2 || oid[0] > 2 || oid[0] < 2 && oid[1] > 39 {
		return nil, fmt.Errorf("object identifier %.50q", s)
	}
	return oid, nil
}
