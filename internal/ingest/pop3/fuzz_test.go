package pop3

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// canned is a server that has said everything already: all it sends is data, in
// pieces.
type canned struct {
	net.Conn
	pieces
}

func (c *canned) Read(p []byte) (int, error) { return c.pieces.Read(p) }
func (*canned) Write(p []byte) (int, error)  { return len(p), nil }
func (*canned) Close() error                 { return nil }
func (*canned) SetDeadline(time.Time) error  { return nil }
func (*canned) RemoteAddr() net.Addr         { return nil }

// FuzzDots compares the decoder with another one that has the whole message.
func FuzzDots(f *testing.F) {
	for _, s := range []string{".\r\n", "a\r\n.\r\n", "..\r\n.\r\n", ".a\r\n.\r\n", "\n.\r\n", "a\r\n.\n", "\r\r\n.\r\n", "", ".", ".\r", "a\r", "..", "+OK"} {
		f.Add([]byte(s), uint8(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		var sizes []int
		for n := 0; n < len(data) && size > 0; n += int(size) {
			sizes = append(sizes, int(size))
		}
		// The smallest buffer, so that lines are longer than it.
		in := bufio.NewReaderSize(&pieces{bytes.Clone(data), sizes}, 16)
		var out bytes.Buffer
		d := &decoder{in: in, out: &out, limit: DefaultLimit}
		err := d.run()
		if d.got.Size != int64(out.Len()) {
			t.Fatalf("%d bytes are written, %d are said to be", out.Len(), d.got.Size)
		}
		want, rest, whole := unstuff(data)
		if (err == nil) != whole {
			t.Fatalf("%q: %v", data, err)
		}
		if !whole {
			if !errors.Is(err, io.EOF) || !strings.HasPrefix(want, out.String()) {
				t.Fatalf("%q: %q, %v", data, out.String(), err)
			}
			return
		}
		left, _ := io.ReadAll(in)
		if out.String() != want || string(left) != rest {
			t.Fatalf("%q: %q and then %q, want %q and then %q", data, out.String(), left, want, rest)
		}
	})
}

// unstuff is the definition of a message, by splitting at CR LF.
func unstuff(data []byte) (message, rest string, whole bool) {
	lines := strings.SplitAfter(string(data), "\r\n")
	for i, l := range lines {
		if l == ".\r\n" {
			return message, strings.Join(lines[i+1:], ""), true
		}
		message += strings.Replace(l, "..", ".", boolToInt(strings.HasPrefix(l, "..")))
	}
	return message, "", false
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// FuzzSession lets a server say anything, in any pieces, to a whole session.
func FuzzSession(f *testing.F) {
	for _, s := range []string{
		"+OK\r\n+OK\r\nUSER\r\n.\r\n+OK\r\n+OK\r\n+OK 1 10\r\n+OK\r\n1 a\r\n.\r\n+OK\r\n1 10\r\n.\r\n+OK\r\nA: b\r\n.\r\n+OK\r\n+OK\r\n",
		"+OK\r\n-ERR\r\n-ERR [AUTH] no\r\n-ERR [IN-USE/x] no\r\n", "+OK\r\n+OK\r\nSASL PLAIN XOAUTH2\r\n.\r\n+ \r\n+ eyJzdGF0dXMiOiI0MDAifQ==\r\n-ERR\r\n",
		"-ERR\r\n", "* OK\r\n", "+OK\n", "\x16\x03\x01", "+OK\r\n+OK\r\n.\r\n-ERR [", "+OK\r\n+OK\r\nUTF8\r\nUSER\r\n.\r\n-ERR\r\n+OK\r\n+OK\r\n+OK 99999999999999999999 1\r\n",
	} {
		f.Add([]byte(s), uint8(3), false)
		f.Add([]byte(s), uint8(0), true)
		f.Add([]byte(s), uint8(200), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, size uint8, token bool) {
		var sizes []int
		for n := 0; n < len(data) && size > 0; n += int(size) {
			sizes = append(sizes, int(size))
		}
		cfg := Config{Addr: "mail.example:110", Security: Unprotected, DialContext: func(context.Context, string, string) (net.Conn, error) {
			return &canned{pieces: pieces{bytes.Clone(data), sizes}}, nil
		}}
		c, err := Dial(t.Context(), cfg)
		if err != nil {
			classified(t, err)
			return
		}
		login := c.Login
		if token {
			c.secure, login = true, c.LoginXOAUTH2
		}
		classified(t, login(t.Context(), "user", "secret"))
		_, _, err = c.Stat(t.Context())
		classified(t, err)
		list, err := c.UIDL(t.Context())
		classified(t, err)
		if size >= 128 {
			c.caps = Capabilities{"PIPELINING": nil}
			c.Plan(list)
		}
		for _, m := range list {
			if m.Number < 1 || m.UID == "" || m.Size < 0 {
				t.Fatalf("listed: %+v", m)
			}
			_, err := c.Retrieve(t.Context(), m.Number, io.Discard, 1000)
			classified(t, err)
			classified(t, c.Delete(t.Context(), m.Number))
		}
		classified(t, c.Quit(t.Context()))
	})
}

// classified requires that an error has a class and can be shown.
func classified(t *testing.T, err error) {
	t.Helper()
	var e *Error
	switch {
	case err == nil:
	case !errors.As(err, &e) || e.Class == nil:
		t.Fatalf("not classified: %v", err)
	case strings.ContainsAny(err.Error(), "\r\n\x00\x1b") || strings.Contains(err.Error(), "secret"):
		t.Fatalf("not to be shown: %q", err)
	}
}
