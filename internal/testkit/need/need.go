// Package need ends tests whose components are not there. A component that the run
// requires is never skipped: MUNIMENT_TEST_REQUIRE names such components, separated by
// commas, or is "all", as in the CI run.
package need

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Program returns the path of a program of others, which scripts/setup installs. Without
// it the test ends as by Lacks.
func Program(t testing.TB, name string) string {
	t.Helper()
	path := Find(name)
	if path == "" {
		Lacks(t, name, name+" is not installed; scripts/setup test installs it")
	}
	return path
}

// Find returns the path of a program, also of one that is for administrators; empty: it
// is not installed.
func Find(name string) string {
	for _, dir := range []string{"", "/usr/sbin/", "/sbin/"} {
		if path, err := exec.LookPath(dir + name); err == nil {
			return path
		}
	}
	return ""
}

// Lacks ends a test that cannot run: where MUNIMENT_TEST_REQUIRE names what is missing, it
// fails, elsewhere it is skipped.
func Lacks(t testing.TB, name, why string) {
	t.Helper()
	for n := range strings.SplitSeq(os.Getenv("MUNIMENT_TEST_REQUIRE"), ",") {
		if n == name || n == "all" {
			t.Fatalf("%s (MUNIMENT_TEST_REQUIRE asks for %s)", why, n)
		}
	}
	t.Skip(why)
}
