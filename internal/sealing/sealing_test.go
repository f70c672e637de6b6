package sealing_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsa"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/sealing"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// world is an archive with a sealer and an authority that can be switched off.
type world struct {
	*archivetest.Env
	sealer *sealing.Sealer
	tsa    *tsa.Authority
	away   atomic.Bool
	asked  atomic.Int64
	set    seal.Setting
}

func newWorld(t *testing.T, o archivetest.Options) *world {
	t.Helper()
	w := &world{Env: archivetest.New(t, o)}
	var handler http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/" {
			w.asked.Add(1)
		}
		if w.away.Load() {
			http.Error(rw, "away", http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(rw, r)
	}))
	t.Cleanup(srv.Close)
	a, err := tsa.New(tsa.Options{URL: srv.URL, Now: o.Now})
	if err != nil {
		t.Fatal(err)
	}
	w.tsa, handler = a, a.Handler()
	w.set = seal.Setting{Interval: 3600, Authorities: []seal.Authority{{Name: "Test", URL: srv.URL + "/", Auth: seal.AuthNone, Local: true, CA: rootPEM(a)}}}
	if err := w.SetSealSetting(t.Context(), archive.SealDraft{Setting: w.set}); err != nil {
		t.Fatal(err)
	}
	if w.sealer, err = sealing.New(sealing.Config{Archive: w.Archive, Now: o.Now}); err != nil {
		t.Fatal(err)
	}
	return w
}

func rootPEM(a *tsa.Authority) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Root().Raw}))
}

func mail(n int) []byte {
	return fmt.Appendf(nil, "From: Anna <anna@example.com>\r\nTo: Bernd <bernd@example.com>\r\nSubject: Number %d\r\nMessage-ID: <%d@example.com>\r\n\r\nHello %d.\r\n", n, n, n)
}

// ingest archives n messages and returns their AOIDs.
func (w *world) ingest(t *testing.T, tenant *catalog.Tenant, source *catalog.Source, from, n int) []uid.ID {
	t.Helper()
	var list []uid.ID
	for i := range n {
		r, err := w.Ingest(t.Context(), archive.Submission{Tenant: tenant.ID, Source: source.ID, Raw: bytes.NewReader(mail(from + i)), EnvelopeFrom: "anna@example.com", EnvelopeTo: []string{"bernd@example.com"}})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r.AOID)
	}
	return list
}

func (w *world) now(t *testing.T) seal.Report {
	t.Helper()
	r, err := w.sealer.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// proves verifies the record of a message the way a stranger would: with its members,
// and with those of another.
func (w *world) proves(t *testing.T, tenant *catalog.Tenant, aoid uid.ID, original []byte) {
	t.Helper()
	record, err := w.EvidenceRecord(t.Context(), tenant.ID, aoid)
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.Bundle(t.Context(), tenant.ID, aoid)
	if err != nil {
		t.Fatal(err)
	}
	o := ers.Options{Revocation: tsp.RequireRevocation, Whole: true}
	o.Anchors = tsp.NewAnchors([]*x509.Certificate{w.tsa.Root()})
	if o.Sidecar, err = b.Sidecar(); err != nil {
		t.Fatal(err)
	}
	members := []ers.Member{{Name: "original", Data: ers.Bytes(original)}, {Name: "metadata", Data: ers.Bytes(b.Metadata)}}
	if r := ers.Verify(t.Context(), record, members, o); r.Verdict != evidence.Valid || !r.Test {
		t.Fatalf("message %s: %v, test %v: %+v", aoid, r.Verdict, r.Test, r.Findings)
	}
	members[0].Data = ers.Bytes(append(bytes.Clone(original), '!'))
	if r := ers.Verify(t.Context(), record, members, o); r.Verdict == evidence.Valid {
		t.Fatalf("message %s: valid for other bytes", aoid)
	}
}

func TestSeal(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 5, 8} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, archivetest.Options{})
			a, as := w.Tenant(t, "a")
			b, bs := w.Tenant(t, "b")
			anna := w.User(t, a, "anna", access.RoleUser, "anna@example.com")
			list, other := w.ingest(t, a, as, 0, n), w.ingest(t, b, bs, 0, 2)
			if s, err := w.As(anna).Seal(t.Context(), list[0]); err != nil || s.Batch != nil || !s.Authorities {
				t.Fatalf("before: %+v, %v", s, err)
			}
			if r := w.now(t); r.Batches != 1 || r.Objects != int64(n+2) || r.Stamped != 1 || r.Pending != 0 {
				t.Fatalf("round: %+v", r)
			}
			if r := w.now(t); r.Batches != 0 || w.asked.Load() != 1 {
				t.Fatalf("a second round: %+v, asked %d times", r, w.asked.Load())
			}
			for i, aoid := range list {
				w.proves(t, a, aoid, mail(i))
			}
			w.proves(t, b, other[1], mail(1))
			s, err := w.As(anna).Seal(t.Context(), list[0])
			if err != nil || len(s.Stamps) != 1 || !s.Stamps[0].Test || s.Stamps[0].Qualified != seal.No || s.Batch.State != catalog.SealStamped {
				t.Fatalf("after: %+v, %v", s, err)
			}
			w.sound(t)
		})
	}
}

