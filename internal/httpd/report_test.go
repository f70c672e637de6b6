package httpd_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/journal/journaltest"
	"github.com/muniment/muniment/internal/uid"
)

// The record of a journal report is shown as far as the reader may know of whom it
// names; the report itself is for the sender.
func TestJournalRecord(t *testing.T) {
	t.Parallel()
	s := start(t)
	inner := []byte("From: Anna <anna@example.com>\r\nTo: team@example.com\r\nSubject: Angebot\r\nMessage-ID: <1@example.com>\r\n\r\nText\r\n")
	report := journaltest.Build(journaltest.Options{Sender: "anna@example.com", Subject: "Angebot", MessageID: "<1@example.com>", Inner: [][]byte{inner},
		Recipients: []journaltest.Recipient{
			{Key: "To", Address: "bernd@example.com", Redirection: "Expanded", RedirectionAddress: "team@example.com"},
			{Key: "Bcc", Address: "carla@geheim.example"},
		}})
	id := s.ingest(t, string(report), s.source.JournalAddress)
	path := "/api/v1/messages/" + id.String()

	var m api.Message
	anna := s.as(t, "anna")
	anna.get(t, path).into(t, &m)
	if len(m.Captures) != 1 || m.Captures[0].Journal == nil {
		t.Fatalf("captures %+v", m.Captures)
	}
	j := m.Captures[0].Journal
	if j.Sender != "anna@example.com" || len(j.Recipients) != 2 || !j.HasReport || j.Problem != "" || j.Recipients[0].Through != "team@example.com" {
		t.Errorf("record for the sender: %+v", j)
	}
	via := ""
	for _, p := range m.Parties {
		if p.Role == "journal-to" && p.Address == "bernd@example.com" {
			via = p.Via
		}
	}
	if via != "team@example.com" {
		t.Errorf("parties %+v: bernd came by %q", m.Parties, via)
	}
	whole := path + "/reports/" + m.Captures[0].ID
	if a := anna.get(t, whole); a.StatusCode != http.StatusOK || string(a.body) != string(report) || a.Header.Get("Content-Type") != "message/rfc822" {
		t.Errorf("report for the sender: %d %q", a.StatusCode, a.body)
	}

	bernd := s.as(t, "bernd")
	a := bernd.get(t, path)
	a.into(t, &m)
	j = m.Captures[0].Journal
	if strings.Contains(string(a.body), "carla") || j == nil || j.HasReport || len(j.Recipients) != 1 || j.Recipients[0].Role != "to" {
		t.Errorf("record for a recipient: %s", a.body)
	}
	if a := bernd.get(t, whole); a.StatusCode != http.StatusForbidden || a.code() != "role" {
		t.Errorf("report for a recipient: %d %s", a.StatusCode, a.body)
	}
	for _, other := range []string{uid.ID{}.String(), "x", id.String()} {
		if a := anna.get(t, path+"/reports/"+other); a.code() != "not-found" {
			t.Errorf("report %q: %d %s", other, a.StatusCode, a.body)
		}
	}
}
