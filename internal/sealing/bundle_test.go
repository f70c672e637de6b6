package sealing_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/inspect"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/uid"
)

// entry is a file of a bundle.
type entry struct {
	name string
	b    []byte
}

func unzip(t *testing.T, b []byte) (list []entry) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		x, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, entry{f.Name, x})
	}
	return list
}

func find(t *testing.T, list []entry, name string) []byte {
	t.Helper()
	for _, x := range list {
		if x.name == name {
			return x.b
		}
	}
	t.Fatalf("there is no %s", name)
	return nil
}

// put writes the files below dir.
func put(t *testing.T, dir string, list []entry) string {
	t.Helper()
	for _, x := range list {
		name := filepath.Join(dir, x.name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, x.b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// sealedMail is an archive with one sealed message among others, and its bundle.
func sealedMail(t *testing.T, raw []byte) (w *world, tenant *catalog.Tenant, aoid uid.ID, bundle []entry) {
	t.Helper()
	w = newWorld(t, archivetest.Options{})
	tenant, source := w.Tenant(t, "a")
	w.ingest(t, tenant, source, 0, 3)
	r, err := w.Ingest(t.Context(), archive.Submission{Tenant: tenant.ID, Source: source.ID, Raw: bytes.NewReader(raw), EnvelopeFrom: "anna@example.com", EnvelopeTo: []string{"bernd@example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	w.ingest(t, tenant, source, 3, 2)
	w.now(t)
	return w, tenant, r.AOID, w.bundle(t, tenant, r.AOID)
}

// bundle is that of a message.
func (w *world) bundle(t *testing.T, tenant *catalog.Tenant, aoid uid.ID) []entry {
	t.Helper()
	b, err := w.Bundle(t.Context(), tenant.ID, aoid)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := b.WriteZIP(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return unzip(t, out.Bytes())
}

// told is what the verifier says of one bundle.
type told struct {
	Verdict evidence.Verdict
	Bundles []struct {
		AOID   string
		Report *ers.Report
		Log    *inspect.Log
		Many   *offline.ManyReport
	}
}

func (w *world) verify(t *testing.T, r offline.Request) (*told, error) {
	t.Helper()
	root := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(root, []byte(rootPEM(w.tsa)), 0o600); err != nil {
		t.Fatal(err)
	}
	r.Anchors, r.JSON = []string{root}, true
	if r.At.IsZero() {
		r.At = time.Now().Add(time.Minute)
	}
	var out bytes.Buffer
	if _, err := offline.Verify(t.Context(), r, &out); err != nil {
		return nil, err
	}
	x := &told{}
	if err := json.Unmarshal(out.Bytes(), x); err != nil {
		t.Fatal(err)
	}
	return x, nil
}

const oddMail = "From: =?UTF-8?B?8J+YgCDnjovlsI/mmI4=?= <wang@example.com>\r\nTo: Bernd <bernd@example.com>\r\nSubject: <script>alert(1)</script> {nb} \u202etxt.exe \u05e9\u05dc\u05d5\u05dd Łódź\r\n" +
	"Date: Tue, 3 Mar 2026 10:00:00 +0100\r\nMessage-ID: <odd@example.com>\r\n\r\nHello.\r\n"

// A stranger verifies a bundle, and the report in it tells what the verifier tells.
func TestBundle(t *testing.T) {
	t.Parallel()
	w, tenant, aoid, list := sealedMail(t, []byte(oddMail))
	dir := put(t, t.TempDir(), list)
	html, pdf := filepath.Join(t.TempDir(), "r.html"), filepath.Join(t.TempDir(), "r.pdf")
	key, err := w.LogKey(t.Context(), tenant.ID)
	if err != nil {
		t.Fatal(err)
	}
	x, err := w.verify(t, offline.Request{Files: []string{dir}, LogKey: key, Reports: []string{html, pdf}, Language: "de"})
	if err != nil {
		t.Fatal(err)
	}
	if b := x.Bundles[0]; x.Verdict != evidence.Valid || b.AOID != aoid.String() || b.Log == nil || !b.Log.Binds || !b.Log.KeyKnown || b.Log.Event != "message.stored" {
		t.Fatalf("%v: %+v %+v", x.Verdict, b.Log, b.Report.Findings)
	}
	for name, want := range map[string][]string{
		"inspection-report.html": {"Valid", "Unchanged since", "&lt;script&gt;", "TEST AUTHORITY", "What is not proven", aoid.String(), "王小明", "[U&#43;202E]", "not qualified"},
		"Pruefbericht.html":      {"Gültig", "Unverändert seit", "TESTSTELLE", "Was nicht bewiesen ist", "nicht qualifiziert (von einer Teststelle)"},
	} {
		b := find(t, list, name)
		for _, s := range want {
			if !bytes.Contains(b, []byte(s)) {
				t.Errorf("%s lacks %q", name, s)
			}
		}
		if bytes.Contains(b, []byte("<script")) {
			t.Errorf("%s has a script", name)
		}
	}
	own, err := os.ReadFile(html)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"Gültig", "Der Beweis hält bis", "ist der, der zum Vergleich angegeben wurde"} {
		if !bytes.Contains(own, []byte(s)) {
			t.Errorf("the report of the verifier lacks %q", s)
		}
	}
	if b, err := os.ReadFile(pdf); err != nil || !bytes.HasPrefix(b, []byte("%PDF-")) || !bytes.HasPrefix(find(t, list, "Pruefbericht.pdf"), []byte("%PDF-")) {
		t.Errorf("no PDF: %v", err)
	}
	if x, err := w.verify(t, offline.Request{Files: []string{dir}, LogKey: strings.Replace(otherKey, "T", "U", 1)}); err != nil || x.Verdict != evidence.Invalid {
		t.Errorf("another key of the log: %+v, %v", x, err)
	}
}

// otherKey is some Ed25519 key.
const otherKey = "AQTfh0OTlNpwtq5jSzWbMbC9B0D1C2E3F4G5H6I7J8K9"
