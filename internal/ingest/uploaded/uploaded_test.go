package uploaded

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/ingest/importer"
	"github.com/muniment/muniment/internal/pgtest"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/upload"
)

func letter(n int) string {
	return fmt.Sprintf("From: bernd@example.com\r\nTo: anna@example.com\r\nSubject: Brief %d\r\nMessage-ID: <%d@example.com>\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\n\r\nText\r\n", n, n)
}

type rig struct {
	t      *testing.T
	env    *archivetest.Env
	tenant *catalog.Tenant
	anna   access.Actor
	owner  upload.Owner
	runner *Runner
	// offered, if set, is called after each message.
	offered func()
}

// Ingest, Refused and UploadSource implement Archive.
func (r *rig) Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error) {
	x, err := r.env.Ingest(ctx, sub)
	if r.offered != nil {
		r.offered()
	}
	return x, err
}

func (r *rig) Refused(ctx context.Context, tenant, source uid.ID, n int64) {
	r.env.Refused(ctx, tenant, source, n)
}

func (r *rig) UploadSource(ctx context.Context, tenant uid.ID, name string) (*catalog.Source, error) {
	return r.env.UploadSource(ctx, tenant, name)
}

func newRig(t *testing.T, dsn string) *rig {
	t.Helper()
	r := &rig{t: t, env: archivetest.New(t, archivetest.Options{DSN: dsn})}
	r.tenant, _ = r.env.Tenant(t, "acme")
	r.anna = r.env.User(t, r.tenant, "anna", access.RoleTenantAdmin, "anna@example.com")
	r.owner = upload.Owner{Tenant: r.tenant.ID, User: r.anna.User}
	r.start()
	return r
}

// start opens the uploads anew, as after a crash.
func (r *rig) start() {
	r.t.Helper()
	store, err := upload.NewStore(upload.Config{Dir: filepath.Join(r.env.Dir, "uploads"), MaxSize: 64 << 20, PerTenant: 1 << 30})
	r.must(err)
	dir, err := spool.Open(filepath.Join(r.env.Dir, "spool", "files"))
	r.must(err)
	r.runner = &Runner{Archive: r, Store: store, Spool: dir}
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// give uploads a file as a whole.
func (r *rig) give(u upload.Upload, content string, sum string) uid.ID {
	r.t.Helper()
	u.Owner, u.Size, u.Owners = r.owner, int64(len(content)), r.anna.Addresses
	x, err := r.runner.Store.Create(u)
	r.must(err)
	for at := 0; at < len(content); at += upload.MaxChunk {
		_, err := r.runner.Store.Write(r.owner, x.ID, int64(at), []byte(content[at:min(at+upload.MaxChunk, len(content))]))
		r.must(err)
	}
	_, err = r.runner.Store.Finish(r.owner, x.ID, sum)
	r.must(err)
	return x.ID
}

// run archives until an upload is finished.
func (r *rig) run(id uid.ID) *upload.Upload {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.runner.Run(ctx) }()
	defer func() { cancel(); r.must(<-ended) }()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		u, err := r.runner.Store.Get(r.owner, id)
		r.must(err)
		if u.State == upload.Done || u.State == upload.Failed {
			return u
		}
		if time.Now().After(end) {
			r.t.Fatalf("not finished: %+v", u)
		}
	}
}

func (r *rig) find(q string) int {
	r.t.Helper()
	r.must(r.env.AwaitIndex(r.t.Context(), r.tenant.ID))
	p, err := r.env.As(r.anna).Search(r.t.Context(), archive.SearchRequest{Query: q, Limit: 200})
	r.must(err)
	return p.Total
}

func zipped(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range files {
		out, err := w.Create(name)
		if err == nil {
			_, err = out.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestUploadsAreArchived(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func(*testing.T) string{"sqlite": func(*testing.T) string { return "" }, "postgres": func(t *testing.T) string { return pgtest.DSN(t) }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, dsn(t))
			pdf := "%PDF-1.7 " + strings.Repeat("x", 5<<20)
			sum := sha256.Sum256([]byte(pdf))
			doc := upload.Upload{Kind: upload.Document, Name: "a.pdf", Title: "Mietvertrag", Date: "2001-02-03", Category: "Verträge"}
			u := r.run(r.give(doc, pdf, hex.EncodeToString(sum[:])))
			if u.State != upload.Done || u.Result.Stored != 1 || u.Result.Items[0].AOID.IsZero() {
				t.Fatalf("%+v %+v", u, u.Result)
			}
			if n := r.find(`is:document mietvertrag date:2001 category:verträge source:upload filename:a`); n != 1 {
				t.Errorf("%d found", n)
			}
			if u = r.run(r.give(doc, pdf, "")); u.Result.Duplicate != 1 || u.Result.Stored != 0 {
				t.Errorf("again: %+v", u.Result)
			}
			box := zipped(t, map[string]string{"../../etc/1.eml": letter(1), "C:\\2.eml": letter(2), "bild.png": "\x89PNG", "box": "From x\r\n" + letter(3) + "\r\nFrom x\r\n" + letter(4)})
			u = r.run(r.give(upload.Upload{Kind: upload.Mail, Name: "alles.zip", Category: "Alt"}, box, ""))
			if res := u.Result; res.Stored != 4 || res.Skipped != 1 || res.Failed != 0 || len(res.Items) != 5 || r.find("is:mail brief category:alt") != 4 {
				t.Errorf("%+v", res)
			}
			if u = r.run(r.give(upload.Upload{Kind: upload.Mail, Name: "1.eml"}, letter(1), "")); u.Result.Duplicate != 1 {
				t.Errorf("again: %+v", u.Result)
			}
		})
	}
}

