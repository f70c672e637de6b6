package tsp_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/evidence/tspclient"
)

// online is an authority whose certificates name a server that runs.
func online(t *testing.T, o tsa.Options) *tsa.Authority {
	t.Helper()
	var h atomic.Value
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.Load().(http.Handler).ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	o.URL = s.URL
	a := authority(t, o)
	h.Store(a.Handler())
	return a
}

var imprint = algo.SHA256.Sum([]byte("data"))

func issue(t *testing.T, a *tsa.Authority) *tsp.Token {
	t.Helper()
	b, err := a.Issue(request(t))
	if err != nil {
		t.Fatal(err)
	}
	token, err := tsp.ParseToken(b)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestEnrich(t *testing.T) {
	t.Parallel()
	a := online(t, tsa.Options{})
	a.Alter = func(p *tsa.Parts) { p.Certificates = p.Certificates[:1] } // the root has to be fetched
	token := issue(t, a)
	f := tspclient.NewFetcher(nil, 0)
	o := tsp.Options{At: time.Now(), Anchors: anchors(a)}
	if r := tsp.Verify(token, o); r.Findings.Verdict() != evidence.Indeterminate || !r.Findings.Has(tsp.CodeNoRevocation) {
		t.Errorf("without revocation data: %+v", r.Findings)
	}
	got, err := f.Enrich(context.Background(), token, anchors(a), tsp.CRLsInside)
	if err != nil || len(got.Missing) > 0 {
		t.Fatalf("%v, missing %v", err, got)
	}
	if len(got.Token.CRLs) != 1 || len(got.Token.OCSP) != 0 || len(got.Sidecar.OCSP) != 1 || len(got.Sidecar.Certificates) != 2 {
		t.Errorf("CRLs inside, OCSP beside: %d, %d, %d", len(got.Token.CRLs), len(got.Token.OCSP), len(got.Sidecar.OCSP))
	}
	if r := tsp.Verify(got.Token, o); r.Findings.Verdict() != evidence.Valid || r.RevocationAsOf.IsZero() {
		t.Errorf("CRL inside: %+v", r.Findings)
	}
	if len(got.Token.Basis()) != 0 {
		t.Errorf("Basis-ERS: %+v", got.Token.Basis())
	}
	// OCSP alone proves it too.
	o.Sidecar = &tsp.Sidecar{OCSP: got.Sidecar.OCSP}
	if r := tsp.Verify(token, o); r.Findings.Verdict() != evidence.Valid {
		t.Errorf("OCSP beside: %+v", r.Findings)
	}
	all, err := f.Enrich(context.Background(), token, anchors(a), tsp.AllInside)
	if err != nil || len(all.Token.OCSP) != 1 || len(all.Token.CRLs) != 1 || len(all.Token.Basis()) != 0 {
		t.Fatalf("%v, %+v", err, all.Token.Basis())
	}
	o.Sidecar = nil
	if r := tsp.Verify(all.Token, o); r.Findings.Verdict() != evidence.Valid {
		t.Errorf("all inside: %+v", r.Findings)
	}
	if again, err := f.Enrich(context.Background(), got.Token, anchors(a), tsp.CRLsInside); err != nil || !bytes.Equal(again.Token.Raw[:8], got.Token.Raw[:8]) && len(again.Token.CRLs) < 1 {
		t.Errorf("a second time: %v", err)
	}
	var back tsp.Sidecar
	if b, err := got.Sidecar.MarshalBinary(); err != nil {
		t.Fatal(err)
	} else if err := back.UnmarshalBinary(b); err != nil || !cmp.Equal(*got.Sidecar, back) {
		t.Errorf("sidecar: %v", err)
	}
}

// TestEnrichMissing: what cannot be had is told, and the rest is used.
func TestEnrichMissing(t *testing.T) {
	t.Parallel()
	a := authority(t, tsa.Options{}) // names no addresses
	got, err := tspclient.NewFetcher(nil, 0).Enrich(context.Background(), issue(t, a), anchors(a), tsp.CRLsInside)
	if err != nil || len(got.Missing) != 1 {
		t.Fatalf("%v, %+v", err, got)
	}
	b := online(t, tsa.Options{})
	b.Alter = func(p *tsa.Parts) { p.Certificates = p.Certificates[:1] }
	got, err = tspclient.NewFetcher(nil, 0).Enrich(context.Background(), issue(t, b), anchors(a), tsp.CRLsInside)
	if err != nil || len(got.Missing) != 1 || len(got.Token.Certificates) != 2 {
		t.Fatalf("an anchor of somebody else: %v, missing %v", err, got.Missing)
	}
}

// TestRevoked: what the list and the responder say, before and after the stamp,
// for harmless and for other reasons (RFC 3161 §4).
func TestRevoked(t *testing.T) {
	t.Parallel()
	const superseded, compromised = 4, 1
	for name, c := range map[string]struct {
		reason  int
		before  bool // revoked before it signed
		secured bool // renewed before the revocation
		want    evidence.Verdict
	}{
		"superseded later":           {superseded, false, false, evidence.Valid},
		"superseded before":          {superseded, true, false, evidence.Invalid},
		"compromised later":          {compromised, false, false, evidence.Invalid},
		"compromised after renewal":  {compromised, false, true, evidence.Valid},
		"no reason, later":           {0, false, false, evidence.Invalid},
		"no reason, after renewal":   {0, false, true, evidence.Valid},
		"compromised before it sign": {compromised, true, true, evidence.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Now().UTC().Truncate(time.Second)
			a := authority(t, tsa.Options{Now: func() time.Time { return now }})
			revoke := func() { a.Revoke(a.Unit(), c.reason) }
			if c.before {
				revoke()
			}
			now = now.Add(time.Hour)
			token := issue(t, a)
			secured := now.Add(time.Hour)
			now = now.Add(2 * time.Hour)
			if !c.before {
				revoke()
			}
			now = now.Add(time.Hour)
			if !c.secured {
				secured = now
			}
			crl, err := a.CRL()
			if err != nil {
				t.Fatal(err)
			}
			r := tsp.Verify(token, tsp.Options{At: secured, Anchors: anchors(a), Sidecar: &tsp.Sidecar{CRLs: [][]byte{crl}}})
			if r.Findings.Verdict() != c.want {
				t.Errorf("%v: %+v", r.Findings.Verdict(), r.Findings)
			}
		})
	}
}

