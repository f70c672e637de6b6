package archive_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/pgtest"
	"github.com/muniment/muniment/internal/uid"
)

// onBoth runs a test on an archive on SQLite and on one on PostgreSQL.
func onBoth(t *testing.T, f func(t *testing.T, e *archivetest.Env)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); f(t, archivetest.New(t, archivetest.Options{})) })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, archivetest.New(t, archivetest.Options{DSN: pgtest.DSN(t)}))
	})
}

func mail(from, to, subject, body string) []byte {
	return []byte(fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%x@example.com>\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\n\r\n%s\r\n",
		from, to, subject, sha256.Sum256([]byte(subject+body)), body))
}

func ingest(t *testing.T, e *archivetest.Env, s *catalog.Source, raw []byte, change ...func(*archive.Submission)) archive.Receipt {
	t.Helper()
	sub := archive.Submission{Tenant: s.Tenant, Source: s.ID, Raw: bytes.NewReader(raw)}
	for _, c := range change {
		c(&sub)
	}
	r, err := e.Ingest(t.Context(), sub)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func download(t *testing.T, h *archive.Handle, id uid.ID) ([]byte, archive.Download) {
	t.Helper()
	r, d, err := h.Raw(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b, d
}

func find(t *testing.T, h *archive.Handle, q string) []uid.ID {
	t.Helper()
	p, err := h.Search(t.Context(), archive.SearchRequest{Query: q, Limit: 200})
	if err != nil {
		t.Fatalf("search %q: %v", q, err)
	}
	var out []uid.ID
	for _, hit := range p.Hits {
		out = append(out, hit.ID)
	}
	return out
}

func TestMessageComesInIsFoundAndRead(t *testing.T) {
	onBoth(t, func(t *testing.T, e *archivetest.Env) {
		tenant, source := e.Tenant(t, "acme")
		anna := e.As(e.User(t, tenant, "anna", access.RoleUser, "anna@example.com"))
		bernd := e.As(e.User(t, tenant, "bernd", access.RoleTenantAdmin, "bernd@example.com"))
		raw := mail("Anna <anna@example.com>", "carla@example.com", "Angebot", "Die Kirschbaumkommode ist fertig.")
		r := ingest(t, e, source, raw)
		if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
			t.Fatal(err)
		}
		if got := find(t, anna, "kirschbaumkommode"); len(got) != 1 || got[0] != r.AOID {
			t.Fatalf("anna finds %v, want %v", got, r.AOID)
		}
		if got := find(t, bernd, "kirschbaumkommode"); len(got) != 0 {
			t.Errorf("the administrator finds the mail of others: %v", got)
		}
		if _, err := bernd.Message(t.Context(), r.AOID); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("the administrator opens the mail of others: %v", err)
		}
		v, err := anna.Message(t.Context(), r.AOID)
		if err != nil {
			t.Fatal(err)
		}
		if !v.Integrity.Intact || v.Facts.Subject != "Angebot" || len(v.Captures) != 1 || len(v.Why) != 1 {
			t.Errorf("view = %+v", v)
		}
		if got, d := download(t, anna, r.AOID); !bytes.Equal(got, raw) || d.Redacted || d.Size != int64(len(raw)) {
			t.Errorf("download differs: %q, %+v", got, d)
		}
	})
}

func TestSameBytesAreStoredOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, e *archivetest.Env) {
		tenant, source := e.Tenant(t, "acme")
		dora := e.As(e.User(t, tenant, "dora", access.RoleUser, "dora@example.com"))
		raw := mail("anna@example.com", "bernd@example.com", "Once", "text")
		first := ingest(t, e, source, raw, func(s *archive.Submission) { s.Origin = "a/1.eml" })
		if first.Duplicate {
			t.Fatal("the first is a duplicate")
		}
		for range 2 { // the same item again records nothing
			r := ingest(t, e, source, raw, func(s *archive.Submission) { s.Origin = "a/1.eml" })
			if !r.Duplicate || r.AOID != first.AOID {
				t.Fatalf("again: %+v", r)
			}
		}
		if _, err := dora.Message(t.Context(), first.AOID); !errors.Is(err, catalog.ErrNotFound) {
			t.Fatalf("dora sees it too early: %v", err)
		}
		// A later arrival with an envelope brings a new party.
		ingest(t, e, source, raw, func(s *archive.Submission) { s.EnvelopeTo = []string{"Dora@Example.com"} })
		v, err := dora.Message(t.Context(), first.AOID)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Captures) != 2 {
			t.Errorf("captures = %d, want 2", len(v.Captures))
		}
		s, err := e.Catalog.Statistics(t.Context(), tenant.ID, v.Integrity.CheckedAt)
		if err != nil || s.Messages != 1 {
			t.Errorf("statistics = %+v, %v", s, err)
		}
		eventually(t, func() bool { return len(find(t, dora, "once")) == 1 })
	})
}

