package algo

import (
	"crypto/x509"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// SignedParts takes SEQUENCE { what is signed, algorithm, signature, … } apart, the outer
// form of certificates, CRLs and OCSP responses. The contents of the algorithm are for
// ReadSignatureID.
func SignedParts(b cryptobyte.String) (signed, id cryptobyte.String, sig []byte, rest cryptobyte.String, err error) {
	var in cryptobyte.String
	if !b.ReadASN1(&in, cbasn1.SEQUENCE) || !in.ReadASN1Element(&signed, cbasn1.SEQUENCE) || !in.ReadASN1(&id, cbasn1.SEQUENCE) || !in.ReadASN1BitStringAsBytes(&sig) {
		return nil, nil, nil, nil, errors.New("malformed signed structure")
	}
	return signed, id, sig, in, nil
}

// VerifySigned verifies the signature on a certificate, a CRL or an OCSP response with the
// key of a certificate, whatever that may be used for: ErrSignature if it does not fit,
// ErrUnsupported if it cannot be checked.
func VerifySigned(by *x509.Certificate, b []byte) error {
	signed, id, sig, _, err := SignedParts(b)
	if err != nil {
		return err
	}
	alg, err := ReadSignatureID(id)
	if err != nil {
		return err
	}
	key, _, err := Key(by)
	if err != nil {
		return err
	}
	return alg.Verify(key, signed, sig)
}
