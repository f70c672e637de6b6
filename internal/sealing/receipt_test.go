package sealing_test

import (
	"slices"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/evidence"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/offline"
	"github.com/muniment/muniment/internal/sealing"
)

// The comparisons of receipts look at their evidence records, and find one that proves
// something else.
func TestReceiptRecords(t *testing.T) {
	t.Parallel()
	k := newClock()
	w := newWorld(t, archivetest.Options{Now: k.Now})
	a, as := w.Tenant(t, "a")
	auditor := w.As(w.auditor(t, a))
	var days []string
	for day := range 2 {
		w.ingest(t, a, as, day, 1)
		k.pass(24 * time.Hour)
		owners, err := w.LogOwners(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range owners {
			r, err := w.MakeReceipt(t.Context(), &o)
			if err != nil {
				t.Fatal(err)
			}
			if o.Tenant == a.ID {
				days = append(days, r.Day)
			}
		}
		if day == 0 {
			w.now(t)
		}
	}
	compare := func(verdict eventlog.Verdict, first, second string) {
		t.Helper()
		c, err := auditor.CompareReceipts(t.Context(), given(days...))
		if err != nil || c.Verdict != verdict {
			t.Fatalf("%v: %+v", err, c.Comparison)
		}
		for i, want := range []string{first, second} {
			got := "none"
			if r := c.Stamps[days[i]]; r != nil {
				got = r.Verdict.String()
			}
			if got != want {
				t.Errorf("record of the receipt %d is %s, want %s", i+1, got, want)
			}
		}
	}
	audit := func(receipts, stamped, found int64) *archive.AuditReport {
		t.Helper()
		r, err := auditor.Audit(t.Context())
		if err != nil || r.Receipts != receipts || r.Stamped != stamped || r.Found != found {
			t.Fatalf("%v: %+v", err, r)
		}
		return r
	}
	compare(eventlog.Valid, "valid", "none")
	audit(2, 1, 0)
	k.pass(time.Hour)
	w.now(t)
	k.pass(time.Hour)
	w.renew(t, sealing.RenewOptions{Hand: ers.RenewTree})
	k.pass(time.Hour)
	compare(eventlog.Valid, "valid", "valid")
	audit(2, 2, 0)

	one, err := auditor.Receipt(t.Context(), days[0])
	if err != nil {
		t.Fatal(err)
	}
	r, err := eventlog.ParseReceipt([]byte(one.Body))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AttachRecord(t.Context(), a.ID, days[1], r.EvidenceRecord); err != nil { // the record of another day
		t.Fatal(err)
	}
	found := audit(2, 1, 1)
	if !slices.ContainsFunc(found.Findings, func(f archive.AuditFinding) bool { return f.Code == archive.AuditReceipt && f.Object == days[1] }) {
		t.Errorf("%+v", found.Findings)
	}
	bad, err := w.Catalog.Receipt(t.Context(), a.ID, days[1])
	if err != nil {
		t.Fatal(err)
	}
	c, err := auditor.CompareReceipts(t.Context(), given(days[0], bad.Body))
	if err != nil || c.Verdict != eventlog.Invalid || len(c.Findings) != 1 || c.Findings[0].Code != offline.CodeRecordInvalid {
		t.Fatalf("a record of another receipt: %v, %+v", err, c)
	}
	if n := len(c.Stamps); n != 2 || c.Stamps[days[0]].Verdict != evidence.Valid {
		t.Errorf("%d records were judged", n)
	}
}

// given are receipts that are to be compared.
func given(which ...string) (list []archive.GivenReceipt) {
	for _, w := range which {
		list = append(list, archive.GivenReceipt{Which: w})
	}
	return list
}
