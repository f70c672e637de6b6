// Package brainpool verifies ECDSA signatures by keys on the brainpool curves
// (RFC 5639), which German authorities use and the standard library does not know,
// and reads certificates with such keys. It signs nothing and holds no secret, so
// that its arithmetic need not take constant time and must never be used where
// there is one.
//
// Known are brainpoolP256r1, P384r1 and P512r1, and the twisted curves P256t1,
// P384t1 and P512t1; keys name their curve and hold the point uncompressed.
//
//	brainpool.go    PublicKey, and how it verifies
//	certificate.go  certificates
//	curve.go        the curves and their arithmetic
package brainpool

import (
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// PublicKey is a point on one of the curves. It is not changed.
type PublicKey struct {
	curve *curve
	x, y  *big.Int
}

// newKey reads a point in uncompressed form (SEC 1 §2.3.4) and checks that it is on
// the curve.
func newKey(c *curve, b []byte) (*PublicKey, error) {
	size := (c.p.BitLen() + 7) / 8
	if len(b) != 1+2*size || b[0] != 4 {
		return nil, fmt.Errorf("key on %s: no point in uncompressed form", c.name)
	}
	k := &PublicKey{c, new(big.Int).SetBytes(b[1 : 1+size]), new(big.Int).SetBytes(b[1+size:])}
	if !c.holds(k.x, k.y) {
		return nil, fmt.Errorf("key on %s: the point is not on the curve", c.name)
	}
	return k, nil
}

// Bits returns the length of the key.
func (k *PublicKey) Bits() int { return k.curve.n.BitLen() }

// String returns the name of the curve, such as "brainpoolP256r1".
func (k *PublicKey) String() string { return k.curve.name }

// VerifyASN1 reports whether sig is the signature, in the form of RFC 3279 §2.2.3, by
// the holder of the key on what has the digest.
func (k *PublicKey) VerifyASN1(digest, sig []byte) bool {
	r, s, in, seq := new(big.Int), new(big.Int), cryptobyte.String(sig), cryptobyte.String(nil)
	return in.ReadASN1(&seq, cbasn1.SEQUENCE) && in.Empty() && seq.ReadASN1Integer(r) && seq.ReadASN1Integer(s) && seq.Empty() &&
		k.Verify(digest, r, s)
}

// Verify is VerifyASN1 for the two numbers of a signature (SEC 1 §4.1.4).
func (k *PublicKey) Verify(digest []byte, r, s *big.Int) bool {
	c := k.curve
	if r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(c.n) >= 0 || s.Cmp(c.n) >= 0 {
		return false
	}
	e := new(big.Int).SetBytes(digest)
	if more := 8*len(digest) - c.n.BitLen(); more > 0 {
		e.Rsh(e, uint(more)) // as many bits as the order has
	}
	w := new(big.Int).ModInverse(s, c.n)
	i, j := e.Mul(e, w), w.Mul(r, w)
	x := c.sum(i.Mod(i, c.n), j.Mod(j, c.n), k.x, k.y)
	return x != nil && x.Mod(x, c.n).Cmp(r) == 0
}

// errNone says that there is no key on one of the curves.
var errNone = errors.New("no key on a brainpool curve")
