package receipts

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/outbox"
	"github.com/muniment/muniment/internal/remote"
)

func TestReceiptsAreHandedOut(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	e := archivetest.New(t, archivetest.Options{Now: func() time.Time { return now }})
	tenant, _ := e.Tenant(t, "acme")
	box, err := outbox.New(outbox.Config{Archive: e.Archive, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "receipts")
	door, err := New(Config{Archive: e.Archive, Outbox: box, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	once := func() {
		t.Helper()
		for range 2 {
			if err := door.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	mails := func() int {
		t.Helper()
		o, err := e.Outbox(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(o.Mails)
	}
	if err := e.SetReceiptSettings(t.Context(), tenant.ID, archive.ReceiptSettings{To: []string{"anna@acme.example"}, At: "00:05", Language: "de"}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(24 * time.Hour)
	once() // without a smarthost
	name := filepath.Join(dir, "acme", "muniment-receipt-acme-2026-11-21.json")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := eventlog.ParseReceipt(b)
	if err == nil {
		_, err = r.Open()
	}
	if err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "_installation", "muniment-receipt-_installation-2026-11-21.json")); err != nil {
		t.Error(err)
	}
	if err := e.SetSmarthost(t.Context(), archive.SmarthostDraft{Smarthost: remote.Smarthost{Host: "mail.example", TLS: remote.StartTLS, From: "archive@acme.example"}}); err != nil {
		t.Fatal(err)
	}
	once()
	if n := mails(); n != 1 {
		t.Errorf("%d mails after the smarthost is there, want 1", n)
	}
	m, body, err := e.ClaimMail(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if m.Key != "receipt 2026-11-21" || !bytes.Contains(body, []byte("muniment-receipt-acme-2026-11-21.json")) || !strings.Contains(string(body), "application/json") {
		t.Errorf("mail %s is\n%s", m.Key, body)
	}
	if err := e.AttachRecord(t.Context(), tenant.ID, "2026-11-21", []byte{0x30, 0}); err != nil {
		t.Fatal(err)
	}
	if x, err := e.Catalog.Receipt(t.Context(), tenant.ID, "2026-11-21"); err != nil || !strings.Contains(x.Body, `"evidence_record": "MAA="`) || x.Size == 0 {
		t.Errorf("receipt with a record: %+v, %v", x, err)
	}
	now = now.Add(24 * time.Hour)
	once()
	if n := mails(); n != 2 {
		t.Errorf("%d mails after two days, want 2", n)
	}
	// A file that says something else is not overwritten.
	now = now.Add(24 * time.Hour)
	other := filepath.Join(dir, "acme", "muniment-receipt-acme-2026-11-23.json")
	if err := os.WriteFile(other, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := door.Once(t.Context()); err == nil || !strings.Contains(err.Error(), "another receipt") {
		t.Errorf("with another file in its place: %v", err)
	}
	if have, err := os.ReadFile(other); err != nil || !bytes.Equal(have, b) {
		t.Errorf("the file was overwritten, %v", err)
	}
}
