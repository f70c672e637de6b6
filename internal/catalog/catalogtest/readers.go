package catalogtest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// testReadersAndWriters has readers meet rows that somebody is changing: they
// see the state before or after, and never one that looks like damage.
func testReadersAndWriters(t *testing.T, e *env) {
	const perWriter = 12
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	u := e.user(t, tenant, "anna", "anna@example.com")
	s := e.source(t, tenant, "files")
	b := e.commit(t, tenant, batch("first", 3))
	must(t, e.CreateSession(ctx, &catalog.Session{TokenHash: [32]byte{1}, User: u.ID, Tenant: tenant, ExpiresAt: at(9)}))
	done := make(chan struct{})
	var writers, readers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for i := range perWriter {
				n := w*100 + i
				changed := *u
				changed.Addresses = nil
				for a := range n % 4 {
					changed.Addresses = append(changed.Addresses, fmt.Sprintf("%d-%d@example.com", n, a))
				}
				renamed := *s
				renamed.Name = fmt.Sprint("files ", n)
				for what, err := range map[string]error{
					"user": e.updateUser(ctx, &changed), "source": e.UpdateSource(ctx, &renamed), "session": e.TouchSession(ctx, [32]byte{1}, at(n), at(n+9)),
					"tenant":  e.UpdateTenant(ctx, &catalog.Tenant{ID: tenant, Name: fmt.Sprint(n), State: catalog.TenantActive}),
					"facts":   e.UpdateFacts(ctx, tenant, b.Messages[0].AOID, catalog.Described{Category: fmt.Sprint(n)}),
					"events":  e.AppendEvents(ctx, tenant, events(n, 2)),
					"account": e.AddAccount(ctx, tenant, b.Accounts[0]),
					"parties": e.Commit(ctx, tenant, &catalog.Batch{Parties: parties(b.Messages[1], n)}),
				} {
					if err != nil {
						t.Errorf("write %s: %v", what, err)
					}
				}
			}
		})
	}
	read := func() {
		for what, err := range map[string]error{
			"user": second(e.User(ctx, tenant, u.ID)), "users": second(e.Users(ctx, tenant)), "by login": second(e.UsersByLogin(ctx, "anna")),
			"source": second(e.Source(ctx, tenant, s.ID)), "session": second(e.Session(ctx, [32]byte{1})), "tenants": second(e.Tenants(ctx)),
			"messages": second(e.MessagesAfter(ctx, tenant, 0, 9)), "events": second(e.Events(ctx, tenant, 0, 999)), "accounts": second(e.Accounts(ctx, tenant, "", "")),
			"statistics": second(e.Statistics(ctx, tenant, at(0))), "check": e.Check(ctx, func(err error) { t.Errorf("check finds %v", err) }),
		} {
			if err != nil {
				t.Errorf("read %s: %v", what, err)
			}
		}
	}
	for range 3 {
		readers.Go(func() {
			for {
				read()
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	if list := got(e.Accounts(ctx, tenant, "", ""))(t); len(list) != 1 || list[0].Count != 3+2*perWriter*3 {
		t.Errorf("account = %v, want %d", list, 3+2*perWriter*3)
	}
	if m := got(e.Message(ctx, tenant, b.Messages[1].AOID))(t); len(m.Parties) != 2+2*perWriter {
		t.Errorf("%d parties, want %d", len(m.Parties), 2+2*perWriter)
	}
}

// parties adds one address to m.
func parties(m *catalog.Message, n int) map[uid.ID][]catalog.Party {
	return map[uid.ID][]catalog.Party{m.AOID: {{Role: "envelope-to", Address: fmt.Sprintf("%d@example.com", n)}}}
}
