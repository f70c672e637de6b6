package archive

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/factor"
	"github.com/muniment/muniment/internal/uid"
)

// maxPasskeys bounds how many passkeys a user has.
const maxPasskeys = 20

// Added is what comes of setting up a factor.
type Added struct {
	// Recovery are new recovery codes, if the user had none: nobody sees them again.
	Recovery []string
	// Token is the session's new one if it had no rights before; empty: it goes on.
	Token string
}

// mayAdd is what has to be so before a factor is set up.
func (s *Self) mayAdd() error { return s.confirmed() }

// BeginTOTP makes a secret for an authenticator application. It proves nothing before
// ConfirmTOTP. ErrConfirm.
func (s *Self) BeginTOTP(ctx context.Context) (*factor.TOTP, error) {
	if err := s.mayAdd(); err != nil {
		return nil, err
	}
	u := &s.acc.User
	account := u.Login
	if !u.Tenant.IsZero() {
		account += " (" + s.acc.Tenant.Slug + ")"
	}
	t, err := factor.NewTOTP(siteName, account)
	if err != nil {
		return nil, err
	}
	f := s.newFactor(catalog.FactorTOTP, "")
	if err := s.a.sealFactor(f, t.Secret); err != nil {
		return nil, err
	}
	err = s.a.catalog.ChangeFactors(ctx, u.Tenant, u.ID, func(list []*catalog.Factor) (catalog.FactorChange, error) {
		c := catalog.FactorChange{Put: []*catalog.Factor{f}}
		for _, old := range list { // that somebody has begun to set up
			if old.Kind == catalog.FactorTOTP && !old.Confirmed {
				c.Remove = append(c.Remove, old.ID)
			}
		}
		return c, nil
	})
	return t, err
}

func (s *Self) newFactor(kind, name string) *catalog.Factor {
	now := s.a.now().UTC().Truncate(time.Millisecond)
	return &catalog.Factor{ID: uid.New(now), User: s.acc.User.ID, Tenant: s.acc.User.Tenant, Kind: kind, Name: name, CreatedAt: now}
}

// ConfirmTOTP takes the first code of the application that BeginTOTP was for, in place of
// the one before. ErrFactor, ErrConfirm, *TooManyError.
func (s *Self) ConfirmTOTP(ctx context.Context, code string) (*Added, error) {
	if err := s.mayAdd(); err != nil {
		return nil, err
	}
	key := guessKey{text: "confirm-totp " + s.acc.User.ID.String()}
	if wait := s.a.guesses.take(key, guessFactors); wait > 0 {
		return nil, &TooManyError{wait}
	}
	added, err := s.add(ctx, func(list []*catalog.Factor) (c catalog.FactorChange, err error) {
		for _, f := range list {
			if f.Kind != catalog.FactorTOTP {
				continue
			}
			if f.Confirmed {
				c.Remove = append(c.Remove, f.ID)
				continue
			}
			secret, err := s.a.openFactor(f)
			if err != nil {
				return c, err
			}
			if step, ok := factor.CheckTOTP(secret, code, s.a.now(), f.Counter); ok {
				f.Confirmed, f.Counter = true, step
				c.Put = []*catalog.Factor{f}
			}
		}
		if len(c.Put) == 0 {
			return c, ErrFactor
		}
		c.Events = []*catalog.Event{s.event("factor.added", map[string]string{"kind": catalog.FactorTOTP})}
		return c, nil
	})
	if err == nil {
		s.a.guesses.giveBack(key)
	}
	return added, err
}

// BeginAddPasskey returns what a browser needs to make a passkey. ErrConfirm,
// factor.ErrNoPasskeys.
func (s *Self) BeginAddPasskey(ctx context.Context) ([]byte, error) {
	if err := s.mayAdd(); err != nil {
		return nil, err
	}
	p, err := s.a.party()
	if err != nil {
		return nil, err
	}
	list, err := s.a.catalog.Factors(ctx, s.acc.User.Tenant, s.acc.User.ID)
	if err != nil {
		return nil, err
	}
	h, keys, err := s.a.holder(&s.acc.User, list)
	if err != nil {
		return nil, err
	}
	if len(keys) >= maxPasskeys {
		return nil, invalid("passkeys: there are %d, which is the most; remove one first", maxPasskeys)
	}
	options, challenge, err := p.BeginRegister(h)
	if err != nil {
		return nil, err
	}
	return options, s.a.catalog.UpdateSession(ctx, s.acc.Session.TokenHash, func(c *catalog.Session) error { c.Challenge = challenge; return nil })
}

// AddPasskey takes the browser's answer to BeginAddPasskey. ErrFactor, ErrConfirm.
func (s *Self) AddPasskey(ctx context.Context, name string, answer []byte) (*Added, error) {
	if err := s.mayAdd(); err != nil {
		return nil, err
	}
	name = strings.TrimSpace(name)
	if err := checkName(name); err != nil {
		return nil, err
	}
	p, err := s.a.party()
	if err != nil {
		return nil, err
	}
	challenge, err := s.takeChallenge(ctx)
	if err != nil {
		return nil, err
	}
	return s.add(ctx, func(list []*catalog.Factor) (c catalog.FactorChange, err error) {
		h, _, err := s.a.holder(&s.acc.User, list)
		if err != nil {
			return c, err
		}
		b, err := p.Register(h, challenge, answer)
		if errors.Is(err, factor.ErrPasskey) {
			return c, fmt.Errorf("%w: %w", ErrFactor, err)
		} else if err != nil {
			return c, err
		}
		f := s.newFactor(catalog.FactorPasskey, name)
		f.Confirmed = true
		if err := s.a.sealFactor(f, b); err != nil {
			return c, err
		}
		c.Put = []*catalog.Factor{f}
		c.Events = []*catalog.Event{s.event("factor.added", map[string]string{"kind": catalog.FactorPasskey, "factor": f.ID.String()})}
		return c, nil
	})
}

