package algo

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/muniment/muniment/internal/evidence/brainpool"
)

// ErrSignature is returned for a signature that does not fit.
var ErrSignature = errors.New("signature does not fit")

// Scheme is how a signature is made.
type Scheme string

// The schemes, as the catalogue names them.
const (
	RSA     Scheme = "RSA"        // RSASSA-PKCS1-v1_5, RFC 8017 §8.2
	PSS     Scheme = "RSASSA-PSS" // RFC 8017 §8.1
	ECDSA   Scheme = "ECDSA"      // RFC 5753
	Ed25519 Scheme = "Ed25519"    // RFC 8419
)

// Signature is a signature algorithm.
type Signature struct {
	Scheme Scheme
	Hash   Hash // zero if the identifier leaves it to the CMS digest algorithm, and for Ed25519
	salt   int  // bytes, of PSS
}

// ReadSignatureID reads the contents of the AlgorithmIdentifier of a signature.
func ReadSignatureID(contents cryptobyte.String) (Signature, error) {
	oid, params, err := readID(contents)
	if err != nil {
		return Signature{}, err
	}
	pkcs1 := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1}
	if len(oid) == len(pkcs1)+1 && oid[:len(pkcs1)].Equal(pkcs1) {
		if oid[len(pkcs1)] == 10 {
			return readPSS(params)
		}
		by := map[int]Hash{1: {}, 4: MD5, 5: SHA1, 11: SHA256, 12: SHA384, 13: SHA512, 14: SHA224}
		if h, ok := by[oid[len(pkcs1)]]; ok {
			return Signature{Scheme: RSA, Hash: h}, nil
		}
	}
	switch s := oid.String(); s {
	case "1.3.101.112":
		return Signature{Scheme: Ed25519}, nil
	case "1.2.840.10045.2.1": // the key's identifier in place of the signature's, which some write
		return Signature{Scheme: ECDSA}, nil
	case "1.2.840.10045.4.1":
		return Signature{Scheme: ECDSA, Hash: SHA1}, nil
	default:
		by := map[string]Hash{"1.2.840.10045.4.3.1": SHA224, "1.2.840.10045.4.3.2": SHA256, "1.2.840.10045.4.3.3": SHA384, "1.2.840.10045.4.3.4": SHA512,
			"2.16.840.1.101.3.4.3.9": SHA3_224, "2.16.840.1.101.3.4.3.10": SHA3_256, "2.16.840.1.101.3.4.3.11": SHA3_384, "2.16.840.1.101.3.4.3.12": SHA3_512}
		if h, ok := by[s]; ok {
			return Signature{Scheme: ECDSA, Hash: h}, nil
		}
		by = map[string]Hash{"2.16.840.1.101.3.4.3.13": SHA3_224, "2.16.840.1.101.3.4.3.14": SHA3_256, "2.16.840.1.101.3.4.3.15": SHA3_384, "2.16.840.1.101.3.4.3.16": SHA3_512}
		if h, ok := by[s]; ok {
			return Signature{Scheme: RSA, Hash: h}, nil
		}
	}
	return Signature{}, fmt.Errorf("signature %v: %w", oid, ErrUnsupported)
}

// maxSalt bounds the salt of RSASSA-PSS, in bytes: as much as a key of 16384 bits has room for.
const maxSalt = 2048

// readPSS reads RSASSA-PSS-params (RFC 8017 §A.2.3).
func readPSS(params cryptobyte.String) (Signature, error) {
	malformed := errors.New("malformed parameters of RSASSA-PSS")
	sig, mask := Signature{Scheme: PSS, Hash: SHA1, salt: 20}, SHA1
	var seq cryptobyte.String
	if !params.ReadASN1(&seq, cbasn1.SEQUENCE) || !params.Empty() {
		return sig, malformed
	}
	var part cryptobyte.String
	var has bool
	tag := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
	if !seq.ReadOptionalASN1(&part, &has, tag(0)) {
		return sig, malformed
	}
	var err error
	if has {
		if sig.Hash, err = readHashElement(part); err != nil {
			return sig, err
		}
	}
	if !seq.ReadOptionalASN1(&part, &has, tag(1)) {
		return sig, malformed
	}
	if has {
		var id cryptobyte.String
		if !part.ReadASN1(&id, cbasn1.SEQUENCE) || !part.Empty() {
			return sig, malformed
		}
		oid, inner, err := readID(id)
		if err != nil || !oid.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}) {
			return sig, fmt.Errorf("mask %v: %w", oid, ErrUnsupported)
		}
		if mask, err = readHashElement(inner); err != nil {
			return sig, err
		}
	}
	if !seq.ReadOptionalASN1(&part, &has, tag(2)) || has && !part.ReadASN1Integer(&sig.salt) || sig.salt < 0 || sig.salt > maxSalt {
		return sig, malformed
	}
	trailer := 1
	if !seq.ReadOptionalASN1(&part, &has, tag(3)) || has && !part.ReadASN1Integer(&trailer) || trailer != 1 || !seq.Empty() {
		return sig, malformed
	}
	if mask != sig.Hash {
		return sig, fmt.Errorf("RSASSA-PSS with %v and mask %v: %w", sig.Hash, mask, ErrUnsupported)
	}
	return sig, nil
}

