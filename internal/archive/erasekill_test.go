package archive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/blob/file"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index"
	"github.com/muniment/muniment/internal/uid"
)

// errKilled is what everything fails with after a kill.
var errKilled = errors.New("killed")

// reaper lets some writes pass, and none after them.
type reaper struct {
	mu    sync.Mutex
	armed bool
	left  int
}

func (r *reaper) arm(left int) { r.mu.Lock(); defer r.mu.Unlock(); r.armed, r.left = true, left }

// disarm reports whether anything was killed.
func (r *reaper) disarm() (killed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	killed, r.armed = r.left < 0, false
	return killed
}

func (r *reaper) step() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.armed {
		return nil
	}
	if r.left--; r.left < 0 {
		r.left = -1
		return errKilled
	}
	return nil
}

// mortalBlobs is a store whose writes are killed.
type mortalBlobs struct {
	blob.Store
	r *reaper
}

func (b mortalBlobs) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if err := b.r.step(); err != nil {
		return err
	}
	return b.Store.Put(ctx, key, r, size)
}

func (b mortalBlobs) Replace(ctx context.Context, key string, r io.Reader, size int64) error {
	if err := b.r.step(); err != nil {
		return err
	}
	return b.Store.Replace(ctx, key, r, size)
}

func (b mortalBlobs) Delete(ctx context.Context, key string) error {
	if err := b.r.step(); err != nil {
		return err
	}
	return b.Store.Delete(ctx, key)
}

// mortalIndex is an index that is killed before it forgets.
type mortalIndex struct {
	index.Index
	r *reaper
}

func (x mortalIndex) Erase(ctx context.Context, tenant uid.ID, ids []uid.ID) error {
	if err := x.r.step(); err != nil {
		return err
	}
	return x.Index.Erase(ctx, tenant, ids)
}

// mortal opens an archive that can be killed.
func mortal(t *testing.T, dir string, r *reaper) *archivetest.Env {
	t.Helper()
	files, err := file.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	e := archivetest.New(t, archivetest.Options{Dir: dir, Blobs: mortalBlobs{files, r}, Index: func(x index.Index) index.Index { return mortalIndex{x, r} }})
	t.Cleanup(func() { e.Close(); files.Close() })
	return e
}

