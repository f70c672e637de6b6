package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/password"
	"github.com/muniment/muniment/internal/uid"
)

// UserChange says what of a user changes; nil members stay.
type UserChange struct {
	Name      *string // empty: first and last name, or else the login
	FirstName *string
	LastName  *string
	Role      *access.Role
	Language  *string
	Disabled  *bool // ends all sessions
	// ExpiresOn is the last day of log-ins, as NewUser has it; empty: for ever.
	ExpiresOn *string
	Add       []string // addresses
	Remove    []string // addresses; those that the user has not are no error
	// Shared lets Add be addresses of other users of the tenant as well.
	Shared bool
}

// ChangeUser changes a user of the actor's tenant; the change holds at once, also for
// open sessions. *UserErrors joined, catalog.ErrNotFound.
func (h *Handle) ChangeUser(ctx context.Context, id uid.ID, c UserChange) (*UserView, error) {
	d, err := h.userDesk()
	if err != nil {
		return nil, err
	}
	u, err := d.change(ctx, id, c)
	if err != nil {
		return nil, err
	}
	return d.view(ctx, u)
}

// ChangeUserOf is that of a Handle, for the operator on the command line.
func (a *Archive) ChangeUserOf(ctx context.Context, tenant, id uid.ID, c UserChange) (*UserView, error) {
	d := a.userDesk(tenant)
	u, err := d.change(ctx, id, c)
	if err != nil {
		return nil, err
	}
	return d.view(ctx, u)
}

func (d *userDesk) change(ctx context.Context, id uid.ID, c UserChange) (*catalog.User, error) {
	r, err := d.a.userRules(ctx, d.tenant)
	if err != nil {
		return nil, err
	}
	add, err := r.addresses(c.Add)
	if err != nil {
		return nil, err
	}
	remove, err := Addresses(c.Remove)
	if err != nil {
		return nil, err
	}
	c.Add, c.Remove = add, remove
	return d.editOne(ctx, id, "user.changed", func(users []*catalog.User, u *catalog.User) error { return c.apply(r, users, u) })
}

// editOne changes one user, if anything changes, and ends the sessions of somebody
// who may log in no more or has a new password.
func (d *userDesk) editOne(ctx context.Context, id uid.ID, action string, change func(users []*catalog.User, u *catalog.User) error) (*catalog.User, error) {
	var out *catalog.User
	err := d.edit(ctx, func(users []*catalog.User) (*catalog.UserEdit, error) {
		i := slices.IndexFunc(users, func(u *catalog.User) bool { return u.ID == id })
		if i < 0 {
			return nil, catalog.ErrNotFound
		}
		before, u := users[i], *users[i]
		u.Addresses = slices.Clone(u.Addresses)
		if err := change(users, &u); err != nil {
			return nil, err
		}
		out = &u
		details := userDetails(before, &u)
		if len(details) == 1 { // the login alone: nothing has changed
			return &catalog.UserEdit{}, nil
		}
		e := &catalog.UserEdit{Update: []*catalog.User{&u}, Events: []*catalog.Event{d.act(action, u.ID.String(), details)}}
		if !mayLogIn(&u, d.a.now()) || u.PasswordHash != before.PasswordHash {
			e.End = []uid.ID{u.ID}
		}
		return e, nil
	})
	return out, err
}

// apply changes u, whose addresses in c are normalised.
func (c *UserChange) apply(r *userRules, users []*catalog.User, u *catalog.User) error {
	derived := u.Name == displayName(u) || u.Name == u.Login
	set := func(to, from *string) {
		if from != nil {
			*to = strings.TrimSpace(*from)
		}
	}
	set(&u.FirstName, c.FirstName)
	set(&u.LastName, c.LastName)
	set(&u.Name, c.Name)
	set(&u.Language, c.Language)
	if u.Name == "" || derived && c.Name == nil {
		u.Name = displayName(u)
	}
	if c.Role != nil {
		u.Role = string(*c.Role)
	}
	if c.Disabled != nil {
		u.Disabled = *c.Disabled
	}
	var errs []error
	if c.ExpiresOn != nil {
		var err error
		if u.ExpiresAt, err = r.expiry(*c.ExpiresOn); err != nil {
			errs = append(errs, err)
		}
	}
	u.Addresses = slices.DeleteFunc(u.Addresses, func(s string) bool { return slices.Contains(c.Remove, s) })
	var fresh []string
	for _, s := range c.Add {
		if !slices.Contains(u.Addresses, s) {
			fresh = append(fresh, s)
		}
	}
	u.Addresses = append(u.Addresses, fresh...)
	if !c.Shared {
		errs = append(errs, r.unshared(users, u, fresh))
	}
	return errors.Join(append(errs, manyAddresses(u.Addresses), checkPerson(u))...)
}

