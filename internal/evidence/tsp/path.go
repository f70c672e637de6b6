package tsp

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
)

// Limits of the search for a path, which a hostile token could otherwise make
// endless with certificates of the same name.
const (
	maxPath   = 8  // certificates, the signer's and the anchor included
	maxTrials = 64 // signatures checked
)

// Anchors are the certificates trusted without proof. They need not be
// self-signed, and their own end is not looked at: to trust them is the
// decision of whoever configured them.
type Anchors struct {
	byName map[string][]*x509.Certificate
}

// NewAnchors returns the set of the certificates.
func NewAnchors(certs []*x509.Certificate) *Anchors {
	a := &Anchors{byName: map[string][]*x509.Certificate{}}
	for _, c := range certs {
		if !a.has(c) {
			a.byName[string(c.RawSubject)] = append(a.byName[string(c.RawSubject)], c)
		}
	}
	return a
}

func (a *Anchors) has(c *x509.Certificate) bool {
	return a != nil && contains(a.byName[string(c.RawSubject)], c)
}

func (a *Anchors) named(name []byte) []*x509.Certificate {
	if a == nil {
		return nil
	}
	return a.byName[string(name)]
}

func contains(all []*x509.Certificate, c *x509.Certificate) bool {
	for _, o := range all {
		if o.Equal(c) {
			return true
		}
	}
	return false
}

// search looks for a path from a signer to an anchor.
type search struct {
	anchors *Anchors
	certs   []*x509.Certificate
	at      time.Time // every certificate below the anchor must be valid then; zero: whenever
	trials  int
	problem error // the last reason why a candidate was not taken
}

// path returns the certificates from c to an anchor, both included; nil if
// there is no path.
func (s *search) path(c *x509.Certificate) []*x509.Certificate {
	return s.extend([]*x509.Certificate{c})
}

func (s *search) extend(path []*x509.Certificate) []*x509.Certificate {
	last := path[len(path)-1]
	if !s.at.IsZero() && (s.at.Before(last.NotBefore) || s.at.After(last.NotAfter)) {
		s.problem = fmt.Errorf("%q is valid from %s to %s", last.Subject, last.NotBefore.Format(time.DateOnly), last.NotAfter.Format(time.DateOnly))
		return nil
	}
	if s.anchors.has(last) {
		return path
	}
	if len(path) == maxPath {
		s.problem = fmt.Errorf("more than %d certificates", maxPath)
		return nil
	}
	for _, anchor := range s.anchors.named(last.RawIssuer) {
		if s.issued(anchor, last, len(path)-1, true) {
			return append(path[:len(path):len(path)], anchor)
		}
	}
	for _, c := range s.certs {
		if !bytes.Equal(c.RawSubject, last.RawIssuer) || contains(path, c) || s.anchors.has(c) || !s.issued(c, last, len(path)-1, false) {
			continue
		}
		if found := s.extend(append(path[:len(path):len(path)], c)); found != nil {
			return found
		}
	}
	return nil
}

// issued reports whether ca may issue certificates and has issued c, which has
// below certificates under it (RFC 5280 §6.1.3, §6.1.4).
func (s *search) issued(ca, c *x509.Certificate, below int, anchor bool) bool {
	if s.trials++; s.trials > maxTrials {
		s.problem = fmt.Errorf("more than %d signatures to check", maxTrials)
		return false
	}
	if err := mayIssue(ca, below, anchor); err != nil {
		s.problem = err
		return false
	}
	if len(c.UnhandledCriticalExtensions) > 0 {
		s.problem = fmt.Errorf("%q: critical extension %v: %w", c.Subject, c.UnhandledCriticalExtensions[0], algo.ErrUnsupported)
		return false
	}
	if err := algo.VerifySigned(ca, c.Raw); err != nil {
		s.problem = fmt.Errorf("%q signed by %q: %w", c.Subject, ca.Subject, err)
		return false
	}
	return true
}

func mayIssue(ca *x509.Certificate, below int, anchor bool) error {
	if anchor && ca.Version < 3 {
		return nil // old roots have no extensions
	}
	if !ca.BasicConstraintsValid || !ca.IsCA {
		return fmt.Errorf("%q is not an authority", ca.Subject)
	}
	if ca.KeyUsage != 0 && ca.KeyUsage&x509.KeyUsageCertSign == 0 {
		return fmt.Errorf("%q may not sign certificates", ca.Subject)
	}
	if (ca.MaxPathLen > 0 || ca.MaxPathLenZero) && below > ca.MaxPathLen {
		return fmt.Errorf("%q allows %d authorities below it, not %d", ca.Subject, ca.MaxPathLen, below)
	}
	if anchor {
		return nil
	}
	if ca.PermittedDNSDomainsCritical {
		return fmt.Errorf("%q constrains names: %w", ca.Subject, algo.ErrUnsupported)
	}
	if len(ca.ExtKeyUsage)+len(ca.UnknownExtKeyUsage) == 0 {
		return nil
	}
	for _, u := range ca.ExtKeyUsage {
		if u == x509.ExtKeyUsageTimeStamping || u == x509.ExtKeyUsageAny {
			return nil
		}
	}
	return fmt.Errorf("%q is not an authority for time stamping", ca.Subject)
}

// signatureTrust returns the trust in the signature by ca on a signed structure.
func signatureTrust(ca *x509.Certificate, b []byte, cat *algo.Catalogue) algo.Trust {
	_, id, _, _, err := algo.SignedParts(b)
	if err != nil {
		return algo.Trust{}
	}
	alg, err := algo.ReadSignatureID(id)
	if err != nil {
		return algo.Trust{}
	}
	_, bits, err := algo.Key(ca)
	if err != nil {
		return algo.Trust{}
	}
	trust := cat.Signature(alg.Scheme, bits)
	if alg.Scheme != algo.Ed25519 {
		trust = trust.Earlier(cat.Hash(alg.Hash))
	}
	return trust
}
