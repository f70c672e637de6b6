package dovecot

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// line is one dialogue with a server: what is said, and how the answer begins.
type line struct{ say, want string }

func talk(t *testing.T, conn net.Conn, lines []line) string {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	r := textproto.NewReader(bufio.NewReader(conn))
	got := ""
	for _, l := range lines {
		if l.say != "" {
			fmt.Fprintf(conn, "%s\r\n", l.say)
		}
		var err error
		for got = "*"; strings.HasPrefix(got, "* ") || got == "*"; {
			if got, err = r.ReadLine(); err != nil {
				t.Fatalf("after %q: %v", l.say, err)
			}
			if strings.HasPrefix(l.want, "* ") {
				break
			}
		}
		if !strings.HasPrefix(got, l.want) {
			t.Fatalf("after %q: %q, want %q", l.say, got, l.want)
		}
	}
	return got
}

func dial(t *testing.T, addr string, conf *tls.Config) net.Conn {
	t.Helper()
	var conn net.Conn
	var err error
	if conf == nil {
		conn, err = net.DialTimeout("tcp", addr, time.Minute)
	} else {
		conn, err = tls.DialWithDialer(&net.Dialer{Timeout: time.Minute}, "tcp", addr, conf)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

const imapLogin = `1 LOGIN "` + User + `" "pass \"word\\ grüß"`

func TestEverythingIsOffered(t *testing.T) {
	t.Parallel()
	s := New(t, Options{})
	s.Put(t, []byte("Subject: one\n\n1\n"), []byte("Subject: two\r\n\r\n2\r\n"))
	s.PutIn(t, "Old.Deep", []byte("Subject: three\n\n3\n"))
	if a, b := s.Count(t, ""), s.Count(t, "Old.Deep"); a != 2 || b != 1 {
		t.Errorf("%d and %d messages, want 2 and 1", a, b)
	}
	pop := []line{{"", "+OK"}, {"USER " + User, "+OK"}, {"PASS " + Password, "+OK"}, {"STAT", "+OK 2 "}}
	imap := []line{{"", "* OK"}, {imapLogin, "1 OK"}, {"2 SELECT INBOX", "2 OK"}, {"3 STATUS Old.Deep (MESSAGES)", "3 OK"}}
	for range 2 {
		talk(t, dial(t, s.IMAP, nil), imap)
		talk(t, dial(t, s.IMAPS, s.TLS()), imap)
	}
	popConn := dial(t, s.POP3, nil)
	talk(t, popConn, []line{{"", "+OK"}, {"STLS", "+OK"}})
	talk(t, tls.Client(popConn, s.TLS()), pop[1:])
	imapConn := dial(t, s.IMAP, nil)
	talk(t, imapConn, []line{{"", "* OK"}, {"0 STARTTLS", "0 OK"}})
	talk(t, tls.Client(imapConn, s.TLS()), imap[1:])
	talk(t, dial(t, s.POP3, nil), append(pop, line{"LIST 1", "+OK 1 "}, line{"UIDL 2", "+OK 2 "}))
	talk(t, dial(t, s.POP3S, s.TLS()), append(pop, line{"DELE 1", "+OK"}, line{"QUIT", "+OK"}))
	if n := s.Count(t, ""); n != 1 {
		t.Errorf("%d messages after one was deleted, want 1", n)
	}
}

func TestEachCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	t.Run("plain", func(t *testing.T) {
		t.Parallel()
		s := New(t, Options{NoPlain: true})
		talk(t, dial(t, s.POP3, nil), []line{{"", "+OK"}, {"USER " + User, "-ERR"}})
		talk(t, dial(t, s.IMAP, nil), []line{{"", "* OK"}, {imapLogin, "1 NO"}})
		talk(t, dial(t, s.POP3, nil), []line{{"", "+OK"}, {"STLS", "+OK"}})
		talk(t, dial(t, s.POP3S, s.TLS()), []line{{"", "+OK"}, {"USER " + User, "+OK"}, {"PASS " + Password, "+OK"}})
	})
	t.Run("STARTTLS", func(t *testing.T) {
		t.Parallel()
		s := New(t, Options{NoStartTLS: true})
		talk(t, dial(t, s.POP3, nil), []line{{"", "+OK"}, {"STLS", "-ERR"}, {"USER " + User, "+OK"}, {"PASS " + Password, "+OK"}})
		talk(t, dial(t, s.IMAP, nil), []line{{"", "* OK"}, {"0 STARTTLS", "0 BAD"}, {imapLogin, "1 OK"}})
		talk(t, dial(t, s.IMAPS, s.TLS()), []line{{"", "* OK"}, {imapLogin, "1 OK"}})
	})
	t.Run("implicit TLS", func(t *testing.T) {
		t.Parallel()
		s := New(t, Options{NoImplicitTLS: true})
		if s.IMAPS != "" || s.POP3S != "" {
			t.Errorf("%q and %q are offered", s.IMAPS, s.POP3S)
		}
		talk(t, dial(t, s.POP3, nil), []line{{"", "+OK"}, {"STLS", "+OK"}})
	})
	t.Run("all TLS", func(t *testing.T) {
		t.Parallel()
		s := New(t, Options{NoStartTLS: true, NoImplicitTLS: true})
		talk(t, dial(t, s.POP3, nil), []line{{"", "+OK"}, {"STLS", "-ERR"}})
	})
	t.Run("all TLS, no passwords", func(t *testing.T) {
		t.Parallel()
		s := New(t, Options{NoPlain: true, NoStartTLS: true, NoImplicitTLS: true})
		talk(t, dial(t, s.POP3, nil), []line{{"", "+OK"}, {"STLS", "-ERR"}, {"USER " + User, "-ERR"}})
	})
}

func TestMessagesComeAsTheyAre(t *testing.T) {
	t.Parallel()
	s := New(t, Options{})
	for i := range 300 {
		s.Put(t, fmt.Appendf(nil, "Subject: %d\n\n", i))
	}
	conn := dial(t, s.POP3, nil)
	talk(t, conn, []line{{"", "+OK"}, {"USER " + User, "+OK"}, {"PASS " + Password, "+OK"}, {"STAT", "+OK 300 "}})
	for _, i := range []int{1, 8, 150, 300} {
		talk(t, conn, []line{{fmt.Sprintf("TOP %d 0", i), "+OK"}, {"", fmt.Sprintf("Subject: %d", i-1)}, {"", ""}, {"", "."}})
	}
}
