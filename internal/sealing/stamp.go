package sealing

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/evidence/tspclient"
	"github.com/muniment/muniment/internal/seal"
)

// problemOf finds the code in an error.
func problemOf(err error) *seal.Problem {
	p := &seal.Problem{Code: "internal", Detail: err.Error()}
	var code evidence.Code
	if errors.As(err, &code) {
		p.Code = string(code)
	}
	return p
}

// Bounds of the pause after a failure.
const (
	leastPause = 15 * time.Second
	mostPause  = 30 * time.Minute
)

// pause is how long to wait after so many failures.
func pause(failures int) time.Duration {
	return min(leastPause<<min(max(failures-1, 0), 16), mostPause)
}

// stampAll has the batches stamped that wait for it.
func (s *Sealer) stampAll(ctx context.Context, now bool, r *seal.Report) error {
	list, err := s.cfg.Archive.PendingSeals(ctx)
	if err != nil {
		return err
	}
	r.Pending, r.Problem = 0, nil
	for _, b := range list {
		if !now && s.cfg.Now().Before(b.NextAt) {
			r.Pending++
			continue
		}
		err := s.stampOne(ctx, b, now)
		if err == nil {
			r.Stamped++
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.Pending++
		r.Problem = problemOf(err)
		s.cfg.Log.Warn("no time stamp for a batch", "batch", b.ID, "objects", b.Leaves, "attempts", b.Attempts+1, "error", err)
		text, err := json.Marshal(r.Problem)
		if err != nil {
			return err
		}
		if err := s.cfg.Archive.FailSeal(ctx, b, s.cfg.Now().Add(pause(b.Attempts+1)), string(text)); err != nil {
			return err
		}
	}
	return nil
}

// stampOne has one batch stamped.
func (s *Sealer) stampOne(ctx context.Context, b *catalog.SealBatch, fresh bool) error {
	if found, err := s.cfg.Archive.AdoptStamp(ctx, b.ID, 1); found || err != nil {
		return err // an earlier run ended between the vault and the catalog
	}
	set, err := s.cfg.Archive.SealSetting(ctx)
	if err != nil {
		return err
	}
	secrets, err := s.cfg.Archive.SealSecrets(ctx)
	if err != nil {
		return err
	}
	pool, asked, err := s.ready(ctx, set, secrets, fresh)
	if err != nil {
		return err
	}
	h, err := algo.HashByName(b.Algorithm)
	if err != nil {
		return err
	}
	var st *seal.Stamp
	var name string
	var refused []error
	for range max(len(asked), 1) { // one whose time stamp cannot be used makes room for the next
		var token *tsp.Token
		token, name, err = pool.Stamp(ctx, h, b.Root)
		if err := errors.Join(err, s.remember(context.WithoutCancel(ctx), pool)); err != nil {
			return errors.Join(append(refused, err)...)
		}
		if st, err = s.complete(ctx, asked[name], secrets[name], token); err == nil {
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		refused = append(refused, s.refuse(ctx, pool, name, err))
	}
	if st == nil {
		return errors.Join(refused...)
	}
	st.Batch, st.Number = b.ID, 1
	if err := s.cfg.Archive.StoreStamp(ctx, st); err != nil {
		return err
	}
	s.cfg.Log.Info("batch stamped", "batch", b.ID, "objects", b.Leaves, "authority", name, "time", st.GenTime, "qualified", st.Qualified, "test", st.Test)
	return nil
}

// complete gets what the verification of a token needs, before its first use
// (TSP-5), and describes it.
func (s *Sealer) complete(ctx context.Context, a seal.Authority, secret string, token *tsp.Token) (*seal.Stamp, error) {
	trusted, list, err := anchors(a)
	if err != nil {
		return nil, err
	}
	c, err := client(a, secret)
	if err != nil {
		return nil, err
	}
	ctx, done := context.WithTimeout(ctx, enrichTime)
	defer done()
	f := tspclient.NewFetcher(c, askTime)
	f.Now = s.cfg.Now
	got, err := f.Enrich(ctx, token, trusted, tsp.CRLsInside)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return nil, err
	}
	v := tsp.Verify(got.Token, tsp.Options{At: s.cfg.Now(), Anchors: trusted, Sidecar: got.Sidecar, Revocation: tsp.RevocationIfPresent, Qualifier: s.cfg.Qualifier,
		Catalogue: s.cfg.Archive.Catalogue()})
	for _, x := range v.Findings {
		if x.Verdict == evidence.Invalid {
			return nil, fmt.Errorf("%w: %s", x.Code, x.Detail)
		}
	}
	side, err := got.Sidecar.MarshalBinary()
	if err != nil {
		return nil, err
	}
	i := got.Token.Info
	q, reason := qualified(v, i, s.cfg.Qualifier != nil)
	return &seal.Stamp{Token: got.Token.Raw, Sidecar: side, Anchors: raws(list), Authority: a.Name, URL: a.URL, At: s.cfg.Now().UTC().Truncate(time.Millisecond),
		GenTime: i.GenTime, Until: v.NotAfter, Policy: i.Policy.String(), Test: tsp.IsTest(i.Policy, v.Signer), Qualified: q, Reason: reason, Missing: got.Missing}, nil
}

func raws(list []*x509.Certificate) [][]byte {
	var out [][]byte
	for _, c := range list {
		out = append(out, c.Raw)
	}
	return out
}

func qualified(v tsp.Result, i tsp.Info, asked bool) (verdict, reason string) {
	switch {
	case tsp.IsTest(i.Policy, v.Signer):
		return seal.No, "of a test authority"
	case !i.QualifiedStatement():
		return seal.No, "the time stamp does not state that it is qualified"
	case !asked:
		return seal.Unknown, "no trusted list was asked"
	case v.Qualified == tsp.Qualified:
		return seal.Yes, v.QualifiedWhy
	case v.Qualified == tsp.NotQualified:
		return seal.No, v.QualifiedWhy
	}
	return seal.Unknown, v.QualifiedWhy
}
