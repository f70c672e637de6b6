//go:build unix

package pgtest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// startTimeout bounds the wait for the server's first answer.
const startTimeout = 2 * time.Minute

// keeper runs the server as long as its standard input is open, that is as
// long as the test process lives, and then removes its directory.
const keeper = `
"$1/postgres" -D "$2/data" >"$2/log" 2>&1 &
server=$!
cat >/dev/null
kill -INT $server 2>/dev/null
wait $server
rm -rf "$2"
`

const settings = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
full_page_writes = off
max_connections = 200
shared_buffers = 32MB
max_wal_size = 512MB
autovacuum_naptime = 1min
log_min_messages = warning
`

// start makes a database cluster and starts a server on it.
func start() (*server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "muniment-pgtest-*")
	if err != nil {
		return nil, err
	}
	s, err := startIn(bin, dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func startIn(bin, dir string) (*server, error) {
	who, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--no-sync", "--auth=trust", "--username=muniment", "--encoding=UTF8", "--locale=C.UTF-8",
		"-D", filepath.Join(dir, "data"))
	initdb.SysProcAttr, initdb.Dir = who, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	conf, err := os.OpenFile(filepath.Join(dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(conf, "%sport = %d\n", settings, port)
	if err := errors.Join(err, conf.Close()); err != nil {
		return nil, err
	}
	sh := exec.Command("/bin/sh", "-c", keeper, "keeper", bin, dir)
	sh.SysProcAttr, sh.Dir = who, dir
	life, err := sh.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := sh.Start(); err != nil {
		return nil, err
	}
	dsn := fmt.Sprintf("postgres://muniment@127.0.0.1:%d/postgres?sslmode=disable", port)
	if err := await(dsn, dir); err != nil {
		return nil, errors.Join(err, life.Close())
	}
	return &server{dsn: dsn, life: life}, nil
}

// await tries until the server answers: there is nothing else to wait for.
func await(dsn, dir string) error {
	var err error
	for end := time.Now().Add(startTimeout); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = admin(dsn, "SELECT 1"); err == nil {
			return nil
		}
	}
	out, _ := os.ReadFile(filepath.Join(dir, "log")) // best effort, to explain
	return fmt.Errorf("server does not answer: %w: %s", err, out)
}

// unprivileged makes dir's owner somebody the server agrees to run as.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("nobody to run as: %w", err)
	}
	id, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	group, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(id), Gid: uint32(group)}}, os.Chown(dir, int(id), int(group))
}

// binaries returns the directory of initdb and postgres, of the newest version.
func binaries() (string, error) {
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	version := func(dir string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir))) // 0: an unusual name comes last
		return n
	}
	slices.SortFunc(dirs, func(a, b string) int { return version(b) - version(a) })
	dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	for _, dir := range dirs {
		if executable(filepath.Join(dir, "initdb")) && executable(filepath.Join(dir, "postgres")) {
			return dir, nil
		}
	}
	return "", errors.New("initdb and postgres are neither in /usr/lib/postgresql nor in PATH")
}

func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0
}

// freePort returns a port that was free a moment ago. If somebody takes it
// meanwhile, the server does not start and the test says so.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	addr, ok := l.Addr().(*net.TCPAddr)
	if err := l.Close(); err != nil {
		return 0, err
	}
	if !ok {
		return 0, fmt.Errorf("unexpected address %v", l.Addr())
	}
	return addr.Port, nil
}
