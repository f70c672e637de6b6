package archive_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func TestAuditFindsDifferences(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage string
		codes  []archive.AuditCode
	}{
		"nothing":            {"", nil},
		"a row deleted":      {"DELETE FROM capture WHERE aoid = ?1; DELETE FROM quarantine WHERE aoid = ?1; DELETE FROM message WHERE aoid = ?1", []archive.AuditCode{archive.AuditMissing}},
		"an arrival deleted": {"DELETE FROM capture WHERE aoid = ?1", []archive.AuditCode{archive.AuditArrivals}},
		"an entry deleted":   {"DELETE FROM event WHERE object = ?2", []archive.AuditCode{archive.AuditLogBroken}},
		"another content":    {"UPDATE message SET sha256 = randomblob(32) WHERE aoid = ?1", []archive.AuditCode{archive.AuditUnread}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newLogEnv(t)
			ids := e.ingest(t, 6)
			if _, err := e.Ingest(t.Context(), archive.Submission{Tenant: e.tenant.ID, Source: e.source.ID, Raw: bytes.NewReader(letter(fmt.Sprintf("Vorgang %d am %s", 2, e.clock)))}); err != nil {
				t.Fatal(err)
			}
			for stmt := range strings.SplitSeq(c.damage, ";") {
				if stmt != "" {
					stmt = strings.ReplaceAll(strings.ReplaceAll(stmt, "?1", fmt.Sprintf("x'%x'", ids[1][:])), "?2", "'"+ids[1].String()+"'")
					if _, err := e.db(t).ExecContext(t.Context(), stmt); err != nil {
						t.Fatal(err)
					}
				}
			}
			r, err := e.admin.Audit(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			seen := map[archive.AuditCode]bool{}
			for _, f := range r.Findings {
				seen[f.Code] = true
			}
			for _, code := range c.codes {
				if !seen[code] {
					t.Errorf("not found: %s; report is %+v", code, r)
				}
			}
			if (len(c.codes) == 0) != r.Complete() {
				t.Errorf("report is %+v", r)
			}
			if c.codes == nil && (r.Matched != 6 || r.Messages != 6 || r.Entries != 6) {
				t.Errorf("figures are %+v", r)
			}
		})
	}
}

// TestAuditFindsWhatWasPutIn has a message come to the catalog around the log, and
// an entry come to the log for nothing.
func TestAuditFindsWhatWasPutIn(t *testing.T) {
	t.Parallel()
	e := newLogEnv(t)
	ids := e.ingest(t, 4)
	e.rewrite(t, func(l []*catalog.Event) []*catalog.Event {
		i := slices.IndexFunc(l, func(x *catalog.Event) bool { return x.Object == ids[2].String() })
		return slices.Delete(l, i, i+1)
	})
	r, err := e.admin.Audit(t.Context())
	if err != nil || r.Found != 1 || r.Findings[0].Code != archive.AuditUnlogged || r.Findings[0].Object != ids[2].String() {
		t.Errorf("report is %+v, %v", r, err)
	}
	strange := uid.New(e.clock)
	add := func(action string, id uid.ID, digest string) {
		t.Helper()
		if err := e.Catalog.AppendEvents(t.Context(), e.tenant.ID, []*catalog.Event{{At: e.clock, Actor: "cli", Action: action, Object: id.String(), Digest: digest}}); err != nil {
			t.Fatal(err)
		}
	}
	add("message.stored", ids[2], "00")
	add("message.stored", strange, "00")
	if r, err = e.admin.Audit(t.Context()); err != nil || r.Found != 2 {
		t.Errorf("report is %+v, %v", r, err)
	}
	add("message.deleted", strange, "") // it is gone, but there is no tombstone
	add("message.deleted", ids[0], "")  // this one is there
	r, err = e.admin.Audit(t.Context())
	var codes []archive.AuditCode
	for _, f := range r.Findings {
		codes = append(codes, f.Code)
	}
	slices.Sort(codes)
	if want := []archive.AuditCode{archive.AuditOther, archive.AuditRevived, archive.AuditTombstone}; err != nil || !slices.Equal(codes, want) {
		t.Errorf("found %v, want %v: %v", codes, want, err)
	}
}

// TestRebuiltMessagesAreLogged loses the catalog: the new log tells of all messages.
func TestRebuiltMessagesAreLogged(t *testing.T) {
	t.Parallel()
	e := newLogEnv(t)
	e.ingest(t, 5)
	before, err := e.admin.Audit(t.Context())
	if err != nil || !before.Complete() {
		t.Fatalf("%+v, %v", before, err)
	}
	if _, err := e.Rebuild(t.Context(), nil); err != nil { // the log is there: nothing is told twice
		t.Fatal(err)
	}
	if r, err := e.Audit(t.Context(), e.tenant.ID); err != nil || !r.Complete() || r.Entries != 5 || r.Matched != 5 {
		t.Errorf("after a rebuild: %+v, %v", r, err)
	}
	e.rewrite(t, func([]*catalog.Event) []*catalog.Event { return nil })
	if _, err := e.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if r, err := e.Audit(t.Context(), e.tenant.ID); err != nil || !r.Complete() || r.Entries != 5 || r.Matched != 5 {
		t.Errorf("after a rebuild without a log: %+v, %v", r, err)
	}
}
