package tsp_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

func authority(t testing.TB, o tsa.Options) *tsa.Authority {
	t.Helper()
	a, err := tsa.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func anchors(a *tsa.Authority) *tsp.Anchors { return tsp.NewAnchors([]*x509.Certificate{a.Root()}) }

func request(t testing.TB) tsp.Request {
	t.Helper()
	r, err := tsp.NewRequest(algo.SHA256, algo.SHA256.Sum([]byte("data")), nil, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRequest: golden bytes (TSP-1); what is written is read back.
func TestRequest(t *testing.T) {
	t.Parallel()
	nonce := bytes.NewReader(bytes.Repeat([]byte{0xab}, 16))
	r, err := tsp.NewRequest(algo.SHA256, algo.SHA256.Sum([]byte("data")), asn1.ObjectIdentifier{1, 2, 3}, nonce)
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	const want = "304d020101302f300b0609608648016503040201" + "04203a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7" +
		"06022a03" + "02106bababababababababababababababab" + "0101ff"
	if got := hex.EncodeToString(b); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	back, err := tsp.ParseRequest(b)
	if err != nil || back.Nonce.Cmp(r.Nonce) != 0 || !bytes.Equal(back.Imprint, r.Imprint) || !back.CertReq || !back.Policy.Equal(r.Policy) {
		t.Errorf("%+v, %v", back, err)
	}
	if _, err := tsp.NewRequest(algo.SHA512, []byte("short"), nil, rand.Reader); err == nil {
		t.Error("a short hash value passed")
	}
}

// TestAccept: an honest authority, with all kinds of keys and attributes.
func TestAccept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o     tsa.Options
		alter func(*tsa.Parts)
	}{
		"ECDSA":             {tsa.Options{}, nil},
		"ECDSA, SHA-512":    {tsa.Options{Hash: algo.SHA512}, nil},
		"ECDSA, SHA3-256":   {tsa.Options{Hash: algo.SHA3_256}, nil},
		"RSA":               {tsa.Options{Scheme: algo.RSA}, nil},
		"RSASSA-PSS":        {tsa.Options{Scheme: algo.PSS, Hash: algo.SHA512}, nil},
		"signing cert V1":   {tsa.Options{}, func(p *tsa.Parts) { p.V1, p.V2 = true, false }},
		"V1 and V2":         {tsa.Options{}, func(p *tsa.Parts) { p.V1 = true }},
		"with modification": {tsa.Options{}, func(p *tsa.Parts) { p.Status = 1 }},
		"milliseconds":      {tsa.Options{}, func(p *tsa.Parts) { p.Accuracy = 250 * time.Millisecond }},
		"no nonce asked":    {tsa.Options{}, func(p *tsa.Parts) {}},
		"states qualified":  {tsa.Options{}, func(p *tsa.Parts) { p.Qualified = true }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := authority(t, c.o)
			a.Alter = c.alter
			r := request(t)
			answer, err := a.Answer(r)
			if err != nil {
				t.Fatal(err)
			}
			token, err := r.Accept(answer, time.Now(), tsp.Terms{Skew: time.Minute, Accuracy: time.Second, Anchors: anchors(a)})
			if err != nil {
				t.Fatal(err)
			}
			if token.Info.QualifiedStatement() != (name == "states qualified") {
				t.Error("the statement of qualification is read wrongly")
			}
			if !tsp.IsTest(token.Info.Policy, nil) || !tsp.IsTest(nil, a.Unit()) {
				t.Error("not marked as a test")
			}
		})
	}
}

