package ers

import (
	"crypto/x509"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// Report is what a verification has found out about one record.
type Report struct {
	Verdict evidence.Verdict `json:"verdict"`
	// Integrity is the verdict without trust in people and algorithms: whether
	// the data, the hash trees and the signatures belong together, whoever has
	// signed and however strong the algorithms are.
	Integrity evidence.Verdict  `json:"integrity"`
	Proven    time.Time         `json:"proven,omitzero"` // genTime of the first stamp: since then, if valid, the data are unchanged
	Until     time.Time         `json:"until,omitzero"`  // when a renewal must have been made at the latest; zero if unknown
	Findings  evidence.Findings `json:"findings,omitempty"`
	Stamps    []StampReport     `json:"stamps,omitempty"`
	Members   []MemberReport    `json:"members,omitempty"`
	Test      bool              `json:"test,omitempty"` // a stamp is one of the test authority: it proves nothing
}

// StampReport is about one archive time stamp.
type StampReport struct {
	Chain      int               `json:"chain"`
	Stamp      int               `json:"stamp"`
	Hash       string            `json:"hash"`
	Time       time.Time         `json:"time,omitzero"`
	Accuracy   string            `json:"accuracy,omitempty"`
	SecuredAt  time.Time         `json:"securedAt,omitzero"` // it is judged at that time
	Policy     string            `json:"policy,omitempty"`
	Serial     string            `json:"serial,omitempty"`
	Signer     string            `json:"signer,omitempty"`
	Issuer     string            `json:"issuer,omitempty"`
	Signature  string            `json:"signature,omitempty"` // scheme, length of the key, hash
	NotAfter   time.Time         `json:"notAfter,omitzero"`   // end of the first certificate of the path
	TrustUntil time.Time         `json:"trustUntil,omitzero"` // end of the first algorithm; zero: none known
	Revocation time.Time         `json:"notRevokedAsOf,omitzero"`
	Statement  bool              `json:"qualifiedStatement"`
	Qualified  tsp.Qualification `json:"qualified"`
	Why        string            `json:"qualifiedWhy,omitempty"`
	Test       bool              `json:"test,omitempty"`

	Path []*x509.Certificate `json:"-"` // from the signer to the anchor
}

// MemberReport is about one data object.
type MemberReport struct {
	Name    string `json:"name"`
	Covered bool   `json:"covered"` // by every chain
}

// describe fills in what the token and its verification say.
func (s *StampReport) describe(t *tsp.Token, r tsp.Result) {
	i := t.Info
	s.Time = i.GenTime
	if i.Accuracy != nil {
		s.Accuracy = i.Accuracy.String()
	}
	s.Policy, s.Serial = i.Policy.String(), i.Serial.Text(16)
	s.NotAfter, s.TrustUntil, s.Revocation, s.Path = r.NotAfter, r.Trust.Until, r.RevocationAsOf, r.Path
	s.Signature = r.Algorithm
	if r.Signer != nil {
		s.Signer, s.Issuer = r.Signer.Subject.String(), r.Signer.Issuer.String()
	}
	s.Statement, s.Qualified, s.Why = i.QualifiedStatement(), r.Qualified, r.QualifiedWhy
	if !s.Statement { // both are needed (QTS-1, QTS-2)
		s.Qualified, s.Why = tsp.NotQualified, "the time stamp does not state that it is qualified"
	}
	s.Test = tsp.IsTest(i.Policy, r.Signer)
}

// until returns the earlier of two ends, zero being none.
func until(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// end returns when the last stamp ceases to prove.
func (s *StampReport) end(hash algo.Trust) time.Time {
	return until(until(s.NotAfter, s.TrustUntil), hash.Until)
}

// integrity leaves out the findings about certificates and algorithms.
func (r *Report) integrity() evidence.Verdict {
	var kept evidence.Findings
	for _, f := range r.Findings {
		switch f.Code {
		case tsp.CodeNoAnchor, tsp.CodePath, tsp.CodeExpired, tsp.CodeRevoked, tsp.CodeNoRevocation, tsp.CodeAlgorithm, CodeHashEnded, CodeFuture:
		default:
			kept = append(kept, f)
		}
	}
	return kept.Verdict()
}
