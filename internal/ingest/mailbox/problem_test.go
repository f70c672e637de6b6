package mailbox

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
)

// codes are the codes of problems that package remote has constants for.
func codes(t *testing.T) (out []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../remote/remote.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Code") {
			if v, ok := spec.Values[0].(*ast.BasicLit); ok {
				s, err := strconv.Unquote(v.Value)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, s)
			}
		}
		return true
	})
	if len(out) < 10 {
		t.Fatalf("only %d codes are found", len(out))
	}
	return out
}

// The web interface recognises the reasons of what stays on a server.
func TestReasonsAreTranslated(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../../web/src/sources/reason.ts")
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range []string{reasonNotDeleted, reasonKept, reasonDots} {
		if !strings.Contains(string(b), "'"+reason+"'") {
			t.Errorf("%q is not known there", reason)
		}
	}
	for reason, pattern := range map[string]string{
		reasonTooLarge:   strings.ReplaceAll(reasonTooLarge, "%d", `(\d+)`),
		reasonUnreadable: strings.NewReplacer("%s", ".{1,300}?", "%w", "(.*)").Replace(reasonUnreadable),
	} {
		if !strings.Contains(string(b), "/^"+pattern+"$/") {
			t.Errorf("%q is not known there; want /^%s$/", reason, pattern)
		}
	}
}

// Every problem has a sentence, and in the web interface a sentence and a cure in
// both languages; the interface description knows its code.
func TestEveryProblemHasTexts(t *testing.T) {
	t.Parallel()
	field, _ := reflect.TypeFor[api.MailboxProblem]().FieldByName("Code")
	known := strings.Split(field.Tag.Get("enum"), ",")
	for _, c := range codes(t) {
		if texts[c] == "" {
			t.Errorf("%s has no text", c)
		}
		if !slices.Contains(known, c) {
			t.Errorf("%s is not in the interface description", c)
		}
	}
	for _, language := range []string{"en", "de"} {
		b, err := os.ReadFile("../../../web/src/locales/" + language + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var all struct {
			Sources struct{ Problem, Cure map[string]string }
		}
		if err := json.Unmarshal(b, &all); err != nil {
			t.Fatal(err)
		}
		for _, c := range codes(t) {
			if all.Sources.Problem[c] == "" || all.Sources.Cure[c] == "" {
				t.Errorf("%s: %s has no sentence or no cure", language, c)
			}
		}
	}
}
