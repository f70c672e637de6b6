package factor_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"

	"github.com/muniment/muniment/internal/factor"
)

func TestTOTP(t *testing.T) {
	t.Parallel()
	s, err := factor.NewTOTP("Muni:ment", "anna (acme)")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(s.URI, "otpauth://totp/Muni%20ment:anna%20%28acme%29?") || !strings.Contains(s.URI, "secret="+s.Text) || len(s.Secret) != 20 {
		t.Errorf("uri %s", s.URI)
	}
	if _, err := png.Decode(bytes.NewReader(s.PNG)); err != nil {
		t.Error(err)
	}
	now := time.Unix(1_800_000_015, 0)
	code := func(d time.Duration) string {
		c, err := totp.GenerateCode(s.Text, now.Add(d))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	var last int64
	for _, tc := range []struct {
		code string
		ok   bool
	}{
		{code(-60 * time.Second), false}, {code(60 * time.Second), false}, {"", false}, {"12345", false}, {"1234567", false}, {"abcdef", false},
		{code(-30 * time.Second), true}, {code(-30 * time.Second), false}, // once
		{code(0)[:3] + " " + code(0)[3:], true}, {code(0), false}, {code(-30 * time.Second), false}, // nor an older one after it
		{code(30 * time.Second), true}, {code(0), false},
	} {
		step, ok := factor.CheckTOTP(s.Secret, tc.code, now, last)
		if ok != tc.ok {
			t.Errorf("%q after %d: %v", tc.code, last, ok)
		}
		if ok {
			last = step
		}
	}
}

// RFC 6238, appendix B: the last six digits of the SHA-1 values.
func TestTOTPVectors(t *testing.T) {
	t.Parallel()
	secret := []byte("12345678901234567890")
	for at, code := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if step, ok := factor.CheckTOTP(secret, code, time.Unix(at, 0), 0); !ok || step != at/30 {
			t.Errorf("%d: %v at step %d", at, ok, step)
		}
	}
}

func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range append(factor.NewRecoveryCodes(), factor.NewRecoveryCodes()...) {
		if len(c) != 19 || strings.Count(c, "-") != 3 || seen[c] {
			t.Errorf("code %q", c)
		}
		seen[c] = true
		written := strings.ToUpper(strings.ReplaceAll(c, "-", " "))
		if !bytes.Equal(factor.RecoveryHash("anna", c), factor.RecoveryHash("anna", written)) || bytes.Equal(factor.RecoveryHash("anna", c), factor.RecoveryHash("bernd", c)) {
			t.Errorf("hash of %q", c)
		}
	}
	if len(seen) != 2*factor.RecoveryCodes {
		t.Errorf("%d codes", len(seen))
	}
}

func TestWherePasskeysCanBe(t *testing.T) {
	t.Parallel()
	for address, id := range map[string]string{"https://archive.example": "archive.example", "https://archive.example:8443": "archive.example", "http://localhost:8080": "localhost",
		"http://archive.example": "", "https://192.0.2.1": "", "http://127.0.0.1:80": "", "https://[2001:db8::1]": "", "": "", "::": ""} {
		p, err := factor.NewParty("Muniment", address)
		if id == "" && !errors.Is(err, factor.ErrNoPasskeys) || id != "" && (err != nil || p.ID != id) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

type rig struct {
	*factor.Party
	t      *testing.T
	rp     virtualwebauthn.RelyingParty
	device virtualwebauthn.Authenticator
	key    virtualwebauthn.Credential
	holder factor.Holder
}

func newRig(t *testing.T) *rig {
	p, err := factor.NewParty("Muniment", "https://archive.example")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Party: p, t: t, rp: virtualwebauthn.RelyingParty{Name: "Muniment", ID: "archive.example", Origin: "https://archive.example"},
		holder: factor.Holder{ID: []byte("0123456789abcdef"), Login: "anna", Name: "Anna"}}
	r.device = virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: r.holder.ID})
	r.key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	return r
}

// register makes a passkey of the holder.
func (r *rig) register() error {
	r.t.Helper()
	options, challenge, err := r.BeginRegister(r.holder)
	if err != nil {
		r.t.Fatal(err)
	}
	o, err := virtualwebauthn.ParseAttestationOptions(`{"publicKey":` + string(options) + `}`)
	if err != nil {
		r.t.Fatal(err)
	}
	b, err := r.Register(r.holder, challenge, []byte(virtualwebauthn.CreateAttestationResponse(r.rp, r.device, r.key, *o)))
	if err == nil {
		r.holder.Passkeys = append(r.holder.Passkeys, b)
		r.device.AddCredential(r.key)
	}
	return err
}

