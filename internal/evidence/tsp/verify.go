package tsp

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
)

// RevocationPolicy says what becomes of a token about whose certificates nobody
// says whether they were revoked.
type RevocationPolicy uint8

// The policies.
const (
	RequireRevocation   RevocationPolicy = iota // it is indeterminate
	RevocationIfPresent                         // it is valid, with a remark
)

// Qualification is what a trusted list says about a token.
type Qualification string

// The qualifications (QTS-4). Without a list it is NotDetermined.
const (
	Qualified     Qualification = "qualified"
	NotQualified  Qualification = "not qualified"
	NotDetermined Qualification = "not determined"
)

// Qualifier looks a time-stamping unit up in trusted lists: its certificate,
// the path from it to the anchor (both included), and the time for which the
// answer is asked. The reason is English, for experts. It must be safe for
// concurrent use.
type Qualifier func(tsu *x509.Certificate, path []*x509.Certificate, genTime time.Time) (q Qualification, reason string)

// Options of a verification. The zero value trusts nobody.
type Options struct {
	// At is the secured date: the genTime of the time stamp that renews this
	// one, or now (which a zero At is, too). Certificates and algorithms are
	// judged at that time.
	At         time.Time
	Anchors    *Anchors
	Sidecar    *Sidecar // what is known beside the token; may be nil
	Revocation RevocationPolicy
	Catalogue  *algo.Catalogue // nil: the shipped one
	Qualifier  Qualifier       // nil: never qualified
}

// Result is what a verification has found out.
type Result struct {
	Signer         *x509.Certificate
	Path           []*x509.Certificate // from the signer to the anchor; nil if there is none
	Findings       evidence.Findings   // with Chain and Stamp -1
	Trust          algo.Trust          // until when all algorithms of the signature and the path are trusted
	Algorithm      string              // scheme, length of the key and hash of the signature; empty: could not be read
	NotAfter       time.Time           // when the first certificate below the anchor ends; zero without a path
	RevocationAsOf time.Time           // newest date on which the signer is known not to be revoked; zero: never
	Qualified      Qualification
	QualifiedWhy   string
}

// verification is one run.
type verification struct {
	token  *Token
	o      Options
	result Result
}

func (v *verification) add(c evidence.Code, verdict evidence.Verdict, detail string) {
	v.result.Findings = append(v.result.Findings, evidence.Finding{Code: c, Verdict: verdict, Chain: -1, Stamp: -1, Detail: detail})
}

// fail records an error that carries a code.
func (v *verification) fail(err error) {
	var code evidence.Code
	if !errors.As(err, &code) {
		code = CodeMalformed
	}
	verdict := evidence.Invalid
	if code == CodeUnsupported || code == CodeNoSigner || code == CodeNoAnchor || code == CodeName {
		verdict = evidence.Indeterminate
	}
	v.add(code, verdict, err.Error())
}

// Verify judges a token: the signature, the certificate of the signer and its
// path to an anchor, revocation, and the algorithms, all at the secured date.
// What it has stamped is for the caller to compare with Info.Imprint.
func Verify(t *Token, o Options) Result {
	if o.Catalogue == nil {
		o.Catalogue = algo.Shipped()
	}
	if o.At.IsZero() {
		o.At = time.Now()
	}
	v := &verification{token: t, o: o}
	v.result.Qualified, v.result.QualifiedWhy = NotDetermined, "no trusted list was asked"
	if len(t.Info.Unknown) > 0 {
		v.add(CodeUnsupported, evidence.Indeterminate, fmt.Sprintf("TSTInfo has the critical extension %v", t.Info.Unknown[0]))
	}
	known, _ := certificates(t.Certificates...)
	beside, crls, ocsp := o.Sidecar.parts()
	known = append(known, beside...)
	signer, err := t.Signer(beside)
	v.result.Signer = signer
	if err != nil {
		v.fail(err)
		return v.result
	}
	if err := checkUsage(signer); err != nil {
		v.fail(err)
	}
	if err := t.checkName(signer); err != nil {
		v.fail(err)
	}
	if g := t.Info.GenTime; g.Before(signer.NotBefore) || g.After(signer.NotAfter) {
		v.add(CodeNotYetOrMore, evidence.Invalid, fmt.Sprintf("%q was not valid at %s", signer.Subject, g.Format(time.RFC3339)))
	}
	path := v.path(signer, known)
	v.algorithms(signer, path)
	if path == nil {
		return v.result
	}
	v.result.Path = path
	v.revocation(path, v.revocationData(append(crls, t.CRLs...), append(ocsp, t.OCSP...), known))
	v.result.NotAfter = signer.NotAfter
	for _, c := range path[:len(path)-1] {
		if c.NotAfter.Before(v.result.NotAfter) {
			v.result.NotAfter = c.NotAfter
		}
	}
	if o.Qualifier != nil {
		v.result.Qualified, v.result.QualifiedWhy = o.Qualifier(signer, path, t.Info.GenTime)
	}
	return v.result
}

