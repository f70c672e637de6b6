package httpd_test

import (
	"archive/zip"
	"bytes"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/sealing"
)

// lateSealer stands where the sealer will be.
type lateSealer struct{ *sealing.Sealer }

// startWithAuthority runs a server with a sealer that works on demand, an authority
// and an operator.
func startWithAuthority(t *testing.T) (*site, map[string]any) {
	t.Helper()
	late := &lateSealer{}
	s := start(t, func(c *httpd.Config) { c.Sealer = late })
	sealer, err := sealing.New(sealing.Config{Archive: s.Archive})
	if err != nil {
		t.Fatal(err)
	}
	late.Sealer = sealer
	if _, err := s.CreateOperator(t.Context(), archive.NewUser{Login: "olga", Name: "Olga", Password: archivetest.Password}); err != nil {
		t.Fatal(err)
	}
	a, err := tsa.New(tsa.Options{})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(a.Handler())
	t.Cleanup(srv.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Root().Raw})
	return s, map[string]any{"name": "Test", "url": srv.URL + "/", "auth": "none", "ca": string(ca), "local": true}
}

func TestSealing(t *testing.T) {
	t.Parallel()
	s, authority := startWithAuthority(t)
	olga := s.as(t, "olga")
	var set api.Sealing
	olga.get(t, "/api/v1/sealing").into(t, &set)
	if set.Interval != 3600 || len(set.Authorities) != 0 || len(set.Presets) < 5 || !set.Seals {
		t.Errorf("as it comes, no authority is asked: %+v", set)
	}
	var found api.SealingFinding
	olga.do(t, "POST", "/api/v1/sealing-tests", map[string]any{"authority": authority}).into(t, &found)
	if !found.OK || !found.Test || found.Qualified != "no" || found.Signer == "" {
		t.Errorf("trial: %+v", found)
	}
	a := olga.do(t, "PATCH", "/api/v1/sealing", map[string]any{"interval": 5, "authorities": []any{map[string]any{"name": "", "url": "x", "auth": "basic", "ca": ""}}})
	for _, want := range []string{"body.interval", "body.authorities[0].name", "body.authorities[0].url", "body.authorities[0].ca", "body.authorities[0].secret"} {
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), want) {
			t.Errorf("mistakes lack %s: %d %s", want, a.StatusCode, a.body)
		}
	}
	olga.do(t, "PATCH", "/api/v1/sealing", map[string]any{"interval": 600, "authorities": []any{authority}}).into(t, &set)
	if set.Interval != 600 || len(set.Authorities) != 1 || set.Evidence.Authorities[0] != "Test" {
		t.Errorf("set: %+v", set)
	}
	// The secret goes in, does not come out, and goes to no other server.
	authority["url"], authority["auth"], authority["user"] = "https://tsa.example/", "basic", "archive"
	a = olga.do(t, "PATCH", "/api/v1/sealing", map[string]any{"interval": 600, "authorities": []any{authority}, "secrets": map[string]any{"Test": "s3cret-word"}})
	a.into(t, &set)
	if !set.Authorities[0].HasSecret || strings.Contains(string(a.body), "s3cret-word") {
		t.Errorf("secret: %s", a.body)
	}
	authority["url"] = "https://elsewhere.example/"
	if a := olga.do(t, "POST", "/api/v1/sealing-tests", map[string]any{"authority": authority}); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), "body.secret") {
		t.Errorf("the stored secret to another server: %d %s", a.StatusCode, a.body)
	}
	if a := s.as(t, "bernd").get(t, "/api/v1/sealing"); a.code() != "role" {
		t.Errorf("an administrator of a tenant: %d %s", a.StatusCode, a.body)
	}
}

