package oidc

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/directory"
	"github.com/muniment/muniment/internal/directory/dial"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/oidcd"
)

func settings(p *oidcd.Server) directory.OIDC {
	return directory.OIDC{Issuer: p.Issuer, ClientID: p.ClientID, Redirect: "https://archive.example" + directory.CallbackPath}
}

// visit does what a browser does between the halves of a log-in, and returns what it
// comes back with.
func visit(t *testing.T, address string) url.Values {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	u, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || u.Path != directory.CallbackPath {
		t.Fatalf("the provider sends to %q, %v", resp.Header.Get("Location"), err)
	}
	return u.Query()
}

// logIn does all of a log-in.
func logIn(t *testing.T, p *oidcd.Server, set directory.OIDC, secret string) (*directory.Identity, error) {
	t.Helper()
	c, ctx := New(nil, nil), context.Background()
	address, flow, err := c.Begin(ctx, set, []byte(secret))
	if err != nil {
		return nil, err
	}
	return c.Finish(ctx, set, []byte(secret), flow, visit(t, address))
}

func anna(more map[string]any) oidcd.Account {
	c := map[string]any{"email": "Anna@Firma.example", "email_verified": true, "name": "Anna"}
	for k, v := range more {
		c[k] = v
	}
	return oidcd.Account{Subject: "42", Claims: c}
}

// TestLogIn logs in at providers that say the same in their own ways.
func TestLogIn(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		account oidcd.Account
		change  func(*directory.OIDC)
		want    directory.Identity
		code    string
	}{
		"plain":                                  {account: anna(map[string]any{"groups": []string{"a", "b"}}), want: directory.Identity{Verified: true, Groups: []string{"a", "b"}}},
		"keycloak":                               {account: anna(map[string]any{"realm_access": map[string]any{"roles": []string{"chef"}}}), change: func(o *directory.OIDC) { o.GroupClaim = "realm_access.roles" }, want: directory.Identity{Verified: true, Groups: []string{"chef"}}},
		"unverified":                             {account: anna(map[string]any{"email_verified": false}), want: directory.Identity{}},
		"a trusted address that is not verified": {account: anna(map[string]any{"email_verified": false}), change: func(o *directory.OIDC) { o.TrustEmail = true }, want: directory.Identity{}},
		"entra": {account: oidcd.Account{Subject: "42", Claims: map[string]any{"preferred_username": "Anna@Firma.example", "name": "Anna", "_claim_names": map[string]any{"groups": "src1"}, "_claim_sources": map[string]any{"src1": map[string]any{"endpoint": "https://graph.example/getMemberObjects"}}}},
			change: func(o *directory.OIDC) { o.TrustEmail = true }, want: directory.Identity{Verified: true, Overage: true}},
		"google":            {account: anna(map[string]any{"hd": "Firma.example"}), change: func(o *directory.OIDC) { o.Hosted = "firma.example" }, want: directory.Identity{Verified: true}},
		"another domain":    {account: anna(map[string]any{"hd": "other.example"}), change: func(o *directory.OIDC) { o.Hosted = "firma.example" }, code: directory.CodeHosted},
		"a private person":  {account: anna(nil), change: func(o *directory.OIDC) { o.Hosted = "firma.example" }, code: directory.CodeHosted},
		"userinfo":          {account: oidcd.Account{Subject: "42", Info: map[string]any{"email": "anna@firma.example", "email_verified": "true", "name": "Anna"}}, want: directory.Identity{Verified: true}},
		"several audiences": {account: anna(map[string]any{"aud": []string{"x", oidcd.ClientID}, "azp": oidcd.ClientID}), want: directory.Identity{Verified: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := oidcd.New(t, oidcd.Options{})
			p.Is(x.account)
			set := settings(p)
			if x.change != nil {
				x.change(&set)
			}
			got, err := logIn(t, p, set, oidcd.ClientSecret)
			if x.code != "" {
				if err == nil || directory.Code(err) != x.code {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			x.want.Issuer, x.want.Subject, x.want.Email, x.want.Name = p.Issuer, "42", "anna@firma.example", "Anna"
			if diff := cmp.Diff(&x.want, got); diff != "" || err != nil {
				t.Error(diff, err)
			}
		})
	}
}

// TestMisbehaviour: each provider that is wrong is refused with the error of what is.
func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	for m, code := range map[oidcd.Misbehaviour]string{
		oidcd.AlgNone: directory.CodeToken, oidcd.AlgHMAC: directory.CodeToken, oidcd.ForeignKey: directory.CodeToken, oidcd.NoSignature: directory.CodeToken,
		oidcd.WrongIssuer: directory.CodeIssuer, oidcd.WrongDiscovery: directory.CodeIssuer, oidcd.SlashIssuer: directory.CodeIssuer, oidcd.OtherIssuer: directory.CodeIssuer,
		oidcd.WrongAudience: directory.CodeAudience, oidcd.ManyAudiences: directory.CodeAudience, oidcd.WrongParty: directory.CodeAudience,
		oidcd.WrongNonce: directory.CodeNonce, oidcd.NoNonce: directory.CodeNonce, oidcd.WrongState: directory.CodeState,
		oidcd.Expired: directory.CodeExpired, oidcd.Future: directory.CodeExpired, oidcd.NoExpiry: directory.CodeToken, oidcd.NoSubject: directory.CodeToken,
		oidcd.NoToken: directory.CodeToken, oidcd.HugeDiscovery: directory.CodeTooLarge, oidcd.Redirects: remote.CodeProtocol, oidcd.Garbage: remote.CodeProtocol,
		oidcd.Refuses: directory.CodeProvider, oidcd.OtherUser: directory.CodeToken, oidcd.PlainEndpoint: remote.CodeProtocol, oidcd.Down: remote.CodeProtocol,
	} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			p := oidcd.New(t, oidcd.Options{Misbehave: m})
			p.Is(anna(nil))
			if m == oidcd.OtherUser {
				p.Is(oidcd.Account{Subject: "42"})
			}
			who, err := logIn(t, p, settings(p), oidcd.ClientSecret)
			if err == nil || directory.Code(err) != code {
				t.Errorf("%+v, code %q, %v", who, directory.Code(err), err)
			}
			if directory.Text(code) == "" {
				t.Errorf("code %s has no text", code)
			}
		})
	}
}

