package httpd_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/outbox"
	"github.com/muniment/muniment/internal/testkit/smtpd"
	"github.com/muniment/muniment/internal/uid"
)

// startWithMail runs a server with an outbox whose worker does not run, and an
// operator.
func startWithMail(t *testing.T) (*site, *outbox.Outbox) {
	t.Helper()
	late := &lateMailer{}
	s := start(t, func(c *httpd.Config) { c.Mailer = late })
	o, err := outbox.New(outbox.Config{Archive: s.Archive})
	if err != nil {
		t.Fatal(err)
	}
	late.Outbox = o
	if _, err := s.CreateOperator(t.Context(), archive.NewUser{Login: "olga", Name: "Olga", Password: archivetest.Password}); err != nil {
		t.Fatal(err)
	}
	return s, o
}

// lateMailer stands where the outbox will be.
type lateMailer struct{ *outbox.Outbox }

func smarthostOf(t *testing.T, x *smtpd.Server) map[string]any {
	t.Helper()
	host, port, err := net.SplitHostPort(x.Addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"host": host, "port": n, "tls": "starttls", "ca": x.CA(), "user": smtpd.User, "from": "archiv@firma.example", "name": "Archiv"}
}

func TestSmarthost(t *testing.T) {
	t.Parallel()
	s, _ := startWithMail(t)
	x := smtpd.New(t, smtpd.Options{})
	b := s.as(t, "olga")
	var account api.Account
	b.get(t, "/api/v1/session").into(t, &account)
	if account.Role != "operator" || account.Tenant != nil {
		t.Errorf("account: %+v", account)
	}
	var st api.SmarthostState
	b.get(t, "/api/v1/smarthost").into(t, &st)
	if st.Smarthost != nil || st.HasPassword || !st.Sends {
		t.Errorf("at first: %+v", st)
	}
	set := smarthostOf(t, x)
	if a := b.do(t, "PATCH", "/api/v1/smarthost", map[string]any{"smarthost": set}); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "body.password") {
		t.Errorf("without a password: %d %s", a.StatusCode, a.body)
	}
	b.do(t, "PATCH", "/api/v1/smarthost", map[string]any{"smarthost": set, "password": smtpd.Password}).into(t, &st)
	if st.Smarthost.Host != "127.0.0.1" || st.Smarthost.From != "archiv@firma.example" || !st.HasPassword {
		t.Errorf("set: %+v", st)
	}
	if a := b.get(t, "/api/v1/smarthost"); strings.Contains(string(a.body), smtpd.Password) {
		t.Errorf("the password comes out: %s", a.body)
	}
	// The stored password goes nowhere else.
	other := smarthostOf(t, x)
	other["host"] = "localhost"
	for _, path := range []string{"/api/v1/smarthost-tests", "/api/v1/smarthost"} {
		method := map[bool]string{true: "PATCH", false: "POST"}[path == "/api/v1/smarthost"]
		if a := b.do(t, method, path, map[string]any{"smarthost": other}); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "body.password") {
			t.Errorf("%s to another server: %d %s", path, a.StatusCode, a.body)
		}
	}
	set["from"], set["host"] = "not an address", "a b"
	a := b.do(t, "PATCH", "/api/v1/smarthost", map[string]any{"smarthost": set, "password": "x"})
	if a.code() != "invalid" || !strings.Contains(string(a.body), "body.smarthost.from") || !strings.Contains(string(a.body), "body.smarthost.host") {
		t.Errorf("mistakes: %s", a.body)
	}
	if a := b.do(t, "DELETE", "/api/v1/smarthost", nil); a.StatusCode != http.StatusNoContent {
		t.Errorf("remove: %d %s", a.StatusCode, a.body)
	}
	if a := b.do(t, "DELETE", "/api/v1/smarthost", nil); a.code() != "not-found" {
		t.Errorf("remove again: %d %s", a.StatusCode, a.body)
	}
	events, err := s.InstanceEvents(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"operator.created", "session.opened", "smarthost.changed", `"after.from":"archiv@firma.example"`, "smarthost.removed", `"before.host":"127.0.0.1"`} {
		if !strings.Contains(string(told), want) {
			t.Errorf("the log lacks %s: %s", want, told)
		}
	}
	if strings.Contains(string(told), smtpd.Password) {
		t.Errorf("the log tells the password")
	}
}

