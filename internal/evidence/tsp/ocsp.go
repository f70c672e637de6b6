package tsp

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/der"
)

// maxSingle is how many certificates one OCSP response may be about.
const maxSingle = 64

// ocspResponse is a BasicOCSPResponse (RFC 6960 §4.2.1).
type ocspResponse struct {
	raw       []byte
	byName    []byte // DER of the responder's name, or
	byKey     []byte // SHA-1 of its key
	produced  time.Time
	singles   []ocspSingle
	certs     [][]byte
	responder *x509.Certificate // set by verified
}

// ocspSingle is what a response says about one certificate.
type ocspSingle struct {
	hash             algo.Hash
	nameHash, keySum []byte
	serial           *big.Int
	status           int // 0 good, 1 revoked, 2 unknown
	revoked          time.Time
	reason           int // CRLReason, -1 if not told
	this, next       time.Time
}

// oidOCSPNonce and others are not read: a stored answer is judged by its dates.

// ParseOCSP takes an OCSPResponse apart and returns the BasicOCSPResponse in
// it, which is what is kept.
func ParseOCSP(b []byte) (basic []byte, err error) {
	if err := der.Check(b); err != nil {
		return nil, fmt.Errorf("OCSP response: %w", err)
	}
	s := cryptobyte.String(b)
	var in, explicit, seq, octets cryptobyte.String
	var status int
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1(&in, cbasn1.SEQUENCE) || !in.ReadASN1Enum(&status) {
		return nil, errors.New("OCSP response: malformed")
	}
	if status != 0 {
		return nil, fmt.Errorf("OCSP response: status %d instead of 0 (successful)", status)
	}
	if !in.ReadASN1(&explicit, contextTag(0)) || !explicit.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&oid) || !seq.ReadASN1(&octets, cbasn1.OCTET_STRING) {
		return nil, errors.New("OCSP response: malformed")
	}
	if !oid.Equal(oidOCSPInside()) {
		return nil, fmt.Errorf("OCSP response: of type %v", oid)
	}
	if _, err := parseBasicOCSP(octets); err != nil {
		return nil, err
	}
	return octets, nil
}

func parseBasicOCSP(b []byte) (*ocspResponse, error) {
	if err := der.Check(b); err != nil {
		return nil, fmt.Errorf("OCSP response: %w", err)
	}
	malformed := errors.New("OCSP response: malformed")
	r := &ocspResponse{raw: b}
	signed, _, _, rest, err := algo.SignedParts(b)
	if err != nil {
		return nil, malformed
	}
	var tbs, part, all cryptobyte.String
	var has bool
	if !signed.ReadASN1(&tbs, cbasn1.SEQUENCE) || !tbs.ReadOptionalASN1(&part, &has, contextTag(0)) {
		return nil, malformed
	}
	switch {
	case tbs.PeekASN1Tag(contextTag(1)):
		if !tbs.ReadASN1(&part, contextTag(1)) {
			return nil, malformed
		}
		r.byName = part
	case tbs.ReadASN1(&part, contextTag(2)) && part.ReadASN1(&all, cbasn1.OCTET_STRING):
		r.byKey = all
	default:
		return nil, malformed
	}
	if r.produced, err = readTime(&tbs); err != nil {
		return nil, err
	}
	if !tbs.ReadASN1(&all, cbasn1.SEQUENCE) {
		return nil, malformed
	}
	for !all.Empty() {
		if len(r.singles) == maxSingle || !all.ReadASN1(&part, cbasn1.SEQUENCE) {
			return nil, malformed
		}
		single, err := parseSingle(part)
		if err != nil {
			return nil, err
		}
		r.singles = append(r.singles, single)
	}
	return r, r.parseCerts(rest)
}

func (r *ocspResponse) parseCerts(rest cryptobyte.String) error {
	var part, all, cert cryptobyte.String
	if !rest.PeekASN1Tag(contextTag(0)) {
		return nil
	}
	if !rest.ReadASN1(&part, contextTag(0)) || !part.ReadASN1(&all, cbasn1.SEQUENCE) {
		return errors.New("OCSP response: malformed")
	}
	for !all.Empty() {
		if len(r.certs) == maxCerts || !all.ReadASN1Element(&cert, cbasn1.SEQUENCE) {
			return errors.New("OCSP response: malformed")
		}
		r.certs = append(r.certs, cert)
	}
	return nil
}

func readTime(s *cryptobyte.String) (time.Time, error) {
	var at cryptobyte.String
	if !s.ReadASN1(&at, cbasn1.GeneralizedTime) {
		return time.Time{}, errors.New("OCSP response: no time")
	}
	return generalizedTime(string(at))
}