// TestRevocationData: lists that must not count.
func TestRevocationData(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	a := authority(t, tsa.Options{Now: func() time.Time { return now }, Lifetime: 30 * 24 * time.Hour})
	old, err := a.CRL()
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(24 * time.Hour)
	token := issue(t, a)
	other := authority(t, tsa.Options{Now: func() time.Time { return now }})
	foreign, err := other.CRL()
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(20 * 24 * time.Hour)
	good, err := a.CRL()
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Clone(good)
	broken[len(broken)-1] ^= 1
	now = now.Add(20 * 24 * time.Hour)
	late, err := a.CRL()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		crl  []byte
		code evidence.Code
		want evidence.Verdict
	}{
		"after the stamp":             {good, "", evidence.Valid},
		"older, still good then":      {old, tsp.CodeOldRevocation, evidence.Valid},
		"of another authority":        {foreign, tsp.CodeNoRevocation, evidence.Indeterminate},
		"broken signature":            {broken, tsp.CodeNoRevocation, evidence.Indeterminate},
		"made when the unit had gone": {late, tsp.CodeNoRevocation, evidence.Indeterminate},
	} {
		r := tsp.Verify(token, tsp.Options{At: token.Info.GenTime.Add(time.Hour), Anchors: anchors(a), Sidecar: &tsp.Sidecar{CRLs: [][]byte{c.crl}}})
		if r.Findings.Verdict() != c.want || c.code != "" && !r.Findings.Has(c.code) {
			t.Errorf("%s: %v %+v", name, r.Findings.Verdict(), r.Findings)
		}
	}
	// The certificate's end counts at the secured date, not at genTime.
	r := tsp.Verify(token, tsp.Options{At: now, Anchors: anchors(a), Sidecar: &tsp.Sidecar{CRLs: [][]byte{good}}})
	if r.Findings.Verdict() != evidence.Indeterminate || !r.Findings.Has(tsp.CodeExpired) || r.Path == nil {
		t.Errorf("after the end: %+v", r.Findings)
	}
	// The unit itself as the anchor needs no revocation data.
	r = tsp.Verify(token, tsp.Options{At: token.Info.GenTime, Anchors: tsp.NewAnchors([]*x509.Certificate{a.Unit()})})
	if r.Findings.Verdict() != evidence.Valid {
		t.Errorf("pinned: %+v", r.Findings)
	}
}

