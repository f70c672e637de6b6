package archive_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
)

// asFile offers a file as a document.
func asFile(d archive.Document) func(*archive.Submission) {
	return func(s *archive.Submission) { s.Document, s.Category, s.Origin = &d, "Rechnungen", d.Name }
}

func TestDocumentComesInIsFoundAndRead(t *testing.T) {
	onBoth(t, func(t *testing.T, e *archivetest.Env) {
		tenant, source := e.Tenant(t, "acme")
		anna := e.As(e.User(t, tenant, "anna", access.RoleUser, "anna@example.com"))
		bernd := e.As(e.User(t, tenant, "bernd", access.RoleTenantAdmin, "bernd@example.com"))
		// It looks like mail of bernd's, and is none.
		raw := []byte("From: bernd@example.com\r\nBcc: carla@example.com\r\nSubject: Falle\r\n\r\nText\r\n")
		r := ingest(t, e, source, raw, asFile(archive.Document{Name: `C:\Scans\Rechnung 4711.txt`, Title: "Rechnung Mai", Date: "1998-05-17", Owners: []string{"ANNA@example.com"}}))
		if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{"rechnung", "is:document", "filename:4711", "type:text", "category:rechnungen", "date:1998-05-17", `subject:"Rechnung Mai"`, "-has:attachment"} {
			if got := find(t, anna, q); len(got) != 1 || got[0] != r.AOID {
				t.Errorf("%s finds %v", q, got)
			}
			if got := find(t, bernd, q); len(got) != 0 {
				t.Errorf("%s finds the document of another: %v", q, got)
			}
		}
		for _, q := range []string{"is:mail", "falle", "from:bernd", "has:attachment", "carla"} {
			if got := find(t, anna, q); len(got) != 0 {
				t.Errorf("%s finds %v", q, got)
			}
		}
		if got, d := download(t, anna, r.AOID); !bytes.Equal(got, raw) || d.Redacted || d.Name != "Rechnung 4711.txt" || d.Type != "text/plain" || d.Size != int64(len(raw)) {
			t.Errorf("download differs: %q, %+v", got, d)
		}
		if _, _, err := bernd.Raw(t.Context(), r.AOID); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("bernd gets it: %v", err)
		}
		v, err := anna.Message(t.Context(), r.AOID)
		if err != nil {
			t.Fatal(err)
		}
		want := &catalog.File{Name: "Rechnung 4711.txt", Type: "text/plain", Date: "1998-05-17"}
		if d := cmp.Diff(want, v.Row.Facts.File); d != "" || !v.Integrity.Intact || v.BccHidden || !v.Facts.HTML || len(v.Why) != 1 || v.Row.SHA256 == [32]byte{} {
			t.Errorf("view = %+v %s", v, d)
		}
		page, err := anna.HTML(t.Context(), r.AOID, false)
		if err != nil || !strings.Contains(page.HTML, "Subject: Falle") {
			t.Errorf("%s, %v", page.HTML, err)
		}
		findings(t, e, nil)
	})
}

// The same bytes are another document for somebody else, and none of the mail.
func TestSameFileOfSeveral(t *testing.T) {
	onBoth(t, func(t *testing.T, e *archivetest.Env) {
		tenant, source := e.Tenant(t, "acme")
		anna := e.As(e.User(t, tenant, "anna", access.RoleUser, "anna@example.com"))
		bernd := e.As(e.User(t, tenant, "bernd", access.RoleUser, "bernd@example.com"))
		raw := mail("bernd@example.com", "carla@example.com", "Formular", "leer")
		asMail := ingest(t, e, source, raw)
		one := archive.Document{Name: "form.eml", Title: "Kündigung Bernd", Owners: []string{"anna@example.com"}}
		first := ingest(t, e, source, raw, asFile(one))
		one.Title = "anders"
		again := ingest(t, e, source, raw, asFile(one))
		other := ingest(t, e, source, raw, asFile(archive.Document{Name: "form.eml", Owners: []string{"bernd@example.com"}}))
		if asMail.Duplicate || first.Duplicate || !again.Duplicate || again.AOID != first.AOID || other.Duplicate || other.AOID == first.AOID {
			t.Fatalf("%+v %+v %+v %+v", asMail, first, again, other)
		}
		if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
			t.Fatal(err)
		}
		if got := find(t, anna, ""); len(got) != 1 || got[0] != first.AOID {
			t.Errorf("anna finds %v", got)
		}
		if got := find(t, bernd, "kündigung"); len(got) != 0 {
			t.Errorf("bernd learns what another calls his file: %v", got)
		}
		if got := find(t, bernd, ""); len(got) != 2 {
			t.Errorf("bernd finds %v", got)
		}
		findings(t, e, nil)
		before := e.As(access.Actor{Tenant: tenant.ID, Role: access.RoleUser, Addresses: []string{"anna@example.com"}})
		want, err := before.Message(t.Context(), first.AOID)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := e.Rebuild(t.Context(), nil); err != nil || len(res.Damaged) > 0 || res.Messages != 3 {
			t.Fatalf("rebuild: %+v %v", res, err)
		}
		got, err := before.Message(t.Context(), first.AOID)
		if err != nil {
			t.Fatal(err)
		}
		want.Row.Seq, want.Integrity, got.Row.Seq, got.Integrity = 0, archive.Integrity{}, 0, archive.Integrity{}
		if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(message.Facts{})); d != "" {
			t.Errorf("rebuilt: %s", d)
		}
		findings(t, e, nil)
	})
}

