package mailbox

import (
	"crypto/tls"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/imap"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/imapd"
	"github.com/muniment/muniment/internal/testkit/oauthd"
	"github.com/muniment/muniment/internal/testkit/pop3d"
)

// withLogIn makes settings those of a log-in at o.
func withLogIn(set remote.Settings, o *oauthd.Server, method string) remote.Settings {
	set.OAuth, set.Method, set.Directory, set.ClientID, set.Authority = remote.Microsoft, method, o.Directory, o.ClientID, o.URL
	return set
}

// asToken lets a log-in server give out what s takes.
func asToken(s *imapd.Server) func(int) string { return func(int) string { return s.Token } }

func TestFetchByClientAndByDevice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, method := range []string{remote.ByClient, remote.ByDevice} {
		s := imapd.New(t, imapd.Options{})
		o := oauthd.New(t, oauthd.Options{Access: asToken(s), Misbehave: []oauthd.Misbehaviour{oauthd.RotatesAtOnce, oauthd.ShortLived}})
		sent := fill(s, "INBOX", 0, 3)
		secret := o.ClientSecret
		if method == remote.ByDevice {
			secret = string(oauth.Grant{LogIn: "one", Refresh: o.Grant()}.Encode())
		}
		id := r.add(method, withLogIn(imapSettings(s), o, method), secret)
		for range 3 {
			well(t, r.fetch(id))
			safe(t, r, s, sent)
		}
		if left := s.UIDs("INBOX"); len(left) != 0 {
			t.Errorf("%s: %d messages are left", method, len(left))
		}
		kept, err := r.env.SourceSecret(t.Context(), r.tenant.ID, id)
		if g, ok := oauth.ParseGrant(kept); method == remote.ByDevice && (err != nil || !ok || !o.Takes(g.Refresh) || g.LogIn != "one") {
			t.Errorf("kept is %q, %v, which the server does not take", kept, err)
		}
	}
}

func TestFetchByPOP3WithLogIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := pop3d.New(t, pop3d.Options{})
	o := oauthd.New(t, oauthd.Options{Access: func(int) string { return pop3d.Token }})
	set := withLogIn(popSettings(s), o, remote.ByClient)
	set.TLS = remote.StartTLS
	set.Pin = r.f.Test(t.Context(), set, oauth.NewMemory([]byte(o.ClientSecret))).Certificate
	if got := r.f.Test(t.Context(), set, oauth.NewMemory([]byte(o.ClientSecret))); !got.OK || strings.Contains(got.Steps[0].Text, o.ClientSecret) {
		t.Errorf("%+v", got)
	}
	raw := letter(1)
	s.Add(raw)
	well(t, r.fetch(r.add("pop", set, o.ClientSecret)))
	if !r.has(raw) {
		t.Error("the message is not archived")
	}
}

// A token that the provider has ended early is fetched anew, once.
func TestRefusedTokenIsRenewed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	var token atomic.Pointer[string]
	token.Store(&s.Token)
	o := oauthd.New(t, oauthd.Options{Access: func(int) string { return *token.Load() }})
	id := r.add("box", withLogIn(imapSettings(s), o, remote.ByClient), o.ClientSecret)
	well(t, r.fetch(id))
	well(t, r.fetch(id))
	if n := len(o.Asked()); n != 1 {
		t.Errorf("%d tokens for two fetches", n)
	}
	k := r.f.keepers[sourceKey{r.tenant.ID, id}]
	stale := "ya29.a-token-of-yesterday"
	token.Store(&stale)
	k.Drop(s.Token)
	if got, _, err := k.Token(t.Context()); err != nil || got != stale {
		t.Fatal(got, err)
	}
	token.Store(&s.Token)
	well(t, r.fetch(id))
	if n := len(o.Asked()); n != 3 {
		t.Errorf("%d tokens in all, want 3", n)
	}
	token.Store(&stale)
	k.Drop(s.Token)
	st := r.fetch(id)
	if st.Problem == nil || st.Problem.Code != remote.CodeNotAssigned || strings.Contains(st.Problem.Detail, stale) {
		t.Errorf("a good token that is refused: %+v", st.Problem)
	}
}

