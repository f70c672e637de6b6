package archive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// What follows belongs to the installation, not to a tenant. Its acts are in the
// event log of the installation, which is that of the zero tenant.

// cliActor is who acts on the command line.
const cliActor = "cli"

// event describes an act of the actor for the log of the installation.
func (h *Handle) event(action, object string, details map[string]string) *catalog.Event {
	e := &catalog.Event{At: h.a.now().UTC(), Actor: h.who(), Action: action, Object: object, Details: maps.Clone(details)}
	if h.actor.Peer != "" {
		if e.Details == nil {
			e.Details = map[string]string{}
		}
		e.Details["peer"] = h.actor.Peer
	}
	return e
}

// cliEvent describes an act on the command line.
func (a *Archive) cliEvent(action, object string, details map[string]string) *catalog.Event {
	return &catalog.Event{At: a.now().UTC(), Actor: cliActor, Action: action, Object: object, Details: details}
}

// InstanceEvents returns at most limit events of the installation with Seq >= from,
// ascending.
func (a *Archive) InstanceEvents(ctx context.Context, from int64, limit int) ([]*catalog.Event, error) {
	return a.catalog.Events(ctx, uid.ID{}, from, limit)
}

// CreateOperator makes a user who runs the installation. Tenant, Role and Addresses
// of n are not looked at: an operator belongs to no tenant and sees nobody's mail.
// catalog.ErrTaken if another operator has the login.
func (a *Archive) CreateOperator(ctx context.Context, n NewUser) (*catalog.User, error) {
	login := normalLogin(n.Login)
	if !loginForm.MatchString(login) {
		return nil, invalid("login %q: want up to 128 letters, digits and . _ @ + -, starting with a letter or digit", n.Login)
	}
	if !n.Demo {
		if err := a.checkOperatorPassword(login, n.Name, n.Password); err != nil {
			return nil, err
		}
	}
	if err := checkName(n.Name); err != nil {
		return nil, err
	}
	hash, err := a.hasher.Hash(ctx, n.Password)
	if err != nil {
		return nil, err
	}
	if n.Name == "" {
		n.Name = login
	}
	now := a.now().UTC().Truncate(time.Millisecond)
	u := &catalog.User{ID: uid.New(now), Login: login, Name: n.Name, Role: string(access.RoleOperator), PasswordHash: hash, Language: n.Language, CreatedAt: now}
	if err := a.catalog.CreateUser(ctx, u, a.cliEvent("operator.created", u.ID.String(), userDetails(nil, u))); err != nil {
		return nil, err
	}
	return u, nil
}

// ErrFounded is returned when the first operator is to be made and there is one.
var ErrFounded = errors.New("the installation has an operator already")

// CreateFirstOperator is CreateOperator as long as there is none, disabled ones
// included; else it returns ErrFounded. It is for the first start.
func (a *Archive) CreateFirstOperator(ctx context.Context, n NewUser) (*catalog.User, error) {
	a.founding.Lock()
	defer a.founding.Unlock()
	if there, err := a.HasOperator(ctx); err != nil {
		return nil, err
	} else if there {
		return nil, ErrFounded
	}
	return a.CreateOperator(ctx, n)
}

// HasOperator reports whether there is an operator, in whatever state.
func (a *Archive) HasOperator(ctx context.Context) (bool, error) {
	list, err := a.Operators(ctx)
	if len(list) > 0 || len(rowErrors(err)) > 0 {
		return true, nil
	}
	return false, err
}

// Operators lists those who run the installation.
func (a *Archive) Operators(ctx context.Context) ([]*catalog.User, error) {
	list, err := a.catalog.Users(ctx, uid.ID{})
	return slices.DeleteFunc(list, func(u *catalog.User) bool { return u.Role != string(access.RoleOperator) }), err
}

// Operator finds an operator by login. catalog.ErrNotFound.
func (a *Archive) Operator(ctx context.Context, login string) (*catalog.User, error) {
	u, err := a.User(ctx, uid.ID{}, login)
	if err == nil && u.Role != string(access.RoleOperator) {
		return nil, fmt.Errorf("operator %q: %w", login, catalog.ErrNotFound)
	}
	return u, err
}

// ofInstance is the account of somebody who has no tenant: an operator, or one of a
// reseller's staff.
func (a *Archive) ofInstance(ctx context.Context, s *catalog.Session, u *catalog.User, peer string) (*Account, error) {
	acc := &Account{User: *u, ExpiresAt: s.ExpiresAt, Session: *s, Actor: access.Actor{User: u.ID, Role: access.Role(u.Role), Peer: peer}}
	switch acc.Actor.Role {
	case access.RoleOperator:
		return acc, nil
	case access.RoleReseller:
		var err error
		acc.Actor.Reseller, err = a.catalog.ResellerOf(ctx, u.ID)
		return acc, err
	}
	return nil, fmt.Errorf("user %s: %w", u.ID, errors.New("belongs to no tenant and is no operator"))
}
