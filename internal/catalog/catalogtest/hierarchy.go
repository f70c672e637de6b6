package catalogtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// reseller makes a reseller with a logo and one of its staff.
func (e *env) reseller(t *testing.T, slug string) (*catalog.Reseller, *catalog.User) {
	t.Helper()
	r := &catalog.Reseller{ID: uid.New(at(0)), Slug: slug, Name: "Systemhaus " + slug, Host: slug + ".example", Limits: catalog.Limits{Customers: 2, Mailboxes: 500}, CreatedAt: at(1)}
	must(t, e.CreateReseller(t.Context(), r, instanceEvent("reseller.created")))
	r.Branding = catalog.Branding{Name: "Archiv", Accent: "#0b5b5c", Logo: "hash-" + slug}
	must(t, e.UpdateReseller(t.Context(), r, []byte("png "+slug), instanceEvent("reseller.changed")))
	u := &catalog.User{ID: uid.New(at(0)), Login: "staff-" + slug, Name: "Staff", Role: "reseller", CreatedAt: at(1)}
	must(t, e.AddStaff(t.Context(), r.ID, u, instanceEvent("staff.added")))
	return r, u
}

// order is a tenant with one of everything.
func order(owner uid.ID, slug, reference string) *catalog.NewTenant {
	tenant := &catalog.Tenant{ID: uid.New(at(0)), Slug: slug, Name: slug, Zone: "Europe/Berlin", State: catalog.TenantActive, CreatedAt: at(0)}
	return &catalog.NewTenant{Tenant: tenant, Customers: 2,
		Care:      &catalog.Care{Tenant: tenant.ID, Reseller: owner, CareSettings: catalog.CareSettings{Limits: catalog.Limits{Mailboxes: 10}, Shared: []string{"info@" + slug + ".example"}}},
		Domains:   []*catalog.Domain{{Name: slug + ".example", Tenant: tenant.ID, CreatedAt: at(0)}},
		Sources:   []*catalog.Source{{ID: uid.New(at(0)), Tenant: tenant.ID, Kind: "journal", Name: "Journal", JournalAddress: "j-" + slug + "@journal.example", CreatedAt: at(0)}},
		Users:     []*catalog.User{{ID: uid.New(at(0)), Tenant: tenant.ID, Login: "anna", Name: "Anna", Role: "tenant-admin", CreatedAt: at(0), Addresses: []string{"anna@" + slug + ".example"}}},
		Provision: &catalog.Provision{Owner: owner, Reference: reference, Tenant: tenant.ID, Request: []byte(`{"a":1}`), Answer: []byte(`{"b":2}`), CreatedAt: at(0)},
		Events:    events(0, 2), Instance: []*catalog.Event{instanceEvent("tenant.provisioned")}}
}

