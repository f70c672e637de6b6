package catalogtest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func directoryOf(tenant uid.ID, name string) *catalog.Directory {
	return &catalog.Directory{ID: uid.New(at(0)), Tenant: tenant, Kind: "ldap", Name: name, Settings: []byte(`{"ldap":{}}`), Secret: []byte{1, 2}, Position: 1, CreatedAt: at(3)}
}

func originOf(u *catalog.User, d *catalog.Directory, external string) *catalog.Origin {
	return &catalog.Origin{User: u.ID, Tenant: u.Tenant, Directory: d.ID, External: external, Details: []byte(`{"given":["a@x.example"]}`)}
}

func testDirectories(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	first, second1, theirs := directoryOf(tenant, "first"), directoryOf(tenant, "second"), directoryOf(other, "first")
	first.Position, first.Secret = 2, nil
	for i, d := range []*catalog.Directory{first, second1, theirs} {
		must(t, e.CreateDirectory(ctx, d, events(i, 1)[0]))
	}
	mustBe(t, "the same name", e.CreateDirectory(ctx, directoryOf(tenant, "first")), catalog.ErrTaken)
	mustBe(t, "no tenant", e.CreateDirectory(ctx, directoryOf(uid.New(at(0)), "x")), catalog.ErrNotFound)
	mustBe(t, "no name", e.CreateDirectory(ctx, directoryOf(tenant, "")), catalog.ErrInvalid)
	same(t, "list", got(e.Directories(ctx, tenant))(t), []*catalog.Directory{second1, first})
	same(t, "one", got(e.Directory(ctx, tenant, first.ID))(t), first)
	mustBe(t, "across the wall", second(e.Directory(ctx, other, first.ID)), catalog.ErrNotFound)
	if n := len(got(e.DirectoriesOfAll(ctx, "ldap"))(t)); n != 3 {
		t.Errorf("%d of all tenants", n)
	}
	if n := len(got(e.DirectoriesOfAll(ctx, "oidc"))(t)); n != 0 {
		t.Errorf("%d of another kind", n)
	}

	changed := *first
	changed.Name, changed.Disabled, changed.Settings, changed.Secret = "new", true, []byte(`{"imap":{}}`), []byte{9}
	must(t, e.UpdateDirectory(ctx, &changed, events(3, 1)[0]))
	same(t, "changed", got(e.Directory(ctx, tenant, first.ID))(t), &changed)
	changed.Name = "second"
	mustBe(t, "another's name", e.UpdateDirectory(ctx, &changed), catalog.ErrTaken)
	changed.Tenant = other
	mustBe(t, "change across the wall", e.UpdateDirectory(ctx, &changed), catalog.ErrNotFound)

	state := &catalog.DirectoryState{Directory: first.ID, Tenant: tenant, State: []byte(`{"x":1}`)}
	must(t, e.SetDirectoryState(ctx, state))
	must(t, e.SetDirectoryState(ctx, state))
	same(t, "states", got(e.DirectoryStates(ctx, tenant))(t), []*catalog.DirectoryState{state})
	mustBe(t, "state across the wall", e.SetDirectoryState(ctx, &catalog.DirectoryState{Directory: first.ID, Tenant: other}), catalog.ErrNotFound)

	anna := e.user(t, tenant, "anna", "anna@example.com")
	must(t, e.ApplyUserChanges(ctx, tenant, []catalog.UserChange{{Before: anna, After: anna, Origin: originOf(anna, first, "x")}}))
	must(t, e.CreateSession(ctx, &catalog.Session{TokenHash: [32]byte{1}, User: anna.ID, Tenant: tenant, ExpiresAt: at(9)}))
	mustBe(t, "delete across the wall", e.DeleteDirectory(ctx, other, first.ID), catalog.ErrNotFound)
	must(t, second(e.Session(ctx, [32]byte{1})))
	must(t, e.DeleteDirectory(ctx, tenant, first.ID, events(4, 1)[0]))
	mustBe(t, "deleted", second(e.Directory(ctx, tenant, first.ID)), catalog.ErrNotFound)
	same(t, "its origin", got(e.OriginsOf(ctx, tenant, anna.ID))(t), nil)
	mustBe(t, "its session", second(e.Session(ctx, [32]byte{1})), catalog.ErrNotFound)
	must(t, second(e.User(ctx, tenant, anna.ID)))
	if n := e.counts(t, tenant).Events; n != 4 {
		t.Errorf("%d events, want 4", n)
	}
}

