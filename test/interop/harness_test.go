// Package interop runs the program against software of others: mailboxes that
// other programs wrote, mail servers and mail clients that speak to its doors.
// All traffic stays on the loopback interface.
package interop

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for something before it fails.
const patience = time.Minute

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
		if err == nil {
			err = os.Chmod(dir, 0o755) // some tests run the program as another user
		}
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

// serve runs the server until the test ends and returns its process and the
// address of its SMTP door.
func (i *installation) serve() (*os.Process, string) {
	i.t.Helper()
	s := i.serveWith("SMTP receiver: ")
	return s.cmd.Process, s.addr
}

// serving is a running server.
type serving struct {
	cmd   *exec.Cmd
	addr  string // of the door that was asked for
	ended bool
}

// serveWith runs the server with the settings ("http.listen=…") until the test
// ends; announce is what it prints before the address of the wanted door.
func (i *installation) serveWith(announce string, settings ...string) *serving {
	i.t.Helper()
	var args []string
	for _, s := range append([]string{"http.listen=127.0.0.1:0", "smtp.listen=127.0.0.1:0"}, settings...) {
		args = append(args, "--set", s)
	}
	s := &serving{cmd: i.command(context.WithoutCancel(i.t.Context()), append(args, "serve")...)}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		i.t.Fatal(err)
	}
	var log bytes.Buffer
	s.cmd.Stderr = &log
	if err := s.cmd.Start(); err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() {
		if err := s.end(syscall.SIGTERM); err != nil {
			i.t.Errorf("the server ended with %v", err)
		}
		if i.t.Failed() {
			i.t.Logf("log of the server:\n%s", log.String())
		}
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if addr, ok := strings.CutPrefix(lines.Text(), announce); ok {
			s.addr = addr
			return s
		}
	}
	i.t.Fatalf("the server did not start: %s", log.String())
	return nil
}

// end sends the signal and waits, once.
func (s *serving) end(sig os.Signal) error {
	if s.ended {
		return nil
	}
	s.ended = true
	return errors.Join(s.cmd.Process.Signal(sig), s.cmd.Wait())
}

// resident returns the most bytes of memory a running process has had.
func resident(t *testing.T, p *os.Process) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	line, _, _ := strings.Cut(rest, "\n")
	kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(line), "kB")), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
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
