package sealing_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/offline"
)

// export writes what h may export and returns its files.
func export(t *testing.T, h *archive.Handle, r archive.ExportRequest) (*offline.Complete, []entry, []byte) {
	t.Helper()
	e, err := h.Export(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	done, err := e.WriteZIP(t.Context(), &out)
	if err != nil {
		t.Fatal(err)
	}
	return done, unzip(t, out.Bytes()), out.Bytes()
}

// A bundle of many objects verifies as a whole, names what is missing, and shows every
// change: of an object, of their number, and of what stands beside them.
func TestExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, archivetest.Options{})
	tenant, source := w.Tenant(t, "a")
	anna := w.User(t, tenant, "anna", access.RoleUser, "anna@example.com")
	carla := w.User(t, tenant, "carla", access.RoleUser, "carla@example.com")
	ids := w.ingest(t, tenant, source, 0, 3)
	raw := []byte("From: anna@example.com\r\nTo: bernd@example.com\r\nSubject: =cmd|' /C calc'!A0\r\nMessage-ID: <f@example.com>\r\n\r\nHello.\r\n")
	formula, err := w.Ingest(t.Context(), archive.Submission{Tenant: tenant.ID, Source: source.ID, Raw: bytes.NewReader(raw), EnvelopeFrom: "anna@example.com", EnvelopeTo: []string{"bernd@example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	w.now(t)
	late := w.ingest(t, tenant, source, 4, 1)[0]
	ids = append(ids, formula.AOID, late)
	done, list, _ := export(t, w.As(anna), archive.ExportRequest{IDs: ids})
	if done.Objects != 4 || done.Valid != 4 || len(done.LeftOut) != 1 || done.LeftOut[0].AOID != late.String() || done.LeftOut[0].Code != offline.LeftUnsealed {
		t.Fatalf("%+v", done)
	}
	dir := put(t, t.TempDir(), list)
	x, err := w.verify(t, offline.Request{Files: []string{dir}})
	if err != nil || x.Verdict != evidence.Valid || x.Bundles[0].Many.Objects != 4 || len(x.Bundles[0].Many.LeftOut) != 1 {
		t.Fatalf("%+v, %v", x, err)
	}
	if contents := string(find(t, list, offline.ContentsFile)); !strings.Contains(contents, "'=cmd|' /C calc'!A0") || !strings.Contains(contents, late.String()) {
		t.Errorf("contents:\n%s", contents)
	}
	original, manifest := "", ""
	for _, f := range list {
		if strings.HasSuffix(f.name, "original.eml") {
			original, manifest = f.name, filepath.Join(filepath.Dir(f.name), offline.ManifestFile)
		}
	}
	for name, harm := range map[string]func(dir string) error{
		"changed original": func(dir string) error { return os.WriteFile(filepath.Join(dir, original), []byte("x"), 0o600) },
		"removed object":   func(dir string) error { return os.RemoveAll(filepath.Dir(filepath.Join(dir, original))) },
		"object hidden":    func(dir string) error { return os.Remove(filepath.Join(dir, manifest)) },
		"changed contents": func(dir string) error { return os.WriteFile(filepath.Join(dir, offline.ContentsFile), nil, 0o600) },
		"cut off":          func(dir string) error { return os.Remove(filepath.Join(dir, offline.CompleteFile)) },
	} {
		dir := put(t, t.TempDir(), list)
		if err := harm(dir); err != nil {
			t.Fatal(err)
		}
		if x, err := w.verify(t, offline.Request{Files: []string{dir}}); err == nil && x.Verdict == evidence.Valid {
			t.Errorf("%s: valid", name)
		}
	}
	if done, _, _ := export(t, w.As(carla), archive.ExportRequest{IDs: ids}); done.Objects != 0 || len(done.LeftOut) != len(ids) {
		t.Errorf("what is not carla's: %+v", done)
	}
}

// Other people's mail leaves in bulk only under an approved request of its own kind.
func TestMassExport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, archivetest.Options{})
	tenant, source := w.Tenant(t, "a")
	admin := w.User(t, tenant, "admin", access.RoleTenantAdmin)
	auditor := w.User(t, tenant, "auditor", access.RoleAuditor)
	dpo := w.User(t, tenant, "dpo", access.RoleDPO)
	w.ingest(t, tenant, source, 0, 3)
	w.now(t)
	ask := archive.NewAccess{Kind: access.Export, Reason: "the tax office asks for it", Until: time.Now().Add(time.Hour)}
	if _, err := w.As(admin).RequestAccess(t.Context(), ask); !errors.Is(err, access.ErrForbidden) {
		t.Fatalf("an administrator asks: %v", err)
	}
	r, err := w.As(auditor).RequestAccess(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.InGrant(t.Context(), auditor, r.ID); !errors.Is(err, archive.ErrAccessOver) {
		t.Fatalf("before somebody has approved: %v", err)
	}
	if _, err := w.As(admin).DecideAccess(t.Context(), r.ID, true, ""); err != nil {
		t.Fatal(err)
	}
	h, err := w.InGrant(t.Context(), auditor, r.ID)
	if err != nil {
		t.Fatal(err)
	}
	done, _, _ := export(t, h, archive.ExportRequest{})
	if done.Objects != 3 || len(done.LeftOut) != 0 || done.Next != "" {
		t.Fatalf("%+v", done)
	}
	records, err := w.As(dpo).AccessRecords(t.Context(), archive.RecordRequest{Request: r.ID})
	if err != nil || len(records.Records) != 4 {
		t.Fatalf("%d records, %v", len(records.Records), err)
	}
	events, err := w.As(dpo).Events(t.Context(), catalog.EventFilter{Group: "mail"}, 10)
	if err != nil || len(events) != 2 || events[0].Action != "mail.export-finished" || events[0].Details["objects"] != "3" {
		t.Errorf("events: %+v, %v", events, err)
	}
	ask.Kind, ask.Addresses = access.ReadSeveral, []string{"anna@example.com", "bernd@example.com"}
	if r, err = w.As(auditor).RequestAccess(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	if _, err := w.As(admin).DecideAccess(t.Context(), r.ID, true, ""); err != nil {
		t.Fatal(err)
	}
	if h, err = w.InGrant(t.Context(), auditor, r.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Export(t.Context(), archive.ExportRequest{}); !errors.Is(err, access.ErrForbidden) {
		t.Errorf("export while reading: %v", err)
	}
}
