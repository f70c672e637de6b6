package folder

import (
	"slices"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
)

// Mail among the files goes where the rules of the tenant say, and each file has one
// account; documents belong to their owners whatever the rules.
func TestRoutedMail(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	boss := r.env.As(r.env.User(t, r.tenant, "boss", access.RoleTenantAdmin))
	_, err := boss.AddDomain(t.Context(), "example.com", "")
	r.must(err)
	r.must(boss.SetSelection(t.Context(), true, []string{"anna@example.com"}, true))
	r.put("ours.eml", letter)
	r.put("stranger.eml", strings.ReplaceAll(letter, "example.com", "far.example"))
	r.put("other.eml", strings.ReplaceAll(letter, "anna", "carla"))
	r.put("invoice.pdf", "%PDF-1.7")
	r.settle()
	if got, want := r.tree(), []string{"done/invoice.pdf", "done/ours.eml", "done/stranger.eml", "failed/other.eml", "failed/other.eml.txt"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if s := r.s.state; s.Stored != 3 || s.Known != 0 || s.Failed != 1 {
		t.Errorf("%+v", s)
	}
	list, err := r.env.Catalog.Accounts(t.Context(), r.tenant.ID, "", "")
	r.must(err)
	got := map[catalog.Outcome]int64{}
	for _, a := range list {
		got[a.Outcome] += a.Count
	}
	if got[catalog.Stored] != 2 || got[catalog.Quarantined] != 1 || got[catalog.Excluded] != 1 || got[catalog.Refused] != 0 {
		t.Errorf("%v", got)
	}
}
