package archive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// Errors of log-in. None tells whether a user exists.
var (
	ErrLogIn        = errors.New("user name or password is wrong")
	ErrTenantNeeded = errors.New("name the customer as well")
	ErrNoSession    = errors.New("not logged in")
	// ErrDirectory: the directory that knows the password cannot be asked now.
	ErrDirectory = errors.New("the directory that checks the password cannot be reached")
)

// sessionTouch is how often the last use of a session is written.
const sessionTouch = time.Minute

// LogIn is an attempt to log in.
type LogIn struct {
	Login  string // user name or mail address
	Tenant string // slug, or empty
	// Operator means an operator of the installation, and no tenant's user. Without
	// it and without Tenant, everybody of the login is meant.
	Operator  bool
	Password  string
	Peer      string
	UserAgent string
	Device    string // cookie of a browser that was here before; empty: none
}

func (in LogIn) place() Place {
	return Place{Peer: in.Peer, UserAgent: in.UserAgent, Device: in.Device}
}

// Account is a user with an open session.
type Account struct {
	User      catalog.User
	Tenant    catalog.Tenant // without an id: the user is an operator
	Actor     access.Actor
	ExpiresAt time.Time
	Session   catalog.Session
}

// SetUp reports whether the session has no rights but to set up a second factor.
func (a *Account) SetUp() bool { return a.Session.Stage == catalog.StageSetup }

// LogIn opens a session and returns its token, which is stored nowhere. Errors
// match ErrLogIn, ErrTenantNeeded (the password fits several users: of tenants, or of a
// tenant and of the installation; with ErrLogIn: none of those who were tried, and there are more), ErrDirectory (with ErrLogIn: others
// of the name were tried), *SecondFactorError, *TooManyError. The
// account may be one that has to SetUp a second factor first.
func (a *Archive) LogIn(ctx context.Context, in LogIn) (token string, acc *Account, err error) {
	c, err := a.candidates(ctx, in)
	if err != nil {
		return "", nil, err
	}
	users, keys, err := a.admit(c.users, in)
	if err != nil {
		return "", nil, err
	}
	fit, err := a.fitting(ctx, c, users, in)
	a.noGuesses(keys, users, fit, err)
	switch {
	case err != nil:
		return "", nil, err
	case len(fit.users) > 1:
		return "", nil, ErrTenantNeeded
	case len(fit.users) == 0:
		return "", nil, fit.refusal(users, c.more)
	}
	u := &fit.users[0]
	if err := a.renewHash(ctx, u, in.Password); err != nil {
		return "", nil, err
	}
	return a.proceed(ctx, u, in.place())
}

// noGuesses takes back what admit has counted, where it was no guess: the password was
// right, or nobody could say. What was tried at a user counts, whatever keeps the
// directory of another one of the same name from answering.
func (a *Archive) noGuesses(keys []guessKey, users []catalog.User, fit *fitted, err error) {
	for i, k := range keys {
		var user uid.ID
		if len(users) > 0 {
			user = users[i].ID
		}
		if err != nil && !errors.Is(err, ErrLogIn) || err == nil && (len(fit.users) > 0 || fit.down[user]) {
			a.guesses.giveBack(k)
		}
	}
}

// renewHash makes the hash of a password anew if it was made with other parameters than
// those of today, by an older release or elsewhere. The password stays the same.
func (a *Archive) renewHash(ctx context.Context, u *catalog.User, plain string) error {
	if !a.hasher.Stale(u.PasswordHash) {
		return nil
	}
	hash, err := a.hasher.Hash(ctx, plain)
	if err != nil {
		return err
	}
	if _, err = a.catalog.SwapPasswordHash(ctx, u.Tenant, u.ID, u.PasswordHash, hash); err == nil {
		u.PasswordHash = hash
	}
	return err
}

// admit counts an attempt and leaves out those who were tried too often. A name of nobody
// is counted like that of a user. *TooManyError if nobody is left.
func (a *Archive) admit(users []catalog.User, in LogIn) (left []catalog.User, keys []guessKey, err error) {
	if len(users) == 0 {
		k := strangerKey(in)
		if wait := a.guesses.take(k, guessPasswords); wait > 0 {
			return nil, nil, &TooManyError{wait}
		}
		return nil, []guessKey{k}, nil
	}
	known := a.device(in.Device)
	var longest time.Duration
	for _, u := range users {
		k := keyOf("password", u.ID, known)
		if wait := a.guesses.take(k, guessPasswords); wait > 0 {
			longest = max(longest, wait)
			continue
		}
		left, keys = append(left, u), append(keys, k)
	}
	if len(left) == 0 {
		a.log.Warn("a user was tried too often", "user", users[0].ID, "peer", in.Peer)
		return nil, nil, &TooManyError{longest}
	}
	return left, keys, nil
}

// Known reports whether somebody whom a log-in may mean has logged in with this
// browser before, and names the browser: attempts are counted under that and
// not under the network, which others may share.
func (a *Archive) Known(ctx context.Context, in LogIn) (device string, err error) {
	d := a.device(in.Device)
	if d == nil {
		return "", nil
	}
	c, err := a.candidates(ctx, in)
	if err != nil {
		return "", err
	}
	for _, u := range c.users {
		if d.knows(u.ID) {
			return d.ID, nil
		}
	}
	return "", nil
}