func testResellers(t *testing.T, e *env) {
	ctx := t.Context()
	r, u := e.reseller(t, "nord")
	other, _ := e.reseller(t, "sued")
	same(t, "reseller", got(e.Reseller(ctx, r.ID))(t), r)
	same(t, "by slug", got(e.ResellerBySlug(ctx, "sued"))(t), other)
	same(t, "list", got(e.Resellers(ctx))(t), []*catalog.Reseller{r, other})
	same(t, "logo", got(e.Logo(ctx, "hash-nord"))(t), []byte("png nord"))
	same(t, "staff", got(e.Staff(ctx, r.ID))(t), []*catalog.User{u})
	same(t, "reseller of", got(e.ResellerOf(ctx, u.ID))(t), r.ID)
	mustBe(t, "same slug", e.CreateReseller(ctx, &catalog.Reseller{ID: uid.New(at(0)), Slug: "nord"}), catalog.ErrTaken)
	mustBe(t, "same host", e.CreateReseller(ctx, &catalog.Reseller{ID: uid.New(at(0)), Slug: "west", Host: "nord.example"}), catalog.ErrTaken)
	mustBe(t, "same login", e.AddStaff(ctx, other.ID, &catalog.User{ID: uid.New(at(0)), Login: u.Login}), catalog.ErrTaken)
	mustBe(t, "staff of nobody", e.AddStaff(ctx, uid.New(at(0)), &catalog.User{ID: uid.New(at(0)), Login: "x"}), catalog.ErrNotFound)
	mustBe(t, "no staff", second(e.ResellerOf(ctx, uid.New(at(0)))), catalog.ErrNotFound)
	r.Branding.Accent = "#123456"
	must(t, e.UpdateReseller(ctx, r, nil))
	same(t, "the logo stays", got(e.Logo(ctx, "hash-nord"))(t), []byte("png nord"))
	r.Branding.Logo = ""
	must(t, e.UpdateReseller(ctx, r, nil))
	mustBe(t, "the logo is gone", second(e.Logo(ctx, "hash-nord")), catalog.ErrNotFound)
	same(t, "changed", got(e.Reseller(ctx, r.ID))(t), r)
	r.Limits.Customers = 7
	must(t, e.UpdateReseller(ctx, r, nil))
	must(t, e.WarnReseller(ctx, r.ID, func(now *catalog.Reseller) []*catalog.Event {
		now.Warned = map[string]string{"customers": "near"}
		return []*catalog.Event{instanceEvent("limit.reached")}
	}))
	r.Warned = map[string]string{"customers": "near"}
	same(t, "warned, and nothing else", got(e.Reseller(ctx, r.ID))(t), r)
}

func testProvision(t *testing.T, e *env) {
	ctx := t.Context()
	r, _ := e.reseller(t, "nord")
	a := order(r.ID, "a", "order 1")
	must(t, e.AddTenant(ctx, a))
	same(t, "tenant", got(e.Tenant(ctx, a.Tenant.ID))(t), a.Tenant)
	same(t, "care", got(e.Care(ctx, a.Tenant.ID))(t), a.Care)
	same(t, "cares", got(e.Cares(ctx))(t), map[uid.ID]*catalog.Care{a.Tenant.ID: a.Care})
	same(t, "users", got(e.Users(ctx, a.Tenant.ID))(t), a.Users)
	same(t, "sources", got(e.Sources(ctx, a.Tenant.ID))(t), a.Sources)
	same(t, "domains", got(e.DomainsOf(ctx, a.Tenant.ID))(t), a.Domains)
	same(t, "order", got(e.Provision(ctx, r.ID, "order 1"))(t), a.Provision)
	same(t, "order of tenant", got(e.ProvisionOf(ctx, a.Tenant.ID))(t), a.Provision)
	mustBe(t, "another's order", second(e.Provision(ctx, uid.ID{}, "order 1")), catalog.ErrNotFound)
	if list := got(e.Events(ctx, a.Tenant.ID, 0, 10))(t); len(list) != 2 {
		t.Errorf("log of the tenant: %+v", list)
	}
	// All or nothing.
	for what, n := range map[string]*catalog.NewTenant{"reference": order(r.ID, "b", "order 1"), "slug": order(r.ID, "a", "order 2")} {
		mustBe(t, what, e.AddTenant(ctx, n), catalog.ErrTaken)
		mustBe(t, what, second(e.Tenant(ctx, n.Tenant.ID)), catalog.ErrNotFound)
	}
	foreign := order(r.ID, "c", "order 3")
	foreign.Domains[0].Name = "a.example"
	mustBe(t, "domain", e.AddTenant(ctx, foreign), catalog.ErrTaken)
	must(t, e.AddTenant(ctx, order(r.ID, "b", "order 2")))
	mustBe(t, "limit", e.AddTenant(ctx, order(r.ID, "d", "order 4")), catalog.ErrLimit)
	unbound := order(uid.ID{}, "d", "order 1") // the operator's own order
	unbound.Customers = 0
	must(t, e.AddTenant(ctx, unbound))
	if n := len(got(e.Tenants(ctx))(t)); n != 3 {
		t.Errorf("%d tenants", n)
	}
}

