// Package algo knows the hash and signature algorithms of time stamps and
// evidence records: their object identifiers, how a signature is verified, and
// until when each is trusted. The dates are data (catalogue.json), not code.
//
// # What is not supported
//
// Keys of DSA, of elliptic curves other than P-224 to P-521, the brainpool curves
// of 256 to 512 bits and Ed25519, RIPEMD-160, SHAKE, and RSASSA-PSS whose mask hash
// differs from its hash. Errors for these are ErrUnsupported: what cannot be
// checked is indeterminate, never valid and never invalid.
//
//	algo.go       hashes
//	signature.go  signature algorithms and keys
//	signed.go     what is signed on certificates, CRLs and OCSP responses
//	catalogue.go  until when an algorithm is trusted
package algo

import (
	"crypto"
	_ "crypto/md5"  // to read records of long ago; the catalogue says what it is worth
	_ "crypto/sha1" // as above
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ErrUnsupported says that this program cannot check a thing, which says
// nothing about the thing.
var ErrUnsupported = errors.New("algorithm is not supported")

// Hash is a hash algorithm. The zero value is none.
type Hash struct{ h crypto.Hash }

// The hashes, the recommended ones first.
var (
	SHA256   = Hash{crypto.SHA256}
	SHA384   = Hash{crypto.SHA384}
	SHA512   = Hash{crypto.SHA512}
	SHA3_256 = Hash{crypto.SHA3_256} //nolint:revive // as everybody writes it
	SHA3_384 = Hash{crypto.SHA3_384} //nolint:revive // as above
	SHA3_512 = Hash{crypto.SHA3_512} //nolint:revive // as above
	SHA224   = Hash{crypto.SHA224}
	SHA3_224 = Hash{crypto.SHA3_224} //nolint:revive // as above
	SHA1     = Hash{crypto.SHA1}
	MD5      = Hash{crypto.MD5}
)

// one row of the table of hashes.
type row struct {
	hash Hash
	name string
	oid  asn1.ObjectIdentifier
}

// table lists the hashes (NIST CSOR; RFC 8017 for the old ones).
var table = []row{
	{SHA256, "SHA-256", nist(1)}, {SHA384, "SHA-384", nist(2)}, {SHA512, "SHA-512", nist(3)}, {SHA224, "SHA-224", nist(4)},
	{SHA3_224, "SHA3-224", nist(7)}, {SHA3_256, "SHA3-256", nist(8)}, {SHA3_384, "SHA3-384", nist(9)}, {SHA3_512, "SHA3-512", nist(10)},
	{SHA1, "SHA-1", asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}}, {MD5, "MD5", asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}},
}

func nist(n int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, n} }

// Hashes returns all supported hashes.
func Hashes() []Hash {
	var all []Hash
	for _, r := range table {
		all = append(all, r.hash)
	}
	return all
}

// HashByOID returns the hash with the object identifier, or ErrUnsupported.
func HashByOID(oid asn1.ObjectIdentifier) (Hash, error) {
	for _, r := range table {
		if r.oid.Equal(oid) {
			return r.hash, nil
		}
	}
	return Hash{}, fmt.Errorf("hash %v: %w", oid, ErrUnsupported)
}

// HashByName returns the hash that String names so, or ErrUnsupported.
func HashByName(name string) (Hash, error) {
	for _, r := range table {
		if r.name == name {
			return r.hash, nil
		}
	}
	return Hash{}, fmt.Errorf("hash %q: %w", name, ErrUnsupported)
}

// String returns the usual name, such as "SHA-256" or "SHA3-512".
func (h Hash) String() string {
	for _, r := range table {
		if r.hash == h {
			return r.name
		}
	}
	return "no hash"
}

// OID returns the object identifier.
func (h Hash) OID() asn1.ObjectIdentifier {
	for _, r := range table {
		if r.hash == h {
			return r.oid
		}
	}
	return nil
}

// Crypto returns the hash as the standard library calls it.
func (h Hash) Crypto() crypto.Hash { return h.h }

// New returns a running computation.
func (h Hash) New() hash.Hash { return h.h.New() }

// Size returns the length of a value in bytes.
func (h Hash) Size() int { return h.h.Size() }

// Sum returns the hash of the parts, one after the other.
func (h Hash) Sum(parts ...[]byte) []byte {
	w := h.h.New()
	for _, p := range parts {
		w.Write(p)
	}
	return w.Sum(nil)
}

// MarshalText writes the name.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the name.
func (h *Hash) UnmarshalText(b []byte) (err error) {
	*h, err = HashByName(string(b))
	return err
}

// AppendID writes the AlgorithmIdentifier of h without parameters (RFC 5754 §2).
func (h Hash) AppendID(b *cryptobyte.Builder) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(h.OID()) })
}

// ReadHashID reads the contents of an AlgorithmIdentifier of a hash. Parameters
// may be absent or NULL (RFC 5754 §2).
func ReadHashID(contents cryptobyte.String) (Hash, error) {
	oid, params, err := readID(contents)
	if err != nil {
		return Hash{}, err
	}
	if len(params) != 0 && !slices.Equal(params, []byte{5, 0}) {
		return Hash{}, fmt.Errorf("hash %v has parameters", oid)
	}
	return HashByOID(oid)
}

// readID takes the contents of an AlgorithmIdentifier apart.
func readID(contents cryptobyte.String) (asn1.ObjectIdentifier, cryptobyte.String, error) {
	var oid asn1.ObjectIdentifier
	if !contents.ReadASN1ObjectIdentifier(&oid) {
		return nil, nil, errors.New("malformed algorithm identifier")
	}
	var params cryptobyte.String
	if !contents.Empty() {
		var tag cbasn1.Tag
		if !contents.ReadAnyASN1Element(&params, &tag) || !contents.Empty() {
			return nil, nil, errors.New("malformed parameters of an algorithm")
		}
	}
	return oid, params, nil
}
