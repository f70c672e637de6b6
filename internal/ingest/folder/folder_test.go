package folder

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/pgtest"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/watch"
)

const letter = "From: bernd@example.com\r\nTo: anna@example.com\r\nSubject: Brief\r\nDate: Mon, 2 Mar 2026 10:00:00 +0100\r\n\r\nText\r\n"

// rig is a watched folder with a clock of its own.
type rig struct {
	t      *testing.T
	env    *archivetest.Env
	w      *Watcher
	s      *source
	dir    string
	tenant *catalog.Tenant
	anna   *archive.Handle
	clock  *atomic.Int64
	// fails, if set, is asked after each Ingest.
	fails func() error
}

// Ingest implements Archive.
func (r *rig) Ingest(ctx context.Context, sub archive.Submission) (archive.Receipt, error) {
	x, err := r.env.Ingest(ctx, sub)
	if err == nil && r.fails != nil {
		err = r.fails()
	}
	return x, err
}

func (r *rig) Refused(ctx context.Context, tenant, source uid.ID, n int64) {
	r.env.Refused(ctx, tenant, source, n)
}

func (r *rig) CheckStored(ctx context.Context, tenant, id uid.ID, sum [32]byte) error {
	return r.env.CheckStored(ctx, tenant, id, sum)
}

func (r *rig) Tenants(ctx context.Context) ([]*catalog.Tenant, error) { return r.env.Tenants(ctx) }

func (r *rig) WatchedFolders(ctx context.Context) ([]archive.SourceView, error) {
	return r.env.WatchedFolders(ctx)
}

func (r *rig) SetSourceState(ctx context.Context, tenant, source uid.ID, state []byte) error {
	return r.env.SetSourceState(ctx, tenant, source, state)
}

func newRig(t *testing.T, dsn string, change ...func(*watch.Settings)) *rig {
	t.Helper()
	r := &rig{t: t, env: archivetest.New(t, archivetest.Options{DSN: dsn}), clock: &atomic.Int64{}}
	tenant, _ := r.env.Tenant(t, "acme")
	r.tenant = tenant
	r.anna = r.env.As(r.env.User(t, tenant, "anna", access.RoleUser, "anna@example.com"))
	set := watch.Settings{Directory: "scans", Owners: []string{"anna@example.com"}}
	for _, c := range change {
		c(&set)
	}
	b, err := json.Marshal(set)
	r.must(err)
	_, err = r.env.CreateFolder(t.Context(), tenant.ID, archive.SourceDraft{Name: "Scanner", Category: "Post", Settings: b})
	r.must(err)
	r.start(t.TempDir())
	return r
}

// start makes a new watcher, as after a crash.
func (r *rig) start(root string) {
	dir, err := spool.Open(filepath.Join(r.env.Dir, "spool", "folder"))
	r.must(err)
	r.dir = filepath.Join(root, "acme", "scans")
	r.must(os.MkdirAll(r.dir, 0o755))
	r.w, err = New(Config{Archive: r, Spool: dir, Root: root, Work: filepath.Join(r.env.Dir, "work"), Now: func() time.Time {
		return time.Unix(1_800_000_000+r.clock.Load(), 0)
	}})
	r.must(err)
	list, err := r.env.WatchedFolders(r.t.Context())
	r.must(err)
	r.s, err = r.w.newSource(&list[0], "acme")
	r.must(err)
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) put(name, text string) {
	r.t.Helper()
	p := filepath.Join(r.dir, name)
	r.must(os.MkdirAll(filepath.Dir(p), 0o755))
	r.must(os.WriteFile(p, []byte(text), 0o644))
}

// settle looks twice, with the settling time between.
func (r *rig) settle() {
	r.s.pass(r.t.Context())
	r.clock.Add(11)
	r.s.pass(r.t.Context())
}

// tree lists the files in the folder, with done and failed.
func (r *rig) tree() []string {
	r.t.Helper()
	var out []string
	r.must(filepath.Walk(r.dir, func(p string, st os.FileInfo, err error) error {
		if err == nil && !st.IsDir() {
			rel, _ := filepath.Rel(r.dir, p)
			out = append(out, rel)
		}
		return err
	}))
	return out
}

func (r *rig) want(files ...string) {
	r.t.Helper()
	if got := r.tree(); !slices.Equal(got, files) {
		r.t.Errorf("in the folder: %q, want %q (%+v)", got, files, r.s.state.Problem)
	}
}

func (r *rig) find(q string) []archive.Hit {
	r.t.Helper()
	r.must(r.env.AwaitIndex(r.t.Context(), r.tenant.ID))
	p, err := r.anna.Search(r.t.Context(), archive.SearchRequest{Query: q, Limit: 200})
	r.must(err)
	return p.Hits
}

func (r *rig) problem(code string) {
	r.t.Helper()
	if p := r.s.state.Problem; (p == nil) != (code == "") || p != nil && p.Code != code {
		r.t.Errorf("problem is %+v, want %q", p, code)
	}
}