// sound requires that fsck finds nothing.
func (w *world) sound(t *testing.T) {
	t.Helper()
	if _, err := w.Fsck(t.Context(), archive.FsckOptions{Report: func(f archive.Finding) { t.Errorf("fsck: %+v", f) }}); err != nil {
		t.Fatal(err)
	}
}

func TestOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, archivetest.Options{})
	a, as := w.Tenant(t, "a")
	first := w.ingest(t, a, as, 0, 3)
	w.away.Store(true)
	r := w.now(t)
	if r.Pending != 1 || r.Problem == nil || r.Problem.Code != string(tsp.CodeHTTP) {
		t.Fatalf("while it is away: %+v", r)
	}
	later := w.ingest(t, a, as, 10, 2) // ingest goes on
	if r := w.now(t); r.Batches != 0 || r.Pending != 1 {
		t.Fatalf("still away: %+v", r)
	}
	b, err := w.sealer.Backlog(t.Context())
	if err != nil || b.Pending != 3 || b.Waiting != 2 || b.Batches != 1 || b.Alarm {
		t.Fatalf("backlog: %+v, %v", b, err)
	}
	b, err = w.SealLag(t.Context(), time.Now().Add(3*time.Hour))
	if err != nil || !b.Alarm || b.Age < 3*time.Hour {
		t.Fatalf("backlog after three hours: %+v, %v", b, err)
	}
	w.sound(t)
	w.away.Store(false)
	if r := w.now(t); r.Batches != 1 || r.Stamped != 2 || r.Pending != 0 {
		t.Fatalf("back again: %+v", r)
	}
	w.proves(t, a, first[2], mail(2))
	w.proves(t, a, later[1], mail(11))
}

func TestNoAuthority(t *testing.T) {
	t.Parallel()
	w := newWorld(t, archivetest.Options{})
	if err := w.SetSealSetting(t.Context(), archive.SealDraft{Setting: seal.Default()}); err != nil {
		t.Fatal(err)
	}
	a, as := w.Tenant(t, "a")
	anna := w.User(t, a, "anna", access.RoleUser, "anna@example.com")
	list := w.ingest(t, a, as, 0, 1)
	if r := w.now(t); !r.NoAuthority || r.Batches != 0 {
		t.Errorf("without an authority: %+v", r)
	}
	if s, err := w.As(anna).Seal(t.Context(), list[0]); err != nil || s.Authorities || s.Batch != nil {
		t.Errorf("hashed, not stamped: %+v, %v", s, err)
	}
	if b, err := w.sealer.Backlog(t.Context()); err != nil || b.Waiting != 1 || b.Alarm || b.Authorities {
		t.Errorf("backlog: %+v, %v", b, err)
	}
}