func TestEvidenceOfMessage(t *testing.T) {
	t.Parallel()
	s, authority := startWithAuthority(t)
	id := s.ingest(t, "From: bernd@example.com\r\nTo: anna@example.com\r\nSubject: x\r\n\r\nHello.\r\n")
	anna, olga := s.as(t, "anna"), s.as(t, "olga")
	path := "/api/v1/messages/" + id.String() + "/evidence"
	var m api.MessageEvidence
	anna.get(t, path).into(t, &m)
	if m.State != "waiting" || m.Authorities || !m.Available {
		t.Errorf("hashed, not stamped: %+v", m)
	}
	if a := anna.get(t, path+".er"); a.code() != "not-found" || !strings.Contains(string(a.body), "no time stamp yet") {
		t.Errorf("a record that is not there: %d %s", a.StatusCode, a.body)
	}
	var set api.Sealing
	olga.do(t, "PATCH", "/api/v1/sealing", map[string]any{"interval": 600, "authorities": []any{authority}}).into(t, &set)
	var run api.SealingRun
	olga.do(t, "POST", "/api/v1/sealing-runs", nil).into(t, &run)
	if run.Objects != 1 || run.Stamped != 1 || run.Problem != nil {
		t.Fatalf("run: %+v", run)
	}
	anna.get(t, path).into(t, &m)
	if m.State != "stamped" || len(m.Stamps) != 1 || !m.Stamps[0].Test || m.Stamps[0].Authority != "Test" {
		t.Errorf("stamped: %+v", m)
	}
	record := anna.get(t, path+".er").body
	if _, err := ers.ParseRecord(record); err != nil {
		t.Error(err)
	}
	bundle := anna.get(t, path+".zip").body // each tells when it was made
	z, err := zip.NewReader(bytes.NewReader(bundle), int64(len(bundle)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	for _, want := range []string{"original.eml", "metadata.json", "evidence.er", "token-1.tst", "sidecar.der", "README.txt", "LIESMICH.txt"} {
		if !slices.Contains(names, want) {
			t.Errorf("the bundle lacks %s: %v", want, names)
		}
	}
	var e api.Evidence
	s.as(t, "bernd").get(t, "/api/v1/evidence").into(t, &e)
	if len(e.Batches) != 1 || e.Batches[0].Objects != 1 || e.Waiting != 0 || e.Hash.Name != "SHA-256" {
		t.Errorf("evidence: %+v", e)
	}
	if a := anna.get(t, "/api/v1/evidence"); a.code() != "role" {
		t.Errorf("a user: %d %s", a.StatusCode, a.body)
	}
}

// TestEvidenceUnderGrant: the bundle holds the message, so whoever gets it under a request
// for access has read it, and the data-protection officer sees that.
func TestEvidenceUnderGrant(t *testing.T) {
	t.Parallel()
	s, authority := startWithAuthority(t)
	s.User(t, s.tenant, "rita", access.RoleAuditor, "rita@example.com")
	s.User(t, s.tenant, "dora", access.RoleDPO, "dora@example.com")
	id := s.ingest(t, "From: bernd@example.com\r\nTo: anna@example.com\r\nSubject: x\r\n\r\nHello.\r\n")
	olga, rita := s.as(t, "olga"), s.as(t, "rita")
	var set api.Sealing
	olga.do(t, "PATCH", "/api/v1/sealing", map[string]any{"interval": 600, "authorities": []any{authority}}).into(t, &set)
	var run api.SealingRun
	olga.do(t, "POST", "/api/v1/sealing-runs", nil).into(t, &run)
	var request api.AccessRequest
	rita.do(t, http.MethodPost, "/api/v1/access-requests", map[string]any{"kind": "mailbox", "addresses": []string{"anna@example.com"}, "reason": "Verdacht auf Betrug",
		"until": time.Now().Add(time.Hour).UTC()}).into(t, &request)
	s.as(t, "dora").do(t, http.MethodPost, "/api/v1/access-requests/"+request.ID+"/decision", map[string]any{"approve": true}).into(t, &request)
	for _, end := range []string{".er", ".zip"} {
		path := "/api/v1/messages/" + id.String() + "/evidence" + end
		if a := rita.get(t, path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s without the request: %d", end, a.StatusCode)
		}
		if a := rita.get(t, path+"?grant="+request.ID); a.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", end, a.StatusCode, a.body)
		}
	}
	var records api.AccessRecords
	s.as(t, "dora").get(t, "/api/v1/access-records").into(t, &records)
	if len(records.Records) != 2 || records.Records[0].Act != "evidence.downloaded" || records.Records[0].Message != id.String() || records.Records[1].Request != request.ID {
		t.Errorf("recorded: %+v", records.Records)
	}
}

func TestEvidenceKeepsBlindRecipients(t *testing.T) {
	t.Parallel()
	s, authority := startWithAuthority(t)
	id := s.ingest(t, "From: carla@example.com\r\nTo: anna@example.com\r\nBcc: dora@example.com\r\nSubject: x\r\n\r\nHello.\r\n")
	olga := s.as(t, "olga")
	var set api.Sealing
	olga.do(t, "PATCH", "/api/v1/sealing", map[string]any{"interval": 600, "authorities": []any{authority}}).into(t, &set)
	var run api.SealingRun
	olga.do(t, "POST", "/api/v1/sealing-runs", nil).into(t, &run)
	anna := s.as(t, "anna")
	var m api.MessageEvidence
	anna.get(t, "/api/v1/messages/"+id.String()+"/evidence").into(t, &m)
	if m.State != "stamped" || m.Available {
		t.Errorf("state: %+v", m)
	}
	for _, end := range []string{".er", ".zip"} {
		if a := anna.get(t, "/api/v1/messages/"+id.String()+"/evidence"+end); a.code() != "role" {
			t.Errorf("%s: %d %.200s", end, a.StatusCode, a.body)
		}
	}
}