// What is archived and not whole is told, and what a file was that is not kept itself.
func TestDamageIsTold(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	u := r.run(r.give(upload.Upload{Kind: upload.Mail, Name: "1.emlx"}, "9999\n"+letter(1), ""))
	if i := u.Result.Items; u.Result.Stored != 1 || len(i) != 1 || i[0].Outcome != "stored" || i[0].Reason != "in-part" || !strings.Contains(i[0].Detail, "cut short") {
		t.Errorf("%+v", u.Result)
	}
	res := &upload.Result{Stored: 1, Items: []upload.Item{{Origin: "a.pst#1", Outcome: "stored"}, {Origin: "a.pst#2", Outcome: "failed", Reason: "damaged"}}}
	annotate(res, []importer.Notice{{Origin: "a.pst", Text: "not kept"}, {Origin: "a.pst#1", Text: "no body"}, {Origin: "a.pst#1", Text: "no date"}})
	want := []upload.Item{
		{Origin: "a.pst#1", Outcome: "stored", Reason: "in-part", Detail: "no body; no date"}, {Origin: "a.pst#2", Outcome: "failed", Reason: "damaged"},
		{Origin: "a.pst", Outcome: "skipped", Reason: "note", Detail: "not kept"},
	}
	if d := cmp.Diff(want, res.Items); d != "" {
		t.Error(d)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	wrong := strings.Repeat("0", 64)
	if u := r.run(r.give(upload.Upload{Kind: upload.Document, Name: "a.pdf"}, "x", wrong)); u.State != upload.Failed || !strings.Contains(u.Reason, "SHA-256") {
		t.Errorf("%+v", u)
	}
	// More than a thousand million bytes in a few kilobytes is beyond what is allowed.
	var bomb bytes.Buffer
	w := zip.NewWriter(&bomb)
	out, err := w.Create("0.mbox")
	r.must(err)
	chunk := make([]byte, 1<<20)
	copy(chunk, "From x\r\n"+letter(9))
	for range 1100 {
		_, err := out.Write(chunk)
		r.must(err)
	}
	r.must(w.Close())
	u := r.run(r.give(upload.Upload{Kind: upload.Mail, Name: "bombe.zip"}, bomb.String(), ""))
	if u.State != upload.Done || u.Result.Failed == 0 {
		t.Errorf("%+v %+v", u, u.Result)
	}
	if u := r.run(r.give(upload.Upload{Kind: upload.Mail, Name: "kaputt.msg"}, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "")); u.Result.Failed != 1 || u.Result.Items[len(u.Result.Items)-1].Detail == "" {
		t.Errorf("%+v", u.Result)
	}
	if r.find("is:document") != 0 {
		t.Error("something was archived that had not arrived")
	}
}

// The server is stopped in the middle of an import and goes on.
func TestRestartInTheMiddle(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	const n = 300
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("%03d.eml", i)] = letter(i)
	}
	id := r.give(upload.Upload{Kind: upload.Mail, Name: "alles.zip"}, zipped(t, files), "")
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		offered := make(chan struct{}, n)
		r.offered = func() { offered <- struct{}{} }
		ended := make(chan error, 1)
		go func() { ended <- r.runner.Run(ctx) }()
		for range 40 {
			select {
			case <-offered:
			case <-time.After(30 * time.Second):
				t.Fatal("nothing is offered")
			}
		}
		cancel()
		r.must(<-ended)
		r.start()
	}
	r.offered = nil
	u := r.run(id)
	if sum := u.Result.Stored + u.Result.Duplicate + u.Result.Before; sum != n || u.Result.Failed != 0 || r.find("brief") != n {
		t.Errorf("%+v, %d found", u.Result, r.find("brief"))
	}
	captures := 0
	r.must(r.env.Catalog.WalkCaptures(t.Context(), r.tenant.ID, func(_ *catalog.Capture, err error) error { captures++; return err }))
	if captures != n {
		t.Errorf("%d arrivals are recorded, want %d", captures, n)
	}
}

// Mail goes where the rules of the tenant say, and the report says so; documents
// belong to whoever gives them.
func TestRoutedMail(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	boss := r.env.As(r.anna)
	_, err := boss.AddDomain(t.Context(), "example.com", "")
	r.must(err)
	r.must(boss.SetSelection(t.Context(), true, []string{"anna@example.com"}, true))
	box := zipped(t, map[string]string{"1.eml": letter(1), "2.eml": strings.ReplaceAll(letter(2), "example.com", "far.example"), "3.eml": strings.ReplaceAll(letter(3), "anna", "carla")})
	u := r.run(r.give(upload.Upload{Kind: upload.Mail, Name: "alles.zip"}, box, ""))
	if res := u.Result; res.Stored != 1 || res.Quarantined != 1 || res.Excluded != 1 || len(res.Items) != 3 {
		t.Errorf("%+v", res)
	}
	for _, i := range u.Result.Items {
		if want := map[string]string{"1.eml": "stored", "2.eml": "quarantined", "3.eml": "excluded"}[strings.TrimPrefix(i.Origin, "alles.zip#")]; i.Outcome != want {
			t.Errorf("%+v, want %s", i, want)
		}
	}
	r.must(boss.SetSelection(t.Context(), true, []string{"x@example.com"}, true))
	if u = r.run(r.give(upload.Upload{Kind: upload.Document, Name: "a.pdf"}, "%PDF-1.7", "")); u.Result.Stored != 1 || r.find("is:document") != 1 {
		t.Errorf("%+v", u.Result)
	}
}
