package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is what a whole process took.
type usage struct {
	wall, cpu time.Duration
	resident  int64 // bytes at the highest
}

// process runs a command to its end.
func process(ctx context.Context, env []string, name string, args ...string) (usage, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return usage{}, fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out.Bytes())
	}
	u := usage{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.resident = r.Maxrss << 10
	}
	return u, nil
}

// muniment runs the archive's program on a data directory.
func (b *bench) muniment(ctx context.Context, data string, args ...string) (usage, error) {
	return process(ctx, nil, b.program, append([]string{"--data", data}, args...)...)
}

// server is a running archive.
type server struct {
	cmd       *exec.Cmd
	url, smtp string
	started   time.Duration // from exec to the first answer
}

// serve starts the archive on free ports and waits until it answers.
func (b *bench) serve(ctx context.Context, data string) (*server, error) {
	cmd := exec.CommandContext(ctx, b.program, "--data", data, "--set", "http.listen=127.0.0.1:0", "--set", "smtp.listen=127.0.0.1:0", "--set", "log.level=error", "serve")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s, start := &server{cmd: cmd}, time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for (s.url == "" || s.smtp == "") && lines.Scan() {
		if v, ok := strings.CutPrefix(lines.Text(), "SMTP receiver: "); ok {
			s.smtp = v
		} else if i := strings.Index(lines.Text(), "http://"); i >= 0 {
			s.url = strings.Fields(lines.Text()[i:])[0]
		}
	}
	if s.url == "" || s.smtp == "" {
		return nil, fmt.Errorf("the server did not start: %w", s.stop())
	}
	go func() {
		for lines.Scan() { // keep the pipe empty
		}
	}()
	for {
		if err := answers(ctx, s.url); err == nil {
			s.started = time.Since(start)
			return s, nil
		} else if time.Since(start) > time.Minute {
			return nil, err
		}
		time.Sleep(time.Millisecond)
	}
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}

// resident is the most memory the process has held, in bytes.
func (s *server) resident() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, fmt.Errorf("no VmHWM")
	}
	n, err := strconv.ParseInt(fields[0], 10, 64)
	return n << 10, err
}

// size returns the bytes of all files below the directories.
func size(dirs ...string) (n int64) {
	for _, dir := range dirs {
		filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error { //nolint:errcheck // a missing file counts nothing
			if err == nil && d.Type().IsRegular() {
				if st, err := d.Info(); err == nil {
					n += st.Size()
				}
			}
			return nil
		})
	}
	return n
}

// machine prints what the figures were measured on.
func machine(ctx context.Context, program string) error {
	version, err := exec.CommandContext(ctx, program, "version").Output()
	if err != nil {
		return err
	}
	model := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(info), "model name\t: "); ok {
			model, _, _ = strings.Cut(rest, "\n")
		}
	}
	var memory syscall.Sysinfo_t
	if err := syscall.Sysinfo(&memory); err != nil {
		return err
	}
	fmt.Printf("%s; %s, %d cores, %d GiB, %s\n", strings.TrimSpace(string(version)), model, runtime.NumCPU(), memory.Totalram>>30, time.Now().Format(time.DateOnly))
	return nil
}

func mib(n int64) string { return fmt.Sprintf("%d MiB", (n+1<<19)>>20) }