func testProvisionTogether(t *testing.T, e *env) {
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 10 {
		n := order(uid.ID{}, "a", "order")
		n.Customers = 0
		wg.Go(func() {
			if err := e.AddTenant(t.Context(), n); err == nil {
				made.Add(1)
			} else {
				mustBe(t, "late", err, catalog.ErrTaken)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d tenants were made", made.Load())
	}
}

func testChangeTenant(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	change := func(list []*catalog.Event) func(*catalog.Tenant, *catalog.Care) ([]*catalog.Event, error) {
		return func(x *catalog.Tenant, k *catalog.Care) ([]*catalog.Event, error) {
			x.State, x.Name, x.Slug, k.Since, k.Limits.Storage = catalog.TenantEnded, "New", "other", at(5), 7
			return list, nil
		}
	}
	must(t, e.ChangeTenant(ctx, tenant, change(nil)))
	if x := got(e.Tenant(ctx, tenant))(t); x.State != catalog.TenantActive {
		t.Errorf("changed without an event: %+v", x)
	}
	must(t, e.ChangeTenant(ctx, tenant, change(events(0, 1))))
	x, k := got(e.Tenant(ctx, tenant))(t), got(e.Care(ctx, tenant))(t)
	if x.State != catalog.TenantEnded || x.Name != "New" || x.Slug != "a" || k.Limits.Storage != 7 || !k.Since.Equal(at(5)) {
		t.Errorf("changed to %+v %+v", x, k)
	}
	mustBe(t, "nobody", e.ChangeTenant(ctx, uid.New(at(0)), change(events(0, 1))), catalog.ErrNotFound)
	if n := got(e.TenantTotals(ctx))(t)[tenant]; n.Messages != 0 {
		t.Errorf("totals %+v", n)
	}
}

func testUsage(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	month := func(m string, counted int64, list ...string) *catalog.Usage {
		return &catalog.Usage{Tenant: tenant, Month: m, Counted: counted, Addresses: list, UsageFigures: catalog.UsageFigures{Messages: 2, Bytes: 10}}
	}
	count := func(u *catalog.Usage) { u.Mailboxes = len(u.Addresses) }
	for _, step := range []struct {
		from int64
		add  bool
		list []*catalog.Usage
	}{
		{0, true, []*catalog.Usage{month("2026-02", 3, "b@a", "a@a"), month("2026-03", 3, "a@a")}},
		{0, false, []*catalog.Usage{month("2026-02", 3, "x@a")}}, // somebody was faster
		{3, true, []*catalog.Usage{month("2026-03", 9, "c@a", "a@a")}},
	} {
		if added := got(e.AddUsage(ctx, tenant, step.from, step.list, count))(t); added != step.add {
			t.Errorf("from %d: added is %v", step.from, added)
		}
	}
	if n := got(e.Counted(ctx, tenant))(t); n != 9 {
		t.Errorf("counted up to %d", n)
	}
	list := got(e.UsageOf(ctx, tenant))(t)
	if len(list) != 2 || list[0].Month != "2026-03" || list[0].Mailboxes != 2 || list[0].Messages != 4 || list[1].Mailboxes != 2 || list[1].Counted != 3 {
		t.Errorf("usage %+v %+v", list[0], list[1])
	}
	same(t, "addresses", list[0].Addresses, []string{"a@a", "c@a"})
	same(t, "of all tenants", got(e.Usages(ctx, "2026-03"))(t), map[uid.ID]*catalog.Usage{tenant: list[0]})
}

func testTokens(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	r, _ := e.reseller(t, "nord")
	token := func(n byte, tenant, reseller uid.ID) *catalog.Token {
		return &catalog.Token{ID: uid.New(at(int(n))), Hash: [32]byte{n}, Tenant: tenant, Reseller: reseller, CreatedAt: at(int(n)), ExpiresAt: at(99),
			TokenSettings: catalog.TokenSettings{Name: "shop", Scopes: []string{"tenants:read"}, By: "user:x", Start: "mun_abc"}}
	}
	a, b, c := token(1, uid.ID{}, uid.ID{}), token(2, tenant, uid.ID{}), token(3, uid.ID{}, r.ID)
	for _, x := range []*catalog.Token{a, b, c} {
		must(t, e.CreateToken(ctx, x, events(0, 1)...))
		same(t, "by hash", got(e.TokenByHash(ctx, x.Hash))(t), x)
		same(t, "list", got(e.Tokens(ctx, x.Tenant, x.Reseller))(t), []*catalog.Token{x})
	}
	b.Used = catalog.TokenUse{At: at(5), Peers: []string{"192.0.2.1"}}
	must(t, e.UseToken(ctx, b))
	must(t, e.UseToken(ctx, b, events(0, 1)...))
	same(t, "used", got(e.TokenByHash(ctx, b.Hash))(t), b)
	foreign := *b
	foreign.Tenant = uid.ID{}
	mustBe(t, "another's", e.DeleteToken(ctx, &foreign), catalog.ErrNotFound)
	must(t, e.DeleteToken(ctx, b, events(0, 1)...))
	mustBe(t, "revoked", second(e.TokenByHash(ctx, b.Hash)), catalog.ErrNotFound)
	mustBe(t, "use of a revoked one", e.UseToken(ctx, b), catalog.ErrNotFound)
}

// A deleted tenant leaves nothing, and its neighbour everything.
func testDeleteTenant(t *testing.T, e *env) {
	ctx := t.Context()
	d := newDamaged(t, e)
	must(t, e.AddTenant(ctx, order(uid.ID{}, "b", "order b")))
	neighbour := got(e.TenantBySlug(ctx, "b"))(t).ID
	e.commit(t, neighbour, batch("first", 3))
	letter := outgoing("letter", 0)
	letter.Tenant = d.tenant
	must(t, e.Enqueue(ctx, letter, []byte("letter")))
	must(t, e.AppendEvents(ctx, d.tenant, events(0, 30))) // enough for a node
	rows := func(table string) (n int) {
		must(t, e.sql.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table+" WHERE tenant = $1", d.tenant[:]).Scan(&n))
		return n
	}
	for _, table := range ofTenants() {
		if rows(table) == 0 {
			t.Errorf("no row in %s to delete", table)
		}
	}
	record := &catalog.Deletion{Tenant: d.tenant, State: catalog.Deleting, Document: []byte(`{"a":1}`), CreatedAt: at(9)}
	mustBe(t, "while a hold is in force", e.BeginDeletion(ctx, record, instanceEvent("tenant.deleting")), catalog.ErrHeld)
	for _, h := range got(e.Holds(ctx, d.tenant, true))(t) {
		h.LiftedAt = at(8)
		must(t, e.RestoreHold(ctx, h))
	}
	must(t, e.BeginDeletion(ctx, record, instanceEvent("tenant.deleting")))
	mustBe(t, "a hold while it is being deleted", e.AddHold(ctx, holdOf(d.tenant, 9), 9), catalog.ErrNotFound)
	mustBe(t, "begun already", e.BeginDeletion(ctx, record), catalog.ErrTaken)
	must(t, e.DeleteTenant(ctx, d.tenant))
	must(t, e.DeleteTenant(ctx, d.tenant)) // again
	record.State = catalog.Deleted
	must(t, e.EndDeletion(ctx, record, instanceEvent("tenant.deleted")))
	same(t, "deletion", got(e.Deletion(ctx, d.tenant))(t), record)
	if list := got(e.Deletions(ctx))(t); len(list) != 2 || list[0].Tenant != d.tenant {
		t.Errorf("deletions: %+v", list)
	}
	mustBe(t, "tenant", second(e.Tenant(ctx, d.tenant)), catalog.ErrNotFound)
	mustBe(t, "user", second(e.User(ctx, d.tenant, d.user.ID)), catalog.ErrNotFound)
	mustBe(t, "message", second(e.Message(ctx, d.tenant, d.batch.Messages[0].AOID)), catalog.ErrNotFound)
	for _, table := range ofTenants() {
		if n := rows(table); n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
	for table, want := range map[string]int{"user_address": 1, "outbox_body": 1} { // the neighbour's and the installation's
		var n int
		must(t, e.sql.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table).Scan(&n))
		if n != want {
			t.Errorf("%d rows in %s, want %d", n, table, want)
		}
	}
	e.sound(t)
	if n := len(got(e.MessagesAfter(ctx, neighbour, 0, 10))(t)); n != 3 {
		t.Errorf("the neighbour has %d messages", n)
	}
}

// ofTenants lists the tables whose rows belong to a tenant, as SQL names them.
func ofTenants() (list []string) {
	all := columns()
	for table, key := range keys() {
		if table == "user" {
			table = `"user"`
		}
		if slices.Contains(strings.Fields(key+" "+all[strings.Trim(table, `"`)]), "tenant") {
			list = append(list, table)
		}
	}
	return list
}

// hierarchyAttempts are the attempts of methods for resellers and the operator, which
// are about tenants and not for them.
func hierarchyAttempts() map[string]struct {
	answer string
	call   attempt
} {
	type try = struct {
		answer string
		call   attempt
	}
	return map[string]try{
		"CountUsers": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.CountUsers(ctx, t) }},
		"Care":       {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Care(ctx, t) }},
		"ChangeTenant": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.ChangeTenant(ctx, t, func(x *catalog.Tenant, _ *catalog.Care) ([]*catalog.Event, error) {
				x.Name = "mine"
				return events(0, 1), nil
			})
		}},
		"DeleteTenant": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return nil, e.DeleteTenant(ctx, t) }},
		"Deletion":     {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Deletion(ctx, t) }},
		"Provision": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.Provision(ctx, t, "order")
		}},
		"ProvisionOf": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.ProvisionOf(ctx, t) }},
		"Counted":     {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Counted(ctx, t) }},
		"UsageOf":     {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.UsageOf(ctx, t) }},
		"StoredBytes": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.StoredBytes(ctx, t) }},
		"AddUsage": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.AddUsage(ctx, t, 0, []*catalog.Usage{{Tenant: t, Month: "2026-03"}}, nil)
		}},
		"TenantSize":    {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.TenantSize(ctx, t) }},
		"GrowthCounted": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.GrowthCounted(ctx, t) }},
		"Growth": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			g, err := e.Growth(ctx, t, catalog.ByDay, "")
			return g.Periods, err
		}},
		"Arrived": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Arrived(ctx, t, "") }},
		"CountGrowth": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.CountGrowth(ctx, t, "2026-03-02", 1)
		}},
		"SwapPasswordHash": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			_, err := e.SwapPasswordHash(ctx, t, of.user.ID, of.user.PasswordHash, "")
			return nil, err
		}},
		"Tokens": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			mine, err := e.Tokens(ctx, t, uid.ID{})
			none, err2 := e.Tokens(ctx, of.user.Tenant, t)
			return append(mine, none...), errors.Join(err, err2)
		}},
		// These take the id of a reseller or of one of its staff.
		"WarnReseller": {denies, func(ctx context.Context, e *env, id uid.ID, _ theirs) (any, error) {
			return nil, e.WarnReseller(ctx, id, func(*catalog.Reseller) []*catalog.Event { return nil })
		}},
		"Reseller":   {denies, func(ctx context.Context, e *env, id uid.ID, _ theirs) (any, error) { return e.Reseller(ctx, id) }},
		"ResellerOf": {denies, func(ctx context.Context, e *env, id uid.ID, _ theirs) (any, error) { return e.ResellerOf(ctx, id) }},
		"Staff":      {empty, func(ctx context.Context, e *env, id uid.ID, _ theirs) (any, error) { return e.Staff(ctx, id) }},
		"AddStaff": {denies, func(ctx context.Context, e *env, id uid.ID, _ theirs) (any, error) {
			return nil, e.AddStaff(ctx, id, &catalog.User{ID: uid.New(at(0)), Login: "x"})
		}},
	}
}
