package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// ErrSyncing is returned when a directory is being synchronised already.
var ErrSyncing = errors.New("the directory is being synchronised already")

// syncTime bounds a synchronisation that the clockwork has begun.
const syncTime = 15 * time.Minute

// Preview tells what a synchronisation would change, and changes nothing. Errors of the
// directory have a code (directory.Code).
func (t *TenantDirectories) Preview(ctx context.Context, id uid.ID) (*directory.Plan, error) {
	row, err := t.a.catalog.Directory(ctx, t.tenant, id)
	if err != nil {
		return nil, err
	}
	p, _, err := t.plan(ctx, row)
	return p, err
}

// Sync reads the directory and does what the plan says, all or nothing. With digest, it
// is done only if it is the plan of that preview, however many it disables; without, a
// plan whose Guard is set is not done: an error of code directory.CodeGuard.
//
// decisions say who of those who match a user here is the same: only those are adopted,
// of the preview that digest names. *directory.DecisionErrors joined.
func (t *TenantDirectories) Sync(ctx context.Context, id uid.ID, digest string, decisions ...directory.Decision) (*directory.Plan, error) {
	if digest == "" && len(decisions) > 0 {
		return nil, invalid("who is the same can be decided of a preview only: its digest is needed")
	}
	row, err := t.a.catalog.Directory(ctx, t.tenant, id)
	if err != nil {
		return nil, err
	}
	if _, busy := t.a.syncing.LoadOrStore(id, true); busy {
		return nil, ErrSyncing
	}
	defer t.a.syncing.Delete(id)
	p, err := t.sync(ctx, row, digest, decisions)
	var undecided *directory.DecisionError
	if errors.As(err, &undecided) {
		return nil, err // a mistake of who asks, and none of the directory
	}
	if errors.Is(err, catalog.ErrChanged) || errors.Is(err, catalog.ErrTaken) {
		err = directory.Fail(directory.CodePlan, err)
	}
	return p, errors.Join(err, t.record(ctx, row, p, err))
}

func (t *TenantDirectories) sync(ctx context.Context, row *catalog.Directory, digest string, decisions []directory.Decision) (*directory.Plan, error) {
	p, before, err := t.plan(ctx, row)
	switch {
	case err != nil:
		return nil, err
	case digest != "" && digest != p.Digest:
		return p, directory.Fail(directory.CodePlan, errors.New("the plan is another one than the one that was looked at"))
	case digest == "" && p.Guard:
		return p, directory.Fail(directory.CodeGuard, fmt.Errorf("%d of %d users would be disabled", p.Counts[directory.Gone]+p.Counts[directory.Disabled], p.Active))
	}
	if err := p.Decide(decisions); err != nil {
		return p, err
	}
	changes, events, err := t.changes(row, p, before)
	if err != nil || len(changes) == 0 {
		return p, err
	}
	return p, t.a.catalog.ApplyUserChanges(ctx, t.tenant, changes, events...)
}

// plan reads the directory and the users.
func (t *TenantDirectories) plan(ctx context.Context, row *catalog.Directory) (*directory.Plan, map[string]*catalog.User, error) {
	view, err := viewDirectory(row)
	if err != nil {
		return nil, nil, err
	}
	if view.Settings.LDAP == nil {
		return nil, nil, invalid("a directory of kind %s has no list of users that could be read", view.Kind)
	}
	secret, err := t.a.openDirectory(row)
	if err != nil {
		return nil, nil, err
	}
	if t.a.directories == nil {
		return nil, nil, ErrDirectory
	}
	snap, err := t.a.directories.Read(ctx, view.Settings, secret)
	if err != nil {
		return nil, nil, directory.Fail(directory.Code(err), err)
	}
	known, before, err := t.known(ctx, row.ID)
	if err != nil {
		return nil, nil, err
	}
	rules, err := t.a.routing(ctx, t.tenant)
	if err != nil {
		return nil, nil, err
	}
	normalise(snap)
	return directory.Make(known, snap, directory.Rules{Roles: len(view.Settings.Roles) > 0, Guard: view.Settings.LDAP.Guard, Usual: string(access.RoleUser), Admin: string(access.RoleTenantAdmin),
		Ours: rules.mayOwn, Main: rules.mainAddress, Login: loginForm.MatchString}), before, nil
}

// mayOwn reports whether users of the tenant may have an address: one in its domains, or
// while it has none, one in no other tenant's.
func (r *routing) mayOwn(address string) bool {
	if _, err := Addresses([]string{address}); err != nil {
		return false
	}
	if len(r.domains) == 0 {
		_, owned := r.owners[message.DomainOf(address)]
		return !owned
	}
	return r.ours(address)
}

