package pop3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
)

// says returns a client whose server sends data after its greeting, whatever it
// is asked.
func says(t *testing.T, data []byte) *Client {
	t.Helper()
	// The greeting, and then one line at a time: what comes too early is an error.
	lines := bytes.SplitAfter(append([]byte("+OK\r\n"), data...), []byte("\n"))
	var sizes []int
	for _, l := range lines {
		sizes = append(sizes, len(l))
	}
	return dial(t, Config{Addr: "mail.example:110", Security: Unprotected, DialContext: func(context.Context, string, string) (net.Conn, error) {
		return &canned{pieces: pieces{bytes.Join(lines, nil), sizes}}, nil
	}})
}

func TestWhatRefusedLoginsMean(t *testing.T) {
	t.Parallel()
	const user, codes, token = "+OK\r\nUSER\r\n.\r\n+OK\r\n", "+OK\r\nUSER\r\nAUTH-RESP-CODE\r\n.\r\n+OK\r\n", "+OK\r\nSASL XOAUTH2\r\n.\r\n"
	tests := []struct {
		answers, text string
		want          error
		code          string
	}{
		{user + "+ok\r\n", "", nil, ""},
		{user + "-ERR\r\n", "does not accept the user name", ErrAuth, ""},
		{user + "-err [auth] no\r\n", "does not accept the user name", ErrAuth, "AUTH"},
		{user + "-ERR [In-Use/by-you] no\r\n", "in use", ErrTemporary, "IN-USE/BY-YOU"},
		{user + "-ERR [IN-USELESS] no\r\n", "does not accept the user name", ErrAuth, "IN-USELESS"},
		{user + "-ERR [SYS/TEMP no\r\n", "does not accept the user name", ErrAuth, ""},
		{user + "-ERR Too many failed logins\r\n", "tried again later", ErrTemporary, ""},
		{user + "-ERR your account is locked\r\n", "does not accept the user name", ErrAuth, ""},
		{user + "-ERRor\r\n", "neither yes", ErrProtocol, ""},
		{codes + "-ERR go away\r\n", "not because of the password", ErrPermanent, ""},
		{codes + "-ERR [AUTH] go away\r\n", "does not accept the user name", ErrAuth, "AUTH"},
		{token + "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n-ERR\r\n", "the token", ErrAuth, ""},
		{token + "+ eyJzdGF0dXMiOiI1MDAifQ==\r\n-ERR\r\n", "cannot check the token", ErrTemporary, ""},
		{token + "+ eyJzdGF0dXMiOiI1MDAifQ==\r\n-ERR [SYS/PERM]\r\n", "look after", ErrPermanent, "SYS/PERM"},
		{token + "+ not base64\r\n-ERR\r\n", "does not accept the user name", ErrAuth, ""},
	}
	for _, tt := range tests {
		c := says(t, []byte(tt.answers))
		login := c.Login
		if strings.HasPrefix(tt.answers, token) {
			c.secure, login = true, c.LoginXOAUTH2
		}
		err := login(t.Context(), "user", "pw")
		if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%q: %v, want %v", tt.answers, err, tt.want)
		}
		var e *Error
		if err != nil && (!errors.As(err, &e) || !strings.Contains(e.Text, tt.text) || e.Code != tt.code) {
			t.Errorf("%q: %#v, want %q and code %q", tt.answers, e, tt.text, tt.code)
		}
	}
}

func TestNoUniqueIDs(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]error{"-ERR what?\r\n": ErrUnsupported, "-ERR [SYS/TEMP] later\r\n": ErrTemporary} {
		if _, err := says(t, []byte(answer)).UIDL(t.Context()); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", answer, err, want)
		}
	}
}

func TestAnsweredTwice(t *testing.T) {
	t.Parallel()
	c := says(t, []byte("+OK\r\n+OK 7 octets\r\nA: b\r\n\r\n.\r\n"))
	var b bytes.Buffer
	if _, err := c.Retrieve(t.Context(), 1, &b, 0); !errors.Is(err, ErrProtocol) || b.Len() > 0 {
		t.Errorf("%q, %v", b.Bytes(), err)
	}
}

// TestLargeMailbox lists as many messages as may be, and one more. Not parallel:
// the memory of others would count.
func TestLargeMailbox(t *testing.T) {
	listing := func(n int, rest string) []byte {
		b := []byte("+OK\r\n")
		for i := range n {
			b = fmt.Appendf(b, "%d %s%d\r\n", i+1, rest, i)
		}
		return append(b, ".\r\n"...)
	}
	const most = 256 << 20
	// The server may send in large pieces here.
	client := func(data []byte) *Client {
		c := says(t, nil)
		c.in.Reset(bytes.NewReader(data))
		return c
	}
	data := listing(maxMessages, strings.Repeat("u", 60))
	c := client(data)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var got []Message
	if err := c.do(t.Context(), "list", c.cfg.Transfer, func() (err error) {
		_, err = c.status()
		if err == nil {
			got, err = c.listing(func(m *Message, rest []byte) bool { m.UID = string(rest); return validUID(rest) })
		}
		return err
	}); err != nil || len(got) != maxMessages {
		t.Fatalf("%d messages, %v", len(got), err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if used := int64(after.HeapAlloc) - int64(before.HeapAlloc); used > most {
		t.Errorf("%d bytes of memory for %d messages", used, len(got))
	}
	runtime.KeepAlive(got)
	if _, err := client(listing(maxMessages+1, "")).List(t.Context()); !errors.Is(err, ErrProtocol) {
		t.Errorf("one message too many: %v", err)
	}
}
