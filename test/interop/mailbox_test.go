package interop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/corpustest"
	"github.com/muniment/muniment/internal/testkit/dovecot"
)

// cutter is a TCP proxy that cuts connections.
type cutter struct {
	addr string
	to   string

	mu     sync.Mutex
	random *rand.Rand
	cuts   int   // still to be made
	reach  int64 // at most so many bytes pass before a cut
	made   int
}

func newCutter(t *testing.T, to string, cuts int, reach int64) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{addr: l.Addr().String(), to: to, random: rand.New(rand.NewPCG(1, uint64(reach))), cuts: cuts, reach: reach}
	var group sync.WaitGroup
	t.Cleanup(func() { l.Close(); group.Wait() })
	group.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() { c.serve(in) })
		}
	})
	return c
}

// next is after how many bytes the next connection is cut; negative: not.
func (c *cutter) next() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made >= c.cuts {
		return -1
	}
	c.made++
	return c.random.Int64N(c.reach)
}

func (c *cutter) serve(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer out.Close()
	go func() {
		_, _ = io.Copy(out, in) // ends with the connection
		out.Close()
	}()
	if n := c.next(); n >= 0 {
		_, _ = io.CopyN(in, out, n) // then it is cut, in the middle of whatever it is
		return
	}
	_, _ = io.Copy(in, out)
}

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

// archived requires that exactly these messages are archived, byte for byte, and
// that none was recorded as having come twice.
func (i *installation) archived(want map[[32]byte]bool, offered int) {
	i.t.Helper()
	ctx := i.t.Context()
	c, err := catalog.Open(ctx, "sqlite:"+filepath.Join(i.data, "catalog.db"), catalog.Options{})
	if err != nil {
		i.t.Fatal(err)
	}
	defer c.Close()
	tenants, err := c.Tenants(ctx)
	if err != nil || len(tenants) != 1 {
		i.t.Fatalf("%d tenants, %v", len(tenants), err)
	}
	var sums [][32]byte
	for s := range want {
		sums = append(sums, s)
	}
	known, err := c.Known(ctx, tenants[0].ID, sums)
	if err != nil {
		i.t.Fatal(err)
	}
	if len(known) != len(want) {
		i.t.Errorf("%d of %d messages are archived byte for byte", len(known), len(want))
	}
	accounts, err := c.Accounts(ctx, tenants[0].ID, "", "")
	if err != nil {
		i.t.Fatal(err)
	}
	sum := map[catalog.Outcome]int64{}
	for _, a := range accounts {
		sum[a.Outcome] += a.Count
	}
	if sum[catalog.Stored] != int64(len(want)) || sum[catalog.Stored]+sum[catalog.Duplicate] != int64(offered) {
		i.t.Errorf("accounts %v; want %d stored, %d with duplicates", sum, len(want), offered)
	}
	i.t.Logf("accounts: %v", sum)
}

// canonical is a message as IMAP and POP3 send it: with CR LF.
func canonical(raw []byte, pop bool) []byte {
	raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	if pop && !bytes.HasSuffix(raw, []byte("\r\n")) {
		raw = append(raw, "\r\n"...)
	}
	return raw
}

// mailOf returns n messages: letters, or those of the corpus in a long run. They
// have neither NUL, which IMAP cannot carry, nor lone CR, which is for the tests of
// the clients.
func mailOf(t *testing.T) [][]byte {
	t.Helper()
	if os.Getenv("MUNIMENT_TEST_LONG") == "" {
		out := make([][]byte, 500)
		for n := range out {
			out[n] = []byte(letter(n) + strings.Repeat(".\n..\n.dot\n", n%20))
		}
		return out
	}
	var out [][]byte
	err := filepath.WalkDir(filepath.Join(corpustest.Dir(t), "bulk"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || len(out) == 20_000 {
			return err
		}
		b, err := os.ReadFile(p)
		if err == nil && len(b) > 0 && !bytes.Contains(b, []byte{0}) && !bytes.Contains(bytes.ReplaceAll(b, []byte("\r\n"), nil), []byte("\r")) {
			out = append(out, b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A real mailbox is emptied into the archive while its connections are cut and the
// server of the archive is killed, and everything is there, once.
func TestFetchingThroughTrouble(t *testing.T) {
	t.Parallel()
	long := os.Getenv("MUNIMENT_TEST_LONG") != ""
	for _, protocol := range []string{"imap", "pop3"} {
		t.Run(protocol, func(t *testing.T) {
			need(t, "dovecot")
			mail := mailOf(t)
			s := dovecot.New(t, dovecot.Options{})
			s.Put(t, mail...)
			want := map[[32]byte]bool{}
			for _, m := range mail {
				want[sha256.Sum256(canonical(m, protocol == "pop3"))] = true
			}
			to, cuts, kills, reach := s.IMAPS, 20, 5, int64(60_000)
			if protocol == "pop3" {
				to = s.POP3S
			}
			if long {
				cuts, kills, reach = 100, 50, 4<<20
			}
			proxy := newCutter(t, to, cuts, reach)
			i := install(t)
			i.addMailbox("box", proxy.addr, "--protocol", protocol, "--tls", "implicit", "--ca", s.CertFile)
			deadline := time.Now().Add(5 * time.Minute)
			if long {
				deadline = time.Now().Add(40 * time.Minute)
			}
			random := rand.New(rand.NewPCG(3, 4))
			for n := 0; s.Count(t, "") > 0 || n < kills; n++ {
				if time.Now().After(deadline) {
					t.Fatalf("%d messages are still on the server", s.Count(t, ""))
				}
				ctx, cancel := context.WithCancel(t.Context())
				if n < kills { // by SIGKILL, at any moment
					ctx, cancel = context.WithTimeout(t.Context(), time.Duration(200+random.IntN(1500))*time.Millisecond)
				}
				cmd := i.command(ctx, "source", "fetch", "acme", "box")
				finish(t, cmd)
				cancel()
			}
			if r := i.run("fsck", "--repair"); r.code != 0 {
				t.Errorf("fsck --repair: exit %d, %s%s", r.code, r.out, r.err)
			}
			i.intact(len(want))
			i.archived(want, len(mail))
			t.Logf("%d messages, %d connections cut, %d runs killed", len(mail), proxy.made, kills)
		})
	}
}

// The server fetches on its own: new mail is there soon, and the mailbox is empty.
func TestServeFetches(t *testing.T) {
	t.Parallel()
	need(t, "dovecot")
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
	need(t, "dovecot")
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
	need(t, "dovecot")
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
