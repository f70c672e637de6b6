package sealing_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/alarm"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/sealing"
)

// An object that a hash-tree renewal cannot read raises an alarm, is shown by name, and
// is forgotten when a later renewal could read it.
func TestUnreadObjectsRaiseAnAlarm(t *testing.T) {
	t.Parallel()
	k := newClock()
	w := newWorld(t, archivetest.Options{Now: k.Now})
	a, as := w.Tenant(t, "a")
	b, bs := w.Tenant(t, "b")
	list := w.ingest(t, a, as, 0, 3)
	w.ingest(t, b, bs, 0, 1)
	w.now(t)
	admin := w.As(w.User(t, a, "admin", access.RoleTenantAdmin))
	other := w.As(w.User(t, b, "admin", access.RoleTenantAdmin))
	alarms := func(h *archive.Handle) (n int64) {
		t.Helper()
		d, err := h.Dashboard(t.Context(), "year")
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range d.Alarms {
			if x.Kind == alarm.RenewalUnread {
				n += x.Used
			}
		}
		return n
	}
	quiet := func() {
		t.Helper()
		if n, m := alarms(w.AsOperator()), alarms(admin); n+m != 0 {
			t.Fatalf("alarms about %d and %d objects", n, m)
		}
	}
	quiet()
	segment, good := segmentOf(t, filepath.Join(w.Dir, "blobs"), a.ID.String())
	bad := bytes.Clone(good)
	raw, err := w.Catalog.Message(t.Context(), a.ID, list[1])
	if err != nil {
		t.Fatal(err)
	}
	bad[raw.Frame+200] ^= 4 // of the second message
	overwrite(t, segment, bad)
	k.pass(time.Hour)
	done := w.renew(t, sealing.RenewOptions{Hand: ers.RenewTree})
	if done.LeftOut == 0 || done.LeftOut == 3 {
		t.Fatalf("%+v", done)
	}
	if n, m, o := alarms(w.AsOperator()), alarms(admin), alarms(other); n != done.LeftOut || m != done.LeftOut || o != 0 {
		t.Errorf("%d objects left out; alarms of the operator %d, of the tenant %d, of another %d", done.LeftOut, n, m, o)
	}
	e, err := admin.Evidence(t.Context())
	if err != nil || e.UnreadN != int(done.LeftOut) || !slices.Contains(list, e.Unread[0].Object) {
		t.Errorf("the page tells of %+v, %v", e.Unread, err)
	}
	if e, err := other.Evidence(t.Context()); err != nil || e.UnreadN != 0 {
		t.Errorf("another tenant sees %+v, %v", e.Unread, err)
	}
	overwrite(t, segment, good)
	k.pass(time.Hour)
	if done := w.renew(t, sealing.RenewOptions{Hand: ers.RenewTree}); done.LeftOut != 0 {
		t.Fatalf("%+v", done)
	}
	quiet()
	for i, id := range list {
		w.report(t, a, id, mail(i), k.Now().Add(time.Second), nil)
	}
}

// A batch whose tree cannot be read raises an alarm of the operator.
func TestUnreadBatchRaisesAnAlarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, archivetest.Options{})
	a, as := w.Tenant(t, "a")
	w.ingest(t, a, as, 0, 2)
	w.now(t)
	var stamp string
	err := filepath.WalkDir(filepath.Join(w.Dir, "blobs"), func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".tree" {
			stamp = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(stamp)
	if err != nil {
		t.Fatal(err)
	}
	told := func() (n int64) {
		t.Helper()
		list, err := w.Alarms(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range list {
			if x.Kind == alarm.RenewalUnread && x.Code == "batches" {
				n += x.Used
			}
		}
		return n
	}
	bad := bytes.Clone(good)
	bad[len(bad)/2] ^= 4
	overwrite(t, stamp, bad)
	if _, _, err := w.sealer.Renew(t.Context(), sealing.RenewOptions{Hand: ers.RenewTree}); err != nil {
		t.Fatal(err)
	}
	if n := told(); n != 1 {
		t.Fatalf("%d batches are told", n)
	}
	overwrite(t, stamp, good)
	w.renew(t, sealing.RenewOptions{Hand: ers.RenewTree})
	if n := told(); n != 0 {
		t.Errorf("%d batches are told when all is well again", n)
	}
}

// segmentOf is the only segment of a tenant.
func segmentOf(t *testing.T, dir, tenant string) (name string, b []byte) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir), func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".seg" && bytes.Contains([]byte(path), []byte(tenant)) {
			name = path
		}
		return err
	})
	if err != nil || name == "" {
		t.Fatal("no segment: ", err)
	}
	if b, err = os.ReadFile(name); err != nil {
		t.Fatal(err)
	}
	return name, b
}
