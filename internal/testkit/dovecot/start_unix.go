//go:build unix

package dovecot

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	startTimeout = time.Minute // until it answers
	stopTimeout  = time.Minute
)

// keeper runs the server as long as its standard input is open, that is as
// long as the test process lives, and then removes its directory.
const keeper = `
"$1" -F -c "$2/dovecot.conf" >"$2/out" 2>&1 &
server=$!
cat >/dev/null
kill -TERM $server 2>/dev/null
wait $server
rm -rf "$2"
`

// find returns the path of the server's program.
func find() (string, error) {
	for _, lib := range []string{"imap", "pop3"} {
		if _, err := os.Stat("/usr/lib/dovecot/" + lib); err != nil {
			return "", fmt.Errorf("dovecot's %s server is not installed", lib)
		}
	}
	for _, name := range []string{"dovecot", "/usr/sbin/dovecot"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("dovecot is not installed")
}

func (s *Server) start(program string, opts Options) error {
	var err error
	if s.who, err = unprivileged(); err != nil {
		return err
	}
	if err := errors.Join(s.own(s.dir), s.writeCertificate()); err != nil {
		return err
	}
	for _, dir := range []string{"run", "state", "home"} {
		if err := s.makeDir(filepath.Join(s.dir, dir)); err != nil {
			return err
		}
	}
	conf, err := s.configuration(opts)
	if err != nil {
		return err
	}
	confFile, users := filepath.Join(s.dir, "dovecot.conf"), filepath.Join(s.dir, "users")
	err = errors.Join(s.makeMaildir(s.Maildir()), os.WriteFile(confFile, []byte(conf), 0o600), s.own(confFile),
		os.WriteFile(users, []byte(User+":"+Password+"\n"), 0o600), s.own(users))
	if err != nil {
		return err
	}
	if err := s.run(program); err != nil {
		return err
	}
	if err := s.await(); err != nil {
		return errors.Join(err, s.Stop())
	}
	return nil
}

func (s *Server) run(program string) error {
	sh := exec.Command("/bin/sh", "-c", keeper, "keeper", program, s.dir)
	sh.Dir = s.dir
	if s.who.uid >= 0 {
		sh.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(s.who.uid), Gid: uint32(s.who.gid)}}
	}
	var err error
	if s.life, err = sh.StdinPipe(); err != nil {
		return err
	}
	if err := sh.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	s.done = done
	go func() {
		sh.Wait() //nolint:errcheck // the server's own log says what was wrong
		close(done)
	}()
	return nil
}

// await tries until the server greets: there is nothing else to wait for.
func (s *Server) await() error {
	var err error
	for end := time.Now().Add(startTimeout); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if err = s.ready(); err == nil {
			return nil
		}
	}
	out, _ := os.ReadFile(filepath.Join(s.dir, "out")) // best effort, to explain
	return fmt.Errorf("it does not answer: %w: %s%s", err, out, s.Log())
}

// ready asks all listeners that there should be.
func (s *Server) ready() error {
	for _, addr := range []string{s.POP3, s.IMAP, s.POP3S, s.IMAPS} {
		if addr == "" {
			continue
		}
		if err := s.greeted(addr, addr == s.POP3S || addr == s.IMAPS); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) greeted(addr string, encrypted bool) error {
	conn, err := net.DialTimeout("tcp", addr, startTimeout)
	if err != nil {
		return err
	}
	defer conn.Close()
	if encrypted {
		conn = tls.Client(conn, s.TLS())
	}
	if err := conn.SetDeadline(time.Now().Add(startTimeout)); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

// Stop ends the server, waits for that and removes its directory.
func (s *Server) Stop() error {
	err := s.life.Close()
	select {
	case <-s.done:
	case <-time.After(stopTimeout):
		err = errors.Join(err, errors.New("the server does not end"))
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// unprivileged returns who the server runs as: this user, or one without
// rights if this is root.
func unprivileged() (owner, error) {
	if os.Geteuid() != 0 {
		u, err := user.Current()
		if err != nil {
			return owner{}, err
		}
		g, err := user.LookupGroupId(u.Gid)
		if err != nil {
			return owner{}, err
		}
		return owner{uid: -1, gid: -1, name: u.Username, group: g.Name}, nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return owner{}, fmt.Errorf("nobody to run as: %w", err)
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		return owner{}, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return owner{}, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return owner{}, err
	}
	return owner{uid: uid, gid: gid, name: u.Username, group: g.Name}, nil
}
