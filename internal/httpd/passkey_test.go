package httpd_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"testing"

	"github.com/descope/virtualwebauthn"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archivetest"
)

// passkeys is a browser with an authenticator.
type passkeys struct {
	*browser
	rp     virtualwebauthn.RelyingParty
	device virtualwebauthn.Authenticator
	key    virtualwebauthn.Credential
}

func (p *passkeys) add(t *testing.T) *answer {
	t.Helper()
	var o api.PasskeyOptions
	p.send(t, "POST", "/account/passkey-options", nil).into(t, &o)
	raw, err := json.Marshal(map[string]any{"publicKey": o.Options})
	if err != nil {
		t.Fatal(err)
	}
	options, err := virtualwebauthn.ParseAttestationOptions(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(virtualwebauthn.CreateAttestationResponse(p.rp, p.device, p.key, *options)), &answer); err != nil {
		t.Fatal(err)
	}
	handle, err := virtualHandle(o.Options)
	if err != nil {
		t.Fatal(err)
	}
	p.device.Options.UserHandle = handle
	p.device.AddCredential(p.key)
	return p.send(t, "POST", "/account/passkeys", api.NewPasskey{Name: "Schlüssel", Passkey: answer})
}

func (p *passkeys) sign(t *testing.T, step bool) map[string]any {
	t.Helper()
	var o api.PasskeyOptions
	p.send(t, "POST", "/session/passkey-options", api.PasskeyQuestion{Step: step}).into(t, &o)
	raw, err := json.Marshal(map[string]any{"publicKey": o.Options})
	if err != nil {
		t.Fatal(err)
	}
	options, err := virtualwebauthn.ParseAssertionOptions(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	p.key.Counter++
	var answer map[string]any
	if err := json.Unmarshal([]byte(virtualwebauthn.CreateAssertionResponse(p.rp, p.device, p.key, *options)), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestPasskeyLogIn(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.SetURL("https://archive.example")
	p := &passkeys{browser: s.as(t, "anna"), rp: virtualwebauthn.RelyingParty{ID: "archive.example", Origin: "https://archive.example"},
		device: virtualwebauthn.NewAuthenticator(), key: virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)}
	var added api.FactorAdded
	p.add(t).into(t, &added)
	if len(added.RecoveryCodes) != 10 {
		t.Errorf("%d recovery codes", len(added.RecoveryCodes))
	}
	p.browser = s.browser()
	answer := p.sign(t, false)
	saved := slices.Clone(p.cookies)
	var account api.Account
	p.send(t, "POST", "/session/passkey", api.PasskeyAnswer{Passkey: answer}).into(t, &account)
	if account.Login != "anna" || p.cookie("muniment_passkey") != "" {
		t.Errorf("account %+v, cookies %v", account, p.cookies)
	}
	want(t, "session", p.get(t, "/api/v1/search?q="), 200, "")
	p.cookies = saved
	want(t, "the same answer again", p.send(t, "POST", "/session/passkey", api.PasskeyAnswer{Passkey: answer}), 401, api.CodeLogIn)
	p.browser = s.browser()
	want(t, "without its question", p.send(t, "POST", "/session/passkey", api.PasskeyAnswer{Passkey: answer}), 401, api.CodeStepEnded)
	// As a second factor, even after too many guesses elsewhere.
	want(t, "step", p.logIn(t, "anna", archivetest.Password), 401, api.CodeSecondFactor)
	answer = p.sign(t, true)
	want(t, "second factor", p.send(t, "POST", "/session/step", api.SecondStep{Passkey: answer}), 200, "")
	want(t, "session", p.get(t, "/api/v1/search?q="), 200, "")
	p.device.Options.UserNotVerified = true
	p.browser = s.browser()
	answer = p.sign(t, false)
	want(t, "by itself without asking the user", p.send(t, "POST", "/session/passkey", api.PasskeyAnswer{Passkey: answer}), 401, api.CodeLogIn)
}

// Without an address that has a host name and TLS there are no passkeys.
func TestNoPasskeys(t *testing.T) {
	t.Parallel()
	s := start(t)
	want(t, "question", s.browser().send(t, "POST", "/session/passkey-options", map[string]any{}), 409, api.CodeNoPasskeys)
	want(t, "make", s.as(t, "anna").send(t, "POST", "/account/passkey-options", nil), 409, api.CodeNoPasskeys)
}

// virtualHandle reads the user handle of the options.
func virtualHandle(options map[string]any) ([]byte, error) {
	user, _ := options["user"].(map[string]any)
	id, _ := user["id"].(string)
	return base64.RawURLEncoding.DecodeString(id)
}
