package archive_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/setting"
	"github.com/muniment/muniment/internal/uid"
)

// fakeDirectories are directories whose answers tests choose.
type fakeDirectories struct {
	mu        sync.Mutex
	people    []directory.Person
	shared    []directory.Shared
	passwords map[string]string // by external id
	down      bool
	asked     int
	identity  *directory.Identity
	secret    string // that came last
}

var errDown = directory.Fail(remote.CodeConnect, errors.New("refused"))

func (f *fakeDirectories) Test(_ context.Context, _ directory.Settings, secret []byte) directory.Finding {
	f.secret = string(secret)
	return directory.Finding{OK: true, People: len(f.people)}
}

func (f *fakeDirectories) Read(_ context.Context, _ directory.Settings, secret []byte) (*directory.Snapshot, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secret = string(secret)
	if f.down {
		return nil, errDown
	}
	return &directory.Snapshot{People: append([]directory.Person{}, f.people...), Shared: f.shared}, nil
}

func (f *fakeDirectories) Verify(_ context.Context, _ directory.Settings, _ []byte, external, password string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if f.down {
		return errDown
	}
	if want, ok := f.passwords[external]; !ok || password == "" || want != password {
		return directory.ErrPassword
	}
	return nil
}

func (f *fakeDirectories) Begin(context.Context, directory.Settings, []byte) (string, directory.Flow, error) {
	return "https://provider.example", directory.Flow{State: "s"}, nil
}

func (f *fakeDirectories) Finish(_ context.Context, _ directory.Settings, _ []byte, flow directory.Flow, answer url.Values) (*directory.Identity, error) {
	if answer.Get("state") != flow.State {
		return nil, directory.Fail(directory.CodeState, errors.New("state"))
	}
	return f.identity, nil
}

const localPassword = "a local password 17"

// company is an archive with a tenant, its domain, and an administrator of its own.
type company struct {
	*archivetest.Env
	fake   *fakeDirectories
	tenant uid.ID
	dirs   *archive.TenantDirectories
	now    time.Time
}

func newCompany(t *testing.T) *company {
	t.Helper()
	c := &company{fake: &fakeDirectories{passwords: map[string]string{}}, now: time.Now()}
	c.Env = archivetest.New(t, archivetest.Options{Directories: c.fake, Now: func() time.Time { return c.now }})
	c.tenant = must(c.CreateTenant(t.Context(), archive.NewTenant{Slug: "firma"}))(t).ID
	must(c.AddDomain(t.Context(), c.tenant, "firma.example", ""))(t)
	must(c.CreateUser(t.Context(), archive.NewUser{Tenant: c.tenant, Login: "admin", Role: access.RoleTenantAdmin, Password: localPassword, Addresses: []string{"admin@firma.example"}}))(t)
	c.dirs = c.DirectoriesOf(c.tenant)
	return c
}

func ldapDraft() archive.DirectoryDraft {
	return archive.DirectoryDraft{Name: "AD", Secret: []byte("reader"), Settings: directory.Settings{LDAP: &directory.LDAP{Flavour: directory.FlavourAD, Host: "dc.firma.example",
		TLS: remote.Implicit, BindDN: "reader@firma.example", BaseDN: "dc=firma,dc=example"}}}
}

func (c *company) person(id, login string, addresses ...string) directory.Person {
	c.fake.passwords[id] = "password of " + id
	return directory.Person{ID: id, Login: login, Name: "Name of " + id, Addresses: addresses}
}

func (c *company) logIn(t *testing.T, login, password string) (string, error) {
	t.Helper()
	token, _, err := c.LogIn(t.Context(), archive.LogIn{Login: login, Password: password, Tenant: "firma"})
	return token, err
}

func (c *company) actions(t *testing.T) (out []string) {
	t.Helper()
	for _, e := range must(c.Catalog.Events(t.Context(), c.tenant, 0, 1000))(t) {
		out = append(out, e.Action)
		for k, v := range e.Details {
			if strings.Contains(v, "reader\"") && k != "after.settings" && k != "before.settings" || v == "reader" {
				t.Errorf("event %s tells the secret", e.Action)
			}
		}
	}
	return out
}

