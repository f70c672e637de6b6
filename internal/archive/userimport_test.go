package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/usercsv"
)

// brokenLists are files that must not be imported into a tenant with the domain
// firma.example and the users chef and anna (anna@firma.example), and what is said of
// each.
func brokenLists() map[string]struct {
	text string
	want []string
} {
	const ok = "gut,,Gut,Er,gut@firma.example\n"
	return map[string]struct {
		text string
		want []string
	}{
		"empty":             {"", []string{"the file has no lines with users"}},
		"header":            {"user id,password,first name,last name,e-mail\n" + ok, []string{"line 1: this is a header line; the format has none, delete it"}},
		"German header":     {"Benutzer-ID;Kennwort;Vorname;Nachname;E-Mail\n", []string{"line 1: this is a header line; the format has none, delete it"}},
		"too few fields":    {ok + "kai,,Kai\n", []string{"line 2: has 3 fields; want user id, password, first name, last name, e-mail, all of which but the user id may be empty"}},
		"semicolons later":  {ok + "kai;;Kai;M;kai@firma.example\n", []string{"line 2: has 1 fields; want user id, password, first name, last name, e-mail, all of which but the user id may be empty"}},
		"tabs":              {"kai\t\tKai\tM\tkai@firma.example\n", []string{"line 1: the fields are separated by tabs; save the file with commas or semicolons"}},
		"Latin-1":           {ok + "kai,,Kai,M\xfcller,kai@firma.example\n", []string{"line 2, column 4 (last name): byte 41 of the file (0xFC) is not UTF-8; save the file as UTF-8 (Excel: CSV UTF-8)"}},
		"UTF-16":            {"\xff\xfek\x00,\x00", []string{"line 1: the file is UTF-16; save it as UTF-8 (Excel: CSV UTF-8)"}},
		"open quote":        {`kai,,"Kai,M,kai@firma.example` + "\n" + ok, []string{"line 1, column 3 (first name): the quotation mark at its beginning is not closed in this line; close it. A field must not contain a line break"}},
		"behind a quote":    {`kai,,"Kai"x,M,kai@firma.example`, []string{"line 1, column 3 (first name): something stands behind the closing quotation mark; write quotation marks inside a field twice"}},
		"quote inside":      {`kai,,Kai "K" K,M,kai@firma.example`, []string{"line 1, column 3 (first name): a quotation mark stands inside the field; write the field in quotation marks, and those inside it twice"}},
		"control character": {"kai,,K\x01ai,M,kai@firma.example", []string{"line 1, column 3 (first name): contains a control character such as a tab; remove it"}},
		"no id":             {ok + "\n,,Kai,M,kai@firma.example", []string{"line 3, column 1 (user id): the user id is missing"}},
		"bad id":            {"-kai,,Kai,M,kai@firma.example", []string{`line 1, column 1 (user id): "-kai": want up to 128 letters, digits and . _ @ + -, starting with a letter or digit`}},
		"id twice":          {ok + "kai,,Kai,M,\nGut,,X,Y,", []string{`line 3, column 1 (user id): user id "gut" stands in line 1 already`}},
		"id twice otherwise": {ok + "\" gut \",,Kai,M,\nandré,,A,B,\nandre\u0301,,A,B,\nｇut,,A,B,", []string{`line 2, column 1 (user id): user id "gut" stands in line 1 already`,
			`line 4, column 1 (user id): user id "andré" stands in line 3 already`, `line 5, column 1 (user id): user id "gut" stands in line 1 already`}},
		"CR alone":            {"kai,,Kai,M,\ruwe,,Uwe,M,\r", []string{"line 1: the lines end with CR alone, as on very old Macs; save the file with LF or CRLF (Excel: CSV UTF-8)"}},
		"hidden in address":   {"kai,,Kai,M,k\u200bai@firma.example", []string{`line 1, column 5 (e-mail): "k\u200bai@firma.example" is no mail address such as anna@example.com`}},
		"id exists":           {ok + "Anna,,Anna,A,", []string{`line 2, column 1 (user id): user "anna" exists already; delete the line, or choose that existing users are changed`}},
		"foreign domain":      {"kai,,Kai,M,kai@firma.example,kai@fremd.example", []string{"line 1, column 6 (further e-mail): kai@fremd.example: fremd.example is none of the customer's domains; add the domain first"}},
		"bad address":         {"kai,,Kai,M,kai at firma.example", []string{`line 1, column 5 (e-mail): "kai at firma.example" is no mail address such as anna@example.com`}},
		"address of a user":   {"kai,,Kai,M,Anna@Firma.example", []string{"line 1, column 5 (e-mail): anna@firma.example belongs to user anna; delete it here, or choose that addresses may be shared"}},
		"address of the file": {"kai,,Kai,M,info@firma.example\nuwe,,Uwe,M,uwe@firma.example,info@firma.example", []string{"line 2, column 6 (further e-mail): info@firma.example belongs to user kai (line 1); delete it here, or choose that addresses may be shared"}},
		"weak passwords": {"kai,hallo,Kai,M,\nuwe,Sommer2024!!,Uwe,M,\nida,Firma-Ida-1,Ida,M,\nleo,qwertyuiop,Leo,M,", []string{
			"line 1, column 2 (password): has fewer than 12 characters; use a longer one, e.g. four words that have nothing to do with each other",
			"line 2, column 2 (password): is easy to guess: it consists of common words and dates or years; use e.g. four words that have nothing to do with each other",
			"line 3, column 2 (password): has fewer than 12 characters; use a longer one, e.g. four words that have nothing to do with each other",
			"line 4, column 2 (password): is one of the most common passwords; use another one"}},
		"hash of another kind": {"kai,$2y$12$abcdefghijklmnopqrstuv,Kai,M,\nuwe,{SSHA}MTIzNDU2Nzg5MDEyMzQ1Njc4,Uwe,M,", []string{
			"line 1, column 2 (password): is a hash of another kind; only argon2id is taken. Use a password, or nothing",
			"line 2, column 2 (password): is a hash of another kind; only argon2id is taken. Use a password, or nothing"}},
		"costly hash": {`kai,"$argon2id$v=19$m=262144,t=16,p=4$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5",Kai,M,`, []string{
			`line 1, column 2 (password): is no argon2id hash that is taken: parameters "m=262144,t=16,p=4" out of bounds: not an argon2id hash; use one from an export, a password, or nothing`}},
		"long name": {"kai,,Kai," + strings.Repeat("x", 201) + ",", []string{`line 1, column 4 (last name): "` + strings.Repeat("x", 40) + `": want at most 200 bytes of text in one line`}},
	}
}

