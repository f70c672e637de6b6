package archive_test

import (
	"testing"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/journal/journaltest"
	"github.com/muniment/muniment/internal/uid"
)

// A report with several messages is kept whole or not at all: each of them is a piece
// of it.
func TestMessagesOfOneReportStayTogether(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		r := newRouted(t, o)
		if err := r.As(r.admin).SetSelection(t.Context(), true, []string{"anna@firma.example"}, true); err != nil {
			t.Fatal(err)
		}
		ours, theirs := mailOf("anna@firma.example", "x@far.example", "ours"), mailOf("y@far.example", "x@far.example", "theirs")
		report := func(inner ...[]byte) []byte {
			return journaltest.Build(journaltest.Options{Sender: "y@far.example", Subject: "s", Inner: inner,
				Recipients: []journaltest.Recipient{{Key: "To", Address: "x@far.example"}}})
		}
		more := mailOf("y@far.example", "x@far.example", "more")
		if rec := r.offer(report(theirs, more)); rec.Outcome != catalog.Excluded {
			t.Errorf("nothing of ours: %+v", rec)
		}
		if rec := r.offer(report(theirs, ours)); rec.Outcome != catalog.Stored {
			t.Errorf("the second is ours: %+v", rec)
		}
		if rec := r.offer(report(ours, mailOf("y@far.example", "x@far.example", "other"))); rec.Outcome != catalog.Duplicate {
			t.Errorf("the first is there: %+v", rec)
		}
		if rec := r.offer(report(theirs, more)); rec.Outcome != catalog.Duplicate { // as it is there, more has to come, too
			t.Errorf("the first is there, and not ours: %+v", rec)
		}
		r.finds(r.anna, "ours")
		r.wantAccounts(map[catalog.Outcome]int64{catalog.Excluded: 1, catalog.Stored: 1, catalog.Duplicate: 2})
		r.intact()
	})
}

// What is another form of a message goes where that went.
func TestFollowing(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{}, "firma.example")
	for _, want := range []catalog.Outcome{catalog.Quarantined, catalog.Excluded, catalog.Stored} {
		raw := append(mailOf("", "", string(want)), "anna@firma.example"...)
		if rec := r.offer(raw, func(s *archive.Submission) { s.Follows = want }); rec.Outcome != want {
			t.Errorf("%s: %+v", want, rec)
		}
	}
	r.intact()
}

// What is released on the command line is found at once: nobody else would tell the
// index of it.
func TestReleasedOnTheCommandLineIsIndexed(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{}, "other.example")
	rec := r.offer(mailOf("anna@firma.example", "x@far.example", "late"))
	if _, err := r.Decide(t.Context(), r.tenant.ID, []uid.ID{rec.AOID}, catalog.Released, ""); err != nil {
		t.Fatal(err)
	}
	if got := r.found(r.anna); len(got) != 1 {
		t.Errorf("found %v", got)
	}
}
