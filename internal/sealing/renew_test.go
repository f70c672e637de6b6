package sealing_test

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/sealing"
	"github.com/muniment/muniment/internal/uid"
)

// clock is one that is set by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

const year = 365 * 24 * time.Hour

// twoEnds is a catalogue in which SHA-256 ends, and then SHA-512.
func twoEnds(t *testing.T) *algo.Catalogue {
	t.Helper()
	c, err := algo.ParseCatalogue([]byte(`{"issued": "2026-11-01", "source": "simulation",
		"hashes": [{"name": "SHA-256", "until": "2034-01-01"}, {"name": "SHA-512", "until": "2042-01-01"}, {"name": "SHA-384"}, {"name": "SHA3-512"}],
		"signatures": [{"name": "ECDSA", "bits": 256}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// report verifies the record of a message as of now, with its members.
func (w *world) report(t *testing.T, tenant *catalog.Tenant, aoid uid.ID, original []byte, at time.Time, c *algo.Catalogue) *ers.Report {
	t.Helper()
	b, err := w.Bundle(t.Context(), tenant.ID, aoid)
	if err != nil {
		t.Fatal(err)
	}
	o := ers.Options{Whole: true, At: at, Catalogue: c, Anchors: tsp.NewAnchors([]*x509.Certificate{w.tsa.Root()}), Revocation: tsp.RequireRevocation}
	if o.Sidecar, err = b.Sidecar(); err != nil {
		t.Fatal(err)
	}
	members := []ers.Member{{Name: "original", Data: ers.Bytes(original)}, {Name: "metadata", Data: ers.Bytes(b.Metadata)}}
	r := ers.Verify(t.Context(), b.Record, members, o)
	if r.Verdict != evidence.Valid {
		t.Fatalf("message %s at %s: %v: %.2000s", aoid, at.Format(time.DateOnly), r.Verdict, fmt.Sprintf("%+v", r.Findings))
	}
	if len(b.Stamps) != len(r.Stamps) {
		t.Fatalf("message %s: %d stamps in the bundle, %d in the record", aoid, len(b.Stamps), len(r.Stamps))
	}
	members[0].Data = ers.Bytes(append(bytes.Clone(original), '!'))
	if r := ers.Verify(t.Context(), b.Record, members, o); r.Verdict == evidence.Valid {
		t.Fatalf("message %s: valid for other bytes", aoid)
	}
	return r
}

func (w *world) renew(t *testing.T, o sealing.RenewOptions) archive.Renewed {
	t.Helper()
	done, r, err := w.sealer.Renew(t.Context(), o)
	if err != nil || r.Pending > 0 || r.Problem != nil {
		t.Fatalf("renewal: %+v, %+v, %v", done, r, err)
	}
	return done
}

// TestRenew renews batches of several sizes by time stamp and by tree, each with one
// time stamp for all batches and tenants.
func TestRenew(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 5, 8} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			k := newClock()
			w := newWorld(t, archivetest.Options{Now: k.Now})
			a, as := w.Tenant(t, "a")
			b, bs := w.Tenant(t, "b")
			list := w.ingest(t, a, as, 0, n)
			w.ingest(t, b, bs, 0, 1)
			w.now(t)
			k.pass(time.Hour)
			second := w.ingest(t, a, as, 100, 1)
			w.now(t)
			if done := w.renew(t, sealing.RenewOptions{}); done.Renewals != 0 {
				t.Fatalf("nothing is due: %+v", done)
			}
			for round, o := range []sealing.RenewOptions{{}, {Hand: ers.RenewStamp}, {Hand: ers.RenewTree}, {Hand: ers.RenewStamp}, {Hand: ers.RenewTree}} {
				if o.Hand == "" {
					k.pass(2*year + time.Hour) // certificates live for three years
				}
				k.pass(time.Hour)
				if err := w.tsa.Renew(); err != nil {
					t.Fatal(err)
				}
				before := w.asked.Load()
				done := w.renew(t, o)
				if asked := w.asked.Load() - before; asked != 1 || done.Renewals != 1 {
					t.Fatalf("round %d: %d time stamps, %+v", round, asked, done)
				}
				for i, aoid := range list {
					if r := w.report(t, a, aoid, mail(i), k.Now(), nil); len(r.Stamps) != round+2 {
						t.Fatalf("round %d: %d stamps", round, len(r.Stamps))
					}
				}
				w.report(t, a, second[0], mail(100), k.Now(), nil)
				w.sound(t)
			}
			before, err := w.EvidenceRecord(t.Context(), a.ID, list[0])
			if err != nil {
				t.Fatal(err)
			}
			if r, err := w.Rebuild(t.Context(), nil); err != nil || len(r.Damaged) > 0 {
				t.Fatal(err, r)
			}
			after, err := w.EvidenceRecord(t.Context(), a.ID, list[0])
			if err != nil || !bytes.Equal(before, after) {
				t.Fatalf("the record is another after a rebuild: %v", err)
			}
			w.sound(t)
		})
	}
}

// TestRevoked renews at once what an authority has signed whose certificate was revoked.
func TestRevoked(t *testing.T) {
	t.Parallel()
	k := newClock()
	w := newWorld(t, archivetest.Options{Now: k.Now})
	a, as := w.Tenant(t, "a")
	list := w.ingest(t, a, as, 0, 2)
	w.now(t)
	k.pass(time.Hour)
	w.revokeUnit(t, 4) // superseded
	due, err := w.sealer.DueRenewals(t.Context())
	if err != nil || len(due) != 1 || due[0].Action != ers.RenewStamp || due[0].Reason != ers.ByRevocation {
		t.Fatalf("due: %+v, %v", due, err)
	}
	k.pass(time.Hour)
	if done := w.renew(t, sealing.RenewOptions{}); done.Stamps != 1 {
		t.Fatalf("%+v", done)
	}
	if r := w.report(t, a, list[0], mail(0), k.Now(), nil); len(r.Stamps) != 2 {
		t.Errorf("%d stamps", len(r.Stamps))
	}
	if done := w.renew(t, sealing.RenewOptions{}); done.Renewals != 0 {
		t.Errorf("renewed again: %+v", done)
	}
}

// TestCheckpoints has checkpoints and receipts sealed with the batches, and verified by
// nothing but what is handed out.
func TestCheckpoints(t *testing.T) {
	t.Parallel()
	k := newClock()
	w := newWorld(t, archivetest.Options{Now: k.Now})
	a, as := w.Tenant(t, "a")
	w.ingest(t, a, as, 0, 3)
	k.pass(24 * time.Hour)
	owners, err := w.LogOwners(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var day string
	for _, o := range owners {
		r, err := w.MakeReceipt(t.Context(), &o)
		if err != nil {
			t.Fatal(err)
		}
		if o.Tenant == a.ID {
			day = r.Day
		}
	}
	if r := w.now(t); r.Stamped != 1 {
		t.Fatalf("%+v", r)
	}
	auditor := w.As(w.auditor(t, a))
	for round := range 3 {
		row, err := auditor.Receipt(t.Context(), day)
		if err != nil {
			t.Fatal(err)
		}
		w.receiptHolds(t, row.Body, k.Now(), round+1)
		k.pass(time.Hour)
		w.renew(t, sealing.RenewOptions{Hand: []ers.Action{ers.RenewStamp, ers.RenewTree, ers.RenewStamp}[round]})
	}
	stored, err := w.Catalog.Receipt(t.Context(), a.ID, day)
	if err != nil || strings.Contains(stored.Body, `"evidence_record": null`) {
		t.Fatalf("the record is not attached: %v", err)
	}
	p, err := auditor.EventProof(t.Context(), 2)
	if err != nil || p.Receipt.EvidenceRecord == nil {
		t.Fatalf("proof of an event: %v", err)
	}
	gaps, err := w.LogGaps(t.Context())
	if err != nil || len(gaps) != 2 || gaps[0].Stamped == 0 || gaps[1].Stamped == 0 || gaps[1].Gap() > gaps[1].Size {
		t.Fatalf("gaps: %+v, %v", gaps, err)
	}
	if r := w.now(t); r.Batches != 0 { // a log that has grown by itself costs no time stamp
		t.Errorf("%+v", r)
	}
	w.sound(t)
}

// receiptHolds verifies the record of a receipt over the bytes of its checkpoint.
func (w *world) receiptHolds(t *testing.T, body string, at time.Time, stamps int) {
	t.Helper()
	r, err := eventlog.ParseReceipt([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	o := ers.Options{At: at, Anchors: tsp.NewAnchors([]*x509.Certificate{w.tsa.Root()}), Revocation: tsp.RevocationIfPresent}
	v := ers.Verify(t.Context(), r.EvidenceRecord, []ers.Member{{Name: "checkpoint", Data: ers.Bytes(r.Checkpoint)}}, o)
	if v.Verdict != evidence.Valid || len(v.Stamps) != stamps {
		t.Fatalf("record of a checkpoint: %v, %d stamps, %+v", v.Verdict, len(v.Stamps), v.Findings)
	}
	v = ers.Verify(t.Context(), r.EvidenceRecord, []ers.Member{{Name: "checkpoint", Data: ers.Bytes(r.Checkpoint + "x")}}, o)
	if v.Verdict == evidence.Valid {
		t.Fatal("valid for another checkpoint")
	}
}

// TestQuota spends no more than is allowed, whatever is restarted.
func TestQuota(t *testing.T) {
	t.Parallel()
	k := newClock()
	w := newWorld(t, archivetest.Options{Now: k.Now})
	w.set.Authorities[0].Quota = 2
	if err := w.SetSealSetting(t.Context(), archive.SealDraft{Setting: w.set}); err != nil {
		t.Fatal(err)
	}
	a, as := w.Tenant(t, "a")
	for i := range 3 {
		w.ingest(t, a, as, i, 1)
		var err error
		if w.sealer, err = sealing.New(sealing.Config{Archive: w.Archive, Now: k.Now}); err != nil { // a restart
			t.Fatal(err)
		}
		r := w.now(t)
		if want := i == 2; (r.Pending > 0) != want || want && r.Problem.Code != string(tsp.CodeQuota) {
			t.Fatalf("time stamp %d: %+v", i+1, r)
		}
	}
	if s, err := w.sealer.Spent(t.Context()); err != nil || len(s) != 1 || s[0].Spent != 2 || s[0].Remaining != 0 {
		t.Fatalf("spent: %+v, %v", s, err)
	}
	k.pass(31 * 24 * time.Hour)
	if r := w.now(t); r.Pending != 0 || w.asked.Load() != 3 {
		t.Fatalf("next month: %+v, asked %d times", r, w.asked.Load())
	}
}

// auditor makes a user who sees the log.
func (w *world) auditor(t *testing.T, tenant *catalog.Tenant) access.Actor {
	t.Helper()
	return w.User(t, tenant, "audit", access.RoleAuditor, "audit@example.com")
}

// revokeUnit revokes the certificate that signed the newest time stamp, and gives the
// authority another one.
func (w *world) revokeUnit(t *testing.T, reason int) {
	t.Helper()
	heads, err := w.Heads(t.Context())
	if err != nil || len(heads) == 0 {
		t.Fatal(heads, err)
	}
	s, err := w.StampOf(t.Context(), heads[len(heads)-1])
	if err != nil {
		t.Fatal(err)
	}
	token, err := tsp.ParseToken(s.Token)
	if err != nil {
		t.Fatal(err)
	}
	c, err := token.Signer(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.tsa.Revoke(c, reason)
	if err := w.tsa.Renew(); err != nil {
		t.Fatal(err)
	}
}
