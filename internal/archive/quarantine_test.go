package archive_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// TestQuarantineIsRebuilt loses the catalog: what was decided is in the vault.
func TestQuarantineIsRebuilt(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		o.Dir = t.TempDir()
		r := newRouted(t, o, "firma.example")
		ctx := t.Context()
		if _, err := r.As(r.admin).AddDomain(ctx, "firma.test", "firma.example"); err != nil {
			t.Fatal(err)
		}
		if err := r.As(r.admin).SetSelection(ctx, true, []string{"anna@firma.example"}, true); err != nil {
			t.Fatal(err)
		}
		var ids []uid.ID
		for i := range 4 {
			ids = append(ids, r.offer(mailOf("x@far.example", "y@far.example", fmt.Sprint("strange", i)), func(s *archive.Submission) { s.Origin = fmt.Sprint(i) }).AOID)
		}
		decide := func(id uid.ID, state catalog.QuarantineState, note string) {
			if n, err := r.As(r.admin).Decide(ctx, []uid.ID{id}, state, note); n != 1 || err != nil {
				t.Fatalf("%d, %v", n, err)
			}
		}
		if _, err := r.As(r.admin).Decide(ctx, ids[:1], catalog.Kept, " "); !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("kept without a reason: %v", err)
		}
		decide(ids[0], catalog.Kept, "spam")
		decide(ids[1], catalog.Kept, "who knows")
		// A later arrival names somebody; he is known after the release. What was to be
		// kept stays where it is until then.
		r.offer(mailOf("x@far.example", "y@far.example", "strange1"), func(s *archive.Submission) { s.EnvelopeTo = []string{"anna@firma.example"} })
		r.finds(r.anna)
		decide(ids[1], catalog.Released, "ours")
		r.finds(r.anna, "strange1")
		before := r.accounts()
		rebuild := func() {
			t.Helper()
			out, err := r.Rebuild(ctx, nil)
			if err != nil || len(out.Damaged) > 0 {
				t.Fatalf("%+v, %v", out, err)
			}
			if err := r.Reindex(ctx, r.tenant.ID); err != nil { // otherwise the next start does
				t.Fatal(err)
			}
			want := map[uid.ID]catalog.QuarantineState{ids[0]: catalog.Kept, ids[1]: catalog.Released, ids[2]: catalog.Waiting, ids[3]: catalog.Waiting}
			got := map[uid.ID]catalog.QuarantineState{}
			for _, e := range must(r.Catalog.Quarantine(ctx, r.tenant.ID, catalog.QuarantineFilter{}, 99))(t) {
				got[e.AOID] = e.State
				if e.AOID == ids[0] && (e.Note != "spam" || e.DecidedBy != "user:"+r.admin.User.String() || e.Reason != archive.ReasonDomain || e.Subject != "strange0") {
					t.Errorf("%+v", e)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			r.finds(r.anna, "strange1")
			r.intact()
		}
		rebuild()
		r.wantAccounts(before)
		if _, err := r.Compact(ctx, r.tenant.ID, true); err != nil {
			t.Fatal(err)
		}
		r.intact()
		rebuild()
		r.wantAccounts(before)
		if o.DSN != "" {
			return
		}
		// The catalog is lost altogether.
		r.Close()
		r.Env = archivetest.New(t, archivetest.Options{Dir: o.Dir, DSN: "sqlite:" + t.TempDir() + "/new.db"})
		rebuild()
		after := maps.Clone(before)
		delete(after, catalog.Repeated)
		r.wantAccounts(after)
		var names []string
		for _, d := range must(r.Catalog.DomainsOf(ctx, r.tenant.ID))(t) {
			names = append(names, d.Name+"<"+d.Main)
		}
		if diff := cmp.Diff([]string{"firma.example<", "firma.test<firma.example"}, names); diff != "" {
			t.Error(diff)
		}
		s := must(r.Catalog.Selection(ctx, r.tenant.ID))(t)
		if !s.Enabled || !slices.Equal(s.Addresses, []string{"anna@firma.example"}) {
			t.Errorf("%+v", s)
		}
	})
}

// TestNewDomainOffersRelease: what waits for a domain that is added is offered.
func TestNewDomainOffersRelease(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{}, "else.example")
	ctx := t.Context()
	for i := range 3 {
		r.offer(mailOf("x@far.example", "anna@firma.example", fmt.Sprint("m", i)))
	}
	r.offer(mailOf("x@far.example", "y@far.example", "strange"))
	d, err := r.As(r.admin).AddDomain(ctx, "firma.example", "")
	if err != nil || d.Waiting != 3 {
		t.Fatalf("%+v, %v", d, err)
	}
	n, more, err := r.As(r.admin).ReleaseBelonging(ctx, "firma.example", "new domain")
	if n != 3 || more || err != nil {
		t.Errorf("%d, %v, %v", n, more, err)
	}
	r.finds(r.anna, "m0", "m1", "m2")
	if c := must(r.As(r.admin).CountQuarantine(ctx))(t); c[catalog.Waiting] != 1 || c[catalog.Released] != 3 {
		t.Errorf("%v", c)
	}
}
