package httpd_test

import (
	"context"
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/oauth"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// fetcher remembers what it was asked for.
type fetcher struct {
	mu      sync.Mutex
	tried   []remote.Settings
	secrets []string
	fetched []uid.ID
}

func (f *fetcher) Test(ctx context.Context, s remote.Settings, store oauth.Store) remote.TestResult {
	secret, err := store.Load(ctx)
	if err != nil {
		return remote.TestResult{Problem: &remote.Problem{Code: remote.CodeArchive}}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tried, f.secrets = append(f.tried, s), append(f.secrets, string(secret))
	if string(secret) != password {
		return remote.TestResult{Problem: &remote.Problem{Code: remote.CodeAuth, Text: "refused", Detail: "NO [AUTHENTICATIONFAILED]"}}
	}
	return remote.TestResult{OK: true, Found: &remote.Found{Protocol: remote.IMAP, Port: 993, TLS: remote.Implicit}, Messages: 7,
		Steps: []remote.Step{{What: "imap 993 implicit", OK: true, Text: "works"}}, Certificate: strings.Repeat("ab", 32)}
}

func (f *fetcher) FetchNow(_, source uid.ID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fetched = append(f.fetched, source)
	return nil
}

const password = "Kirschbaum-4711"

func mailbox(more ...func(m map[string]any)) map[string]any {
	m := map[string]any{"protocol": "imap", "host": "mail.example.com", "tls": "implicit", "user": "info"}
	for _, f := range more {
		f(m)
	}
	return m
}

func with(name string, value any) func(map[string]any) {
	return func(m map[string]any) { m[name] = value }
}

// locations lists what a problem finds wrong.
func locations(t *testing.T, a *answer) []string {
	t.Helper()
	if a.StatusCode != http.StatusUnprocessableEntity || a.code() != "invalid" {
		t.Errorf("%s: %d %s, want invalid", a.Request.URL.Path, a.StatusCode, a.body)
	}
	a.StatusCode = http.StatusOK
	var p api.Problem
	a.into(t, &p)
	out := []string{}
	for _, e := range p.Errors {
		out = append(out, e.Location)
	}
	slices.Sort(out)
	return out
}

func TestSources(t *testing.T) {
	t.Parallel()
	f := &fetcher{}
	s := start(t, func(c *httpd.Config) { c.Fetcher, c.AllowPrivate = f, true })
	b := s.as(t, "bernd")
	var made, again api.Source
	a := b.do(t, "POST", "/api/v1/sources", map[string]any{"kind": "mailbox", "name": " Info ", "category": "Post", "mailbox": mailbox(with("keep", true)), "password": password})
	if a.StatusCode != http.StatusCreated {
		t.Fatalf("create: %d %s", a.StatusCode, a.body)
	}
	a.into(t, &made)
	if made.Name != "Info" || !made.HasPassword || made.Mailbox == nil || !made.Mailbox.Keep || made.Mailbox.Host != "mail.example.com" || made.State != nil {
		t.Errorf("made %+v", made)
	}
	path := "/api/v1/sources/" + made.ID
	// What is not named stays.
	b.do(t, "PATCH", path, map[string]any{"disabled": true}).into(t, &again)
	if !again.Disabled || again.Name != "Info" || again.Category != "Post" || !again.HasPassword || !again.Mailbox.Keep {
		t.Errorf("after disabling: %+v", again)
	}
	if got := locations(t, b.do(t, "POST", path+"/fetch", nil)); !slices.Equal(got, []string{"path.id"}) {
		t.Errorf("fetch of a disabled mailbox: %v", got)
	}
	b.do(t, "PATCH", path, map[string]any{"disabled": false}).into(t, &again)
	if a := b.do(t, "POST", path+"/fetch", nil); a.StatusCode != http.StatusNoContent || len(f.fetched) != 1 || f.fetched[0].String() != made.ID {
		t.Errorf("fetch: %d, asked for %v", a.StatusCode, f.fetched)
	}
	// The state is what the fetcher has told.
	id, tenant := must(t, made.ID), s.tenant.ID
	if err := s.SetSourceState(t.Context(), tenant, id, []byte(`{"fetching":true,"waiting":3,"on_server":9,"left":1,"problem":{"code":"auth","text":"x","detail":"y"}}`)); err != nil {
		t.Fatal(err)
	}
	if err := s.SettleItems(t.Context(), tenant, id, "INBOX/1", []*catalog.SourceItem{{Folder: "INBOX/1", Item: "42", Outcome: catalog.Left, Bytes: 200 << 20, At: time.Now(), Detail: "too large"}}, nil); err != nil {
		t.Fatal(err)
	}
	b.get(t, path).into(t, &again)
	if st := again.State; st == nil || !st.Fetching || st.Waiting != 3 || st.OnServer != 9 || st.Left != 1 || st.Problem == nil || st.Problem.Code != "auth" {
		t.Errorf("state %+v", again.State)
	}
	var left api.LeftItems
	b.get(t, path+"/left").into(t, &left)
	if len(left.Items) != 1 || left.Items[0].Item != "42" || left.Items[0].Bytes != 200<<20 {
		t.Errorf("left %+v", left)
	}
	var all api.Sources
	b.get(t, "/api/v1/sources").into(t, &all)
	if len(all.Sources) != 2 || !all.Fetches {
		t.Errorf("sources %+v", all)
	}
	var journal api.Source
	b.do(t, "POST", "/api/v1/sources", map[string]any{"kind": "journal", "name": "Exchange"}).into(t, &journal)
	if !strings.Contains(journal.JournalAddress, "@") || journal.Mailbox != nil {
		t.Errorf("journal %+v", journal)
	}
	for _, a := range []*answer{b.get(t, path), b.get(t, "/api/v1/sources")} {
		if strings.Contains(string(a.body), password) {
			t.Errorf("%s tells the password", a.Request.URL.Path)
		}
	}
	if strings.Contains(s.log.String(), password) {
		t.Error("the log tells the password")
	}
}

func must(t *testing.T, s string) uid.ID {
	t.Helper()
	id, err := uid.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestMistakesOfSourcesNameTheField(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.as(t, "bernd")
	for name, c := range map[string]struct {
		body any
		want []string
	}{
		"name":         {map[string]any{"kind": "journal", "name": "  "}, []string{"body.name"}},
		"no settings":  {map[string]any{"kind": "mailbox", "name": "x", "password": "x"}, []string{"body.mailbox"}},
		"no password":  {map[string]any{"kind": "mailbox", "name": "x", "mailbox": mailbox()}, []string{"body.password"}},
		"journal":      {map[string]any{"kind": "journal", "name": "x", "password": "x"}, []string{"body.mailbox"}},
		"port, size":   {map[string]any{"kind": "mailbox", "name": "x", "password": "x", "mailbox": mailbox(with("port", 70000), with("max_bytes", 1000))}, []string{"body.mailbox.max_bytes", "body.mailbox.port"}},
		"folders":      {map[string]any{"kind": "mailbox", "name": "x", "password": "x", "mailbox": mailbox(with("folders", "list"))}, []string{"body.mailbox.named"}},
		"pin, ca":      {map[string]any{"kind": "mailbox", "name": "x", "password": "x", "mailbox": mailbox(with("pin", "zz"), with("ca", "x"))}, []string{"body.mailbox.ca", "body.mailbox.pin"}},
		"metadata":     {map[string]any{"kind": "mailbox", "name": "x", "password": "x", "mailbox": mailbox(with("host", "169.254.169.254"))}, []string{"body.mailbox.host"}},
		"metadata v6":  {map[string]any{"kind": "mailbox", "name": "x", "password": "x", "mailbox": mailbox(with("host", "::ffff:169.254.169.254"))}, []string{"body.mailbox.host"}},
		"link-local":   {map[string]any{"kind": "mailbox", "name": "x", "password": "x", "mailbox": mailbox(with("host", "[fe80::1]"))}, []string{"body.mailbox.host"}},
		"unspecified":  {map[string]any{"kind": "mailbox", "name": "x", "password": "x", "mailbox": mailbox(with("host", "0.0.0.0"))}, []string{"body.mailbox.host"}},
		"multicast":    {map[string]any{"kind": "mailbox", "name": "x", "password": "x", "mailbox": mailbox(with("host", "224.0.0.1"))}, []string{"body.mailbox.host"}},
		"loopback":     {map[string]any{"kind": "mailbox", "name": "x", "password": "x", "mailbox": mailbox(with("host", "127.0.0.1"))}, []string{"body.mailbox.host"}},
		"private":      {map[string]any{"kind": "mailbox", "name": "x", "password": "x", "mailbox": mailbox(with("host", "10.1.2.3"))}, []string{"body.mailbox.host"}},
		"localhost":    {map[string]any{"kind": "mailbox", "name": "x", "password": "x", "mailbox": mailbox(with("host", "LocalHost."))}, []string{"body.mailbox.host"}},
		"several":      {map[string]any{"kind": "mailbox", "name": "x", "mailbox": mailbox(with("user", ""))}, []string{"body.mailbox.user", "body.password"}},
		"unknown kind": {map[string]any{"kind": "import", "name": "x"}, []string{"body.kind"}},
	} {
		if got := locations(t, b.do(t, "POST", "/api/v1/sources", c.body)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	for range 2 { // the second time, the name is taken
		a := b.do(t, "POST", "/api/v1/sources", map[string]any{"kind": "journal", "name": "doppelt"})
		if a.StatusCode == http.StatusCreated {
			continue
		}
		if got := locations(t, a); !slices.Equal(got, []string{"body.name"}) {
			t.Errorf("name that is taken: %v", got)
		}
	}
	if a := b.do(t, "POST", "/api/v1/mailbox-tests", map[string]any{"mailbox": mailbox()}); a.StatusCode != http.StatusServiceUnavailable || a.code() != "not-running" {
		t.Errorf("test without a fetcher: %d %s", a.StatusCode, a.body)
	}
}

// The stored password is used only for the server and user it was given for.
func TestStoredPasswordStaysWhereItBelongs(t *testing.T) {
	t.Parallel()
	f := &fetcher{}
	s := start(t, func(c *httpd.Config) { c.Fetcher = f })
	b := s.as(t, "bernd")
	var made api.Source
	b.do(t, "POST", "/api/v1/sources", map[string]any{"kind": "mailbox", "name": "Info", "mailbox": mailbox(), "password": password}).into(t, &made)
	test := func(m map[string]any, more ...func(map[string]any)) *answer {
		body := map[string]any{"id": made.ID, "mailbox": m}
		for _, g := range more {
			g(body)
		}
		return b.do(t, "POST", "/api/v1/mailbox-tests", body)
	}
	var found api.MailboxFinding
	test(mailbox(with("port", 993))).into(t, &found)
	if !found.OK || found.Messages != 7 || found.Found == nil || found.Found.Port != 993 || len(found.Steps) != 1 || found.Certificate == "" {
		t.Errorf("with the stored password: %+v", found)
	}
	for name, m := range map[string]map[string]any{"host": mailbox(with("host", "evil.example")), "user": mailbox(with("user", "other")), "tls": mailbox(with("tls", "none"))} {
		if got := locations(t, test(m)); !slices.Equal(got, []string{"body.password"}) {
			t.Errorf("other %s: %v", name, got)
		}
		if got := locations(t, b.do(t, "PATCH", "/api/v1/sources/"+made.ID, map[string]any{"mailbox": m})); !slices.Equal(got, []string{"body.password"}) {
			t.Errorf("change of %s: %v", name, got)
		}
	}
	test(mailbox(with("host", "evil.example")), with("password", "wrong")).into(t, &found)
	if found.OK || found.Problem == nil || found.Problem.Code != remote.CodeAuth {
		t.Errorf("with a wrong password: %+v", found)
	}
	if want := []string{password, "wrong"}; !slices.Equal(f.secrets, want) {
		t.Errorf("the fetcher was given %q, want %q", f.secrets, want)
	}
}

func TestOnlyAdministratorsManageSources(t *testing.T) {
	t.Parallel()
	f := &fetcher{}
	s := start(t, func(c *httpd.Config) { c.Fetcher = f })
	var made api.Source
	s.as(t, "bernd").do(t, "POST", "/api/v1/sources", map[string]any{"kind": "mailbox", "name": "Info", "mailbox": mailbox(), "password": password}).into(t, &made)
	b := s.as(t, "anna")
	for _, id := range []string{made.ID, uid.New(time.Now()).String(), "x"} {
		for _, r := range []struct {
			method, path string
			body         any
		}{
			{"GET", "/sources", nil}, {"GET", "/sources/" + id, nil}, {"PATCH", "/sources/" + id, map[string]any{"disabled": true}},
			{"POST", "/sources", map[string]any{"kind": "journal", "name": "x"}}, {"POST", "/sources/" + id + "/fetch", nil}, {"GET", "/sources/" + id + "/left", nil},
			{"POST", "/mailbox-tests", map[string]any{"id": id, "mailbox": mailbox()}}, {"GET", "/completeness", nil}, {"GET", "/completeness.csv", nil},
			{"GET", "/completeness?from=x", nil}, {"POST", "/sources", map[string]any{"kind": "journal", "name": " "}},
		} {
			if a := b.do(t, r.method, "/api/v1"+r.path, r.body); a.StatusCode != http.StatusForbidden || a.code() != "role" {
				t.Errorf("%s %s: %d %s", r.method, r.path, a.StatusCode, a.body)
			}
		}
	}
	if len(f.fetched)+len(f.tried) > 0 {
		t.Error("the fetcher was asked")
	}
	for _, path := range []string{"/sources/x", "/sources/" + uid.New(time.Now()).String(), "/sources/x/left"} {
		if a := s.as(t, "bernd").get(t, "/api/v1"+path); a.code() != "not-found" {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
		}
	}
}

func TestCompleteness(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.as(t, "bernd")
	var evil api.Source
	b.do(t, "POST", "/api/v1/sources", map[string]any{"kind": "mailbox", "name": `=HYPERLINK("http://x";"y")`, "mailbox": mailbox(), "password": "x"}).into(t, &evil)
	if err := s.SettleItems(t.Context(), s.tenant.ID, must(t, evil.ID), "INBOX/1", []*catalog.SourceItem{{Folder: "INBOX/1", Item: "1", Outcome: catalog.Left, Bytes: 5, At: time.Now()}}, nil); err != nil {
		t.Fatal(err)
	}
	s.ingest(t, "From: anna@example.com\r\nSubject: eins\r\n\r\nText\r\n", "bernd@example.com")
	var c api.Completeness
	b.get(t, "/api/v1/completeness").into(t, &c)
	outcomes := map[string]int64{}
	for _, l := range c.Lines {
		outcomes[l.Kind+" "+l.Outcome] += l.Count
	}
	if len(outcomes) != 2 || outcomes["mailbox left"] != 1 || outcomes[s.source.Kind+" stored"] != 1 {
		t.Errorf("accounts %v", outcomes)
	}
	b.get(t, "/api/v1/completeness?to=2001-01-01").into(t, &c)
	if len(c.Lines) != 0 {
		t.Errorf("accounts of another time: %v", c.Lines)
	}
	if got := locations(t, b.get(t, "/api/v1/completeness?from=yesterday")); !slices.Equal(got, []string{"query.from"}) {
		t.Errorf("a day that is none: %v", got)
	}
	for query, comma := range map[string]rune{"": ';', "?separator=semicolon": ';', "?separator=comma": ','} {
		a := b.get(t, "/api/v1/completeness.csv"+query)
		text, marked := strings.CutPrefix(string(a.body), "\uFEFF")
		r := csv.NewReader(strings.NewReader(text))
		r.Comma = comma
		rows, err := r.ReadAll()
		if err != nil || !marked || len(rows) != 3 || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/csv") || !strings.Contains(a.Header.Get("Content-Disposition"), "completeness.csv") {
			t.Errorf("%s: %v %q %v", query, err, a.body, a.Header)
			continue
		}
		for _, row := range rows {
			for _, cell := range row {
				if strings.ContainsAny(cell[:1], "=+-@") {
					t.Errorf("%s: the cell %q is a formula", query, cell)
				}
			}
		}
	}
	if got := locations(t, b.get(t, "/api/v1/completeness.csv?separator=tab")); !slices.Equal(got, []string{"query.separator"}) {
		t.Errorf("unknown separator: %v", got)
	}
}