func TestSmarthostTest(t *testing.T) {
	t.Parallel()
	s, _ := startWithMail(t)
	x := smtpd.New(t, smtpd.Options{})
	b := s.as(t, "olga")
	var f api.SmarthostFinding
	b.do(t, "POST", "/api/v1/smarthost-tests", map[string]any{"smarthost": smarthostOf(t, x), "password": smtpd.Password, "to": "anna@example.com"}).into(t, &f)
	if !f.OK || f.Problem != nil || len(f.Steps) != 7 || f.Certificate != x.Pin() || len(x.Mails()) != 1 {
		t.Errorf("%+v, %d mails", f, len(x.Mails()))
	}
	b.do(t, "POST", "/api/v1/smarthost-tests", map[string]any{"smarthost": smarthostOf(t, x), "password": "wrong one", "to": "anna@example.com"}).into(t, &f)
	if f.OK || f.Problem == nil || f.Problem.Code != "auth" || strings.Contains(f.Problem.Detail, "wrong one") {
		t.Errorf("%+v", f.Problem)
	}
	if a := b.do(t, "POST", "/api/v1/smarthost-tests", map[string]any{"smarthost": smarthostOf(t, x), "password": "x", "to": "a b"}); a.code() != "invalid" {
		t.Errorf("odd recipient: %d %s", a.StatusCode, a.body)
	}
}

func TestOutboxOfOperators(t *testing.T) {
	t.Parallel()
	s, o := startWithMail(t)
	x := smtpd.New(t, smtpd.Options{Misbehave: []smtpd.Misbehaviour{smtpd.RcptRefused}})
	b := s.as(t, "olga")
	b.do(t, "PATCH", "/api/v1/smarthost", map[string]any{"smarthost": smarthostOf(t, x), "password": smtpd.Password})
	id, err := o.Queue(t.Context(), outbox.Letter{Kind: "alert", To: []string{"anna@example.com"}, Subject: "Geheim", Text: "Geheim\n"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); o.Run(ctx) }()
	var list api.Outbox
	for range 1000 {
		b.get(t, "/api/v1/outbox").into(t, &list)
		if len(list.Mails) == 1 && list.Mails[0].State == "failed" {
			break
		}
	}
	stop()
	<-ended
	if len(list.Mails) != 1 || list.Mails[0].State != "failed" || list.Mails[0].Problem == nil || list.Mails[0].Problem.Code != "recipient" || list.Mails[0].Recipients[0].Answer == "" {
		t.Fatalf("outbox: %+v", list)
	}
	if a := b.get(t, "/api/v1/outbox"); strings.Contains(string(a.body), "Geheim") {
		t.Errorf("the operator sees what is in the mail: %s", a.body)
	}
	path := "/api/v1/outbox/" + id.String()
	if a := b.do(t, "POST", path+"/retry", nil); a.StatusCode != http.StatusNoContent {
		t.Errorf("retry: %d %s", a.StatusCode, a.body)
	}
	if a := b.do(t, "DELETE", path, nil); a.StatusCode != http.StatusNoContent {
		t.Errorf("drop: %d %s", a.StatusCode, a.body)
	}
	for _, id := range []string{id.String(), uid.New(s.tenant.CreatedAt).String(), "x"} {
		if a := b.do(t, "DELETE", "/api/v1/outbox/"+id, nil); a.code() != "not-found" {
			t.Errorf("drop %s: %d %s", id, a.StatusCode, a.body)
		}
		if a := b.do(t, "POST", "/api/v1/outbox/"+id+"/retry", nil); a.code() != "not-found" {
			t.Errorf("retry %s: %d %s", id, a.StatusCode, a.body)
		}
	}
}

// Tenants' people learn nothing of the installation, and its operators nothing of
// tenants.
func TestOperatorsApart(t *testing.T) {
	t.Parallel()
	s, _ := startWithMail(t)
	for _, login := range []string{"anna", "bernd"} {
		b := s.as(t, login)
		for _, r := range [][2]string{{"GET", "/smarthost"}, {"PATCH", "/smarthost"}, {"DELETE", "/smarthost"}, {"POST", "/smarthost-tests"}, {"GET", "/outbox"},
			{"POST", "/outbox/x/retry"}, {"DELETE", "/outbox/x"}} {
			var body any
			if r[0] == "PATCH" || r[1] == "/smarthost-tests" {
				body = map[string]any{"smarthost": map[string]any{"host": "", "tls": "none", "from": ""}}
			}
			if a := b.do(t, r[0], "/api/v1"+r[1], body); a.code() != "role" {
				t.Errorf("%s %s as %s: %d %s", r[0], r[1], login, a.StatusCode, a.body)
			}
		}
	}
	b := s.as(t, "olga")
	for _, path := range []string{"/search?q=", "/search/facets?q=", "/statistics", "/sources", "/completeness", "/messages/" + uid.New(s.tenant.CreatedAt).String()} {
		if a := b.get(t, "/api/v1"+path); a.code() != "role" {
			t.Errorf("GET %s as operator: %d %s", path, a.StatusCode, a.body)
		}
	}
	if a := b.do(t, "PATCH", "/api/v1/account", map[string]any{"language": "de"}); a.StatusCode != http.StatusOK {
		t.Errorf("language: %d %s", a.StatusCode, a.body)
	}
}
