package archive

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// ErrLink is returned for a one-time link that is none any more: used, replaced,
// expired, or never one.
var ErrLink = errors.New("the link is not valid any more")

// Invitation is a one-time link that somebody was given.
type Invitation struct {
	Purpose   string
	ExpiresAt time.Time
	MailedTo  string // empty: nobody was, for want of a smarthost or of an address
	// URL is the link. Whoever sees it can become the user: it is shown only if nobody
	// was mailed, or to whoever has just made the user.
	URL string
	// Fresh says that the user has no password yet.
	Fresh bool
}

// WelcomeUser mails a user of the actor's tenant a link to set a password with: a
// welcome to a user without one, else like a forgotten password. If it cannot be
// mailed, the invitation has the link; also if show is set and the user has no
// password yet. catalog.ErrNotFound.
func (h *Handle) WelcomeUser(ctx context.Context, user uid.ID, show bool) (*Invitation, error) {
	u, err := h.managed(ctx, user)
	if err != nil {
		return nil, err
	}
	i, err := h.a.invite(ctx, u, purposeFor(u), h.event)
	if err != nil {
		return nil, err
	}
	return i.shown(show), nil
}

// Welcome is WelcomeUser for those who act for others than the actor's tenant, and have
// checked that the actor may: whoever provisions a tenant.
func (a *Archive) Welcome(ctx context.Context, by access.Actor, u *catalog.User, show bool) (*Invitation, error) {
	i, err := a.invite(ctx, u, purposeFor(u), a.As(by).event)
	if err != nil {
		return nil, err
	}
	return i.shown(show), nil
}

// Invite makes a link and mails nothing, for the operator on the command line.
func (a *Archive) Invite(ctx context.Context, u *catalog.User) (*Invitation, error) {
	return a.makeLink(ctx, u, purposeFor(u), a.cliEvent)
}

// shown leaves the link out where nobody is to see it.
func (i *Invitation) shown(show bool) *Invitation {
	if i.MailedTo != "" && (!show || !i.Fresh) {
		i.URL = ""
	}
	return i
}

func purposeFor(u *catalog.User) string {
	if u.PasswordHash == "" {
		return catalog.LinkWelcome
	}
	return catalog.LinkReset
}

// managed returns a user whom the actor administers.
func (h *Handle) managed(ctx context.Context, user uid.ID) (*catalog.User, error) {
	if err := h.actor.Check(access.ManageUsers); err != nil {
		return nil, err
	}
	return h.a.catalog.User(ctx, h.actor.Tenant, user)
}

// invite makes a link and mails it.
func (a *Archive) invite(ctx context.Context, u *catalog.User, purpose string, act describeAct) (*Invitation, error) {
	i, err := a.makeLink(ctx, u, purpose, act)
	if err != nil {
		return nil, err
	}
	kind := letterWelcome
	if purpose == catalog.LinkReset {
		kind = letterReset
	}
	err = a.writeTo(ctx, u, kind, letterFacts{URL: i.URL, Until: i.ExpiresAt})
	switch {
	case err == nil:
		i.MailedTo = mailbox(u)
	case !errors.Is(err, ErrNoSmarthost) && !errors.Is(err, errNoAddress):
		return nil, err
	}
	return i, nil
}

func (a *Archive) makeLink(ctx context.Context, u *catalog.User, purpose string, act describeAct) (*Invitation, error) {
	if u.Disabled {
		return nil, invalid("user %q: is disabled; enable it first", u.Login)
	}
	if err := a.ownPassword(ctx, u); err != nil {
		return nil, err
	}
	life := a.times.Welcome
	if purpose == catalog.LinkReset {
		life = a.times.Reset
	}
	token, _ := newToken()
	return a.linkWith(ctx, u, purpose, token, life, act)
}

// linkWith makes a link with a token.
func (a *Archive) linkWith(ctx context.Context, u *catalog.User, purpose, token string, life time.Duration, act describeAct) (*Invitation, error) {
	hash := sha256.Sum256([]byte(token))
	now := a.now().UTC().Truncate(time.Millisecond)
	l := &catalog.Link{TokenHash: hash, User: u.ID, Tenant: u.Tenant, Purpose: purpose, CreatedAt: now, ExpiresAt: now.Add(life)}
	e := act("user.link-made", u.ID.String(), map[string]string{"purpose": purpose, "until": l.ExpiresAt.Format(time.RFC3339)})
	if err := a.catalog.SetLink(ctx, l, e); err != nil {
		return nil, err
	}
	return &Invitation{Purpose: purpose, ExpiresAt: l.ExpiresAt, URL: a.linkURL(token), Fresh: u.PasswordHash == ""}, nil
}

