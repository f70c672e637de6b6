package httpd_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/uid"
)

// histories remembers what it was asked for and ends at once.
type histories struct {
	mu        sync.Mutex
	asked     []remote.History
	last      *remote.HistoryReport
	running   bool
	cancelled int
	disagree  bool
}

func (h *histories) StartHistory(_, _ uid.ID, asked remote.History) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running {
		return remote.ErrHistoryRuns
	}
	h.asked = append(h.asked, asked)
	before := time.Now().AddDate(0, 0, -asked.RemoveOlderThan).UTC()
	h.last = &remote.HistoryReport{Asked: asked, Complete: true, RemoveBefore: &before, Folders: []remote.HistoryFolder{{Name: "Archiv/Müller", OnServer: 9, Due: 7, Done: true,
		Reasons: []remote.HistoryReason{{Item: "3", Why: "too large"}}}}}
	if h.disagree {
		h.last.Disagreements = []remote.Disagreement{{Folder: "INBOX", Text: "9 and 8"}}
	}
	return nil
}

func (h *histories) HistoryOf(uid.ID, uid.ID) (r remote.HistoryReport, running, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		return r, h.running, false
	}
	return *h.last, h.running, true
}

func (h *histories) CancelHistory(uid.ID, uid.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cancelled++
}

func TestHistoryIsConfirmed(t *testing.T) {
	t.Parallel()
	f := &histories{}
	s := start(t, func(c *httpd.Config) { c.Histories = f })
	b := s.as(t, "bernd")
	var made api.Source
	b.do(t, "POST", "/api/v1/sources", map[string]any{"kind": "mailbox", "name": "Info", "mailbox": mailbox(), "password": password}).into(t, &made)
	path := "/api/v1/sources/" + made.ID + "/history"
	var now api.History
	b.get(t, path).into(t, &now)
	if now.Running || now.Report != nil {
		t.Errorf("before the first: %+v", now)
	}
	post := func(more ...func(map[string]any)) *answer {
		body := map[string]any{"remove_older_than_days": 30}
		for _, m := range more {
			m(body)
		}
		return b.do(t, "POST", path, body)
	}
	dry := with("dry_run", true)
	confirm := []string{"body.confirm"}
	if got := locations(t, post(with("confirm", 7))); !slices.Equal(got, confirm) {
		t.Errorf("without a dry run: %v", got)
	}
	if a := post(dry); a.StatusCode != http.StatusNoContent {
		t.Fatalf("dry run: %d %s", a.StatusCode, a.body)
	}
	b.get(t, path).into(t, &now)
	if now.Report == nil || !now.Report.DryRun || now.Report.Folders[0].Name != "Archiv/Müller" || now.Report.Folders[0].Due != 7 || len(now.Report.Folders[0].Reasons) != 1 {
		t.Errorf("report %+v", now.Report)
	}
	for name, a := range map[string]*answer{"no number": post(), "another number": post(with("confirm", 8)), "another age": post(with("confirm", 7), with("remove_older_than_days", 20)),
		"another choice": post(with("confirm", 7), with("trash", true))} {
		if got := locations(t, a); !slices.Equal(got, confirm) {
			t.Errorf("%s: %v", name, got)
		}
	}
	before := *f.last.RemoveBefore
	if a := post(with("confirm", 7)); a.StatusCode != http.StatusNoContent || len(f.asked) != 2 || f.asked[1].DryRun || f.asked[1].AtMost != 7 || !f.asked[1].RemoveBefore.Equal(before) {
		t.Errorf("run: %d, asked %+v", a.StatusCode, f.asked)
	}
	if got := locations(t, post(with("confirm", 7))); !slices.Equal(got, confirm) {
		t.Errorf("a second run without a dry run: %v", got)
	}
	f.disagree = true
	post(dry)
	if got := locations(t, post(with("confirm", 7))); !slices.Equal(got, confirm) {
		t.Errorf("after a disagreement: %v", got)
	}
	f.running = true
	if got := locations(t, post(dry)); !slices.Equal(got, []string{"path.id"}) {
		t.Errorf("while one is under way: %v", got)
	}
	if a := b.do(t, "DELETE", path, nil); a.StatusCode != http.StatusNoContent || f.cancelled != 1 {
		t.Errorf("cancel: %d", a.StatusCode)
	}
	anna := s.as(t, "anna")
	for _, m := range []string{"GET", "POST", "DELETE"} {
		if a := anna.do(t, m, path, map[string]any{"dry_run": true}); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s by a user: %d", m, a.StatusCode)
		}
	}
	if a := start(t).as(t, "bernd").get(t, "/api/v1/sources/x/history"); a.code() != "not-found" {
		t.Errorf("no such source: %s", a.body)
	}
}

func TestCompletenessComparesCounts(t *testing.T) {
	t.Parallel()
	s := start(t)
	b := s.as(t, "bernd")
	var made api.Source
	b.do(t, "POST", "/api/v1/sources", map[string]any{"kind": "mailbox", "name": "Info", "mailbox": mailbox(), "password": password}).into(t, &made)
	err := s.SetSourceCount(t.Context(), s.tenant.ID, catalog.SourceCount{Source: must(t, made.ID), Folder: "imap://info@mail.example.com/Archiv/M%C3%BCller", Day: "2026-01-02", Came: 7, Held: 9})
	if err != nil {
		t.Fatal(err)
	}
	var c api.Completeness
	b.get(t, "/api/v1/completeness").into(t, &c)
	want := api.ServerCount{Day: "2026-01-02", Source: made.ID, Name: "Info", Kind: "mailbox", Folder: "Archiv/Müller", Came: 7, Held: 9}
	if len(c.Counts) != 1 || c.Counts[0] != want {
		t.Errorf("counts %+v", c.Counts)
	}
	if a := b.get(t, "/api/v1/completeness.csv"); !strings.Contains(string(a.body), "2026-01-02;Info;mailbox;"+made.ID+";counted-by-server;7;\r\n") {
		t.Errorf("CSV %s", a.body)
	}
}
