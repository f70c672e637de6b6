package archive_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// afterBackup is an archive whose catalog is older than its vault: what came
// after the backup is in segments that the catalog does not know.
type afterBackup struct {
	dir    string
	tenant *catalog.Tenant
	fresh  []string // files of the unknown segments
}

// backUp closes e, lets after change the archive, and puts the old catalog back.
func backUp(t *testing.T, e *archivetest.Env, tenant *catalog.Tenant, after func(e *archivetest.Env)) *afterBackup {
	t.Helper()
	x := &afterBackup{dir: e.Dir, tenant: tenant}
	e.Close()
	file := filepath.Join(x.dir, "catalog.db")
	backup, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before := segmentFiles(t, x.dir)
	e = archivetest.New(t, archivetest.Options{Dir: x.dir})
	after(e)
	e.Close()
	for _, suffix := range []string{"-wal", "-shm"} {
		os.Remove(file + suffix) //nolint:errcheck // there may be none
	}
	if err := os.WriteFile(file, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range segmentFiles(t, x.dir) {
		if !slices.Contains(before, name) {
			x.fresh = append(x.fresh, name)
		}
	}
	return x
}

func segmentFiles(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, d os.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".seg" {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// batch offers messages so that they come into one segment with what is offered
// at the same time; it returns when all are stored.
func batch(t *testing.T, e *archivetest.Env, source *catalog.Source, subs ...archive.Submission) []archive.Receipt {
	t.Helper()
	out := make([]archive.Receipt, len(subs))
	for i, s := range subs {
		s.Tenant, s.Source = source.Tenant, source.ID
		r, err := e.Ingest(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = r
	}
	return out
}

// An unknown segment that cannot be wholly read is damage; nothing touches it, and
// every later check says the same.
func TestUnknownSegmentWithDamageIsKept(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(b []byte) int{
		"frame":  func([]byte) int { return 90 },
		"index":  func(b []byte) int { return len(b) - 60 },
		"header": func([]byte) int { return 3 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := archivetest.New(t, archivetest.Options{})
			tenant, source := e.Tenant(t, "acme")
			ingest(t, e, source, mail("anna@example.com", "bernd@example.com", "vorher", "text"))
			if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
				t.Fatal(err)
			}
			x := backUp(t, e, tenant, func(e *archivetest.Env) {
				ingest(t, e, source, mail("anna@example.com", "bernd@example.com", "nachher", "text"))
			})
			if len(x.fresh) != 1 {
				t.Fatalf("unknown segments: %v", x.fresh)
			}
			broken, err := os.ReadFile(x.fresh[0])
			if err != nil {
				t.Fatal(err)
			}
			broken[at(broken)] ^= 1
			if err := os.WriteFile(x.fresh[0], broken, 0o600); err != nil {
				t.Fatal(err)
			}
			id := strings.TrimSuffix(filepath.Base(x.fresh[0]), ".seg")
			var said []string
			for i := range 3 {
				e := archivetest.New(t, archivetest.Options{Dir: x.dir})
				if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
					t.Fatal(err)
				}
				var all []string
				for _, f := range check(t, e, true) {
					if f.Object == "search index" && i == 0 {
						continue // it knew the message; being derived, it is made anew
					}
					if f.Severity != archive.Damage || f.Repaired {
						t.Errorf("repair %d: %+v", i, f)
					}
					all = append(all, fmt.Sprint(f))
				}
				if len(all) != 1 || !strings.Contains(all[0], id) || i > 0 && all[0] != said[0] {
					t.Errorf("repair %d says %q, at first %q", i, all, said)
				}
				said = append(said, all...)
				if got, err := os.ReadFile(x.fresh[0]); err != nil || !bytes.Equal(got, broken) {
					t.Errorf("repair %d has touched the segment: %v", i, err)
				}
				if _, err := os.Stat(strings.TrimSuffix(x.fresh[0], ".seg") + ".key"); err != nil {
					t.Errorf("repair %d has touched the keys: %v", i, err)
				}
				e.Close()
			}
		})
	}
}

// An unknown segment holds copies of a known attachment, of a known message and of
// its captures, and one message that is nowhere else: that is taken in, and the
// same check finds no damage.
func TestUnknownSegmentWithOneNewMessage(t *testing.T) {
	t.Parallel()
	e := archivetest.New(t, archivetest.Options{})
	tenant, source := e.Tenant(t, "acme")
	dora := []string{"dora@example.com"}
	known, fresh := withAttachment("bekannt"), withAttachment("unbekannt")
	if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
		t.Fatal(err)
	}
	x := backUp(t, e, tenant, func(e *archivetest.Env) {
		batch(t, e, source,
			archive.Submission{Raw: bytes.NewReader(known), Origin: "k", EnvelopeTo: dora},
			archive.Submission{Raw: bytes.NewReader(known), Origin: "k2", EnvelopeTo: dora},
			archive.Submission{Raw: bytes.NewReader(fresh), Origin: "f", EnvelopeTo: dora})
		if _, err := e.Compact(t.Context(), tenant.ID, true); err != nil {
			t.Fatal(err)
		}
	})
	if len(x.fresh) != 1 {
		t.Fatalf("unknown segments: %v", x.fresh)
	}
	// The source offers again what it has no acknowledgement for, all but one.
	e = archivetest.New(t, archivetest.Options{Dir: x.dir})
	again := batch(t, e, source,
		archive.Submission{Raw: bytes.NewReader(known), Origin: "k", EnvelopeTo: dora},
		archive.Submission{Raw: bytes.NewReader(known), Origin: "k2", EnvelopeTo: dora})
	e.Close()
	e = archivetest.New(t, archivetest.Options{Dir: x.dir})
	taken := false
	for _, f := range check(t, e, true) {
		taken = taken || strings.Contains(f.What, "1 of its messages")
		if f.Severity == archive.Damage || !f.Repaired {
			t.Errorf("repair: %+v", f)
		}
	}
	if !taken {
		t.Error("repair says nothing of the new message")
	}
	if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
		t.Fatal(err)
	}
	h := e.As(access.Actor{Tenant: tenant.ID, Role: access.RoleUser, Addresses: []string{"anna@example.com"}})
	eventually(t, func() bool { return len(find(t, h, "subject:unbekannt")) == 1 })
	if got, _ := download(t, h, find(t, h, "subject:unbekannt")[0]); !bytes.Equal(got, fresh) {
		t.Error("the new message differs")
	}
	if got := find(t, h, "subject:bekannt"); !slices.Equal(got, []uid.ID{again[0].AOID}) {
		t.Errorf("the known message is %v, want %v", got, again[0].AOID)
	}
	v, err := h.Message(t.Context(), again[0].AOID)
	if err != nil || len(v.Captures) != 2 {
		t.Errorf("the known message has captures %+v, %v; want 2", v, err)
	}
	findings(t, e, nil)
	if _, err := e.Compact(t.Context(), tenant.ID, true); err != nil {
		t.Error(err)
	}
	findings(t, e, nil)
}
