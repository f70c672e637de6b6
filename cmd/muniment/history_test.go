package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/remote"
	"github.com/muniment/muniment/internal/testkit/imapd"
)

func TestSourceHistory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, password, report := filepath.Join(dir, "data"), filepath.Join(dir, "password"), filepath.Join(dir, "report.json")
	s := imapd.New(t, imapd.Options{})
	write(t, password, s.Password)
	for i := range 6 {
		u := s.Add("Archiv/Müller", []byte("From: anna@example.com\r\nSubject: "+strconv.Itoa(i)+"\r\n\r\nText\r\n"))
		days := 100
		if i >= 4 {
			days = 1
		}
		s.Dated("Archiv/Müller", u, time.Now().AddDate(0, 0, -days))
	}
	want(t, exitOK, "", "--data", data, "tenant", "create", "acme")
	want(t, exitOK, "", "--data", data, "source", "add-mailbox", "acme", "Anna", "--host", s.Host, "--port", strconv.Itoa(s.Port), "--tls", "none",
		"--protocol", "imap", "--user", s.User, "--password-file", password, "--keep", "--disabled")
	history := func(more ...string) []string {
		return append([]string{"--data", data, "source", "history", "acme", "Anna", "--remove-older-than", "30", "--report", report}, more...)
	}
	read := func() (r remote.HistoryReport) {
		t.Helper()
		b, err := os.ReadFile(report)
		if err == nil {
			err = json.Unmarshal(b, &r)
		}
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	code, out, _ := command(t, history("--dry-run")...)
	if r := read(); code != exitOK || r.Sum().Due != 4 || r.Sum().Offered != 6 || !strings.Contains(out, "Archiv/Müller") || !strings.Contains(out, "nothing was changed") {
		t.Errorf("dry run: exit code %d, %s", code, out)
	}
	s.Misbehave(imapd.ExistsTooMany)
	code, out, stderr := command(t, history()...)
	if code != exitDisagree || !strings.Contains(stderr, "counts disagree") || !strings.Contains(out, "COUNTS DISAGREE in") || len(s.UIDs("Archiv/Müller")) != 6 {
		t.Errorf("counts that disagree: exit code %d, %s %s", code, out, stderr)
	}
	s.Behave()
	code, out, stderr = command(t, history("--json")...)
	if r := read(); code != exitOK || r.Sum().Removed != 4 || r.Sum().Intact != 4 || r.Sum().Remaining != 2 || !strings.HasPrefix(out, "{") {
		t.Errorf("exit code %d, %s %s", code, out, stderr)
	}
	if n := len(s.UIDs("Archiv/Müller")); n != 2 {
		t.Errorf("%d messages are left", n)
	}
	want(t, exitFindings, "1 folders not read", history("--folder", "Nirgends", "--folder", "Archiv/Müller")...)
	want(t, exitUsage, "remove_older_than_days", "--data", data, "source", "history", "acme", "Anna", "--remove-older-than=-1")
	want(t, exitUsage, "has no remote mailbox", "--data", data, "source", "history", "acme", "Bernd")
}
