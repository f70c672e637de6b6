package imap

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"
)

var answers = []string{
	"* LIST (\\HasNoChildren) \"/\" INBOX\r\n$ OK done\r\n",
	"* list  ( \\noselect ) nil Sent Items\r\n* LIST () \"\\\\\" {5}\r\na b&-\r\n$ OK [x y] z\r\n",
	"* 1 FETCH (UID 1 BODY[] {5}\r\nhello)\r\n$ OK\r\n",
	"* 1 fetch ( body[] {0}\r\n uid 1)\r\n$ NO [unavailable] no\r\n",
	"* 1 FETCH (UID 1 FLAGS (\\Seen a]b) INTERNALDATE nil RFC822.SIZE 7)\r\n* BYE\r\n",
	"* FLAGS (\\Seen)\r\n* 7 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 9\r\n$ OK [READ-ONLY] y\r\n",
	"* 0 EXPUNGE\r\n* 4294967296 FETCH (\r\n", "* 1 FETCH (BODY[] \"a\\\"{9}\")\r\n$ BAD\r\n",
	"* CAPABILITY IMAP4rev1 IMAP4rev2\r\n+ go\r\n* PREAUTH\r\n", "* X {3}\r\nabc(\"\r\n* SEARCH 1 2\r\n$ OK\r\n",
	"* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3)\r\n$ OK\r\n", "* ESEARCH (TAG \"T1\") UID ALL 1:4294967295\r\n$ OK\r\n",
}

// FuzzGuard gives the guard anything. It must end, hold little, and let the
// library see only responses that are balanced.
func FuzzGuard(f *testing.F) {
	for _, a := range answers {
		f.Add([]byte(strings.ReplaceAll(a, "$", "T1")))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		g := newGuard(bytes.NewReader(in))
		out, err := io.ReadAll(g)
		if err != nil {
			t.Fatal(err)
		}
		again, err := io.ReadAll(newGuard(iotest.OneByteReader(bytes.NewReader(in))))
		if err != nil || !bytes.Equal(out, again) {
			t.Fatalf("in single bytes it is %q, else %q", again, out)
		}
		if len(out) > 2*len(in)+64*(1+bytes.Count(in, []byte("\n"))) {
			t.Fatalf("%d bytes from %d", len(out), len(in))
		}
		// What passed passes again, unchanged: it is in form.
		if wrong, _ := g.cause(); wrong == nil {
			third, err := io.ReadAll(newGuard(bytes.NewReader(out)))
			if err != nil || !bytes.Equal(out, third) {
				t.Fatalf("%q became %q", out, third)
			}
		}
	})
}

// FuzzName compares our reading of folder names with what it must be.
func FuzzName(f *testing.F) {
	for _, s := range []string{"INBOX", "Entw&APw-rfe", "&-", "a&", "&2D3eAA-", "&2D0-", "&AGE-", "&U,BTFw-&ZeVnLIqe-", "\xff", "ü"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if name, ok := decodeName(s); ok && (!utf8.ValidString(name) || len(name) > 3*len(s)) {
			t.Errorf("%q is %q", s, name)
		}
	})
}

// FuzzServer answers every command with the same anything; "$" is the tag.
// There must be no panic, no hang and no error without a kind.
func FuzzServer(f *testing.F) {
	for _, a := range answers {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		if len(answer) > 4096 {
			return
		}
		here, there := net.Pipe()
		served := make(chan struct{})
		go func() {
			defer close(served)
			serve(there, answer)
		}()
		defer func() { <-served }()
		w := &wire{Conn: here}
		t0 := brief()
		t0.Silence, t0.Command, t0.Message = 100*time.Millisecond, 400*time.Millisecond, 400*time.Millisecond
		w.phase(time.Second, time.Second)
		c, err := open(t.Context(), w, Config{Host: "x", TLS: TLSNone, Timeouts: t0})
		if err != nil {
			here.Close()
			classified(t, err)
			return
		}
		defer c.Close()
		ctx := context.Background()
		_, err = c.Folders(ctx)
		classified(t, err)
		_, err = c.Select(ctx, "INBOX", false, 0)
		classified(t, err)
		_, _, err = c.List(ctx, 1, 3)
		classified(t, err)
		_, _, err = fetchAll(ctx, c, []UID{1, 2})
		classified(t, err)
		_, err = c.Delete(ctx, []UID{1})
		classified(t, err)
	})
}

func classified(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if err != nil && (!errors.As(err, &e) || e.Kind == nil || e.Op == "" || !utf8.ValidString(err.Error())) {
		t.Errorf("%#v", err)
	}
}

// serve answers on conn until it is closed. CAPABILITY is answered well.
func serve(conn net.Conn, answer string) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	if _, err := io.WriteString(conn, "* OK\r\n"); err != nil {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		tag, rest, _ := strings.Cut(line, " ")
		say := strings.ReplaceAll(answer, "$", tag)
		if strings.HasPrefix(rest, "CAPABILITY") {
			say = "* CAPABILITY IMAP4rev1 UIDPLUS\r\n" + tag + " OK\r\n"
		}
		if _, err := io.WriteString(conn, say); err != nil {
			return
		}
	}
}
