package httpd_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/httpd"
	"github.com/muniment/muniment/internal/ingest/uploaded"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/upload"
)

// withUploads is a server that takes uploads and archives them.
func withUploads(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	store, err := upload.NewStore(upload.Config{Dir: filepath.Join(dir, "uploads"), MaxSize: 20 << 20, PerTenant: 30 << 20})
	if err != nil {
		t.Fatal(err)
	}
	files, err := spool.Open(filepath.Join(dir, "files"))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, func(c *httpd.Config) { c.Uploads = store })
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- (&uploaded.Runner{Archive: s.Env, Store: store, Spool: files}).Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// piece sends a piece of an upload.
func (b *browser) piece(t *testing.T, id string, offset int, text string) *answer {
	t.Helper()
	b.header = http.Header{"Content-Type": {"application/octet-stream"}}
	defer func() { b.header = http.Header{} }()
	return b.do(t, "PUT", fmt.Sprintf("/api/v1/uploads/%s/data?offset=%d", id, offset), text)
}

// give uploads a file and waits until it is archived.
func (b *browser) give(t *testing.T, n api.NewUpload, content string) *api.Upload {
	t.Helper()
	var u api.Upload
	n.Size = int64(len(content))
	b.do(t, "POST", "/api/v1/uploads", n).into(t, &u)
	const step = 3 << 20
	for at := 0; at < len(content); at += step {
		b.piece(t, u.ID, at, content[at:min(at+step, len(content))]).into(t, &u)
	}
	sum := sha256.Sum256([]byte(content))
	b.do(t, "POST", "/api/v1/uploads/"+u.ID+"/finish", api.UploadEnd{SHA256: hex.EncodeToString(sum[:])}).into(t, &u)
	for end := time.Now().Add(time.Minute); u.State != upload.Done && u.State != upload.Failed; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not archived: %+v", u)
		}
		b.get(t, "/api/v1/uploads/"+u.ID).into(t, &u)
	}
	if err := b.site.AwaitIndex(t.Context(), b.site.tenant.ID); err != nil {
		t.Fatal(err)
	}
	return &u
}

func TestUploadedDocument(t *testing.T) {
	t.Parallel()
	s := withUploads(t)
	anna, bernd := s.as(t, "anna"), s.as(t, "bernd")
	pdf := "%PDF-1.7\r\n" + strings.Repeat("Bcc: nobody@example.com\r\n", 200_000)
	u := anna.give(t, api.NewUpload{Kind: "document", Name: `..\"Rechnung" 4711.pdf`, Title: "Rechnung Mai", Date: "2024-05-17", Category: "Einkauf"}, pdf)
	if u.State != "done" || u.Result.Stored != 1 || len(u.Result.Items) != 1 || u.Result.Items[0].Message == "" {
		t.Fatalf("%+v %+v", u, u.Result)
	}
	id := u.Result.Items[0].Message
	var page api.SearchPage
	for _, q := range []string{"rechnung is:document", "filename:4711", "type:pdf category:einkauf date:2024-05"} {
		anna.get(t, "/api/v1/search?q="+url.QueryEscape(q)).into(t, &page)
		if len(page.Hits) != 1 || page.Hits[0].ID != id || page.Hits[0].File == nil || page.Hits[0].Attachments != 0 {
			t.Errorf("%s: %+v", q, page.Hits)
		}
	}
	var m api.Message
	anna.get(t, "/api/v1/messages/"+id).into(t, &m)
	if m.Subject != "Rechnung Mai" || m.File == nil || m.File.Type != "application/pdf" || m.HasHTML || !m.Integrity.Intact || m.Size != int64(len(pdf)) || m.Captures[0].Kind != "upload" {
		t.Errorf("%+v", m)
	}
	a := anna.get(t, "/api/v1/messages/"+id+"/raw")
	if string(a.body) != pdf || a.Header.Get("Content-Type") != "application/pdf" || a.Header.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.HasPrefix(a.Header.Get("Content-Disposition"), `attachment; filename="_Rechnung_ 4711.pdf"`) || !strings.Contains(a.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%d bytes, %v", len(a.body), a.Header)
	}
	if a := anna.get(t, "/api/v1/messages/"+id+"/html"); a.code() != "no-html" {
		t.Errorf("%s", a.body)
	}
	if a := bernd.get(t, "/api/v1/messages/"+id); a.code() != "not-found" {
		t.Errorf("the administrator reads it: %s", a.body)
	}
	if a := bernd.get(t, "/api/v1/uploads/"+u.ID); a.code() != "not-found" {
		t.Errorf("the administrator sees the upload: %s", a.body)
	}
	note := anna.give(t, api.NewUpload{Kind: "document", Name: "notiz.txt"}, "Hallo <b>Welt</b>")
	if a := anna.get(t, "/api/v1/messages/"+note.Result.Items[0].Message+"/html"); !strings.Contains(string(a.body), "&lt;b&gt;") || !strings.Contains(a.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%s %v", a.body, a.Header)
	}
}