// TestQualifier: the seam to the trusted lists.
func TestQualifier(t *testing.T) {
	t.Parallel()
	a := authority(t, tsa.Options{})
	token := issue(t, a)
	o := tsp.Options{Anchors: anchors(a), Revocation: tsp.RevocationIfPresent}
	if r := tsp.Verify(token, o); r.Qualified != tsp.NotDetermined {
		t.Errorf("without a list: %s", r.Qualified)
	}
	o.Qualifier = func(tsu *x509.Certificate, path []*x509.Certificate, at time.Time) (tsp.Qualification, string) {
		if !tsu.Equal(a.Unit()) || len(path) != 2 || !at.Equal(token.Info.GenTime) {
			t.Error("asked about something else")
		}
		return tsp.NotQualified, "not listed"
	}
	if r := tsp.Verify(token, o); r.Qualified != tsp.NotQualified || r.QualifiedWhy != "not listed" {
		t.Errorf("%+v", r)
	}
}

func FuzzParseToken(f *testing.F) {
	a, err := tsa.New(tsa.Options{})
	if err != nil {
		f.Fatal(err)
	}
	r, err := tsp.NewRequest(algo.SHA256, imprint, nil, bytes.NewReader(make([]byte, 16)))
	if err != nil {
		f.Fatal(err)
	}
	b, err := a.Issue(r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	o := tsp.Options{At: time.Now(), Anchors: anchors(a)}
	f.Fuzz(func(_ *testing.T, b []byte) {
		if token, err := tsp.ParseToken(b); err == nil {
			tsp.Verify(token, o)
			token.Basis()
		}
	})
}

func FuzzAccept(f *testing.F) {
	a, err := tsa.New(tsa.Options{})
	if err != nil {
		f.Fatal(err)
	}
	r, err := tsp.NewRequest(algo.SHA256, imprint, nil, bytes.NewReader(make([]byte, 16)))
	if err != nil {
		f.Fatal(err)
	}
	b, err := a.Answer(r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	now := time.Now()
	terms := tsp.Terms{Skew: 24 * time.Hour, Anchors: anchors(a)}
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = r.Accept(b, now, terms)
		_, _ = tsp.ParseRequest(b)
	})
}

func FuzzOCSP(f *testing.F) {
	f.Add([]byte{0x30, 3, 0x0a, 1, 0})
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = tsp.ParseOCSP(b)
		_ = new(tsp.Sidecar).UnmarshalBinary(b)
	})
}

// TestRefresh: the last revocation data before a renewal (REN-4) come beside the
// token, whose bytes stay.
func TestRefresh(t *testing.T) {
	t.Parallel()
	now := time.Now()
	a := online(t, tsa.Options{Now: func() time.Time { return now }})
	f := tspclient.NewFetcher(nil, 0)
	got, err := f.Enrich(context.Background(), issue(t, a), anchors(a), tsp.CRLsInside)
	if err != nil || len(got.Missing) > 0 {
		t.Fatalf("%v, missing %v", err, got)
	}
	now = now.Add(48 * time.Hour)
	a.Revoke(a.Unit(), 1)
	fresh, missing, err := f.Refresh(context.Background(), got.Token, got.Sidecar, anchors(a))
	if err != nil || len(missing) > 0 || len(fresh.CRLs) != 1 || len(fresh.OCSP) != 1 {
		t.Fatalf("%v, missing %v, %d CRLs, %d OCSP responses", err, missing, len(fresh.CRLs), len(fresh.OCSP))
	}
	o := tsp.Options{At: now, Anchors: anchors(a), Sidecar: got.Sidecar}
	if r := tsp.Verify(got.Token, o); r.Findings.Verdict() != evidence.Valid {
		t.Errorf("by the old data: %+v", r.Findings)
	}
	for name, s := range map[string]*tsp.Sidecar{"CRL": {CRLs: fresh.CRLs}, "OCSP": {OCSP: fresh.OCSP}} {
		o.Sidecar = s
		if r := tsp.Verify(got.Token, o); r.Findings.Verdict() != evidence.Invalid || !r.Findings.Has(tsp.CodeRevoked) {
			t.Errorf("compromised, by the fresh %s: %+v", name, r.Findings)
		}
	}
}