// SetUserPassword sets the password of a user of the actor's tenant and ends the
// user's sessions. *UserError, catalog.ErrNotFound.
func (h *Handle) SetUserPassword(ctx context.Context, id uid.ID, plain string) error {
	d, err := h.userDesk()
	if err != nil {
		return err
	}
	u, err := h.a.catalog.User(ctx, d.tenant, id)
	if err != nil {
		return err
	}
	return d.setPassword(ctx, u, plain)
}

func (d *userDesk) setPassword(ctx context.Context, u *catalog.User, plain string) error {
	hash, err := d.a.newPassword(ctx, u, plain)
	if err != nil {
		return err
	}
	err = d.a.setHash(ctx, u, catalog.PasswordChange{Tenant: u.Tenant, User: u.ID, Hash: hash, At: d.a.now(),
		Events: []*catalog.Event{d.act("user.password-set", u.ID.String(), map[string]string{"login": u.Login, "password": "changed"})}})
	if err != nil {
		return err
	}
	u.PasswordHash = hash
	d.a.tell(ctx, u, letterPassword, letterFacts{})
	return nil
}

// errDirectoryPassword is returned for the password of a user whom a directory lets in.
func errDirectoryPassword(login string) error {
	return &UserError{Field: "password", Code: CodeDirectory, Args: map[string]string{"user": login},
		Text: fmt.Sprintf("of user %.80q is checked by the directory that the user comes from, and is set there, not here", login)}
}

// ownPassword returns an error if a directory lets a user in: there must be no second
// way in, which nobody in the directory knows of. Whoever has a password here already
// may have another.
func (a *Archive) ownPassword(ctx context.Context, u *catalog.User) error {
	if u.Tenant.IsZero() || u.PasswordHash != "" {
		return nil
	}
	origins, err := a.catalog.OriginsOf(ctx, u.Tenant, u.ID)
	if err == nil && len(origins) > 0 {
		return errDirectoryPassword(u.Login)
	}
	return err
}

// setHash stores a password; whom a directory has taken meanwhile gets none.
func (a *Archive) setHash(ctx context.Context, u *catalog.User, p catalog.PasswordChange) error {
	err := a.catalog.SetPassword(ctx, p)
	if errors.Is(err, catalog.ErrElsewhere) {
		return errDirectoryPassword(u.Login)
	}
	return err
}

// newPassword checks a new password of a user, or of somebody who belongs to no tenant,
// and returns its hash. *UserError.
func (a *Archive) newPassword(ctx context.Context, u *catalog.User, plain string) (string, error) {
	if err := a.ownPassword(ctx, u); err != nil {
		return "", err
	}
	var t *catalog.Tenant
	if !u.Tenant.IsZero() {
		var err error
		if t, err = a.catalog.Tenant(ctx, u.Tenant); err != nil {
			return "", err
		}
	}
	if err := a.checkPassword(u, t, plain); err != nil {
		return "", err
	}
	return a.hasher.Hash(ctx, plain)
}

// ChangeUser stores what was changed in u but login, tenant, password and times, and
// ends the user's sessions if it may log in no more. It is for operators, and for the
// command line.
func (a *Archive) ChangeUser(ctx context.Context, u *catalog.User) error {
	_, err := a.userDesk(u.Tenant).editOne(ctx, u.ID, "user.changed", func(_ []*catalog.User, x *catalog.User) error {
		hash := x.PasswordHash
		*x = *u
		x.PasswordHash = hash
		return nil
	})
	return err
}

// SetPassword sets a user's password and ends all sessions and one-time links.
// *UserError.
func (a *Archive) SetPassword(ctx context.Context, u *catalog.User, plain string) error {
	return a.userDesk(u.Tenant).setPassword(ctx, u, plain)
}

// checkOperatorPassword checks the password of somebody who belongs to no tenant.
func (a *Archive) checkOperatorPassword(login, name, plain string) error {
	return passwordError(a.passwords.Check(plain, login, name))
}

// CheckPasswordHash reports whether a hash from elsewhere can be taken, as
// password.ErrFormat.
func CheckPasswordHash(phc string) error { return password.CheckHash(phc) }
