package importer

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/spool"
)

// The file that a message was made of goes where the message went: nobody is named in
// it that the archive could read.
func TestOriginalsFollow(t *testing.T) {
	t.Parallel()
	for want, domain := range map[catalog.Outcome]string{catalog.Stored: "example.com", catalog.Quarantined: "far.example", catalog.Excluded: ""} {
		t.Run(string(want), func(t *testing.T) {
			t.Parallel()
			env := archivetest.New(t, archivetest.Options{})
			tenant, source := env.Tenant(t, "acme")
			boss := env.As(env.User(t, tenant, "boss", access.RoleTenantAdmin))
			var err error
			if domain == "" {
				err = boss.SetSelection(t.Context(), true, []string{"x@far.example"}, true)
			} else {
				_, err = boss.AddDomain(t.Context(), domain, "")
			}
			if err != nil {
				t.Fatal(err)
			}
			dir, err := spool.Open(filepath.Join(env.Dir, "spool", "files"))
			if err != nil {
				t.Fatal(err)
			}
			head := "From: anna@example.com\r\nTo: ben@example.com\r\n" + strings.Repeat("X-Fill: ....................\r\n", 200)
			from := tree(t, map[string]string{"a.msg": compoundOf("__substg1.0_007D001E", []byte(head))})
			rep, err := Run(t.Context(), Config{Archive: env, Spool: dir, Tenant: tenant.ID, Source: source.ID, Paths: []string{from}, State: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			got := map[catalog.Outcome]int64{catalog.Stored: rep.Stored, catalog.Quarantined: rep.Quarantined, catalog.Excluded: rep.Excluded}
			if got[want] != 2 || rep.Offered() != 2 {
				t.Errorf("%+v", rep)
			}
		})
	}
}
