package archive

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
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

// A session ends after sessionIdle without a request, at the latest after
// sessionMax.
const (
	sessionIdle  = 12 * time.Hour
	sessionMax   = 7 * 24 * time.Hour
	sessionTouch = time.Minute // how often the last use is written
)

// maxCandidates bounds how many users of different tenants one log-in tries.
const maxCandidates = 4

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
}

// Account is a user with an open session.
type Account struct {
	User      catalog.User
	Tenant    catalog.Tenant // without an id: the user is an operator
	Actor     access.Actor
	ExpiresAt time.Time
}

// LogIn opens a session and returns its token, which is stored nowhere. Errors
// match ErrLogIn, ErrTenantNeeded (the password fits several users: of tenants, or of a
// tenant and of the installation), ErrDirectory.
func (a *Archive) LogIn(ctx context.Context, in LogIn) (token string, acc *Account, err error) {
	users, err := a.candidates(ctx, in)
	if err != nil {
		return "", nil, err
	}
	fit, down, err := a.fitting(ctx, users, in)
	if err != nil {
		return "", nil, err
	}
	switch {
	case len(fit) == 1:
	case len(fit) == 0 && down:
		return "", nil, ErrDirectory
	case len(fit) == 0:
		if len(users) == 0 { // cost the same time as a wrong password
			if _, err := a.hasher.Verify(ctx, "", in.Password); err != nil {
				return "", nil, err
			}
		}
		return "", nil, ErrLogIn
	default:
		return "", nil, ErrTenantNeeded
	}
	return a.openSession(ctx, fit[0], in)
}

// candidates finds the users whom a log-in may mean.
func (a *Archive) candidates(ctx context.Context, in LogIn) ([]catalog.User, error) {
	login := strings.ToLower(strings.TrimSpace(in.Login))
	if strings.ContainsRune(login, 0) {
		return nil, nil // nobody's, and no text for PostgreSQL
	}
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	var out []catalog.User
	add := func(u catalog.User) {
		for _, o := range out {
			if o.ID == u.ID {
				return
			}
		}
		if len(out) < maxCandidates {
			out = append(out, u)
		}
	}
	named, err := a.catalog.UsersByLogin(ctx, login)
	if err != nil {
		return nil, err
	}
	for _, u := range named { // first: however many users have the login, an operator can log in
		if u.Tenant.IsZero() && means(tenants, u, in) {
			add(*u)
		}
	}
	if strings.Contains(login, "@") {
		users, err := a.catalog.UsersByAddress(ctx, message.NormalizeAddress(login))
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			if means(tenants, u, in) {
				add(*u)
			}
		}
	}
	for _, u := range named {
		if means(tenants, u, in) {
			add(*u)
		}
	}
	return out, nil
}

// means reports whether a log-in may be that of u.
func means(tenants []*catalog.Tenant, u *catalog.User, in LogIn) bool {
	slug := strings.ToLower(strings.TrimSpace(in.Tenant))
	if u.Tenant.IsZero() { // an operator
		return in.Operator || slug == ""
	}
	for _, t := range tenants {
		if t.ID == u.Tenant {
			return !in.Operator && t.State != catalog.TenantSuspended && (slug == "" || t.Slug == slug)
		}
	}
	return false
}

func (a *Archive) openSession(ctx context.Context, u catalog.User, in LogIn) (string, *Account, error) {
	b := make([]byte, 32)
	rand.Read(b)
	token := base64.RawURLEncoding.EncodeToString(b)
	now := a.now().UTC().Truncate(time.Millisecond)
	s := &catalog.Session{TokenHash: sha256.Sum256([]byte(token)), User: u.ID, Tenant: u.Tenant, CreatedAt: now, SeenAt: now,
		ExpiresAt: now.Add(sessionIdle), Peer: in.Peer, UserAgent: clip(in.UserAgent, 200)}
	if err := a.catalog.CreateSession(ctx, s); err != nil {
		return "", nil, err
	}
	acc, err := a.account(ctx, s, in.Peer)
	if err != nil {
		return "", nil, err
	}
	e := &catalog.Event{At: now, Actor: "user:" + u.ID.String(), Action: "session.opened", Object: u.ID.String(), Details: map[string]string{"peer": in.Peer}}
	return token, acc, a.catalog.AppendEvents(ctx, u.Tenant, []*catalog.Event{e})
}

func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// Session returns the account of an open session and extends it. ErrNoSession
// if there is none or the user may no longer log in.
func (a *Archive) Session(ctx context.Context, token, peer string) (*Account, error) {
	s, err := a.catalog.Session(ctx, sha256.Sum256([]byte(token)))
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, err
	}
	now := a.now().UTC()
	if !now.Before(s.ExpiresAt) || now.Sub(s.CreatedAt) > sessionMax {
		return nil, ErrNoSession
	}
	if now.Sub(s.SeenAt) > sessionTouch {
		s.SeenAt, s.ExpiresAt = now.Truncate(time.Millisecond), now.Add(sessionIdle).Truncate(time.Millisecond)
		if err := a.catalog.TouchSession(ctx, s.TokenHash, s.SeenAt, s.ExpiresAt); err != nil {
			return nil, err
		}
	}
	return a.account(ctx, s, peer)
}

func (a *Archive) account(ctx context.Context, s *catalog.Session, peer string) (*Account, error) {
	u, err := a.catalog.User(ctx, s.Tenant, s.User)
	if errors.Is(err, catalog.ErrNotFound) || err == nil && u.Disabled {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, err
	}
	if u.Tenant.IsZero() {
		return a.ofInstance(s, u, peer)
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
	return &Account{User: *u, Tenant: *t, ExpiresAt: s.ExpiresAt,
		Actor: access.Actor{Tenant: u.Tenant, User: u.ID, Role: role, Addresses: rules.mailboxAddresses(u.Addresses), Peer: peer}}, nil
}

// LogOut ends a session; ending none is no error.
func (a *Archive) LogOut(ctx context.Context, token string) error {
	return a.catalog.DeleteSession(ctx, sha256.Sum256([]byte(token)))
}

// SetLanguage sets the actor's language: "de", "en" or "" for the browser's.
func (h *Handle) SetLanguage(ctx context.Context, lang string) error {
	if lang != "" && lang != "de" && lang != "en" {
		return fmt.Errorf("language %q: want de, en or nothing", lang)
	}
	u, err := h.a.catalog.User(ctx, h.actor.Tenant, h.actor.User)
	if err != nil {
		return err
	}
	u.Language = lang
	return h.a.catalog.UpdateUser(ctx, u)
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