// approvedDeletion is a request that only has to be carried out.
func approvedDeletion(t *testing.T, e *archivetest.Env, dpo, admin access.Actor, id uid.ID) uid.ID {
	t.Helper()
	v, err := e.As(dpo).RequestDeletion(t.Context(), archive.NewDeletion{Messages: []uid.ID{id}, Reason: "Löschverlangen nach Art. 17", Until: time.Now().Add(time.Hour)})
	if err == nil {
		v, err = e.As(admin).DecideAccess(t.Context(), v.ID, true, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	return v.ID
}

// A deletion is killed after each write that follows its transaction: the message is gone
// all the same, and the next start destroys what is left of it, and only that.
func TestErasureKilledAfterEachStep(t *testing.T) {
	t.Parallel()
	dir, r := t.TempDir(), &reaper{}
	e := mortal(t, dir, r)
	tenant, source := e.Tenant(t, "acme")
	dpo, admin := e.User(t, tenant, "dpo", access.RoleDPO), e.User(t, tenant, "admin", access.RoleTenantAdmin)
	canary := func(n int) string { return fmt.Sprintf("zzcanary%dz", n) }
	var list []uid.ID
	for n := range 16 {
		list = append(list, ingest(t, e, source, mail("bernd@acme.example", "anna@acme.example", canary(n), canary(n)+" "+strings.Repeat("what they have in common, again and again ", 20))).AOID)
	}
	if _, err := e.Compact(t.Context(), tenant.ID, true); err != nil {
		t.Fatal(err)
	}
	killed := true
	for n := 0; killed && n < len(list)-1; n++ {
		if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
			t.Fatal(err)
		}
		request := approvedDeletion(t, e, dpo, admin, list[n])
		finish := func() bool { return r.disarm() }
		if n == 0 { // the last step is one of the catalog
			finish = killedCatalog(t, filepath.Join(dir, "catalog.db"))
		} else {
			r.arm(n - 1)
		}
		if _, err := e.As(dpo).DeleteUnder(t.Context(), request); err != nil {
			t.Fatal(err)
		}
		killed = finish()
		e.Close()
		e = mortal(t, dir, r)
		unfinished, err := e.Catalog.Tombstones(t.Context(), tenant.ID, catalog.TombstoneFilter{Unfinished: true}, 9)
		if err != nil || (len(unfinished) > 0) != killed {
			t.Errorf("killed after %d: %v, unfinished %d, %v", n-1, killed, len(unfinished), err)
		}
		if _, err := e.As(dpo).Message(t.Context(), list[n]); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("killed after %d: %v", n-1, err)
		}
		if err := e.FinishErasures(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := scan(t, e, tenant.ID, [][]byte{[]byte(canary(n))}); len(left) > 0 {
			t.Errorf("killed after %d: %q is left", n-1, left)
		}
		if left := scan(t, e, tenant.ID, [][]byte{[]byte(canary(n + 1))}); len(left) == 0 {
			t.Errorf("killed after %d: another is gone", n-1)
		}
		for _, f := range check(t, e, true) { // what a killed write leaves is told, and removed
			if f.Severity != archive.Leftover || !f.Repaired {
				t.Errorf("killed after %d: fsck: %+v", n-1, f)
			}
		}
		if n > 6 && !killed {
			return
		}
	}
	t.Error("it was never killed, or always")
}

// killedCatalog makes the last step of a deletion fail, until what it returns is called.
func killedCatalog(t *testing.T, path string) (undo func() bool) {
	t.Helper()
	change := func(query string) {
		db := openSQL(t, path)
		defer db.Close()
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	change("CREATE TRIGGER killed BEFORE UPDATE ON tombstone WHEN NEW.rest = '' BEGIN SELECT RAISE(ABORT, 'killed'); END")
	return func() bool { change("DROP TRIGGER killed"); return true }
}

// A hold that comes at any moment of a deletion, from another process, keeps the message,
// or comes too late.
func TestHoldDuringDeletion(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var left int
	var hook func()
	e := archivetest.New(t, archivetest.Options{Now: func() time.Time { // a deletion asks for the time at several places
		mu.Lock()
		left--
		do := hook
		if do != nil && left == 0 {
			hook = nil
		} else {
			do = nil
		}
		mu.Unlock()
		if do != nil {
			do()
		}
		return time.Now()
	}})
	tenant, source := e.Tenant(t, "acme")
	dpo, admin := e.User(t, tenant, "dpo", access.RoleDPO), e.User(t, tenant, "admin", access.RoleTenantAdmin)
	kept := 0
	for n := 1; n < 40; n++ {
		id := ingest(t, e, source, mail("bernd@acme.example", "anna@acme.example", fmt.Sprint("mail ", n), "text")).AOID
		if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
			t.Fatal(err)
		}
		request, held := approvedDeletion(t, e, dpo, admin, id), false
		mu.Lock()
		left, hook = n, func() {
			h := &catalog.Hold{Tenant: tenant.ID, ID: uid.New(time.Now()), Name: "Audit", Reason: "Letter of the tax office", Scope: fmt.Appendf(nil, `{"messages":[%q]}`, id), PlacedBy: "cli", PlacedAt: time.Now()}
			if err := e.Catalog.AddHold(t.Context(), h, 99); err != nil {
				t.Error(err)
			}
			_, err := e.Catalog.Tombstone(t.Context(), tenant.ID, id)
			held = errors.Is(err, catalog.ErrNotFound)
		}
		mu.Unlock()
		_, err := e.As(dpo).DeleteUnder(t.Context(), request)
		mu.Lock()
		reached := hook == nil
		hook = nil
		mu.Unlock()
		if held != errors.Is(err, archive.ErrKept) || !held && err != nil {
			t.Errorf("at moment %d: held %v, deletion %v", n, held, err)
		}
		if held {
			kept++
		}
		if !reached {
			break
		}
	}
	if kept < 2 {
		t.Errorf("only %d holds came in time", kept)
	}
}
