package imap

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/testkit/imapd"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		without []string
		token   bool
		wrong   bool
		kind    error
		says    string
	}{
		{name: "PLAIN"},
		{name: "PLAIN without initial response", without: []string{"SASL-IR"}},
		{name: "LOGIN", without: []string{"AUTH=PLAIN"}},
		{name: "LOGIN without literals", without: []string{"AUTH=PLAIN", "LITERAL+"}},
		{name: "wrong with PLAIN", wrong: true, kind: ErrAuth, says: "wrong name or password [AUTHENTICATIONFAILED]"},
		{name: "wrong with LOGIN", without: []string{"AUTH=PLAIN"}, wrong: true, kind: ErrAuth, says: "wrong name or password"},
		{name: "token", token: true},
		{name: "token without initial response", without: []string{"SASL-IR"}, token: true},
		{name: "wrong token", token: true, wrong: true, kind: ErrAuth, says: "status 400, needed scope https://mail.example/"},
		{name: "no tokens", without: []string{"AUTH=XOAUTH2"}, token: true, kind: ErrAuth, says: "does not take access tokens"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := imapd.New(t, imapd.Options{Without: c.without})
			conn, err := Dial(t.Context(), config(s, TLSStart))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			secret, login := s.Password, conn.Login
			if c.token {
				secret, login = s.Token, conn.LoginXOAUTH2
			}
			if c.wrong {
				secret += "x"
			}
			err = login(t.Context(), s.User, secret)
			if !errors.Is(err, c.kind) || err == nil != (c.kind == nil) {
				t.Fatalf("error %v, want %v", err, c.kind)
			}
			if err != nil {
				if !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), secret) {
					t.Errorf("error says %q, want %q", err, c.says)
				}
				// The same connection may be used for another try.
				if err := conn.Login(t.Context(), s.User, s.Password); err != nil {
					t.Errorf("another try: %v", err)
				}
			}
			if caps := conn.Capabilities(); !slices.Contains(caps, "UIDPLUS") || !conn.Capability("idle") {
				t.Errorf("after the log-in: %q", caps)
			}
		})
	}
}

func TestNoPasswordWithoutTLS(t *testing.T) {
	t.Parallel()
	s := imapd.New(t, imapd.Options{Misbehave: []imapd.Misbehaviour{imapd.LoginDisabled}})
	conn, err := Dial(t.Context(), config(s, TLSNone))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Login(t.Context(), s.User, s.Password); !errors.Is(err, ErrTLS) {
		t.Error(err)
	}
	for _, said := range s.Commands() {
		if strings.HasPrefix(said, "LOGIN") || strings.HasPrefix(said, "AUTHENTICATE") {
			t.Errorf("it said %q all the same", said)
		}
	}
}

func TestProtection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		implicit bool
		change   func(*Config)
		kind     error
		says     string
	}{
		{"unknown authority", true, func(c *Config) { c.TLSConfig = nil }, ErrTLS, "is not signed by an authority"},
		{"unknown authority, STARTTLS", false, func(c *Config) { c.TLSConfig = nil }, ErrTLS, "is not signed by an authority"},
		{"another name", true, func(c *Config) { c.TLSConfig.ServerName = "mail.example" }, ErrTLS, "certificate is not for"},
		{"implicit on a port without", false, func(c *Config) { c.TLS = TLSImplicit }, ErrTLS, "does not speak TLS on this port"},
		{"none on a port with implicit", true, func(c *Config) { c.TLS, c.Timeouts = TLSNone, brief() }, nil, ""},
		{"too old", true, func(c *Config) { c.TLSConfig.MaxVersion = tls.VersionTLS10; c.TLSConfig.MinVersion = tls.VersionTLS10 }, ErrTLS, ""},
		{"nobody there", true, func(c *Config) { c.Port = 1 }, ErrTemporary, "refused"},
		{"no mode", true, func(c *Config) { c.TLS = 0 }, ErrRefused, "choose how"},
		{"no host", true, func(c *Config) { c.Host = "" }, ErrRefused, "no host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := imapd.New(t, imapd.Options{ImplicitTLS: c.implicit})
			cfg := config(s, TLSStart)
			if c.implicit {
				cfg.TLS = TLSImplicit
			}
			c.change(&cfg)
			conn, err := Dial(t.Context(), cfg)
			if err == nil {
				conn.Close()
				t.Fatal("no error")
			}
			var e *Error
			if !errors.As(err, &e) || c.kind != nil && !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %v", err, c.kind)
			}
		})
	}
}

func TestTokenComplaint(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"status":"400","schemes":"Bearer","scope":"a"}`: "the access token is refused: status 400, needed scope a",
		`{"status":401}`:  "the access token is refused: status 401",
		`{"error":"x"}`:   `the access token is refused: {"error":"x"}`,
		"\x00\xffno JSON": "the access token is refused: ??no JSON",
	} {
		if got := tokenComplaint([]byte(in)); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
