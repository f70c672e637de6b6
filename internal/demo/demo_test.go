package demo

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"net"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/ingest/smtp"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/spool"
)

// maxSamples bounds what the samples add to the program, in bytes.
const maxSamples = 500_000

// parsed returns the facts of all samples by file name.
func parsed(t *testing.T) map[string]*message.Facts {
	t.Helper()
	names, err := fs.Glob(samples, "samples/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	all, size := map[string]*message.Facts{}, 0
	for _, name := range names {
		raw, err := samples.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		size += len(raw)
		all[path.Base(name)] = message.Parse(t.Context(), bytes.NewReader(raw))
	}
	if len(all) < 40 || size > maxSamples {
		t.Errorf("%d samples of %d bytes, want at least 40 and at most %d bytes", len(all), size, maxSamples)
	}
	return all
}

// involved tells which users are a party of the message.
func involved(f *message.Facts) map[string]bool {
	logins := map[string]bool{}
	for _, u := range Users() {
		if slices.ContainsFunc(f.Parties, func(p message.Party) bool { return slices.Contains(u.Addresses, p.Address) }) {
			logins[u.Login] = true
		}
	}
	return logins
}

func TestSamples(t *testing.T) {
	t.Parallel()
	first, last := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	ids, seen := map[string]string{}, map[string]int{}
	for name, f := range parsed(t) {
		if other := ids[f.MessageID]; f.MessageID == "" || other != "" {
			t.Errorf("%s: Message-ID %q is missing or that of %s", name, f.MessageID, other)
		}
		ids[f.MessageID] = name
		if f.Date.Before(first) || f.Date.After(last) {
			t.Errorf("%s: date %v", name, f.Date)
		}
		if !slices.ContainsFunc(f.Parties, func(p message.Party) bool { return p.Role == message.RoleFrom && p.Address != "" }) {
			t.Errorf("%s: no sender", name)
		}
		if strings.TrimSpace(f.Text) == "" || strings.ContainsRune(f.Subject+f.Text, '\uFFFD') || f.Truncated || len(f.Warnings) > 0 {
			t.Errorf("%s: text was lost: %q, truncated %v, warnings %q", name, f.Text, f.Truncated, f.Warnings)
		}
		users := involved(f)
		if len(users) == 0 {
			t.Errorf("%s: no user is a party", name)
		}
		for login := range users {
			seen[login]++
		}
	}
	for _, u := range Users() {
		if len(u.Addresses) > 0 && seen[u.Login] < 20 || seen[u.Login] == len(ids) {
			t.Errorf("%s is a party of %d of %d messages", u.Login, seen[u.Login], len(ids))
		}
	}
}

// Words from every way of writing text must be found again.
func TestSampleTexts(t *testing.T) {
	t.Parallel()
	all := parsed(t)
	for name, want := range map[string]struct{ subject, text, file string }{
		"09-bewerbung.eml":            {text: "Selin Yıldız", file: "Lebenslauf Selin Yıldız.docx"}, // RFC 2231, continued
		"10-latin1.eml":               {subject: "verspätet", text: "Größere Verzögerungen"},        // raw 8-bit field
		"16-cjk.eml":                  {subject: "木組みの椅子", text: "ありがとうございました"},
		"27-urlaub-plan.eml":          {text: "erste Juliwoche", file: "Urlaub-2025.xlsx"},
		"28-lieferavis.eml":           {subject: "Lieferankündigung 88-4120 für", text: "benötigt einen Stapler"}, // Q, quoted-printable
		"29-auftragsbestaetigung.eml": {subject: "Auftragsbestätigung 2025-0442: Nussbaum und Öl", text: "Hartwachsöl"},
		"31-visitenkarte.eml":         {text: "showroom in Verona", file: "galli.vcf"},
		"32-signiert.eml":             {text: "Henrike Tamm", file: "smime.p7s"},
		"33-weitergeleitet.eml":       {text: "Selbstbeteiligung höher", file: "Angebot Betriebshaftpflicht.eml"},
		"36-chinesisch.eml":           {subject: "胡桃木餐桌", text: "十二张胡桃木餐桌"}, // GB 18030
		"38-werkstattfoto.eml":        {file: "Maserung geölt.png"},
		"42-preisliste.eml":           {file: "Preisliste 2026 – Entwurf.xlsx"},
		"43-japanisch.eml":            {subject: "椅子の見本が届きました", text: "来年の春に六脚"}, // ISO-2022-JP
		"44-strom.eml":                {text: "18.420"},                          // HTML alone
	} {
		f := all[name]
		if f == nil {
			t.Errorf("%s is missing", name)
			continue
		}
		if !strings.Contains(f.Subject, want.subject) || !strings.Contains(f.Text, want.text) {
			t.Errorf("%s: subject %q, text %q", name, f.Subject, f.Text)
		}
		if want.file != "" && !slices.ContainsFunc(f.Parts, func(p message.Part) bool { return p.Name == want.file }) {
			t.Errorf("%s: no part %q in %+v", name, want.file, f.Parts)
		}
	}
}

// What a message answers must be among the samples.
func TestThreads(t *testing.T) {
	t.Parallel()
	all, ids := parsed(t), map[string]bool{}
	for _, f := range all {
		ids[f.MessageID] = true
	}
	for name, f := range all {
		for _, id := range slices.Concat(f.InReplyTo, f.References) {
			if !ids[id] {
				t.Errorf("%s refers to %s, which is no sample", name, id)
			}
		}
	}
}

// The mail takes the way it takes in a company: over SMTP into a real archive.
func TestSend(t *testing.T) {
	t.Parallel()
	env := archivetest.New(t, archivetest.Options{})
	tenant, source := env.Tenant(t, Tenant().Slug)
	addr := serve(t, env)
	n, err := Send(t.Context(), addr, source.JournalAddress)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(parsed(t)); n != want {
		t.Errorf("sent %d of %d samples", n, want)
	}
	if err := env.AwaitIndex(t.Context(), tenant.ID); err != nil {
		t.Fatal(err)
	}
	got, err := env.Figures(t.Context(), tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Messages != int64(n) || got.Unindexed != 0 {
		t.Errorf("the archive knows %d messages, %d not indexed, of %d sent", got.Messages, got.Unindexed, n)
	}
}

// serve runs an SMTP server for the archive until the test ends.
func serve(t *testing.T, env *archivetest.Env) (addr string) {
	t.Helper()
	dir, err := spool.Open(filepath.Join(t.TempDir(), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := smtp.New(smtp.Config{Archive: env, Spool: dir, Hostname: "mx.test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		if err := s.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != smtp.ErrClosed {
			t.Errorf("serve: %v", err)
		}
	})
	return ln.Addr().String()
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	for _, d := range Documents() {
		if len(d.Content) == 0 || d.Title == "" || len(d.Owners) == 0 {
			t.Errorf("%s lacks something", d.Name)
		}
	}
}