func TestFilesAreArchived(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func(*testing.T) string{"sqlite": func(*testing.T) string { return "" }, "postgres": func(t *testing.T) string { return pgtest.DSN(t) }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, dsn(t))
			r.put("Rechnung 1.pdf", "%PDF-1.7 eins")
			r.put("2026/Rechnung 2.pdf", "%PDF-1.7 zwei")
			r.put("brief.eml", letter)
			for _, n := range []string{"a.pdf.part", "~$brief.docx", ".versteckt", "b.tmp", "Thumbs.db", ".sync/c.pdf"} {
				r.put(n, "nicht fertig")
			}
			r.s.pass(t.Context())
			if len(r.find("")) != 0 || r.s.state.Waiting != 3 {
				t.Fatalf("taken before it has settled: %+v", r.s.state)
			}
			r.clock.Add(11)
			r.s.pass(t.Context())
			r.want(".sync/c.pdf", ".versteckt", "Thumbs.db", "a.pdf.part", "b.tmp", "done/2026/Rechnung 2.pdf", "done/Rechnung 1.pdf", "done/brief.eml", "~$brief.docx")
			r.problem("")
			if s := r.s.state; s.Stored != 3 || s.Failed != 0 || s.Waiting != 0 {
				t.Errorf("state is %+v", s)
			}
			if hits := r.find("is:document category:post"); len(hits) != 2 || hits[0].File == nil {
				t.Errorf("documents: %+v", hits)
			}
			if hits := r.find(`subject:"Rechnung 2"`); len(hits) != 1 || hits[0].File.Name != "Rechnung 2.pdf" {
				t.Errorf("by title: %+v", hits)
			}
			if hits := r.find("is:mail subject:brief from:bernd"); len(hits) != 1 {
				t.Errorf("mail: %+v", hits)
			}
			r.put("Rechnung 1.pdf", "%PDF-1.7 eins") // the same once more
			r.put("brief.eml", strings.Replace(letter, "Brief", "Brief2", 1))
			r.settle()
			if s := r.s.state; s.Stored != 4 || s.Known != 1 || len(r.find("")) != 4 {
				t.Errorf("state is %+v", s)
			}
			if got := r.tree(); !slices.Contains(got, "done/Rechnung 1 (2).pdf") || !slices.Contains(got, "done/brief (2).eml") {
				t.Errorf("in the folder: %q", got)
			}
		})
	}
}

func TestDocumentsOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t, "", func(s *watch.Settings) { s.DocumentsOnly = true })
	r.put("brief.eml", letter)
	r.settle()
	r.want("done/brief.eml")
	if hits := r.find("is:document"); len(hits) != 1 {
		t.Errorf("found %+v", hits)
	}
}

// A file that grows, that is locked or empty is left alone until it is finished.
func TestUnfinishedFiles(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	for i := range 5 {
		r.put("scan.pdf", strings.Repeat("x", i+1))
		r.s.pass(t.Context())
		r.clock.Add(9)
	}
	r.put("leer.pdf", "")
	r.put("offen.pdf", "halb")
	f, err := os.OpenFile(filepath.Join(r.dir, "offen.pdf"), os.O_RDWR, 0)
	r.must(err)
	defer f.Close()
	r.must(syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	r.want("leer.pdf", "offen.pdf", "scan.pdf")
	r.settle()
	r.want("done/scan.pdf", "leer.pdf", "offen.pdf")
	r.must(syscall.Flock(int(f.Fd()), syscall.LOCK_UN))
	r.settle()
	r.settle()
	r.want("done/offen.pdf", "done/scan.pdf", "leer.pdf")
	r.clock.Add(700)
	r.s.pass(t.Context())
	r.want("done/offen.pdf", "done/scan.pdf", "failed/leer.pdf", "failed/leer.pdf.txt")
	if b, err := os.ReadFile(filepath.Join(r.dir, "failed/leer.pdf.txt")); err != nil || !strings.Contains(string(b), "empty") {
		t.Errorf("the reason is %q, %v", b, err)
	}
}

// What is changed between the copy and the move is archived as well.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.put("a.txt", "erste Fassung")
	first := true
	r.fails = func() error {
		if first {
			first = false
			r.put("a.txt", "zweite Fassung, länger")
		}
		return nil
	}
	r.settle()
	r.want("a.txt")
	r.settle()
	r.want("done/a.txt")
	if n := len(r.find("")); n != 2 {
		t.Errorf("%d versions are archived, want 2", n)
	}
}

func TestBadMailFails(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.put("kaputt.msg", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1nothing more")
	r.put("gut.eml", letter)
	r.settle()
	r.want("done/gut.eml", "failed/kaputt.msg", "failed/kaputt.msg.txt")
	if r.s.state.Failed != 1 {
		t.Errorf("state is %+v", r.s.state)
	}
}

// Nothing outside of the tenant's own directory is read, whatever is put there.
func TestLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	outside := t.TempDir()
	r.must(os.WriteFile(filepath.Join(outside, "geheim.txt"), []byte("geheim"), 0o644))
	r.must(os.Symlink(filepath.Join(outside, "geheim.txt"), filepath.Join(r.dir, "a.txt")))
	r.must(os.Symlink(outside, filepath.Join(r.dir, "b")))
	r.must(os.Symlink("gut.txt", filepath.Join(r.dir, "c.txt")))
	r.must(syscall.Mkfifo(filepath.Join(r.dir, "rohr"), 0o644))
	r.put("gut.txt", "gut")
	r.settle()
	r.problem(watch.CodeOdd)
	if hits := r.find(""); len(hits) != 1 || hits[0].File.Name != "gut.txt" {
		t.Errorf("found %+v", hits)
	}
	// The folder itself as a link.
	for _, target := range []string{outside, "../../beta"} {
		r.must(os.MkdirAll(filepath.Join(r.w.Root, "beta"), 0o755))
		r.must(os.WriteFile(filepath.Join(r.w.Root, "beta", "fremd.txt"), []byte("fremd"), 0o644))
		r.must(os.RemoveAll(r.dir))
		r.must(os.Symlink(target, r.dir))
		r.settle()
		r.problem(watch.CodeDirectory)
	}
	r.must(os.RemoveAll(filepath.Join(r.w.Root, "acme")))
	r.must(os.Symlink("beta", filepath.Join(r.w.Root, "acme")))
	r.s.settings.Directory = ""
	r.settle()
	r.problem(watch.CodeDirectory)
	if n := len(r.find("")); n != 1 {
		t.Errorf("%d are archived", n)
	}
}
