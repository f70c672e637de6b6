package sealing_test

import (
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/alarm"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// A malicious authority with each violation of TSP-3 once: each answer is refused with
// its own code, the batch stays pending, and the alarm rises; an honest answer ends it.
func TestMaliciousAuthority(t *testing.T) {
	t.Parallel()
	k := newClock()
	w := newWorld(t, archivetest.Options{Now: k.Now})
	w.set.Authorities[0].Policy, w.set.Authorities[0].Accuracy = tsp.TestPolicy().String(), 1000
	if err := w.SetSealSetting(t.Context(), archive.SealDraft{Setting: w.set}); err != nil {
		t.Fatal(err)
	}
	a, as := w.Tenant(t, "a")
	list := w.ingest(t, a, as, 0, 2)
	auditor := w.As(w.auditor(t, a))
	unit := func(p *tsa.Parts, of *tsa.Authority, change func(*x509.Certificate)) {
		u, err := of.NewUnit(change)
		if err != nil {
			t.Error(err)
			return
		}
		p.Unit, p.Named, p.Certificates = u, u.Cert, []*x509.Certificate{u.Cert}
	}
	stranger, err := tsa.New(tsa.Options{Now: k.Now})
	if err != nil {
		t.Fatal(err)
	}
	usage := func(critical bool, purposes ...int) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			var ids []asn1.ObjectIdentifier
			for _, n := range purposes {
				ids = append(ids, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, n})
			}
			b, err := asn1.Marshal(ids)
			if err != nil {
				t.Error(err)
			}
			c.ExtraExtensions[0].Critical, c.ExtraExtensions[0].Value = critical, b
		}
	}
	for _, c := range []struct {
		name  string
		code  evidence.Code
		alter func(p *tsa.Parts)
	}{
		{"PKIStatus", tsp.CodeStatus, func(p *tsa.Parts) { p.Status = 2 }},
		{"nonce", tsp.CodeNonce, func(p *tsa.Parts) { p.Nonce = big.NewInt(7) }},
		{"imprint", tsp.CodeImprint, func(p *tsa.Parts) { p.Imprint = make([]byte, len(p.Imprint)) }},
		{"algorithm", tsp.CodeImprintAlg, func(p *tsa.Parts) { p.Hash = algo.SHA3_256 }},
		{"policy", tsp.CodePolicy, func(p *tsa.Parts) { p.Policy = asn1.ObjectIdentifier{1, 2, 3} }},
		{"eContentType", tsp.CodeContentType, func(p *tsa.Parts) { p.ContentType = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1} }},
		{"two signers", tsp.CodeSigners, func(p *tsa.Parts) { p.Signers = 2 }},
		{"contentType", tsp.CodeSignedAttrs, func(p *tsa.Parts) { p.AttrType = nil }},
		{"messageDigest", tsp.CodeSignedAttrs, func(p *tsa.Parts) { p.Digest = make([]byte, 32) }},
		{"signing certificate missing", tsp.CodeSigningCert, func(p *tsa.Parts) { p.V1, p.V2 = false, false }},
		{"signing certificate V2", tsp.CodeSigningCert, func(p *tsa.Parts) { p.Named = w.tsa.Root() }},
		{"signing certificate V1", tsp.CodeSigningCert, func(p *tsa.Parts) { p.Named, p.V1, p.V2 = w.tsa.Root(), true, false }},
		{"signature", tsp.CodeSignature, func(p *tsa.Parts) { p.Signature = make([]byte, 70) }},
		{"EKU missing", tsp.CodeKeyUsage, func(p *tsa.Parts) { unit(p, w.tsa, func(c *x509.Certificate) { c.ExtraExtensions = nil }) }},
		{"EKU of another purpose", tsp.CodeKeyUsage, func(p *tsa.Parts) { unit(p, w.tsa, usage(true, 3)) }},
		{"EKU not critical", tsp.CodeKeyUsage, func(p *tsa.Parts) { unit(p, w.tsa, usage(false, 8)) }},
		{"EKU not alone", tsp.CodeKeyUsage, func(p *tsa.Parts) { unit(p, w.tsa, usage(true, 8, 4)) }},
		{"chain", tsp.CodeNoAnchor, func(p *tsa.Parts) { unit(p, stranger, nil) }},
		{"no certificate", tsp.CodeNoCert, func(p *tsa.Parts) { p.Certificates = nil }},
		{"genTime of the past", tsp.CodeSkew, func(p *tsa.Parts) { p.GenTime = k.Now().Add(-time.Hour) }},
		{"genTime of the future", tsp.CodeSkew, func(p *tsa.Parts) { p.GenTime = k.Now().Add(time.Hour) }},
		{"accuracy", tsp.CodeAccuracy, func(p *tsa.Parts) { p.Accuracy = 2 * time.Second }},
		{"BER", tsp.CodeAnswer, func(p *tsa.Parts) { p.Answer = []byte{0x30, 0x80, 0, 0} }},
	} {
		k.pass(25 * time.Hour) // longer than any pause
		w.tsa.Alter = c.alter
		before := w.asked.Load()
		r := w.now(t)
		if r.Pending != 1 || r.Stamped != 0 || r.Problem == nil || r.Problem.Code != string(c.code) || w.asked.Load() == before {
			t.Errorf("%s: %+v, problem %+v, want %s", c.name, r, r.Problem, c.code)
		}
		if e, err := auditor.Evidence(t.Context()); err != nil || e.Lag.Pending != 2 || !e.Lag.Alarm {
			t.Errorf("%s: %+v, %v", c.name, e.Lag, err)
		}
	}
	late := func() (n int) {
		found, err := w.Alarms(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range found {
			if x.Kind == alarm.SealLate {
				n++
			}
		}
		return n
	}
	if late() != 1 {
		t.Error("no alarm")
	}
	w.tsa.Alter = nil
	k.pass(25 * time.Hour)
	if r := w.now(t); r.Pending != 0 || r.Stamped != 1 {
		t.Fatalf("an honest answer: %+v", r)
	}
	if late() != 0 {
		t.Error("the alarm goes on")
	}
	w.report(t, a, list[0], mail(0), k.Now().Add(time.Second), nil)
}
