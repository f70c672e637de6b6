package catalogtest

import (
	"errors"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

func testSessionList(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	anna, bernd := e.user(t, tenant, "anna"), e.user(t, tenant, "bernd")
	session := func(n byte, u *catalog.User) *catalog.Session {
		return &catalog.Session{TokenHash: [32]byte{n}, ID: uid.New(at(int(n))), User: u.ID, Tenant: tenant, CreatedAt: at(int(n)), SeenAt: at(int(n)),
			ExpiresAt: at(100), ConfirmedAt: at(int(n)), Method: "password", Stage: catalog.StageSecond, Tries: 2, Challenge: []byte(`{"a":1}`)}
	}
	first, second, other := session(1, anna), session(2, anna), session(3, bernd)
	for _, s := range []*catalog.Session{first, second, other} {
		must(t, e.CreateSession(ctx, s, events(0, 1)...))
	}
	same(t, "sessions", got(e.Sessions(ctx, tenant, anna.ID))(t), []*catalog.Session{second, first})
	mustBe(t, "session of another", e.EndSession(ctx, tenant, bernd.ID, first.ID), catalog.ErrNotFound)
	refused := errors.New("refused")
	mustBe(t, "refused change", e.UpdateSession(ctx, first.TokenHash, func(s *catalog.Session) error { s.Tries = 9; return refused }), refused)
	must(t, e.UpdateSession(ctx, first.TokenHash, func(s *catalog.Session) error { s.Tries, s.Challenge = s.Tries+1, nil; return nil }))
	first.Tries, first.Challenge = 3, nil
	same(t, "changed", got(e.Session(ctx, first.TokenHash))(t), first)
	third := session(4, anna)
	must(t, e.ReplaceSession(ctx, first.TokenHash, third, events(0, 1)...))
	mustBe(t, "replace again", e.ReplaceSession(ctx, first.TokenHash, session(5, anna)), catalog.ErrNotFound)
	same(t, "sessions", got(e.Sessions(ctx, tenant, anna.ID))(t), []*catalog.Session{third, second})
	must(t, e.EndSessions(ctx, tenant, anna.ID, second.TokenHash, events(0, 1)...))
	same(t, "sessions", got(e.Sessions(ctx, tenant, anna.ID))(t), []*catalog.Session{second})
	must(t, e.EndSession(ctx, tenant, anna.ID, second.ID))
	same(t, "of another", got(e.Sessions(ctx, tenant, bernd.ID))(t), []*catalog.Session{other})
	e.sound(t)
}

func testLinks(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	anna := e.user(t, tenant, "anna", "anna@example.com")
	link := func(n byte, purpose string) *catalog.Link {
		return &catalog.Link{TokenHash: [32]byte{n}, User: anna.ID, Tenant: tenant, Purpose: purpose, CreatedAt: at(1), ExpiresAt: at(int(n) * 10)}
	}
	for n, purpose := range []string{catalog.LinkWelcome, catalog.LinkReset, catalog.LinkReset} {
		must(t, e.SetLink(ctx, link(byte(n+1), purpose), events(0, 1)...))
	}
	mustBe(t, "replaced", second(e.Link(ctx, [32]byte{2})), catalog.ErrNotFound)
	same(t, "links", got(e.Links(ctx, tenant, anna.ID))(t), []*catalog.Link{link(3, catalog.LinkReset), link(1, catalog.LinkWelcome)})
	stranger := link(9, catalog.LinkReset)
	stranger.Tenant = e.tenant(t, "b")
	mustBe(t, "user of another tenant", e.SetLink(ctx, stranger), catalog.ErrNotFound)

	keep := [32]byte{1}
	for n := range byte(3) {
		must(t, e.CreateSession(ctx, &catalog.Session{TokenHash: [32]byte{n + 1}, User: anna.ID, Tenant: tenant, ExpiresAt: at(9)}))
	}
	use := catalog.PasswordChange{Tenant: tenant, User: anna.ID, Hash: "new", Keep: keep, Link: [32]byte{3}, At: at(30), Events: events(0, 1)}
	mustBe(t, "expired", e.SetPassword(ctx, use), catalog.ErrNotFound)
	use.At = at(29)
	must(t, e.SetPassword(ctx, use))
	mustBe(t, "used twice", e.SetPassword(ctx, use), catalog.ErrNotFound)
	same(t, "links", len(got(e.Links(ctx, tenant, anna.ID))(t)), 0)
	anna.PasswordHash = "new"
	same(t, "user", got(e.User(ctx, tenant, anna.ID))(t), anna)
	list := got(e.Sessions(ctx, tenant, anna.ID))(t)
	same(t, "sessions", len(list), 1)
	same(t, "the one that goes on", list[0].TokenHash, keep)
	must(t, e.SetLink(ctx, link(4, catalog.LinkWelcome)))
	must(t, e.DeleteExpiredLinks(ctx, at(40)))
	mustBe(t, "forgotten", second(e.Link(ctx, [32]byte{4})), catalog.ErrNotFound)
	e.sound(t)
}

func testFactors(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	anna, bernd := e.user(t, tenant, "anna"), e.user(t, tenant, "bernd")
	factor := func(n int, u *catalog.User) *catalog.Factor {
		return &catalog.Factor{ID: uid.New(at(n)), User: u.ID, Tenant: tenant, Kind: catalog.FactorPasskey, Name: "key", Secret: []byte{1, byte(n)}, Confirmed: true, CreatedAt: at(n), UsedAt: at(n)}
	}
	change := func(u *catalog.User, c catalog.FactorChange) error {
		return e.ChangeFactors(ctx, tenant, u.ID, func([]*catalog.Factor) (catalog.FactorChange, error) { return c, nil })
	}
	one, two, other := factor(1, anna), factor(2, anna), factor(3, bernd)
	must(t, change(anna, catalog.FactorChange{Put: []*catalog.Factor{one, two}, Events: events(0, 2)}))
	must(t, change(bernd, catalog.FactorChange{Put: []*catalog.Factor{other}}))
	same(t, "factors", got(e.Factors(ctx, tenant, anna.ID))(t), []*catalog.Factor{one, two})
	must(t, e.ChangeFactors(ctx, tenant, anna.ID, func(list []*catalog.Factor) (catalog.FactorChange, error) {
		same(t, "known", list, []*catalog.Factor{one, two})
		list[1].Counter = 7
		return catalog.FactorChange{Put: list[1:], Remove: []uid.ID{one.ID, other.ID}}, nil
	}))
	two.Counter = 7
	same(t, "factors", got(e.Factors(ctx, tenant, anna.ID))(t), []*catalog.Factor{two})
	same(t, "of another", got(e.Factors(ctx, tenant, bernd.ID))(t), []*catalog.Factor{other})
	refused := errors.New("refused")
	mustBe(t, "refused", e.ChangeFactors(ctx, tenant, anna.ID, func([]*catalog.Factor) (catalog.FactorChange, error) {
		return catalog.FactorChange{Remove: []uid.ID{two.ID}}, refused
	}), refused)
	must(t, e.CreateSession(ctx, &catalog.Session{TokenHash: [32]byte{1}, User: anna.ID, Tenant: tenant, ExpiresAt: at(9)}))
	must(t, e.ResetFactors(ctx, tenant, anna.ID, events(0, 1)...))
	same(t, "factors", len(got(e.Factors(ctx, tenant, anna.ID))(t)), 0)
	same(t, "sessions", len(got(e.Sessions(ctx, tenant, anna.ID))(t)), 0)
	same(t, "of another", got(e.Factors(ctx, tenant, bernd.ID))(t), []*catalog.Factor{other})
	e.sound(t)
}

func testLoginPolicy(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	anna := e.user(t, tenant, "anna")
	mustBe(t, "nothing set", second(e.LoginPolicy(ctx, tenant)), catalog.ErrNotFound)
	must(t, e.CreateSession(ctx, &catalog.Session{TokenHash: [32]byte{1}, User: anna.ID, Tenant: tenant, ExpiresAt: at(9)}))
	p := &catalog.LoginPolicy{Tenant: tenant, Settings: []byte(`{}`)}
	for range 2 {
		must(t, e.SetLoginPolicy(ctx, p, []uid.ID{anna.ID}, events(0, 1)...))
		same(t, "policy", got(e.LoginPolicy(ctx, tenant))(t), p)
		same(t, "stage", got(e.Session(ctx, [32]byte{1}))(t).Stage, catalog.StageSetup)
	}
	must(t, e.SetLoginPolicy(ctx, &catalog.LoginPolicy{Settings: []byte(`{}`)}, nil, events(0, 1)...))
	e.sound(t)
}
