package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/blob/file"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/pgtest"
)

// heldBlobs keeps the first Put waiting, so that what is offered meanwhile comes
// into one group.
type heldBlobs struct {
	blob.Store
	held    atomic.Bool
	entered chan struct{} // capacity 1
	let     chan struct{}
}

func (b *heldBlobs) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if b.held.Load() {
		select {
		case b.entered <- struct{}{}:
		default:
		}
		<-b.let
	}
	return b.Store.Put(ctx, key, r, size)
}

// grouped opens an archive in which what offer offers comes into one group commit.
func grouped(t *testing.T) (e *archivetest.Env, source *catalog.Source, together func(subs ...archive.Submission) ([]archive.Receipt, []error)) {
	t.Helper()
	dir := t.TempDir()
	files, err := file.Open(dir + "/blobs")
	if err != nil {
		t.Fatal(err)
	}
	held := &heldBlobs{Store: files, entered: make(chan struct{}, 1), let: make(chan struct{})}
	e = archivetest.New(t, archivetest.Options{Dir: dir, Blobs: held})
	_, source = e.Tenant(t, "acme")
	return e, source, func(subs ...archive.Submission) ([]archive.Receipt, []error) {
		var all sync.WaitGroup
		held.held.Store(true)
		all.Go(func() { ingest(t, e, source, mail("anna@example.com", "bernd@example.com", "first", "text")) })
		<-held.entered
		receipts, errs := make([]archive.Receipt, len(subs)), make([]error, len(subs))
		for i, s := range subs {
			s.Tenant, s.Source = source.Tenant, source.ID
			all.Go(func() { receipts[i], errs[i] = e.Ingest(t.Context(), s) })
		}
		eventually(t, func() bool { return e.Waiting(source.Tenant) == len(subs) })
		held.held.Store(false)
		close(held.let)
		all.Wait()
		return receipts, errs
	}
}

// The same item of the same source is offered twice at the same time.
func TestSameItemTwiceInOneGroup(t *testing.T) {
	t.Parallel()
	e, source, together := grouped(t)
	raw := mail("anna@example.com", "bernd@example.com", "twice", "text")
	subs := make([]archive.Submission, 3)
	for i := range subs {
		subs[i] = archive.Submission{Raw: bytes.NewReader(raw), Origin: "a/1.eml"}
	}
	receipts, errs := together(subs...)
	fresh := 0
	for i, r := range receipts {
		if errs[i] != nil || r.AOID != receipts[0].AOID {
			t.Errorf("offer %d: %+v, %v", i, r, errs[i])
		}
		if !r.Duplicate {
			fresh++
		}
	}
	if fresh != 1 {
		t.Errorf("%d of them are new", fresh)
	}
	captures, err := e.Catalog.Captures(t.Context(), source.Tenant, receipts[0].AOID)
	if err != nil || len(captures) != 1 {
		t.Errorf("%d captures, %v; want one", len(captures), err)
	}
	clean(t, e)
}

// What arrived on different days is accounted for on its day, also if it comes in
// one group.
func TestDaysAreCountedApart(t *testing.T) {
	t.Parallel()
	e, source, together := grouped(t)
	var subs []archive.Submission
	for i := range 4 {
		subs = append(subs, archive.Submission{Raw: bytes.NewReader(mail("anna@example.com", "b@example.com", fmt.Sprint(i), "text")),
			ReceivedAt: time.Date(2026, 3, 1+i, 12, 0, 0, 0, time.UTC)})
	}
	if _, errs := together(subs...); errors.Join(errs...) != nil {
		t.Fatal(errs)
	}
	list, err := e.Catalog.Accounts(t.Context(), source.Tenant, "", "")
	if err != nil {
		t.Fatal(err)
	}
	days := map[string]int64{}
	for _, a := range list {
		days[a.Day] += a.Count
	}
	for i := range 4 {
		if day := fmt.Sprintf("2026-03-%02d", i+1); days[day] != 1 {
			t.Errorf("%s: %d messages, want 1", day, days[day])
		}
	}
}

// Two processes work on the same data at the same time and are offered the same
// messages with the same attachments: everything is stored once, and everybody is
// answered.
func TestTwoArchivesOnTheSameData(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]string{"sqlite": "", "postgres": pgtest.DSN(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := archivetest.New(t, archivetest.Options{DSN: dsn})
			tenant, source := one.Tenant(t, "acme")
			two := archivetest.New(t, archivetest.Options{Dir: one.Dir, DSN: one.DSN})
			const n = 40
			var all sync.WaitGroup
			var stored atomic.Int64
			for i := range n {
				raw := withAttachment(fmt.Sprintf("Vorgang %d", i))
				for _, e := range []*archivetest.Env{one, two} {
					all.Go(func() {
						r, err := e.Ingest(t.Context(), archive.Submission{Tenant: tenant.ID, Source: source.ID, Raw: bytes.NewReader(raw), Origin: fmt.Sprint(i)})
						if err != nil {
							t.Errorf("message %d: %v", i, err)
						}
						if !r.Duplicate {
							stored.Add(1)
						}
					})
				}
			}
			all.Wait()
			if stored.Load() != n {
				t.Errorf("%d messages were stored, want %d", stored.Load(), n)
			}
			if err := one.AwaitIndex(t.Context(), tenant.ID); err != nil {
				t.Fatal(err)
			}
			h := two.As(access.Actor{Tenant: tenant.ID, Role: access.RoleUser, Addresses: []string{"bernd@example.com"}})
			eventually(t, func() bool { return len(find(t, h, "Vorgang")) == n })
			two.Close()
			for _, f := range check(t, one, true) { // segments of commits that came second
				if f.Severity != archive.Leftover || !f.Repaired {
					t.Errorf("fsck: %+v", f)
				}
			}
			clean(t, one)
		})
	}
}
