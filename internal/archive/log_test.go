package archive_test

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// logEnv is an archive with a clock that a test moves.
type logEnv struct {
	*archivetest.Env
	clock  time.Time
	tenant *catalog.Tenant
	source *catalog.Source
	admin  *archive.Handle
}

func newLogEnv(t *testing.T) *logEnv {
	t.Helper()
	e := newBareLogEnv(t)
	e.admin = e.As(e.User(t, e.tenant, "admin", access.RoleTenantAdmin))
	return e
}

// newBareLogEnv has no events with details, whose salts make them unlike any others.
func newBareLogEnv(t *testing.T) *logEnv {
	t.Helper()
	e := &logEnv{clock: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	e.Env = archivetest.New(t, archivetest.Options{Now: func() time.Time { return e.clock }})
	e.tenant = &catalog.Tenant{ID: uid.New(e.clock), Slug: "acme", Name: "acme", Zone: "Europe/Berlin", State: catalog.TenantActive, CreatedAt: e.clock}
	e.source = &catalog.Source{ID: uid.New(e.clock), Tenant: e.tenant.ID, Kind: "import", Name: "files", Category: "mail", CreatedAt: e.clock}
	for _, err := range []error{
		e.Vault.CreateTenant(t.Context(), vault.TenantInfo{ID: e.tenant.ID}),
		e.Catalog.CreateTenant(t.Context(), e.tenant),
		e.Catalog.CreateSource(t.Context(), e.source),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	e.admin = e.As(access.Actor{Tenant: e.tenant.ID, User: uid.New(e.clock), Role: access.RoleTenantAdmin})
	return e
}

func (e *logEnv) ingest(t *testing.T, n int) []uid.ID {
	t.Helper()
	var ids []uid.ID
	for i := range n {
		r, err := e.Ingest(t.Context(), archive.Submission{Tenant: e.tenant.ID, Source: e.source.ID, Raw: bytes.NewReader(letter(fmt.Sprintf("Vorgang %d am %s", i, e.clock)))})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.AOID)
	}
	if err := e.AwaitIndex(t.Context(), e.tenant.ID); err != nil { // it writes into the row of the log's head, as some tests do
		t.Fatal(err)
	}
	return ids
}

func letter(subject string) []byte {
	return []byte("From: anna@acme.example\r\nTo: bernd@acme.example\r\nSubject: " + subject + "\r\n\r\nText\r\n")
}

func (e *logEnv) receipt(t *testing.T) *catalog.Receipt {
	t.Helper()
	owners, err := e.LogOwners(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(owners, func(o archive.LogOwner) bool { return o.Tenant == e.tenant.ID })
	r, err := e.MakeReceipt(t.Context(), &owners[i])
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (e *logEnv) db(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(e.Dir, "catalog.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestReceiptsComeDaily(t *testing.T) {
	t.Parallel()
	e := newLogEnv(t)
	if r := e.receipt(t); r != nil {
		t.Errorf("a receipt before the first is due: %+v", r)
	}
	e.clock = time.Date(2026, 11, 20, 23, 4, 0, 0, time.UTC) // 00:04 in Berlin
	if r := e.receipt(t); r != nil {
		t.Errorf("a receipt a minute early: %+v", r)
	}
	var days []string
	for _, at := range []string{"2026-11-20T23:05:00Z", "2026-11-20T23:06:00Z", "2026-11-21T12:00:00Z", "2026-11-26T22:00:00Z", "2026-11-26T23:05:00Z", "2026-11-22T09:00:00Z"} {
		e.clock, _ = time.Parse(time.RFC3339, at)
		for range 2 {
			if r := e.receipt(t); r != nil {
				days = append(days, r.Day)
			}
		}
	}
	// After a downtime one, and none when the clock goes back.
	if want := []string{"2026-11-21", "2026-11-26", "2026-11-27"}; !slices.Equal(days, want) {
		t.Errorf("receipts of %v, want %v", days, want)
	}
	e.clock = time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	c, err := e.admin.CompareReceipts(t.Context(), given("2026-11-21", "2026-11-27", "now"))
	if err != nil || c.Verdict != eventlog.Valid || !c.KeyTrusted || len(c.Receipts) != 3 {
		t.Errorf("comparison: %+v, %v", c, err)
	}
	if c.Receipts[0].Zone != "Europe/Berlin" || c.Receipts[0].Day != "2026-11-21" {
		t.Errorf("receipt says %+v", c.Receipts[0])
	}
	var files []archive.GivenReceipt
	for _, x := range []struct{ day, name string }{{"2026-11-21", `C:\kept\november.json`}, {"2026-11-26", "november.json"}, {"2026-11-27", ""}} {
		r, err := e.Catalog.Receipt(t.Context(), e.tenant.ID, x.day)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, archive.GivenReceipt{Which: r.Body, Name: x.name})
	}
	if c, err = e.admin.CompareReceipts(t.Context(), files); err != nil || c.Verdict != eventlog.Valid {
		t.Fatalf("comparison of files: %+v, %v", c, err)
	}
	for i, want := range []string{"november.json", "november.json (2)", "file"} {
		if got := c.Receipts[i]; got.Name != want || got.Day != []string{"2026-11-21", "2026-11-26", "2026-11-27"}[i] {
			t.Errorf("the file %d is called %q, of %s; want %q", i, got.Name, got.Day, want)
		}
	}
	for _, which := range [][]string{{"2026-11-21"}, nil, {"2026-11-21", "{}"}} {
		if _, err := e.admin.CompareReceipts(t.Context(), given(which...)); !errors.Is(err, archive.ErrReceipt) {
			t.Errorf("comparison of %q: %v", which, err)
		}
	}
	if _, err := e.admin.CompareReceipts(t.Context(), given("2026-11-21", "2026-11-22")); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("comparison with a day that has none: %v", err)
	}
}

func TestKeysOfTheLogChange(t *testing.T) {
	t.Parallel()
	e := newLogEnv(t)
	first, err := e.admin.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e.clock = e.clock.Add(24 * time.Hour)
	e.receipt(t)
	if _, err := e.RotateLogKey(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.clock = e.clock.Add(24 * time.Hour)
	second := e.receipt(t)
	b, err := first.Encode()
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.admin.CompareReceipts(t.Context(), given(string(b), second.Day))
	if err != nil || c.Verdict != eventlog.Valid {
		t.Errorf("across a change of keys: %+v, %v", c, err)
	}
	keys, err := e.Catalog.LogKeys(t.Context())
	if err != nil || len(keys) != 2 || keys[0].Secret != nil {
		t.Errorf("keys are %+v, %v", keys, err)
	}
	digest := sha256.Sum256([]byte(keys[1].ChangeNote))
	for log, tenant := range map[string]uid.ID{"installation": {}, "tenant": e.tenant.ID} {
		list, err := e.Catalog.FindEvents(t.Context(), tenant, catalog.EventFilter{Group: "log"}, 50)
		found := slices.ContainsFunc(list, func(x *catalog.Event) bool {
			return x.Action == "log.key-changed" && x.Digest == fmt.Sprintf("%x", digest)
		})
		if err != nil || !found {
			t.Errorf("the log of the %s does not tell of the new key: %v", log, err)
		}
	}
}

// TestRewrittenHistoryIsFound has somebody with the database and the keys rewrite
// the log so that it fits together again: only who holds yesterday's receipt knows.
func TestRewrittenHistoryIsFound(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func([]*catalog.Event) []*catalog.Event{
		"leaf 5 dropped":  func(l []*catalog.Event) []*catalog.Event { return slices.Delete(l, 5, 6) },
		"leaf 5 inserted": func(l []*catalog.Event) []*catalog.Event { return slices.Insert(l, 5, l[7]) },
		"two exchanged":   func(l []*catalog.Event) []*catalog.Event { l[5], l[6] = l[6], l[5]; return l },
		"last cut off":    func(l []*catalog.Event) []*catalog.Event { return l[:8] },
		"nothing":         func(l []*catalog.Event) []*catalog.Event { return l },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newBareLogEnv(t)
			e.ingest(t, 9)
			e.clock = e.clock.Add(24 * time.Hour)
			yesterday := e.receipt(t)
			e.rewrite(t, change)
			if err := e.Catalog.VerifyEvents(t.Context(), e.tenant.ID, func(err error) { t.Errorf("the rewritten log does not fit together: %v", err) }); err != nil {
				t.Fatal(err)
			}
			for _, more := range []int{0, 1, 5} {
				e.ingest(t, more)
				e.clock = e.clock.Add(time.Hour)
				c, err := e.admin.CompareReceipts(t.Context(), given(yesterday.Body, "now"))
				want := eventlog.Invalid
				if name == "nothing" {
					want = eventlog.Valid
				}
				if err != nil || c.Verdict != want {
					t.Errorf("with %d more: %+v, %v", more, c, err)
				}
				var b bytes.Buffer
				if err := e.ExportLog(t.Context(), e.tenant.ID, &b); err != nil {
					t.Fatal(err)
				}
				x, err := eventlog.ReadExport(&b, []int64{yesterday.Size}, nil)
				if err != nil {
					t.Fatal(err)
				}
				r, err := eventlog.ParseReceipt([]byte(yesterday.Body))
				if err != nil {
					t.Fatal(err)
				}
				if c := eventlog.Compare([]eventlog.Named{{Name: "yesterday", Receipt: r}}, eventlog.Evidence{Log: x}); c.Verdict != want {
					t.Errorf("offline, with %d more: %+v", more, c)
				}
			}
		})
	}
}

// rewrite replaces the log, its tree and its head.
func (e *logEnv) rewrite(t *testing.T, change func([]*catalog.Event) []*catalog.Event) {
	t.Helper()
	list, err := e.Catalog.Events(t.Context(), e.tenant.ID, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	db := e.db(t)
	id := e.tenant.ID[:]
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []string{"event_detail", "event_node", "event"} {
		exec("DELETE FROM "+table+" WHERE tenant = ?", id)
	}
	var seq, raw, first, last, indexed int64
	if err := db.QueryRowContext(t.Context(), "SELECT seq, raw_bytes, first_received, last_received, indexed FROM head WHERE tenant = ?", id).
		Scan(&seq, &raw, &first, &last, &indexed); err != nil {
		t.Fatal(err)
	}
	sum := []byte("muniment row 1\x00head\x00row\x00")
	text := func(b []byte) { sum = append(binary.BigEndian.AppendUint64(append(sum, 's'), uint64(len(b))), b...) }
	num := func(n int64) { sum = binary.BigEndian.AppendUint64(append(sum, 'i'), uint64(n)) }
	text(id)
	for _, n := range []int64{seq, raw, first, last, 0} {
		num(n)
	}
	text((&eventlog.Frontier{}).Bytes())
	num(indexed)
	check := sha256.Sum256(sum)
	exec("UPDATE head SET events = 0, peaks = ?, checksum = ? WHERE tenant = ?", (&eventlog.Frontier{}).Bytes(), check[:8], id)
	for _, x := range change(list) {
		again := *x
		if err := e.Catalog.AppendEvents(t.Context(), e.tenant.ID, []*catalog.Event{&again}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhoSeesTheLog(t *testing.T) {
	t.Parallel()
	e := newLogEnv(t)
	other, _ := e.Tenant(t, "other")
	for role, may := range map[access.Role]bool{access.RoleTenantAdmin: true, access.RoleAuditor: true, access.RoleDPO: true, access.RoleUser: false} {
		h := e.As(e.User(t, e.tenant, "x-"+string(role), role))
		for name, err := range map[string]error{
			"log": failed(h.Log(t.Context())), "events": failed(h.Events(t.Context(), catalog.EventFilter{}, 5)), "proof": failed(h.EventProof(t.Context(), 0)),
			"checkpoint": failed(h.Checkpoint(t.Context())), "consistency": failed(h.Consistency(t.Context(), 0, 1)), "receipts": failed(h.Receipts(t.Context(), "")),
			"export": h.ExportLog(t.Context(), &bytes.Buffer{}), "audit": failed(h.Audit(t.Context())), "settings": failed(h.ReceiptSettings(t.Context())),
			"comparison": failed(h.CompareReceipts(t.Context(), given("now", "now"))),
		} {
			if may && err != nil || !may && !errors.Is(err, access.ErrForbidden) {
				t.Errorf("%s as %s: %v", name, role, err)
			}
		}
		err := h.SetReceiptSettings(t.Context(), archive.ReceiptSettings{To: []string{"a@example.com"}, At: "01:00", Language: "en"})
		if manages := role == access.RoleTenantAdmin; manages && err != nil || !manages && !errors.Is(err, access.ErrForbidden) {
			t.Errorf("settings as %s: %v", role, err)
		}
	}
	stranger := e.As(e.User(t, other, "admin", access.RoleTenantAdmin))
	list, err := stranger.Events(t.Context(), catalog.EventFilter{}, 200)
	for _, x := range list {
		if x.Object == e.source.ID.String() {
			t.Error("another tenant's log is shown")
		}
	}
	if err != nil || len(list) == 0 {
		t.Errorf("events of the other: %v, %v", list, err)
	}
	for _, s := range []archive.ReceiptSettings{{At: "1:00", Language: "de"}, {At: "25:00", Language: "de"}, {At: "01:00", Language: "fr"}, {At: "01:00", Language: "de", To: []string{"nobody"}}} {
		if err := e.admin.SetReceiptSettings(t.Context(), s); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("settings %+v: %v", s, err)
		}
	}
	operator := e.As(access.Actor{User: uid.New(e.clock), Role: access.RoleOperator})
	if v, err := operator.Log(t.Context()); err != nil || v.Size == 0 {
		t.Errorf("log of the installation: %+v, %v", v, err)
	}
	p, err := operator.EventProof(t.Context(), 0)
	if err == nil {
		_, _, err = p.Check()
	}
	if err != nil {
		t.Errorf("proof of the installation: %v", err)
	}
}

func failed[T any](_ T, err error) error { return err }

// TestDetailsCanGo deletes what an event tells of people: the proof stays.
func TestDetailsCanGo(t *testing.T) {
	t.Parallel()
	e := newLogEnv(t)
	if err := e.admin.SetReceiptSettings(t.Context(), archive.ReceiptSettings{To: []string{"anna@acme.example"}, At: "01:00", Language: "de"}); err != nil {
		t.Fatal(err)
	}
	list, err := e.admin.Events(t.Context(), catalog.EventFilter{Group: "log"}, 1)
	if err != nil || len(list) != 1 || list[0].Details["after.to"] != "anna@acme.example" || list[0].ActorName != "admin" {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := e.Catalog.DeleteEventDetails(t.Context(), e.tenant.ID, list[0].Seq); err != nil {
		t.Fatal(err)
	}
	p, err := e.admin.EventProof(t.Context(), list[0].Seq)
	if err != nil {
		t.Fatal(err)
	}
	if l, _, err := p.Check(); err != nil || l.Details == "" || strings.Contains(p.Leaf, "anna") {
		t.Errorf("proof without details: %+v, %v", l, err)
	}
}

// given are receipts that are to be compared.
func given(which ...string) (list []archive.GivenReceipt) {
	for _, w := range which {
		list = append(list, archive.GivenReceipt{Which: w})
	}
	return list
}
