package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// fitted is what came of asking whom a password belongs to.
type fitted struct {
	users []catalog.User
	// down are those whose directory cannot be asked; with nobody it is that of somebody
	// who is no user yet.
	down map[uid.ID]bool
}

// refusal says why nobody is let in.
func (f *fitted) refusal(users []catalog.User, more bool) error {
	down, others := f.down[uid.ID{}], false
	for _, u := range users {
		down, others = down || f.down[u.ID], others || !f.down[u.ID]
	}
	switch {
	case down && others:
		return fmt.Errorf("%w: %w", ErrDirectory, ErrLogIn)
	case down:
		return ErrDirectory
	case more: // it may be right for somebody who was not tried, but counts as a guess
		return fmt.Errorf("%w: %w", ErrTenantNeeded, ErrLogIn)
	}
	return ErrLogIn
}

// fitting finds those of the users whom a password lets in: local ones by their own,
// others by the directories they come from. It costs one hash for each, and one if there
// is nobody: an unknown user takes the time of a wrong password.
//
// A password goes to a directory only if it is no local user's, and nobody of another
// tenant may have typed it: a directory is its tenant's, who may read what it is asked.
// ErrTenantNeeded and ErrLogIn say that it went nowhere.
func (a *Archive) fitting(ctx context.Context, c *candidates, users []catalog.User, in LogIn) (*fitted, error) {
	out := &fitted{down: map[uid.ID]bool{}}
	if len(users) == 0 {
		if _, err := a.hasher.Verify(ctx, "", in.Password); err != nil {
			return nil, err
		}
	}
	for _, u := range users {
		ok, err := a.hasher.Verify(ctx, u.PasswordHash, in.Password)
		if err != nil {
			return nil, err
		}
		if ok && mayLogIn(&u, a.now()) {
			out.users = append(out.users, u)
		}
	}
	if len(out.users) > 0 {
		return out, nil
	}
	asked, err := a.ofOneTenant(ctx, c, users, in)
	if err != nil {
		return nil, err
	}
	if err := a.askAll(ctx, asked, in, out); err != nil || len(out.users) > 0 || len(users) < len(c.users) {
		return out, err
	}
	u, down, err := a.byMailServer(ctx, users, in)
	if u != nil {
		out.users = append(out.users, *u)
	} else if down {
		out.down[uid.ID{}] = len(users) == 0
		for _, u := range users {
			out.down[u.ID] = out.down[u.ID] || u.PasswordHash == ""
		}
	}
	return out, err
}

// askAll has the directories that users come from check the password.
func (a *Archive) askAll(ctx context.Context, users []catalog.User, in LogIn, out *fitted) error {
	for _, u := range users {
		if u.PasswordHash != "" || !mayLogIn(&u, a.now()) {
			continue
		}
		ok, down, err := a.askedElsewhere(ctx, &u, in.Password)
		if err != nil {
			return err
		}
		if ok {
			out.users = append(out.users, u)
		}
		out.down[u.ID] = down
	}
	return nil
}

// ofOneTenant returns those of the users whose directories may be asked: all, if all who
// may be meant are of one tenant, or those of the tenant whose domain the address is in.
// ErrTenantNeeded and ErrLogIn if one would have to be asked and another tenant's user, or
// somebody above the tenants, may be meant.
func (a *Archive) ofOneTenant(ctx context.Context, c *candidates, users []catalog.User, in LogIn) ([]catalog.User, error) {
	// Whoever owns the address may not be a user yet: somebody of another tenant who has it
	// as user name is not meant, unless that tenant is named.
	if address := addressOf(in.Login); strings.Contains(address, "@") && strings.TrimSpace(in.Tenant) == "" {
		owner, err := a.ownerOf(ctx, address)
		if err != nil {
			return nil, err
		}
		if !owner.IsZero() {
			return slices.DeleteFunc(slices.Clone(users), func(u catalog.User) bool { return u.Tenant != owner }), nil
		}
	}
	if !c.more && !slices.ContainsFunc(c.users, func(u catalog.User) bool { return u.Tenant != c.users[0].Tenant }) {
		return users, nil
	}
	for _, u := range users {
		if u.PasswordHash != "" || u.Tenant.IsZero() || !mayLogIn(&u, a.now()) {
			continue
		}
		origins, err := a.catalog.OriginsOf(ctx, u.Tenant, u.ID)
		if err != nil {
			return nil, err
		}
		if len(origins) > 0 {
			return nil, fmt.Errorf("%w: %w", ErrTenantNeeded, ErrLogIn)
		}
	}
	return nil, nil
}

