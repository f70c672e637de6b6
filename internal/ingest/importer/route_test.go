package importer

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/spool"
	"github.com/muniment/muniment/internal/uid"
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
			if want == catalog.Quarantined {
				decideTogether(t, env, boss, tenant.ID)
			}
		})
	}
}

// decideTogether decides on the message; the file that it was made of goes with it.
func decideTogether(t *testing.T, env *archivetest.Env, boss *archive.Handle, tenant uid.ID) {
	t.Helper()
	list, err := env.Catalog.Quarantine(t.Context(), tenant, catalog.QuarantineFilter{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	var made []uid.ID
	for _, e := range list {
		if len(e.Parties) > 0 {
			made = append(made, e.AOID)
		}
	}
	for _, state := range []catalog.QuarantineState{catalog.Kept, catalog.Released} {
		if n, err := boss.Decide(t.Context(), made, state, "we know"); len(made) != 1 || n != 2 || err != nil {
			t.Errorf("%s: %d of %d, %v", state, n, len(made), err)
		}
		count, err := env.Catalog.CountQuarantine(t.Context(), tenant)
		if err != nil || count[state] != 2 {
			t.Errorf("%v, %v", count, err)
		}
	}
	if n, err := boss.Decide(t.Context(), made, catalog.Released, ""); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
}
