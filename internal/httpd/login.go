package httpd

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
)

// deviceAge is how long a browser is known after somebody has logged in, in seconds;
// passkeyAge how long it may take to use a passkey.
const (
	deviceAge  = 365 * 24 * 60 * 60
	passkeyAge = 10 * 60
)

// maxReminds bounds how many forgotten passwords are looked after at the same time, and
// remindTime how long one may take.
const (
	maxReminds = 16
	remindTime = 30 * time.Second
)

func tooMany(wait time.Duration) *api.Problem {
	p := api.NewProblem(api.CodeTooMany, "")
	p.RetryAfter = wait
	return p
}

func (q *request) place() archive.Place {
	return archive.Place{Peer: q.peer, UserAgent: q.agent, Device: q.device}
}

// stepProblem says that a second step is to follow.
func stepProblem(q *request, e *archive.SecondFactorError) *api.StepProblem {
	return &api.StepProblem{Problem: *api.NewProblem(api.CodeSecondFactor, ""), Factors: e.Factors, ExpiresAt: e.Until,
		Cookies: []*http.Cookie{newCookie(q, api.StepCookieName, e.Token, 0)}}
}

// entered answers a log-in with the session, and knows the browser from now on.
func (s *Server) entered(ctx context.Context, q *request, token string, a *archive.Account) (*api.Account, []http.Cookie, error) {
	cookies := []http.Cookie{*sessionCookie(q, token, 0)}
	if q.step != "" {
		cookies = append(cookies, *newCookie(q, api.StepCookieName, "", -1))
	}
	if q.passkey != "" {
		cookies = append(cookies, *newCookie(q, api.PasskeyCookieName, "", -1))
	}
	if !a.SetUp() {
		device, err := s.cfg.Archive.RememberDevice(q.device, a.User.ID)
		if err != nil {
			return nil, nil, err
		}
		cookies = append(cookies, *newCookie(q, api.DeviceCookieName, device, deviceAge))
	}
	return s.account(ctx, a), cookies, nil
}

// FinishLogIn implements api.Service.
func (s *Server) FinishLogIn(ctx context.Context, in api.SecondStep) (*api.Account, []http.Cookie, error) {
	q := requestOf(ctx)
	if q.step == "" {
		return nil, nil, archive.ErrStepEnded
	}
	proof := archive.StepProof{Code: in.Code, Recovery: in.Recovery}
	if in.Passkey != nil {
		b, err := json.Marshal(in.Passkey)
		if err != nil {
			return nil, nil, err
		}
		proof.Passkey = b
	}
	token, a, err := s.cfg.Archive.FinishLogIn(ctx, q.step, proof, q.place())
	if err != nil {
		return nil, nil, err
	}
	return s.entered(ctx, q, token, a)
}

// BeginPasskey implements api.Service.
func (s *Server) BeginPasskey(ctx context.Context, in api.PasskeyQuestion) (*api.PasskeyOptions, []http.Cookie, error) {
	q := requestOf(ctx)
	step := ""
	if in.Step {
		if step = q.step; step == "" {
			return nil, nil, archive.ErrStepEnded
		}
	}
	options, sealed, err := s.cfg.Archive.BeginPasskey(ctx, step)
	if err != nil {
		return nil, nil, err
	}
	var cookies []http.Cookie
	if sealed != "" {
		cookies = append(cookies, *newCookie(q, api.PasskeyCookieName, sealed, passkeyAge))
	}
	o, err := passkeyOptions(options)
	return o, cookies, err
}

func passkeyOptions(raw []byte) (*api.PasskeyOptions, error) {
	o := &api.PasskeyOptions{}
	err := json.Unmarshal(raw, &o.Options)
	return o, err
}

// LogInByPasskey implements api.Service. Nobody guesses signatures: only the work is
// bounded, by network.
func (s *Server) LogInByPasskey(ctx context.Context, in api.PasskeyAnswer) (*api.Account, []http.Cookie, error) {
	q := requestOf(ctx)
	answer, err := json.Marshal(in.Passkey)
	if err != nil {
		return nil, nil, err
	}
	token, a, err := s.cfg.Archive.LogInByPasskey(ctx, q.passkey, answer, q.place())
	if err != nil {
		return nil, nil, err
	}
	return s.entered(ctx, q, token, a)
}

// ForgotPassword implements api.Service. The work is done afterwards, so that the time
// of the answer tells nothing either.
func (s *Server) ForgotPassword(ctx context.Context, in api.ForgottenPassword) error {
	q := requestOf(ctx)
	if wait := s.throttle.take(q.peer, "\x00forgotten"); wait > 0 {
		return tooMany(wait)
	}
	select {
	case s.reminds <- struct{}{}:
	default:
		s.cfg.Log.Warn("too many forgotten passwords at the same time; one was passed over", "peer", q.peer)
		return nil
	}
	// No request to wait for: it ends by itself.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), remindTime)
	go func() {
		defer cancel()
		defer func() { <-s.reminds }()
		if err := s.cfg.Archive.Forgot(ctx, archive.LogIn{Login: in.Login, Tenant: in.Tenant, Operator: in.Operator, Peer: q.peer}); err != nil {
			s.cfg.Log.Error("forgotten password", "request", q.id, "error", err)
		}
	}()
	return nil
}

// LookAtLink implements api.Service.
func (s *Server) LookAtLink(ctx context.Context, in api.LinkToken) (*api.Link, error) {
	v, err := s.cfg.Archive.Link(ctx, in.Token)
	if err != nil {
		return nil, err
	}
	return linkView(v), nil
}

// UseLink implements api.Service.
func (s *Server) UseLink(ctx context.Context, in api.LinkUse) (*api.Link, error) {
	v, err := s.cfg.Archive.UseLink(ctx, in.Token, in.Password, requestOf(ctx).peer)
	if errors.Is(err, archive.ErrInvalid) {
		return nil, mistake("body.password", err.Error())
	}
	if err != nil {
		return nil, err
	}
	return linkView(v), nil
}

func linkView(v *archive.LinkView) *api.Link {
	l := &api.Link{Purpose: v.Purpose, Login: v.User.Login, Name: v.User.Name, Language: v.User.Language, ExpiresAt: v.ExpiresAt}
	if v.Tenant != nil {
		l.Tenant = &api.Tenant{ID: v.Tenant.ID.String(), Slug: v.Tenant.Slug, Name: v.Tenant.Name, Zone: v.Tenant.Zone}
	}
	return l
}
