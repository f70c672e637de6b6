package archive_test

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/setting"
)

// TestMailServerLogIn lets those in whom a mail server knows, and nobody else.
func TestMailServerLogIn(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	imap := &directory.IMAP{Host: "mail.firma.example", TLS: remote.Implicit}
	d := must(c.dirs.Create(ctx, archive.DirectoryDraft{Name: "mail", Settings: directory.Settings{IMAP: imap}}))(t)
	for _, a := range []string{"anna@firma.example", "admin@firma.example", "eve@other.example"} {
		c.fake.passwords[a] = "mail"
	}
	for _, login := range []string{"anna@firma.example", "admin@firma.example", "eve@other.example", "anna"} {
		if _, err := c.logIn(t, login, "mail"); !errors.Is(err, archive.ErrLogIn) {
			t.Errorf("%s: %v", login, err)
		}
	}
	if c.fake.asked != 0 {
		t.Errorf("the mail server was asked %d times about people whom nobody lets in", c.fake.asked)
	}
	imap.Create = true
	must(c.dirs.Change(ctx, d.ID, archive.DirectoryDraft{Name: "mail", Settings: directory.Settings{IMAP: imap}}))(t)
	for range 2 {
		if _, err := c.logIn(t, "Anna@Firma.example", "mail"); err != nil {
			t.Error(err)
		}
	}
	if u := must(c.Archive.User(ctx, c.tenant, "anna@firma.example"))(t); u.Role != "user" || len(u.Addresses) != 1 {
		t.Errorf("%+v", u)
	}
	for _, x := range [][2]string{{"anna@firma.example", "wrong"}, {"anna@firma.example", ""}, {"admin@firma.example", "mail"}, {"eve@other.example", "mail"}} {
		if _, err := c.logIn(t, x[0], x[1]); !errors.Is(err, archive.ErrLogIn) {
			t.Errorf("%s: %v", x[0], err)
		}
	}
	c.fake.down = true
	if _, err := c.logIn(t, "anna@firma.example", "mail"); !errors.Is(err, archive.ErrDirectory) {
		t.Error(err)
	}
	if _, err := c.logIn(t, "admin", localPassword); err != nil {
		t.Error(err)
	}
	findings(t, c.Env, nil)
}

// TestMailServerAndAliases: an alias domain makes nobody a second user, who would get in
// beside the password and the second factor of the first.
func TestMailServerAndAliases(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	must(c.AddDomain(ctx, c.tenant, "firma-gruppe.example", "firma.example"))(t)
	must(c.dirs.Create(ctx, archive.DirectoryDraft{Name: "mail", Settings: directory.Settings{IMAP: &directory.IMAP{Host: "mail.firma.example", TLS: remote.Implicit, Create: true}}}))(t)
	c.fake.passwords["admin@firma-gruppe.example"] = "mail"
	if _, err := c.logIn(t, "admin@firma-gruppe.example", "mail"); !errors.Is(err, archive.ErrLogIn) || c.fake.asked != 0 {
		t.Errorf("%v, asked %d times", err, c.fake.asked)
	}
	if _, err := c.logIn(t, "admin@firma-gruppe.example", localPassword); err != nil {
		t.Errorf("by the own password: %v", err)
	}
	// An odd name, and one that is in use as user name, get no answer that looks like a fault.
	c.fake.passwords["o'neil@firma.example"] = "mail"
	if _, err := c.logIn(t, "O'Neil@firma.example", "mail"); err != nil {
		t.Error(err)
	}
	must(c.CreateUser(ctx, archive.NewUser{Tenant: c.tenant, Login: "o-brian@firma.example", Role: access.RoleUser}))(t)
	c.fake.passwords["o'brian@firma.example"] = "mail"
	if _, err := c.logIn(t, "o'brian@firma.example", "mail"); !errors.Is(err, archive.ErrLogIn) {
		t.Error(err)
	}
	if err := c.As(access.Actor{Role: access.RoleOperator}).SetTenantState(ctx, c.tenant, catalog.TenantEnded); err != nil {
		t.Fatal(err)
	}
	c.fake.passwords["new@firma.example"] = "mail"
	if _, err := c.logIn(t, "new@firma.example", "mail"); !errors.Is(err, archive.ErrTenantEnded) {
		t.Error(err)
	}
	if n := len(must(c.Users(ctx, c.tenant))(t)); n != 3 {
		t.Errorf("%d users", n)
	}
}

