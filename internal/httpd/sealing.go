package httpd

import (
	"context"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/setting"
)

// Sealer has objects stamped.
type Sealer interface {
	// Try asks an authority for a time stamp and ends when ctx does.
	Try(ctx context.Context, a seal.Authority, secret string) seal.Trial
	// Now seals all that there is.
	Now(ctx context.Context) (seal.Report, error)
	// DueRenewals tells which time stamps are renewed, what is due first.
	DueRenewals(ctx context.Context) ([]archive.DueRenewal, error)
	// Renew renews time stamps and gets new ones.
	Renew(ctx context.Context, o archive.RenewOptions) (archive.Renewed, seal.Report, error)
	// Spent tells what the authorities have given this month.
	Spent(ctx context.Context) ([]seal.Spent, error)
	// Wake has the sealer look at the clock at once, and does not wait for it.
	Wake()
}

// managesEvidence checks the right before the request is judged.
func (s *Server) managesEvidence(ctx context.Context) (*archive.Handle, error) {
	a, err := accountOf(ctx)
	if err != nil {
		return nil, err
	}
	return s.cfg.Archive.As(a.Actor), a.Actor.Check(access.ManageEvidence)
}

// Sealing implements api.Service.
func (s *Server) Sealing(ctx context.Context) (*api.Sealing, error) {
	h, err := s.managesEvidence(ctx)
	if err != nil {
		return nil, err
	}
	v, err := h.SealSetting(ctx)
	if err != nil {
		return nil, err
	}
	e, err := h.InstanceEvidence(ctx)
	if err != nil {
		return nil, err
	}
	lead := v.Lead()
	out := &api.Sealing{Interval: v.Interval, Certificate: days(lead.Certificate), Algorithm: days(lead.Algorithm), Authorities: []api.SealingAuthority{}, Seals: s.cfg.Sealer != nil, Evidence: *describeEvidence(e)}
	for _, x := range v.Authorities {
		out.Authorities = append(out.Authorities, describeAuthority(x, v.HasSecret[x.Name]))
	}
	if s.cfg.Sealer != nil {
		spent, err := s.cfg.Sealer.Spent(ctx)
		if err != nil {
			return nil, err
		}
		for i, x := range spent {
			out.Authorities[i].Spent = x.Spent
		}
	}
	for _, p := range seal.Presets() {
		out.Presets = append(out.Presets, api.SealingPreset{ID: p.ID, Name: p.Name, URL: p.URL, Auth: p.Auth, Standing: string(p.Standing), Country: p.Country, Pause: p.Pause})
	}
	return out, nil
}

func describeAuthority(x seal.Authority, secret bool) api.SealingAuthority {
	return api.SealingAuthority{Name: x.Name, Preset: x.Preset, URL: x.URL, Auth: x.Auth, User: x.User, Policy: x.Policy, CA: x.CA, Certificate: x.Certificate,
		ServerCA: x.ServerCA, Accuracy: x.Accuracy, Pause: x.Pause, Quota: x.Quota, Local: x.Local, Disabled: x.Disabled, HasSecret: secret}
}

func authorityOf(x api.SealingAuthority) seal.Authority {
	return seal.Authority{Name: x.Name, Preset: x.Preset, URL: x.URL, Auth: x.Auth, User: x.User, Policy: x.Policy, CA: x.CA, Certificate: x.Certificate,
		ServerCA: x.ServerCA, Accuracy: x.Accuracy, Pause: x.Pause, Quota: x.Quota, Local: x.Local, Disabled: x.Disabled}
}

// sealErrors lists what is wrong with settings of sealing.
func sealErrors(err error, prefix string) []api.ProblemError {
	return mistakesIn(err, func(e *setting.Error) api.ProblemError {
		return api.ProblemError{Location: prefix + e.Field, Message: e.Text}
	})
}

// ChangeSealing implements api.Service.
func (s *Server) ChangeSealing(ctx context.Context, c api.SealingChange) (*api.Sealing, error) {
	h, err := s.managesEvidence(ctx)
	if err != nil {
		return nil, err
	}
	d := archive.SealDraft{Setting: seal.Setting{Interval: c.Interval}, Secrets: c.Secrets}
	old, err := h.SealSetting(ctx)
	if err != nil { // damaged: is set anew
		old = &archive.SealView{}
	}
	d.RenewCertificate, d.RenewAlgorithm = old.RenewCertificate, old.RenewAlgorithm
	for given, to := range map[*int]*int{c.Certificate: &d.RenewCertificate, c.Algorithm: &d.RenewAlgorithm} {
		if given != nil {
			*to = *given
		}
	}
	for _, x := range c.Authorities {
		d.Authorities = append(d.Authorities, authorityOf(x))
	}
	if err := h.SetSealSetting(ctx, d); err != nil {
		if errs := sealErrors(err, "body."); len(errs) > 0 {
			return nil, mistakes(errs...)
		}
		return nil, err
	}
	if s.cfg.Sealer != nil {
		s.cfg.Sealer.Wake()
	}
	return s.Sealing(ctx)
}

// trialTime bounds a test of an authority.
const trialTime = 50 * time.Second

// TestAuthority implements api.Service.
func (s *Server) TestAuthority(ctx context.Context, t api.SealingTest) (*api.SealingFinding, error) {
	if _, err := s.managesEvidence(ctx); err != nil {
		return nil, err
	}
	x := seal.Setting{Authorities: []seal.Authority{authorityOf(t.Authority)}}.Normal().Authorities[0]
	errs := sealErrors(x.Check(), "body.authority.")
	secret := ""
	if t.Secret != nil {
		secret = *t.Secret
	} else {
		var err error
		if secret, err = s.cfg.Archive.StoredSecret(ctx, x); err != nil {
			return nil, err
		}
	}
	if errs = append(errs, sealErrors(x.CheckSecret(secret), "body.")...); len(errs) > 0 {
		return nil, mistakes(errs...)
	}
	if s.cfg.Sealer == nil {
		return nil, api.NewProblem(api.CodeNotRunning, "This server gets no time stamps.")
	}
	ctx, done := context.WithTimeout(ctx, trialTime)
	defer done()
	r := s.cfg.Sealer.Try(ctx, x, secret)
	return &api.SealingFinding{OK: r.OK, Problem: (*api.EvidenceProblem)(r.Problem), Time: known(r.GenTime), Skew: int(r.Skew.Seconds()), Accuracy: int(r.Accuracy.Milliseconds()),
		Policy: r.Policy, Signer: r.Signer, Issuer: r.Issuer, Until: known(r.Until), Statement: r.Statement, Qualified: r.Qualified, Reason: r.Reason, Test: r.Test,
		Missing: r.Missing, Remarks: r.Remarks}, nil
}

// SealNow implements api.Service.
func (s *Server) SealNow(ctx context.Context) (*api.SealingRun, error) {
	if _, err := s.managesEvidence(ctx); err != nil {
		return nil, err
	}
	if s.cfg.Sealer == nil {
		return nil, api.NewProblem(api.CodeNotRunning, "This server gets no time stamps.")
	}
	r, err := s.cfg.Sealer.Now(ctx)
	if err != nil {
		return nil, err
	}
	return &api.SealingRun{Batches: r.Batches, Objects: r.Objects, Stamped: r.Stamped, Pending: r.Pending, Problem: (*api.EvidenceProblem)(r.Problem)}, nil
}
