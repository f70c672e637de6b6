package tsp

import (
	"bytes"
	"crypto/subtle"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/muniment/muniment/internal/evidence/algo"
)

// Signer finds the certificate of the signer among those inside the token and
// the extra ones, and verifies the signature over the signed attributes and the
// TSTInfo (RFC 5652 §5.4, RFC 5816). It judges neither the certificate nor the
// algorithms. Errors have one of the codes CodeSignedAttrs, CodeSigningCert,
// CodeNoSigner, CodeUnsupported and CodeSignature.
func (t *Token) Signer(extra []*x509.Certificate) (*x509.Certificate, error) {
	s := &t.signer
	if s.digestErr != nil {
		return nil, fmt.Errorf("%w: %w", CodeUnsupported, s.digestErr)
	}
	if err := t.checkAttributes(); err != nil {
		return nil, fmt.Errorf("%w: %w", CodeSignedAttrs, err)
	}
	inside, unreadable := certificates(t.Certificates...)
	cert, err := s.find(append(inside, extra...))
	if err != nil {
		return nil, err
	}
	if cert == nil {
		if unreadable > 0 {
			return nil, fmt.Errorf("%w: %d certificates inside cannot be read", CodeUnsupported, unreadable)
		}
		return nil, fmt.Errorf("%w: no certificate with the serial number or the key identifier of the signer", CodeNoSigner)
	}
	key, _, err := algo.Key(cert)
	if err != nil {
		return cert, fmt.Errorf("%w: %w", CodeUnsupported, err)
	}
	if s.sigErr != nil {
		return cert, fmt.Errorf("%w: %w", CodeUnsupported, s.sigErr)
	}
	sig := s.scheme()
	err = sig.Verify(key, s.rawAttrs, s.value)
	if errors.Is(err, algo.ErrSignature) && s.derAttrs != nil {
		// What is signed is the DER of the attributes, in whatever order they are sent
		// (RFC 5652 §5.4); many sign what they send all the same.
		err = sig.Verify(key, s.derAttrs, s.value)
	}
	switch {
	case errors.Is(err, algo.ErrUnsupported):
		return cert, fmt.Errorf("%w: %w", CodeUnsupported, err)
	case err != nil:
		return cert, fmt.Errorf("%w: %v: %w", CodeSignature, sig, err)
	}
	return cert, nil
}

// scheme returns the signature algorithm, with the digest algorithm where the
// identifier leaves the hash open.
func (s *signerInfo) scheme() algo.Signature {
	sig := s.sig
	if sig.Hash == (algo.Hash{}) && sig.Scheme != algo.Ed25519 {
		sig.Hash = s.digest
	}
	return sig
}

// checkAttributes checks contentType and messageDigest (RFC 5652 §11.1, §11.2).
func (t *Token) checkAttributes() error {
	s := &t.signer
	if s.rawAttrs == nil {
		return errors.New("there are none")
	}
	value, err := s.attr(oidContentType())
	if err != nil {
		return err
	}
	var oid asn1.ObjectIdentifier
	if !value.ReadASN1ObjectIdentifier(&oid) || !value.Empty() || !oid.Equal(oidTSTInfo()) {
		return fmt.Errorf("contentType is %v, not TSTInfo", oid)
	}
	if value, err = s.attr(oidMessageDigest()); err != nil {
		return err
	}
	var sum cryptobyte.String
	if !value.ReadASN1(&sum, cbasn1.OCTET_STRING) || !value.Empty() {
		return errors.New("messageDigest is missing or malformed")
	}
	if subtle.ConstantTimeCompare(sum, s.digest.Sum(t.content)) != 1 {
		return fmt.Errorf("messageDigest is not the %v of TSTInfo", s.digest)
	}
	return nil
}

// essID is the first entry of a signing certificate attribute.
type essID struct {
	hash   algo.Hash
	sum    []byte
	serial *big.Int // nil if the attribute does not tell
	issuer []byte   // DER of the name, if it tells the serial number
}

func (e essID) matches(c *x509.Certificate) bool {
	return bytes.Equal(e.hash.Sum(c.Raw), e.sum) && (e.serial == nil || e.serial.Cmp(c.SerialNumber) == 0 && sameName(e.issuer, c.RawIssuer))
}