// normalise writes addresses and names as the archive compares and shows them.
func normalise(snap *directory.Snapshot) {
	for i := range snap.People {
		p := &snap.People[i]
		p.Addresses = normalAddresses(p.Addresses)
		p.Name, p.First, p.Last = plainName(p.Name), plainName(p.First), plainName(p.Last)
	}
	for i := range snap.Shared {
		snap.Shared[i].Addresses = normalAddresses(snap.Shared[i].Addresses)
	}
}

// plainName makes a name of a directory one that a user can have; empty if it cannot.
func plainName(s string) string {
	s = strings.Join(strings.Fields(clip(s, maxName)), " ")
	if checkName(s) != nil {
		return ""
	}
	return s
}

func normalAddresses(list []string) (out []string) {
	for _, a := range list {
		if n := message.NormalizeAddress(a); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// known returns the users of the tenant as a plan needs them, and by their id. One
// whose row is damaged ends it: it would be taken for somebody who is not there.
func (t *TenantDirectories) known(ctx context.Context, dir uid.ID) ([]directory.Known, map[string]*catalog.User, error) {
	users, err := t.a.catalog.Users(ctx, t.tenant)
	if err != nil {
		return nil, nil, err
	}
	origins, err := t.a.catalog.Origins(ctx, t.tenant)
	if err != nil {
		return nil, nil, err
	}
	read, err := t.readDirectories(ctx)
	if err != nil {
		return nil, nil, err
	}
	from, elsewhere := map[uid.ID]*directory.Origin{}, map[uid.ID]bool{}
	for _, o := range origins {
		if o.Directory != dir {
			elsewhere[o.User] = elsewhere[o.User] || read[o.Directory]
			continue
		}
		var origin directory.Origin
		if err := json.Unmarshal(o.Details, &origin); err != nil {
			return nil, nil, fmt.Errorf("origin of user %s: %w", o.User, err)
		}
		from[o.User] = &origin
	}
	byID := make(map[string]*catalog.User, len(users))
	known := make([]directory.Known, 0, len(users))
	for _, u := range users {
		byID[u.ID.String()] = u
		known = append(known, directory.Known{Origin: from[u.ID], Elsewhere: elsewhere[u.ID], Password: u.PasswordHash != "", Expires: !u.ExpiresAt.IsZero(),
			User: directory.User{ID: u.ID.String(), Login: u.Login, Name: u.Name, First: u.FirstName, Last: u.LastName, Role: u.Role, Addresses: u.Addresses, Disabled: u.Disabled}})
	}
	return known, byID, nil
}

// readDirectories are those of the tenant whose users are read.
func (t *TenantDirectories) readDirectories(ctx context.Context) (map[uid.ID]bool, error) {
	rows, err := t.a.catalog.Directories(ctx, t.tenant)
	if err != nil {
		return nil, err
	}
	out := map[uid.ID]bool{}
	for _, r := range rows {
		out[r.ID] = r.Kind == directory.KindLDAP
	}
	return out, nil
}

// changes turns a plan into rows and events.
func (t *TenantDirectories) changes(row *catalog.Directory, p *directory.Plan, before map[string]*catalog.User) ([]catalog.UserChange, []*catalog.Event, error) {
	now := t.a.now().UTC().Truncate(time.Millisecond)
	var list []catalog.UserChange
	var events []*catalog.Event
	for _, c := range p.Changes {
		if c.After == nil || c.Kind == directory.Matched {
			continue
		}
		var x catalog.UserChange
		if c.Before == nil {
			x.After = &catalog.User{ID: uid.New(now), Tenant: t.tenant, CreatedAt: now}
		} else {
			x.Before = before[c.Before.ID]
			after := *x.Before
			x.After = &after
		}
		fillUser(x.After, c.After)
		x.EndSessions = c.After.Disabled
		if c.Kind == directory.Adopted { // from now on the directory checks the password
			x.After.PasswordHash, x.EndSessions = "", true
		}
		details, err := json.Marshal(c.Origin)
		if err != nil {
			return nil, nil, err
		}
		x.Origin = &catalog.Origin{User: x.After.ID, Tenant: t.tenant, Directory: row.ID, External: c.Origin.External, Details: details}
		list = append(list, x)
		events = append(events, t.userEvent(row, x, c.Kind))
	}
	if len(list) == 0 {
		return nil, nil, nil
	}
	counts := map[string]string{}
	for kind, n := range p.Counts {
		counts[kind] = fmt.Sprint(n)
	}
	return list, append(events, t.act("directory.synchronised", row.ID.String(), counts)), nil
}

// fillUser gives a user what a directory says of it.
func fillUser(u *catalog.User, from *directory.User) {
	u.Login, u.Name, u.FirstName, u.LastName = from.Login, from.Name, from.First, from.Last
	u.Role, u.Addresses, u.Disabled = from.Role, from.Addresses, from.Disabled
}

// userEvent tells what became of a user by a directory.
func (t *TenantDirectories) userEvent(row *catalog.Directory, x catalog.UserChange, kind string) *catalog.Event {
	details := map[string]string{"directory": row.Name, "kind": kind}
	action := "user.created"
	if x.Before != nil {
		action = "user.changed"
		if kind == directory.Adopted {
			action = "user.adopted"
			details["role"] = x.Before.Role
		}
		if x.Before.PasswordHash != x.After.PasswordHash {
			details["password"] = "ended"
		}
		addUser(details, "before.", x.Before, x.After)
	}
	addUser(details, "after.", x.After, x.Before)
	return t.act(action, x.After.ID.String(), details)
}

// addUser writes what of a user is not the same as of another one as details of an
// event.
func addUser(details map[string]string, prefix string, u, other *catalog.User) {
	describe := func(u *catalog.User) map[string]string {
		return map[string]string{"login": u.Login, "name": u.Name, "first_name": u.FirstName, "last_name": u.LastName, "role": u.Role, "addresses": strings.Join(u.Addresses, " "), "disabled": fmt.Sprint(u.Disabled)}
	}
	mine, theirs := describe(u), map[string]string{}
	if other != nil {
		theirs = describe(other)
	}
	for _, k := range slices.Sorted(maps.Keys(mine)) {
		if mine[k] != theirs[k] {
			details[prefix+k] = mine[k]
		}
	}
}

// record stores how a synchronisation has ended.
func (t *TenantDirectories) record(ctx context.Context, row *catalog.Directory, p *directory.Plan, failure error) error {
	states, err := t.states(ctx)
	if err != nil {
		return err
	}
	now := t.a.now().UTC().Truncate(time.Second)
	s := states[row.ID]
	s.LastAt, s.Problem = &now, nil
	if p != nil {
		s.People, s.Counts = p.Same, p.Counts
		for kind, n := range p.Counts {
			if kind != directory.Gone {
				s.People += n
			}
		}
	}
	if failure != nil {
		s.Problem = directory.Explain(failure, "", nil)
	} else {
		s.LastOKAt = &now
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return t.a.catalog.SetDirectoryState(context.WithoutCancel(ctx), &catalog.DirectoryState{Directory: row.ID, Tenant: t.tenant, State: b})
}

// SyncDirectories synchronises all directories of all tenants that are due, one after
// the other. What fails is logged and recorded and keeps none of the others.
func (a *Archive) SyncDirectories(ctx context.Context) {
	rows, err := a.catalog.DirectoriesOfAll(ctx, directory.KindLDAP)
	if err != nil {
		a.log.Error("directories cannot be listed", "error", err)
	}
	for _, row := range rows {
		if ctx.Err() != nil {
			return
		}
		t := &TenantDirectories{a, row.Tenant, a.clockEvent}
		if due, err := t.due(ctx, row); err != nil || !due {
			if err != nil {
				a.log.Error("directory cannot be synchronised", "tenant", row.Tenant, "directory", row.ID, "error", err)
			}
			continue
		}
		limited, done := context.WithTimeout(ctx, syncTime)
		p, err := t.Sync(limited, row.ID, "")
		done()
		if err != nil {
			a.log.Warn("directory cannot be synchronised", "tenant", row.Tenant, "directory", row.ID, "code", directory.Code(err), "error", err)
		} else if len(p.Counts) > 0 {
			a.log.Info("directory synchronised", "tenant", row.Tenant, "directory", row.ID, "changes", p.Counts)
		}
	}
}

// due reports whether a directory is to be synchronised now.
func (t *TenantDirectories) due(ctx context.Context, row *catalog.Directory) (bool, error) {
	view, err := viewDirectory(row)
	if err != nil || row.Disabled || view.Settings.Every() == 0 {
		return false, err
	}
	tenant, err := t.a.catalog.Tenant(ctx, t.tenant)
	if err != nil || tenant.State != catalog.TenantActive {
		return false, err
	}
	states, err := t.states(ctx)
	if err != nil {
		return false, err
	}
	last := states[row.ID].LastAt
	// The first one is begun by somebody who has seen its preview.
	return last != nil && !t.a.now().Before(last.Add(view.Settings.Every())), nil
}

// clockEvent describes an act that nobody has begun.
func (a *Archive) clockEvent(action, object string, details map[string]string) *catalog.Event {
	return &catalog.Event{At: a.now().UTC(), Actor: "clock", Action: action, Object: object, Details: details}
}