// takeChallenge takes the challenge out of the session: it is answered once.
func (s *Self) takeChallenge(ctx context.Context) (challenge []byte, err error) {
	err = s.a.catalog.UpdateSession(ctx, s.acc.Session.TokenHash, func(c *catalog.Session) error {
		challenge, c.Challenge = c.Challenge, nil
		return nil
	})
	if err == nil && challenge == nil {
		err = ErrFactor
	}
	return challenge, err
}

// add stores a new factor, with recovery codes if there are none, tells the user, and
// gives a session its rights that lacked nothing but the factor.
func (s *Self) add(ctx context.Context, change func([]*catalog.Factor) (catalog.FactorChange, error)) (*Added, error) {
	out := &Added{}
	err := s.a.catalog.ChangeFactors(ctx, s.acc.User.Tenant, s.acc.User.ID, func(list []*catalog.Factor) (catalog.FactorChange, error) {
		c, err := change(list)
		if err != nil {
			return c, err
		}
		out.Recovery = nil
		for _, f := range list {
			if f.Kind == catalog.FactorRecovery {
				return c, nil
			}
		}
		var codes []*catalog.Factor
		out.Recovery, codes = s.newCodes()
		c.Put = append(c.Put, codes...)
		c.Events = append(c.Events, s.event("recovery-codes.made", nil))
		return c, nil
	})
	if err != nil {
		return nil, err
	}
	s.tell(ctx, letterFactor)
	if s.acc.SetUp() {
		out.Token, err = s.renew(ctx, catalog.StageFull)
	}
	return out, err
}

func (s *Self) newCodes() (codes []string, rows []*catalog.Factor) {
	codes = factor.NewRecoveryCodes()
	for _, code := range codes {
		f := s.newFactor(catalog.FactorRecovery, "")
		f.Confirmed, f.Secret = true, factor.RecoveryHash(s.acc.User.ID.String(), code)
		rows = append(rows, f)
	}
	return codes, rows
}

// NewRecoveryCodes makes codes in place of those that are left. ErrConfirm; ErrInvalid
// without a second factor.
func (s *Self) NewRecoveryCodes(ctx context.Context) ([]string, error) {
	if err := errors.Join(s.whole(), s.confirmed()); err != nil {
		return nil, err
	}
	var codes []string
	err := s.a.catalog.ChangeFactors(ctx, s.acc.User.Tenant, s.acc.User.ID, func(list []*catalog.Factor) (c catalog.FactorChange, err error) {
		others := 0
		for _, f := range list {
			if f.Kind == catalog.FactorRecovery {
				c.Remove = append(c.Remove, f.ID)
			} else if f.Confirmed {
				others++
			}
		}
		if others == 0 {
			return c, invalid("recovery codes: set up an authenticator app or a passkey first")
		}
		codes, c.Put = s.newCodes()
		c.Events = []*catalog.Event{s.event("recovery-codes.made", nil)}
		return c, nil
	})
	if err != nil {
		return nil, err
	}
	s.tell(ctx, letterFactor)
	return codes, nil
}

// RemoveFactor removes the authenticator application or a passkey; with the last one the
// recovery codes. ErrConfirm, catalog.ErrNotFound; ErrInvalid if it is the last one and
// the user has to have one.
func (s *Self) RemoveFactor(ctx context.Context, id uid.ID) error {
	if err := errors.Join(s.whole(), s.confirmed()); err != nil {
		return err
	}
	needed, err := s.a.needsFactor(ctx, &s.acc.User)
	if err != nil {
		return err
	}
	err = s.a.catalog.ChangeFactors(ctx, s.acc.User.Tenant, s.acc.User.ID, func(list []*catalog.Factor) (c catalog.FactorChange, err error) {
		others := 0
		var codes []uid.ID
		for _, f := range list {
			switch {
			case f.Kind == catalog.FactorRecovery:
				codes = append(codes, f.ID)
			case f.ID == id && f.Confirmed:
				c.Remove = append(c.Remove, id)
				c.Events = []*catalog.Event{s.event("factor.removed", map[string]string{"kind": f.Kind, "factor": id.String()})}
			case f.Confirmed:
				others++
			}
		}
		switch {
		case len(c.Remove) == 0:
			return c, catalog.ErrNotFound
		case others == 0 && needed:
			return c, invalid("your role needs a second factor: set up another one before you remove the last")
		case others == 0:
			c.Remove = append(c.Remove, codes...)
		}
		return c, nil
	})
	if err == nil {
		s.tell(ctx, letterFactor)
	}
	return err
}

// RenamePasskey changes what the user calls a passkey. catalog.ErrNotFound.
func (s *Self) RenamePasskey(ctx context.Context, id uid.ID, name string) error {
	name = strings.TrimSpace(name)
	if err := errors.Join(s.whole(), checkName(name)); err != nil {
		return err
	}
	return s.a.catalog.ChangeFactors(ctx, s.acc.User.Tenant, s.acc.User.ID, func(list []*catalog.Factor) (c catalog.FactorChange, err error) {
		for _, f := range list {
			if f.ID == id && f.Kind == catalog.FactorPasskey && f.Confirmed {
				f.Name = name
				return catalog.FactorChange{Put: []*catalog.Factor{f}, Events: []*catalog.Event{s.event("factor.renamed", map[string]string{"factor": id.String()})}}, nil
			}
		}
		return c, catalog.ErrNotFound
	})
}
