package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// loginRig is an archive with a clock that the test sets, and anna.
type loginRig struct {
	*archivetest.Env
	t      *testing.T
	mu     sync.Mutex
	at     time.Time
	tenant *catalog.Tenant
	admin  access.Actor
}

func newLoginRig(t *testing.T) *loginRig {
	t.Helper()
	r := &loginRig{t: t, at: time.Now().Truncate(time.Millisecond)}
	r.Env = archivetest.New(t, archivetest.Options{Now: r.now})
	r.tenant, _ = r.Tenant(t, "acme")
	r.User(t, r.tenant, "anna", access.RoleUser, "anna@firma.example", "info@firma.example")
	r.admin = r.User(t, r.tenant, "bernd", access.RoleTenantAdmin, "bernd@firma.example")
	return r
}

func (r *loginRig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

func (r *loginRig) forward(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = r.at.Add(d)
}

func (r *loginRig) user(login string) *catalog.User {
	r.t.Helper()
	u, err := r.Archive.User(r.t.Context(), r.tenant.ID, login)
	if err != nil {
		r.t.Fatal(err)
	}
	return u
}

// withSmarthost lets mail leave.
func (r *loginRig) withSmarthost() {
	r.t.Helper()
	if err := r.SetSmarthost(r.t.Context(), archive.SmarthostDraft{Smarthost: remote.Smarthost{Host: "mail.example", TLS: "starttls", From: "archiv@firma.example"}}); err != nil {
		r.t.Fatal(err)
	}
}

type posted struct{ to, kind, subject, text string }

// mails returns what is queued since the last call.
func (r *loginRig) mails() (out []posted) {
	r.t.Helper()
	for {
		m, body, err := r.ClaimMail(r.t.Context(), 1000*time.Hour)
		if errors.Is(err, catalog.ErrNotFound) {
			return out
		}
		if err != nil {
			r.t.Fatal(err)
		}
		msg, err := netmail.ReadMessage(bytes.NewReader(body))
		if err != nil {
			r.t.Fatal(err)
		}
		out = append(out, posted{to: msg.Header.Get("To"), kind: m.Kind, subject: msg.Header.Get("Subject"), text: unquoted(r.t, msg)})
	}
}

const right = archivetest.Password

// guess is a wrong attempt; limited reports whether it was not let through.
func (r *loginRig) guess(network int, password, device string) (limited bool) {
	r.t.Helper()
	_, _, err := r.LogIn(r.t.Context(), archive.LogIn{Login: "anna", Password: password, Peer: fmt.Sprintf("2001:db8:%x::1", network), Device: device})
	var often *archive.TooManyError
	if errors.As(err, &often) {
		if often.Wait <= 0 || often.Wait > time.Hour {
			r.t.Errorf("wait %v", often.Wait)
		}
		return true
	}
	if !errors.Is(err, archive.ErrLogIn) {
		r.t.Errorf("guess: %v", err)
	}
	return false
}

// Somebody with a thousand networks can neither guess without limit nor lock anna out
// of the browser that she has logged in with before.
func TestManyNetworks(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	_, acc, err := r.LogIn(t.Context(), archive.LogIn{Login: "anna", Password: right, Peer: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	device, err := r.RememberDevice("", acc.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	// The attacker knows a browser as well: of somebody else.
	foreign, err := r.RememberDevice("", r.user("bernd").ID)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for n := range 1000 {
		with := []string{"", "forged", foreign}[n%3]
		if !r.guess(n, fmt.Sprintf("guess %d", n), with) {
			tried++
		}
	}
	if tried != 60 {
		t.Errorf("%d guesses were let through within an hour, want 60", tried)
	}
	if !r.guess(1001, right, "") {
		t.Error("the right password after too many wrong ones tells that it is right")
	}
	for n := range 3 {
		if _, _, err := r.LogIn(t.Context(), archive.LogIn{Login: "anna", Password: right, Peer: fmt.Sprintf("198.51.100.%d", n), Device: device}); err != nil {
			t.Errorf("anna is locked out of her own browser: %v", err)
		}
	}
	for _, in := range []archive.LogIn{{Login: "anna"}, {Login: "info@firma.example"}, {Login: "anna", Tenant: "acme"}} {
		in.Device = device
		if place, err := r.Known(t.Context(), in); err != nil || place == "" {
			t.Errorf("%+v: known as %q, %v", in, place, err)
		}
	}
	for _, in := range []archive.LogIn{{Login: "bernd", Device: device}, {Login: "anna", Device: foreign}, {Login: "anna", Device: "x"}, {Login: "anna"}} {
		if place, err := r.Known(t.Context(), in); err != nil || place != "" {
			t.Errorf("%+v: known as %q, %v", in, place, err)
		}
	}
	// Another name of the same user is no way around.
	if _, _, err := r.LogIn(t.Context(), archive.LogIn{Login: "info@firma.example", Password: "x"}); !errors.As(err, new(*archive.TooManyError)) {
		t.Errorf("by address: %v", err)
	}
	r.forward(time.Hour)
	if r.guess(0, "once more", "") {
		t.Error("an hour later")
	}
}

// Names of nobody are slowed down alike, and inventing names makes nobody forget the
// guesses at anna.
func TestNobodyIsSlowedDownAlike(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	for login, want := range map[string]int{"nobody": 60} {
		tried := 0
		for range 62 {
			_, _, err := r.LogIn(t.Context(), archive.LogIn{Login: login, Password: "wrong"})
			if errors.Is(err, archive.ErrLogIn) {
				tried++
			}
		}
		if tried != want {
			t.Errorf("%s: %d", login, tried)
		}
	}
}

// An unknown user costs as much work as a wrong password, and so does one without a
// password or without the right to log in.
func TestEqualWork(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	r.User(t, r.tenant, "off", access.RoleUser)
	off := r.user("off")
	off.Disabled = true
	if err := r.ChangeUser(t.Context(), off); err != nil {
		t.Fatal(err)
	}
	r.User(t, r.tenant, "fresh", access.RoleUser)
	r.withoutPassword("fresh")
	for _, in := range []archive.LogIn{{Login: "anna"}, {Login: "nobody"}, {Login: "off"}, {Login: "fresh"}, {Login: "anna@firma.example"}, {Login: "x@firma.example"},
		{Login: "anna", Tenant: "none"}, {Login: "anna", Operator: true}} {
		before := r.Hashes()
		in.Password = "wrong wrong"
		if _, _, err := r.LogIn(t.Context(), in); !errors.Is(err, archive.ErrLogIn) {
			t.Errorf("%+v: %v", in, err)
		}
		if n := r.Hashes() - before; n != 1 {
			t.Errorf("%+v: %d passwords were hashed", in, n)
		}
	}
}

func (r *loginRig) withoutPassword(login string) {
	r.t.Helper()
	u := r.user(login)
	u.PasswordHash = ""
	err := r.Catalog.EditUsers(r.t.Context(), u.Tenant, func([]*catalog.User) (*catalog.UserEdit, error) {
		return &catalog.UserEdit{Update: []*catalog.User{u}}, nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestLettersAboutLogins(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	r.SetURL("https://archiv.example/")
	ctx := t.Context()
	anna := r.user("anna")
	admin := r.As(r.admin)
	// Without a smarthost the administrator hands the link over.
	i, err := admin.WelcomeUser(ctx, anna.ID, false)
	if err != nil || i.MailedTo != "" || !strings.HasPrefix(i.URL, "https://archiv.example/link#") {
		t.Fatalf("without a smarthost: %+v, %v", i, err)
	}
	if err := r.Forgot(ctx, archive.LogIn{Login: "anna"}); err != nil {
		t.Error(err)
	}
	r.withSmarthost()
	for _, in := range []archive.LogIn{{Login: "anna", Tenant: "acme"}, {Login: "info@firma.example"}, {Login: "nobody"}, {Login: "anna", Operator: true}, {Login: "anna"}, {Login: "anna"}, {Login: "anna"}} {
		in.Peer = "192.0.2.7"
		if err := r.Forgot(ctx, in); err != nil {
			t.Errorf("%+v: %v", in, err)
		}
	}
	list := r.mails()
	if len(list) != 3 { // not one for each time somebody asks
		t.Fatalf("%d mails", len(list))
	}
	for _, m := range list {
		if m.to != "<anna@firma.example>" || m.kind != "password-reset" || strings.Count(m.text, "https://archiv.example/link#") != 2 || !strings.Contains(m.text, "acme") {
			t.Errorf("mail %+v", m)
		}
	}
	r.withoutPassword("anna")
	r.forward(2 * time.Hour)
	if err := r.Forgot(ctx, archive.LogIn{Login: "anna"}); err != nil || len(r.mails()) != 0 {
		t.Errorf("a user without a local password gets a mail: %v", err)
	}
	// A new user is mailed a welcome; who has made the user may ask for the link as well.
	for _, show := range []bool{false, true} {
		i, err := admin.WelcomeUser(ctx, anna.ID, show)
		if err != nil || i.Purpose != catalog.LinkWelcome || i.MailedTo != "anna@firma.example" || (i.URL != "") != show || i.ExpiresAt.Sub(r.now()) != 7*24*time.Hour {
			t.Errorf("show %v: %+v, %v", show, i, err)
		}
		welcome := r.mails()
		if len(welcome) != 1 || welcome[0].kind != "welcome" || show && !strings.Contains(welcome[0].text, i.URL) || strings.Contains(welcome[0].text, right) {
			t.Errorf("welcome %+v", welcome)
		}
		if show {
			r.useLink(i.URL)
		}
	}
	if i, err := admin.WelcomeUser(ctx, anna.ID, true); err != nil || i.URL != "" || i.Purpose != catalog.LinkReset {
		t.Errorf("the link of a user with a password is shown to an administrator: %+v, %v", i, err)
	}
	r.mails()
	if err := r.SetPassword(ctx, r.user("anna"), "noch ein neues wort"); err != nil {
		t.Fatal(err)
	}
	if err := admin.ResetFactors(ctx, anna.ID); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, m := range r.mails() {
		kinds = append(kinds, m.kind)
	}
	slices.Sort(kinds) // those of one millisecond have no order
	if !slices.Equal(kinds, []string{"factors-reset", "password-changed"}) {
		t.Errorf("mails %v", kinds)
	}
}

// useLink sets a password, and fails unless a token works once and before it expires.
func (r *loginRig) useLink(url string) {
	r.t.Helper()
	_, token, _ := strings.Cut(url, "#")
	if _, err := r.UseLink(r.t.Context(), token, "ein neues langes wort", "192.0.2.9"); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.UseLink(r.t.Context(), token, "ein neues langes wort", "192.0.2.9"); !errors.Is(err, archive.ErrLink) {
		r.t.Errorf("used twice: %v", err)
	}
}

// What is done to log-ins is in the tenant's log, and no secret of it.
func TestLoginEvents(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	ctx := t.Context()
	token, _, err := r.LogIn(ctx, archive.LogIn{Login: "anna", Password: right, Peer: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	acc, err := r.Session(ctx, token, "192.0.2.2")
	if err != nil {
		t.Fatal(err)
	}
	self := r.Self(acc)
	if _, err := self.ChangePassword(ctx, right, "ein neues langes wort", ""); err != nil {
		t.Fatal(err)
	}
	i, err := r.As(r.admin).WelcomeUser(ctx, acc.User.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	_, secret, _ := strings.Cut(i.URL, "#")
	for _, err := range []error{
		r.As(r.admin).SetLoginPolicy(ctx, archive.LoginPolicy{SecondFactor: []access.Role{access.RoleUser}}),
		r.As(r.admin).ResetFactors(ctx, acc.User.ID), r.As(r.admin).EndUserSessions(ctx, acc.User.ID),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	events, err := r.Catalog.Events(ctx, r.tenant.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]*catalog.Event{}
	for _, e := range events {
		seen[e.Action] = e
		for _, v := range e.Details {
			if strings.Contains(v, secret) || strings.Contains(v, "argon2") {
				t.Errorf("%s tells a secret", e.Action)
			}
		}
	}
	by := func(u uid.ID) string { return "user:" + u.String() }
	for action, actor := range map[string]string{"session.opened": by(acc.User.ID), "user.password-set": by(acc.User.ID), "user.link-made": by(r.admin.User),
		"login-policy.changed": by(r.admin.User), "factors.reset": by(r.admin.User), "sessions.ended": by(r.admin.User)} {
		if e := seen[action]; e == nil || e.Actor != actor {
			t.Errorf("%s: %+v", action, e)
		}
	}
	if e := seen["user.password-set"]; e != nil && e.Details["peer"] != "192.0.2.2" {
		t.Errorf("password set from %q", e.Details["peer"])
	}
	if e := seen["login-policy.changed"]; e != nil && (e.Details["before.second-factor"] != "" || e.Details["after.second-factor"] != "user") {
		t.Errorf("policy: %v", e.Details)
	}
	r.fsck()
}

func (r *loginRig) fsck() {
	r.t.Helper()
	if err := r.Catalog.Check(r.t.Context(), func(err error) { r.t.Error(err) }); err != nil {
		r.t.Error(err)
	}
}

// unquoted returns the text of a mail.
func unquoted(t *testing.T, m *netmail.Message) string {
	t.Helper()
	b, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
