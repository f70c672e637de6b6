package brainpool

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ParseCertificate is x509.ParseCertificate that reads certificates with keys on
// brainpool curves too: their PublicKey is a *PublicKey, whose point is on its curve,
// and their PublicKeyAlgorithm is unknown to the standard library, which therefore
// verifies no signature by them. What cannot be read has the standard library's error.
func ParseCertificate(b []byte) (*x509.Certificate, error) {
	c, err := x509.ParseCertificate(b)
	if err == nil {
		return c, nil
	}
	// The standard library refuses whoever names a curve it does not know, but takes
	// keys of kinds that it does not know. So it gets to read such a kind, and the
	// certificate gets back what it is.
	masked := bytes.Clone(b)
	p, missing := split(masked)
	switch {
	case errors.Is(missing, errNone):
		return nil, err
	case missing != nil:
		return nil, missing
	}
	p.kind[len(p.kind)-1] = 0x7f // 1.2.840.10045.2.127 belongs to nobody
	if c, err = x509.ParseCertificate(masked); err != nil {
		return nil, err
	}
	whole := bytes.Clone(b)
	if p, err = split(whole); err != nil {
		return nil, err
	}
	c.Raw, c.RawTBSCertificate, c.RawSubjectPublicKeyInfo, c.PublicKey = whole, p.tbs, p.spki, p.key
	return c, nil
}

// parts are the places in a certificate that its key is told at (RFC 5280 §4.1). They
// share the bytes of the certificate.
type parts struct {
	tbs, spki cryptobyte.String
	kind      cryptobyte.String // contents of the object identifier of the kind of the key
	key       *PublicKey
}

// split finds the parts; errNone if the key is another or there is no certificate.
func split(b []byte) (p parts, err error) {
	in, cert, tbs := cryptobyte.String(b), cryptobyte.String(nil), cryptobyte.String(nil)
	if !in.ReadASN1(&cert, cbasn1.SEQUENCE) || !in.Empty() || !cert.ReadASN1Element(&p.tbs, cbasn1.SEQUENCE) {
		return p, errNone
	}
	if whole := p.tbs; !whole.ReadASN1(&tbs, cbasn1.SEQUENCE) || !tbs.SkipOptionalASN1(cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		!tbs.SkipASN1(cbasn1.INTEGER) {
		return p, errNone
	}
	for range 4 { // signature, issuer, validity, subject
		if !tbs.SkipASN1(cbasn1.SEQUENCE) {
			return p, errNone
		}
	}
	if !tbs.ReadASN1Element(&p.spki, cbasn1.SEQUENCE) {
		return p, errNone
	}
	spki, inside, id := p.spki, cryptobyte.String(nil), cryptobyte.String(nil)
	var name asn1.ObjectIdentifier
	var bits []byte
	if !spki.ReadASN1(&inside, cbasn1.SEQUENCE) || !inside.ReadASN1(&id, cbasn1.SEQUENCE) || !id.ReadASN1(&p.kind, cbasn1.OBJECT_IDENTIFIER) ||
		!bytes.Equal(p.kind, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1}) || // id-ecPublicKey, RFC 5480 §2.1.1
		!id.ReadASN1ObjectIdentifier(&name) || !id.Empty() || !inside.ReadASN1BitStringAsBytes(&bits) || !inside.Empty() {
		return p, errNone
	}
	for _, c := range table() {
		if c.oid.Equal(name) {
			p.key, err = newKey(c, bits)
			return p, err
		}
	}
	return p, errNone
}