func TestBlindCopiesStaySecret(t *testing.T) {
	onBoth(t, func(t *testing.T, e *archivetest.Env) {
		tenant, source := e.Tenant(t, "acme")
		anna := e.As(e.User(t, tenant, "anna", access.RoleUser, "anna@example.com"))
		bernd := e.As(e.User(t, tenant, "bernd", access.RoleUser, "bernd@example.com"))
		carla := e.As(e.User(t, tenant, "carla", access.RoleUser, "carla@example.com"))
		raw := []byte("From: anna@example.com\r\nTo: bernd@example.com\r\nBcc: Carla <carla@example.com>,\r\n\tdieter@example.com\r\nSubject: Geheim\r\n\r\nBcc: not a field\r\n")
		id := ingest(t, e, source, raw, func(s *archive.Submission) {
			s.EnvelopeTo = []string{"bernd@example.com", "carla@example.com", "dieter@example.com"}
		}).AOID
		if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
			t.Fatal(err)
		}
		if got, d := download(t, anna, id); !bytes.Equal(got, raw) || d.Redacted {
			t.Errorf("the sender gets %q", got)
		}
		want := strings.Replace(string(raw), "Bcc: Carla <carla@example.com>,\r\n\tdieter@example.com\r\n", "", 1)
		for name, tc := range map[string]struct {
			h        *archive.Handle
			own, not string
		}{"bernd": {bernd, "bernd@example.com", "carla@example.com"}, "carla": {carla, "carla@example.com", "dieter@example.com"}} {
			got, d := download(t, tc.h, id)
			if string(got) != want || !d.Redacted {
				t.Errorf("%s downloads %q", name, got)
			}
			v, err := tc.h.Message(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if s := fmt.Sprintf("%+v %+v %+v", v.Row, *v.Facts, v.Captures); strings.Contains(strings.ReplaceAll(s, tc.own, ""), "dieter") || !v.BccHidden {
				t.Errorf("%s's view names a blind copy: %s", name, s)
			}
			if got := find(t, tc.h, "bcc:dieter"); len(got) != 0 {
				t.Errorf("%s finds by blind copy", name)
			}
			if got := find(t, tc.h, "dieter"); len(got) != 0 {
				t.Errorf("%s finds by a word of a blind copy", name)
			}
		}
		if got := find(t, anna, "bcc:dieter"); len(got) != 1 {
			t.Errorf("the sender finds %v by blind copy", got)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, e *archivetest.Env) {
		tenant, source := e.Tenant(t, "acme")
		anna := e.As(e.User(t, tenant, "anna", access.RoleUser, "anna@example.com"))
		attachment := strings.Repeat("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3\r\n", 500)
		const n = 300
		raws := make([][]byte, n)
		receipts := make([]archive.Receipt, n)
		var wg sync.WaitGroup
		for i := range n {
			raws[i] = []byte(fmt.Sprintf("From: anna@example.com\r\nSubject: No %d\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n%s", i/2, attachment))
			wg.Add(1)
			go func() {
				defer wg.Done()
				r, err := e.Ingest(t.Context(), archive.Submission{Tenant: tenant.ID, Source: source.ID, Raw: bytes.NewReader(raws[i])})
				if err != nil {
					t.Error(err)
				}
				receipts[i] = r
			}()
		}
		wg.Wait()
		duplicates := 0
		for i, r := range receipts {
			if r.Duplicate {
				duplicates++
			}
			if got, _ := download(t, anna, r.AOID); !bytes.Equal(got, raws[i]) {
				t.Fatalf("message %d differs", i)
			}
		}
		if duplicates != n/2 {
			t.Errorf("%d duplicates, want %d", duplicates, n/2)
		}
		s, err := e.Figures(t.Context(), tenant.ID)
		if err != nil || s.Messages != n/2 || s.StoredBytes > s.RawBytes/10 {
			t.Errorf("statistics %+v, %v: the attachment should be stored once", s, err)
		}
		clean(t, e)
	})
}

// clean fails unless fsck finds nothing.
func clean(t *testing.T, e *archivetest.Env) {
	t.Helper()
	for _, f := range check(t, e, false) {
		t.Errorf("fsck: %+v", f)
	}
}

func check(t *testing.T, e *archivetest.Env, repair bool) []archive.Finding {
	t.Helper()
	var out []archive.Finding
	_, err := e.Fsck(t.Context(), archive.FsckOptions{Repair: repair, Report: func(f archive.Finding) { out = append(out, f) }})
	if err != nil {
		t.Fatalf("fsck: %v", err)
	}
	return out
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for !ok() {
		select {
		case <-t.Context().Done():
			t.Fatal("did not happen before the test ended")
		default:
		}
	}
}
