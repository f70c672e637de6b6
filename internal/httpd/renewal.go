package httpd

import (
	"context"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/seal"
)

// renewalsShown is how many renewals are listed.
const renewalsShown = 50

// renewTime is how long an answer waits for a renewal, which goes on without it.
const renewTime = 20 * time.Second

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }

// Renewals implements api.Service.
func (s *Server) Renewals(ctx context.Context) (*api.EvidenceRenewals, error) {
	if _, err := s.managesEvidence(ctx); err != nil {
		return nil, err
	}
	if s.cfg.Sealer == nil {
		return nil, api.NewProblem(api.CodeNotRunning, "This server gets no time stamps.")
	}
	list, err := s.cfg.Sealer.DueRenewals(ctx)
	if err != nil {
		return nil, err
	}
	out := &api.EvidenceRenewals{Renewals: []api.EvidenceRenewal{}}
	for _, d := range list {
		if d.IsDue() {
			out.Due++
		}
		if len(out.Renewals) == renewalsShown {
			continue
		}
		x := api.EvidenceRenewal{Batch: d.Head.Batch.ID.String(), Stamped: d.Head.Stamp.GenTime, Authority: d.Head.Stamp.Authority, Batches: d.Head.Batches(),
			Objects: d.Head.Objects, Due: d.IsDue(), Tree: d.OfTree(), Reason: string(d.Reason), From: known(d.From), End: known(d.End)}
		if x.Reason == "" {
			x.Reason = "none"
		}
		out.Renewals = append(out.Renewals, x)
	}
	return out, nil
}

// RenewNow implements api.Service. A renewal that takes longer goes on by itself.
func (s *Server) RenewNow(ctx context.Context, o api.RenewalOrder) (*api.RenewalRun, error) {
	h, err := s.managesEvidence(ctx)
	if err != nil {
		return nil, err
	}
	if s.cfg.Sealer == nil {
		return nil, api.NewProblem(api.CodeNotRunning, "This server gets no time stamps.")
	}
	opt := archive.RenewOptions{}
	if opt.Act, err = h.EvidenceAct(); err != nil {
		return nil, err
	}
	if o.All {
		opt.Hand = archive.RenewStamps
	}
	type outcome struct {
		done archive.Renewed
		r    seal.Report
		err  error
	}
	ended := make(chan outcome, 1)
	go func() {
		done, r, err := s.cfg.Sealer.Renew(context.WithoutCancel(ctx), opt)
		if err != nil {
			s.cfg.Log.Error("renewal", "error", err)
		}
		ended <- outcome{done, r, err}
	}()
	wait := time.NewTimer(renewTime)
	defer wait.Stop()
	select {
	case x := <-ended:
		if x.err != nil {
			return nil, x.err
		}
		return &api.RenewalRun{Stamps: x.done.Stamps, Objects: x.done.Objects, LeftOut: x.done.LeftOut, Pending: x.r.Pending, Problem: (*api.EvidenceProblem)(x.r.Problem)}, nil
	case <-wait.C:
	case <-ctx.Done():
	}
	return &api.RenewalRun{Running: true}, nil
}