func TestBrokenListsChangeNothing(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{}, "firma.example")
	ctx, h := t.Context(), r.As(r.admin)
	before := must(r.Catalog.Users(ctx, r.tenant.ID))(t)
	last := r.lastEvent().Seq
	lists := brokenLists()
	if len(lists) < 20 {
		t.Errorf("only %d files", len(lists))
	}
	for name, c := range lists {
		plan, err := h.ImportUsers(ctx, []byte(c.text), archive.ImportOptions{}, nil)
		if !errors.Is(err, archive.ErrImport) {
			t.Fatalf("%s: %v", name, err)
		}
		var got []string
		for _, p := range plan.Problems {
			got = append(got, p.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	if diff := cmp.Diff(before, must(r.Catalog.Users(ctx, r.tenant.ID))(t)); diff != "" || r.lastEvent().Seq != last {
		t.Errorf("something was changed, last event %+v\n%s", r.lastEvent(), diff)
	}
}

// exported is what an export of a tenant says.
func exported(t *testing.T, h *archive.Handle, delimiter rune) []byte {
	t.Helper()
	rows, left, err := h.ExportUsers(t.Context(), archive.ExportOptions{Passwords: true})
	if err != nil || left != 0 {
		t.Fatalf("export: %d left out, %v", left, err)
	}
	var b bytes.Buffer
	if err := usercsv.Write(&b, delimiter, rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// listedOf is what a list says of users, by login.
func listedOf(users []*catalog.User) map[string]catalog.User {
	out := map[string]catalog.User{}
	for _, u := range users {
		out[u.Login] = catalog.User{Name: u.Name, FirstName: u.FirstName, LastName: u.LastName, PasswordHash: u.PasswordHash, Addresses: u.Addresses}
	}
	return out
}

// TestExportIsImportedAlike: what one tenant exports makes the same users, with the
// same passwords, in an empty one.
func TestExportIsImportedAlike(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{}, "firma.example")
	ctx, h := t.Context(), r.As(r.admin)
	list := "kmueller,,Karla,\"Müller, \"\"Kalle\"\"\",k.mueller@firma.example,info@firma.example\n" +
		"bernd,,'=1+1,@cmd,bernd@firma.example,+49301234@firma.example\n" +
		"carla,,,,\n"
	if _, err := h.ImportUsers(ctx, []byte(list), archive.ImportOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	must(h.CreateUser(ctx, archive.NewUser{Login: "dora", Name: "Dora D. Dachs", Role: access.RoleUser, Addresses: []string{"info@firma.example"}, Shared: true}))(t)
	for _, delimiter := range []rune{',', ';'} {
		t.Run(string(delimiter), func(t *testing.T) {
			file := exported(t, h, delimiter)
			for line := range strings.Lines(string(file)) {
				for _, f := range strings.FieldsFunc(line, func(c rune) bool { return c == delimiter }) {
					if strings.ContainsRune("=+@", rune(f[0])) {
						t.Errorf("%q begins like a formula", f)
					}
				}
			}
			other, _ := r.Tenant(t, map[rune]string{',': "zweite", ';': "dritte"}[delimiter])
			boss := r.User(t, other, "boss", access.RoleTenantAdmin)
			o := archive.ImportOptions{Shared: true}
			plan, err := r.As(boss).ImportUsers(ctx, file, o, nil)
			if err != nil || plan.Create != 6 || plan.Hashing != 0 {
				t.Fatalf("%+v, %v", plan, err)
			}
			was, is := listedOf(must(r.Catalog.Users(ctx, r.tenant.ID))(t)), listedOf(must(r.Catalog.Users(ctx, other.ID))(t))
			delete(is, "boss")
			for _, u := range must(r.Catalog.Users(ctx, other.ID))(t) {
				if u.Role != "user" && u.Login != "boss" {
					t.Errorf("%s became %s by a list", u.Login, u.Role)
				}
			}
			dora := was["dora"] // the format has no displayed name: that goes into the last name
			dora.LastName = dora.Name
			was["dora"] = dora
			if diff := cmp.Diff(was, is); diff != "" {
				t.Error(diff)
			}
			// The same file once more changes nothing, and gives the same file.
			plan, err = r.As(boss).ImportUsers(ctx, file, archive.ImportOptions{Shared: true, Update: true}, nil)
			if err != nil || plan.Same != 6 || plan.Update+plan.Create != 0 {
				t.Errorf("again: %+v, %v", plan, err)
			}
			var back []string
			for line := range strings.Lines(string(exported(t, r.As(boss), delimiter))) {
				if !strings.HasPrefix(line, "boss") {
					back = append(back, line)
				}
			}
			if diff := cmp.Diff(string(file), strings.Join(back, "")); diff != "" {
				t.Errorf("exported again:\n%s", diff)
			}
		})
	}
	if _, _, err := r.LogIn(ctx, archive.LogIn{Login: "anna", Tenant: "zweite", Password: archivetest.Password}); err != nil {
		t.Errorf("the password of an imported user: %v", err)
	}
}

func TestImportChangesUsers(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		r := newRouted(t, o, "firma.example")
		ctx, h := t.Context(), r.As(r.admin)
		token, _, err := r.LogIn(ctx, archive.LogIn{Login: "anna", Password: archivetest.Password})
		if err != nil {
			t.Fatal(err)
		}
		list := []byte("\ufeffanna;;Anna;Ahorn;post@firma.example\r\nneu;Kaffee Tanne Zebra 71;Nora;Neu;anna@firma.example\r\n")
		progress := []string{}
		plan := must(h.PreviewUsers(ctx, list, archive.ImportOptions{Update: true}))(t)
		if plan.Create != 1 || plan.Update != 1 || plan.Hashing != 1 || plan.Delimiter != ';' || len(plan.Problems) != 0 {
			t.Errorf("preview: %+v", plan)
		}
		var notices []string
		for _, n := range plan.Notices {
			notices = append(notices, fmt.Sprint(n.Line, " ", n.Code, " ", n.Args["value"]))
		}
		if diff := cmp.Diff([]string{"1 address-removed anna@firma.example"}, notices); diff != "" {
			t.Error(diff)
		}
		_, err = h.ImportUsers(ctx, list, archive.ImportOptions{Update: true}, func(done, all int) { progress = append(progress, fmt.Sprint(done, "/", all)) })
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"0/1", "1/1"}, progress); diff != "" {
			t.Error(diff)
		}
		if acc := must(r.Session(ctx, token, ""))(t); acc.User.Name != "Anna Ahorn" || cmp.Diff([]string{"post@firma.example"}, acc.Actor.Addresses) != "" {
			t.Errorf("the open session is that of %+v", acc.User)
		}
		if _, _, err := r.LogIn(ctx, archive.LogIn{Login: "neu", Password: "Kaffee Tanne Zebra 71"}); err != nil {
			t.Error(err)
		}
		var actions []string
		events, err := r.Catalog.Events(ctx, r.tenant.ID, 0, 100)
		for _, e := range events {
			if strings.HasPrefix(e.Action, "user") && e.Actor != "cli" {
				actions = append(actions, e.Action+" "+e.Details["login"])
			}
		}
		if diff := cmp.Diff([]string{"user.changed anna", "user.created neu", "users.imported "}, actions); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		clean(t, r.Env)
	})
}