// TestRotation: a provider that has changed its keys is believed with the new ones.
func TestRotation(t *testing.T) {
	t.Parallel()
	p := oidcd.New(t, oidcd.Options{})
	p.Is(anna(nil))
	for range 3 {
		if _, err := logIn(t, p, settings(p), oidcd.ClientSecret); err != nil {
			t.Error(err)
		}
		p.Rotate()
	}
}

// TestReplay: neither a code nor a state is good for two log-ins, nor for another browser.
func TestReplay(t *testing.T) {
	t.Parallel()
	p := oidcd.New(t, oidcd.Options{})
	p.Is(anna(nil))
	c, ctx, set := New(nil, nil), context.Background(), settings(p)
	secret := []byte(oidcd.ClientSecret)
	address, flow, err := c.Begin(ctx, set, secret)
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := c.Begin(ctx, set, secret)
	if err != nil {
		t.Fatal(err)
	}
	back := visit(t, address)
	if _, err := c.Finish(ctx, set, secret, other, back); directory.Code(err) != directory.CodeState {
		t.Errorf("in another browser: %v", err)
	}
	stolen := other
	stolen.State = flow.State
	if _, err := c.Finish(ctx, set, secret, stolen, back); directory.Code(err) != directory.CodeProvider {
		t.Errorf("without the verifier: %v", err)
	}
	if _, err := c.Finish(ctx, set, secret, flow, back); directory.Code(err) != directory.CodeProvider {
		t.Errorf("with a code that was used: %v", err)
	}
	if _, err := c.Finish(ctx, set, secret, directory.Flow{}, url.Values{}); directory.Code(err) != directory.CodeState {
		t.Errorf("without anything: %v", err)
	}
}

// TestFindings tries settings that are wrong.
func TestFindings(t *testing.T) {
	t.Parallel()
	p := oidcd.New(t, oidcd.Options{})
	for name, x := range map[string]struct {
		change func(*directory.OIDC)
		secret string
		code   string
	}{
		"right":        {func(*directory.OIDC) {}, oidcd.ClientSecret, ""},
		"wrong secret": {func(*directory.OIDC) {}, "wrong", directory.CodeSecret},
		"wrong client": {func(o *directory.OIDC) { o.ClientID = "another" }, oidcd.ClientSecret, directory.CodeSecret},
		"no provider":  {func(o *directory.OIDC) { o.Issuer += "/realms/none" }, oidcd.ClientSecret, remote.CodeProtocol},
		"nobody there": {func(o *directory.OIDC) { o.Issuer = "http://127.0.0.1:1" }, oidcd.ClientSecret, remote.CodeConnect},
		"unknown host": {func(o *directory.OIDC) { o.Issuer = "https://login.invalid" }, oidcd.ClientSecret, remote.CodeDNS},
	} {
		set := settings(p)
		x.change(&set)
		f := New(nil, nil).Test(context.Background(), directory.Settings{OIDC: &set}, []byte(x.secret))
		if code := problemCode(f); code != x.code || f.OK != (code == "") {
			t.Errorf("%s: %+v", name, f.Problem)
		}
	}
	set := settings(p)
	if f := New(dial.New(true), nil).Test(context.Background(), directory.Settings{OIDC: &set}, nil); problemCode(f) != remote.CodeForbidden {
		t.Errorf("on this machine: %+v", f.Problem)
	}
}

func problemCode(f directory.Finding) string {
	if f.Problem == nil {
		return ""
	}
	return f.Problem.Code
}

// TestSkew: clocks may differ by two minutes, and no more.
func TestSkew(t *testing.T) {
	t.Parallel()
	for off, fine := range map[time.Duration]bool{-90 * time.Second: true, 6 * time.Minute: true, -3 * time.Minute: false, 8 * time.Minute: false} {
		p := oidcd.New(t, oidcd.Options{})
		p.Is(anna(nil))
		c, ctx, set := New(nil, func() time.Time { return time.Now().Add(off) }), context.Background(), settings(p)
		address, flow, err := c.Begin(ctx, set, []byte(oidcd.ClientSecret))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = c.Finish(ctx, set, []byte(oidcd.ClientSecret), flow, visit(t, address)); (err == nil) != fine {
			t.Errorf("%v off: %v", off, err)
		}
	}
}