// TestInterrupted ends the work after each step and goes on.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, archivetest.Options{})
	a, as := w.Tenant(t, "a")
	list := w.ingest(t, a, as, 0, 4)
	b, _, err := w.PrepareSeal(t.Context()) // the batch is durable, nobody has asked for a stamp
	if err != nil || b == nil {
		t.Fatal(b, err)
	}
	if again, _, err := w.PrepareSeal(t.Context()); err != nil || again != nil {
		t.Fatalf("the same messages twice: %+v, %v", again, err)
	}
	if r := w.now(t); r.Batches != 0 || r.Stamped != 1 {
		t.Fatalf("going on: %+v", r)
	}
	w.proves(t, a, list[3], mail(3))
	// The stamp is durable, and the catalog does not know.
	rest := w.ingest(t, a, as, 10, 2)
	if b, _, err = w.PrepareSeal(t.Context()); err != nil {
		t.Fatal(err)
	}
	token := w.issue(t, b.Root)
	st := &seal.Stamp{Batch: b.ID, Number: 1, Token: token, Authority: "Test", GenTime: time.Now().UTC(), Until: time.Now().UTC(), Qualified: seal.No, Test: true}
	data, err := st.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.putStamp(t, b.ID, data); err != nil {
		t.Fatal(err)
	}
	before := w.asked.Load()
	if r := w.now(t); r.Stamped != 1 || w.asked.Load() != before {
		t.Fatalf("a stamp that was there: %+v, asked %d times", r, w.asked.Load()-before)
	}
	if _, err := w.EvidenceRecord(t.Context(), a.ID, rest[0]); err != nil {
		t.Fatal(err)
	}
}

func (w *world) issue(t *testing.T, root []byte) []byte {
	t.Helper()
	r, err := tsp.NewRequest(algo.SHA256, root, nil, random{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.tsa.Issue(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type random struct{}

func (random) Read(p []byte) (int, error) { return len(p), nil }

func TestClock(t *testing.T) {
	t.Parallel()
	var shift atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(shift.Load())) }
	w := newWorld(t, archivetest.Options{Now: now})
	a, as := w.Tenant(t, "a")
	w.ingest(t, a, as, 0, 1)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.sealer.Run(ctx) }()
	defer func() { stop(); <-ended }()
	w.await(t, 0)
	w.ingest(t, a, as, 1, 1)
	w.sealer.Wake()
	if b, err := w.sealer.Backlog(t.Context()); err != nil || b.Waiting != 1 {
		t.Fatalf("before the hour is over: %+v, %v", b, err)
	}
	shift.Store(int64(time.Hour))
	w.sealer.Wake()
	w.await(t, 0)
}

// await waits until no more than n objects have no time stamp.
func (w *world) await(t *testing.T, n int64) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		b, err := w.sealer.Backlog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b.Waiting+b.Pending <= n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("backlog: %+v", b)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestTry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, archivetest.Options{})
	x := w.set.Authorities[0]
	if r := w.sealer.Try(t.Context(), x, ""); !r.OK || !r.Test || r.Statement || r.Signer == "" || r.Until.IsZero() || len(r.Missing) > 0 {
		t.Errorf("trial: %+v", r)
	}
	local := x
	local.Local = false
	if r := w.sealer.Try(t.Context(), local, ""); r.OK || r.Problem.Code != string(tsp.CodeHTTP) {
		t.Errorf("on this machine without saying so: %+v", r)
	}
	other, err := tsa.New(tsa.Options{})
	if err != nil {
		t.Fatal(err)
	}
	strange := x
	strange.CA = rootPEM(other)
	if r := w.sealer.Try(t.Context(), strange, ""); r.OK || r.Problem.Code != string(tsp.CodeNoAnchor) {
		t.Errorf("of somebody else: %+v", r)
	}
}

func (w *world) putStamp(t *testing.T, batch uid.ID, data []byte) error {
	t.Helper()
	return w.Vault.PutSeal(t.Context(), vault.SealName{Batch: batch, Stamp: 1}, data)
}