// TestRefuse: each violation of TSP-3 once, each refused with its own error.
func TestRefuse(t *testing.T) {
	t.Parallel()
	unit := func(t *testing.T, a *tsa.Authority, change func(*x509.Certificate)) tsa.Unit {
		t.Helper()
		u, err := a.NewUnit(change)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	use := func(p *tsa.Parts, u tsa.Unit) {
		p.Unit, p.Named, p.Certificates = u, u.Cert, []*x509.Certificate{u.Cert}
	}
	for name, c := range map[string]struct {
		code  evidence.Code
		alter func(*testing.T, *tsa.Authority, *tsa.Parts)
	}{
		"rejected":      {tsp.CodeStatus, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Status = 2 }},
		"waiting":       {tsp.CodeStatus, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Status = 3 }},
		"other nonce":   {tsp.CodeNonce, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Nonce = big.NewInt(1) }},
		"no nonce":      {tsp.CodeNonce, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Nonce = nil }},
		"other imprint": {tsp.CodeImprint, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Imprint = make([]byte, 32) }},
		"other hash":    {tsp.CodeImprintAlg, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Hash = algo.SHA3_256 }},
		"other policy":  {tsp.CodePolicy, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Policy = asn1.ObjectIdentifier{1, 2, 4} }},
		"not TSTInfo": {tsp.CodeContentType, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) {
			p.ContentType = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
		}},
		"two signers":        {tsp.CodeSigners, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Signers = 2 }},
		"no signer":          {tsp.CodeSigners, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Signers = 0 }},
		"no contentType":     {tsp.CodeSignedAttrs, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.AttrType = nil }},
		"other contentType":  {tsp.CodeSignedAttrs, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.AttrType = asn1.ObjectIdentifier{1, 2, 3} }},
		"other digest":       {tsp.CodeSignedAttrs, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Digest = make([]byte, 32) }},
		"no signing cert":    {tsp.CodeSigningCert, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.V1, p.V2 = false, false }},
		"other signing cert": {tsp.CodeSigningCert, func(_ *testing.T, a *tsa.Authority, p *tsa.Parts) { p.Named = a.Root() }},
		"other signing cert, V1": {tsp.CodeSigningCert, func(_ *testing.T, a *tsa.Authority, p *tsa.Parts) {
			p.Named, p.V1, p.V2 = a.Root(), true, false
		}},
		"broken signature": {tsp.CodeSignature, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Signature = make([]byte, 70) }},
		"no EKU": {tsp.CodeKeyUsage, func(t *testing.T, a *tsa.Authority, p *tsa.Parts) {
			use(p, unit(t, a, func(c *x509.Certificate) { c.ExtraExtensions = nil }))
		}},
		"may not sign": {tsp.CodeKeyUsage, func(t *testing.T, a *tsa.Authority, p *tsa.Parts) {
			use(p, unit(t, a, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }))
		}},
		"EKU not critical": {tsp.CodeKeyUsage, func(t *testing.T, a *tsa.Authority, p *tsa.Parts) {
			use(p, unit(t, a, func(c *x509.Certificate) { c.ExtraExtensions[0].Critical = false }))
		}},
		"EKU not alone": {tsp.CodeKeyUsage, func(t *testing.T, a *tsa.Authority, p *tsa.Parts) {
			use(p, unit(t, a, func(c *x509.Certificate) {
				b, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}, {1, 3, 6, 1, 5, 5, 7, 3, 4}})
				if err != nil {
					t.Fatal(err)
				}
				c.ExtraExtensions[0].Value = b
			}))
		}},
		"expired unit": {tsp.CodeNotYetOrMore, func(t *testing.T, a *tsa.Authority, p *tsa.Parts) {
			use(p, unit(t, a, func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(-time.Minute)
			}))
		}},
		"unknown root": {tsp.CodeNoAnchor, func(t *testing.T, _ *tsa.Authority, p *tsa.Parts) {
			use(p, unit(t, authority(t, tsa.Options{}), nil))
		}},
		"no certificate":  {tsp.CodeNoCert, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Certificates = nil }},
		"too early":       {tsp.CodeSkew, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.GenTime = time.Now().Add(-2 * time.Minute) }},
		"too late":        {tsp.CodeSkew, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.GenTime = time.Now().Add(2 * time.Minute) }},
		"too inaccurate":  {tsp.CodeAccuracy, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Accuracy = 2 * time.Second }},
		"accuracy untold": {tsp.CodeAccuracy, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Accuracy = 0 }},
		"TSTInfo garbage": {tsp.CodeMalformed, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Content = []byte{0x30, 0} }},
		"BER":             {tsp.CodeAnswer, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Answer = []byte{0x30, 0x80, 0, 0} }},
		"granted nothing": {tsp.CodeAnswer, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Answer = []byte{0x30, 5, 0x30, 3, 2, 1, 0} }},
		"nothing":         {tsp.CodeAnswer, func(_ *testing.T, _ *tsa.Authority, p *tsa.Parts) { p.Answer = []byte{} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := authority(t, tsa.Options{})
			a.Alter = func(p *tsa.Parts) { c.alter(t, a, p) }
			r := request(t)
			if name == "other policy" {
				r.Policy = tsp.TestPolicy()
			}
			answer, err := a.Answer(r)
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.Accept(answer, time.Now(), tsp.Terms{Skew: time.Minute, Accuracy: time.Second, Anchors: anchors(a)})
			if !errors.Is(err, c.code) {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
}

// TestSignedDataVersion: nobody signs the version of SignedData, so it is checked
// by itself (RFC 5652 §5.1).
func TestSignedDataVersion(t *testing.T) {
	t.Parallel()
	token, err := authority(t, tsa.Options{}).Issue(request(t))
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(token, []byte{2, 1, 3}) + 2
	for version, want := range map[byte]bool{0: false, 1: false, 2: false, 3: true, 4: true, 5: true, 6: false, 0xff: false} {
		token[at] = version
		if _, err := tsp.ParseToken(token); (err == nil) != want || err != nil && !errors.Is(err, tsp.CodeMalformed) {
			t.Errorf("version %d: %v", version, err)
		}
	}
}
