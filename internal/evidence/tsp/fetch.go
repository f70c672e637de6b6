package tsp

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/brainpool"
	"github.com/muniment/muniment/internal/evidence/der"
)

// Get gets what lies at an address: by POST if there is a body, else by GET. It
// bounds time and size, and decides which addresses may be reached: they come
// from certificates that are not trusted yet. Package tspclient has one.
type Get func(ctx context.Context, address, contentType string, body []byte) ([]byte, error)

// Fetcher gets certificates, CRLs and OCSP responses from the addresses that
// certificates name, and checks them.
type Fetcher struct {
	Get Get
	Now func() time.Time // nil: time.Now
}

func (f *Fetcher) now() time.Time {
	if f.Now == nil {
		return time.Now()
	}
	return f.Now()
}

// maxAddresses is how many addresses are tried per certificate and kind.
const maxAddresses = 3

// first returns the first result of get on at most maxAddresses addresses.
func first(addresses []string, what string, get func(string) ([]byte, error)) ([]byte, error) {
	err := fmt.Errorf("%s: the certificate names no address", what)
	for _, a := range addresses[:min(len(addresses), maxAddresses)] {
		var b []byte
		if b, err = get(a); err == nil {
			return b, nil
		}
		err = fmt.Errorf("%s: %w", what, err)
	}
	return nil, err
}

// unarmour returns the DER in b, which may be PEM.
func unarmour(b []byte) []byte {
	if block, _ := pem.Decode(b); block != nil {
		return block.Bytes
	}
	return b
}

// issuer gets the certificate of the issuer of c (RFC 5280 §4.2.2.1). Only
// single certificates are read, no certs-only CMS messages.
func (f *Fetcher) issuer(ctx context.Context, c *x509.Certificate) (*x509.Certificate, error) {
	b, err := first(c.IssuingCertificateURL, fmt.Sprintf("issuer of %q", c.Subject), func(a string) ([]byte, error) {
		b, err := f.Get(ctx, a, "", nil)
		if err != nil {
			return nil, err
		}
		b = unarmour(b)
		ca, err := brainpool.ParseCertificate(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a, err)
		}
		if !bytes.Equal(ca.RawSubject, c.RawIssuer) {
			return nil, fmt.Errorf("%s: certificate of %q", a, ca.Subject)
		}
		return b, algo.VerifySigned(ca, c.Raw)
	})
	if err != nil {
		return nil, err
	}
	return brainpool.ParseCertificate(b)
}

// crl gets the CRL of c and checks that it is signed and still good at now.
func (f *Fetcher) crl(ctx context.Context, c, issuer *x509.Certificate, now time.Time) ([]byte, error) {
	return first(c.CRLDistributionPoints, fmt.Sprintf("CRL for %q", c.Subject), func(a string) ([]byte, error) {
		b, err := f.Get(ctx, a, "", nil)
		if err != nil {
			return nil, err
		}
		b = unarmour(b)
		if err := der.Check(b); err != nil {
			return nil, fmt.Errorf("%s: %w", a, err)
		}
		l, err := x509.ParseRevocationList(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a, err)
		}
		if !bytes.Equal(l.RawIssuer, issuer.RawSubject) || !covers(l, c) || algo.VerifySigned(issuer, b) != nil || l.NextUpdate.Before(now) {
			return nil, fmt.Errorf("%s: CRL is of another issuer, not signed by it, partial, or out of date", a)
		}
		return b, nil
	})
}

// ocsp asks about c and checks that the answer is signed and about c.
func (f *Fetcher) ocsp(ctx context.Context, c, issuer *x509.Certificate, known []*x509.Certificate) ([]byte, error) {
	query, err := ocspRequest(c, issuer)
	if err != nil {
		return nil, err
	}
	return first(c.OCSPServer, fmt.Sprintf("OCSP for %q", c.Subject), func(a string) ([]byte, error) {
		b, err := f.Get(ctx, a, "application/ocsp-request", query)
		if err != nil {
			return nil, err
		}
		basic, err := ParseOCSP(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a, err)
		}
		r, err := parseBasicOCSP(basic)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a, err)
		}
		if !slices.ContainsFunc(r.singles, func(s ocspSingle) bool { return s.about(c, issuer) && s.status != 2 }) || !r.verified(issuer, known) {
			return nil, fmt.Errorf("%s: the answer is about another certificate, unknown, or not signed as it must be", a)
		}
		return basic, nil
	})
}