func readHashElement(s cryptobyte.String) (Hash, error) {
	var id cryptobyte.String
	if !s.ReadASN1(&id, cbasn1.SEQUENCE) || !s.Empty() {
		return Hash{}, errors.New("malformed algorithm identifier")
	}
	return ReadHashID(id)
}

// String returns for example "RSASSA-PSS with SHA-512".
func (s Signature) String() string {
	if s.Scheme == Ed25519 {
		return string(s.Scheme)
	}
	return fmt.Sprintf("%s with %v", s.Scheme, s.Hash)
}

// Verify reports ErrSignature unless sig is the signature of message by the
// holder of key, and ErrUnsupported for keys it cannot use.
func (s Signature) Verify(key crypto.PublicKey, message, sig []byte) error {
	var digest []byte
	if s.Scheme != Ed25519 {
		if s.Hash == (Hash{}) {
			return fmt.Errorf("%s without a hash: %w", s.Scheme, ErrUnsupported)
		}
		digest = s.Hash.Sum(message)
	}
	ok := false
	switch k := key.(type) {
	case *rsa.PublicKey:
		switch s.Scheme {
		case RSA:
			ok = rsa.VerifyPKCS1v15(k, s.Hash.Crypto(), digest, sig) == nil
		case PSS:
			ok = rsa.VerifyPSS(k, s.Hash.Crypto(), digest, sig, &rsa.PSSOptions{SaltLength: s.salt}) == nil // without a salt: of any length, which the signature tells
		}
		if !ok && k.N.BitLen() < 1024 {
			return fmt.Errorf("RSA key of %d bits: %w", k.N.BitLen(), ErrUnsupported)
		}
	case *ecdsa.PublicKey:
		ok = s.Scheme == ECDSA && ecdsa.VerifyASN1(k, digest, sig)
	case *brainpool.PublicKey:
		ok = s.Scheme == ECDSA && k.VerifyASN1(digest, sig)
	case ed25519.PublicKey:
		ok = s.Scheme == Ed25519 && ed25519.Verify(k, message, sig)
	default:
		return fmt.Errorf("key of type %T: %w", key, ErrUnsupported)
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

// Key returns the public key of a certificate, also one that is marked for
// RSASSA-PSS only (RFC 4055 §1.2), and its length in bits.
func Key(c *x509.Certificate) (crypto.PublicKey, int, error) {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return k, k.N.BitLen(), nil
	case *ecdsa.PublicKey:
		return k, k.Curve.Params().BitSize, nil
	case *brainpool.PublicKey:
		return k, k.Bits(), nil
	case ed25519.PublicKey:
		return k, 256, nil
	}
	var seq, id cryptobyte.String
	var bits []byte
	spki := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	if spki.ReadASN1(&seq, cbasn1.SEQUENCE) && seq.ReadASN1(&id, cbasn1.SEQUENCE) && seq.ReadASN1BitStringAsBytes(&bits) {
		if oid, _, err := readID(id); err == nil && oid.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}) {
			if k, err := x509.ParsePKCS1PublicKey(bits); err == nil {
				return k, k.N.BitLen(), nil
			}
		}
	}
	return nil, 0, fmt.Errorf("key of the certificate %q: %w", c.Subject, ErrUnsupported)
}

// SchemeOf returns the scheme a key signs with, RSA for both of RSA's.
func SchemeOf(key crypto.PublicKey) Scheme {
	switch key.(type) {
	case *ecdsa.PublicKey, *brainpool.PublicKey:
		return ECDSA
	case ed25519.PublicKey:
		return Ed25519
	}
	return RSA
}