// askedElsewhere has the directories that a user comes from check a password. An empty
// one goes nowhere.
func (a *Archive) askedElsewhere(ctx context.Context, u *catalog.User, password string) (ok, down bool, err error) {
	if u.Tenant.IsZero() || password == "" {
		return false, false, nil
	}
	origins, err := a.catalog.OriginsOf(ctx, u.Tenant, u.ID)
	if err != nil {
		return false, false, err
	}
	for _, o := range origins {
		row, err := a.catalog.Directory(ctx, u.Tenant, o.Directory)
		if err != nil {
			return false, false, err
		}
		if row.Disabled || row.Kind == directory.KindOIDC {
			continue
		}
		ok, off, err := a.asked(ctx, row, o.External, password)
		if err != nil || ok {
			return ok, false, err
		}
		down = down || off
	}
	return false, down, nil
}

// asked has one directory check a password.
func (a *Archive) asked(ctx context.Context, row *catalog.Directory, external, password string) (ok, down bool, err error) {
	view, err := viewDirectory(row)
	if err != nil {
		return false, false, err
	}
	secret, err := a.openDirectory(row)
	if err != nil {
		return false, false, err
	}
	if a.directories == nil {
		return false, true, nil
	}
	err = a.directories.Verify(ctx, view.Settings, secret, external, password)
	if directory.Down(err) {
		a.log.Error("a directory cannot check a password", "tenant", row.Tenant, "directory", row.ID, "code", directory.Code(err), "error", err)
		return false, true, nil
	}
	return err == nil, false, nil
}

// byMailServer lets those in whom nobody else knows, if a mail server of their tenant
// takes their address and password. The first time, the user is bound to that server, or
// made. Users with a password or a directory of their own never get in this way.
func (a *Archive) byMailServer(ctx context.Context, users []catalog.User, in LogIn) (_ *catalog.User, down bool, err error) {
	address := addressOf(in.Login)
	if !strings.Contains(address, "@") || in.Password == "" || in.Operator || strings.ContainsRune(address, 0) {
		return nil, false, nil
	}
	rows, err := a.catalog.DirectoriesOfAll(ctx, directory.KindIMAP)
	if err != nil || len(rows) == 0 {
		return nil, false, err
	}
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, row := range rows {
		if row.Disabled || !means(tenants, &catalog.User{Tenant: row.Tenant}, in) {
			continue
		}
		user, ask, err := a.mailUser(ctx, row, users, address)
		if err != nil {
			return nil, false, err
		}
		if !ask {
			continue
		}
		ok, off, err := a.asked(ctx, row, address, in.Password)
		if err != nil {
			return nil, false, err
		}
		down = down || off
		if ok {
			u, err := a.bindUser(ctx, row, user, directory.Identity{Email: address}, address, in.Peer)
			if directory.Code(err) == directory.CodeUnknown && !errors.Is(err, ErrTenantEnded) {
				a.log.Error("a mail server lets somebody in who cannot be made a user", "tenant", row.Tenant, "directory", row.ID, "error", err)
				return nil, false, nil
			}
			return u, false, err
		}
	}
	return nil, down, nil
}

