package archive_test

import (
	"errors"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/directory"
)

// TestOffersNameTheirTenant has a provider offered to people of all tenants under a name
// that its tenant has chosen.
func TestOffersNameTheirTenant(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	set := &directory.OIDC{Issuer: "https://provider.example", ClientID: "x", Redirect: "https://archive.example" + directory.CallbackPath, Offered: true}
	must(c.dirs.Create(ctx, archive.DirectoryDraft{Name: "Muniment", Settings: directory.Settings{OIDC: set}, Secret: []byte("s")}))(t)
	tenant := func(slug string) string {
		t.Helper()
		list := must(c.Offers(ctx, slug, "archive.example"))(t)
		if len(list) != 1 {
			t.Fatalf("%q: %v", slug, list)
		}
		return list[0].Tenant
	}
	if got := tenant(""); got != "" {
		t.Errorf("the only tenant: %q", got)
	}
	must(c.CreateTenant(ctx, archive.NewTenant{Slug: "other"}))(t)
	if got, want := tenant(""), must(c.Archive.TenantBySlug(ctx, "firma"))(t).Name; got != want || want == "" {
		t.Errorf("beside others: %q, want %q", got, want)
	}
	if got := tenant("firma"); got != "" {
		t.Errorf("by name: %q", got)
	}
}

// TestPasswordsStayWithTheirTenant has a tenant's directory name the users of others: it
// never gets to see what those type, and does not help to guess it.
func TestPasswordsStayWithTheirTenant(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	must(c.CreateOperator(ctx, archive.NewUser{Login: "olga", Password: localPassword}))(t)
	must(c.CreateUser(ctx, archive.NewUser{Tenant: c.tenant, Login: "anna", Role: access.RoleUser, Password: localPassword, Addresses: []string{"anna@firma.example"}}))(t)
	other := must(c.CreateTenant(ctx, archive.NewTenant{Slug: "hostile"}))(t).ID
	must(c.AddDomain(ctx, other, "hostile.example", ""))(t)
	d := must(c.DirectoriesOf(other).Create(ctx, ldapDraft()))(t)
	c.fake.people = []directory.Person{c.person("1", "anna", "anna@firma.example", "a@hostile.example"), c.person("2", "olga", "o@hostile.example"), c.person("3", "admin", "x@hostile.example"), c.person("4", "only", "y@hostile.example")}
	must(c.DirectoriesOf(other).Sync(ctx, d.ID, ""))(t)

	try := func(login, tenant, password string, want error) {
		t.Helper()
		if _, _, err := c.LogIn(ctx, archive.LogIn{Login: login, Tenant: tenant, Password: password}); !errors.Is(err, want) {
			t.Errorf("%s at %q: %v, want %v", login, tenant, err, want)
		}
	}
	for _, login := range []string{"anna", "anna@firma.example", "olga", "admin"} {
		try(login, "", localPassword, nil)
		try(login, "", "mistyped", archive.ErrLogIn)
	}
	try("anna", "", "password of 1", archive.ErrTenantNeeded)
	if c.fake.asked != 0 {
		t.Errorf("the directory of another tenant was asked %d times", c.fake.asked)
	}
	// Somebody of firma.example who is no user yet, and whose address a user of the other
	// tenant has for a name.
	c.fake.people = append(c.fake.people, c.person("5", "eva@firma.example", "e@hostile.example"))
	must(c.DirectoriesOf(other).Sync(ctx, d.ID, ""))(t)
	try("eva@firma.example", "", "password of 5", archive.ErrLogIn)
	if c.fake.asked != 0 {
		t.Errorf("the directory of another tenant was asked %d times about an address that is not in its domains", c.fake.asked)
	}
	try("eva@firma.example", "hostile", "password of 5", nil)
	try("anna", "hostile", "password of 1", nil)
	try("only", "", "password of 4", nil)
	asked := c.fake.asked

	// A directory that is down makes nobody else's password free to guess, and one that
	// comes back gets none because its namesake was tried too often.
	c.fake.down = true
	for range 70 {
		for _, login := range []string{"olga", "anna@firma.example"} {
			_, _, err := c.LogIn(ctx, archive.LogIn{Login: login, Password: "guess"})
			if err == nil || errors.Is(err, archive.ErrDirectory) {
				t.Fatalf("%s: %v", login, err)
			}
		}
	}
	c.fake.down = false
	for _, login := range []string{"olga", "anna@firma.example"} {
		var often *archive.TooManyError
		if _, _, err := c.LogIn(ctx, archive.LogIn{Login: login, Password: localPassword}); !errors.As(err, &often) {
			t.Errorf("%s after 70 guesses: %v", login, err)
		}
	}
	if c.fake.asked != asked {
		t.Errorf("the directory of another tenant was asked %d times", c.fake.asked-asked)
	}
}