// TestMailServerOfLocalParts: a server that knows people by what is before the @ is asked
// about one domain only, or whoever has the mailbox gets in as the namesake in another.
func TestMailServerOfLocalParts(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	imap := &directory.IMAP{Host: "mail.firma.example", TLS: remote.Implicit, Create: true, User: directory.UserLocal}
	draft := archive.DirectoryDraft{Name: "mail", Settings: directory.Settings{IMAP: imap}}
	d := must(c.dirs.Create(ctx, draft))(t)
	must(c.AddDomain(ctx, c.tenant, "tochter.example", ""))(t)
	c.fake.passwords["anna@tochter.example"] = "mail"
	if _, err := c.logIn(t, "anna@tochter.example", "mail"); !errors.Is(err, archive.ErrLogIn) || c.fake.asked != 0 {
		t.Errorf("%v, asked %d times", err, c.fake.asked)
	}
	var field *setting.Error
	if _, err := c.dirs.Change(ctx, d.ID, draft); !errors.As(err, &field) || field.Field != "domains" {
		t.Error(err)
	}
	imap.Domains = []string{"tochter.example"}
	must(c.dirs.Change(ctx, d.ID, draft))(t)
	if _, err := c.logIn(t, "anna@tochter.example", "mail"); err != nil {
		t.Error(err)
	}
}

// TestMailServerIsNotGuessedBySpelling: the same address written otherwise has the same
// count.
func TestMailServerIsNotGuessedBySpelling(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	must(c.dirs.Create(ctx, archive.DirectoryDraft{Name: "mail", Settings: directory.Settings{IMAP: &directory.IMAP{Host: "mail.firma.example", TLS: remote.Implicit, Create: true}}}))(t)
	spellings := []string{"eva@firma.example", "<EVA@firma.example>", "mailto:eva@firma.example", "\"eva\"@firma.example.", "\uff45va@firma.example"}
	for i := range 300 {
		if _, _, err := c.LogIn(ctx, archive.LogIn{Login: spellings[i%len(spellings)], Tenant: []string{"", "firma"}[i%2], Password: "guess"}); err == nil {
			t.Fatal("let in")
		}
	}
	if c.fake.asked > 60 {
		t.Errorf("the mail server was asked %d times", c.fake.asked)
	}
}

