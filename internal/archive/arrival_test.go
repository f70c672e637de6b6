package archive_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/journal/journaltest"
)

func TestVerifyArrival(t *testing.T) {
	t.Parallel()
	e := archivetest.New(t, archivetest.Options{})
	tenant, source := e.Tenant(t, "acme")
	raw := withAttachment("Vorgang")
	inner := mail("anna@example.com", "bernd@example.com", "Innen", "Text")
	report := journaltest.Build(journaltest.Options{Sender: "anna@example.com", Subject: "Innen", Inner: [][]byte{inner},
		Recipients: []journaltest.Recipient{{Key: "To", Address: "bernd@example.com"}}})
	at := func(origin string) func(*archive.Submission) {
		return func(s *archive.Submission) { s.Origin = origin }
	}
	plain := ingest(t, e, source, raw, at("box/1"))
	wrapped := ingest(t, e, source, report, at("box/2"))
	ingest(t, e, source, raw, at("elsewhere/1"))
	met := map[string]string{}
	err := e.Arrivals(t.Context(), tenant.ID, source.ID, "box/", func(a archive.Arrival) error {
		met[a.Origin] = a.AOID.String()
		return nil
	})
	if diff := cmp.Diff(map[string]string{"box/1": plain.AOID.String(), "box/2": wrapped.AOID.String()}, met); diff != "" || err != nil {
		t.Errorf("arrivals: %v\n%s", err, diff)
	}
	none := [32]byte{}
	for name, c := range map[string]struct {
		origin  string
		receipt archive.Receipt
		sum     [32]byte
		intact  bool
	}{
		"message":             {"box/1", plain, sha256.Sum256(raw), true},
		"of an earlier run":   {"box/1", plain, none, true},
		"report":              {"box/2", wrapped, sha256.Sum256(report), true},
		"report, earlier":     {"box/2", wrapped, none, true},
		"only what is inside": {"box/2", wrapped, sha256.Sum256(inner), false},
		"other bytes":         {"box/1", plain, sha256.Sum256(inner), false},
		"from somewhere else": {"box/9", plain, sha256.Sum256(raw), false},
		"no such message":     {"box/1", archive.Receipt{AOID: source.ID}, none, false},
	} {
		err := e.VerifyArrival(t.Context(), tenant.ID, source.ID, archive.Arrival{Origin: c.origin, AOID: c.receipt.AOID}, c.sum)
		if c.intact != (err == nil) || err != nil && !errors.Is(err, archive.ErrNotIntact) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := e.VerifyArrival(t.Context(), tenant.ID, tenant.ID, archive.Arrival{Origin: "box/1", AOID: plain.AOID}, none); !errors.Is(err, archive.ErrNotIntact) {
		t.Errorf("of another source: %v", err)
	}
}

// What a server tells of a message is bounded, and survives the loss of the catalog.
func TestFiling(t *testing.T) {
	t.Parallel()
	e := archivetest.New(t, archivetest.Options{})
	tenant, source := e.Tenant(t, "acme")
	date := time.Date(2012, 3, 4, 5, 6, 7, 8, time.FixedZone("", 3600))
	wild := &catalog.Filing{Folder: strings.Repeat("ü", 2000), Flags: append(make([]string, 200), `\Seen`, "a\xffb", strings.Repeat("x", 500)), Date: new(time.Time{})}
	r := ingest(t, e, source, mail("anna@example.com", "bernd@example.com", "Eins", "Text"), func(s *archive.Submission) {
		s.Filing = &catalog.Filing{Folder: "Archiv/Müller & Söhne", Flags: []string{`\Seen`, "$Wichtig"}, Date: &date}
	})
	again := mail("anna@example.com", "bernd@example.com", "Zwei", "Text")
	ingest(t, e, source, again)
	second := ingest(t, e, source, again, func(s *archive.Submission) { s.Filing, s.Origin = wild, "x" })
	for range 2 {
		list, err := e.Catalog.Captures(t.Context(), tenant.ID, r.AOID)
		if err != nil || len(list) != 1 || list[0].Filing == nil {
			t.Fatalf("%+v, %v", list, err)
		}
		f := list[0].Filing
		if f.Folder != "Archiv/Müller & Söhne" || strings.Join(f.Flags, " ") != `\Seen $Wichtig` || !f.Date.Equal(date.Truncate(time.Second)) {
			t.Errorf("%+v", f)
		}
		list, err = e.Catalog.Captures(t.Context(), tenant.ID, second.AOID)
		if err != nil || len(list) != 2 || list[0].Filing != nil || list[1].Filing == nil {
			t.Fatalf("%+v, %v", list, err)
		}
		if f := list[1].Filing; len(f.Folder) != 1000 || len(f.Flags) != 3 || f.Flags[1] != "a\uFFFDb" || len(f.Flags[2]) != 100 || f.Date != nil {
			t.Errorf("%+v", f)
		}
		if _, err := e.Rebuild(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
}
