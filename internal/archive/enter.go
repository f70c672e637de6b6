package archive

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/factor"
	"github.com/muniment/muniment/internal/uid"
)

// Errors of log-ins in two steps.
var (
	ErrSecondFactor = errors.New("a second factor is needed")
	ErrStepEnded    = errors.New("the log-in has taken too long or was tried too often")
	ErrFactor       = errors.New("the code or the passkey is wrong")
	ErrSetupNeeded  = errors.New("a second factor has to be set up first")
)

// The second step of a log-in has to follow within stepTime, in at most stepTries.
const (
	stepTime  = 10 * time.Minute
	stepTries = 5
)

// Methods of logging in, as sessions remember them.
const (
	methodPassword = "password"
	methodPasskey  = "passkey"
	methodProvider = "provider" // an identity provider has let the user in, and asked what it asks
	methodTOTP     = "totp"
	methodRecovery = "recovery"
)

// SecondFactorError says that the password was right and a second factor is to follow.
// It is an ErrSecondFactor.
type SecondFactorError struct {
	Token   string   // of the step
	Factors []string // of which one is enough: totp, passkey, recovery
	Until   time.Time
}

// Error implements error.
func (e *SecondFactorError) Error() string { return ErrSecondFactor.Error() }

// Is reports whether target is ErrSecondFactor.
func (e *SecondFactorError) Is(target error) bool { return target == ErrSecondFactor }

// Place is where a log-in comes from.
type Place struct {
	Peer      string
	UserAgent string
	Device    string // cookie of a browser that was here before; empty: none
}

func newToken() (string, [32]byte) {
	b := make([]byte, 32)
	rand.Read(b)
	token := base64.RawURLEncoding.EncodeToString(b)
	return token, sha256.Sum256([]byte(token))
}

// newSession makes a session of a user who has proved it by method, but stores nothing.
func (a *Archive) newSession(u *catalog.User, at Place, method, stage string) (string, *catalog.Session) {
	token, hash := newToken()
	now := a.now().UTC().Truncate(time.Millisecond)
	s := &catalog.Session{TokenHash: hash, ID: uid.New(now), User: u.ID, Tenant: u.Tenant, CreatedAt: now, SeenAt: now, ConfirmedAt: now,
		ExpiresAt: now.Add(min(a.times.SessionIdle, a.times.SessionMax)), Peer: at.Peer, UserAgent: clip(at.UserAgent, 200), Stage: stage, Method: method}
	if stage == catalog.StageSecond {
		s.ExpiresAt = now.Add(stepTime)
	}
	return token, s
}

// proceed goes on with a user whose password was right: to a session, to one that can do
// nothing but set up a second factor, or to *SecondFactorError.
func (a *Archive) proceed(ctx context.Context, u *catalog.User, at Place) (string, *Account, error) {
	kinds, err := a.factorKinds(ctx, u)
	if err != nil {
		return "", nil, err
	}
	stage := catalog.StageFull
	if len(kinds) > 0 {
		stage = catalog.StageSecond
	} else if needed, err := a.needsFactor(ctx, u); err != nil {
		return "", nil, err
	} else if needed {
		stage = catalog.StageSetup
	}
	token, s := a.newSession(u, at, methodPassword, stage)
	if stage == catalog.StageSecond {
		if err := a.catalog.CreateSession(ctx, s); err != nil {
			return "", nil, err
		}
		return "", nil, &SecondFactorError{Token: token, Factors: kinds, Until: s.ExpiresAt}
	}
	acc, err := a.account(ctx, s, at.Peer)
	if err != nil {
		return "", nil, err
	}
	return token, acc, a.catalog.CreateSession(ctx, s, a.openedEvent(s))
}

// enterBy opens a session of a user whom somebody else has let in. A second factor is
// not asked for here: whoever lets in may have.
func (a *Archive) enterBy(ctx context.Context, u *catalog.User, at Place, method string) (string, *Account, error) {
	token, s := a.newSession(u, at, method, catalog.StageFull)
	acc, err := a.account(ctx, s, at.Peer)
	if err != nil {
		return "", nil, err
	}
	return token, acc, a.catalog.CreateSession(ctx, s, a.openedEvent(s))
}

func (a *Archive) openedEvent(s *catalog.Session) *catalog.Event {
	d := map[string]string{"peer": s.Peer, "method": s.Method, "session": s.ID.String()}
	if s.Stage != catalog.StageFull {
		d["stage"] = s.Stage
	}
	return &catalog.Event{At: s.CreatedAt, Actor: "user:" + s.User.String(), Action: "session.opened", Object: s.User.String(), Details: d}
}

// step finds the first step that a token belongs to, and its user.
func (a *Archive) step(ctx context.Context, token string) (*catalog.Session, *catalog.User, error) {
	s, err := a.catalog.Session(ctx, sha256.Sum256([]byte(token)))
	if errors.Is(err, catalog.ErrNotFound) || err == nil && (s.Stage != catalog.StageSecond || !a.now().Before(s.ExpiresAt)) {
		return nil, nil, ErrStepEnded
	}
	if err != nil {
		return nil, nil, err
	}
	acc, err := a.account(ctx, s, s.Peer)
	if errors.Is(err, ErrNoSession) {
		return nil, nil, ErrStepEnded
	}
	if err != nil {
		return nil, nil, err
	}
	return s, &acc.User, nil
}

// StepProof is the second step: one of its members.
type StepProof struct {
	Code     string // of an authenticator application
	Recovery string
	Passkey  []byte // a browser's answer
}