func TestUploadedMail(t *testing.T) {
	t.Parallel()
	s := withUploads(t)
	anna, bernd := s.as(t, "anna"), s.as(t, "bernd")
	mail := "From: carla@example.com\r\nTo: bernd@example.com\r\nSubject: Hochgeladen\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\n\r\nText\r\n"
	u := bernd.give(t, api.NewUpload{Kind: "mail", Name: "=brief.eml"}, mail)
	if u.Result.Stored != 1 || u.Result.Items[0].Message == "" {
		t.Fatalf("%+v", u.Result)
	}
	if a := bernd.get(t, "/api/v1/messages/"+u.Result.Items[0].Message+"/raw"); string(a.body) != mail {
		t.Errorf("%q", a.body)
	}
	u = bernd.give(t, api.NewUpload{Kind: "mail", Name: "bild.png"}, "\x89PNG")
	if u.Result.Skipped != 1 || u.Result.Items[0].Reason != "not-a-message" {
		t.Errorf("%+v", u.Result)
	}
	a := bernd.get(t, "/api/v1/uploads/"+u.ID+"/report.csv")
	if !strings.Contains(string(a.body), "bild.png;bild.png;skipped;not-a-message;") {
		t.Errorf("%s", a.body)
	}
	if a := anna.do(t, "POST", "/api/v1/uploads", api.NewUpload{Kind: "mail", Name: "a.eml", Size: 3}); a.code() != "role" {
		t.Errorf("a user imports mail: %s", a.body)
	}
	var list api.Uploads
	anna.get(t, "/api/v1/uploads").into(t, &list)
	if list.MayImport || len(list.Uploads) != 0 {
		t.Errorf("%+v", list)
	}
	bernd.get(t, "/api/v1/uploads").into(t, &list)
	if !list.MayImport || len(list.Uploads) != 2 {
		t.Errorf("%+v", list)
	}
}