// path looks for a path that holds at genTime and at the secured date. If there
// is one only without regard to the dates, it is returned, with a finding.
func (v *verification) path(signer *x509.Certificate, known []*x509.Certificate) []*x509.Certificate {
	for _, at := range []time.Time{v.o.At, {}} {
		s := &search{anchors: v.o.Anchors, certs: known, at: at}
		path := s.path(signer)
		if path == nil {
			if at.IsZero() {
				v.noPath(s.problem)
			}
			continue
		}
		for i, c := range path {
			anchor := i > 0 && i == len(path)-1
			if at.IsZero() && !anchor && (v.o.At.After(c.NotAfter) || v.o.At.Before(c.NotBefore)) {
				v.add(CodeExpired, evidence.Indeterminate, fmt.Sprintf("%q is valid from %s to %s, which does not include %s", c.Subject,
					c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly), v.o.At.Format(time.DateOnly)))
			}
		}
		return path
	}
	return nil
}

func (v *verification) noPath(problem error) {
	switch {
	case problem == nil || errors.Is(problem, algo.ErrSignature): // an authority of the same name at most
		v.add(CodeNoAnchor, evidence.Indeterminate, "no path from the signer to a trust anchor")
	case errors.Is(problem, algo.ErrUnsupported):
		v.add(CodeUnsupported, evidence.Indeterminate, problem.Error())
	default:
		// A broken candidate proves nothing against the signer: the right
		// certificate may be missing.
		v.add(CodePath, evidence.Indeterminate, "no path from the signer to a trust anchor: "+problem.Error())
	}
}

// algorithms judges the algorithms at the secured date (ALG-3).
func (v *verification) algorithms(signer *x509.Certificate, path []*x509.Certificate) {
	s := &v.token.signer
	_, bits, err := algo.Key(signer)
	if err != nil {
		return // Signer has said so
	}
	sig, cat := s.scheme(), v.o.Catalogue
	if sig.Scheme != algo.ECDSA && sig.Scheme != algo.Ed25519 && bits < 3000 {
		v.add(CodeWeakKey, evidence.Valid, fmt.Sprintf("RSA key of %d bits", bits))
	}
	trust := cat.Signature(sig.Scheme, bits).Earlier(cat.Hash(s.digest))
	if sig.Scheme != algo.Ed25519 {
		trust = trust.Earlier(cat.Hash(sig.Hash))
	}
	v.result.Algorithm = fmt.Sprintf("%v with %d bits over %v", sig, bits, s.digest)
	v.judge(trust, v.result.Algorithm)
	for i, c := range path[:max(0, len(path)-1)] {
		link := signatureTrust(path[i+1], c.Raw, cat)
		v.judge(link, fmt.Sprintf("the signature on the certificate of %q", c.Subject))
		trust = trust.Earlier(link)
	}
	v.result.Trust = trust
}

func (v *verification) judge(t algo.Trust, what string) {
	switch {
	case t.At(v.o.At):
	case t.Known:
		v.add(CodeAlgorithm, evidence.Indeterminate, fmt.Sprintf("%s was trusted until %s; the secured date is %s", what,
			t.Until.Format(time.DateOnly), v.o.At.Format(time.DateOnly)))
	default:
		v.add(CodeAlgorithm, evidence.Indeterminate, what+" is not in the catalogue of algorithms")
	}
}
