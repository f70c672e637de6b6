package interop

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/testkit/dovecot"
	"github.com/muniment/muniment/internal/testkit/need"
)

// addMailbox adds a remote mailbox to the tenant acme.
func (i *installation) addMailbox(name, addr string, flags ...string) {
	i.t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		i.t.Fatal(err)
	}
	password := filepath.Join(i.t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(dovecot.Password+"\n"), 0o600); err != nil {
		i.t.Fatal(err)
	}
	args := append([]string{"source", "add-mailbox", "acme", name, "--host", host, "--port", port, "--user", dovecot.User, "--password-file", password}, flags...)
	if r := i.run(args...); r.code != 0 {
		i.t.Fatalf("add mailbox: exit %d\n%s%s", r.code, r.out, r.err)
	}
}

// The server fetches on its own: new mail is there soon, and the mailbox is empty.
func TestServeFetches(t *testing.T) {
	t.Parallel()
	need.Program(t, "dovecot")
	s := dovecot.New(t, dovecot.Options{})
	s.Put(t, []byte(letter(1)))
	i := install(t)
	i.addMailbox("by imap", s.IMAP, "--protocol", "imap", "--tls", "starttls", "--ca", s.CertFile, "--every", "1h")
	i.serve()
	until(t, "the first message to be fetched", func() bool { return s.Count(t, "") == 0 })
	s.Put(t, []byte(letter(2)))
	start := time.Now()
	until(t, "the second one to be fetched, by IDLE", func() bool { return s.Count(t, "") == 0 })
	t.Logf("new mail was fetched after %v", time.Since(start))
}

// The way is found on ports that offer only one, and what is wrong is told.
func TestFindingTheWay(t *testing.T) {
	t.Parallel()
	need.Program(t, "dovecot")
	s := dovecot.New(t, dovecot.Options{NoPlain: true})
	s.Put(t, []byte(letter(1)))
	i := install(t)
	for name, addr := range map[string]string{"imap implicit": s.IMAPS, "imap starttls": s.IMAP, "pop3 implicit": s.POP3S, "pop3 starttls": s.POP3} {
		i.addMailbox(name, addr, "--ca", s.CertFile, "--keep")
		var got struct {
			OK          bool
			Found       struct{ Protocol, TLS string }
			Messages    int
			Certificate string
		}
		r := i.run("source", "test", "acme", name, "--json")
		if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != 0 || !got.OK || got.Found.Protocol+" "+got.Found.TLS != name || got.Messages != 1 {
			t.Errorf("%s: exit %d, %+v, %v\n%s", name, r.code, got, err, r.err)
		}
		if strings.Contains(r.out+r.err, dovecot.Password) {
			t.Errorf("%s: the password is shown", name)
		}
		if r := i.run("source", "fetch", "acme", name); r.code != 0 {
			t.Errorf("%s: fetch: exit %d\n%s%s", name, r.code, r.out, r.err)
		}
	}
	if s.Count(t, "") != 1 {
		t.Error("a message that was to be kept is gone")
	}
	i.intact(1)
	i.addMailbox("no authority", s.IMAPS)
	if r := i.run("source", "test", "acme", "no authority"); r.code != 1 || !strings.Contains(r.out, "certificate (SHA-256): ") || !strings.Contains(r.err, "(certificate)") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := i.run("source", "test", "acme", "nothing"); r.code != 2 {
		t.Errorf("no such source: exit %d\n%s", r.code, r.err)
	}
}

// Without TLS it works only if that is asked for.
func TestFetchingWithoutTLS(t *testing.T) {
	t.Parallel()
	need.Program(t, "dovecot")
	s := dovecot.New(t, dovecot.Options{NoStartTLS: true, NoImplicitTLS: true})
	i := install(t)
	for n, addr := range []string{s.IMAP, s.POP3} {
		s.Put(t, []byte(letter(n)))
		i.addMailbox(fmt.Sprint("auto", n), addr)
		if r := i.run("source", "fetch", "acme", fmt.Sprint("auto", n)); r.code != 1 || s.Count(t, "") != 1 {
			t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
		}
		i.addMailbox(fmt.Sprint("none", n), addr, "--tls", "none")
		if r := i.run("source", "fetch", "acme", fmt.Sprint("none", n)); r.code != 0 || s.Count(t, "") != 0 {
			t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
		}
	}
	i.intact(2)
}

func TestAddingMailboxesWrongly(t *testing.T) {
	t.Parallel()
	i := install(t)
	for _, flags := range [][]string{
		{"--user", "u"}, {"--host", "h"}, {"--host", "https://h/", "--user", "u"}, {"--host", "h", "--user", "u", "--max-size", "151"},
		{"--host", "h", "--user", "u", "--every", "1s"}, {"--host", "h", "--user", "u", "--folders", "list"}, {"--host", "h", "--user", "u", "--pin", "12"},
		{"--host", "h", "--user", "u", "--tls", "maybe"}, {"--host", "h", "--user", "u", "--port", "70000"},
	} {
		if r := i.run(append([]string{"source", "add-mailbox", "acme", "box"}, flags...)...); r.code != 2 || r.err == "" {
			t.Errorf("%q: exit %d, %q", flags, r.code, r.err)
		}
	}
	if r := i.run("source", "list", "acme"); strings.Contains(r.out, "mailbox") {
		t.Errorf("one was added:\n%s", r.out)
	}
}