// What a log-in server says comes to people in plain words, and nothing is lost.
func TestLogInProblems(t *testing.T) {
	t.Parallel()
	for m, want := range map[oauthd.Misbehaviour]string{
		oauthd.NoConsent: remote.CodeConsent, oauthd.WrongSecret: remote.CodeClientSecret, oauthd.ExpiredSecret: remote.CodeClientSecret,
		oauthd.UnknownDirectory: remote.CodeDirectory, oauthd.UnknownClient: remote.CodeClient, oauthd.NotAssigned: remote.CodeNotAssigned,
		oauthd.NoExchange: remote.CodeLicence, oauthd.Throttles: remote.CodeThrottled, oauthd.HTMLForGood: remote.CodeAuthority,
	} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			s := imapd.New(t, imapd.Options{})
			o := oauthd.New(t, oauthd.Options{Access: asToken(s), Misbehave: []oauthd.Misbehaviour{m}})
			sent := fill(s, "INBOX", 0, 2)
			set := withLogIn(imapSettings(s), o, remote.ByClient)
			id := r.add("box", set, o.ClientSecret)
			st := r.fetch(id)
			if st.Problem == nil || st.Problem.Code != want || st.Problem.Text == "" {
				t.Fatalf("%+v, want %s", st.Problem, want)
			}
			plain(t, st.Problem)
			if got := r.f.Test(t.Context(), set, oauth.NewMemory([]byte(o.ClientSecret))); m != oauthd.Throttles && (got.OK || got.Problem.Code != want) {
				t.Errorf("the test finds %+v", got.Problem)
			}
			o.Behave()
			r.f.keepers[sourceKey{r.tenant.ID, id}] = keeper{} // time passes
			well(t, r.fetch(id))
			safe(t, r, s, sent)
			if n := len(s.UIDs("INBOX")); n != 0 {
				t.Errorf("%d messages are left", n)
			}
		})
	}
}

func TestNobodyHasLoggedIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := imapd.New(t, imapd.Options{})
	o := oauthd.New(t, oauthd.Options{})
	for _, secret := range []string{"", "no log-in"} {
		st := r.fetch(r.add("box"+secret, withLogIn(imapSettings(s), o, remote.ByDevice), secret))
		if st.Problem == nil || st.Problem.Code != remote.CodeToken {
			t.Errorf("%q: %+v", secret, st.Problem)
		}
	}
}

// The worker leaves a server alone as long as it wants, and a log-in that is only
// renewed does not restart it.
func TestWorkerAndLogIns(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	err := error(&oauth.Error{Code: remote.CodeThrottled, RetryAfter: 7 * time.Minute})
	if got := r.f.pause(&archive.SourceView{}, &source{rest: rest(err)}, 1); got < 7*time.Minute {
		t.Errorf("it comes back after %v", got)
	}
	v := &archive.SourceView{Source: catalog.Source{Name: "box"}}
	one := oauth.Grant{LogIn: "a", Refresh: "1"}
	renewed, other := one, one
	renewed.Refresh, other.LogIn = "2", "b"
	if stampOf(v, one.Encode()) != stampOf(v, renewed.Encode()) || stampOf(v, one.Encode()) == stampOf(v, other.Encode()) {
		t.Error("stamps of log-ins")
	}
}

func TestNotConnected(t *testing.T) {
	t.Parallel()
	err := &imap.Error{Op: "open folder", Kind: imap.ErrRefused, Text: "the server says: User is authenticated but not connected."}
	if got := code(err); got != remote.CodeNotAssigned {
		t.Errorf("%v is %s", err, got)
	}
	if err := error(&tls.CertificateVerificationError{Err: errors.New("x")}); code(err) != remote.CodeCertificate {
		t.Error("other errors")
	}
}

// What is stored gives way to what it was renewed from only.
func TestSwapSourceSecret(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.add("box", remote.Settings{Protocol: remote.IMAP, Host: "mail.example", TLS: remote.Auto, User: "u"}, "one")
	other, _ := r.env.Tenant(t, "other")
	for _, c := range []struct {
		env      *archivetest.Env
		old, now string
		want     bool
	}{{r.env, "two", "three", false}, {r.env, "one", "two", true}, {r.env, "one", "three", false}, {r.env, "two", "four", true}} {
		ok, err := c.env.SwapSourceSecret(t.Context(), r.tenant.ID, id, []byte(c.old), []byte(c.now))
		if err != nil || ok != c.want {
			t.Errorf("%s to %s: %v, %v", c.old, c.now, ok, err)
		}
	}
	if ok, err := r.env.SwapSourceSecret(t.Context(), other.ID, id, []byte("four"), []byte("x")); ok || !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("another tenant: %v, %v", ok, err)
	}
	if got, err := r.env.SourceSecret(t.Context(), r.tenant.ID, id); err != nil || string(got) != "four" {
		t.Errorf("%q, %v", got, err)
	}
}
