package pop3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/testkit/pop3d"
)

// to returns how to reach a server. Its patience is for slow machines; tests of
// silent servers have less.
func to(s *pop3d.Server, security Security) Config {
	return Config{Addr: s.Addr, Security: security, TLS: s.TLS(), Idle: 20 * time.Second, Command: time.Minute, Transfer: 2 * time.Minute}
}

func dial(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// enter connects and logs in.
func enter(t *testing.T, s *pop3d.Server) *Client {
	t.Helper()
	c := dial(t, to(s, Unprotected))
	if err := c.Login(t.Context(), pop3d.User, pop3d.Password); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSession(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := pop3d.New(t, pop3d.Options{})
	raw := [][]byte{
		[]byte("Subject: one\r\n\r\n.dot\r\n..dots\r\n.\r\nend\r\n"),
		[]byte("Subject: two\r\n\r\nno line end"),
		[]byte("Subject: three\r\n\r\n" + strings.Repeat("x", 300_000) + "\r\n\r\n\r\n"),
		{},
	}
	s.Add(raw...)
	c := enter(t, s)
	count, size, err := c.Stat(ctx)
	if err != nil || count != 4 || size != int64(len(bytes.Join(raw, nil))) {
		t.Errorf("STAT: %d messages of %d bytes, %v", count, size, err)
	}
	got, err := c.UIDL(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var want []Message
	for i, m := range s.Messages() {
		want = append(want, Message{Number: i + 1, UID: m.UID, Size: m.Size})
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for i := range want {
		want[i].UID = ""
	}
	if got, err := c.List(ctx); err != nil || !cmp.Equal(want, got) {
		t.Errorf("LIST: %+v, %v", got, err)
	}
	for i, m := range raw {
		var b bytes.Buffer
		r, err := c.Retrieve(ctx, i+1, &b, 0)
		if err != nil || !bytes.Equal(b.Bytes(), pop3d.Sent(m)) || r != (Retrieved{Size: int64(b.Len())}) {
			t.Errorf("message %d: %.100q, %+v, %v", i+1, b.Bytes(), r, err)
		}
	}
	if err := errors.Join(c.Delete(ctx, 1), c.Delete(ctx, 2), c.Reset(ctx), c.Delete(ctx, 3), c.Noop(ctx)); err != nil {
		t.Error(err)
	}
	// A refusal leaves the conversation alive.
	for _, err := range []error{c.Delete(ctx, 3), c.Delete(ctx, 5), c.Delete(ctx, 0)} {
		if !errors.Is(err, ErrPermanent) || errors.Is(err, ErrClosed) {
			t.Errorf("deleting what is not there: %v", err)
		}
	}
	if _, err := c.Retrieve(ctx, 3, io.Discard, 0); !errors.Is(err, ErrPermanent) {
		t.Errorf("fetching what is to be deleted: %v", err)
	}
	if n := len(s.Deleted()); n != 0 {
		t.Errorf("%d messages are deleted before QUIT", n)
	}
	if err := c.Quit(ctx); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]string{"uid-000003"}, s.Deleted()); d != "" {
		t.Error(d)
	}
	if err := c.Noop(ctx); !errors.Is(err, ErrClosed) {
		t.Errorf("after QUIT: %v", err)
	}
	if err := c.Quit(ctx); !errors.Is(err, ErrClosed) {
		t.Errorf("second QUIT: %v", err)
	}
}

func TestSecurityAndLogins(t *testing.T) {
	t.Parallel()
	password := func(ctx context.Context, c *Client) error { return c.Login(ctx, pop3d.User, pop3d.Password) }
	token := func(ctx context.Context, c *Client) error { return c.LoginXOAUTH2(ctx, pop3d.User, pop3d.Token) }
	long := strings.Repeat("t", 4000)
	tests := []struct {
		name     string
		opts     pop3d.Options
		security Security
		login    func(context.Context, *Client) error
		want     error
		commands string // what the server must have heard, the last words of the login
	}{
		{"plain", pop3d.Options{}, Unprotected, password, nil, "CAPA,AUTH PLAIN"},
		{"plain, no AUTH", pop3d.Options{NoSASL: true}, Unprotected, password, nil, "CAPA,USER reader@mailbox.example,PASS"},
		{"plain, no CAPA", pop3d.Options{NoCAPA: true}, Unprotected, password, nil, "CAPA,USER reader@mailbox.example,PASS"},
		{"UTF8", pop3d.Options{UTF8: true}, Unprotected, password, nil, "CAPA,UTF8,AUTH PLAIN"},
		{"STLS", pop3d.Options{}, StartTLS, password, nil, "STLS,CAPA,AUTH PLAIN"},
		{"STLS needed", pop3d.Options{NoPlaintext: true}, StartTLS, password, nil, "STLS,CAPA,AUTH PLAIN"},
		{"STLS needed and not configured", pop3d.Options{NoPlaintext: true}, Unprotected, password, ErrUnsupported, "CAPA"},
		{"no STLS", pop3d.Options{NoSTLS: true}, StartTLS, nil, ErrTLS, "STLS"},
		{"implicit", pop3d.Options{ImplicitTLS: true}, ImplicitTLS, password, nil, "CAPA,AUTH PLAIN"},
		{"implicit at a plain port", pop3d.Options{}, ImplicitTLS, nil, ErrTLS, ""},
		{"STLS at an implicit port", pop3d.Options{ImplicitTLS: true}, StartTLS, nil, ErrTemporary, ""},
		{"no logins", pop3d.Options{NoUser: true, NoSASL: true}, StartTLS, password, ErrUnsupported, "STLS,CAPA"},
		{"token", pop3d.Options{}, StartTLS, token, nil, "STLS,CAPA,AUTH xOAuth2"},
		{"token, no CAPA", pop3d.Options{NoCAPA: true}, StartTLS, token, nil, "STLS,CAPA,AUTH xOAuth2"},
		{"token, not offered", pop3d.Options{NoSASL: true}, StartTLS, token, ErrUnsupported, "STLS,CAPA"},
		{"token, not encrypted", pop3d.Options{}, Unprotected, token, ErrTLS, ""},
		{"long token", pop3d.Options{Token: long}, StartTLS, func(ctx context.Context, c *Client) error { return c.LoginXOAUTH2(ctx, pop3d.User, long) }, nil, "STLS,CAPA,AUTH xOAuth2"},
		{"wrong token", pop3d.Options{}, StartTLS, func(ctx context.Context, c *Client) error { return c.LoginXOAUTH2(ctx, pop3d.User, "stale") }, ErrAuth, "STLS,CAPA,AUTH xOAuth2"},
		{"long wrong token", pop3d.Options{}, StartTLS, func(ctx context.Context, c *Client) error { return c.LoginXOAUTH2(ctx, pop3d.User, long) }, ErrAuth, "STLS,CAPA,AUTH xOAuth2"},
		{"long password", pop3d.Options{Password: long}, Unprotected, func(ctx context.Context, c *Client) error { return c.Login(ctx, pop3d.User, long) }, nil, "CAPA,AUTH PLAIN"},
		{"wrong password", pop3d.Options{}, StartTLS, func(ctx context.Context, c *Client) error { return c.Login(ctx, pop3d.User, "wrong") }, ErrAuth, "STLS,CAPA,AUTH PLAIN"},
		{"wrong password, no AUTH", pop3d.Options{NoSASL: true}, StartTLS, func(ctx context.Context, c *Client) error { return c.Login(ctx, pop3d.User, "wrong") }, ErrAuth, "STLS,CAPA,USER reader@mailbox.example,PASS"},
		{"two commands in a password", pop3d.Options{}, StartTLS, func(ctx context.Context, c *Client) error { return c.Login(ctx, pop3d.User, "x\r\nDELE 1") }, ErrAuth, "STLS"},
		{"two commands in a user", pop3d.Options{}, StartTLS, func(ctx context.Context, c *Client) error { return c.Login(ctx, "x\nDELE 1", "y") }, ErrAuth, "STLS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := pop3d.New(t, tt.opts)
			s.Add([]byte("Subject: x\r\n\r\n"))
			cfg := to(s, tt.security)
			if tt.want == ErrTemporary {
				cfg.Idle = time.Second // both sides wait for the other to begin
			}
			c, err := Dial(t.Context(), cfg)
			if err == nil {
				defer c.Close()
				if tt.login != nil {
					err = tt.login(t.Context(), c)
				}
			}
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			if err == nil {
				if n, _, err := c.Stat(t.Context()); err != nil || n != 1 {
					t.Errorf("STAT: %d, %v", n, err)
				}
			}
			heard := strings.Join(slices.DeleteFunc(s.Connections()[0].Commands, func(c string) bool { return c == "STAT" }), ",")
			if !strings.EqualFold(heard, tt.commands) && tt.want != ErrTemporary && tt.name != "implicit at a plain port" {
				t.Errorf("the server heard %q, want %q", heard, tt.commands)
			}
			if tt.want != nil {
				t.Log(err)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]error{
		"127.0.0.1:1":              ErrTemporary,
		"127.0.0.1":                ErrPermanent,
		"no-such-host.invalid:110": nil, // there may be no resolver to say which
	} {
		_, err := Dial(t.Context(), Config{Addr: addr, Command: 5 * time.Second})
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", addr, err, want)
		}
		t.Log(err)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	s := pop3d.New(t, pop3d.Options{Misbehave: []pop3d.Misbehaviour{pop3d.NeverAnswers}})
	c := enter(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, _, err := c.Stat(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, ErrTemporary) {
		t.Errorf("cancelled: %v", err)
	}
	if _, _, err := c.Stat(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("after that: %v", err)
	}
	// Cancelled before: nothing was sent, and the connection is still good.
	c = dial(t, to(s, Unprotected))
	if err := c.Login(ctx, pop3d.User, pop3d.Password); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	if err := c.Login(t.Context(), pop3d.User, pop3d.Password); err != nil {
		t.Error(err)
	}
	s = pop3d.New(t, pop3d.Options{Misbehave: []pop3d.Misbehaviour{pop3d.NeverGreets}})
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, to(s, Unprotected)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a deadline passed while dialling: %v", err)
	}
}
