package archive_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archivetest"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/tresor"
	"github.com/muniment/muniment/internal/uid"
)

// twoParts is a package whose second data object is not protected.
func twoParts() *tresor.Package {
	p := &tresor.Package{ID: "PKG", Versions: []tresor.Version{{ID: "V001", Retention: "2100-01-01", Units: []tresor.Unit{{ID: "U", Protected: []string{"A", "B"}, Unprotected: []string{"C"}}}}}}
	for _, id := range []string{"A", "B", "C"} {
		o := &tresor.Object{Attributes: tresor.Attributes{Kind: tresor.KindData, ID: id, Mime: "text/plain"}}
		o.SetBytes([]byte("content of " + id))
		p.Objects = append(p.Objects, o)
	}
	p.Objects[1].SetBytes(nil) // one may be empty
	return p
}

// What the evidence covers of a version are the metadata and its protected parts, also
// after everything was made anew from the vault and merged.
func TestPartsOfAVersion(t *testing.T) {
	onBoth(t, func(t *testing.T, e *archivetest.Env) {
		tenant, _ := e.Tenant(t, "acme")
		anna := e.As(e.User(t, tenant, "anna", access.RoleTenantAdmin, "anna@example.com"))
		r, object, err := e.Submit(t.Context(), tenant.ID, twoParts())
		if err != nil || r.Major != tresor.OK {
			t.Fatalf("%+v, %v", r, err)
		}
		if _, again, err := e.Submit(t.Context(), tenant.ID, twoParts()); err != nil || again == object {
			t.Fatalf("once more: %s and %s, %v", object, again, err)
		}
		if err := e.AwaitIndex(t.Context(), tenant.ID); err != nil {
			t.Fatal(err)
		}
		if got := find(t, anna, ""); len(got) != 0 {
			t.Errorf("people find %v", got)
		}
		check := func() {
			t.Helper()
			known, read, err := e.PartSums(t.Context(), tenant.ID, object, algo.SHA256)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(known, read); d != "" || len(read) != 3 {
				t.Errorf("%d members: %s", len(read), d)
			}
			for _, content := range []string{"content of A", ""} {
				sum := sha256.Sum256([]byte(content))
				if !slices.ContainsFunc(known, func(b []byte) bool { return string(b) == string(sum[:]) }) {
					t.Errorf("%q is not covered", content)
				}
			}
			if _, read, err = e.PartSums(t.Context(), tenant.ID, object, algo.SHA512); err != nil {
				t.Fatal(err)
			}
			if sum := sha512.Sum512([]byte("content of A")); string(read[1]) != string(sum[:]) {
				t.Errorf("by SHA-512: %x", read[1])
			}
			findings(t, e, nil)
		}
		check()
		must(e.Rebuild(t.Context(), nil))(t)
		check()
	})
}

// All versions of a package are archived in one transaction: after a crash there are all
// or none.
func TestVersionsTogether(t *testing.T) {
	onBoth(t, func(t *testing.T, e *archivetest.Env) {
		tenant, _ := e.Tenant(t, "acme")
		p := twoParts()
		for _, id := range []string{"V002", "V003"} {
			v := p.Versions[0]
			v.ID, v.Units = id, []tresor.Unit{{ID: "U" + id, Protected: []string{"A", "B"}}}
			p.Versions = append(p.Versions, v)
		}
		r, object, err := e.Submit(t.Context(), tenant.ID, p)
		if err != nil || r.Major != tresor.OK {
			t.Fatalf("%+v, %v", r, err)
		}
		segments := map[uid.ID]int{}
		err = e.Catalog.WalkMessages(t.Context(), tenant.ID, func(m *catalog.Message, err error) error {
			segments[m.Segment]++
			return err
		})
		if err != nil || len(segments) != 1 {
			t.Errorf("the versions of %s are in %d segments: %v, %v", object, len(segments), segments, err)
		}
		for _, n := range segments {
			if n != 3 {
				t.Errorf("%d versions, want 3", n)
			}
		}
		findings(t, e, nil)
	})
}