func (r *rig) sign(options []byte) []byte {
	r.t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(`{"publicKey":` + string(options) + `}`)
	if err != nil {
		r.t.Fatal(err)
	}
	r.key.Counter++
	return []byte(virtualwebauthn.CreateAssertionResponse(r.rp, r.device, r.key, *o))
}

func TestPasskeys(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.register(); err != nil {
		t.Fatal(err)
	}
	for _, alone := range []bool{false, true} {
		h, check := &r.holder, r.LogIn
		if alone {
			h, check = nil, r.LogInAlone
		}
		options, challenge, err := r.BeginLogIn(h)
		if err != nil {
			t.Fatal(err)
		}
		answer := r.sign(options)
		who, err := factor.Whose(answer)
		if err != nil || !bytes.Equal(who, r.holder.ID) {
			t.Errorf("whose: %q, %v", who, err)
		}
		p, err := check(r.holder, challenge, answer)
		if err != nil {
			t.Fatal(err)
		}
		if p.Cloned || p.Index != 0 || bytes.Equal(p.Passkey, r.holder.Passkeys[0]) {
			t.Errorf("proof %+v", p)
		}
		r.holder.Passkeys[0] = p.Passkey
		_, other, err := r.BeginLogIn(h)
		if err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"another challenge": second(check(r.holder, other, answer)),
			"no challenge":      second(check(r.holder, nil, answer)),
			"no answer":         second(check(r.holder, challenge, []byte("{}"))),
			"a long answer":     second(check(r.holder, challenge, bytes.Repeat([]byte(" "), 1<<20))),
			"another user":      second(check(factor.Holder{ID: []byte("x"), Passkeys: r.holder.Passkeys}, challenge, answer)),
			"another passkey":   second(check(factor.Holder{ID: r.holder.ID}, challenge, answer)),
			"changed bytes":     second(check(r.holder, challenge, tampered(t, answer))),
		} {
			if !errors.Is(err, factor.ErrPasskey) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	r.key.Counter = 0
	options, challenge, err := r.BeginLogIn(&r.holder)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := r.LogIn(r.holder, challenge, r.sign(options)); err != nil || !p.Cloned {
		t.Errorf("a count that has gone back: %+v, %v", p, err)
	}
}

// An answer that was made for another site, or without asking the user, proves nothing.
func TestForeignPasskeys(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.rp.Origin = "https://evil.example"
	if err := r.register(); !errors.Is(err, factor.ErrPasskey) {
		t.Errorf("made at another site: %v", err)
	}
	r.rp.Origin = "https://archive.example"
	if err := r.register(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"another site", "another party", "user not asked"} {
		options, challenge, err := r.BeginLogIn(nil)
		if err != nil {
			t.Fatal(err)
		}
		rp, device := r.rp, r.device
		switch name {
		case "another site":
			r.rp.Origin = "https://evil.example"
		case "another party":
			r.rp.ID = "evil.example"
		default:
			r.device.Options.UserNotVerified = true
		}
		if _, err := r.LogInAlone(r.holder, challenge, r.sign(options)); !errors.Is(err, factor.ErrPasskey) {
			t.Errorf("%s: %v", name, err)
		}
		r.rp, r.device = rp, device
	}
}

func second[T any](_ T, err error) error { return err }

// tampered changes the signature of an answer.
func tampered(t *testing.T, answer []byte) []byte {
	t.Helper()
	var a map[string]any
	if err := json.Unmarshal(answer, &a); err != nil {
		t.Fatal(err)
	}
	response := a["response"].(map[string]any)
	s := []byte(response["signature"].(string))
	s[len(s)/2] ^= 3
	response["signature"] = string(s)
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// FuzzPasskey gives the parsers of a browser's answer whatever bytes: they must not
// panic, and nothing of it may prove anything.
func FuzzPasskey(f *testing.F) {
	p, err := factor.NewParty("Muniment", "https://archive.example")
	if err != nil {
		f.Fatal(err)
	}
	h := factor.Holder{ID: []byte("0123456789abcdef"), Login: "anna", Name: "Anna"}
	_, made, err := p.BeginRegister(h)
	if err != nil {
		f.Fatal(err)
	}
	_, asked, err := p.BeginLogIn(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"id":"YQ","rawId":"YQ","type":"public-key","response":{"authenticatorData":"YQ","clientDataJSON":"e30","signature":"YQ","userHandle":"YQ","attestationObject":"oA"}}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		_, _ = factor.Whose(answer)
		if _, err := p.Register(h, made, answer); err == nil {
			t.Error("made a passkey of it")
		}
		if _, err := p.LogInAlone(h, asked, answer); err == nil {
			t.Error("let somebody in")
		}
	})
}
