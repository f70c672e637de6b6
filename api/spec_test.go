package api

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// document is as much of OpenAPI as the tests look at.
type document struct {
	Paths      map[string]map[string]documented `json:"paths"`
	Components struct {
		Schemas map[string]struct {
			Properties map[string]struct {
				Type any `json:"type"`
			} `json:"properties"`
		} `json:"schemas"`
	} `json:"components"`
}

type documented struct {
	OperationID string           `json:"operationId"`
	Security    []map[string]any `json:"security"`
	Right       string           `json:"x-muniment-right"`
	Responses   map[string]struct {
		Content map[string]struct {
			Examples map[string]struct{ Value Problem } `json:"examples"`
		} `json:"content"`
	} `json:"responses"`
}

func parse(t *testing.T) document {
	t.Helper()
	b, err := Spec()
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSpecIsCommitted(t *testing.T) {
	t.Parallel()
	want, err := Spec()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("openapi.json is not what the source says; run: go generate ./api")
	}
}

func TestSpecIsDeterministic(t *testing.T) {
	t.Parallel()
	first, err := Spec()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if again, err := Spec(); err != nil || !bytes.Equal(first, again) {
			t.Fatalf("two documents of the same source differ (%v)", err)
		}
	}
}

// Every operation shows an example of each problem, under the status it has.
func TestProblemsHaveExamples(t *testing.T) {
	t.Parallel()
	everywhere := []Code{CodeMalformed, CodeInvalid, CodeInternal, CodeBusy}
	for path, methods := range parse(t).Paths {
		for method, o := range methods {
			var seen []Code
			for status, r := range o.Responses {
				if strings.HasPrefix(status, "2") {
					continue
				}
				examples := r.Content[ProblemMediaType].Examples
				if len(examples) == 0 {
					t.Errorf("%s %s: response %s has no example", method, path, status)
				}
				for name, e := range examples {
					if e.Value.Code != Code(name) || strconv.Itoa(e.Value.Status) != status || e.Value.Title == "" || e.Value.Detail == "" || e.Value.RequestID == "" {
						t.Errorf("%s %s: example %s under %s: %+v", method, path, name, status, e.Value)
					}
					seen = append(seen, e.Value.Code)
				}
			}
			want := everywhere
			if len(o.Security) > 0 {
				want = append(slices.Clone(want), CodeNoSession)
			}
			if strings.Contains(path, "{id}") {
				want = append(slices.Clone(want), CodeNotFound, CodeRole)
			}
			for _, c := range want {
				if !slices.Contains(seen, c) {
					t.Errorf("%s %s: no example of %s", method, path, c)
				}
			}
		}
	}
}

// Generated clients must not have to expect null for a list or big integers.
func TestListsAreNeverNull(t *testing.T) {
	t.Parallel()
	for name, s := range parse(t).Components.Schemas {
		for member, p := range s.Properties {
			if list, ok := p.Type.([]any); ok && slices.Contains(list, any("array")) {
				t.Errorf("%s.%s may be null", name, member)
			}
		}
	}
}

func TestOnlyFewOperationsArePublic(t *testing.T) {
	t.Parallel()
	var public []string
	for _, methods := range parse(t).Paths {
		for _, o := range methods {
			if len(o.Security) == 0 {
				public = append(public, o.OperationID)
			}
		}
	}
	slices.Sort(public)
	if want := []string{"beginPasskey", "finishLogIn", "forgotPassword", "found", "getLogo", "getStatus", "listLogInOffers", "logIn", "logInByPasskey", "logOut", "lookAtLink", "useLink"}; !slices.Equal(public, want) {
		t.Errorf("without a session: %v, want %v", public, want)
	}
}

func TestProblemsAreExplained(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../docs/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Kinds() {
		heading := "\n## " + string(k.Code) + "\n\n" + strconv.Itoa(k.Status) + " · " + k.Title + "."
		if !strings.Contains(string(b), heading) {
			t.Errorf("docs/problems.md lacks%q", heading)
		}
	}
}

// Every operation that needs a session says in the document which right it needs, and
// no right is decided on for an operation that does not exist.
func TestOperationsDeclareRights(t *testing.T) {
	t.Parallel()
	declared := rights()
	for path, methods := range parse(t).Paths {
		for method, o := range methods {
			if right := string(declared[o.OperationID]); o.Right != right || (o.Right == "") != (len(o.Security) == 0) {
				t.Errorf("%s %s: the document says %q, rights.go %q", method, path, o.Right, right)
			}
			delete(declared, o.OperationID)
		}
	}
	for id := range declared {
		t.Errorf("rights.go knows %s, the document does not", id)
	}
	defer func() {
		if recover() == nil {
			t.Error("an operation without a right can be described")
		}
	}()
	op{id: "new"}.right()
}