// TestDirectorySync goes through the life of users who come from a directory.
func TestDirectorySync(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	d := must(c.dirs.Create(ctx, ldapDraft()))(t)
	c.fake.people = []directory.Person{c.person("1", "Anna", "Anna@Firma.example", "anna@private.example"), c.person("2", "bert", "bert@firma.example"), c.person("3", "admin", "x@firma.example")}
	c.fake.shared = []directory.Shared{{Addresses: []string{"info@firma.example"}, Members: []string{"1"}}}

	plan := must(c.dirs.Preview(ctx, d.ID))(t)
	if diff := cmp.Diff(map[string]int{directory.New: 2, directory.Matched: 1}, plan.Counts); diff != "" {
		t.Error(diff)
	}
	if users := must(c.Users(ctx, c.tenant))(t); len(users) != 1 {
		t.Error("a preview has changed something")
	}
	if c.SyncDirectories(ctx); len(must(c.Users(ctx, c.tenant))(t)) != 1 {
		t.Error("the clockwork has begun by itself")
	}
	must(c.dirs.Sync(ctx, d.ID, plan.Digest))(t)
	if c.fake.secret != "reader" {
		t.Errorf("asked with the secret %q", c.fake.secret)
	}
	anna := must(c.Archive.User(ctx, c.tenant, "anna"))(t)
	if diff := cmp.Diff([]string{"anna@firma.example", "info@firma.example"}, anna.Addresses); diff != "" || anna.Role != "user" || anna.Name != "Name of 1" {
		t.Error(diff, anna)
	}
	token, err := c.logIn(t, "anna@firma.example", "password of 1")
	if err != nil {
		t.Fatal(err)
	}

	// Renamed, and out of the group; bert is gone. By the clock, an hour later.
	c.fake.people, c.fake.shared = []directory.Person{c.person("1", "anna.b", "anna@firma.example"), c.person("4", "carl", "carl@firma.example"), c.person("5", "dora", "dora@firma.example"),
		c.person("6", "emil", "emil@firma.example"), c.person("7", "fritz", "fritz@firma.example")}, nil
	if c.SyncDirectories(ctx); len(must(c.Users(ctx, c.tenant))(t)) != 3 {
		t.Error("the clockwork was too early")
	}
	c.now = c.now.Add(61 * time.Minute)
	c.SyncDirectories(ctx)
	next := must(c.Archive.User(ctx, c.tenant, "anna.b"))(t)
	if next.ID != anna.ID || len(next.Addresses) != 1 {
		t.Errorf("renamed: %+v", next)
	}
	if _, err := c.Session(ctx, token, ""); err != nil {
		t.Errorf("the session of who was renamed: %v", err)
	}
	if bert := must(c.Archive.User(ctx, c.tenant, "bert"))(t); !bert.Disabled {
		t.Error("bert is gone and may log in")
	}
	if _, err := c.logIn(t, "bert", "password of 2"); !errors.Is(err, archive.ErrLogIn) {
		t.Error(err)
	}

	// Disabled there: the session ends. Enabled again: back.
	c.fake.people[0].Disabled = true
	must(c.dirs.Sync(ctx, d.ID, ""))(t)
	if _, err := c.Session(ctx, token, ""); !errors.Is(err, archive.ErrNoSession) {
		t.Errorf("the session of who was disabled: %v", err)
	}
	c.fake.people[0].Disabled = false
	must(c.dirs.Sync(ctx, d.ID, ""))(t)
	if _, err := c.logIn(t, "anna.b", "password of 1"); err != nil {
		t.Error(err)
	}

	// Nearly all gone: somebody has to look.
	all := c.fake.people
	c.fake.people = all[:1]
	if _, err := c.dirs.Sync(ctx, d.ID, ""); directory.Code(err) != directory.CodeGuard {
		t.Errorf("four of five would be disabled: %v", err)
	}
	if v := must(c.dirs.Get(ctx, d.ID))(t); v.State.Problem == nil || v.State.Problem.Code != directory.CodeGuard || v.Users != 6 {
		t.Errorf("%+v", v.State)
	}
	plan = must(c.dirs.Preview(ctx, d.ID))(t)
	c.fake.people = all[:2]
	if _, err := c.dirs.Sync(ctx, d.ID, plan.Digest); directory.Code(err) != directory.CodePlan {
		t.Errorf("another plan than the one that was seen: %v", err)
	}
	must(c.dirs.Sync(ctx, d.ID, must(c.dirs.Preview(ctx, d.ID))(t).Digest))(t)
	if u := must(c.Archive.User(ctx, c.tenant, "fritz"))(t); !u.Disabled {
		t.Error("who has looked is not heard")
	}
	findings(t, c.Env, nil)
	got := map[string]int{}
	for _, a := range c.actions(t) {
		got[a]++
	}
	if got["user.created"] < 6 || got["user.changed"] < 7 || got["directory.created"] != 1 || got["directory.synchronised"] != 5 {
		t.Errorf("events: %v", got)
	}
}