// mailUser reports whether a mail server may be asked about an address, and which user
// it is; nil: one that would be made.
func (a *Archive) mailUser(ctx context.Context, row *catalog.Directory, users []catalog.User, address string) (_ *catalog.User, ask bool, err error) {
	view, err := viewDirectory(row)
	if err != nil {
		return nil, false, err
	}
	set := view.Settings.IMAP
	rules, err := a.routing(ctx, row.Tenant)
	if err != nil || !rules.ours(address) || rules.proven != nil && !rules.proven[message.DomainOf(address)] || !set.Serves(message.DomainOf(address)) {
		return nil, false, err
	}
	if rules.ambiguous(set) {
		a.log.Error("a mail server that knows people by what is before the @ is not asked: several domains are not told apart; name the domain that it serves", "tenant", row.Tenant, "directory", row.ID)
		return nil, false, nil
	}
	var mine []catalog.User
	for _, u := range users {
		if u.Tenant == row.Tenant {
			mine = append(mine, u)
		}
	}
	if len(mine) == 0 {
		return nil, set.Create, nil
	}
	if len(mine) > 1 || mine[0].PasswordHash != "" || !mayLogIn(&mine[0], a.now()) {
		return nil, false, nil
	}
	origins, err := a.catalog.OriginsOf(ctx, row.Tenant, mine[0].ID)
	return &mine[0], err == nil && len(origins) == 0, err
}

// ambiguous reports whether a mail server knows people by what is before the @, and would
// be asked about more than one domain: then one mailbox would let in two people. Alias
// domains are no others.
func (r *routing) ambiguous(set *directory.IMAP) bool {
	if set.User != directory.UserLocal {
		return false
	}
	mains := map[string]bool{}
	for domain, main := range r.domains {
		if set.Serves(domain) {
			mains[main] = true
		}
	}
	return len(mains) > 1
}

// loginOf makes a user name of an address: characters that no user name has are replaced.
func loginOf(address string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Ll, unicode.N) || strings.ContainsRune("._@+-", r) {
			return r
		}
		return '-'
	}, strings.ToLower(address))
}

// nameAs gives a user the names of an identity, as far as it has any.
func nameAs(u *catalog.User, who directory.Identity) {
	if first, last := plainName(who.First), plainName(who.Last); first != "" || last != "" {
		u.FirstName, u.LastName = first, last
	}
	if name := plainName(who.Name); name != "" {
		u.Name = name
	} else if who.First != "" || who.Last != "" {
		u.Name = displayName(u)
	}
}

// bindUser makes a user of somebody whom a directory has let in, or binds the one who
// is there already to the directory. No other settings of it change, but the role, if
// identity has one.
func (a *Archive) bindUser(ctx context.Context, row *catalog.Directory, u *catalog.User, who directory.Identity, external, peer string) (*catalog.User, error) {
	now := a.now().UTC().Truncate(time.Millisecond)
	x := catalog.UserChange{Before: u}
	action, details := "user.bound", map[string]string{"directory": row.Name, "peer": peer}
	if u == nil {
		if err := a.Takes(ctx, row.Tenant); err != nil {
			return nil, directory.Fail(directory.CodeUnknown, err)
		}
		action = "user.created"
		login := loginOf(who.Email)
		if !loginForm.MatchString(login) {
			return nil, directory.Fail(directory.CodeUnknown, invalid("the address %.100q cannot be a user name", login))
		}
		x.After = &catalog.User{ID: uid.New(now), Tenant: row.Tenant, Login: login, Name: login, Role: string(access.RoleUser), CreatedAt: now, Addresses: []string{who.Email}}
		nameAs(x.After, who)
		addUser(details, "after.", x.After, nil)
	} else {
		x.After = u
	}
	origin, err := json.Marshal(directory.Origin{External: external})
	if err != nil {
		return nil, err
	}
	x.Origin = &catalog.Origin{User: x.After.ID, Tenant: row.Tenant, Directory: row.ID, External: external, Details: origin}
	e := &catalog.Event{At: now, Actor: "user:" + x.After.ID.String(), Action: action, Object: x.After.ID.String(), Details: details}
	err = a.catalog.ApplyUserChanges(ctx, row.Tenant, []catalog.UserChange{x}, e)
	if errors.Is(err, catalog.ErrTaken) {
		return nil, directory.Fail(directory.CodeUnknown, err)
	}
	return x.After, err
}