// orderLink returns the link by which a user whom an order has made logs in first, and
// mails it once. The same order gets the same link, as often as it comes, until it is
// used or has expired. Empty: the user has a password, or has logged in without one, by
// a directory.
func (a *Archive) orderLink(ctx context.Context, u *catalog.User, act describeAct) (string, error) {
	if u.PasswordHash != "" || !u.LoggedInAt.IsZero() || !mayLogIn(u, a.now()) {
		return "", nil
	}
	if origins, err := a.catalog.OriginsOf(ctx, u.Tenant, u.ID); err != nil || len(origins) > 0 { // bound to a directory meanwhile
		return "", err
	}
	tag, err := a.vault.InstanceTag("order link", u.ID.String())
	if err != nil {
		return "", err
	}
	token := base64.RawURLEncoding.EncodeToString(tag)
	l, err := a.catalog.Link(ctx, sha256.Sum256([]byte(token)))
	if err == nil && a.now().Before(l.ExpiresAt) {
		return a.linkURL(token), nil
	}
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return "", err
	}
	i, err := a.linkWith(ctx, u, catalog.LinkWelcome, token, a.times.Welcome, act)
	if err != nil {
		return "", err
	}
	a.tell(ctx, u, letterWelcome, letterFacts{URL: i.URL, Until: i.ExpiresAt})
	return i.URL, nil
}

// linkURL is where a link leads. What follows # never leaves the browser: not in
// requests, logs or the field Referer.
func (a *Archive) linkURL(token string) string { return a.URL() + "/link#" + token }

// LinkView is what the holder of a link may know.
type LinkView struct {
	Purpose   string
	User      catalog.User
	Tenant    *catalog.Tenant // nil: an operator
	ExpiresAt time.Time
}

// Link looks at a link and does nothing with it. ErrLink.
func (a *Archive) Link(ctx context.Context, token string) (*LinkView, error) {
	l, err := a.catalog.Link(ctx, sha256.Sum256([]byte(token)))
	if errors.Is(err, catalog.ErrNotFound) || err == nil && !a.now().Before(l.ExpiresAt) {
		return nil, ErrLink
	}
	if err != nil {
		return nil, err
	}
	u, err := a.catalog.User(ctx, l.Tenant, l.User)
	if errors.Is(err, catalog.ErrNotFound) || err == nil && !mayLogIn(u, a.now()) {
		return nil, ErrLink
	}
	if err != nil {
		return nil, err
	}
	v := &LinkView{Purpose: l.Purpose, User: *u, ExpiresAt: l.ExpiresAt}
	if !u.Tenant.IsZero() {
		if v.Tenant, err = a.catalog.Tenant(ctx, u.Tenant); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// UseLink sets the password of the user whom a link is for. All links and sessions of
// the user end. It opens no session: a second factor is asked for at the log-in.
// ErrLink, ErrInvalid (the password is none).
func (a *Archive) UseLink(ctx context.Context, token, plain, peer string) (*LinkView, error) {
	v, err := a.Link(ctx, token)
	if err != nil {
		return nil, err
	}
	hash, err := a.newPassword(ctx, &v.User, plain)
	if err != nil {
		return nil, err
	}
	now := a.now().UTC()
	e := &catalog.Event{At: now, Actor: "user:" + v.User.ID.String(), Action: "user.password-set", Object: v.User.ID.String(),
		Details: map[string]string{"peer": peer, "by": v.Purpose + "-link"}}
	err = a.setHash(ctx, &v.User, catalog.PasswordChange{Tenant: v.User.Tenant, User: v.User.ID, Hash: hash,
		Link: sha256.Sum256([]byte(token)), At: now, Events: []*catalog.Event{e}})
	if errors.Is(err, catalog.ErrNotFound) { // somebody else was faster
		return nil, ErrLink
	}
	if err != nil {
		return nil, err
	}
	if v.Purpose != catalog.LinkWelcome {
		a.tell(ctx, &v.User, letterPassword, letterFacts{Peer: peer})
	}
	return v, nil
}

// Forgot mails those whom a log-in may mean a link to set a new password with. Who has
// no password, or no address, gets none, and nobody too often. The caller tells
// nobody what came of it, nor how long it took.
func (a *Archive) Forgot(ctx context.Context, in LogIn) error {
	c, err := a.candidates(ctx, in)
	if err != nil {
		return err
	}
	var errs []error
	for _, u := range c.users {
		if !mayLogIn(&u, a.now()) || u.PasswordHash == "" || mailbox(&u) == "" {
			continue
		}
		if _, err := a.Smarthost(ctx, u.Tenant); err != nil {
			a.log.Warn("a user has forgotten the password, and no mail can leave", "user", u.ID, "error", err)
			continue
		}
		if a.guesses.take(guessKey{text: "reset " + u.ID.String()}, resetMails) > 0 {
			continue
		}
		act := func(action, object string, d map[string]string) *catalog.Event {
			d["peer"] = in.Peer
			return &catalog.Event{At: a.now().UTC(), Actor: "anybody", Action: action, Object: object, Details: d}
		}
		_, err := a.invite(ctx, &u, catalog.LinkReset, act)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
