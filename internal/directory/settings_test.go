package directory

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/setting"
)

func goodLDAP() Settings {
	return Settings{LDAP: &LDAP{Flavour: FlavourAD, Host: "dc1.firma.example", TLS: remote.Implicit, BindDN: "reader@firma.example", BaseDN: "DC=firma,DC=example"}}
}

func goodOIDC() Settings {
	return Settings{OIDC: &OIDC{Issuer: "https://login.firma.example/realms/a", ClientID: "x", Redirect: "https://archive.firma.example" + CallbackPath}}
}

func goodIMAP() Settings {
	return Settings{IMAP: &IMAP{Host: "mail.firma.example", TLS: remote.StartTLS}}
}

// TestSettings makes one mistake at a time.
func TestSettings(t *testing.T) {
	t.Parallel()
	roles := []string{"user", "auditor"}
	for name, x := range map[string]struct {
		good   Settings
		change func(*Settings)
		field  string
	}{
		"nothing":            {Settings{}, func(*Settings) {}, "kind"},
		"two kinds":          {goodLDAP(), func(s *Settings) { s.IMAP = goodIMAP().IMAP }, "kind"},
		"no host":            {goodLDAP(), func(s *Settings) { s.LDAP.Host = "" }, "host"},
		"a URL as host":      {goodLDAP(), func(s *Settings) { s.LDAP.Host = "ldaps://dc1" }, "host"},
		"a port with host":   {goodIMAP(), func(s *Settings) { s.IMAP.Host = "mail:993" }, "host"},
		"port":               {goodLDAP(), func(s *Settings) { s.LDAP.Port = 70000 }, "port"},
		"tls":                {goodLDAP(), func(s *Settings) { s.LDAP.TLS = "" }, "tls"},
		"ca":                 {goodLDAP(), func(s *Settings) { s.LDAP.CA = "x" }, "ca"},
		"pin":                {goodLDAP(), func(s *Settings) { s.LDAP.Pin = "12" }, "pin"},
		"no reader":          {goodLDAP(), func(s *Settings) { s.LDAP.BindDN = " " }, "bind_dn"},
		"no base":            {goodLDAP(), func(s *Settings) { s.LDAP.BaseDN = "" }, "base_dn"},
		"two lines":          {goodLDAP(), func(s *Settings) { s.LDAP.Member = "a\nb" }, "member"},
		"no brackets":        {goodLDAP(), func(s *Settings) { s.LDAP.Filter = "uid=a" }, "filter"},
		"attribute":          {goodLDAP(), func(s *Settings) { s.LDAP.Login = "uid=*)(" }, "login"},
		"address attribute":  {goodLDAP(), func(s *Settings) { s.LDAP.Addresses = []string{"mail", ""} }, "addresses"},
		"too often":          {goodLDAP(), func(s *Settings) { s.LDAP.Interval = 10 }, "interval_seconds"},
		"guard":              {goodLDAP(), func(s *Settings) { s.LDAP.Guard = 101 }, "guard_percent"},
		"operator":           {goodLDAP(), func(s *Settings) { s.Roles = []RoleRule{{"cn=a", "operator"}} }, "roles"},
		"no group":           {goodLDAP(), func(s *Settings) { s.Roles = []RoleRule{{" ", "auditor"}} }, "roles"},
		"issuer without TLS": {goodOIDC(), func(s *Settings) { s.OIDC.Issuer = "http://login.firma.example" }, "issuer"},
		"issuer with query":  {goodOIDC(), func(s *Settings) { s.OIDC.Issuer += "?a" }, "issuer"},
		"script as issuer":   {goodOIDC(), func(s *Settings) { s.OIDC.Issuer = "javascript:alert(1)" }, "issuer"},
		"no client":          {goodOIDC(), func(s *Settings) { s.OIDC.ClientID = "" }, "client_id"},
		"redirect elsewhere": {goodOIDC(), func(s *Settings) { s.OIDC.Redirect = "https://archive.firma.example/" }, "redirect"},
		"redirect in clear":  {goodOIDC(), func(s *Settings) { s.OIDC.Redirect = "http://archive.firma.example" + CallbackPath }, "redirect"},
		"scope":              {goodOIDC(), func(s *Settings) { s.OIDC.Scopes = []string{"a b"} }, "scopes"},
		"hosted":             {goodOIDC(), func(s *Settings) { s.OIDC.Hosted = "a@b" }, "hosted"},
		"imap user":          {goodIMAP(), func(s *Settings) { s.IMAP.User = "x" }, "user"},
		"imap domains":       {goodIMAP(), func(s *Settings) { s.IMAP.Domains = []string{"a b"} }, "domains"},
	} {
		if x.good.Kind() != "" {
			if err := x.good.Check(roles); err != nil {
				t.Errorf("%s: good settings: %v", name, err)
			}
		}
		x.change(&x.good)
		var field *setting.Error
		if err := x.good.Check(roles); !errors.As(err, &field) || field.Field != x.field || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	local := goodOIDC()
	local.OIDC.Issuer, local.OIDC.Redirect = "http://127.0.0.1:1", "http://localhost:2"+CallbackPath
	if err := local.Check(roles); err != nil {
		t.Errorf("on this machine: %v", err)
	}
}

// TestParse reads what was written, and nothing else.
func TestParse(t *testing.T) {
	t.Parallel()
	for _, s := range []Settings{goodLDAP(), goodOIDC(), goodIMAP()} {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(b)
		if diff := cmp.Diff(s, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
	}
	for _, text := range []string{`{"ldap":{"password":"x"}}`, `{"saml":{}}`, `[]`, ``} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	for n, want := range map[int]time.Duration{0: time.Hour, -1: 0, 600: 10 * time.Minute} {
		s := goodLDAP()
		s.LDAP.Interval = n
		if got := s.Every(); got != want {
			t.Errorf("%d: %v", n, got)
		}
	}
	for _, code := range []string{CodeBase, CodeEmpty, CodeFilter, CodeGroup, CodeTooLarge, CodeDenied, CodeGuard, CodePlan, CodeIssuer, CodeProvider, CodeState, CodeToken,
		CodeAudience, CodeNonce, CodeExpired, CodeHosted, CodeNoEmail, CodeUnknown, CodeDisabled, CodeOverage, CodeSecret, remote.CodeDNS, remote.CodeInternal} {
		if Text(code) == "" {
			t.Errorf("code %s has no text", code)
		}
	}
}
