package httpd_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archivetest"
)

const newPassword = "neue worte neue worte"

// keep takes the cookies of an answer as a browser does.
func (b *browser) keep(a *answer) *answer {
	for _, c := range a.Cookies() {
		b.cookies = slices.DeleteFunc(b.cookies, func(o *http.Cookie) bool { return o.Name == c.Name })
		if c.MaxAge >= 0 {
			b.cookies = append(b.cookies, c)
		}
	}
	return a
}

// send is do, and keeps the cookies.
func (b *browser) send(t *testing.T, method, path string, body any) *answer {
	t.Helper()
	return b.keep(b.do(t, method, "/api/v1"+path, body))
}

func (b *browser) cookie(name string) string {
	for _, c := range b.cookies {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func (b *browser) logIn(t *testing.T, login, password string) *answer {
	t.Helper()
	return b.send(t, "POST", "/session", api.LogIn{Login: login, Password: password})
}

// want fails unless an answer has a status and a code.
func want(t *testing.T, what string, a *answer, status int, code api.Code) *answer {
	t.Helper()
	if a.StatusCode != status || a.code() != string(code) {
		t.Fatalf("%s: %d %.300s; want %d %s", what, a.StatusCode, a.body, status, code)
	}
	return a
}

// withTOTP sets up an authenticator application and returns its secret and the recovery
// codes.
func (b *browser) withTOTP(t *testing.T) (secret string, codes []string) {
	t.Helper()
	var setup api.TOTPSetup
	b.send(t, "POST", "/account/totp", nil).into(t, &setup)
	var added api.FactorAdded
	b.send(t, "POST", "/account/totp/confirmation", api.TOTPCode{Code: codeOf(t, setup.Secret, -30*time.Second)}).into(t, &added)
	return setup.Secret, added.RecoveryCodes
}

func codeOf(t *testing.T, secret string, shift time.Duration) string {
	t.Helper()
	c, err := totp.GenerateCode(secret, time.Now().Add(shift))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSecondStep(t *testing.T) {
	t.Parallel()
	s := start(t)
	first := s.as(t, "anna")
	secret, codes := first.withTOTP(t)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	b := s.browser()
	want(t, "wrong password", b.logIn(t, "anna", "wrong wrong"), 401, api.CodeLogIn)
	a := want(t, "right password", b.logIn(t, "anna", archivetest.Password), 401, api.CodeSecondFactor)
	var step api.StepProblem
	if err := json.Unmarshal(a.body, &step); err != nil || !slices.Equal(step.Factors, []string{"totp", "recovery"}) || time.Until(step.ExpiresAt) > 10*time.Minute {
		t.Errorf("step = %+v, %v", step, err)
	}
	if c := a.Cookies()[0]; len(a.Cookies()) != 1 || c.Name != "muniment_step" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookies = %v", a.Cookies())
	}
	token := b.cookie("muniment_step")
	asSession := s.browser()
	asSession.cookies = []*http.Cookie{{Name: "muniment_session", Value: token}}
	want(t, "the step as a session", asSession.get(t, "/api/v1/session"), 401, api.CodeNoSession)
	want(t, "the step as a session", asSession.get(t, "/api/v1/account/security"), 401, api.CodeNoSession)
	want(t, "without the cookie", s.browser().send(t, "POST", "/session/step", api.SecondStep{Code: codeOf(t, secret, 0)}), 401, api.CodeStepEnded)
	want(t, "a session as the step", first.send(t, "POST", "/session/step", api.SecondStep{Code: codeOf(t, secret, 0)}), 401, api.CodeStepEnded)
	want(t, "wrong code", b.send(t, "POST", "/session/step", api.SecondStep{Code: "000000"}), 401, api.CodeFactor)
	want(t, "used code", b.send(t, "POST", "/session/step", api.SecondStep{Code: codeOf(t, secret, -30*time.Second)}), 401, api.CodeFactor)
	code := codeOf(t, secret, 0)
	want(t, "right code", b.send(t, "POST", "/session/step", api.SecondStep{Code: code}), 200, "")
	if b.cookie("muniment_step") != "" || b.cookie("muniment_session") == token || b.cookie("muniment_device") == "" {
		t.Errorf("cookies = %v", b.cookies)
	}
	want(t, "the session", b.get(t, "/api/v1/session"), 200, "")

	again := s.browser()
	want(t, "again", again.logIn(t, "anna", archivetest.Password), 401, api.CodeSecondFactor)
	want(t, "code used twice", again.send(t, "POST", "/session/step", api.SecondStep{Code: code}), 401, api.CodeFactor)
	want(t, "recovery code", again.send(t, "POST", "/session/step", api.SecondStep{Recovery: strings.ToUpper(codes[3])}), 200, "")
	want(t, "once more", again.logIn(t, "anna", archivetest.Password), 401, api.CodeSecondFactor)
	want(t, "recovery code used twice", again.send(t, "POST", "/session/step", api.SecondStep{Recovery: codes[3]}), 401, api.CodeFactor)
	for range 4 {
		want(t, "tries", again.send(t, "POST", "/session/step", api.SecondStep{Recovery: "aaaa-aaaa-aaaa-aaaa"}), 401, api.CodeFactor)
	}
	want(t, "tried too often", again.send(t, "POST", "/session/step", api.SecondStep{Recovery: codes[4]}), 401, api.CodeStepEnded)
	want(t, "the step is gone", again.send(t, "POST", "/session/step", api.SecondStep{Recovery: codes[4]}), 401, api.CodeStepEnded)
}

func TestFactorsAreTheUsersOwn(t *testing.T) {
	t.Parallel()
	s := start(t)
	anna, bernd := s.as(t, "anna"), s.as(t, "bernd")
	anna.withTOTP(t)
	var sec api.Security
	anna.get(t, "/api/v1/account/security").into(t, &sec)
	if sec.TOTP == nil || sec.RecoveryCodes != 10 || len(sec.Sessions) != 1 || !sec.Sessions[0].Current || !sec.Confirmed || sec.Required {
		t.Errorf("security = %+v", sec)
	}
	id := sec.TOTP.ID
	want(t, "factor of another", bernd.send(t, "DELETE", "/account/factors/"+id, nil), 404, api.CodeNotFound)
	want(t, "session of another", bernd.send(t, "DELETE", "/account/sessions/"+sec.Sessions[0].ID, nil), 404, api.CodeNotFound)
	want(t, "renamed", bernd.send(t, "PATCH", "/account/passkeys/"+id, api.PasskeyName{Name: "x"}), 404, api.CodeNotFound)
	var codes api.RecoveryCodes
	anna.send(t, "POST", "/account/recovery-codes", nil).into(t, &codes)
	want(t, "codes without a factor", bernd.send(t, "POST", "/account/recovery-codes", nil), 422, api.CodeInvalid)
	want(t, "removed", anna.send(t, "DELETE", "/account/factors/"+id, nil), 204, "")
	anna.get(t, "/api/v1/account/security").into(t, &sec)
	if sec.RecoveryCodes != 0 {
		t.Errorf("%d recovery codes are left", sec.RecoveryCodes)
	}
	want(t, "one step again", s.browser().logIn(t, "anna", archivetest.Password), 200, "")
}

func TestRoleNeedsSecondFactor(t *testing.T) {
	t.Parallel()
	s := start(t)
	anna, bernd := s.as(t, "anna"), s.as(t, "bernd")
	want(t, "policy by a user", anna.send(t, "PUT", "/login-policy", api.LoginPolicy{SecondFactor: []string{"user"}}), 403, api.CodeRole)
	want(t, "operators by a tenant", bernd.send(t, "PUT", "/login-policy", api.LoginPolicy{SecondFactor: []string{"operator"}}), 422, api.CodeInvalid)
	want(t, "policy", bernd.send(t, "PUT", "/login-policy", api.LoginPolicy{SecondFactor: []string{"user"}}), 200, "")
	want(t, "an open session", anna.get(t, "/api/v1/search?q="), 403, api.CodeSetupNeeded)
	want(t, "whoever need not", bernd.get(t, "/api/v1/statistics"), 200, "")

	b := s.browser()
	want(t, "log-in", b.logIn(t, "anna", archivetest.Password), 200, "")
	var account api.Account
	b.get(t, "/api/v1/session").into(t, &account)
	if !account.SetupNeeded || b.cookie("muniment_device") != "" {
		t.Errorf("account = %+v", account)
	}
	for _, path := range []string{"GET /search?q=", "GET /messages/x", "GET /messages/x/raw", "PUT /account/password", "DELETE /account/sessions", "POST /account/recovery-codes", "GET /uploads"} {
		method, path, _ := strings.Cut(path, " ")
		want(t, path, b.send(t, method, path, nil), 403, api.CodeSetupNeeded)
	}
	before := b.cookie("muniment_session")
	b.withTOTP(t)
	if b.cookie("muniment_session") == before {
		t.Error("the session keeps its token though its rights have changed")
	}
	old := s.browser()
	old.cookies = []*http.Cookie{{Name: "muniment_session", Value: before}}
	want(t, "the old token", old.get(t, "/api/v1/session"), 401, api.CodeNoSession)
	want(t, "search", b.get(t, "/api/v1/search?q="), 200, "")
	var sec api.Security
	b.get(t, "/api/v1/account/security").into(t, &sec)
	want(t, "the last one", b.send(t, "DELETE", "/account/factors/"+sec.TOTP.ID, nil), 422, api.CodeInvalid)
}

func TestPasswordAndSessions(t *testing.T) {
	t.Parallel()
	s := start(t)
	one, two, three := s.as(t, "anna"), s.as(t, "anna"), s.as(t, "anna")
	if one.cookie("muniment_session") == two.cookie("muniment_session") {
		t.Error("two log-ins have one token")
	}
	var sec api.Security
	one.get(t, "/api/v1/account/security").into(t, &sec)
	if len(sec.Sessions) != 3 || sec.Sessions[0].Peer == "" {
		t.Fatalf("sessions = %+v", sec.Sessions)
	}
	for i, c := range sec.Sessions {
		if c.Current != (i == 2) { // the youngest first
			t.Errorf("session %d: %+v", i, c)
		}
	}
	want(t, "end", one.send(t, "DELETE", "/account/sessions/"+sec.Sessions[0].ID, nil), 204, "")
	want(t, "ended", three.get(t, "/api/v1/session"), 401, api.CodeNoSession)
	want(t, "wrong old", one.send(t, "PUT", "/account/password", api.PasswordChange{Old: "wrong", New: newPassword}), 403, api.CodePassword)
	want(t, "weak", one.send(t, "PUT", "/account/password", api.PasswordChange{Old: archivetest.Password, New: "short"}), 422, api.CodeInvalid)
	before := browser{site: s, cookies: slices.Clone(one.cookies), header: http.Header{}}
	want(t, "change", one.send(t, "PUT", "/account/password", api.PasswordChange{Old: archivetest.Password, New: newPassword}), 204, "")
	want(t, "others", two.get(t, "/api/v1/session"), 401, api.CodeNoSession)
	want(t, "the old token", before.get(t, "/api/v1/session"), 401, api.CodeNoSession)
	want(t, "this one", one.get(t, "/api/v1/session"), 200, "")
	want(t, "old password", s.browser().logIn(t, "anna", archivetest.Password), 401, api.CodeLogIn)
	four := s.browser()
	want(t, "new password", four.logIn(t, "anna", newPassword), 200, "")
	want(t, "all others", one.send(t, "DELETE", "/account/sessions", nil), 204, "")
	want(t, "ended", four.get(t, "/api/v1/session"), 401, api.CodeNoSession)
	want(t, "this one", one.get(t, "/api/v1/session"), 200, "")
	// A token from before the log-in is not that from after it.
	fixed := s.browser()
	fixed.cookies = []*http.Cookie{{Name: "muniment_session", Value: "chosen"}}
	want(t, "log-in", fixed.logIn(t, "anna", newPassword), 200, "")
	if fixed.cookie("muniment_session") == "chosen" {
		t.Error("the token was chosen by somebody else")
	}
}

func TestAdministratorsAndLogins(t *testing.T) {
	t.Parallel()
	s := start(t)
	anna, bernd := s.as(t, "anna"), s.as(t, "bernd")
	other, _ := s.Tenant(t, "other")
	stranger := s.User(t, other, "stranger", access.RoleUser).User.String()
	u, err := s.Archive.User(t.Context(), s.tenant.ID, "anna")
	if err != nil {
		t.Fatal(err)
	}
	id := u.ID.String()
	anna.withTOTP(t)
	for _, path := range []string{"GET /users/{id}/security", "POST /users/{id}/welcome", "DELETE /users/{id}/factors", "DELETE /users/{id}/sessions", "DELETE /users/{id}/sessions/" + id} {
		method, path, _ := strings.Cut(path, " ")
		want(t, path, anna.send(t, method, strings.ReplaceAll(path, "{id}", id), map[string]any{}), 403, api.CodeRole)
		for _, nobody := range []string{stranger, "x", s.tenant.ID.String()} {
			want(t, path, bernd.send(t, method, strings.ReplaceAll(path, "{id}", nobody), map[string]any{}), 404, api.CodeNotFound)
		}
	}
	var sec api.Security
	bernd.get(t, "/api/v1/users/"+id+"/security").into(t, &sec)
	if sec.TOTP == nil || len(sec.Sessions) != 1 {
		t.Errorf("security = %+v", sec)
	}
	want(t, "reset", bernd.send(t, "DELETE", "/users/"+id+"/factors", nil), 204, "")
	want(t, "sessions end", anna.get(t, "/api/v1/session"), 401, api.CodeNoSession)
	anna = s.as(t, "anna") // one step
	want(t, "end", bernd.send(t, "DELETE", "/users/"+id+"/sessions", nil), 204, "")
	want(t, "ended", anna.get(t, "/api/v1/session"), 401, api.CodeNoSession)
	anna = s.as(t, "anna")
	u.Disabled = true
	if err := s.ChangeUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	want(t, "disabled", anna.get(t, "/api/v1/session"), 401, api.CodeNoSession)
	want(t, "link for nobody who may use it", bernd.send(t, "POST", "/users/"+id+"/welcome", map[string]any{}), 422, api.CodeInvalid)
}

func TestLinks(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.SetURL("https://archive.example")
	anna, bernd := s.as(t, "anna"), s.as(t, "bernd")
	u, err := s.Archive.User(t.Context(), s.tenant.ID, "anna")
	if err != nil {
		t.Fatal(err)
	}
	invite := func() string {
		var i api.Invitation
		bernd.send(t, "POST", "/users/"+u.ID.String()+"/welcome", map[string]any{}).into(t, &i)
		token, ok := strings.CutPrefix(i.Link, "https://archive.example/link#")
		if !ok || i.Purpose != "reset" || i.MailedTo != "" {
			t.Fatalf("invitation = %+v", i)
		}
		return token
	}
	replaced, token := invite(), invite()
	b := s.browser()
	b.header.Set("X-Forwarded-Host", "evil.example")
	want(t, "replaced", b.send(t, "POST", "/links/look", api.LinkToken{Token: replaced}), 410, api.CodeLink)
	for range 3 { // a scanner of mail
		want(t, "page", b.get(t, "/link"), 200, "")
		var l api.Link
		b.send(t, "POST", "/links/look", api.LinkToken{Token: token}).into(t, &l)
		if l.Login != "anna" || l.Tenant.Slug != "acme" {
			t.Errorf("link = %+v", l)
		}
	}
	want(t, "weak", b.send(t, "POST", "/links/use", api.LinkUse{Token: token, Password: "short"}), 422, api.CodeInvalid)
	used := want(t, "use", b.send(t, "POST", "/links/use", api.LinkUse{Token: token, Password: newPassword}), 200, "")
	if len(used.Cookies()) > 0 {
		t.Error("a link opens a session, past the second factor")
	}
	want(t, "twice", b.send(t, "POST", "/links/use", api.LinkUse{Token: token, Password: newPassword}), 410, api.CodeLink)
	want(t, "sessions end", anna.get(t, "/api/v1/session"), 401, api.CodeNoSession)
	want(t, "log-in", b.logIn(t, "anna", newPassword), 200, "")
	token = invite()
	want(t, "change", b.send(t, "PUT", "/account/password", api.PasswordChange{Old: newPassword, New: archivetest.Password}), 204, "")
	want(t, "withdrawn by the change", b.send(t, "POST", "/links/look", api.LinkToken{Token: token}), 410, api.CodeLink)
	if strings.Contains(s.log.String(), token) {
		t.Error("the token is in the log")
	}
	token = invite()
	u, err = s.Archive.User(t.Context(), s.tenant.ID, "anna")
	if err != nil {
		t.Fatal(err)
	}
	u.Disabled = true
	if err := s.ChangeUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	want(t, "of a disabled user", b.send(t, "POST", "/links/use", api.LinkUse{Token: token, Password: newPassword}), 410, api.CodeLink)
}