func TestUploadProtocol(t *testing.T) {
	t.Parallel()
	s := withUploads(t)
	anna := s.as(t, "anna")
	for name, c := range map[string]struct {
		n    api.NewUpload
		code string
	}{
		"too large": {api.NewUpload{Kind: "document", Name: "a", Size: 21 << 20}, "upload-limit"},
		"no date":   {api.NewUpload{Kind: "document", Name: "a", Size: 1, Date: "gestern"}, "invalid"},
		"no kind":   {api.NewUpload{Kind: "x", Name: "a", Size: 1}, "invalid"},
		"category":  {api.NewUpload{Kind: "document", Name: "a", Size: 1, Category: "a\nb"}, "invalid"},
		"empty":     {api.NewUpload{Kind: "document", Name: "a"}, "invalid"},
	} {
		if a := anna.do(t, "POST", "/api/v1/uploads", c.n); a.code() != c.code {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	var u api.Upload
	anna.do(t, "POST", "/api/v1/uploads", api.NewUpload{Kind: "document", Name: "a.txt", Size: 6, Identity: "a.txt/6/1"}).into(t, &u)
	path := "/api/v1/uploads/" + u.ID
	anna.piece(t, u.ID, 0, "abc").into(t, &u)
	for _, at := range []int{0, 2, 4} {
		if a := anna.piece(t, u.ID, at, "x"); a.code() != "upload-offset" || !strings.Contains(string(a.body), "byte 3") {
			t.Errorf("at %d: %s", at, a.body)
		}
	}
	if a := anna.piece(t, u.ID, 3, "defg"); a.code() != "upload-limit" {
		t.Errorf("%s", a.body)
	}
	var large api.Upload
	anna.do(t, "POST", "/api/v1/uploads", api.NewUpload{Kind: "document", Name: "b.txt", Size: api.ChunkSize}).into(t, &large)
	if a := anna.piece(t, large.ID, 0, strings.Repeat("x", api.ChunkSize)); a.StatusCode != 200 {
		t.Errorf("the largest piece: %d %s", a.StatusCode, a.body)
	}
	if a := anna.do(t, "DELETE", "/api/v1/uploads/"+large.ID, nil); a.StatusCode >= 300 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := anna.piece(t, u.ID, 3, strings.Repeat("x", api.ChunkSize+1)); a.code() != "too-large" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := anna.do(t, "POST", path+"/finish", api.UploadEnd{}); a.code() != "upload-offset" {
		t.Errorf("%s", a.body)
	}
	anna.get(t, path).into(t, &u)
	if u.Received != 3 || u.Identity != "a.txt/6/1" || u.State != "open" {
		t.Errorf("%+v", u)
	}
	if a := anna.do(t, "DELETE", path, nil); a.StatusCode != http.StatusNoContent {
		t.Errorf("%s", a.body)
	}
	if a := anna.get(t, path); a.code() != "not-found" {
		t.Errorf("%s", a.body)
	}
	if a := start(t).as(t, "anna").get(t, "/api/v1/uploads"); a.code() != "not-running" {
		t.Errorf("%s", a.body)
	}
}

func TestWatchedFolderSource(t *testing.T) {
	t.Parallel()
	s := start(t)
	bernd := s.as(t, "bernd")
	n := api.NewSource{Kind: "folder", Name: "Scanner", Category: "Post", Folder: &api.Folder{Directory: "/scans/", Owners: []string{" Anna@Example.com"}}}
	var made api.Source
	bernd.do(t, "POST", "/api/v1/sources", n).into(t, &made)
	if made.Folder == nil || made.Folder.Directory != "scans" || made.Folder.Owners[0] != "anna@example.com" || made.FolderState != nil {
		t.Fatalf("%+v", made.Folder)
	}
	id, err := uid.Parse(made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetSourceState(t.Context(), s.tenant.ID, id, []byte(`{"stored":3,"waiting":1,"problem":{"code":"root","text":"x","detail":"y"}}`)); err != nil {
		t.Fatal(err)
	}
	bernd.do(t, "PATCH", "/api/v1/sources/"+made.ID, api.SourceChange{Folder: &api.Folder{Owners: []string{"b@example.com"}, DocumentsOnly: true, Settle: 30}}).into(t, &made)
	if made.Folder.Directory != "" || !made.Folder.DocumentsOnly || made.FolderState.Stored != 3 || made.FolderState.Problem.Code != "root" {
		t.Errorf("%+v %+v", made.Folder, made.FolderState)
	}
	// Below it, or above it, is no room for another one, unless it is disabled.
	other := api.NewSource{Kind: "folder", Name: "Second", Folder: &api.Folder{Directory: "invoices", Owners: []string{"a@example.com"}}}
	if a := bernd.do(t, "POST", "/api/v1/sources", other); a.code() != "invalid" || !strings.Contains(string(a.body), "body.folder.directory") {
		t.Errorf("%s", a.body)
	}
	other.Disabled = true
	if a := bernd.do(t, "POST", "/api/v1/sources", other); a.StatusCode != http.StatusCreated {
		t.Errorf("%s", a.body)
	}
	for name, f := range map[string]*api.Folder{
		"body.folder":                nil,
		"body.folder.directory":      {Directory: "../beta", Owners: []string{"a@example.com"}},
		"body.folder.owners":         {Directory: "x", Owners: []string{"anna"}},
		"body.folder.settle_seconds": {Owners: []string{"a@example.com"}, Settle: 99999},
	} {
		n.Name, n.Folder = name, f
		if a := bernd.do(t, "POST", "/api/v1/sources", n); a.code() != "invalid" || !strings.Contains(string(a.body), name) {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	if a := s.as(t, "anna").do(t, "POST", "/api/v1/sources", n); a.code() != "role" {
		t.Errorf("%s", a.body)
	}
}
