package httpd_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/oauthd"
	"github.com/muniment/muniment/internal/uid"
)

// byCode are settings of a log-in by a code at o.
func byCode(o *oauthd.Server, more ...func(map[string]any)) map[string]any {
	return mailbox(append([]func(map[string]any){with("oauth", "microsoft"), with("method", "device"), with("directory", o.Directory),
		with("client_id", o.ClientID), with("authority", o.URL)}, more...)...)
}

func startWithLogIns(t *testing.T) (*site, *fetcher) {
	t.Helper()
	f := &fetcher{}
	return start(t, func(c *httpd.Config) {
		c.Fetcher, c.AllowPrivate, c.LogIns = f, true, oauth.New(oauth.Config{AllowPrivate: true})
	}), f
}

// awaitLogIn asks until a log-in is over.
func awaitLogIn(t *testing.T, b *browser, id string) api.MailboxLogInState {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		var st api.MailboxLogInState
		b.do(t, "GET", "/api/v1/mailbox-log-ins/"+id, nil).into(t, &st)
		if st.State != "waiting" {
			return st
		}
		if time.Now().After(deadline) {
			t.Fatal("it waits and waits")
		}
	}
}

func TestLogInByCode(t *testing.T) {
	t.Parallel()
	o := oauthd.New(t, oauthd.Options{})
	s, f := startWithLogIns(t)
	b := s.as(t, "bernd")
	if got := locations(t, b.do(t, "POST", "/api/v1/sources", map[string]any{"kind": "mailbox", "name": "Code", "mailbox": byCode(o)})); !slices.Equal(got, []string{"body.log_in"}) {
		t.Errorf("without a log-in: %q", got)
	}
	var st api.MailboxLogInState
	b.do(t, "POST", "/api/v1/mailbox-log-ins", map[string]any{"mailbox": byCode(o)}).into(t, &st)
	if st.State != "waiting" || st.ID == "" || st.Code == "" || st.URL != "https://login.example/device" || st.ExpiresAt == nil {
		t.Fatalf("%+v", st)
	}
	create := map[string]any{"kind": "mailbox", "name": "Code", "mailbox": byCode(o), "log_in": st.ID}
	if got := locations(t, b.do(t, "POST", "/api/v1/sources", create)); !slices.Equal(got, []string{"body.log_in"}) {
		t.Errorf("before the code is entered: %q", got)
	}
	o.Approve(st.Code)
	if st = awaitLogIn(t, b, st.ID); st.State != "done" {
		t.Fatalf("%+v", st)
	}
	if a := b.do(t, "POST", "/api/v1/mailbox-tests", map[string]any{"mailbox": byCode(o), "log_in": st.ID}); a.StatusCode != http.StatusOK {
		t.Errorf("test: %d %s", a.StatusCode, a.body)
	}
	if g, ok := oauth.ParseGrant([]byte(f.secrets[0])); !ok || !o.Takes(g.Refresh) {
		t.Errorf("tested with %q", f.secrets)
	}
	create["mailbox"] = byCode(o, with("client_id", "another"))
	if got := locations(t, b.do(t, "POST", "/api/v1/sources", create)); !slices.Equal(got, []string{"body.log_in"}) {
		t.Errorf("for another application: %q", got)
	}
	create["mailbox"] = byCode(o)
	var made api.Source
	a := b.do(t, "POST", "/api/v1/sources", create)
	if a.StatusCode != http.StatusCreated {
		t.Fatalf("create: %d %s", a.StatusCode, a.body)
	}
	a.into(t, &made)
	if !made.HasPassword || made.Mailbox.Method != remote.ByDevice || strings.Contains(string(a.body), "refresh") {
		t.Errorf("%s", a.body)
	}
	if a := b.do(t, "GET", "/api/v1/mailbox-log-ins/"+st.ID, nil); a.StatusCode != http.StatusNotFound {
		t.Errorf("a log-in that is used is still there: %d", a.StatusCode)
	}
	if got := locations(t, b.do(t, "PATCH", "/api/v1/sources/"+made.ID, map[string]any{"mailbox": byCode(o, with("authority", "https://evil.example"))})); !slices.Equal(got, []string{"body.log_in"}) {
		t.Errorf("the log-in would go to another server: %q", got)
	}
	if a := b.do(t, "PATCH", "/api/v1/sources/"+made.ID, map[string]any{"mailbox": byCode(o, with("keep", true))}); a.StatusCode != http.StatusOK {
		t.Errorf("change: %d %s", a.StatusCode, a.body)
	}
	id, err := uid.Parse(made.ID)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := s.SourceSecret(t.Context(), s.tenant.ID, id)
	if g, ok := oauth.ParseGrant(kept); err != nil || !ok || !o.Takes(g.Refresh) {
		t.Errorf("kept %q, %v", kept, err)
	}
}

