package archive

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// Errors of changes to one's own log-in.
var (
	ErrConfirm  = errors.New("confirm with the password first")
	ErrPassword = errors.New("the password is wrong")
)

// confirmedFor is how long after a log-in, or after the password was given again, a
// user may change factors.
const confirmedFor = 15 * time.Minute

// Self acts for a user on the user's own log-in, in one session.
type Self struct {
	a   *Archive
	acc *Account
}

// Self returns it for an account of Session or AnySession.
func (a *Archive) Self(acc *Account) *Self { return &Self{a: a, acc: acc} }

// whole returns ErrSetupNeeded in a session that has no rights yet.
func (s *Self) whole() error {
	if s.acc.SetUp() {
		return ErrSetupNeeded
	}
	return nil
}

// confirmed returns ErrConfirm unless the user has proved to be one lately.
func (s *Self) confirmed() error {
	if s.a.now().Sub(s.acc.Session.ConfirmedAt) > confirmedFor {
		return ErrConfirm
	}
	return nil
}

// Confirmed reports whether the user may change factors without Confirm.
func (s *Self) Confirmed() bool { return s.confirmed() == nil }

func (s *Self) event(action string, details map[string]string) *catalog.Event {
	return s.a.As(s.acc.Actor).event(action, s.acc.User.ID.String(), details)
}

func (s *Self) tell(ctx context.Context, kind string) {
	s.a.tell(ctx, &s.acc.User, kind, letterFacts{Peer: s.acc.Actor.Peer})
}

// checkPassword compares; device is the cookie of the browser.
func (s *Self) checkPassword(ctx context.Context, plain, device string) error {
	key := keyOf("confirm", s.acc.User.ID, s.a.device(device))
	if wait := s.a.guesses.take(key, guessConfirm); wait > 0 {
		return &TooManyError{wait}
	}
	u := &s.acc.User
	ok, err := s.a.hasher.Verify(ctx, u.PasswordHash, plain)
	if err == nil && !ok && u.PasswordHash == "" { // the password of who comes from a directory
		ok, _, err = s.a.askedElsewhere(ctx, u, plain)
	}
	if err == nil && !ok {
		return ErrPassword
	}
	s.a.guesses.giveBack(key)
	return err
}

// Confirm lets the user change factors for a while. ErrPassword, *TooManyError.
func (s *Self) Confirm(ctx context.Context, plain, device string) error {
	if err := s.checkPassword(ctx, plain, device); err != nil {
		return err
	}
	return s.a.catalog.UpdateSession(ctx, s.acc.Session.TokenHash, func(c *catalog.Session) error {
		c.ConfirmedAt = s.a.now().UTC().Truncate(time.Millisecond)
		return nil
	})
}

// ChangePassword sets a new password, ends all other sessions and all links of the user,
// and returns the new token of this one. ErrPassword, ErrInvalid, *TooManyError.
func (s *Self) ChangePassword(ctx context.Context, old, plain, device string) (token string, err error) {
	if err := s.whole(); err != nil {
		return "", err
	}
	u := &s.acc.User
	if err := s.a.ownPassword(ctx, u); err != nil {
		return "", err
	}
	if err := s.checkPassword(ctx, old, device); err != nil {
		return "", err
	}
	hash, err := s.a.newPassword(ctx, u, plain)
	if err != nil {
		return "", err
	}
	err = s.a.setHash(ctx, u, catalog.PasswordChange{Tenant: u.Tenant, User: u.ID, Hash: hash, Keep: s.acc.Session.TokenHash, At: s.a.now(),
		Events: []*catalog.Event{s.event("user.password-set", map[string]string{"by": "user"})}})
	if err != nil {
		return "", err
	}
	s.tell(ctx, letterPassword)
	return s.renew(ctx, catalog.StageFull)
}

// renew goes on with the session under a new token, at a stage.
func (s *Self) renew(ctx context.Context, stage string, events ...*catalog.Event) (string, error) {
	token, hash := newToken()
	now := s.a.now().UTC().Truncate(time.Millisecond)
	next := s.acc.Session
	next.TokenHash, next.ID, next.Stage, next.Challenge, next.ConfirmedAt, next.SeenAt = hash, uid.New(now), stage, nil, now, now
	err := s.a.catalog.ReplaceSession(ctx, s.acc.Session.TokenHash, &next, events...)
	if errors.Is(err, catalog.ErrNotFound) {
		return "", ErrNoSession
	}
	if err == nil {
		s.acc.Session = next
	}
	return token, err
}

