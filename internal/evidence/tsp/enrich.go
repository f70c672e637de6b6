package tsp

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Placement says where revocation data are put (TSP-6).
type Placement uint8

// The placements.
const (
	// CRLsInside puts CRLs into the token and OCSP responses into the sidecar:
	// such tokens can be read by OpenSSL's ts and cms alike.
	CRLsInside Placement = iota
	// AllInside puts both into the token, as TR-ESOR's Basis-ERS wants it;
	// OpenSSL's ts cannot read tokens with OCSP responses inside, cms can.
	AllInside
)

// maxInside is the most bytes of a CRL that goes into a token. A token is in
// every evidence record of its batch; a larger CRL goes into the sidecar.
const maxInside = 64 << 10

// Collected is what Enrich has got together.
type Collected struct {
	Token   *Token   // to be used from now on, in place of the one given
	Sidecar *Sidecar // what is kept beside it
	Missing []string // what could not be had, in English; revocation is then not proven
}

// Enrich gets the certificates up to an anchor and the revocation data for all
// of them, and puts them into the token and beside it. That must be done before
// the token is used for the first time, as it changes bytes that renewals hash
// (TSP-5); the signature does not cover them. What cannot be had is in Missing;
// an error means that the token is not usable at all. At most about 8
// certificates with three requests each are asked for; ctx bounds the time.
func (f *Fetcher) Enrich(ctx context.Context, t *Token, anchors *Anchors, place Placement) (*Collected, error) {
	inside, _ := certificates(t.Certificates...)
	signer, err := t.Signer(nil)
	if err != nil {
		return nil, fmt.Errorf("enrich time stamp: %w", err)
	}
	out := &Collected{}
	path, got := f.complete(ctx, signer, inside, anchors, out)
	data := f.collect(ctx, path, append(inside, got...), out)
	beside, crls, ocsp := &Sidecar{}, [][]byte(nil), [][]byte(nil)
	for _, c := range path {
		beside.Certificates = union(beside.Certificates, [][]byte{c.Raw})
	}
	for _, b := range data.CRLs {
		if len(b) <= maxInside {
			crls = append(crls, b)
		} else {
			beside.CRLs = append(beside.CRLs, b)
		}
	}
	if place == AllInside {
		ocsp = data.OCSP
	} else {
		beside.OCSP = data.OCSP
	}
	var certs [][]byte
	for _, c := range got {
		certs = append(certs, c.Raw)
	}
	raw, err := t.with(certs, crls, ocsp)
	if err != nil {
		return nil, fmt.Errorf("enrich time stamp: %w", err)
	}
	if out.Token, err = ParseToken(raw); err != nil {
		return nil, fmt.Errorf("enrich time stamp: %w", err)
	}
	if _, err := out.Token.Signer(nil); err != nil {
		return nil, fmt.Errorf("enrich time stamp: %w", err)
	}
	out.Sidecar = beside
	return out, nil
}

// Refresh gets new revocation data for a token that is in use, for its sidecar:
// the last ones before its renewal (REN-4).
func (f *Fetcher) Refresh(ctx context.Context, t *Token, known *Sidecar, anchors *Anchors) (*Sidecar, []string, error) {
	inside, _ := certificates(t.Certificates...)
	beside, _, _ := known.parts()
	signer, err := t.Signer(beside)
	if err != nil {
		return nil, nil, fmt.Errorf("refresh revocation data: %w", err)
	}
	out := &Collected{}
	path, got := f.complete(ctx, signer, append(inside, beside...), anchors, out)
	data := f.collect(ctx, path, append(append(inside, beside...), got...), out)
	for _, c := range got {
		data.Certificates = append(data.Certificates, c.Raw)
	}
	return data, out.Missing, nil
}

// complete returns the path from the signer to an anchor as far as it can be
// found or fetched, and the certificates that were fetched for it.
func (f *Fetcher) complete(ctx context.Context, signer *x509.Certificate, known []*x509.Certificate, anchors *Anchors, out *Collected) (path, got []*x509.Certificate) {
	path = []*x509.Certificate{signer}
	for len(path) < maxPath {
		s := &search{anchors: anchors, certs: append(known[:len(known):len(known)], got...)}
		if whole := s.path(signer); whole != nil {
			return whole, got
		}
		last := path[len(path)-1]
		next := s.issuerOf(last, path)
		if next == nil {
			var err error
			if next, err = f.issuer(ctx, last); err != nil {
				out.Missing = append(out.Missing, err.Error())
				return path, got
			}
			if contains(path, next) {
				break
			}
			got = append(got, next)
		}
		path = append(path, next)
	}
	out.Missing = append(out.Missing, fmt.Sprintf("no path from %q to a trust anchor", signer.Subject))
	return path, got
}

// issuerOf returns a known certificate that has issued c and is not in path.
func (s *search) issuerOf(c *x509.Certificate, path []*x509.Certificate) *x509.Certificate {
	for _, ca := range s.certs {
		if bytes.Equal(ca.RawSubject, c.RawIssuer) && !contains(path, ca) && s.issued(ca, c, len(path)-1, false) {
			return ca
		}
	}
	return nil
}

// collect gets CRLs and OCSP responses for all certificates of the path that
// have an issuer in it.
func (f *Fetcher) collect(ctx context.Context, path, known []*x509.Certificate, out *Collected) *Sidecar {
	data := &Sidecar{}
	now := f.now()
	for i, c := range path[:len(path)-1] {
		crl, noCRL := f.crl(ctx, c, path[i+1], now)
		if noCRL == nil {
			data.CRLs = union(data.CRLs, [][]byte{crl})
		}
		ocsp, noOCSP := f.ocsp(ctx, c, path[i+1], known)
		if noOCSP == nil {
			data.OCSP = union(data.OCSP, [][]byte{ocsp})
		}
		if noCRL != nil && noOCSP != nil {
			out.Missing = append(out.Missing, errors.Join(noCRL, noOCSP).Error())
		}
	}
	return data
}

// with returns the token's bytes with more certificates, CRLs and OCSP responses
// in them. Everything signed stays as it is.
func (t *Token) with(certs, crls, ocsp [][]byte) ([]byte, error) {
	allCerts := union(slices.Clone(t.outer.certs), certs)
	allRevs := union(slices.Clone(t.outer.crls), crls)
	version := int64(t.version)
	for _, o := range ocsp {
		e, err := otherRevocation(o)
		if err != nil {
			return nil, err
		}
		allRevs = union(allRevs, [][]byte{e})
		version = 5 // RFC 5652 §5.1
	}
	if len(allCerts) == len(t.outer.certs) && len(allRevs) == len(t.outer.crls) {
		return t.Raw, nil
	}
	slices.SortFunc(allCerts, bytes.Compare) // DER of SET OF
	slices.SortFunc(allRevs, bytes.Compare)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSignedData())
		b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(version)
				b.AddBytes(t.outer.digests)
				b.AddBytes(t.outer.encap)
				set(b, 0, allCerts)
				set(b, 1, allRevs)
				b.AddBytes(t.outer.signers)
			})
		})
	})
	return b.Bytes()
}

func set(b *cryptobyte.Builder, tag uint8, elements [][]byte) {
	if len(elements) == 0 {
		return
	}
	b.AddASN1(contextTag(tag), func(b *cryptobyte.Builder) {
		for _, e := range elements {
			b.AddBytes(e)
		}
	})
}

// otherRevocation wraps a BasicOCSPResponse (RFC 5652 §10.2.1, RFC 5940 §2.1).
func otherRevocation(basic []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(contextTag(1), func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidOCSPInside())
		b.AddBytes(basic)
	})
	return b.Bytes()
}
