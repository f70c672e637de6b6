package imap

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/directory/dial"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/dovecot"
)

func at(t *testing.T, addr string) (string, int) {
	t.Helper()
	host, p, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(p)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// TestDovecot has a real mail server check passwords.
func TestDovecot(t *testing.T) {
	t.Parallel()
	s := dovecot.New(t, dovecot.Options{})
	ca, err := os.ReadFile(s.CertFile)
	if err != nil {
		t.Fatal(err)
	}
	c, ctx := New(nil), context.Background()
	host, secure := at(t, s.IMAPS)
	_, clear := at(t, s.IMAP)
	good := directory.IMAP{Host: host, Port: secure, TLS: remote.Implicit, CA: string(ca)}
	for mode, port := range map[string]int{remote.Implicit: secure, remote.StartTLS: clear} {
		set := good
		set.TLS, set.Port = mode, port
		if err := c.Verify(ctx, set, dovecot.User, dovecot.Password); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		for name, x := range map[string][2]string{"wrong": {dovecot.User, "wrong"}, "empty": {dovecot.User, ""}, "a line": {dovecot.User, "x\r\na LOGIN a b"}, "nobody": {"nobody@mailbox.example", dovecot.Password}} {
			err := c.Verify(ctx, set, x[0], x[1])
			if !errors.Is(err, directory.ErrPassword) || x[1] != "" && strings.Contains(err.Error(), dovecot.Password) {
				t.Errorf("%s, %s: %v", mode, name, err)
			}
		}
		if f := c.Test(ctx, directory.Settings{IMAP: &set}); !f.OK || len(f.Certificate) != 64 {
			t.Errorf("%+v", f)
		}
	}
	set := good
	set.User = directory.UserLocal // the server knows whole addresses only
	if err := c.Verify(ctx, set, dovecot.User, dovecot.Password); !errors.Is(err, directory.ErrPassword) {
		t.Error(err)
	}
	for code, change := range map[string]func(*directory.IMAP){
		remote.CodeCertificate: func(i *directory.IMAP) { i.CA = "" },
		remote.CodeConnect:     func(i *directory.IMAP) { i.Port = 1 },
		remote.CodeDNS:         func(i *directory.IMAP) { i.Host = "mail.invalid" },
		remote.CodeTLS:         func(i *directory.IMAP) { i.Port = clear },
	} {
		set := good
		change(&set)
		if err := c.Verify(ctx, set, dovecot.User, dovecot.Password); directory.Code(err) != code || !directory.Down(err) {
			t.Errorf("%s: %q, %v", code, directory.Code(err), err)
		}
	}
	if err := New(dial.New(true)).Verify(ctx, good, dovecot.User, dovecot.Password); directory.Code(err) != remote.CodeForbidden {
		t.Errorf("on this machine: %v", err)
	}
}
