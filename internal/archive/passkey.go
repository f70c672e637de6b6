package archive

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/factor"
	"github.com/muniment/muniment/internal/uid"
)

// openChallenge is a challenge that was made for nobody: it is in a cookie, sealed, so
// that asking for one costs nothing that can be used up.
type openChallenge struct {
	Challenge json.RawMessage `json:"challenge"`
	At        time.Time       `json:"at"`
}

// challengeName is the name under which challenges are sealed; maxChallenge bounds the
// cookie.
const (
	challengeName = "passkey challenge"
	maxChallenge  = 4096
)

// handleOf is what a passkey keeps of its user: tenant and user.
func handleOf(u *catalog.User) []byte { return append(append([]byte{}, u.Tenant[:]...), u.ID[:]...) }

// holder returns a user's passkeys with their factors, in the same order.
func (a *Archive) holder(u *catalog.User, list []*catalog.Factor) (factor.Holder, []*catalog.Factor, error) {
	h := factor.Holder{ID: handleOf(u), Login: u.Login, Name: u.Name}
	var keys []*catalog.Factor
	for _, f := range list {
		if f.Kind != catalog.FactorPasskey || !f.Confirmed {
			continue
		}
		b, err := a.openFactor(f)
		if err != nil {
			return h, nil, err
		}
		h.Passkeys, keys = append(h.Passkeys, b), append(keys, f)
	}
	return h, keys, nil
}

// BeginPasskey returns what a browser needs to answer with a passkey. With the token of
// a first step it is one of that user's; else anybody's, and sealed is to be handed to
// LogInByPasskey. factor.ErrNoPasskeys where there are none.
func (a *Archive) BeginPasskey(ctx context.Context, token string) (options []byte, sealed string, err error) {
	p, err := a.party()
	if err != nil {
		return nil, "", err
	}
	if token != "" {
		options, err = a.beginStep(ctx, p, token)
		return options, "", err
	}
	options, challenge, err := p.BeginLogIn(nil)
	if err != nil {
		return nil, "", err
	}
	b, err := json.Marshal(openChallenge{Challenge: challenge, At: a.now().UTC()})
	if err != nil {
		return nil, "", err
	}
	c, err := a.vault.SealInstance(challengeName, b)
	return options, base64.RawURLEncoding.EncodeToString(c), err
}

func (a *Archive) beginStep(ctx context.Context, p *factor.Party, token string) ([]byte, error) {
	s, u, err := a.step(ctx, token)
	if err != nil {
		return nil, err
	}
	list, err := a.catalog.Factors(ctx, u.Tenant, u.ID)
	if err != nil {
		return nil, err
	}
	h, keys, err := a.holder(u, list)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: no passkey", ErrFactor)
	}
	options, challenge, err := p.BeginLogIn(&h)
	if err != nil {
		return nil, err
	}
	err = a.catalog.UpdateSession(ctx, s.TokenHash, func(s *catalog.Session) error { s.Challenge = challenge; return nil })
	return options, err
}

type passkeyProof struct {
	challenge, answer []byte
	now               time.Time
	// made is when a challenge for nobody was made; zero: it is of a first step. It must
	// be younger than the passkey's last use, so that no answer counts twice.
	made time.Time
}

// provePasskey checks an answer and brings the passkey's count up to date.
func (a *Archive) provePasskey(u *catalog.User, list []*catalog.Factor, p passkeyProof) (catalog.FactorChange, error) {
	var none catalog.FactorChange
	party, err := a.party()
	if err != nil {
		return none, err
	}
	h, keys, err := a.holder(u, list)
	if err != nil {
		return none, err
	}
	check := party.LogIn
	if !p.made.IsZero() {
		check = party.LogInAlone
	}
	proof, err := check(h, p.challenge, p.answer)
	if err != nil {
		return none, err
	}
	f := keys[proof.Index]
	if proof.Cloned {
		return none, fmt.Errorf("%w: its count has gone back", factor.ErrPasskey)
	}
	if !p.made.IsZero() && !p.made.After(f.UsedAt) {
		return none, fmt.Errorf("%w: answered twice", factor.ErrPasskey)
	}
	f.UsedAt = p.now
	if err := a.sealFactor(f, proof.Passkey); err != nil {
		return none, err
	}
	return catalog.FactorChange{Put: []*catalog.Factor{f}}, nil
}

// LogInByPasskey opens a session for whoever has answered with a passkey that has asked
// its user for a finger, a face or a PIN: that is two factors. ErrLogIn, and nothing
// more, if the answer proves nothing.
func (a *Archive) LogInByPasskey(ctx context.Context, sealed string, answer []byte, at Place) (string, *Account, error) {
	c, err := a.openChallenge(sealed)
	if err != nil {
		return "", nil, err
	}
	u, err := a.whose(ctx, answer)
	if err != nil {
		return "", nil, err
	}
	token, s := a.newSession(u, at, methodPasskey, catalog.StageFull)
	acc, err := a.account(ctx, s, at.Peer)
	if errors.Is(err, ErrNoSession) {
		return "", nil, ErrLogIn
	}
	if err != nil {
		return "", nil, err
	}
	err = a.catalog.ChangeFactors(ctx, u.Tenant, u.ID, func(list []*catalog.Factor) (catalog.FactorChange, error) {
		return a.provePasskey(u, list, passkeyProof{challenge: c.Challenge, answer: answer, now: s.CreatedAt, made: c.At})
	})
	if errors.Is(err, factor.ErrPasskey) {
		a.log.Info("log-in by passkey refused", "user", u.ID, "peer", at.Peer, "error", err)
		return "", nil, ErrLogIn
	}
	if err != nil {
		return "", nil, err
	}
	return token, acc, a.catalog.CreateSession(ctx, s, a.openedEvent(s))
}

func (a *Archive) openChallenge(sealed string) (*openChallenge, error) {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(sealed) > maxChallenge {
		return nil, ErrStepEnded
	}
	plain, err := a.vault.OpenInstance(challengeName, b)
	if err != nil {
		return nil, ErrStepEnded
	}
	var c openChallenge
	if json.Unmarshal(plain, &c) != nil || a.now().Sub(c.At) > stepTime {
		return nil, ErrStepEnded
	}
	return &c, nil
}

// whose finds the user that an answer claims to be of.
func (a *Archive) whose(ctx context.Context, answer []byte) (*catalog.User, error) {
	handle, err := factor.Whose(answer)
	if err != nil || len(handle) != 2*len(uid.ID{}) {
		return nil, ErrLogIn
	}
	var tenant, id uid.ID
	copy(tenant[:], handle)
	copy(id[:], handle[len(tenant):])
	u, err := a.catalog.User(ctx, tenant, id)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, ErrLogIn
	}
	return u, err
}
