package remote

import (
	"errors"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/setting"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	good := Settings{Protocol: Auto, TLS: Auto, Host: "mail.example.com", User: "journal@example.com"}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*Settings){
		"protocol":         func(s *Settings) { s.Protocol = "nntp" },
		"tls":              func(s *Settings) { s.TLS = "" },
		"host":             func(s *Settings) { s.Host = "mail.example.com:993" },
		"port":             func(s *Settings) { s.Port = 70000 },
		"user":             func(s *Settings) { s.User = "a\r\nb" },
		"oauth":            func(s *Settings) { s.OAuth = "yahoo" },
		"interval_seconds": func(s *Settings) { s.Interval = 3 },
		"max_bytes":        func(s *Settings) { s.MaxBytes = 151 << 20 },
		"folders":          func(s *Settings) { s.Folders = "some" },
		"named":            func(s *Settings) { s.Folders = List },
		"pin":              func(s *Settings) { s.Pin = "12" },
		"ca":               func(s *Settings) { s.CA = "x" },
	} {
		s := good
		change(&s)
		err := s.Check()
		var f *setting.Error
		if !errors.As(err, &f) || f.Field != field || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, host := range []string{"192.0.2.1", "2001:db8::1", "localhost"} {
		s := good
		s.Host = host
		if err := s.Check(); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestUnknownMembersAreErrors(t *testing.T) {
	t.Parallel()
	if _, err := Parse([]byte(`{"protocol":"imap","hots":"x"}`)); err == nil {
		t.Error("a misspelt setting is taken")
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for _, echoed := range []string{
		"no: ya29.token", "no: dXNlcj1hbm5hQHgBYXV0aD1CZWFyZXIgeWEyOS50b2tlbgEB", "no: AGFubmFAeAB5YTI5LnRva2Vu", "no: eWEyOS50b2tlbg==",
	} {
		if got := Redact(echoed, "anna@x", []byte("ya29.token")); !strings.HasPrefix(got, "no: …") {
			t.Errorf("%q: %q", echoed, got)
		}
	}
}