// Compaction keeps documents of equal bytes apart.
func TestCompactDocuments(t *testing.T) {
	t.Parallel()
	e := archivetest.New(t, archivetest.Options{})
	tenant, source := e.Tenant(t, "acme")
	raw := bytes.Repeat([]byte("Mietvertrag Seite 1. "), 2000)
	owners := []string{"anna@example.com", "bernd@example.com", "carla@example.com", "dora@example.com"}
	for _, o := range owners {
		ingest(t, e, source, raw, asFile(archive.Document{Name: "a.txt", Owners: []string{o}}))
	}
	if err := e.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, o := range owners {
		h := e.As(access.Actor{Tenant: tenant.ID, Role: access.RoleUser, Addresses: []string{o}})
		if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
			t.Fatal(err)
		}
		list := find(t, h, "is:document")
		if len(list) != 1 {
			t.Fatalf("%s has %v", o, list)
		}
		if got, _ := download(t, h, list[0]); !bytes.Equal(got, raw) {
			t.Errorf("%s gets something else", o)
		}
	}
	findings(t, e, nil)
}

func TestDocumentIsRefused(t *testing.T) {
	t.Parallel()
	e := archivetest.New(t, archivetest.Options{})
	_, source := e.Tenant(t, "acme")
	for name, d := range map[string]archive.Document{
		"nobody may see it": {Name: "a.pdf"},
		"no address":        {Name: "a.pdf", Owners: []string{"anna"}},
		"no date":           {Name: "a.pdf", Owners: []string{"anna@example.com"}, Date: "31.12.2020"},
		"too old":           {Name: "a.pdf", Owners: []string{"anna@example.com"}, Date: "0020-12-31"},
		"long title":        {Name: "a.pdf", Owners: []string{"anna@example.com"}, Title: strings.Repeat("x", 501)},
		"title of lines":    {Name: "a.pdf", Owners: []string{"anna@example.com"}, Title: "a\nb"},
	} {
		_, err := e.Ingest(t.Context(), archive.Submission{Tenant: source.Tenant, Source: source.ID, Raw: bytes.NewReader([]byte("x")), Document: &d})
		if !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFileName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a.pdf": "a.pdf", "../../etc/passwd": "passwd", `..\..\boot.ini`: "boot.ini", "": "document", ".": "document", "..": "document", "a/": "document",
		"Rech\x00nung\r\n.pdf": "Rech_nung__.pdf", "gpj.\u202Eexe": "gpj._exe", "\xff.txt": "\uFFFD.txt",
		strings.Repeat("ä", 200) + ".pdf": strings.Repeat("ä", 125) + ".pdf",
	} {
		if got := archive.FileName(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func FuzzFileName(f *testing.F) {
	f.Add("../a\x00b.pdf")
	f.Fuzz(func(t *testing.T, name string) {
		got := archive.FileName(name)
		if got == "" || len(got) > 255+3 || strings.ContainsAny(got, "/\\\x00\r\n") || got == "." || got == ".." {
			t.Errorf("%q becomes %q", name, got)
		}
	})
}

// Only what cannot act is shown without a download, whatever it is called.
func TestPreview(t *testing.T) {
	t.Parallel()
	e := archivetest.New(t, archivetest.Options{})
	tenant, source := e.Tenant(t, "acme")
	anna := e.As(e.User(t, tenant, "anna", access.RoleUser, "anna@example.com"))
	png := "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 100)
	for name, c := range map[string]struct{ body, kind, shows string }{
		"picture.png": {png, "image/png", "data:image/png;base64,"},
		"picture.txt": {png, "image/png", "data:image/png;base64,"},
		"page.png":    {"<html><script>alert(1)</script>", "text/html", ""},
		"page.txt":    {"Text <script>alert(1)</script>", "text/plain", "&lt;script&gt;"},
		"a.svg":       {`<?xml version="1.0"?><svg xmlns="x"><script/></svg>`, "text/xml", ""},
		"b.pdf":       {"%PDF-1.7\n", "application/pdf", ""},
		"c.docx":      {"PK\x03\x04rest", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", ""},
		"d.csv":       {"a;b\xe4\n1;2", "text/csv", "a;bä"},
		"e.txt":       {"\xff\xfea\x00\xe4\x00", "text/plain", "aä"},
		"empty.txt":   {"", "text/plain", ""},
		"f.png":       {"\x00\x01\x02", "application/octet-stream", ""},
		"large.txt":   {strings.Repeat("a", 1<<20+1), "text/plain", ""},
	} {
		r := ingest(t, e, source, []byte(c.body), asFile(archive.Document{Name: name, Owners: []string{"anna@example.com"}}))
		v, err := anna.Message(t.Context(), r.AOID)
		if err != nil {
			t.Fatal(err)
		}
		if v.Row.Facts.File.Type != c.kind || v.Facts.HTML != (c.shows != "") {
			t.Errorf("%s is %s, shown %t", name, v.Row.Facts.File.Type, v.Facts.HTML)
		}
		page, err := anna.HTML(t.Context(), r.AOID, false)
		if c.shows == "" != errors.Is(err, message.ErrNoHTML) || !strings.Contains(page.HTML, c.shows) || strings.Contains(page.HTML, "<script") {
			t.Errorf("%s: %q, %v", name, page.HTML, err)
		}
	}
	if _, err := e.Ingest(t.Context(), archive.Submission{Tenant: tenant.ID, Source: source.ID, Raw: bytes.NewReader(nil), ReceivedAt: time.Time{},
		Document: &archive.Document{Name: "x", Owners: []string{"anna@example.com"}}}); err != nil {
		t.Error(err)
	}
}
