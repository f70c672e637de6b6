// Package tsa is a time-stamping authority for tests and for the demo. What it
// gives are real RFC 3161 tokens that prove nothing, because its keys were made
// a moment ago by the program that they would have to be independent of. So
// that nobody takes them for more, its certificates say so in the subject, its
// policy lies in the arc for examples, and tsp.IsTest finds both; every report must
// ask it.
//
//	tsa.go     Authority: its certificates, its units, revocation
//	issue.go   Parts, and the token made from them
//	handler.go the authority over HTTP, with CRL and OCSP
//
// An Authority is safe for concurrent use, Alter aside.
package tsa

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// Options of an Authority. The zero value is good for tests.
type Options struct {
	Now      func() time.Time // nil: time.Now
	Lifetime time.Duration    // of a unit's certificate; 0: 3 years
	Root     time.Duration    // life of the root; 0: 60 years
	URL      string           // where Handler is reached, without a slash at the end; "": no addresses in certificates
	Scheme   algo.Scheme      // "": ECDSA
	Bits     int              // of the keys: RSA 3072 (0) or any, ECDSA 256 (0) or 384
	Hash     algo.Hash        // of the signatures; zero: SHA-256
}

// Unit is a time-stamping unit: a key and its certificate.
type Unit struct {
	Cert *x509.Certificate
	Key  crypto.Signer
}

// Authority has a root, one unit at a time, and a list of revocations.
type Authority struct {
	// Alter, if set, may change everything about the next tokens; for tests of
	// those who must refuse them. Set it before the first use.
	Alter func(*Parts)

	o    Options
	root Unit

	mu      sync.Mutex
	unit    Unit
	serial  int64
	revoked []x509.RevocationListEntry
	crls    int64
}

// New returns an authority with new keys.
func New(o Options) (*Authority, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lifetime == 0 {
		o.Lifetime = 3 * 365 * 24 * time.Hour
	}
	if o.Root == 0 {
		o.Root = 60 * 365 * 24 * time.Hour
	}
	if o.Scheme == "" {
		o.Scheme = algo.ECDSA
	}
	if o.Bits == 0 && o.Scheme != algo.ECDSA {
		o.Bits = 3072
	}
	if o.Hash == (algo.Hash{}) {
		o.Hash = algo.SHA256
	}
	a := &Authority{o: o}
	key, err := a.newKey()
	if err != nil {
		return nil, err
	}
	now := o.Now().UTC().Truncate(time.Second)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: a.name("Root"), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(o.Root),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	if a.root, err = a.certify(c, Unit{c, key}, key); err != nil {
		return nil, err
	}
	a.serial = 1
	return a, a.Renew()
}

func (a *Authority) name(role string) pkix.Name {
	return pkix.Name{CommonName: "Muniment test time stamps: " + role, Organization: []string{tsp.TestMarker}}
}

func (a *Authority) newKey() (crypto.Signer, error) {
	switch {
	case a.o.Scheme == algo.ECDSA && a.o.Bits == 384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case a.o.Scheme == algo.ECDSA:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return rsa.GenerateKey(rand.Reader, a.o.Bits)
}

func (a *Authority) certify(c *x509.Certificate, by Unit, key crypto.Signer) (Unit, error) {
	c.SignatureAlgorithm = a.certAlgorithm()
	raw, err := x509.CreateCertificate(rand.Reader, c, by.Cert, key.Public(), by.Key)
	if err != nil {
		return Unit{}, fmt.Errorf("test authority: %w", err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		return Unit{}, fmt.Errorf("test authority: %w", err)
	}
	return Unit{cert, key}, nil
}

// certAlgorithm returns how certificates and CRLs are signed; zero, which is the
// library's choice, where it has none with the hash of the tokens.
func (a *Authority) certAlgorithm() x509.SignatureAlgorithm {
	if a.o.Scheme == algo.ECDSA {
		return map[algo.Hash]x509.SignatureAlgorithm{algo.SHA256: x509.ECDSAWithSHA256, algo.SHA384: x509.ECDSAWithSHA384, algo.SHA512: x509.ECDSAWithSHA512}[a.o.Hash]
	}
	return map[algo.Hash]x509.SignatureAlgorithm{algo.SHA256: x509.SHA256WithRSA, algo.SHA384: x509.SHA384WithRSA, algo.SHA512: x509.SHA512WithRSA}[a.o.Hash]
}

// Renew replaces the unit by a new one with a new key; tokens of the old one
// stay what they are.
func (a *Authority) Renew() error {
	u, err := a.NewUnit(nil)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unit = u
	return nil
}

// NewUnit returns a unit of its own, not used for tokens unless Alter does so.
// Change, if not nil, may change the certificate before it is signed.
func (a *Authority) NewUnit(change func(*x509.Certificate)) (Unit, error) {
	key, err := a.newKey()
	if err != nil {
		return Unit{}, fmt.Errorf("test authority: %w", err)
	}
	a.mu.Lock()
	a.serial++
	serial := a.serial
	a.mu.Unlock()
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		return Unit{}, fmt.Errorf("test authority: %w", err)
	}
	now := a.o.Now().UTC().Truncate(time.Second)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: a.name(fmt.Sprintf("Unit %d", serial)), NotBefore: now.Add(-time.Minute), NotAfter: now.Add(a.o.Lifetime),
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
	}
	if a.o.URL != "" {
		c.CRLDistributionPoints = []string{a.o.URL + "/crl"}
		c.OCSPServer = []string{a.o.URL + "/ocsp"}
		c.IssuingCertificateURL = []string{a.o.URL + "/root"}
	}
	if change != nil {
		change(c)
	}
	return a.certify(c, a.root, key)
}

// Root returns the certificate of the root: the trust anchor.
func (a *Authority) Root() *x509.Certificate { return a.root.Cert }

// Unit returns the certificate of the unit that signs now.
func (a *Authority) Unit() *x509.Certificate {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.unit.Cert
}

// Revoke puts a certificate on the list; reason is a CRLReason of RFC 5280
// §5.3.1, 0 leaves it out.
func (a *Authority) Revoke(c *x509.Certificate, reason int) {
	e := x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: a.o.Now().UTC().Truncate(time.Second), ReasonCode: reason}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.revoked = append(a.revoked, e)
}

// CRL returns the list of revoked certificates as of now, good for a week.
func (a *Authority) CRL() ([]byte, error) {
	a.mu.Lock()
	a.crls++
	now := a.o.Now().UTC().Truncate(time.Second)
	l := &x509.RevocationList{SignatureAlgorithm: a.certAlgorithm(), Number: big.NewInt(a.crls), ThisUpdate: now, NextUpdate: now.Add(7 * 24 * time.Hour),
		RevokedCertificateEntries: append([]x509.RevocationListEntry(nil), a.revoked...)}
	a.mu.Unlock()
	b, err := x509.CreateRevocationList(rand.Reader, l, a.root.Cert, a.root.Key)
	if err != nil {
		return nil, fmt.Errorf("test authority: %w", err)
	}
	return b, nil
}
