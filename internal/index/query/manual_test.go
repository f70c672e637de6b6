package query

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

const manual = "../../../docs/search.md"

// Every example of the manual is a query, and no name is missing there.
func TestManual(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	examples := examplesOf(text)
	if len(examples) < 50 {
		t.Errorf("only %d examples found", len(examples))
	}
	for _, e := range examples {
		q, err := Parse(e, Env{})
		if err != nil {
			t.Errorf("%s: %v", e, err)
		} else if q.Root() == nil {
			t.Errorf("%s means nothing", e)
		}
	}
	for i := range operators {
		for _, name := range operators[i].names() {
			if !strings.Contains(text, "`"+name+":`") {
				t.Errorf("field %s is missing", name)
			}
		}
	}
	for i := range fileKinds {
		for _, name := range []string{fileKinds[i].name, fileKinds[i].german()} {
			if !strings.Contains(text, "`"+name+"`") {
				t.Errorf("kind %s is missing", name)
			}
		}
	}
	for _, code := range Codes() {
		if !strings.Contains(text, "`"+code+"`") {
			t.Errorf("code %s is missing", code)
		}
	}
}

var lastCell = regexp.MustCompile("(?m)^\\|.*\\| `([^`|]+)` \\|$")

// examplesOf returns the lines of blocks marked as queries and the last cells of
// tables.
func examplesOf(manual string) []string {
	var out []string
	for _, block := range strings.Split(manual, "```query\n")[1:] {
		body, _, _ := strings.Cut(block, "```")
		out = append(out, strings.Split(strings.TrimSpace(body), "\n")...)
	}
	for _, m := range lastCell.FindAllStringSubmatch(manual, -1) {
		out = append(out, m[1])
	}
	return out
}
