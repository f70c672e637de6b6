package tsp

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/muniment/muniment/internal/evidence/der"
)

// Sidecar is what is kept beside tokens for their verification: certificates,
// CRLs and OCSP responses, each in DER. A nil Sidecar is empty.
type Sidecar struct {
	Certificates [][]byte
	CRLs         [][]byte
	OCSP         [][]byte // BasicOCSPResponses
}

// Limits of a sidecar.
const (
	maxSidecar      = 64 << 20 // bytes
	maxSidecarParts = 4096     // of each kind
)

func (s *Sidecar) parts() (certs []*x509.Certificate, crls, ocsp [][]byte) {
	if s == nil {
		return nil, nil, nil
	}
	certs, _ = certificates(s.Certificates...)
	return certs, slices.Clone(s.CRLs), slices.Clone(s.OCSP)
}

// Merge adds what is in o and not yet in s.
func (s *Sidecar) Merge(o *Sidecar) {
	if o == nil {
		return
	}
	s.Certificates = union(s.Certificates, o.Certificates)
	s.CRLs = union(s.CRLs, o.CRLs)
	s.OCSP = union(s.OCSP, o.OCSP)
}

func union(all, more [][]byte) [][]byte {
	for _, b := range more {
		if !slices.ContainsFunc(all, func(x []byte) bool { return bytes.Equal(x, b) }) {
			all = append(all, b)
		}
	}
	return all
}

// MarshalBinary writes SEQUENCE { version INTEGER 1, certificates SEQUENCE OF
// Certificate, crls SEQUENCE OF CertificateList, ocsp SEQUENCE OF
// BasicOCSPResponse } in DER.
func (s *Sidecar) MarshalBinary() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		for _, list := range [][][]byte{s.Certificates, s.CRLs, s.OCSP} {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, e := range list {
					b.AddBytes(e)
				}
			})
		}
	})
	return b.Bytes()
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (s *Sidecar) UnmarshalBinary(b []byte) error {
	if len(b) > maxSidecar {
		return fmt.Errorf("sidecar of %d bytes, the limit is %d", len(b), maxSidecar)
	}
	if err := der.Check(b); err != nil {
		return fmt.Errorf("sidecar: %w", err)
	}
	in, seq := cryptobyte.String(b), cryptobyte.String(nil)
	version := 0
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1Integer(&version) || version != 1 {
		return errors.New("sidecar: malformed, or of a later version")
	}
	*s = Sidecar{}
	for _, list := range []*[][]byte{&s.Certificates, &s.CRLs, &s.OCSP} {
		var all, e cryptobyte.String
		if !seq.ReadASN1(&all, cbasn1.SEQUENCE) {
			return errors.New("sidecar: malformed")
		}
		for !all.Empty() {
			if len(*list) == maxSidecarParts || !all.ReadASN1Element(&e, cbasn1.SEQUENCE) {
				return fmt.Errorf("sidecar: malformed, or more than %d parts", maxSidecarParts)
			}
			*list = append(*list, e)
		}
	}
	if !seq.Empty() {
		return errors.New("sidecar: more than there should be")
	}
	return nil
}