// testLinksOfChanged: one-time links end with the password and with the sessions of who
// had them, and no others.
func testLinksOfChanged(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	d := directoryOf(tenant, "d")
	must(t, e.CreateDirectory(ctx, d))
	links := func(u *catalog.User) (n int) { return len(got(e.Links(ctx, u.Tenant, u.ID))(t)) }
	users := map[string]*catalog.User{}
	for i, name := range []string{"adopted", "ended", "renamed", "invited", "untouched", "theirs"} {
		of := tenant
		if name == "theirs" {
			of = other
		}
		u := &catalog.User{ID: uid.New(at(i)), Tenant: of, Login: name, Name: name, Role: "user", PasswordHash: "hash", CreatedAt: at(1), Addresses: []string{name + "@example.com"}}
		if name == "invited" {
			u.PasswordHash = ""
		}
		must(t, e.CreateUser(ctx, u))
		for k, purpose := range []string{catalog.LinkReset, catalog.LinkWelcome} {
			must(t, e.SetLink(ctx, &catalog.Link{TokenHash: [32]byte{byte(i), byte(k), 1}, User: u.ID, Tenant: of, Purpose: purpose, CreatedAt: at(7), ExpiresAt: at(9)}))
		}
		users[name] = u
	}
	change := func(name string, with func(*catalog.UserChange)) catalog.UserChange {
		after := *users[name]
		x := catalog.UserChange{Before: users[name], After: &after, Origin: originOf(users[name], d, name)}
		with(&x)
		return x
	}
	list := []catalog.UserChange{
		change("adopted", func(x *catalog.UserChange) { x.After.PasswordHash = "" }),
		change("ended", func(x *catalog.UserChange) { x.After.Disabled, x.EndSessions = true, true }),
		change("renamed", func(x *catalog.UserChange) { x.After.Login = "another" }),
		change("invited", func(x *catalog.UserChange) { x.After.Name = "Another" }),
	}
	stale := slices.Clone(list)
	stale[3].Before = users["untouched"]
	mustBe(t, "one of them is another user", e.ApplyUserChanges(ctx, tenant, stale), catalog.ErrChanged)
	if n := links(users["adopted"]); n != 2 {
		t.Errorf("a refused change has left %d links of 2", n)
	}
	must(t, e.ApplyUserChanges(ctx, tenant, list))
	for name, want := range map[string]int{"adopted": 0, "ended": 0, "renamed": 2, "invited": 2, "untouched": 2, "theirs": 2} {
		if n := links(users[name]); n != want {
			t.Errorf("%s: %d links, want %d", name, n, want)
		}
	}
}

func testUserChanges(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	d := directoryOf(tenant, "d")
	must(t, e.CreateDirectory(ctx, d))
	var list []catalog.UserChange
	for i := range 700 {
		u := &catalog.User{ID: uid.New(at(i)), Tenant: tenant, Login: fmt.Sprintf("u%d", i), Name: "x", Role: "user", CreatedAt: at(1), Addresses: []string{fmt.Sprintf("u%d@example.com", i), "all@example.com"}}
		list = append(list, catalog.UserChange{After: u, Origin: originOf(u, d, fmt.Sprintf("x%d", i))})
	}
	must(t, e.ApplyUserChanges(ctx, tenant, list, events(0, 2)...))
	if n := len(got(e.Users(ctx, tenant))(t)); n != 700 {
		t.Fatalf("%d users", n)
	}
	if n := len(got(e.Origins(ctx, tenant))(t)); n != 700 {
		t.Fatalf("%d origins", n)
	}
	first := list[0].After
	same(t, "user", got(e.User(ctx, tenant, first.ID))(t), first)
	same(t, "origin", got(e.OriginOfExternal(ctx, tenant, d.ID, "x0"))(t), list[0].Origin)
	same(t, "across the wall", got(e.OriginsOf(ctx, other, first.ID))(t), nil)
	also := directoryOf(tenant, "also")
	must(t, e.CreateDirectory(ctx, also))
	must(t, e.ApplyUserChanges(ctx, tenant, []catalog.UserChange{{Before: first, After: first, Origin: originOf(first, also, "y")}}))
	if list := got(e.OriginsOf(ctx, tenant, first.ID))(t); len(list) != 2 {
		t.Errorf("in two directories: %v", list)
	}
	mustBe(t, "nobody", second(e.OriginOfExternal(ctx, tenant, d.ID, "x")), catalog.ErrNotFound)

	must(t, e.CreateSession(ctx, &catalog.Session{TokenHash: [32]byte{1}, User: first.ID, Tenant: tenant, ExpiresAt: at(9)}))
	next := *first
	next.Login, next.Disabled, next.Addresses = "renamed", true, []string{"renamed@example.com"}
	change := catalog.UserChange{Before: first, After: &next, Origin: originOf(&next, d, "x0"), EndSessions: true}
	// Somebody who logs in meanwhile is still the same, and has logged in.
	must(t, e.CreateSession(ctx, &catalog.Session{TokenHash: [32]byte{2}, User: first.ID, Tenant: tenant, Stage: catalog.StageFull, CreatedAt: at(5), ExpiresAt: at(9)}))
	must(t, e.ApplyUserChanges(ctx, tenant, []catalog.UserChange{change}, events(2, 1)...))
	if !next.LoggedInAt.IsZero() {
		t.Error("what was handed over has changed")
	}
	next.LoggedInAt = at(5)
	same(t, "renamed", got(e.UserByLogin(ctx, tenant, "renamed"))(t), &next)
	mustBe(t, "its session", second(e.Session(ctx, [32]byte{1})), catalog.ErrNotFound)
	mustBe(t, "its full session", second(e.Session(ctx, [32]byte{2})), catalog.ErrNotFound)
	mustBe(t, "somebody was quicker", e.ApplyUserChanges(ctx, tenant, []catalog.UserChange{change}, events(3, 1)...), catalog.ErrChanged)

	// All or nothing: the second has a name that is taken.
	a, b := *list[1].After, *list[2].After
	a.Name, b.Login = "y", "renamed"
	mustBe(t, "a name that is taken", e.ApplyUserChanges(ctx, tenant, []catalog.UserChange{{Before: list[1].After, After: &a, Origin: list[1].Origin},
		{Before: list[2].After, After: &b, Origin: list[2].Origin}}, events(4, 1)...), catalog.ErrTaken)
	same(t, "the first of both", got(e.User(ctx, tenant, a.ID))(t), list[1].After)
	mustBe(t, "another tenant's user", e.ApplyUserChanges(ctx, other, list[:1]), catalog.ErrInvalid)
	mustBe(t, "another user's origin", e.ApplyUserChanges(ctx, tenant, []catalog.UserChange{{After: first, Origin: list[1].Origin}}), catalog.ErrInvalid)
	if n := e.counts(t, tenant).Events; n != 3 {
		t.Errorf("%d events, want 3", n)
	}
}
