package sealing_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/blob/file"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/sealing"
	"github.com/muniment/muniment/internal/uid"
)

var errKilled = errors.New("killed")

// killer ends the work of a process after some steps.
type killer struct {
	left atomic.Int64
	dead atomic.Bool
}

// step reports whether the process is dead.
func (k *killer) step() error {
	if k.dead.Load() || k.left.Add(-1) < 0 {
		k.dead.Store(true)
		return errKilled
	}
	return nil
}

// deadly is a store that dies before or after a write.
type deadly struct {
	blob.Store
	k *killer
}

func (d deadly) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if err := d.k.step(); err != nil {
		return err
	}
	err := d.Store.Put(ctx, key, r, size)
	if dead := d.k.step(); dead != nil {
		return dead
	}
	return err
}

func (d deadly) Open(ctx context.Context, key string) (blob.Object, error) {
	if d.k.dead.Load() {
		return nil, errKilled
	}
	return d.Store.Open(ctx, key)
}

func (d deadly) Delete(ctx context.Context, key string) error {
	if d.k.dead.Load() { // whoever is dead does not tidy up
		return errKilled
	}
	return d.Store.Delete(ctx, key)
}

// mortal is an archive whose processes are killed, and its authority, which is not.
type mortal struct {
	t      *testing.T
	clock  *clock
	cat    *algo.Catalogue
	dir    string
	kill   *killer
	tsa    *tsa.Authority
	url    string
	w      *world // the process that runs
	killed int
}

func newMortal(t *testing.T, c *algo.Catalogue) *mortal {
	t.Helper()
	m := &mortal{t: t, clock: newClock(), cat: c, dir: t.TempDir(), kill: &killer{}}
	var handler http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/" && m.kill.step() != nil {
			http.Error(rw, "nobody hears it", http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(rw, r)
	}))
	t.Cleanup(srv.Close)
	var err error
	if m.tsa, err = tsa.New(tsa.Options{URL: srv.URL, Now: m.clock.Now, Root: 90 * year, Hash: algo.SHA384}); err != nil {
		t.Fatal(err)
	}
	m.url, handler = srv.URL+"/", m.tsa.Handler()
	m.start()
	err = m.w.SetSealSetting(t.Context(), archive.SealDraft{Setting: seal.Setting{Interval: 3600,
		Authorities: []seal.Authority{{Name: "Test", URL: m.url, Auth: seal.AuthNone, Local: true, CA: rootPEM(m.tsa)}}}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// start begins a process that lives for ever.
func (m *mortal) start() {
	m.t.Helper()
	if m.w != nil {
		m.w.Close()
	}
	m.kill.left.Store(1 << 60)
	m.kill.dead.Store(false)
	files, err := file.Open(filepath.Join(m.dir, "blobs"))
	if err != nil {
		m.t.Fatal(err)
	}
	e := archivetest.New(m.t, archivetest.Options{Dir: m.dir, Now: m.clock.Now, Catalogue: m.cat, Blobs: deadly{files, m.kill}})
	m.w = &world{Env: e, tsa: m.tsa}
	if m.w.sealer, err = sealing.New(sealing.Config{Archive: e.Archive, Now: m.clock.Now}); err != nil {
		m.t.Fatal(err)
	}
}

// work seals and renews. steps is after how many of them the process is killed; then
// another one begins.
func (m *mortal) work(steps int64, o sealing.RenewOptions) (survived bool) {
	m.t.Helper()
	m.kill.left.Store(steps)
	_, err := m.w.sealer.Now(m.t.Context())
	if err == nil && !m.kill.dead.Load() {
		var r seal.Report
		if _, r, err = m.w.sealer.Renew(m.t.Context(), o); err == nil && r.Pending > 0 && !m.kill.dead.Load() {
			m.t.Fatalf("%+v", r)
		}
	}
	if !m.kill.dead.Load() {
		if err != nil {
			m.t.Fatal(err)
		}
		m.kill.left.Store(1 << 60)
		return true
	}
	m.killed++
	m.start()
	return false
}

// tidy removes what killed processes have left, and requires that nothing else is found.
func (m *mortal) tidy() {
	m.t.Helper()
	_, err := m.w.Fsck(m.t.Context(), archive.FsckOptions{Repair: true, Report: func(f archive.Finding) {
		if f.Severity == archive.Damage {
			m.t.Errorf("fsck: %+v", f)
		}
	}})
	if err != nil {
		m.t.Fatal(err)
	}
	m.w.sound(m.t)
}

// TestKilledAfterEachStep ends the process after each step of sealing, of a time-stamp
// renewal and of a hash-tree renewal, and goes on with another one.
func TestKilledAfterEachStep(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]sealing.RenewOptions{"seal": {}, "stamp": {Hand: ers.RenewStamp}, "tree": {Hand: ers.RenewTree}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMortal(t, nil)
			a, as := m.w.Tenant(t, "a")
			b, bs := m.w.Tenant(t, "b")
			var list, other []uid.ID
			for steps := int64(0); ; steps++ {
				if steps > 60 {
					t.Fatal("it never ends by itself")
				}
				if steps < 2 || o.Hand != ers.RenewTree { // which takes longer with every batch
					list = append(list, m.w.ingest(t, a, as, len(list), 1)...)
					other = append(other, m.w.ingest(t, b, bs, len(other), 1)...)
				}
				m.clock.pass(time.Minute)
				if m.work(steps, o) {
					break
				}
				m.clock.pass(time.Minute)
				if !m.work(1<<60, o) {
					t.Fatal("it does not go on")
				}
				m.clock.pass(time.Minute)
				for _, i := range []int{0, len(list) - 1} {
					m.w.report(t, a, list[i], mail(i), m.clock.Now(), nil)
					m.w.report(t, b, other[i], mail(i), m.clock.Now(), nil)
				}
			}
			m.tidy()
			for i, aoid := range list {
				m.w.report(t, a, aoid, mail(i), m.clock.Now(), nil)
			}
			t.Logf("%d messages, killed %d times", len(list)+len(other), m.killed)
		})
	}
}