// TestImportIsJudgedAgain: what changes while passwords are hashed is seen before
// anything is stored.
func TestImportIsJudgedAgain(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{}, "firma.example")
	ctx, h := t.Context(), r.As(r.admin)
	plan, err := h.ImportUsers(ctx, []byte("eins,Kaffee Tanne Zebra 71,E,E,\nzwei,,Z,Z,"), archive.ImportOptions{}, func(done, _ int) {
		if done == 1 {
			must(h.CreateUser(ctx, archive.NewUser{Login: "zwei", Role: access.RoleUser}))(t)
		}
	})
	if !errors.Is(err, archive.ErrImport) || len(plan.Problems) != 1 || plan.Problems[0].Line != 2 || plan.Problems[0].Code != archive.CodeLoginTaken {
		t.Errorf("%+v, %v", plan, err)
	}
	if _, err := r.Archive.User(ctx, r.tenant.ID, "eins"); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("half a list was imported: %v", err)
	}
}

// TestImportOfSomebodyDisabled: who is disabled while passwords are hashed imports
// nothing any more.
func TestImportOfSomebodyDisabled(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{}, "firma.example")
	_, err := r.As(r.admin).ImportUsers(t.Context(), []byte("eins,Kaffee Tanne Zebra 71,E,E,\nzwei,,Z,Z,"), archive.ImportOptions{}, func(done, _ int) {
		if done == 1 {
			must(r.ChangeUserOf(t.Context(), r.tenant.ID, r.admin.User, archive.UserChange{Disabled: new(true)}))(t)
		}
	})
	if !errors.Is(err, access.ErrForbidden) {
		t.Errorf("imported by somebody who is disabled: %v", err)
	}
	if n := len(must(r.Catalog.Users(t.Context(), r.tenant.ID))(t)); n != 2 {
		t.Errorf("%d users, want 2", n)
	}
}

