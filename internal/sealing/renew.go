package sealing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/evidence/tspclient"
	"github.com/muniment/muniment/internal/seal"
)

// renewEvery is the time between two looks at what has to be renewed.
const renewEvery = 24 * time.Hour

// RenewOptions say what is to be renewed.
type RenewOptions = archive.RenewOptions

// renewals looks once a day until ctx ends. It does not hold up sealing: objects are
// rehashed beside it, and what waits for a time stamp then gets it in the next round.
func (s *Sealer) renewals(ctx context.Context) {
	look := time.NewTicker(s.look)
	defer look.Stop()
	for {
		if now := s.cfg.Now(); now.Sub(s.renewedAt()) >= renewEvery {
			set, err := s.cfg.Archive.SealSetting(ctx)
			if err == nil && len(set.Active()) > 0 {
				_, err = s.prepareRenewal(ctx, RenewOptions{})
			}
			if err != nil && ctx.Err() == nil {
				s.cfg.Log.Error("renewal", "error", err)
			}
			if err == nil {
				s.setRenewed(now)
			} else {
				s.setRenewed(now.Add(leastPause - renewEvery).Add(mostPause)) // again in half an hour
			}
			s.Wake()
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

func (s *Sealer) renewedAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.renewed
}

func (s *Sealer) setRenewed(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewed = at
}

// Renew renews what is due, or what is ordered, and gets the time stamps for it.
func (s *Sealer) Renew(ctx context.Context, o RenewOptions) (archive.Renewed, seal.Report, error) {
	var r seal.Report
	set, err := s.cfg.Archive.SealSetting(ctx)
	if err != nil {
		return archive.Renewed{}, r, err
	}
	if len(set.Active()) == 0 {
		r.NoAuthority = true
		return archive.Renewed{}, r, nil
	}
	done, err := s.prepareRenewal(ctx, o)
	if err != nil {
		return done, r, err
	}
	s.working.Lock()
	defer s.working.Unlock()
	err = s.stampAll(ctx, true, &r)
	return done, r, err
}

// prepareRenewal makes renewals, which wait for their time stamps then.
func (s *Sealer) prepareRenewal(ctx context.Context, o RenewOptions) (archive.Renewed, error) {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	heads, order, kept, err := s.lookAtHeads(ctx)
	if err != nil {
		return archive.Renewed{}, err
	}
	order.Hand = o.Hand
	if o.Act == nil {
		o.Act = s.cfg.Archive.SystemAct()
	}
	due := s.cfg.Archive.Due(heads, order)
	beside, missing := &tsp.Sidecar{}, []string(nil)
	for _, d := range due {
		if k := kept[d.Head.Signer]; d.Action != ers.Keep && k != nil {
			beside.Merge(k.side)
			missing = append(missing, k.missing...)
			k.missing = nil // once
		}
	}
	began := s.cfg.Now()
	r, err := s.cfg.Archive.PrepareRenewal(ctx, due, beside, missing, order.Lead, o.Act)
	if r.Renewals+r.Rehashed > 0 {
		s.cfg.Log.Info("renewal made", "renewals", r.Renewals, "stamps", r.Stamps, "rehashed", r.Rehashed, "objects", r.Objects, "left_out", r.LeftOut,
			"took", s.cfg.Now().Sub(began).Round(time.Millisecond))
	}
	return r, err
}

// DueRenewals tells what is due, and what comes next.
func (s *Sealer) DueRenewals(ctx context.Context) ([]archive.DueRenewal, error) {
	heads, order, _, err := s.lookAtHeads(ctx)
	if err != nil {
		return nil, err
	}
	return s.cfg.Archive.Due(heads, order), nil
}

// signer is what was found out about a certificate of an authority.
type signer struct {
	side    *tsp.Sidecar
	missing []string
}

// lookAtHeads gets the newest time stamps, and asks about each certificate that has
// signed one whether it was revoked: the last that is known of it is kept with the
// renewal (REN-4).
func (s *Sealer) lookAtHeads(ctx context.Context) ([]*archive.Head, archive.RenewalOrder, map[string]*signer, error) {
	order := archive.RenewalOrder{Revoked: map[string]bool{}}
	set, err := s.cfg.Archive.SealSetting(ctx)
	if err != nil {
		return nil, order, nil, err
	}
	order.Lead = set.Lead()
	secrets, err := s.cfg.Archive.SealSecrets(ctx)
	if err != nil {
		return nil, order, nil, err
	}
	heads, err := s.cfg.Archive.Heads(ctx)
	if err != nil {
		return nil, order, nil, err
	}
	newest := map[string]*archive.Head{}
	for _, h := range heads {
		newest[h.Signer] = h // they come by age
	}
	kept := map[string]*signer{}
	for name, h := range newest {
		k, revoked, err := s.refresh(ctx, h, &set.Setting, secrets)
		if ctx.Err() != nil {
			return nil, order, nil, ctx.Err()
		}
		if err != nil {
			s.cfg.Log.Warn("revocation data of a time stamp", "batch", h.Batch.ID, "authority", h.Stamp.Authority, "error", err)
			k = &signer{missing: []string{err.Error()}}
		}
		kept[name], order.Revoked[name] = k, revoked
	}
	return heads, order, kept, nil
}

// refresh asks about the certificates of a time stamp.
func (s *Sealer) refresh(ctx context.Context, h *archive.Head, set *seal.Setting, secrets map[string]string) (*signer, bool, error) {
	st, err := s.cfg.Archive.StampOf(ctx, h)
	if err != nil {
		return nil, false, err
	}
	token, err := tsp.ParseToken(st.Token)
	if err != nil {
		return nil, false, err
	}
	list, err := st.Certificates()
	if err != nil {
		return nil, false, err
	}
	known := &tsp.Sidecar{}
	if len(st.Sidecar) > 0 {
		if err := known.UnmarshalBinary(st.Sidecar); err != nil {
			return nil, false, err
		}
	}
	a := seal.Authority{Auth: seal.AuthNone} // it may not be asked any more
	for _, x := range set.Authorities {
		if x.Name == st.Authority {
			a = x
		}
	}
	c, err := client(a, secrets[a.Name])
	if err != nil {
		return nil, false, err
	}
	ctx, done := context.WithTimeout(ctx, enrichTime)
	defer done()
	f := tspclient.NewFetcher(c, askTime)
	f.Now = s.cfg.Now
	anchors := tsp.NewAnchors(list)
	got, missing, err := f.Refresh(ctx, token, known, anchors)
	if err != nil {
		return nil, false, err
	}
	all := &tsp.Sidecar{}
	all.Merge(known)
	all.Merge(got)
	v := tsp.Verify(token, tsp.Options{At: s.cfg.Now(), Anchors: anchors, Sidecar: all, Revocation: tsp.RevocationIfPresent})
	for _, x := range v.Findings {
		if x.Code == tsp.CodeRevoked || x.Code == tsp.CodeRevokedLater {
			return &signer{got, missing}, true, nil
		}
	}
	return &signer{got, missing}, false, nil
}

// attach puts the records of stamped checkpoints into their receipts.
func (s *Sealer) attach(ctx context.Context) {
	n, err := s.cfg.Archive.AttachCheckpoints(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		s.cfg.Log.Error("evidence records of receipts", "error", err)
	}
	if n > 0 {
		s.cfg.Log.Info("receipts have their evidence records", "receipts", n)
	}
}

// refuse keeps an authority from being asked at once again whose time stamp cannot be
// used, so that the next one gets its turn.
func (s *Sealer) refuse(ctx context.Context, pool *tspclient.Pool, name string, err error) error {
	pool.Refuse(name)
	return errors.Join(fmt.Errorf("time-stamp authority %q: %w", name, err), s.remember(ctx, pool))
}