// TestProviderLogIn binds accounts of a provider to users.
func TestProviderLogIn(t *testing.T) {
	t.Parallel()
	c, ctx := newCompany(t), t.Context()
	set := &directory.OIDC{Issuer: "https://provider.example", ClientID: "x", Redirect: "https://archive.example" + directory.CallbackPath, Offered: true}
	draft := archive.DirectoryDraft{Name: "Entra", Settings: directory.Settings{OIDC: set}, Secret: []byte("s")}
	d := must(c.dirs.Create(ctx, draft))(t)
	must(c.CreateUser(ctx, archive.NewUser{Tenant: c.tenant, Login: "anna", Role: access.RoleUser, Password: localPassword, Addresses: []string{"anna@firma.example", "info@firma.example"}}))(t)
	must(c.CreateUser(ctx, archive.NewUser{Tenant: c.tenant, Login: "bert", Role: access.RoleUser, Password: localPassword, Addresses: []string{"bert@firma.example", "info@firma.example"}, Shared: true}))(t)
	logIn := func(who directory.Identity) (string, error) {
		who.Issuer = set.Issuer
		c.fake.identity = &who
		_, sealed, err := c.BeginLogIn(ctx, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, acc, err := c.FinishProviderLogIn(ctx, sealed, url.Values{"state": {"s"}}, archive.LogIn{})
		if err != nil {
			return "", err
		}
		return acc.User.Login, nil
	}
	check := func(name string, who directory.Identity, login, code string) {
		t.Helper()
		got, err := logIn(who)
		if got != login || login == "" && directory.Code(err) != code {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	check("unverified", directory.Identity{Subject: "1", Email: "anna@firma.example"}, "", directory.CodeNoEmail)
	check("foreign", directory.Identity{Subject: "1", Email: "anna@other.example", Verified: true}, "", directory.CodeUnknown)
	check("shared", directory.Identity{Subject: "1", Email: "info@firma.example", Verified: true}, "", directory.CodeUnknown)
	check("nobody", directory.Identity{Subject: "9", Email: "new@firma.example", Verified: true}, "", directory.CodeUnknown)
	check("the first time", directory.Identity{Subject: "1", Email: "anna@firma.example", Verified: true}, "anna", "")
	check("with another address", directory.Identity{Subject: "1", Email: "x@y.example"}, "anna", "")
	check("another account with her address", directory.Identity{Subject: "2", Email: "anna@firma.example", Verified: true}, "", directory.CodeUnknown)

	set.Create = true
	draft.Settings.Roles = []directory.RoleRule{{Group: "chiefs", Role: "auditor"}}
	draft.Secret = nil
	must(c.dirs.Change(ctx, d.ID, draft))(t)
	check("new", directory.Identity{Subject: "9", Email: "new@firma.example", Verified: true, Groups: []string{"x", "chiefs"}}, "new@firma.example", "")
	role := func(login string) string { return must(c.Archive.User(ctx, c.tenant, login))(t).Role }
	if role("new@firma.example") != "auditor" {
		t.Error("the group gives no role")
	}
	check("too many groups", directory.Identity{Subject: "9", Overage: true}, "", directory.CodeOverage)
	check("out of the group", directory.Identity{Subject: "9"}, "new@firma.example", "")
	check("local", directory.Identity{Subject: "1", Groups: []string{"chiefs"}}, "anna", "")
	if role("new@firma.example") != "user" || role("anna") != "user" {
		t.Errorf("roles %s, %s", role("new@firma.example"), role("anna"))
	}
	anna := must(c.Archive.User(ctx, c.tenant, "anna"))(t)
	anna.Disabled = true
	if err := c.ChangeUser(ctx, anna); err != nil {
		t.Fatal(err)
	}
	check("disabled", directory.Identity{Subject: "1"}, "", directory.CodeDisabled)
	anna.Disabled, anna.ExpiresAt = false, c.now
	if err := c.ChangeUser(ctx, anna); err != nil {
		t.Fatal(err)
	}
	check("expired", directory.Identity{Subject: "1"}, "", directory.CodeDisabled)
	if _, err := c.logIn(t, "new@firma.example", ""); !errors.Is(err, archive.ErrLogIn) {
		t.Errorf("with a password: %v", err)
	}

	_, sealed, err := c.BeginLogIn(ctx, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		sealed []byte
		state  string
		later  time.Duration
	}{"another state": {sealed, "x", 0}, "changed": {append([]byte{1}, sealed...), "s", 0}, "nothing": {nil, "s", 0}, "late": {sealed, "s", 16 * time.Minute}} {
		c.now = c.now.Add(x.later)
		if _, _, err := c.FinishProviderLogIn(ctx, x.sealed, url.Values{"state": {x.state}}, archive.LogIn{}); directory.Code(err) != directory.CodeState {
			t.Errorf("%s: %v", name, err)
		}
		c.now = c.now.Add(-x.later)
	}
	for _, x := range []struct {
		slug, host string
		n          int
	}{{"firma", "", 1}, {"FIRMA ", "", 1}, {"nobody", "", 0}, {"", "archive.example", 1}, {"", "other.example", 0}} {
		if list := must(c.Offers(ctx, x.slug, x.host))(t); len(list) != x.n {
			t.Errorf("%q at %q: %v", x.slug, x.host, list)
		}
	}
	draft.Disabled = true
	must(c.dirs.Change(ctx, d.ID, draft))(t)
	if _, _, err := c.BeginLogIn(ctx, d.ID); !errors.Is(err, catalog.ErrNotFound) {
		t.Error(err)
	}
	if list := must(c.Offers(ctx, "firma", ""))(t); len(list) != 0 {
		t.Errorf("offered though switched off: %v", list)
	}
	findings(t, c.Env, nil)
}
