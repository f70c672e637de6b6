package archive_test

import (
	"errors"
	"testing"

	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
)

func TestSelection(t *testing.T) {
	both(t, func(t *testing.T, o archivetest.Options) {
		r := newRouted(t, o, "firma.example")
		ctx := t.Context()
		h := r.As(r.admin)
		if _, err := h.AddDomain(ctx, "firma.test", "firma.example"); err != nil {
			t.Fatal(err)
		}
		if err := h.SetSelection(ctx, true, []string{"Anna@firma.example"}, false); !errors.Is(err, archive.ErrUnconfirmed) {
			t.Errorf("unconfirmed: %v", err)
		}
		if err := h.SetSelection(ctx, true, []string{"Anna@firma.example"}, true); err != nil {
			t.Fatal(err)
		}
		private := mailOf("carla@firma.example", "x@far.example", "secret-canary")
		for _, c := range []struct {
			raw  []byte
			want catalog.Outcome
		}{
			{mailOf("x@far.example", "anna@firma.example", "hers"), catalog.Stored},
			{mailOf("x@far.example", "anna@firma.test", "alias"), catalog.Stored},
			{private, catalog.Excluded}, {private, catalog.Excluded},
			{mailOf("x@far.example", "y@far.example", "strange"), catalog.Quarantined},
		} {
			if rec := r.offer(c.raw); rec.Outcome != c.want || rec.AOID.IsZero() != (c.want == catalog.Excluded) {
				t.Errorf("%.60q: %+v", c.raw, rec)
			}
		}
		r.wantAccounts(map[catalog.Outcome]int64{catalog.Stored: 2, catalog.Excluded: 2, catalog.Quarantined: 1})
		for _, a := range must(r.Catalog.Accounts(ctx, r.tenant.ID, "", ""))(t) {
			if a.Outcome == catalog.Excluded && a.Bytes != int64(2*len(private)) {
				t.Errorf("excluded: %+v", a)
			}
		}
		n := 0
		for _, e := range must(r.Catalog.Events(ctx, r.tenant.ID, 0, 1000))(t) {
			if e.Action == "selection.changed" {
				n++
				if e.Actor != "user:"+r.admin.User.String() || e.Details["before"] != "off" || e.Details["after"] != "on" || e.Details["added"] != "anna@firma.example" {
					t.Errorf("%+v", e)
				}
			}
		}
		if n != 1 {
			t.Errorf("%d events", n)
		}
		// Off again needs no confirmation; and it is on record who did.
		if err := h.SetSelection(ctx, false, nil, false); err != nil {
			t.Fatal(err)
		}
		if rec := r.offer(private); rec.Outcome != catalog.Stored {
			t.Errorf("after it was switched off: %+v", rec)
		}
		r.intact()
	})
}

// What names nobody is nobody's to leave out.
func TestSelectionOfWhatNamesNobody(t *testing.T) {
	t.Parallel()
	r := newRouted(t, archivetest.Options{})
	if err := r.As(r.admin).SetSelection(t.Context(), true, []string{"anna@firma.example"}, true); err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string]catalog.Outcome{
		"Subject: lost\r\n\r\nText\r\n":                              catalog.Quarantined,
		"not even a header\r\n":                                      catalog.Quarantined,
		"To: undisclosed-recipients:;\r\nSubject: x\r\n\r\nText\r\n": catalog.Quarantined,
		string(mailOf("x@far.example", "y@far.example", "strange")):  catalog.Excluded,
	} {
		if rec := r.offer([]byte(raw)); rec.Outcome != want {
			t.Errorf("%.40q: %s, want %s", raw, rec.Outcome, want)
		}
	}
	r.intact()
}
