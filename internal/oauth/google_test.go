package oauth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"testing"

	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/oauthd"
)

func TestServiceAccount(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := json.Marshal(map[string]string{"type": "service_account", "client_email": "muniment@project.example", "private_key_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))})
	if err != nil {
		t.Fatal(err)
	}
	for m, want := range map[oauthd.Misbehaviour]string{"": "", oauthd.NoConsent: remote.CodeConsent, oauthd.NoToken: remote.CodeAuthority, oauthd.Unavailable: remote.CodeUnavailable} {
		s := oauthd.New(t, oauthd.Options{Misbehave: []oauthd.Misbehaviour{m}})
		set := remote.Settings{OAuth: remote.Google, Method: remote.ByClient, Authority: s.URL, User: "anna@firma.example", Protocol: remote.IMAP}
		token, err := brief().ByClient(t.Context(), AppOf(set), key)
		if got := codeOf(t, err); got != want || want == "" && token.Access != "access-1" {
			t.Errorf("%s: %+v, %v, want %q", m, token, err, want)
		}
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    remote.Settings
		want string
	}{
		{remote.Settings{OAuth: remote.Microsoft, Method: remote.ByClient}, "https://outlook.office365.com/.default"},
		{remote.Settings{OAuth: remote.Microsoft, Method: remote.ByClient, Authority: "https://login.microsoftonline.us"}, "https://outlook.office365.us/.default"},
		{remote.Settings{OAuth: remote.Microsoft, Method: remote.ByDevice, Protocol: remote.IMAP}, "https://outlook.office.com/IMAP.AccessAsUser.All"},
		{remote.Settings{OAuth: remote.Microsoft, Method: remote.ByDevice, Protocol: remote.POP3}, "https://outlook.office.com/POP.AccessAsUser.All"},
		{remote.Settings{OAuth: remote.Google, Method: remote.ByDevice, Protocol: remote.Auto}, "https://mail.google.com/"},
	} {
		if got := mailScopes(c.s); got[0] != c.want {
			t.Errorf("%+v: %q", c.s, got)
		}
	}
	if got := GraphScopes("https://login.partner.microsoftonline.cn/"); got[0] != "https://microsoftgraph.chinacloudapi.cn/.default" {
		t.Error(got)
	}
}