func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// Session returns the account of an open session and extends it. ErrNoSession
// if there is none or the user may no longer log in, ErrSetupNeeded if it has no rights
// before a second factor is set up.
func (a *Archive) Session(ctx context.Context, token, peer string) (*Account, error) {
	acc, err := a.AnySession(ctx, token, peer)
	if err == nil && acc.SetUp() {
		return nil, ErrSetupNeeded
	}
	return acc, err
}

// AnySession is Session for what those may do as well who have to set up a second
// factor first: little more than that.
func (a *Archive) AnySession(ctx context.Context, token, peer string) (*Account, error) {
	s, err := a.catalog.Session(ctx, sha256.Sum256([]byte(token)))
	if errors.Is(err, catalog.ErrNotFound) || err == nil && s.Stage == catalog.StageSecond {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, err
	}
	now := a.now().UTC()
	end := s.CreatedAt.Add(a.times.SessionMax)
	if !now.Before(s.ExpiresAt) || !now.Before(end) {
		return nil, ErrNoSession
	}
	if now.Sub(s.SeenAt) > sessionTouch {
		s.SeenAt, s.ExpiresAt = now.Truncate(time.Millisecond), now.Add(a.times.SessionIdle).Truncate(time.Millisecond)
		if s.ExpiresAt.After(end) {
			s.ExpiresAt = end
		}
		err := a.catalog.TouchSession(ctx, s.TokenHash, s.SeenAt, s.ExpiresAt)
		if errors.Is(err, catalog.ErrNotFound) { // somebody has just ended it
			return nil, ErrNoSession
		}
		if err != nil {
			return nil, err
		}
	}
	return a.account(ctx, s, peer)
}

func (a *Archive) account(ctx context.Context, s *catalog.Session, peer string) (*Account, error) {
	u, err := a.catalog.User(ctx, s.Tenant, s.User)
	if errors.Is(err, catalog.ErrNotFound) || err == nil && !mayLogIn(u, a.now()) {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, err
	}
	if u.Tenant.IsZero() {
		return a.ofInstance(ctx, s, u, peer)
	}
	t, err := a.catalog.Tenant(ctx, s.Tenant)
	if err != nil {
		return nil, err
	}
	if t.State == catalog.TenantSuspended {
		return nil, ErrNoSession
	}
	role, err := access.ParseRole(u.Role)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", u.ID, err)
	}
	rules, err := a.routing(ctx, u.Tenant)
	if err != nil {
		return nil, err
	}
	return &Account{User: *u, Tenant: *t, ExpiresAt: s.ExpiresAt, Session: *s,
		Actor: access.Actor{Tenant: u.Tenant, User: u.ID, Role: role, Addresses: rules.mailboxAddresses(u.Addresses), Peer: peer}}, nil
}

// LogOut ends a session, which is an event unless it was the first step of a log-in
// alone; ending none is no error.
func (a *Archive) LogOut(ctx context.Context, token, peer string) error {
	hash := sha256.Sum256([]byte(token))
	s, err := a.catalog.Session(ctx, hash)
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		return nil
	case len(rowErrors(err)) > 0, err == nil && s.Stage == catalog.StageSecond: // a damaged one ends, whosever it is
		return a.catalog.DeleteSession(ctx, hash)
	case err != nil:
		return err
	}
	e := &catalog.Event{At: a.now().UTC(), Actor: "user:" + s.User.String(), Action: "session.ended", Object: s.User.String(),
		Details: map[string]string{"session": s.ID.String(), "by": "log-out"}}
	if peer != "" {
		e.Details["peer"] = peer
	}
	err = a.catalog.EndSession(ctx, s.Tenant, s.User, s.ID, e)
	if errors.Is(err, catalog.ErrNotFound) { // somebody else was faster
		return nil
	}
	return err
}

// SetLanguage sets the actor's language: "de", "en" or "" for the browser's. Nothing
// else of the user changes, whoever changes it at the same time.
func (h *Handle) SetLanguage(ctx context.Context, lang string) error {
	if lang != "" && lang != "de" && lang != "en" {
		return invalid("language %.20q: want de, en or nothing", lang)
	}
	d := &userDesk{a: h.a, tenant: h.actor.Tenant, act: h.event}
	_, err := d.editOne(ctx, h.actor.User, "user.changed", func(_ []*catalog.User, u *catalog.User) error {
		u.Language = lang
		return nil
	})
	return err
}

// Statistics are the figures of a tenant.
type Statistics struct {
	catalog.Statistics
	Users     int
	Unindexed int64
}

// Statistics returns the tenant's figures to those who may see them.
func (h *Handle) Statistics(ctx context.Context) (*Statistics, error) {
	if err := h.actor.Check(access.SeeStatistics); err != nil {
		return nil, err
	}
	return h.a.Figures(ctx, h.actor.Tenant)
}

// Figures returns a tenant's figures, for the operator on the command line.
func (a *Archive) Figures(ctx context.Context, tenant uid.ID) (*Statistics, error) {
	s, err := a.catalog.Statistics(ctx, tenant, a.now())
	if err != nil {
		return nil, err
	}
	users, err := a.catalog.Users(ctx, tenant)
	if err != nil {
		return nil, err
	}
	n, err := a.Unindexed(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return &Statistics{Statistics: *s, Users: len(users), Unindexed: n}, nil
}
