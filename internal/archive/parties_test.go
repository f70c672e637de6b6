package archive_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archivetest"
)

// TestOddAddressesAreSeen archives mail whose To field is written in odd ways:
// its recipient sees it.
func TestOddAddressesAreSeen(t *testing.T) {
	t.Parallel()
	e := archivetest.New(t, archivetest.Options{})
	tenant, source := e.Tenant(t, "acme")
	anna := e.As(e.User(t, tenant, "anna", access.RoleUser, "anna@acme.example"))
	var many strings.Builder
	for i := range 12_000 {
		fmt.Fprintf(&many, "r%d@list.example,\r\n ", i)
	}
	for i, to := range []string{
		"anna(comment)@acme.example", "anna @ acme.example", "anna@ acme.example", "<anna@acme.example (x)>", "anna@(c)acme.example", "anna\r\n @acme.example",
		"'anna@acme.example'", "[anna@acme.example]", "j@x.example anna@acme.example", "mailto:anna@acme.example", many.String() + "anna@acme.example",
	} {
		r := ingest(t, e, source, mail("j@x.example", to, fmt.Sprint("Odd ", i), "text"))
		if v, err := anna.Message(t.Context(), r.AOID); err != nil || len(v.Why) != 1 {
			t.Errorf("To: %.60q: %v", to, err)
		}
	}
}
