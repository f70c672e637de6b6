package fault

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/testkit/need"
)

// calls are the system calls by which a commit reaches the disk. The number is
// how many of them in a row are made to fail, one in each round.
var calls = []struct {
	name   string
	rounds int
}{
	{"fsync,fdatasync", 6}, {"pwrite64", 10}, {"write", 4}, {"openat", 4}, {"linkat,renameat,renameat2,rename", 2},
	{"ftruncate,fallocate", 2}, {"mkdirat", 2}, {"unlinkat", 2}, {"pread64", 4}, {"mmap", 2},
}

// Each system call of a commit fails in turn, in vault, catalog and index. What
// the sender gets is 250 or 4xx, or the server ends; nothing acknowledged is lost.
func TestSystemCallsFail(t *testing.T) {
	need.Program(t, "strace")
	s := newSubject(t, t.TempDir())
	srv := s.serve()
	answered, refused, died := 0, 0, 0
	for _, c := range calls {
		for n := 1; n <= c.rounds; n++ {
			for _, errno := range []string{"EIO", "ENOSPC"} {
				detach := inject(t, srv, c.name, errno, n)
				err := s.once(srv)
				detach()
				switch {
				case err == nil:
					answered++
				case later(err):
					refused++
				default:
					t.Logf("%s %s, call %d: %v", c.name, errno, n, err)
				}
				for err := s.eventually(srv); err != nil; err = s.eventually(srv) {
					if !srv.ended() {
						t.Fatalf("%s %s, call %d: afterwards the archive refuses: %v\n%s", c.name, errno, n, err, srv.log)
					}
					died++
					t.Logf("%s %s, call %d: the server ended: %.400s", c.name, errno, n, srv.log)
					srv = s.serve()
				}
			}
		}
	}
	srv.stop(t)
	s.prove()
	t.Logf("%d messages answered with 250, %d with 4xx, %d ends of the server; %d acknowledged are there", answered, refused, died, len(s.acked))
	if refused == 0 {
		t.Error("no failure had an effect: the injection does not work")
	}
}

func (s *subject) once(srv *server) error {
	c, err := dial(srv.smtp)
	if err != nil {
		return err
	}
	defer c.Close()
	return s.send(c)
}

// inject makes the n-th of the calls of every thread fail until detach.
func inject(t *testing.T, srv *server, calls, errno string, n int) (detach func()) {
	t.Helper()
	cmd := exec.Command("strace", "-f", "-p", strconv.Itoa(srv.cmd.Process.Pid), "-e", "trace="+calls,
		"-e", fmt.Sprintf("inject=%s:error=%s:when=%d", calls, errno, n), "-o", os.DevNull)
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	attached := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "attached") {
				attached <- true
				break
			}
		}
		for lines.Scan() { // keep the pipe empty
		}
	}()
	select {
	case <-attached:
	case <-time.After(10 * time.Second):
		t.Fatal("strace does not attach; is ptrace allowed?")
	}
	return func() {
		// A tracer can wait for ever for the threads of a server that died.
		last := time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() }) //nolint:errcheck // it may have ended
		defer last.Stop()
		cmd.Process.Signal(syscall.SIGINT) //nolint:errcheck // it ends with the server
		cmd.Wait()                         //nolint:errcheck // its exit code says nothing
	}
}
