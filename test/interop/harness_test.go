// Package interop runs the program against software of others: mailboxes that
// other programs wrote, mail servers and mail clients that speak to its doors.
// All traffic stays on the loopback interface.
package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for something before it fails.
const patience = time.Minute

// need returns the path of a program of others. A missing one fails where
// MUNIMENT_TEST_REQUIRE names it or "all", as in the CI run, and skips elsewhere.
func need(t *testing.T, program string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/", "/sbin/"} {
		if path, err := exec.LookPath(dir + program); err == nil {
			return path
		}
	}
	for n := range strings.SplitSeq(os.Getenv("MUNIMENT_TEST_REQUIRE"), ",") {
		if n == program || n == "all" {
			t.Fatalf("%s is not installed, and MUNIMENT_TEST_REQUIRE asks for it; scripts/setup test installs it", program)
		}
	}
	t.Skipf("%s is not installed; scripts/setup test installs it", program)
	return ""
}

// builds holds the program, if it had to be built, for all tests.
type builds struct {
	once sync.Once
	path string
	err  error
}

var built builds

// binary returns the program under test: MUNIMENT_BIN, or one built now.
func binary(t *testing.T) string {
	t.Helper()
	if bin := os.Getenv("MUNIMENT_BIN"); bin != "" {
		if _, err := os.Stat(bin); err == nil {
			return bin
		}
	}
	built.once.Do(func() {
		dir, err := os.MkdirTemp("", "muniment-interop-")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(dir, "muniment")
		out, err := exec.Command("go", "build", "-o", built.path, "github.com/muniment/muniment/cmd/muniment").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatalf("build: %v", built.err)
	}
	return built.path
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.path != "" {
		os.RemoveAll(filepath.Dir(built.path))
	}
	os.Exit(code)
}

// installation is a data directory with one tenant, "acme".
type installation struct {
	t       *testing.T
	bin     string
	data    string
	journal string // its journal address
}

func install(t *testing.T) *installation {
	t.Helper()
	i := &installation{t: t, bin: binary(t), data: filepath.Join(t.TempDir(), "data")}
	r := i.run("tenant", "create", "acme")
	if r.code != 0 {
		t.Fatalf("create tenant: exit %d\n%s%s", r.code, r.out, r.err)
	}
	_, rest, _ := strings.Cut(r.out, "journal address: ")
	i.journal = strings.TrimSpace(rest)
	return i
}

func (i *installation) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, i.bin, append([]string{"--data", i.data}, args...)...)
	cmd.Env = append(os.Environ(), "GOTRACEBACK=all")
	return cmd
}

// ran is how a run of the program ended.
type ran struct {
	code     int
	out, err string
	resident int64 // most bytes of memory, as the system counted
}

func (i *installation) run(args ...string) ran {
	i.t.Helper()
	return finish(i.t, i.command(i.t.Context(), args...))
}

// finish runs cmd to its end, whatever that is.
func finish(t *testing.T, cmd *exec.Cmd) ran {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r := ran{code: cmd.ProcessState.ExitCode(), out: out.String(), err: errs.String()}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.resident = u.Maxrss << 10
	}
	return r
}

// intact requires that the archive is whole and holds n messages.
func (i *installation) intact(n int) {
	i.t.Helper()
	r := i.run("fsck")
	want := fmt.Sprintf(" %d messages", n)
	if r.code != 0 || !strings.Contains(r.out, want) {
		i.t.Errorf("fsck: exit %d, want%s\n%s%s", r.code, want, r.out, r.err)
	}
}

// until waits for ok to become true; what it waits for is in other processes,
// which tell nobody.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for tick := time.NewTicker(10 * time.Millisecond); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}
