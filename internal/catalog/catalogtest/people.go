package catalogtest

import (
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func testTenants(t *testing.T, e *env) {
	ctx := t.Context()
	if list := got(e.Tenants(ctx))(t); len(list) != 0 {
		t.Errorf("a fresh catalog has tenants: %v", list)
	}
	b := &catalog.Tenant{ID: uid.New(at(0)), Slug: "b", Name: "Bäckerei „B“", Zone: "Europe/Berlin", State: catalog.TenantActive, CreatedAt: at(0)}
	a := &catalog.Tenant{ID: uid.New(at(1)), Slug: "a", Name: "A", Zone: "UTC", State: catalog.TenantSuspended, CreatedAt: at(1)}
	must(t, e.CreateTenant(ctx, b))
	must(t, e.CreateTenant(ctx, a))
	same(t, "list", got(e.Tenants(ctx))(t), []*catalog.Tenant{a, b})
	same(t, "by id", got(e.Tenant(ctx, b.ID))(t), b)
	same(t, "by slug", got(e.TenantBySlug(ctx, "a"))(t), a)

	other := *a
	other.ID = uid.New(at(2))
	mustBe(t, "slug in use", e.CreateTenant(ctx, &other), catalog.ErrTaken)
	other.Slug = ""
	mustBe(t, "no slug", e.CreateTenant(ctx, &other), catalog.ErrInvalid)
	mustBe(t, "no id", e.CreateTenant(ctx, &catalog.Tenant{Slug: "c"}), catalog.ErrInvalid)
	same(t, "list after refusals", got(e.Tenants(ctx))(t), []*catalog.Tenant{a, b})

	renamed := *a
	renamed.Name, renamed.Zone, renamed.State = "Another", "America/New_York", catalog.TenantEnded
	attempt := renamed
	attempt.Slug, attempt.CreatedAt = "c", at(9)
	must(t, e.UpdateTenant(ctx, &attempt))
	same(t, "renamed: slug and time of creation stay", got(e.Tenant(ctx, a.ID))(t), &renamed)
	mustBe(t, "update of none", e.UpdateTenant(ctx, &other), catalog.ErrNotFound)
	_, err := e.Tenant(ctx, other.ID)
	mustBe(t, "tenant of none", err, catalog.ErrNotFound)
	_, err = e.TenantBySlug(ctx, "A")
	mustBe(t, "slugs are as they were written", err, catalog.ErrNotFound)
}

func testUsers(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	anna := e.user(t, tenant, "anna", "anna@example.com", "info@example.com")
	bernd := e.user(t, tenant, "bernd")
	e.user(t, other, "anna", "anna@example.com")
	same(t, "list", got(e.Users(ctx, tenant))(t), []*catalog.User{anna, bernd})
	same(t, "by id", got(e.User(ctx, tenant, anna.ID))(t), anna)
	same(t, "by login", got(e.UserByLogin(ctx, tenant, "bernd"))(t), bernd)

	again := *anna
	again.ID = uid.New(at(5))
	mustBe(t, "login in use", e.CreateUser(ctx, &again), catalog.ErrTaken)
	again.ID, again.Login = anna.ID, "carla"
	mustBe(t, "id in use", e.CreateUser(ctx, &again), catalog.ErrTaken)
	again.ID, again.Tenant = uid.New(at(5)), uid.New(at(5))
	mustBe(t, "tenant of none", e.CreateUser(ctx, &again), catalog.ErrNotFound)
	mustBe(t, "no login", e.CreateUser(ctx, &catalog.User{ID: again.ID, Tenant: tenant}), catalog.ErrInvalid)

	changed := *anna
	changed.Name, changed.Role, changed.PasswordHash, changed.Language, changed.Disabled = "Anna B.", "tenant-admin", "other", "", true
	// Addresses keep their order, and may be given twice.
	changed.Addresses = []string{"z@example.com", "anna@example.com", "z@example.com"}
	attempt := changed
	attempt.Login, attempt.CreatedAt = "renamed", at(9)
	must(t, e.updateUser(ctx, &attempt))
	same(t, "changed: login and time of creation stay", got(e.User(ctx, tenant, anna.ID))(t), &changed)
	changed.Addresses = nil
	must(t, e.updateUser(ctx, &changed))
	same(t, "no addresses", got(e.User(ctx, tenant, anna.ID))(t), &changed)
	changed.Tenant = other
	mustBe(t, "update in another tenant", e.updateUser(ctx, &changed), catalog.ErrNotFound)
	_, err := e.UserByLogin(ctx, tenant, "Anna")
	mustBe(t, "logins are as they were written", err, catalog.ErrNotFound)
}

func testUsersOfAllTenants(t *testing.T, e *env) {
	ctx := t.Context()
	first, second := e.tenant(t, "a"), e.tenant(t, "b")
	if first.Compare(second) > 0 {
		first, second = second, first
	}
	one := e.user(t, first, "anna", "anna@example.com", "shared@example.com")
	two := e.user(t, second, "anna", "shared@example.com")
	operator := e.user(t, uid.ID{}, "root")
	same(t, "by login", got(e.UsersByLogin(ctx, "anna"))(t), []*catalog.User{one, two})
	same(t, "by address", got(e.UsersByAddress(ctx, "shared@example.com"))(t), []*catalog.User{one, two})
	same(t, "by an address of one", got(e.UsersByAddress(ctx, "anna@example.com"))(t), []*catalog.User{one})
	same(t, "operator", got(e.UserByLogin(ctx, uid.ID{}, "root"))(t), operator)
	for _, address := range []string{"", "%", "Anna@example.com", "anna@example.co", "' OR '1'='1"} {
		if list := got(e.UsersByAddress(ctx, address))(t); len(list) != 0 {
			t.Errorf("by address %q: %v", address, list)
		}
	}
	// Composed is how addresses are asked for; how they are stored is what older releases,
	// or a directory, have made of them.
	composed, apart := e.user(t, first, "composed", "b\u00fcro@example.com"), e.user(t, second, "apart", "bu\u0308ro@example.com")
	same(t, "by a composed address", got(e.UsersByAddress(ctx, "b\u00fcro@example.com"))(t), []*catalog.User{composed, apart})
	for _, address := range []string{"buro@example.com", "b\u00fbro@example.com"} {
		if list := got(e.UsersByAddress(ctx, address))(t); len(list) != 0 {
			t.Errorf("by address %q: %v", address, list)
		}
	}
	mustBe(t, "operators' logins are unique", e.CreateUser(ctx, &catalog.User{ID: uid.New(at(0)), Login: "root"}), catalog.ErrTaken)
	// More users than one list of values takes.
	var want []*catalog.User
	for i := range 300 {
		want = append(want, e.user(t, second, "login"+string(rune('a'+i/26))+string(rune('a'+i%26)), "many@example.com"))
	}
	same(t, "by the address of many", got(e.UsersByAddress(ctx, "many@example.com"))(t), want)
}

func testEditUsers(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	anna, bernd := e.user(t, tenant, "anna", "anna@example.com"), e.user(t, tenant, "bernd")
	theirs := e.user(t, other, "anna")
	must(t, e.CreateSession(ctx, &catalog.Session{TokenHash: [32]byte{1}, User: bernd.ID, Tenant: tenant, CreatedAt: at(7), ExpiresAt: at(9)}))
	must(t, e.CreateSession(ctx, &catalog.Session{TokenHash: [32]byte{2}, User: bernd.ID, Tenant: tenant, CreatedAt: at(6), ExpiresAt: at(9)}))
	must(t, e.SetLink(ctx, &catalog.Link{TokenHash: [32]byte{3}, User: bernd.ID, Tenant: tenant, Purpose: catalog.LinkReset, CreatedAt: at(7), ExpiresAt: at(9)}))
	must(t, e.SetLink(ctx, &catalog.Link{TokenHash: [32]byte{4}, User: anna.ID, Tenant: tenant, Purpose: catalog.LinkReset, CreatedAt: at(7), ExpiresAt: at(9)}))
	bernd.LoggedInAt = at(7)
	carla := &catalog.User{ID: uid.New(at(1)), Tenant: tenant, Login: "carla", Name: "Dr. Carla", FirstName: "Carla", LastName: "Cäsar", Role: "user",
		ExpiresAt: at(50), CreatedAt: at(1), Addresses: []string{"carla@example.com"}}
	edit := func(change func(users []*catalog.User) (*catalog.UserEdit, error)) error {
		return e.EditUsers(ctx, tenant, change)
	}
	must(t, edit(func(users []*catalog.User) (*catalog.UserEdit, error) {
		same(t, "handed out", users, []*catalog.User{anna, bernd})
		users[1].Login, users[1].LoggedInAt, users[1].Disabled, users[1].Addresses = "renamed", at(90), true, []string{"b@example.com"}
		return &catalog.UserEdit{Create: []*catalog.User{carla}, Update: users[1:], End: []uid.ID{bernd.ID}, Events: events(0, 2)}, nil
	}))
	bernd.Disabled, bernd.Addresses = true, []string{"b@example.com"}
	want := []*catalog.User{anna, bernd, carla}
	same(t, "changed", got(e.Users(ctx, tenant))(t), want)
	_, err := e.Session(ctx, [32]byte{1})
	mustBe(t, "ended", err, catalog.ErrNotFound)
	_, err = e.Link(ctx, [32]byte{3})
	mustBe(t, "the link of who was ended", err, catalog.ErrNotFound)
	_, err = e.Link(ctx, [32]byte{4})
	mustBe(t, "the link of another user", err, nil)
	if list := got(e.Events(ctx, tenant, 0, 9))(t); len(list) != 2 {
		t.Errorf("%d events, want 2", len(list))
	}

	// All or nothing.
	again := *carla
	again.ID = uid.New(at(2))
	mustBe(t, "login in use", edit(func(users []*catalog.User) (*catalog.UserEdit, error) {
		users[0].Name = "Lost"
		return &catalog.UserEdit{Update: users[:1], Create: []*catalog.User{&again}, Events: events(2, 1)}, nil
	}), catalog.ErrTaken)
	mustBe(t, "another tenant's", edit(func(users []*catalog.User) (*catalog.UserEdit, error) {
		return &catalog.UserEdit{Update: []*catalog.User{users[0], theirs}}, nil
	}), catalog.ErrNotFound)
	mustBe(t, "for another tenant", edit(func([]*catalog.User) (*catalog.UserEdit, error) {
		return &catalog.UserEdit{Create: []*catalog.User{{ID: uid.New(at(3)), Tenant: other, Login: "d"}}}, nil
	}), catalog.ErrInvalid)
	mustBe(t, "tenant of none", e.EditUsers(ctx, uid.New(at(4)), func([]*catalog.User) (*catalog.UserEdit, error) {
		return &catalog.UserEdit{}, nil
	}), catalog.ErrNotFound)
	same(t, "unchanged", got(e.Users(ctx, tenant))(t), want)
	if list := got(e.Events(ctx, tenant, 0, 9))(t); len(list) != 2 {
		t.Errorf("%d events, want 2", len(list))
	}
}

func testSessions(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	anna, bernd := e.user(t, tenant, "anna"), e.user(t, tenant, "bernd")
	session := func(n byte, u *catalog.User) *catalog.Session {
		return &catalog.Session{TokenHash: [32]byte{n}, User: u.ID, Tenant: u.Tenant, CreatedAt: at(0), SeenAt: at(1), ExpiresAt: at(int(n) * 10),
			Peer: "192.0.2.1", UserAgent: "Test/1.0"}
	}
	exists := func(want ...byte) {
		t.Helper()
		for n := byte(1); n <= 5; n++ {
			_, err := e.Session(ctx, [32]byte{n})
			present := false
			for _, w := range want {
				present = present || n == w
			}
			if present {
				must(t, err)
			} else {
				mustBe(t, "ended session", err, catalog.ErrNotFound)
			}
		}
	}
	for n := byte(1); n <= 3; n++ {
		must(t, e.CreateSession(ctx, session(n, anna)))
	}
	must(t, e.CreateSession(ctx, session(4, bernd)))
	must(t, e.CreateSession(ctx, session(5, bernd)))
	same(t, "session", got(e.Session(ctx, [32]byte{2}))(t), session(2, anna))
	mustBe(t, "token in use", e.CreateSession(ctx, session(1, bernd)), catalog.ErrTaken)
	foreign := session(6, anna)
	foreign.Tenant = other
	mustBe(t, "user of another tenant", e.CreateSession(ctx, foreign), catalog.ErrNotFound)

	must(t, e.TouchSession(ctx, [32]byte{2}, at(5), at(100)))
	touched := session(2, anna)
	touched.SeenAt, touched.ExpiresAt = at(5), at(100)
	same(t, "touched", got(e.Session(ctx, [32]byte{2}))(t), touched)
	mustBe(t, "touch of none", e.TouchSession(ctx, [32]byte{9}, at(5), at(100)), catalog.ErrNotFound)

	must(t, e.DeleteExpiredSessions(ctx, at(10).Add(-time.Millisecond)))
	exists(1, 2, 3, 4, 5)
	must(t, e.DeleteExpiredSessions(ctx, at(30))) // session 3 ends at that very moment
	exists(2, 4, 5)
	must(t, e.DeleteSession(ctx, [32]byte{4}))
	must(t, e.DeleteSession(ctx, [32]byte{4}))
	exists(2, 5)
	must(t, e.DeleteSessions(ctx, other, anna.ID))
	exists(2, 5)
	must(t, e.DeleteSessions(ctx, tenant, anna.ID))
	exists(5)
	mustBe(t, "touch of an ended one", e.TouchSession(ctx, [32]byte{2}, at(5), at(100)), catalog.ErrNotFound)
}

func testSources(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	files := e.source(t, tenant, "files")
	journal := &catalog.Source{ID: uid.New(at(0)), Tenant: tenant, Kind: "journal", Name: "files", JournalAddress: "j1@archive.example", CreatedAt: at(1)}
	must(t, e.CreateSource(ctx, journal))
	e.source(t, other, "files")
	e.source(t, other, "more files") // without a journal address, as others
	same(t, "list", got(e.Sources(ctx, tenant))(t), []*catalog.Source{files, journal})
	same(t, "by id", got(e.Source(ctx, tenant, files.ID))(t), files)
	same(t, "by name", got(e.SourceByName(ctx, tenant, "journal", "files"))(t), journal)
	same(t, "by address", got(e.SourceByJournalAddress(ctx, "j1@archive.example"))(t), journal)
	_, err := e.SourceByJournalAddress(ctx, "")
	mustBe(t, "by no address", err, catalog.ErrNotFound)

	again := *journal
	again.ID, again.Tenant = uid.New(at(0)), other
	mustBe(t, "journal address of another tenant", e.CreateSource(ctx, &again), catalog.ErrTaken)
	again.JournalAddress, again.Tenant = "j2@archive.example", tenant
	mustBe(t, "name in use", e.CreateSource(ctx, &again), catalog.ErrTaken)
	again.Tenant = uid.New(at(0))
	mustBe(t, "tenant of none", e.CreateSource(ctx, &again), catalog.ErrNotFound)
	mustBe(t, "no kind", e.CreateSource(ctx, &catalog.Source{ID: again.ID, Tenant: tenant, Name: "x"}), catalog.ErrInvalid)

	changed := *journal
	changed.Name, changed.JournalAddress, changed.Category, changed.Disabled = "new", "j3@archive.example", "invoices", true
	attempt := changed
	attempt.Kind, attempt.CreatedAt = "import", at(9)
	must(t, e.UpdateSource(ctx, &attempt))
	same(t, "changed: kind and time of creation stay", got(e.Source(ctx, tenant, journal.ID))(t), &changed)
	_, err = e.SourceByJournalAddress(ctx, "j1@archive.example")
	mustBe(t, "by the former address", err, catalog.ErrNotFound)
	changed.Tenant = other
	mustBe(t, "update in another tenant", e.UpdateSource(ctx, &changed), catalog.ErrNotFound)
	files.JournalAddress = "j3@archive.example"
	mustBe(t, "update to an address in use", e.UpdateSource(ctx, files), catalog.ErrTaken)
}