func parseSingle(in cryptobyte.String) (ocspSingle, error) {
	malformed := errors.New("OCSP response: malformed answer on a certificate")
	s := ocspSingle{serial: new(big.Int), reason: -1}
	var id, alg, name, key, part cryptobyte.String
	if !in.ReadASN1(&id, cbasn1.SEQUENCE) || !id.ReadASN1(&alg, cbasn1.SEQUENCE) || !id.ReadASN1(&name, cbasn1.OCTET_STRING) ||
		!id.ReadASN1(&key, cbasn1.OCTET_STRING) || !id.ReadASN1Integer(s.serial) {
		return s, malformed
	}
	var err error
	if s.hash, err = algo.ReadHashID(alg); err != nil {
		return s, err
	}
	s.nameHash, s.keySum = name, key
	var tag cbasn1.Tag
	if !in.ReadAnyASN1(&part, &tag) {
		return s, malformed
	}
	switch tag {
	case cbasn1.Tag(0).ContextSpecific():
	case contextTag(1):
		s.status = 1
		if s.revoked, err = readTime(&part); err != nil {
			return s, err
		}
		if !part.Empty() {
			var reason cryptobyte.String
			if !part.ReadASN1(&reason, contextTag(0)) || !reason.ReadASN1Enum(&s.reason) {
				return s, malformed
			}
		}
	default:
		s.status = 2
	}
	if s.this, err = readTime(&in); err != nil {
		return s, err
	}
	if in.PeekASN1Tag(contextTag(0)) {
		if !in.ReadASN1(&part, contextTag(0)) {
			return s, malformed
		}
		s.next, err = readTime(&part)
	}
	return s, err
}

// about reports whether the answer is about the certificate that issuer issued.
func (s ocspSingle) about(c, issuer *x509.Certificate) bool {
	return s.serial.Cmp(c.SerialNumber) == 0 && bytes.Equal(s.nameHash, s.hash.Sum(issuer.RawSubject)) &&
		bytes.Equal(s.keySum, s.hash.Sum(keyBits(issuer)))
}

// keyBits returns the contents of subjectPublicKey, which OCSP hashes.
func keyBits(c *x509.Certificate) []byte {
	var seq, id cryptobyte.String
	var bits []byte
	s := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1(&id, cbasn1.SEQUENCE) || !seq.ReadASN1BitStringAsBytes(&bits) {
		return nil
	}
	return bits
}

// verified reports whether the response is signed by the issuer, or by a
// responder that the issuer has appointed (RFC 6960 §4.2.2.2).
func (r *ocspResponse) verified(issuer *x509.Certificate, others []*x509.Certificate) bool {
	inside, _ := certificates(r.certs...)
	for _, c := range append(append([]*x509.Certificate{issuer}, inside...), others...) {
		if r.byName != nil && !bytes.Equal(r.byName, c.RawSubject) || r.byKey != nil && !bytes.Equal(r.byKey, algo.SHA1.Sum(keyBits(c))) {
			continue
		}
		if !c.Equal(issuer) && !appointed(c, issuer, r.produced) {
			continue
		}
		if algo.VerifySigned(c, r.raw) == nil {
			r.responder = c
			return true
		}
	}
	return false
}

func appointed(c, issuer *x509.Certificate, at time.Time) bool {
	if !bytes.Equal(c.RawIssuer, issuer.RawSubject) || at.Before(c.NotBefore) || at.After(c.NotAfter) {
		return false
	}
	for _, u := range c.ExtKeyUsage {
		if u == x509.ExtKeyUsageOCSPSigning {
			return algo.VerifySigned(issuer, c.Raw) == nil
		}
	}
	return false
}

// ocspRequest returns the request on one certificate (RFC 6960 §4.1.1). The
// hash is SHA-1, because that is what every responder knows (RFC 5019 §2.1.1);
// it only names the certificate.
func ocspRequest(c, issuer *x509.Certificate) ([]byte, error) {
	var b cryptobyte.Builder
	seq := func(b *cryptobyte.Builder, f func(*cryptobyte.Builder)) { b.AddASN1(cbasn1.SEQUENCE, f) }
	seq(&b, func(b *cryptobyte.Builder) { // OCSPRequest
		seq(b, func(b *cryptobyte.Builder) { // TBSRequest
			seq(b, func(b *cryptobyte.Builder) { // requestList
				seq(b, func(b *cryptobyte.Builder) { // Request
					seq(b, func(b *cryptobyte.Builder) { // CertID
						seq(b, func(b *cryptobyte.Builder) {
							b.AddASN1ObjectIdentifier(algo.SHA1.OID())
							b.AddASN1NULL()
						})
						b.AddASN1OctetString(algo.SHA1.Sum(issuer.RawSubject))
						b.AddASN1OctetString(algo.SHA1.Sum(keyBits(issuer)))
						b.AddASN1BigInt(c.SerialNumber)
					})
				})
			})
		})
	})
	return b.Bytes()
}