// TestDirectoryDown: users of a directory that is down cannot log in and learn why;
// everybody else can.
func TestDirectoryDown(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	d := must(c.dirs.Create(ctx, ldapDraft()))(t)
	c.fake.people = []directory.Person{c.person("1", "anna", "anna@firma.example")}
	must(c.dirs.Sync(ctx, d.ID, ""))(t)
	for name, x := range map[string]struct {
		login, password string
		down            bool
		want            error
	}{
		"anna":              {"anna", "password of 1", false, nil},
		"by address":        {"anna@firma.example", "password of 1", false, nil},
		"wrong":             {"anna", "wrong", false, archive.ErrLogIn},
		"empty":             {"anna", "", false, archive.ErrLogIn},
		"down":              {"anna", "password of 1", true, archive.ErrDirectory},
		"down and wrong":    {"anna", "wrong", true, archive.ErrDirectory},
		"down, local":       {"admin", localPassword, true, nil},
		"down, local wrong": {"admin", "wrong", true, archive.ErrLogIn},
		"down, nobody":      {"nobody", "x", true, archive.ErrLogIn},
	} {
		c.fake.down = x.down
		asked := c.fake.asked
		_, err := c.logIn(t, x.login, x.password)
		if !errors.Is(err, x.want) {
			t.Errorf("%s: %v", name, err)
		}
		if (x.login == "admin" || x.password == "") && c.fake.asked != asked {
			t.Errorf("%s: the directory was asked", name)
		}
	}
	c.fake.down = true
	c.now = c.now.Add(2 * time.Hour)
	c.SyncDirectories(ctx)
	if v := must(c.dirs.Get(ctx, d.ID))(t); v.State.Problem == nil || v.State.Problem.Code != remote.CodeConnect || v.State.LastOKAt == nil {
		t.Errorf("%+v", v.State)
	}
	if u := must(c.Archive.User(ctx, c.tenant, "anna"))(t); u.Disabled {
		t.Error("a directory that is down has disabled somebody")
	}
	// Switched off, or removed: nobody from there logs in, and nobody is deleted.
	c.fake.down = false
	draft := ldapDraft()
	draft.Secret, draft.Disabled = nil, true
	must(c.dirs.Change(ctx, d.ID, draft))(t)
	if _, err := c.logIn(t, "anna", "password of 1"); !errors.Is(err, archive.ErrLogIn) {
		t.Error(err)
	}
	if err := c.dirs.Remove(ctx, d.ID); err != nil {
		t.Fatal(err)
	}
	must(c.Archive.User(ctx, c.tenant, "anna"))(t)
	findings(t, c.Env, nil)
}

// TestDirectorySecret: the stored secret goes to the server it was given for only.
func TestDirectorySecret(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	d := must(c.dirs.Create(ctx, ldapDraft()))(t)
	same := ldapDraft()
	same.Secret = nil
	same.Settings.LDAP.BaseDN = "dc=other"
	must(c.dirs.Test(ctx, d.ID, same))(t)
	if c.fake.secret != "reader" {
		t.Errorf("tested with %q", c.fake.secret)
	}
	for name, change := range map[string]func(*directory.LDAP){
		"host": func(l *directory.LDAP) { l.Host = "evil.example" }, "port": func(l *directory.LDAP) { l.Port = 1 }, "user": func(l *directory.LDAP) { l.BindDN = "x" },
		"no TLS": func(l *directory.LDAP) { l.TLS = remote.NoTLS }, "CA": func(l *directory.LDAP) { l.Pin = strings.Repeat("ab", 32) },
	} {
		draft := ldapDraft()
		draft.Secret = nil
		change(draft.Settings.LDAP)
		var field *setting.Error
		if _, err := c.dirs.Test(ctx, d.ID, draft); !errors.As(err, &field) || field.Field != "secret" {
			t.Errorf("test with another %s: %v", name, err)
		}
		if _, err := c.dirs.Change(ctx, d.ID, draft); !errors.As(err, &field) || field.Field != "secret" {
			t.Errorf("change of %s: %v", name, err)
		}
	}
	bad := ldapDraft()
	bad.Settings.Roles = []directory.RoleRule{{Group: "cn=x", Role: "operator"}, {Group: "cn=y", Role: "reseller"}}
	if _, err := c.dirs.Create(ctx, bad); err == nil {
		t.Error("a group gives the role operator")
	}
	for _, role := range access.Roles() {
		actor := access.Actor{Tenant: c.tenant, User: uid.New(time.Now()), Role: role}
		if role == access.RoleOperator {
			actor.Tenant = uid.ID{}
		}
		if _, err := c.As(actor).Directories(); (err == nil) != (role == access.RoleTenantAdmin) {
			t.Errorf("%s: %v", role, err)
		}
	}
}