// FinishLogIn takes the second step of a log-in and opens the session, under a new
// token. Errors match ErrFactor, ErrStepEnded, *TooManyError.
func (a *Archive) FinishLogIn(ctx context.Context, token string, p StepProof, at Place) (string, *Account, error) {
	first, u, err := a.step(ctx, token)
	if err != nil {
		return "", nil, err
	}
	key := keyOf("factor", u.ID, a.device(at.Device))
	if p.Passkey == nil { // nobody guesses a signature
		if wait := a.guesses.take(key, guessFactors); wait > 0 {
			return "", nil, &TooManyError{wait}
		}
	}
	if err := a.countTry(ctx, first); err != nil {
		return "", nil, err
	}
	method, err := a.proveFactor(ctx, u, first, p, at.Peer)
	if err != nil {
		return "", nil, err
	}
	if p.Passkey == nil {
		a.guesses.giveBack(key)
	}
	next, s := a.newSession(u, at, method, catalog.StageFull)
	acc, err := a.account(ctx, s, at.Peer)
	if err != nil {
		return "", nil, err
	}
	err = a.catalog.ReplaceSession(ctx, first.TokenHash, s, a.openedEvent(s))
	if errors.Is(err, catalog.ErrNotFound) {
		err = ErrStepEnded
	}
	if err != nil {
		return "", nil, err
	}
	return next, acc, nil
}

// countTry ends a step that is tried too often.
func (a *Archive) countTry(ctx context.Context, s *catalog.Session) error {
	err := a.catalog.UpdateSession(ctx, s.TokenHash, func(s *catalog.Session) error {
		if s.Tries >= stepTries {
			return ErrStepEnded
		}
		s.Tries++
		return nil
	})
	if errors.Is(err, catalog.ErrNotFound) {
		return ErrStepEnded
	}
	if errors.Is(err, ErrStepEnded) {
		return errors.Join(err, a.catalog.DeleteSession(ctx, s.TokenHash))
	}
	return err
}

// proveFactor checks the second factor and marks it as used, so that it proves
// nothing a second time.
func (a *Archive) proveFactor(ctx context.Context, u *catalog.User, s *catalog.Session, p StepProof, peer string) (method string, err error) {
	now := a.now().UTC().Truncate(time.Millisecond)
	err = a.catalog.ChangeFactors(ctx, u.Tenant, u.ID, func(list []*catalog.Factor) (catalog.FactorChange, error) {
		switch {
		case p.Passkey != nil:
			method = methodPasskey
			return a.provePasskey(u, list, passkeyProof{challenge: s.Challenge, answer: p.Passkey, now: now})
		case p.Recovery != "":
			method = methodRecovery
			return a.proveRecovery(u, list, p.Recovery, peer)
		}
		method = methodTOTP
		return a.proveTOTP(list, p.Code, now)
	})
	if errors.Is(err, factor.ErrPasskey) || errors.Is(err, factor.ErrNoPasskeys) {
		err = fmt.Errorf("%w: %w", ErrFactor, err)
	}
	return method, err
}

func (a *Archive) proveTOTP(list []*catalog.Factor, code string, now time.Time) (catalog.FactorChange, error) {
	for _, f := range list {
		if f.Kind != catalog.FactorTOTP || !f.Confirmed {
			continue
		}
		secret, err := a.openFactor(f)
		if err != nil {
			return catalog.FactorChange{}, err
		}
		if step, ok := factor.CheckTOTP(secret, code, now, f.Counter); ok {
			f.Counter, f.UsedAt = step, now
			return catalog.FactorChange{Put: []*catalog.Factor{f}}, nil
		}
	}
	return catalog.FactorChange{}, ErrFactor
}

func (a *Archive) proveRecovery(u *catalog.User, list []*catalog.Factor, code, peer string) (catalog.FactorChange, error) {
	want := factor.RecoveryHash(u.ID.String(), code)
	for _, f := range list {
		if f.Kind == catalog.FactorRecovery && subtle.ConstantTimeCompare(f.Secret, want) == 1 {
			e := &catalog.Event{At: a.now().UTC(), Actor: "user:" + u.ID.String(), Action: "recovery-code.used", Object: u.ID.String(), Details: map[string]string{"peer": peer}}
			return catalog.FactorChange{Remove: []uid.ID{f.ID}, Events: []*catalog.Event{e}}, nil
		}
	}
	return catalog.FactorChange{}, ErrFactor
}

// factorKinds lists what a second step can be made with; nothing if the user has set up
// none.
func (a *Archive) factorKinds(ctx context.Context, u *catalog.User) ([]string, error) {
	list, err := a.catalog.Factors(ctx, u.Tenant, u.ID)
	if err != nil {
		return nil, err
	}
	has := map[string]bool{}
	for _, f := range list {
		has[f.Kind] = has[f.Kind] || f.Confirmed
	}
	var out []string
	if has[catalog.FactorTOTP] || has[catalog.FactorPasskey] { // recovery codes alone are left over
		for _, k := range []string{catalog.FactorTOTP, catalog.FactorPasskey, catalog.FactorRecovery} {
			if has[k] {
				out = append(out, k)
			}
		}
	}
	return out, nil
}

// factorName is the name under which a factor's secret is sealed.
func factorName(f *catalog.Factor) string { return "factor " + f.ID.String() + " " + f.User.String() }

func (a *Archive) openFactor(f *catalog.Factor) ([]byte, error) {
	return a.vault.OpenInstance(factorName(f), f.Secret)
}

func (a *Archive) sealFactor(f *catalog.Factor, secret []byte) (err error) {
	f.Secret, err = a.vault.SealInstance(factorName(f), secret)
	return err
}