func TestExportLeavesOutWhoMayNotLogIn(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{})
	ctx, h := t.Context(), r.As(r.admin)
	must(h.ChangeUser(ctx, r.anna.User, archive.UserChange{Disabled: new(true)}))(t)
	must(h.CreateUser(ctx, archive.NewUser{Login: "alt", Role: access.RoleUser, ExpiresOn: "2001-01-01"}))(t)
	rows, left, err := h.ExportUsers(ctx, archive.ExportOptions{})
	if err != nil || left != 2 || len(rows) != 1 || rows[0].ID != "chef" || rows[0].Password != "" {
		t.Errorf("%+v, %d left out, %v", rows, left, err)
	}
	if e := r.lastEvent(); e.Action != "users.exported" || e.Details["users"] != "1" || e.Details["left_out"] != "2" || e.Details["passwords"] != "none" {
		t.Errorf("event %+v", e)
	}
	rows, left, err = h.ExportUsers(ctx, archive.ExportOptions{Disabled: true})
	if err != nil || left != 0 || len(rows) != 3 {
		t.Errorf("%+v, %d left out, %v", rows, left, err)
	}
	if _, _, err := r.As(r.anna).ExportUsers(ctx, archive.ExportOptions{}); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("a user exports users: %v", err)
	}
}

// TestManyUsers imports as many as a reseller may have, and lists them.
func TestManyUsers(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{}, "firma.example")
	ctx, h := t.Context(), r.As(r.admin)
	var b strings.Builder
	for i := range 498 {
		fmt.Fprintf(&b, "user%03d,,Vorname%d,Nachname%d,user%d@firma.example,zweite%d@firma.example\n", i, i, i, i, i)
	}
	start := time.Now()
	if _, err := h.ImportUsers(ctx, []byte(b.String()), archive.ImportOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	imported := time.Since(start)
	start = time.Now()
	p := must(h.Users(ctx, archive.UserQuery{Limit: 500}))(t)
	t.Logf("import of 498 users without passwords: %v; list of %d: %v", imported, len(p.Users), time.Since(start))
	if len(p.Users) != 500 || p.All != 500 || p.Next != "" {
		t.Errorf("%d users, %+v", len(p.Users), p)
	}
}
