package httpd_test

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/api"
)

// wrong lists what an answer finds wrong: places and codes.
func wrong(t *testing.T, a *answer) (out []string) {
	t.Helper()
	if a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("answer %d: %s", a.StatusCode, a.body)
	}
	a.StatusCode = http.StatusOK
	var p api.Problem
	a.into(t, &p)
	for _, e := range p.Errors {
		out = append(out, e.Location+" "+e.Code)
	}
	return out
}

func TestUserPages(t *testing.T) {
	t.Parallel()
	s := start(t)
	b, anna := s.as(t, "bernd"), s.as(t, "anna")
	var u, list = api.User{}, api.Users{}
	a := b.do(t, "POST", "/api/v1/users", map[string]any{"login": "Carla", "first_name": "Carla", "last_name": "Cäsar", "role": "user", "addresses": []string{"Carla@Example.com"}})
	a.into(t, &u)
	if a.StatusCode != http.StatusCreated || u.Login != "carla" || u.Name != "Carla Cäsar" || u.Sees == nil || u.Sees.Count != 0 || u.HasPassword || strings.Contains(string(a.body), "hash") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	path := "/api/v1/users/" + u.ID
	s.ingest(t, "From: x@far.example\r\nTo: carla@example.com\r\nSubject: Eins\r\nMessage-ID: <1@far.example>\r\n\r\nText\r\n")
	if err := s.AwaitIndex(t.Context(), s.tenant.ID); err != nil {
		t.Fatal(err)
	}
	b.get(t, path).into(t, &u)
	if u.Sees == nil || u.Sees.Count != 1 || !u.Sees.Exact {
		t.Errorf("sees %+v", u.Sees)
	}
	if got := wrong(t, b.do(t, "POST", path+"/addresses", map[string]any{"address": "anna@example.com"})); !slices.Equal(got, []string{"body.address address-taken"}) {
		t.Errorf("an address of another user: %v", got)
	}
	b.do(t, "POST", path+"/addresses", map[string]any{"address": "anna@example.com", "shared": true}).into(t, &u)
	if len(u.Addresses) != 2 {
		t.Errorf("shared: %+v", u)
	}
	b.do(t, "DELETE", path+"/addresses/carla@example.com", nil).into(t, &u)
	if !slices.Equal(u.Addresses, []string{"anna@example.com"}) {
		t.Errorf("removed: %+v", u)
	}
	b.do(t, "PATCH", path, map[string]any{"expires_on": "2001-02-03", "role": "auditor", "disabled": true}).into(t, &u)
	if !u.Expired || u.ExpiresOn != "2001-02-03" || u.Role != "auditor" || !u.Disabled {
		t.Errorf("changed: %+v", u)
	}
	if got := wrong(t, b.do(t, "POST", path+"/password", map[string]any{"password": "Carla-Cäsar-1"})); !slices.Equal(got, []string{"body.password password-personal"}) {
		t.Errorf("weak password: %v", got)
	}
	if a := b.do(t, "POST", path+"/password", map[string]any{"password": "Kaffee Tanne Zebra 71"}); a.StatusCode != http.StatusNoContent {
		t.Errorf("password: %d", a.StatusCode)
	}
	b.get(t, "/api/v1/users?q=cäsar").into(t, &list)
	if list.Found != 1 || len(list.Users) != 1 || list.All != 3 || !list.AnyDomain || !list.Users[0].HasPassword {
		t.Errorf("list: %+v", list)
	}
	if got := wrong(t, b.do(t, "POST", "/api/v1/users", map[string]any{"login": "CARLA", "role": "user"})); !slices.Equal(got, []string{"body.login login-taken"}) {
		t.Errorf("the same login: %v", got)
	}
	for _, c := range [][2]string{{"GET", "/users"}, {"POST", "/users"}, {"GET", "/users/x"}, {"PATCH", "/users/x"}, {"DELETE", "/users/x/addresses/a"}, {"GET", "/users/export.csv"}, {"POST", "/user-imports"}, {"GET", "/user-imports/x"}} {
		if a := anna.do(t, c[0], "/api/v1"+c[1], map[string]any{"login": "x", "role": "user", "content": ""}); a.StatusCode != http.StatusForbidden && a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("a user: %v: %d %s", c, a.StatusCode, a.body)
		}
	}
	for _, id := range []string{"x", u.ID[:25] + "7"} {
		if a := b.get(t, "/api/v1/users/"+id); a.StatusCode != http.StatusNotFound {
			t.Errorf("user %s: %d", id, a.StatusCode)
		}
	}
}

func TestUserLists(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.as(t, "bernd")
	file := func(text string, more ...string) map[string]any {
		m := map[string]any{"content": base64.StdEncoding.EncodeToString([]byte(text))}
		for _, k := range more {
			m[k] = true
		}
		return m
	}
	var plan api.UserImportPlan
	b.do(t, "POST", "/api/v1/user-imports/preview", file("carla,,Carla,C\xe4sar,carla@example.com\nanna,,Anna,A,\ndora,,Dora,D,dora@example.com")).into(t, &plan)
	if len(plan.Problems) != 2 || plan.Problems[0].Line != 1 || plan.Problems[0].Column != 4 || plan.Problems[0].Code != "encoding" || plan.Problems[0].Args["byte"] != "15" ||
		plan.Problems[1].Line != 2 || plan.Problems[1].Code != "login-taken" {
		t.Errorf("%+v", plan)
	}
	run := func(body map[string]any) (n api.UserImport) {
		a := b.do(t, "POST", "/api/v1/user-imports", body)
		if a.into(t, &n); a.StatusCode != http.StatusAccepted {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		for n.State == "running" && t.Context().Err() == nil {
			time.Sleep(5 * time.Millisecond)
			b.get(t, "/api/v1/user-imports/"+n.ID).into(t, &n)
		}
		return n
	}
	if n := run(file("anna,,Anna,A,")); n.State != "problems" || n.Plan == nil || len(n.Plan.Problems) != 1 {
		t.Errorf("%+v", n)
	}
	n := run(file("\"=carla\",,,,\n"))
	if n.State != "problems" || n.Plan.Problems[0].Code != "login-form" {
		t.Errorf("%+v", n)
	}
	n = run(file("carla;Kaffee Tanne Zebra 71;=Carla;Cäsar;carla@example.com;anna@example.com\r\nanna;;Anna;A;anna@example.com", "update", "shared"))
	if n.State != "done" || n.Hashed != 1 || n.Hashing != 1 || n.Plan.Create != 1 || n.Plan.Update != 1 {
		t.Errorf("%+v, %+v", n, n.Plan)
	}
	a := b.get(t, "/api/v1/users/export.csv?separator=semicolon")
	if want := "\ufeffanna;;Anna;A;anna@example.com\r\nbernd;;;;bernd@example.com\r\ncarla;;'=Carla;Cäsar;carla@example.com;anna@example.com\r\n"; string(a.body) != want {
		t.Errorf("exported:\n%s\nwant\n%s", a.body, want)
	}
	if d := a.Header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment") || !strings.Contains(d, "users.csv") {
		t.Error(d)
	}
	if a := b.get(t, "/api/v1/users/export.csv?passwords=true"); strings.Count(string(a.body), "$argon2id$") != 3 {
		t.Errorf("exported: %s", a.body)
	}
	if a := b.get(t, "/api/v1/user-imports/x"); a.StatusCode != http.StatusNotFound {
		t.Errorf("an import of nobody: %d", a.StatusCode)
	}
}
