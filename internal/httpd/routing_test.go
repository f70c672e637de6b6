package httpd_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/uid"
)

const strangeMail = "From: x@far.example\r\nTo: y@far.example\r\nSubject: Seltsam\r\nMessage-ID: <s@far.example>\r\n\r\nGeheimer Inhalt\r\n"

func TestQuarantinePages(t *testing.T) {
	t.Parallel()
	s := start(t)
	b, anna := s.as(t, "bernd"), s.as(t, "anna")
	var d api.Domain
	b.do(t, "POST", "/api/v1/domains", map[string]any{"name": "Example.COM"}).into(t, &d)
	if d.Name != "example.com" {
		t.Errorf("%+v", d)
	}
	for _, name := range []string{"example.com", "keine domain"} {
		if got := locations(t, b.do(t, "POST", "/api/v1/domains", map[string]any{"name": name})); !slices.Equal(got, []string{"body.name"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
	id := s.ingest(t, strangeMail, "anna@gone.example")
	var page api.QuarantinePage
	a := b.get(t, "/api/v1/quarantine?q=SELTSAM")
	if strings.Contains(string(a.body), "Geheim") || strings.Contains(string(a.body), "gone.example") {
		t.Errorf("the quarantine tells too much: %s", a.body)
	}
	a.into(t, &page)
	if len(page.Messages) != 1 || page.Messages[0].ID != id.String() || page.Messages[0].Hidden != 1 || page.Messages[0].State != "waiting" {
		t.Fatalf("%+v", page)
	}
	var n api.QuarantineCounts
	b.get(t, "/api/v1/quarantine/counts").into(t, &n)
	if n != (api.QuarantineCounts{Waiting: 1}) {
		t.Errorf("%+v", n)
	}
	for _, path := range []string{"/quarantine", "/quarantine/counts", "/domains", "/selection", "/selection/proposals"} {
		if a := anna.get(t, "/api/v1"+path); a.StatusCode != http.StatusForbidden {
			t.Errorf("a user gets %s: %d", path, a.StatusCode)
		}
	}
	decide := func(body map[string]any) *answer { return b.do(t, "POST", "/api/v1/quarantine/decisions", body) }
	if got := locations(t, decide(map[string]any{"state": "kept", "ids": []string{id.String()}})); !slices.Equal(got, []string{"body.reason"}) {
		t.Errorf("kept without a reason: %v", got)
	}
	for _, ids := range [][]string{{"x"}, {uid.New(id.Time()).String()}} {
		if a := decide(map[string]any{"state": "released", "ids": ids}); a.StatusCode != http.StatusNotFound {
			t.Errorf("released %v: %d", ids, a.StatusCode)
		}
	}
	var done api.QuarantineDecided
	decide(map[string]any{"state": "kept", "ids": []string{id.String()}, "reason": "spam"}).into(t, &done)
	page = api.QuarantinePage{}
	b.get(t, "/api/v1/quarantine?state=kept").into(t, &page)
	if done.Count != 1 || len(page.Messages) != 1 || page.Messages[0].Note != "spam" || page.Messages[0].DecidedBy != "bernd" || page.Messages[0].DecidedAt == nil {
		t.Errorf("%+v, %+v", done, page)
	}
	decide(map[string]any{"state": "released", "ids": []string{id.String()}}).into(t, &done)
	if a := b.get(t, "/api/v1/completeness"); !strings.Contains(string(a.body), `"outcome":"released","count":1`) || done.Count != 1 {
		t.Errorf("account: %s", a.body)
	}
}

func TestSelectionWantsConfirmation(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.as(t, "bernd")
	body := map[string]any{"enabled": true, "addresses": []string{"Bernd@example.com"}}
	if got := locations(t, b.do(t, "POST", "/api/v1/selection", body)); !slices.Equal(got, []string{"body.confirmed"}) {
		t.Errorf("unconfirmed: %v", got)
	}
	body["confirmed"] = true
	var now api.Selection
	b.do(t, "POST", "/api/v1/selection", body).into(t, &now)
	if !now.Enabled || !slices.Equal(now.Addresses, []string{"bernd@example.com"}) || now.ChangedBy != "bernd" || now.ChangedAt == nil {
		t.Errorf("%+v", now)
	}
	var known api.ProposedAddresses
	b.get(t, "/api/v1/selection/proposals").into(t, &known)
	if len(known.Addresses) != 2 || !known.Addresses[0].User {
		t.Errorf("%+v", known)
	}
}

func TestJournalHints(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.as(t, "bernd")
	path := "/api/v1/sources/" + s.source.ID.String()
	for _, bad := range []string{"nonsense", "0.0.0.0/0", "192.0.2.0/99"} {
		if got := locations(t, b.do(t, "PATCH", path, map[string]any{"hint_peers": []string{bad}})); !slices.Equal(got, []string{"body.hint_peers"}) {
			t.Errorf("%s: %v", bad, got)
		}
	}
	var src api.Source
	b.do(t, "PATCH", path, map[string]any{"hint_peers": []string{" 192.0.2.0/24 ", ""}, "google_workspace": true}).into(t, &src)
	if !slices.Equal(src.HintPeers, []string{"192.0.2.0/24"}) || !src.Workspace {
		t.Errorf("%+v", src)
	}
	b.do(t, "PATCH", path, map[string]any{"category": "Post"}).into(t, &src)
	if len(src.HintPeers) != 1 || !src.Workspace {
		t.Errorf("what is not named does not stay: %+v", src)
	}
	show := func(raw, peer string) api.Capture {
		r, err := s.Ingest(t.Context(), archive.Submission{Tenant: s.tenant.ID, Source: s.source.ID, Raw: bytes.NewReader([]byte(raw)), Peer: peer})
		if err != nil {
			t.Fatal(err)
		}
		var m api.Message
		b.get(t, "/api/v1/messages/"+r.AOID.String()).into(t, &m)
		return m.Captures[0]
	}
	c := show("X-Envelope-To: bernd@example.com\r\n"+strangeMail, "192.0.2.9")
	if !slices.Equal(c.HintTo, []string{"bernd@example.com"}) || c.FromHeaders {
		t.Errorf("trusted: %+v", c)
	}
	c = show("Cc: bernd@example.com\r\nX-Envelope-To: dora@example.com\r\n"+strangeMail, "198.51.100.9")
	if len(c.HintTo) != 0 || !c.FromHeaders || !c.Workspace {
		t.Errorf("not trusted: %+v", c)
	}
	if a := b.get(t, "/api/v1/completeness"); !strings.Contains(string(a.body), `"from_headers":true`) {
		t.Errorf("the account does not say it: %s", a.body)
	}
}
