package catalogtest

import (
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func testDomainProofs(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	p := &catalog.DomainProof{Name: "müller.example", Tenant: tenant, CheckedAt: at(2), Problem: "missing"}
	mustBe(t, "of no domain", e.SetDomainProof(ctx, p), catalog.ErrNotFound)
	must(t, e.AddDomain(ctx, &catalog.Domain{Name: p.Name, Tenant: tenant, CreatedAt: at(1)}))
	must(t, e.SetDomainProof(ctx, p))
	same(t, "proofs", got(e.DomainProofs(ctx, tenant))(t), map[string]*catalog.DomainProof{p.Name: p})
	p.ProvenAt, p.Problem = at(3), ""
	must(t, e.SetDomainProof(ctx, p, events(0, 1)[0]))
	same(t, "proofs", got(e.DomainProofs(ctx, tenant))(t), map[string]*catalog.DomainProof{p.Name: p})
	theirs := *p
	theirs.Tenant = other
	mustBe(t, "of another tenant's domain", e.SetDomainProof(ctx, &theirs), catalog.ErrNotFound)
	if n := got(e.LogSizes(ctx))(t); n[tenant] != 1 || n[uid.ID{}] != 0 {
		t.Errorf("events: %v", n)
	}
	// Whoever gets the domain afterwards has to prove it anew.
	must(t, e.RemoveDomain(ctx, tenant, p.Name))
	must(t, e.AddDomain(ctx, &catalog.Domain{Name: p.Name, Tenant: tenant, CreatedAt: at(1)}))
	if list := got(e.DomainProofs(ctx, tenant))(t); len(list) != 0 {
		t.Errorf("the proof outlives the domain: %v", list)
	}
}