func TestLogInEnds(t *testing.T) {
	t.Parallel()
	o := oauthd.New(t, oauthd.Options{})
	s, _ := startWithLogIns(t)
	b := s.as(t, "bernd")
	begin := func(m map[string]any) (st api.MailboxLogInState) {
		t.Helper()
		b.do(t, "POST", "/api/v1/mailbox-log-ins", map[string]any{"mailbox": m}).into(t, &st)
		return st
	}
	if st := begin(byCode(o, with("client_id", "unknown"))); st.State != "failed" || st.Problem.Code != remote.CodeClient || st.ID != "" {
		t.Errorf("unknown application: %+v", st)
	}
	st := begin(byCode(o))
	o.Decline(st.Code)
	if st = awaitLogIn(t, b, st.ID); st.State != "failed" || st.Problem.Code != remote.CodeCodeDeclined {
		t.Errorf("declined: %+v", st)
	}
	st = begin(byCode(o))
	if a := s.as(t, "anna").do(t, "GET", "/api/v1/mailbox-log-ins/"+st.ID, nil); a.StatusCode != http.StatusForbidden {
		t.Errorf("a user sees it: %d", a.StatusCode)
	}
	if a := b.do(t, "DELETE", "/api/v1/mailbox-log-ins/"+st.ID, nil); a.StatusCode != http.StatusNoContent {
		t.Errorf("cancel: %d %s", a.StatusCode, a.body)
	}
	if a := b.do(t, "GET", "/api/v1/mailbox-log-ins/"+st.ID, nil); a.StatusCode != http.StatusNotFound {
		t.Errorf("after the cancel: %d", a.StatusCode)
	}
	var ids []string
	for range 7 {
		ids = append(ids, begin(byCode(o)).ID)
	}
	for i, id := range ids {
		want := http.StatusOK
		if i < 2 {
			want = http.StatusNotFound
		}
		if a := b.do(t, "GET", "/api/v1/mailbox-log-ins/"+id, nil); a.StatusCode != want {
			t.Errorf("log-in %d of 7: %d, want %d", i, a.StatusCode, want)
		}
	}
	if got := locations(t, b.do(t, "POST", "/api/v1/mailbox-log-ins", map[string]any{"mailbox": mailbox()})); !slices.Equal(got, []string{"body.mailbox.method"}) {
		t.Errorf("no code wanted: %q", got)
	}
	if got := locations(t, b.do(t, "POST", "/api/v1/mailbox-log-ins", map[string]any{"mailbox": byCode(o, with("authority", "https://169.254.169.254"))})); !slices.Equal(got, []string{"body.mailbox.authority"}) {
		t.Errorf("metadata: %q", got)
	}
}

func TestClientSecretIsNeeded(t *testing.T) {
	t.Parallel()
	o := oauthd.New(t, oauthd.Options{})
	s, _ := startWithLogIns(t)
	b := s.as(t, "bernd")
	m := byCode(o, with("method", "client"))
	if got := locations(t, b.do(t, "POST", "/api/v1/sources", map[string]any{"kind": "mailbox", "name": "App", "mailbox": m})); !slices.Equal(got, []string{"body.password"}) {
		t.Errorf("no secret: %q", got)
	}
	delete(m, "directory")
	if got := locations(t, b.do(t, "POST", "/api/v1/sources", map[string]any{"kind": "mailbox", "name": "App", "mailbox": m, "password": "x"})); !slices.Equal(got, []string{"body.mailbox.directory"}) {
		t.Errorf("no directory: %q", got)
	}
}
