package algo_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/muniment/muniment/internal/evidence/algo"
)

func TestHashes(t *testing.T) {
	t.Parallel()
	for _, h := range algo.Hashes() {
		var b cryptobyte.Builder
		h.AppendID(&b)
		s := cryptobyte.String(b.BytesOrPanic())
		var id cryptobyte.String
		if !s.ReadASN1(&id, cbasn1.SEQUENCE) {
			t.Fatal("no sequence")
		}
		got, err := algo.ReadHashID(id)
		if err != nil || got != h {
			t.Errorf("%v: read back as %v, %v", h, got, err)
		}
		if got, err = algo.ReadHashID(append(id[:len(id):len(id)], 5, 0)); err != nil || got != h {
			t.Errorf("%v with NULL: %v, %v", h, got, err)
		}
		if _, err = algo.ReadHashID(append(id[:len(id):len(id)], 2, 1, 0)); err == nil {
			t.Errorf("%v with a number as parameter passed", h)
		}
		if got, err := algo.HashByName(h.String()); err != nil || got != h {
			t.Errorf("%v by name: %v, %v", h, got, err)
		}
		if len(h.Sum([]byte("a"), []byte("b"))) != h.Size() {
			t.Errorf("%v: wrong size", h)
		}
	}
	if got := hex.EncodeToString(algo.SHA256.Sum([]byte("ab"), []byte("c"))); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Error(got)
	}
	if _, err := algo.HashByOID(asn1.ObjectIdentifier{1, 3, 36, 3, 2, 1}); !errors.Is(err, algo.ErrUnsupported) {
		t.Errorf("RIPEMD-160: %v", err)
	}
}

// id returns the contents of an AlgorithmIdentifier.
func id(t *testing.T, oid ...int) cryptobyte.String {
	t.Helper()
	b, err := asn1.Marshal(asn1.ObjectIdentifier(oid))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	message := []byte("what is signed")
	digest := algo.SHA256.Sum(message)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pss, err := hex.DecodeString("06092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		id     cryptobyte.String
		signer crypto.Signer
		opts   crypto.SignerOpts
		text   string
	}{
		"RSA":     {id(t, 1, 2, 840, 113549, 1, 1, 11), rsaKey, crypto.SHA256, "RSA with SHA-256"},
		"PSS":     {pss, rsaKey, &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}, "RSASSA-PSS with SHA-256"},
		"ECDSA":   {id(t, 1, 2, 840, 10045, 4, 3, 2), ecKey, crypto.SHA256, "ECDSA with SHA-256"},
		"Ed25519": {id(t, 1, 3, 101, 112), edKey, crypto.Hash(0), "Ed25519"},
	} {
		s, err := algo.ReadSignatureID(c.id)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if s.String() != c.text {
			t.Errorf("%s: %s", name, s)
		}
		what := digest
		if c.opts.HashFunc() == 0 {
			what = message
		}
		sig, err := c.signer.Sign(rand.Reader, what, c.opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(c.signer.Public(), message, sig); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Verify(c.signer.Public(), []byte("another"), sig); !errors.Is(err, algo.ErrSignature) {
			t.Errorf("%s, another message: %v", name, err)
		}
		if err := s.Verify("no key", message, sig); !errors.Is(err, algo.ErrUnsupported) {
			t.Errorf("%s, no key: %v", name, err)
		}
	}
	if _, err := algo.ReadSignatureID(id(t, 1, 2, 840, 10040, 4, 3)); !errors.Is(err, algo.ErrUnsupported) {
		t.Errorf("DSA: %v", err)
	}
}

// pssID returns the contents of the AlgorithmIdentifier of RSASSA-PSS with SHA-256.
func pssID(salt int) cryptobyte.String {
	var b cryptobyte.Builder
	tag := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
	b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10})
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tag(0), algo.SHA256.AppendID)
		b.AddASN1(tag(1), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8})
				algo.SHA256.AppendID(b)
			})
		})
		b.AddASN1(tag(2), func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(salt)) })
	})
	return b.BytesOrPanic()
}

// unsalted signs with an empty salt, which the standard library cannot (RFC 8017 §9.1.1).
func unsalted(key *rsa.PrivateKey, digest []byte) []byte {
	h := algo.SHA256.Sum(make([]byte, 8), digest)
	block := make([]byte, key.Size()-len(h)-1)
	block[len(block)-1] = 1
	for i := range (len(block) + 31) / 32 { // MGF1
		for k, x := range algo.SHA256.Sum(h, []byte{0, 0, 0, byte(i)}) {
			if at := 32*i + k; at < len(block) {
				block[at] ^= x
			}
		}
	}
	block[0] &= 0x7f
	m := new(big.Int).SetBytes(append(append(block, h...), 0xbc))
	return m.Exp(m, key.D, key.N).FillBytes(make([]byte, key.Size()))
}

// The salt of RSASSA-PSS may be empty, or as long as there is room for.
func TestSaltLengths(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("what is signed")
	digest := algo.SHA256.Sum(message)
	for _, salt := range []int{0, 20, 222} {
		sig := unsalted(key, digest)
		if salt > 0 {
			if sig, err = key.Sign(rand.Reader, digest, &rsa.PSSOptions{SaltLength: salt, Hash: crypto.SHA256}); err != nil {
				t.Fatal(err)
			}
		}
		s, err := algo.ReadSignatureID(pssID(salt))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(key.Public(), message, sig); err != nil {
			t.Errorf("salt of %d bytes: %v", salt, err)
		}
		if err := s.Verify(key.Public(), []byte("another"), sig); !errors.Is(err, algo.ErrSignature) {
			t.Errorf("salt of %d bytes, another message: %v", salt, err)
		}
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	c := algo.Shipped()
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, h := range algo.Hashes() {
		if !c.Hash(h).Known {
			t.Errorf("%v is not in the catalogue", h)
		}
	}
	for _, x := range []struct {
		trust algo.Trust
		at    string
		want  bool
	}{
		{c.Hash(algo.SHA1), "2012-07-31", true},
		{c.Hash(algo.SHA1), "2012-08-01", false},
		{c.Hash(algo.SHA224), "2028-12-31", true},
		{c.Hash(algo.SHA224), "2029-01-01", false},
		{c.Hash(algo.SHA512), "2099-01-01", true},
		{c.Signature(algo.RSA, 512), "2000-01-01", false},
		{c.Signature(algo.RSA, 2048), "2028-12-31", true},
		{c.Signature(algo.RSA, 2048), "2029-01-01", false},
		{c.Signature(algo.PSS, 4096), "2060-01-01", true},
		{c.Signature(algo.ECDSA, 384), "2060-01-01", true},
		{c.Signature("DSA", 4096), "2000-01-01", false},
		{c.Hash(algo.SHA512).Earlier(c.Hash(algo.SHA224)), "2029-01-01", false},
		{c.Hash(algo.SHA224).Earlier(c.Hash(algo.SHA512)), "2028-01-01", true},
		{c.Hash(algo.SHA512).Earlier(algo.Trust{}), "2020-01-01", false},
	} {
		if got := x.trust.At(day(x.at)); got != x.want {
			t.Errorf("%+v at %s: %v", x.trust, x.at, got)
		}
	}
	for _, bad := range []string{`{`, `{"x":1}`, `{"hashes":[{"name":"SHA-9"}]}`, `{"signatures":[{"name":"RSA","until":"soon"}]}`} {
		if _, err := algo.ParseCatalogue([]byte(bad)); err == nil {
			t.Errorf("%s passed", bad)
		}
	}
}
