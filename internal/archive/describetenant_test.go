package archive

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// What the vault remembers of a tenant fits, whatever its sources, and journal
// addresses are the last to be left out.
func TestTenantDescriptionIsBounded(t *testing.T) {
	t.Parallel()
	tenant := &catalog.Tenant{Slug: "acme", Name: "Acme", Zone: "Europe/Berlin", CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 6000000, time.UTC)}
	for _, n := range []int{0, 1, 100, 5000} {
		var list []*catalog.Source
		journals := 0
		for i := range n {
			s := &catalog.Source{ID: uid.New(time.Now()), Kind: KindImport, Name: fmt.Sprintf("Import %d", i), Category: "post"}
			if i%50 == 0 {
				s.Kind, s.JournalAddress = KindJournal, fmt.Sprintf("j-%020d@journal.example.com", i)
				journals++
			}
			list = append(list, s)
		}
		b, err := tenantDescription(tenant, list, tenantData{})
		if err != nil || len(b) > vault.MaxTenantData {
			t.Fatalf("%d sources: %d bytes, %v", n, len(b), err)
		}
		again, err := tenantDescription(tenant, list, tenantData{})
		if err != nil || string(again) != string(b) {
			t.Errorf("%d sources: the description is not always the same", n)
		}
		var d tenantData
		if err := json.Unmarshal(b, &d); err != nil {
			t.Fatal(err)
		}
		kept := 0
		for _, s := range d.Sources {
			if s.JournalAddress != "" {
				kept++
			}
		}
		if len(d.Sources)+d.SourcesLeftOut != n || kept != journals || (d.SourcesLeftOut > 0) != (n > 100) {
			t.Errorf("%d sources: %d are in, %d left out, %d of %d journals", n, len(d.Sources), d.SourcesLeftOut, kept, journals)
		}
	}
}
