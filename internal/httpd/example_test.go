package httpd_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The example in docs/problems.md is what the server sends.
func TestDocumentedProblem(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n")
	example, _, _ := strings.Cut(rest, "```")
	var want, got map[string]any
	if err := json.Unmarshal([]byte(example), &want); err != nil {
		t.Fatal(err)
	}
	a := start(t).as(t, "anna").get(t, "/api/v1/search?q="+escape("befor:2024-01-01"))
	if err := json.Unmarshal(a.body, &got); err != nil {
		t.Fatal(err)
	}
	if len(got["request_id"].(string)) != len(want["request_id"].(string)) || strings.Trim(want["request_id"].(string), "abcdefghijklmnopqrstuvwxyz234567") != "" {
		t.Errorf("request ids are such as %v", got["request_id"])
	}
	got["request_id"] = want["request_id"]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/problems.md (-) and the server (+) differ:\n%s", diff)
	}
}
