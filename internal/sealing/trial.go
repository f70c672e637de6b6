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

// Try asks an authority for a time stamp on random bytes, and tells what came. It
// may cost a token. Nothing is stored.
func (s *Sealer) Try(ctx context.Context, a seal.Authority, secret string) seal.Trial {
	failed := func(err error) seal.Trial { return seal.Trial{Problem: problemOf(err)} }
	x, err := authority(a, secret, s.cfg.Now)
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
	t := seal.Trial{OK: true, GenTime: st.GenTime, Skew: st.GenTime.Sub(s.cfg.Now()).Round(time.Second), Policy: st.Policy, Until: st.Until,
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
