package archive_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// codes lists what is wrong by the codes of the UserErrors.
func codes(err error) string {
	var list []string
	for _, e := range archive.UserErrors(err) {
		list = append(list, e.Field+":"+e.Code)
	}
	return strings.Join(list, " ")
}

// lastEvent is the newest event of a tenant.
func (r *routed) lastEvent() *catalog.Event {
	r.t.Helper()
	list, err := r.Catalog.Events(r.t.Context(), r.tenant.ID, 0, 1000)
	if err != nil || len(list) == 0 {
		r.t.Fatalf("events: %d, %v", len(list), err)
	}
	return list[len(list)-1]
}

func TestUserIsMadeAndChanged(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		r := newRouted(t, o, "firma.example")
		ctx, h := t.Context(), r.As(r.admin)
		u := must(h.CreateUser(ctx, archive.NewUser{Login: " KMueller ", FirstName: "Karla", LastName: "Müller", Role: access.RoleUser,
			ExpiresOn: "2099-12-31", Addresses: []string{"Karla@Firma.example", "karla@firma.example"}}))(t)
		if u.Login != "kmueller" || u.Name != "Karla Müller" || u.ExpiresOn != "2099-12-31" || u.HasPassword || u.PasswordHash != "" {
			t.Errorf("made: %+v", u)
		}
		if diff := cmp.Diff([]string{"karla@firma.example"}, u.Addresses); diff != "" {
			t.Error(diff)
		}
		want := map[string]string{"login": "kmueller", "after.name": "Karla Müller", "after.first_name": "Karla", "after.last_name": "Müller", "after.role": "user",
			"after.expires_at": "2099-12-31T23:00:00Z", "after.addresses": "karla@firma.example"}
		if e := r.lastEvent(); e.Action != "user.created" || e.Object != u.ID.String() || e.Actor != "user:"+r.admin.User.String() || cmp.Diff(want, e.Details) != "" {
			t.Errorf("event %+v\n%s", e, cmp.Diff(want, e.Details))
		}

		// A name that was derived follows; one that was given stays.
		u = must(h.ChangeUser(ctx, u.ID, archive.UserChange{LastName: new("Meyer"), Role: new(access.RoleAuditor), Language: new("de")}))(t)
		if u.Name != "Karla Meyer" || u.Role != "auditor" || u.Language != "de" {
			t.Errorf("changed: %+v", u)
		}
		want = map[string]string{"login": "kmueller", "before.name": "Karla Müller", "after.name": "Karla Meyer", "before.last_name": "Müller", "after.last_name": "Meyer",
			"before.role": "user", "after.role": "auditor", "after.language": "de"}
		if e := r.lastEvent(); e.Action != "user.changed" || cmp.Diff(want, e.Details) != "" {
			t.Errorf("event %+v\n%s", e, cmp.Diff(want, e.Details))
		}
		u = must(h.ChangeUser(ctx, u.ID, archive.UserChange{Name: new("Dr. K. Meyer")}))(t)
		u = must(h.ChangeUser(ctx, u.ID, archive.UserChange{FirstName: new("Carla"), ExpiresOn: new("")}))(t)
		if u.Name != "Dr. K. Meyer" || u.ExpiresOn != "" || !u.ExpiresAt.IsZero() {
			t.Errorf("changed again: %+v", u)
		}
		before := r.lastEvent().Seq
		must(h.ChangeUser(ctx, u.ID, archive.UserChange{FirstName: new("Carla"), Add: []string{"karla@firma.example"}}))(t)
		if e := r.lastEvent(); e.Seq != before {
			t.Errorf("a change that changes nothing is an event: %+v", e)
		}

		_, err := h.CreateUser(ctx, archive.NewUser{Login: "KMUELLER", Role: access.RoleUser})
		if !errors.Is(err, catalog.ErrTaken) || codes(err) != "login:login-taken" {
			t.Errorf("the same login: %v", err)
		}
		if _, err := h.ChangeUser(ctx, uid.New(time.Now()), archive.UserChange{}); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("nobody is changed: %v", err)
		}
		if _, err := r.As(r.anna).Users(ctx, archive.UserQuery{Limit: 10}); !errors.Is(err, access.ErrForbidden) {
			t.Errorf("a user lists users: %v", err)
		}
		clean(t, r.Env)
	})
}