// TestDecades runs an archive for twenty-four years: certificates of the authority live
// for three, two hash algorithms end, and the process is killed at random (REN-5, REN-6).
func TestDecades(t *testing.T) {
	t.Parallel()
	cat := twoEnds(t)
	m := newMortal(t, cat)
	random := rand.New(rand.NewPCG(7, 1))
	a, as := m.w.Tenant(t, "a")
	var list []uid.ID
	for month := range 24 * 12 {
		if month%24 == 0 {
			list = append(list, m.w.ingest(t, a, as, len(list), 1+random.IntN(3))...)
		}
		if month%12 == 6 {
			if err := m.tsa.Renew(); err != nil {
				t.Fatal(err)
			}
		}
		if month%3 == 0 {
			for tries := 0; !m.work(int64(random.IntN(30)), sealing.RenewOptions{}); tries++ {
				if tries > 200 {
					t.Fatal("it does not get its work done")
				}
				m.clock.pass(time.Minute)
			}
		}
		m.clock.pass(30 * 24 * time.Hour)
	}
	if m.killed == 0 {
		t.Error("nothing was interrupted")
	}
	m.start()
	m.chains(a, list)
	m.tidy()
}

// chains verifies all records and requires that the oldest has one chain for each hash.
func (m *mortal) chains(tenant *catalog.Tenant, list []uid.ID) {
	m.t.Helper()
	for i, aoid := range list {
		r := m.w.report(m.t, tenant, aoid, mail(i), m.clock.Now(), m.cat)
		if i > 0 {
			continue
		}
		last := r.Stamps[len(r.Stamps)-1]
		m.t.Logf("%d messages, killed %d times; the oldest has %d chains and %d time stamps", len(list), m.killed, last.Chain+1, len(r.Stamps))
		if last.Chain != 2 || len(r.Stamps) > 24 {
			m.t.Errorf("the oldest has %d chains and %d time stamps", last.Chain+1, len(r.Stamps))
		}
	}
}
