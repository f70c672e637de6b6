package sealing

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/seal"
)

// Trial is what trying an authority has found.
type Trial struct {
	OK      bool     `json:"ok"`
	Problem *Problem `json:"problem,omitempty"`
	// What follows is of the time stamp that came; it is thrown away.
	GenTime   time.Time     `json:"gen_time,omitzero"`
	Skew      time.Duration `json:"skew,omitempty"` // its clock before ours
	Accuracy  time.Duration `json:"accuracy,omitempty"`
	Policy    string        `json:"policy,omitempty"`
	Signer    string        `json:"signer,omitempty"`
	Issuer    string        `json:"issuer,omitempty"`
	Until     time.Time     `json:"until,omitzero"` // when its certificate ends
	Statement bool          `json:"statement"`      // it states to be qualified
	Qualified string        `json:"qualified,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	Test      bool          `json:"test"` // of a test authority
	Missing   []string      `json:"missing,omitempty"`
	Remarks   []string      `json:"remarks,omitempty"`
}

// Try asks an authority for a time stamp on random bytes, and tells what came. It
// may cost a token. Nothing is stored.
func (s *Sealer) Try(ctx context.Context, a seal.Authority, secret string) Trial {
	failed := func(err error) Trial { return Trial{Problem: problemOf(err)} }
	x, err := authority(a, secret)
	if err != nil {
		return failed(err)
	}
	b := make([]byte, algo.SHA256.Size())
	rand.Read(b)
	token, err := x.Stamp(ctx, algo.SHA256, b)
	if err != nil {
		return failed(err)
	}
	st, err := s.complete(ctx, a, secret, token)
	if err != nil {
		return failed(err)
	}
	t := Trial{OK: true, GenTime: st.GenTime, Skew: st.GenTime.Sub(s.cfg.Now()).Round(time.Second), Policy: st.Policy, Until: st.Until,
		Statement: token.Info.QualifiedStatement(), Qualified: st.Qualified, Reason: st.Reason, Test: st.Test, Missing: st.Missing}
	if token.Info.Accuracy != nil {
		t.Accuracy = *token.Info.Accuracy
	}
	trusted, _, err := anchors(a)
	if err != nil {
		return failed(err)
	}
	v := tsp.Verify(token, tsp.Options{At: s.cfg.Now(), Anchors: trusted, Revocation: tsp.RevocationIfPresent})
	if v.Signer != nil {
		t.Signer, t.Issuer = v.Signer.Subject.String(), v.Signer.Issuer.String()
	}
	for _, f := range v.Findings {
		if f.Verdict == evidence.Valid && f.Code != tsp.CodeNoRevocation { // Missing tells of that
			t.Remarks = append(t.Remarks, f.Detail)
		}
	}
	return t
}