func TestWrongUsersAreRefused(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{}, "firma.example")
	must(r.As(r.admin).AddDomain(t.Context(), "alias.example", "firma.example"))(t)
	for name, c := range map[string]struct {
		n    archive.NewUser
		want string
	}{
		"login":        {archive.NewUser{Login: "=1+1", Role: access.RoleUser}, "login:login-form"},
		"everything":   {archive.NewUser{Login: "-", FirstName: "a\nb", LastName: strings.Repeat("x", 300), Name: "\xff", Role: "operator", Language: "fr", ExpiresOn: "morgen"}, "expires_on:expiry login:login-form name:name-form first_name:name-form last_name:name-form role:role language:language"},
		"address":      {archive.NewUser{Login: "a", Role: access.RoleUser, Addresses: []string{"anna", "x@fremd.example"}}, "addresses:address-form addresses:address-domain"},
		"long address": {archive.NewUser{Login: "a", Role: access.RoleUser, Addresses: []string{strings.Repeat("x", 310) + "@firma.example"}}, "addresses:address-form"},
		"odd addresses": {archive.NewUser{Login: "a", Role: access.RoleUser, Addresses: []string{"a@firma.example (Anna)", "a\u200bb@firma.example", "a\u202eb@firma.example"}},
			"addresses:address-form addresses:address-form addresses:address-form"},
		"unseen names":   {archive.NewUser{Login: "a", Role: access.RoleUser, Name: "\u200b", FirstName: "\ufe0f\u3164", LastName: "\u2800 \U000e0061"}, "name:name-invisible first_name:name-invisible last_name:name-invisible"},
		"odd name":       {archive.NewUser{Login: "a", Role: access.RoleUser, Name: "txt\u202eexe", LastName: "a\u2028b"}, "name:name-form last_name:name-form"},
		"taken":          {archive.NewUser{Login: "a", Role: access.RoleUser, Addresses: []string{"neu@firma.example", "Anna@firma.example"}}, "addresses:address-taken"},
		"taken by alias": {archive.NewUser{Login: "a", Role: access.RoleUser, Addresses: []string{"anna@alias.example"}}, "addresses:address-taken"},
		"password":       {archive.NewUser{Login: "anton", Role: access.RoleUser, Password: "Firma-Anton-1"}, "password:password-personal"},
		"never":          {archive.NewUser{Login: "a", Role: access.RoleUser, ExpiresOn: "2027-02-30"}, "expires_on:expiry"},
	} {
		_, err := r.As(r.admin).CreateUser(t.Context(), c.n)
		if got := codes(err); got != c.want || !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("%s: %s (%v), want %s", name, got, err, c.want)
		}
	}
	u := must(r.As(r.admin).CreateUser(t.Context(), archive.NewUser{Login: "b", Role: access.RoleUser, Addresses: []string{"anna@firma.example"}, Shared: true}))(t)
	if len(u.Addresses) != 1 {
		t.Errorf("shared address: %+v", u)
	}
	if got := len(must(r.As(r.admin).Users(t.Context(), archive.UserQuery{Limit: 10}))(t).Users); got != 3 {
		t.Errorf("%d users, want 3", got)
	}
}

// TestAddressesHoldAtOnce: an address that is added or removed changes what an open
// session finds, and the answer says how much.
func TestAddressesHoldAtOnce(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{}, "firma.example")
	ctx, h := t.Context(), r.As(r.admin)
	r.offer(mailOf("kunde@fern.example", "anna@firma.example", "eins"))
	r.offer(mailOf("kunde@fern.example", "info@firma.example", "zwei"))
	r.offer(mailOf("kunde@fern.example", "info@firma.example", "drei"))
	token, _, err := r.LogIn(ctx, archive.LogIn{Login: "anna", Password: archivetest.Password})
	if err != nil {
		t.Fatal(err)
	}
	session := func() access.Actor { return must(r.Session(ctx, token, ""))(t).Actor }
	r.finds(session(), "eins")
	for _, step := range []struct {
		change archive.UserChange
		sees   int
		finds  []string
	}{
		{archive.UserChange{}, 1, []string{"eins"}},
		{archive.UserChange{Add: []string{"info@firma.example"}}, 3, []string{"drei", "eins", "zwei"}},
		{archive.UserChange{Remove: []string{"ANNA@firma.example"}}, 2, []string{"drei", "zwei"}},
		{archive.UserChange{Remove: []string{"info@firma.example"}}, 0, nil},
	} {
		v := must(h.ChangeUser(ctx, r.anna.User, step.change))(t)
		if v.Sees == nil || v.Sees.N != step.sees || !v.Sees.Exact {
			t.Errorf("after %+v the user sees %+v, want %d", step.change, v.Sees, step.sees)
		}
		r.finds(session(), step.finds...)
	}
	if v := must(h.User(ctx, r.anna.User))(t); v.LoggedInAt.IsZero() {
		t.Error("the log-in was not written down")
	}
}

