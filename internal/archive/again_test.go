package archive_test

import (
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// TestSentAgain: the sender of what went to quarantine was told that it has arrived. If it
// comes once more when it belongs here, whoever it is for sees it.
func TestSentAgain(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		r := newRouted(t, o, "firma.example")
		ctx := t.Context()
		same := func(s *archive.Submission) { s.Origin = "box/1" }
		early := mailOf("x@far.example", "berta@neu.example", "early")
		if rec := r.offer(early, same); rec.Outcome != catalog.Quarantined {
			t.Fatalf("%+v", rec)
		}
		if rec := r.offer(early); rec.Outcome != catalog.Duplicate {
			t.Fatalf("%+v", rec)
		}
		blind := r.offer(mailOf("x@far.example", "y@far.example", "blind"))
		r.finds(r.anna)

		// A copy that names somebody of the tenant.
		r.offer(mailOf("x@far.example", "y@far.example", "blind"), func(s *archive.Submission) { s.EnvelopeTo = []string{"anna@firma.example"} })
		r.finds(r.anna, "blind")
		// The very same item of the source, after the domain was added.
		if _, err := r.As(r.admin).AddDomain(ctx, "neu.example", ""); err != nil {
			t.Fatal(err)
		}
		berta := r.User(t, r.tenant, "berta", access.RoleUser, "berta@neu.example")
		r.finds(berta)
		if rec := r.offer(early, same); rec.Outcome != catalog.Repeated {
			t.Fatalf("%+v", rec)
		}
		r.finds(berta, "early")

		page, err := r.As(r.admin).Quarantine(ctx, archive.QuarantineRequest{Limit: 9})
		if err != nil || len(page.Items) != 2 {
			t.Fatalf("%+v, %v", page, err)
		}
		for _, v := range page.Items {
			if v.State != catalog.Released || v.DecidedBy != r.source.Name {
				t.Errorf("%s: %s by %q", v.Subject, v.State, v.DecidedBy)
			}
		}
		if n, err := r.As(r.admin).Decide(ctx, []uid.ID{blind.AOID}, catalog.Released, ""); n != 0 || err != nil {
			t.Errorf("released twice: %d, %v", n, err)
		}
	})
}
