package pop3

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/testkit/dovecot"
)

// samples are messages as files in a maildir, all with CR LF, which Dovecot
// sends as they are.
func samples() [][]byte {
	return [][]byte{
		[]byte("Subject: dots\r\n\r\n.one\r\n..two\r\n.\r\n...\r\nend\r\n"),
		[]byte("Subject: bytes\r\n\r\nGr\xfc\xdfe, bare\rCR, \x01 and a tab\t \r\n"),
		[]byte("Subject: empty lines\r\n\r\n\r\n\r\n\r\n"),
		[]byte("Subject: wide\r\n\r\n" + strings.Repeat("w", 200_000) + "\r\n"),
		[]byte("Subject: large\r\n\r\n" + strings.Repeat("0123456789012345678901234567890123456789\r\n", 100_000)),
		[]byte("Subject: grüße\r\nFrom: jürgen@müller.example\r\n\r\nUTF-8 in the header\r\n"),
	}
}

func TestDovecot(t *testing.T) {
	t.Parallel()
	for _, security := range []Security{Unprotected, StartTLS, ImplicitTLS} {
		t.Run(fmt.Sprint("security ", security), func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			s := dovecot.New(t, dovecot.Options{NoPlain: security != Unprotected})
			raw := samples()
			s.Put(t, raw...)
			cfg := Config{Addr: s.POP3, Security: security, TLS: s.TLS(), Idle: time.Minute}
			if security == ImplicitTLS {
				cfg.Addr = s.POP3S
			}
			c := dial(t, cfg)
			if c.Encrypted() != (security != Unprotected) {
				t.Errorf("encrypted: %v", c.Encrypted())
			}
			if err := c.Login(ctx, dovecot.User, "wrong"); !errors.Is(err, ErrAuth) || errors.Is(err, ErrClosed) {
				t.Errorf("wrong password: %v", err)
			}
			if err := c.Login(ctx, dovecot.User, dovecot.Password); err != nil {
				t.Fatal(err)
			}
			list, err := c.UIDL(ctx)
			if err != nil || len(list) != len(raw) {
				t.Fatalf("%d messages: %v", len(list), err)
			}
			for i, m := range list {
				var b bytes.Buffer
				r, err := c.Retrieve(ctx, m.Number, &b, 0)
				if err != nil || !bytes.Equal(b.Bytes(), raw[i]) || r.LoneDots != 0 || r.Size != m.Size {
					t.Errorf("message %d of %d bytes: %.200q, want %.200q, %+v, %v", m.Number, m.Size, b.Bytes(), raw[i], r, err)
				}
			}
			if err := errors.Join(c.Delete(ctx, 2), c.Delete(ctx, 3), c.Close()); err != nil {
				t.Error(err)
			}
			if n := s.Count(t, ""); n != len(raw) {
				t.Errorf("%d messages are left though nobody has said QUIT", n)
			}
			c = dial(t, cfg)
			if err := errors.Join(c.Login(ctx, dovecot.User, dovecot.Password), c.Delete(ctx, 1), c.Quit(ctx)); err != nil {
				t.Error(err)
			}
			if n := s.Count(t, ""); n != len(raw)-1 {
				t.Errorf("%d messages are left of %d", n, len(raw))
			}
			again := dial(t, cfg)
			if err := again.Login(ctx, dovecot.User, dovecot.Password); err != nil {
				t.Fatal(err)
			}
			left, err := again.UIDL(ctx)
			if err != nil || len(left) != len(raw)-1 || left[0].UID != list[1].UID {
				t.Errorf("left: %+v, %v", left, err)
			}
		})
	}
}

// What a Dovecot says that takes no passwords in the clear, or has no TLS.
func TestDovecotRefuses(t *testing.T) {
	t.Parallel()
	s := dovecot.New(t, dovecot.Options{NoPlain: true, NoStartTLS: true})
	c := dial(t, Config{Addr: s.POP3, Security: Unprotected})
	if err := c.Login(t.Context(), dovecot.User, dovecot.Password); !errors.Is(err, ErrUnsupported) {
		t.Errorf("password in the clear: %v", err)
	}
	if _, err := Dial(t.Context(), Config{Addr: s.POP3, Security: StartTLS, TLS: s.TLS()}); !errors.Is(err, ErrTLS) {
		t.Errorf("no STLS: %v", err)
	}
	if _, err := Dial(t.Context(), Config{Addr: s.POP3S}); !errors.Is(err, ErrTLS) {
		t.Errorf("unknown authority: %v", err)
	}
	if _, err := Dial(t.Context(), Config{Addr: s.POP3, TLS: s.TLS()}); !errors.Is(err, ErrTLS) {
		t.Errorf("TLS at the wrong port: %v", err)
	}
}

// TestDovecotToken logs in with XOAUTH2; the token is checked by a server of the
// test, as Dovecot asks one.
func TestDovecotToken(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("good-token.", 150) // longer than a command may be
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.String(), good) {
			http.Error(w, `{"error":"invalid_token"}`, http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"username":%q,"active":true}`, dovecot.User)
	}))
	defer issuer.Close()
	// Dovecot reads this as an unprivileged user.
	dir, err := os.MkdirTemp("", "oauth")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	conf := filepath.Join(dir, "oauth2.conf")
	settings := "tokeninfo_url = " + issuer.URL + "/?token=\nusername_attribute = username\nactive_attribute = active\nactive_value = true\n"
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(conf, []byte(settings), 0o644)); err != nil {
		t.Fatal(err)
	}
	s := dovecot.New(t, dovecot.Options{Settings: "auth_mechanisms = plain xoauth2\npassdb {\n  driver = oauth2\n  mechanisms = xoauth2\n  args = " + conf + "\n}"})
	s.Put(t, samples()...)
	cfg := Config{Addr: s.POP3S, TLS: s.TLS()}
	c := dial(t, cfg)
	if err := c.LoginXOAUTH2(t.Context(), dovecot.User, "stale"); !errors.Is(err, ErrAuth) {
		t.Errorf("stale token: %v", err)
	} else {
		t.Log(err)
	}
	if err := c.LoginXOAUTH2(t.Context(), dovecot.User, good); err != nil {
		t.Fatal(err)
	}
	if n, _, err := c.Stat(t.Context()); err != nil || n != len(samples()) {
		t.Errorf("%d messages, %v", n, err)
	}
}