// find returns the certificate that both the identifier of the signer and the
// signing certificate attributes name; nil if the identifier names none.
func (s *signerInfo) find(certs []*x509.Certificate) (*x509.Certificate, error) {
	ids, err := s.essIDs()
	if err != nil {
		return nil, err
	}
	named := false
	for _, c := range certs {
		if s.keyID != nil && !bytes.Equal(s.keyID, c.SubjectKeyId) ||
			s.keyID == nil && (s.serial.Cmp(c.SerialNumber) != 0 || !bytes.Equal(s.issuer, c.RawIssuer)) {
			continue
		}
		named = true
		all := true
		for _, id := range ids {
			all = all && id.matches(c)
		}
		if all {
			return c, nil
		}
	}
	if named {
		return nil, fmt.Errorf("%w: the attribute names another certificate than the signer's", CodeSigningCert)
	}
	return nil, nil
}

// essIDs reads the attributes of RFC 2634 §5.4 and RFC 5035 §3; one must be there.
func (s *signerInfo) essIDs() ([]essID, error) {
	var ids []essID
	for _, v2 := range []bool{false, true} {
		oid := oidSigningCert()
		if v2 {
			oid = oidSigningCertV2()
		}
		value, err := s.attr(oid)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", CodeSigningCert, err)
		}
		if value == nil {
			continue
		}
		id, err := readESSID(value, v2)
		if errors.Is(err, algo.ErrUnsupported) {
			return nil, fmt.Errorf("%w: signing certificate: %w", CodeUnsupported, err)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", CodeSigningCert, err)
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%w: the attribute is missing", CodeSigningCert)
	}
	return ids, nil
}

func readESSID(value cryptobyte.String, v2 bool) (essID, error) {
	id := essID{hash: algo.SHA1}
	malformed := errors.New("the attribute is malformed")
	var seq, certs, first, sum, issuerSerial cryptobyte.String
	if !value.ReadASN1(&seq, cbasn1.SEQUENCE) || !value.Empty() || !seq.ReadASN1(&certs, cbasn1.SEQUENCE) || !certs.ReadASN1(&first, cbasn1.SEQUENCE) {
		return id, malformed
	}
	if v2 {
		id.hash = algo.SHA256
		var alg cryptobyte.String
		var has bool
		if !first.ReadOptionalASN1(&alg, &has, cbasn1.SEQUENCE) {
			return id, malformed
		}
		if has {
			var err error
			if id.hash, err = algo.ReadHashID(alg); err != nil {
				return id, err
			}
		}
	}
	if !first.ReadASN1(&sum, cbasn1.OCTET_STRING) {
		return id, malformed
	}
	id.sum = sum
	if first.Empty() {
		return id, nil
	}
	var names, name cryptobyte.String
	id.serial = new(big.Int)
	if !first.ReadASN1(&issuerSerial, cbasn1.SEQUENCE) || !first.Empty() || !issuerSerial.ReadASN1(&names, cbasn1.SEQUENCE) ||
		!issuerSerial.ReadASN1Integer(id.serial) || !issuerSerial.Empty() {
		return id, malformed
	}
	// The issuer is one name, of a directory (RFC 5035 §5.4.1).
	var tag cbasn1.Tag
	var ok bool
	if !names.ReadAnyASN1Element(&name, &tag) || !names.Empty() {
		return id, malformed
	}
	if id.issuer, ok = directoryName(name); !ok {
		return id, malformed
	}
	return id, nil
}

// checkUsage checks that the certificate is one of a time-stamping unit: its
// extended key usage is time stamping, critical and alone (RFC 3161 §2.3), and
// its key usage, if told, is to sign data (RFC 5280 §4.2.1.12).
func checkUsage(c *x509.Certificate) error {
	if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return fmt.Errorf("%w: the key of %q may not sign data", CodeKeyUsage, c.Subject)
	}
	if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(c.UnknownExtKeyUsage) != 0 {
		return fmt.Errorf("%w: the usage of %q is not time stamping alone", CodeKeyUsage, c.Subject)
	}
	for _, e := range c.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 37}) && e.Critical {
			return nil
		}
	}
	return fmt.Errorf("%w: the usage of %q is not critical", CodeKeyUsage, c.Subject)
}
