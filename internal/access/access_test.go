package access

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/uid"
)

var update = flag.Bool("update", false, "write the tables of docs/roles.md")

// described is a constant with its comment.
type described struct{ value, words string }

// constants reads the constants of a type, with their comments, from the source.
func constants(t *testing.T, kind string) []described {
	t.Helper()
	var out []described
	for _, name := range []string{"access.go", "grant.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				v, ok := s.(*ast.ValueSpec)
				if !ok {
					continue
				}
				if typ, ok := v.Type.(*ast.Ident); !ok || typ.Name != kind {
					continue
				}
				lit, ok := v.Values[0].(*ast.BasicLit)
				if !ok {
					t.Fatalf("%s: no literal", v.Names[0].Name)
				}
				value, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				words := strings.Join(strings.Fields(v.Doc.Text()), " ")
				words = strings.TrimPrefix(words, v.Names[0].Name+" ")
				if words == "" {
					t.Errorf("%s %s has no comment", kind, value)
					continue
				}
				out = append(out, described{value, strings.ToUpper(words[:1]) + words[1:]})
			}
		}
	}
	return out
}

// tables writes the tables of docs/roles.md.
func tables(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	head, line := "| right |", "|---|"
	for _, r := range Roles() {
		head, line = head+" "+string(r)+" |", line+":-:|"
	}
	fmt.Fprintf(&b, "%s what it allows |\n%s---|\n", head, line)
	for _, right := range constants(t, "Right") {
		fmt.Fprintf(&b, "| `%s` |", right.value)
		for _, role := range Roles() {
			if Allowed(role, Right(right.value)) {
				b.WriteString(" yes |")
			} else {
				b.WriteString(" · |")
			}
		}
		fmt.Fprintf(&b, " %s |\n", right.words)
	}
	fmt.Fprintf(&b, "\n| request | what it asks for | who asks | who approves |\n|---|---|---|---|\n")
	for _, k := range constants(t, "Kind") {
		for _, asks := range Requesters(Kind(k.value)) {
			var approvers []string
			for _, r := range Approvers(Kind(k.value), asks) {
				approvers = append(approvers, string(r))
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.value, k.words, asks, strings.Join(approvers, " or "))
		}
	}
	return b.String()
}

// docs/roles.md shows the table as it is in the code.
func TestRolesAreDocumented(t *testing.T) {
	t.Parallel()
	const page, begin, end = "../../docs/roles.md", "<!-- tables: written by go test ./internal/access -update -->\n", "<!-- end of tables -->"
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(raw), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s lacks the marks of the tables", page)
	}
	want := before + begin + tables(t) + end + after
	if want == string(raw) {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the code says; run: go test ./internal/access -update", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Every right is somebody's, and every role has a line in the documentation of roles.
func TestRightsAreReachable(t *testing.T) {
	t.Parallel()
	rights := constants(t, "Right")
	if len(rights) < 10 {
		t.Fatalf("found %d rights", len(rights))
	}
	for _, r := range rights {
		if Right(r.value).ForPrograms() == slices.ContainsFunc(Roles(), func(role Role) bool { return Allowed(role, Right(r.value)) }) {
			t.Errorf("nobody has the right %s", r.value)
		}
	}
	for _, r := range constants(t, "Role") {
		if !slices.Contains(Roles(), Role(r.value)) {
			t.Errorf("Roles lacks %s", r.value)
		}
	}
	for _, k := range constants(t, "Kind") {
		if !slices.Contains(Kinds(), Kind(k.value)) {
			t.Errorf("Kinds lacks %s", k.value)
		}
	}
}

// Administrators never read other people's mail, and nobody approves alone.
func TestNobodyReadsAlone(t *testing.T) {
	t.Parallel()
	for _, k := range Kinds() {
		for _, r := range Roles() {
			if k.Reads() && slices.Contains(Requesters(k), r) && (r == RoleOperator || r == RoleReseller || r == RoleTenantAdmin) {
				t.Errorf("%s may ask for %s", r, k)
			}
			if slices.Contains(Approvers(k, r), r) {
				t.Errorf("%s approves its own %s", r, k)
			}
			for _, a := range Approvers(k, r) {
				if !Allowed(a, DecideRight(k)) {
					t.Errorf("%s approves %s and may not decide", a, k)
				}
			}
		}
	}
	tenant, one, two := uid.ID{1}, uid.ID{2}, uid.ID{3}
	as := func(u uid.ID, r Role) Actor { return Actor{Tenant: tenant, User: u, Role: r} }
	if err := as(two, RoleDPO).CheckDecision(ReadMailbox, one, RoleAuditor); err != nil {
		t.Errorf("another person with another role: %v", err)
	}
	for name, err := range map[string]error{
		"the same person with another role since":      as(one, RoleDPO).CheckDecision(ReadMailbox, one, RoleAuditor),
		"another person with the same role":            as(two, RoleAuditor).CheckDecision(ReadMailbox, one, RoleAuditor),
		"the role that asked, held now by an approver": as(two, RoleDPO).CheckDecision(ReadMailbox, one, RoleDPO),
		"a user":                              as(two, RoleUser).CheckDecision(ReadMailbox, one, RoleAuditor),
		"an operator":                         Actor{User: two, Role: RoleOperator}.CheckDecision(ReadMailbox, one, RoleAuditor),
		"the same person approves a deletion": as(one, RoleAuditor).CheckDecision(DeleteMessages, one, RoleDPO),
		"the same role approves a deletion":   as(two, RoleDPO).CheckDecision(DeleteMessages, one, RoleDPO),
		"a user asks for a deletion":          as(two, RoleUser).CheckRequest(DeleteMessages),
		"an operator asks for a deletion":     Actor{User: two, Role: RoleOperator}.CheckRequest(DeleteMessages),
		"a deletion under a reading":          Actor{Tenant: tenant, User: one, Role: RoleAuditor, Grant: &Grant{Kind: ReadSeveral}}.CheckRequest(DeleteMessages),
		"an unknown kind":                     as(two, RoleDPO).CheckDecision("nothing", one, RoleAuditor),
		"an administrator who asks":           as(two, RoleTenantAdmin).CheckRequest(ReadMailbox),
		"an auditor asks for unknown":         as(two, RoleAuditor).CheckRequest("nothing"),
		"an export in a session":              Actor{Tenant: tenant, User: one, Role: RoleAuditor, Grant: &Grant{Kind: ReadSeveral}}.CheckExport(),
		"an operator exports":                 Actor{User: two, Role: RoleOperator}.CheckExport(),
		"an act in a session":                 Actor{Tenant: tenant, User: one, Role: RoleAuditor, Grant: &Grant{}}.CheckRequest(ReadMailbox),
		"an upload in a session":              Actor{Tenant: tenant, User: one, Role: RoleAuditor, Grant: &Grant{}}.Check(UploadDocuments),
		"an auditor of no tenant":             Actor{User: one, Role: RoleAuditor}.Check(SearchOwn),
		"a reseller of a tenant":              Actor{Tenant: tenant, User: one, Role: RoleReseller, Reseller: two}.Check(ManageTenants),
		"a reseller of no reseller":           Actor{User: one, Role: RoleReseller}.Check(ManageTenants),
	} {
		if !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
