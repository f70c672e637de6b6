package imapd

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// client speaks to a server by hand.
type client struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	tags int
}

func dial(t *testing.T, s *Server) *client {
	t.Helper()
	conn, err := net.Dial("tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, conn: conn, in: bufio.NewReader(conn)}
	if line, err := c.in.ReadString('\n'); err != nil || !strings.HasPrefix(line, "* OK ") {
		t.Fatalf("%q, %v", line, err)
	}
	return c
}

// say says a command and returns the whole answer; its last line is without
// the tag.
func (c *client) say(command string) []string {
	c.t.Helper()
	c.tags++
	tag := fmt.Sprintf("a%d ", c.tags)
	if _, err := io.WriteString(c.conn, tag+command+"\r\n"); err != nil {
		c.t.Fatal(err)
	}
	var out []string
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			c.t.Fatalf("after %q: %q, %v", command, out, err)
		}
		line = strings.TrimRight(line, "\r\n")
		last, over := strings.CutPrefix(line, tag)
		out = append(out, last)
		if over {
			return out
		}
	}
}

func TestDialogue(t *testing.T) {
	t.Parallel()
	s := New(t, Options{Polite: true})
	s.Add("INBOX", []byte("A: 1\r\n\r\none\r\n"))
	s.Skip("INBOX", 5)
	s.Add("INBOX", []byte("A: 2\r\n\r\n"))
	s.AddFolder("Entwürfe & mehr", `\Drafts`)
	c := dial(t, s)
	login := `LOGIN ` + User + ` "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(Password) + `"`
	for _, d := range []struct {
		say  string
		want []string
	}{
		{"SELECT INBOX", []string{"BAD SELECT cannot be said now"}},
		{"LOGIN " + User + " {1+}\r\nx", []string{"NO [AUTHENTICATIONFAILED] wrong name or password"}},
		{login, []string{"OK done"}},
		{`LIST "" "*"`, []string{`* LIST (\HasNoChildren) "/" "INBOX"`, `* LIST (\Drafts) "/" "Entw&APw-rfe &- mehr"`, "OK done"}},
		{"STATUS INBOX (MESSAGES)", []string{`* STATUS "INBOX" (MESSAGES 2 UIDNEXT 8 UIDVALIDITY 1000000)`, "OK done"}},
		{"SELECT inbox", []string{
			`* FLAGS (\Answered \Flagged \Deleted \Seen \Draft $odd]flag)`, "* 2 EXISTS", "* 0 RECENT", "* OK [UIDVALIDITY 1000000] ",
			"* OK [UIDNEXT 8] predicted", `* OK [PERMANENTFLAGS (\Deleted \Seen \*)] limited`, "OK [READ-WRITE] selected",
		}},
		{"UID FETCH 8:* (UID RFC822.SIZE)", []string{"* 2 FETCH (UID 7 RFC822.SIZE 8)", "OK done"}},
		{"UID FETCH 8:4294967295 (UID)", []string{"OK done"}},
		{"UID FETCH 1:3,7 (FLAGS BODY.PEEK[])", []string{
			"* 1 FETCH (FLAGS () BODY[] {13}", "A: 1", "", "one", ")", "* 2 FETCH (FLAGS () BODY[] {8}", "A: 2", "", ")", "OK done",
		}},
		{`UID STORE 7 +FLAGS.SILENT (\Deleted)`, []string{"OK done"}},
		{"UID EXPUNGE 1", []string{"OK done"}},
		{"UID SEARCH DELETED NOT (UID 1)", []string{"* SEARCH 7", "OK done"}},
		{"UID EXPUNGE 1:7", []string{"* 2 EXPUNGE", "OK done"}},
		{"NOOP", []string{"OK done"}},
		{"EXAMINE Nowhere", []string{"NO [NONEXISTENT] no such folder"}},
	} {
		if diff := cmp.Diff(d.want, c.say(d.say)); diff != "" {
			t.Errorf("after %q: %s", d.say, diff)
		}
	}
	if got := s.Deleted("INBOX"); !slices.Equal(got, []uint32{7}) {
		t.Errorf("deleted %v", got)
	}
	m := s.Mailbox("INBOX")
	if len(m.Messages) != 1 || string(m.Messages[0].Raw()) != "A: 1\r\n\r\none\r\n" {
		t.Errorf("%+v", m)
	}
	if said := s.Commands(); slices.ContainsFunc(said, func(w string) bool { return strings.Contains(w, "pass") }) {
		t.Errorf("a password is in %q", said)
	}
}

func TestIdleTellsAtOnce(t *testing.T) {
	t.Parallel()
	s := New(t, Options{Polite: true})
	c := dial(t, s)
	c.say(`LOGIN ` + User + ` "pass \"word\\ grüß"`)
	c.say("SELECT INBOX")
	if _, err := io.WriteString(c.conn, "i IDLE\r\n"); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"+ idling", "* 1 EXISTS"} {
		if i == 1 {
			s.Add("INBOX", []byte("x"))
		}
		if line, err := c.in.ReadString('\n'); err != nil || line != want+"\r\n" {
			t.Fatalf("%q, %v", line, err)
		}
	}
	if _, err := io.WriteString(c.conn, "DONE\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := c.in.ReadString('\n'); err != nil || line != "i OK done\r\n" {
		t.Fatalf("%q, %v", line, err)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	s := New(t, Options{})
	s.Cut(3)
	conn, err := net.Dial("tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if b, err := io.ReadAll(conn); err != nil || len(b) != 3 {
		t.Errorf("%q, %v", b, err)
	}
}

func TestAllAreNamedOnce(t *testing.T) {
	t.Parallel()
	all := All()
	slices.Sort(all)
	if n := len(slices.Compact(slices.Clone(all))); n != len(all) || n < 15 {
		t.Errorf("%d of %d differ", n, len(all))
	}
}
