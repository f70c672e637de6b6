package brainpool

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// signed is what the signatures in testdata, which OpenSSL has made, are on.
const signed = "what is signed"

// certificate reads a certificate of testdata. OpenSSL has made them; each is signed by
// its own key with SHA-384.
func certificate(t testing.TB, curve string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", curve+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(b)
	return block.Bytes
}

func names() []string { return []string{"P256r1", "P256t1", "P384r1", "P384t1", "P512r1", "P512t1"} }

func keyOf(t testing.TB, curve string) *PublicKey {
	t.Helper()
	c, err := ParseCertificate(certificate(t, curve))
	if err != nil {
		t.Fatal(err)
	}
	k, ok := c.PublicKey.(*PublicKey)
	if !ok {
		t.Fatalf("%s: key is %T", curve, c.PublicKey)
	}
	return k
}

// The certificate is what came, byte by byte, and its signature is by its key.
func TestCertificates(t *testing.T) {
	t.Parallel()
	for _, name := range names() {
		raw := certificate(t, name)
		c, err := ParseCertificate(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(c.Raw, raw) || !bytes.Contains(raw, c.RawTBSCertificate) || !bytes.Contains(c.RawTBSCertificate, c.RawSubjectPublicKeyInfo) ||
			c.Subject.CommonName != "Test brainpool"+name || !c.IsCA {
			t.Errorf("%s: the certificate was changed", name)
		}
		k, ok := c.PublicKey.(*PublicKey)
		if !ok || k.String() != "brainpool"+name || fmt.Sprint(k.Bits()) != name[1:4] {
			t.Fatalf("%s: key %v", name, c.PublicKey)
		}
		sum := sha512.Sum384(c.RawTBSCertificate)
		if !k.VerifyASN1(sum[:], c.Signature) {
			t.Errorf("%s: the signature on the certificate is not found good", name)
		}
		sum[0] ^= 1
		if k.VerifyASN1(sum[:], c.Signature) {
			t.Errorf("%s: the signature is found good on something else", name)
		}
	}
}

// Signatures with hashes that are shorter and longer than the order of the curve.
func TestSignatures(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("testdata", "signatures.txt"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		k, sig := keyOf(t, f[0]), unhex(t, f[2])
		short, long := sha256.Sum256([]byte(signed)), sha512.Sum512([]byte(signed))
		digest, other := short[:], long[:]
		if f[1] == "512" {
			digest, other = other, digest
		}
		if !k.VerifyASN1(digest, sig) {
			t.Errorf("%s, SHA-%s: refused", f[0], f[1])
		}
		if k.VerifyASN1(other, sig) {
			t.Errorf("%s, SHA-%s: accepted with another hash", f[0], f[1])
		}
		for i := 0; i < len(sig); i += 61 { // no byte of it may be another
			bad := bytes.Clone(sig)
			bad[i] ^= 0x10
			if k.VerifyASN1(digest, bad) {
				t.Errorf("%s, SHA-%s: accepted with byte %d changed", f[0], f[1], i)
			}
		}
		n++
	}
	if n != 2*len(names()) {
		t.Errorf("%d signatures", n)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The numbers of a signature must be of 1 to n-1, and written as DER has it.
func TestRange(t *testing.T) {
	t.Parallel()
	for _, name := range names() {
		k := keyOf(t, name)
		digest := sha256.Sum256([]byte(signed))
		n, zero, one := k.curve.n, new(big.Int), big.NewInt(1)
		above := new(big.Int).Add(n, one)
		for _, x := range [][2]*big.Int{{zero, one}, {one, zero}, {zero, zero}, {n, one}, {one, n}, {above, one}, {one, above}, {big.NewInt(-1), one}, {one, big.NewInt(-1)}} {
			if k.Verify(digest[:], x[0], x[1]) {
				t.Errorf("%s: r = %v, s = %v is accepted", name, x[0], x[1])
			}
		}
	}
	b, err := os.ReadFile(filepath.Join("testdata", "signatures.txt"))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b))
	k, sig, digest := keyOf(t, f[0]), unhex(t, f[2]), sha256.Sum256([]byte(signed))
	var r, s big.Int
	in, seq := cryptobyte.String(sig), cryptobyte.String(nil)
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1Integer(&r) || !seq.ReadASN1Integer(&s) {
		t.Fatal("no signature")
	}
	if !k.Verify(digest[:], &r, &s) {
		t.Error("the two numbers are refused")
	}
	if k.Verify(digest[:], new(big.Int).Add(&r, k.curve.n), &s) || k.Verify(digest[:], &r, new(big.Int).Add(&s, k.curve.n)) {
		t.Error("a number beyond the order is accepted")
	}
	for _, bad := range [][]byte{nil, append(bytes.Clone(sig), 0), sig[:len(sig)-1], {0x30, 0}} {
		if k.VerifyASN1(digest[:], bad) {
			t.Errorf("%x is accepted", bad)
		}
	}
}

// A key that is no point of its curve, or not told as it must be, is refused with an
// error of ours or of the standard library.
func TestBadKeys(t *testing.T) {
	t.Parallel()
	for _, name := range names() {
		raw, k := certificate(t, name), keyOf(t, name)
		at := bytes.Index(raw, k.x.FillBytes(make([]byte, k.Bits()/8)))
		for what, change := range map[string]func(b []byte){
			"a point beside the curve": func(b []byte) { b[at+k.Bits()/8-1] ^= 1 },
			"a number beyond p":        func(b []byte) { copy(b[at:], bytes.Repeat([]byte{0xff}, k.Bits()/8)) },
			"the point 0, 0":           func(b []byte) { clear(b[at : at+k.Bits()/4]) },
			"a compressed point":       func(b []byte) { b[at-1] = 2 },
			"a curve nobody knows":     func(b []byte) { b[at-5] = 0x7f }, // before it are 04 (the form), 00 (unused bits) and the head of the bit string
		} {
			bad := bytes.Clone(raw)
			change(bad)
			if c, err := ParseCertificate(bad); err == nil {
				t.Errorf("%s: a certificate with %s is read: %v", name, what, c.PublicKey)
			}
		}
		for i := range raw {
			if _, err := ParseCertificate(raw[:i]); err == nil {
				t.Errorf("%s: read though cut off after %d bytes", name, i)
			}
		}
	}
}

// Other certificates are read as the standard library reads them.
func TestOthers(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := ParseCertificate(raw); err != nil || !key.PublicKey.Equal(c.PublicKey) {
		t.Errorf("%v, %v", c, err)
	}
	if _, err := ParseCertificate([]byte("no certificate")); err == nil {
		t.Error("no certificate is read")
	}
}

// The numbers of the curves: primes of the length, the base point is on the curve and of
// the order.
func TestCurves(t *testing.T) {
	t.Parallel()
	for _, c := range table() {
		if !c.p.ProbablyPrime(8) || !c.n.ProbablyPrime(8) || !c.holds(c.x, c.y) || c.p.BitLen() != c.n.BitLen() {
			t.Errorf("%s: wrong numbers", c.name)
		}
		less, one := new(big.Int).Sub(c.n, big.NewInt(1)), big.NewInt(1)
		if c.sum(c.n, new(big.Int), c.x, c.y) != nil || c.sum(less, one, c.x, c.y) != nil {
			t.Errorf("%s: n times the base point is not infinity", c.name)
		}
		if x := c.sum(less, new(big.Int), c.x, c.y); x == nil || x.Cmp(c.x) != 0 { // -1 times has the same x
			t.Errorf("%s: n-1 times the base point", c.name)
		}
		if x, y := c.sum(one, one, c.x, c.y), c.sum(big.NewInt(2), new(big.Int), c.x, c.y); x == nil || x.Cmp(y) != 0 {
			t.Errorf("%s: once and once is not twice", c.name)
		}
	}
}

// The arithmetic agrees with the standard library's on a curve that both know.
func TestArithmetic(t *testing.T) {
	t.Parallel()
	p := elliptic.P256().Params()
	c := &curve{name: "P-256", p: p.P, a: new(big.Int).Sub(p.P, big.NewInt(3)), b: p.B, x: p.Gx, y: p.Gy, n: p.N}
	for range 20 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		k, err := newKey(c, point)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256(point)
		sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		if !k.VerifyASN1(digest[:], sig) {
			t.Errorf("refused: key %x, signature %x", point, sig)
		}
		digest[31] ^= 1
		if k.VerifyASN1(digest[:], sig) {
			t.Errorf("accepted on something else: key %x, signature %x", point, sig)
		}
	}
}

// FuzzParseCertificate: no bytes make it panic, and what it reads it reads whole.
func FuzzParseCertificate(f *testing.F) {
	for _, name := range names() {
		f.Add(certificate(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCertificate(b)
		if err == nil && !bytes.Equal(c.Raw, b) {
			t.Error("the certificate is not what came")
		}
	})
}