// FactorView is a factor as people see it.
type FactorView struct {
	ID        uid.ID
	Name      string
	CreatedAt time.Time
	UsedAt    time.Time // zero: never
}

// SessionView is a session as people see it.
type SessionView struct {
	ID                        uid.ID
	CreatedAt, SeenAt, EndsAt time.Time
	Peer, UserAgent, Method   string
	Current                   bool
}

// Security is what proves a user, and where the user is logged in.
type Security struct {
	HasPassword   bool
	Required      bool // a second factor has to be there
	TOTP          *FactorView
	Passkeys      []FactorView
	RecoveryCodes int // that are left
	Sessions      []SessionView
	Links         []*catalog.Link // that can be used
}

// Security returns the user's own.
func (s *Self) Security(ctx context.Context) (*Security, error) {
	v, err := s.a.security(ctx, &s.acc.User)
	if err != nil {
		return nil, err
	}
	for i := range v.Sessions {
		v.Sessions[i].Current = v.Sessions[i].ID == s.acc.Session.ID
	}
	return v, nil
}

func (a *Archive) security(ctx context.Context, u *catalog.User) (*Security, error) {
	v := &Security{HasPassword: u.PasswordHash != ""}
	list, err := a.catalog.Factors(ctx, u.Tenant, u.ID)
	if err != nil {
		return nil, err
	}
	for _, f := range list {
		view := FactorView{ID: f.ID, Name: f.Name, CreatedAt: f.CreatedAt, UsedAt: f.UsedAt}
		switch {
		case f.Kind == catalog.FactorRecovery:
			v.RecoveryCodes++
		case f.Kind == catalog.FactorTOTP && f.Confirmed:
			v.TOTP = &view
		case f.Kind == catalog.FactorPasskey && f.Confirmed:
			v.Passkeys = append(v.Passkeys, view)
		}
	}
	if v.Required, err = a.needsFactor(ctx, u); err != nil {
		return nil, err
	}
	if v.Sessions, err = a.sessions(ctx, u); err != nil {
		return nil, err
	}
	links, err := a.catalog.Links(ctx, u.Tenant, u.ID)
	if err != nil {
		return nil, err
	}
	v.Links = slices.DeleteFunc(links, func(l *catalog.Link) bool { return !a.now().Before(l.ExpiresAt) })
	return v, nil
}

// sessions lists a user's open sessions; damaged ones, which open nothing, are left out
// and logged.
func (a *Archive) sessions(ctx context.Context, u *catalog.User) (out []SessionView, err error) {
	list, err := a.catalog.Sessions(ctx, u.Tenant, u.ID)
	if len(rowErrors(err)) > 0 {
		a.log.Error("rows of sessions are damaged; muniment fsck tells more", "error", err)
	} else if err != nil {
		return nil, err
	}
	for _, c := range list {
		end := c.CreatedAt.Add(a.times.SessionMax)
		if c.Stage == catalog.StageSecond || !a.now().Before(c.ExpiresAt) || !a.now().Before(end) {
			continue
		}
		out = append(out, SessionView{ID: c.ID, CreatedAt: c.CreatedAt, SeenAt: c.SeenAt, EndsAt: end, Peer: c.Peer, UserAgent: c.UserAgent, Method: c.Method})
	}
	return out, nil
}

// EndSession ends another session of the user. catalog.ErrNotFound.
func (s *Self) EndSession(ctx context.Context, id uid.ID) error {
	if err := s.whole(); err != nil {
		return err
	}
	return s.a.catalog.EndSession(ctx, s.acc.User.Tenant, s.acc.User.ID, id, s.event("session.ended", map[string]string{"session": id.String()}))
}

// EndOthers ends all sessions of the user but this one.
func (s *Self) EndOthers(ctx context.Context) error {
	if err := s.whole(); err != nil {
		return err
	}
	return s.a.catalog.EndSessions(ctx, s.acc.User.Tenant, s.acc.User.ID, s.acc.Session.TokenHash, s.event("sessions.ended", nil))
}
