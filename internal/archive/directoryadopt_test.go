package archive_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/uid"
)

// match returns what a preview says of somebody of the directory.
func match(t *testing.T, p *directory.Plan, who string) directory.Change {
	t.Helper()
	i := slices.IndexFunc(p.Changes, func(c directory.Change) bool { return c.Who == who })
	if i < 0 {
		t.Fatalf("nothing of %s in %+v", who, p.Changes)
	}
	return p.Changes[i]
}

// TestAdoption: nobody is taken for a user who is here already unless somebody says so;
// who is adopted keeps id, addresses and role, and is let in by the directory alone.
func TestAdoption(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	local := func(login string, role access.Role, addresses ...string) *catalog.User {
		return must(c.CreateUser(ctx, archive.NewUser{Tenant: c.tenant, Login: login, Role: role, Password: localPassword, Addresses: addresses}))(t)
	}
	anna, bert := local("anna", access.RoleUser, "anna@firma.example", "extra@firma.example"), local("bertold", access.RoleAuditor, "bert@firma.example")
	d := must(c.dirs.Create(ctx, ldapDraft()))(t)
	person := c.person("1", "Anna", "a.muster@firma.example")
	person.First, person.Last = "Anna", "Muster"
	c.fake.people = []directory.Person{person, c.person("2", "bert", "bert@firma.example"), c.person("3", "admin", "chef@firma.example"), c.person("4", "carl", "carl@firma.example")}
	token, err := c.logIn(t, "anna", localPassword)
	if err != nil {
		t.Fatal(err)
	}
	must(c.Invite(ctx, anna))(t)

	p := must(c.dirs.Preview(ctx, d.ID))(t)
	if diff := cmp.Diff(map[string]int{directory.Matched: 3, directory.New: 1}, p.Counts); diff != "" {
		t.Fatal(diff)
	}
	if m := match(t, p, "anna").Matches; len(m) != 1 || !m[0].Login || m[0].Higher || !m[0].Password || m[0].After.Last != "Muster" {
		t.Errorf("anna: %+v", m)
	}
	if m := match(t, p, "bert").Matches; len(m) != 1 || m[0].Login || !m[0].Higher || !slices.Equal(m[0].Addresses, []string{"bert@firma.example"}) {
		t.Errorf("bert: %+v", m)
	}
	if m := match(t, p, "admin").Matches; len(m) != 1 || !m[0].Last {
		t.Errorf("admin: %+v", m)
	}

	// What cannot be decided, and is told of the decision; nothing happens.
	for name, x := range map[string]struct {
		decision directory.Decision
		code     string
	}{
		"nobody":            {directory.Decision{Person: "9", User: anna.ID.String()}, directory.DecisionNobody},
		"another":           {directory.Decision{Person: "1", User: bert.ID.String()}, directory.DecisionUser},
		"beside":            {directory.Decision{Person: "1"}, directory.DecisionUser},
		"role not named":    {directory.Decision{Person: "2", User: bert.ID.String()}, directory.DecisionRole},
		"another role":      {directory.Decision{Person: "2", User: bert.ID.String(), Role: "user"}, directory.DecisionRole},
		"the last":          {directory.Decision{Person: "3", User: match(t, p, "admin").Matches[0].User.ID, Role: "tenant-admin"}, directory.DecisionLast},
		"nothing to decide": {directory.Decision{Person: "4"}, directory.DecisionNobody},
	} {
		_, err := c.dirs.Sync(ctx, d.ID, p.Digest, x.decision)
		var wrong *directory.DecisionError
		if !errors.As(err, &wrong) || wrong.Code != x.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.dirs.Sync(ctx, d.ID, "", directory.Decision{Person: "1", User: anna.ID.String()}); !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("decided without a preview: %v", err)
	}
	if _, err := c.Session(ctx, token, ""); err != nil {
		t.Errorf("a refused decision has ended a session: %v", err)
	}

	must(c.dirs.Sync(ctx, d.ID, p.Digest, directory.Decision{Person: "1", User: anna.ID.String()}, directory.Decision{Person: "2", User: bert.ID.String(), Role: "auditor"}))(t)
	got := must(c.Archive.User(ctx, c.tenant, "anna"))(t)
	want := *anna
	want.PasswordHash, want.FirstName, want.LastName, want.Name = "", "Anna", "Muster", "Name of 1"
	want.Addresses = []string{"a.muster@firma.example", "anna@firma.example", "extra@firma.example"}
	want.LoggedInAt = got.LoggedInAt
	if diff := cmp.Diff(&want, got, cmp.Comparer(func(a, b uid.ID) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if got := must(c.Archive.User(ctx, c.tenant, "bert"))(t); got.ID != bert.ID || got.Role != "auditor" {
		t.Errorf("bert: %+v", got)
	}
	if _, err := c.Session(ctx, token, ""); !errors.Is(err, archive.ErrNoSession) {
		t.Errorf("the session of who was adopted: %v", err)
	}
	if links := must(c.Catalog.Links(ctx, c.tenant, anna.ID))(t); len(links) != 0 {
		t.Error("a link for a password is left")
	}
	if _, err := c.logIn(t, "anna", localPassword); !errors.Is(err, archive.ErrLogIn) {
		t.Errorf("the local password: %v", err)
	}
	if _, err := c.logIn(t, "anna", "password of 1"); err != nil {
		t.Errorf("the password of the directory: %v", err)
	}
	if !slices.Contains(c.actions(t), "user.adopted") {
		t.Error("the log does not tell of it")
	}
	// Settled: by the clock nothing more happens, and the administrator stays undecided.
	if p = must(c.dirs.Sync(ctx, d.ID, ""))(t); p.Counts[directory.Matched] != 1 || len(p.Changes) != 1 {
		t.Errorf("%+v", p.Changes)
	}
	if got := must(c.Archive.User(ctx, c.tenant, "admin"))(t); got.PasswordHash == "" {
		t.Error("the administrator was touched")
	}
}

// TestBeside: somebody else may have an address of a user who is here.
func TestBeside(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	must(c.CreateUser(ctx, archive.NewUser{Tenant: c.tenant, Login: "office", Role: access.RoleUser, Password: localPassword, Addresses: []string{"info@firma.example"}}))(t)
	draft := ldapDraft()
	draft.Settings.Roles = []directory.RoleRule{{Group: "cn=x", Role: "auditor"}}
	d := must(c.dirs.Create(ctx, draft))(t)
	c.fake.people = []directory.Person{c.person("1", "dora", "dora@firma.example", "info@firma.example")}
	p := must(c.dirs.Preview(ctx, d.ID))(t)
	if must(c.dirs.Sync(ctx, d.ID, ""))(t); len(must(c.Users(ctx, c.tenant))(t)) != 2 {
		t.Error("the undecided was made")
	}
	must(c.dirs.Sync(ctx, d.ID, p.Digest, directory.Decision{Person: "1"}))(t)
	dora := must(c.Archive.User(ctx, c.tenant, "dora"))(t)
	if office := must(c.Archive.User(ctx, c.tenant, "office"))(t); office.PasswordHash == "" || dora.ID == office.ID || len(dora.Addresses) != 2 {
		t.Errorf("%+v, %+v", dora, office)
	}
}

// TestProviderNames: first and last name come from a provider, and follow it.
func TestProviderNames(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	d := must(c.dirs.Create(ctx, archive.DirectoryDraft{Name: "Entra", Secret: []byte("client"), Settings: directory.Settings{OIDC: &directory.OIDC{Issuer: "https://idp.example", ClientID: "x",
		Redirect: "https://archive.example/auth/oidc/callback", Create: true}}}))(t)
	for _, last := range []string{"Neumann", "Altmann"} {
		c.fake.identity = &directory.Identity{Issuer: "https://idp.example", Subject: "1", Email: "nina@firma.example", Verified: true, First: "Nina", Last: last}
		_, sealed, err := c.BeginLogIn(ctx, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.FinishProviderLogIn(ctx, sealed, map[string][]string{"state": {"s"}}, archive.LogIn{}); err != nil {
			t.Fatal(err)
		}
		if u := must(c.Archive.User(ctx, c.tenant, "nina@firma.example"))(t); u.FirstName != "Nina" || u.LastName != last || u.Name != "Nina "+last {
			t.Errorf("%+v", u)
		}
	}
}

// TestNoSecondPassword: whoever comes from a directory gets no password here, on no way.
func TestNoSecondPassword(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	d := must(c.dirs.Create(ctx, ldapDraft()))(t)
	invited := must(c.CreateUser(ctx, archive.NewUser{Tenant: c.tenant, Login: "erna", Role: access.RoleUser, Addresses: []string{"erna@firma.example"}}))(t)
	link := must(c.Invite(ctx, invited))(t)
	c.fake.people = []directory.Person{c.person("1", "anna", "anna@firma.example"), c.person("2", "erna", "erna@firma.example")}
	p := must(c.dirs.Preview(ctx, d.ID))(t)
	must(c.dirs.Sync(ctx, d.ID, p.Digest, directory.Decision{Person: "2", User: invited.ID.String()}))(t)
	anna := must(c.Archive.User(ctx, c.tenant, "anna"))(t)
	plan := must(c.PreviewUsers(ctx, c.tenant, []byte("anna,Kaffee-Tanne-71-Zebra,,,anna@firma.example\n"), archive.ImportOptions{Update: true}))(t)
	if len(plan.Problems) != 1 || plan.Problems[0].Code != archive.CodeDirectory || plan.Problems[0].Line != 1 {
		t.Errorf("by a list: %+v", plan.Problems)
	}
	token := link.URL[strings.IndexByte(link.URL, '#')+1:]
	for name, err := range map[string]error{
		"by an administrator": c.SetPassword(ctx, anna, "Kaffee-Tanne-71-Zebra"),
		"by a link":           second(c.Invite(ctx, anna)),
		"in the catalog":      c.Catalog.SetPassword(ctx, catalog.PasswordChange{Tenant: c.tenant, User: anna.ID, Hash: "x", At: c.now}),
		"by an old link":      second(c.UseLink(ctx, token, "Kaffee-Tanne-71-Zebra", "")),
	} {
		if err == nil {
			t.Errorf("%s: it was done", name)
		}
		if codes := archive.UserErrors(err); strings.HasPrefix(name, "by a") && name != "by an old link" && (len(codes) != 1 || codes[0].Code != archive.CodeDirectory) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The directory is gone: a password may be set.
	if err := c.dirs.Remove(ctx, d.ID); err != nil {
		t.Fatal(err)
	}
	if err := c.SetPassword(ctx, anna, "Kaffee-Tanne-71-Zebra"); err != nil {
		t.Error(err)
	}
}

// TestAdoptionByAlias: whoever has an address in an alias domain may be the user with that
// in the main domain: a second user would see the mail of the first.
func TestAdoptionByAlias(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	must(c.AddDomain(ctx, c.tenant, "gruppe.example", "firma.example"))(t)
	must(c.CreateUser(ctx, archive.NewUser{Tenant: c.tenant, Login: "anna", Role: access.RoleUser, Password: localPassword, Addresses: []string{"anna@firma.example", "anna@gruppe.example"}}))(t)
	d := must(c.dirs.Create(ctx, ldapDraft()))(t)
	c.fake.people = []directory.Person{c.person("1", "a.muster", "anna@gruppe.example"), c.person("2", "chef", "admin@gruppe.example")}
	p := must(c.dirs.Preview(ctx, d.ID))(t)
	for _, who := range []string{"a.muster", "chef"} {
		if m := match(t, p, who).Matches; len(m) != 1 || len(m[0].Addresses) != 1 {
			t.Errorf("%s: %+v", who, m)
		}
	}
}
