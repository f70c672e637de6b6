package attack

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// minAttempts is how many the list has at least.
const minAttempts = 40

// docs/security.md names every attempt, and no test that is not there.
func TestListIsComplete(t *testing.T) {
	t.Parallel()
	const root = "../../"
	raw, err := os.ReadFile(root + "docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`attack/([a-z-]+)`").FindAllStringSubmatch(string(raw), -1) {
		named[m[1]] = true
	}
	known := map[string]bool{}
	for _, a := range attempts() {
		if known[a.name] {
			t.Errorf("two attempts are called %s", a.name)
		}
		if known[a.name] = true; !named[a.name] {
			t.Errorf("docs/security.md lacks `attack/%s`", a.name)
		}
	}
	for name := range named {
		if !known[name] {
			t.Errorf("docs/security.md names attack/%s, which is no attempt", name)
		}
	}
	if len(known) < minAttempts {
		t.Errorf("%d attempts, want at least %d", len(known), minAttempts)
	}
	tests := regexp.MustCompile("`([a-z][a-z0-9/]*)\\.((?:Test|Fuzz)[A-Za-z0-9_]+)`").FindAllStringSubmatch(string(raw), -1)
	if len(tests) == 0 {
		t.Error("docs/security.md names no other tests")
	}
	for _, m := range tests {
		if !declares(t, root+m[1], m[2]) {
			t.Errorf("docs/security.md names %s.%s, which does not exist", m[1], m[2])
		}
	}
}

// declares reports whether the test files of a package declare a test.
func declares(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(dir + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