func TestWhoMayLogIn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	r := newRouted(t, archivetest.Options{Now: func() time.Time { return now }})
	ctx, h := t.Context(), r.As(r.admin)
	logIn := func() (string, error) {
		token, _, err := r.LogIn(ctx, archive.LogIn{Login: "anna@firma.example", Password: archivetest.Password})
		return token, err
	}
	token := must(logIn())(t)
	must(h.ChangeUser(ctx, r.anna.User, archive.UserChange{ExpiresOn: new("2026-11-26")}))(t)
	now = time.Date(2026, 11, 26, 22, 59, 59, 0, time.UTC) // in Berlin the day is not over
	if _, err := r.Session(ctx, token, ""); err != nil {
		t.Errorf("on the last day: %v", err)
	}
	now = now.Add(time.Second)
	if _, err := r.Session(ctx, token, ""); !errors.Is(err, archive.ErrNoSession) {
		t.Errorf("after the last day the session goes on: %v", err)
	}
	if _, err := logIn(); !errors.Is(err, archive.ErrLogIn) {
		t.Errorf("after the last day: %v", err)
	}
	if v := must(h.User(ctx, r.anna.User))(t); !v.Expired || v.ExpiresOn != "2026-11-26" {
		t.Errorf("shown as %+v", v)
	}
	must(h.ChangeUser(ctx, r.anna.User, archive.UserChange{ExpiresOn: new("")}))(t)
	token = must(logIn())(t)
	must(h.ChangeUser(ctx, r.anna.User, archive.UserChange{Disabled: new(true)}))(t)
	must(h.ChangeUser(ctx, r.anna.User, archive.UserChange{Disabled: new(false)}))(t)
	if _, err := r.Session(ctx, token, ""); !errors.Is(err, archive.ErrNoSession) {
		t.Errorf("who was disabled is still logged in: %v", err)
	}
	if err := h.SetUserPassword(ctx, r.anna.User, "anna@firma.example"); codes(err) != "password:password-personal" {
		t.Errorf("weak password: %v", err)
	}
	if err := h.SetUserPassword(ctx, r.anna.User, "Kaffee Tanne Zebra 71"); err != nil {
		t.Fatal(err)
	}
	if e := r.lastEvent(); e.Action != "user.password-set" || e.Details["password"] != "changed" || len(e.Details) != 2 {
		t.Errorf("event %+v", e)
	}
	if _, err := logIn(); !errors.Is(err, archive.ErrLogIn) {
		t.Errorf("the old password: %v", err)
	}
}

func TestLastAdministratorStays(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{})
	ctx, h := t.Context(), r.As(r.admin)
	for name, c := range map[string]archive.UserChange{"disabled": {Disabled: new(true)}, "demoted": {Role: new(access.RoleUser)}, "expires": {ExpiresOn: new("2099-01-01")}} {
		if _, err := h.ChangeUser(ctx, r.admin.User, c); codes(err) != "role:last-admin" {
			t.Errorf("%s: %v", name, err)
		}
	}
	second := must(h.CreateUser(ctx, archive.NewUser{Login: "zweite", Role: access.RoleTenantAdmin}))(t)
	must(h.ChangeUser(ctx, r.admin.User, archive.UserChange{Role: new(access.RoleUser)}))(t)
	if _, err := h.ChangeUser(ctx, second.ID, archive.UserChange{Disabled: new(true)}); codes(err) != "role:last-admin" {
		t.Errorf("the other one: %v", err)
	}
	// The operator may.
	must(r.ChangeUserOf(ctx, r.tenant.ID, second.ID, archive.UserChange{Disabled: new(true)}))(t)
}

func TestUsersAreListed(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{}, "firma.example")
	ctx, h := t.Context(), r.As(r.admin)
	must(h.CreateUser(ctx, archive.NewUser{Login: "zoe", FirstName: "Zoë", LastName: "Grün", Role: access.RoleUser, Addresses: []string{"post@firma.example"}}))(t)
	logins := func(q archive.UserQuery) (list []string, p *archive.UserPage) {
		p = must(h.Users(ctx, q))(t)
		for _, u := range p.Users {
			list = append(list, u.Login)
			if u.PasswordHash != "" || u.HasPassword != (u.Login != "zoe") {
				t.Errorf("%s: hash %q, password %v", u.Login, u.PasswordHash, u.HasPassword)
			}
		}
		return list, p
	}
	for text, want := range map[string][]string{"": {"anna", "chef", "zoe"}, "ZOË": {"zoe"}, "grün post": {"zoe"}, "post anna": nil, "@firma.example": {"anna", "zoe"}, "chef": {"chef"}} {
		if got, _ := logins(archive.UserQuery{Text: text, Limit: 500}); cmp.Diff(want, got) != "" {
			t.Errorf("%q finds %v, want %v", text, got, want)
		}
	}
	first, p := logins(archive.UserQuery{Limit: 2})
	rest, last := logins(archive.UserQuery{Limit: 2, After: p.Next})
	if diff := cmp.Diff([]string{"anna", "chef", "zoe"}, append(first, rest...)); diff != "" || last.Next != "" || p.Found != 3 || p.All != 3 || p.AnyDomain {
		t.Errorf("pages: %+v, %+v\n%s", p, last, diff)
	}
}
