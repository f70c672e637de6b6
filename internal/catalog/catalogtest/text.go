package catalogtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// strange returns texts that databases, drivers and encoders stumble over.
func strange() []string {
	return []string{
		"", " ", "'", `"`, "`", "''; DROP TABLE message; --", `\`, `\\'`, "\x00", "a\x00b", "\x1a", "\x1a00", "\x1a1a", "\x1aff", "\xff", "\xc3(", "\xed\xa0\x80",
		"ä\xffö", "?", "?0", "??", "$1", ":name", "@p", "%s%d%", "{}", "[]", "null", "<b>&amp;</b>", "a\tb\r\nc", "👩‍👩‍👧‍👦🏳️‍🌈", "e\u0301é", "\ufeff", "\ufffd", "\uffff",
		"\u202eevil\u202c", "日本語", "ÄÖÜß", strings.Repeat("long ", 500), "0", "1e5", "X'00'", "TRUE",
	}
}

// lossy is what becomes of a text that goes through JSON.
func lossy(s string) string { return string([]rune(s)) }

// testStrangeText has the texts in every field of a message and its captures.
func testStrangeText(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	texts := strange()
	b := batch("first", len(texts)+1)
	for i, s := range texts {
		m, c := b.Messages[i], b.Captures[i]
		m.Class, m.Category, m.Tags = s, s, []string{s, ""}
		m.Parties = []catalog.Party{{Role: s, Name: s, Address: s}}
		m.Facts = catalog.Facts{MessageID: s, Subject: s, Preview: s, Warnings: []string{s}}
		c.EnvelopeFrom, c.EnvelopeTo, c.Peer, c.Origin = s, []string{s, "x", s}, s, s
		b.Events[i].Details = map[string]string{s: s, s + "2": ""}
	}
	huge := b.Messages[len(texts)]
	huge.Facts.Subject = strings.Repeat("Betreff \U0001f4e7 'x' ", 1<<20/20)
	huge.Facts.Warnings = slices.Repeat([]string{"warning"}, 10000)
	e.commit(t, tenant, b)
	same(t, "1 MB subject", got(e.Message(ctx, tenant, huge.AOID))(t), huge)
	for i, s := range texts {
		want := *b.Messages[i]
		l := lossy(s)
		want.Tags = []string{l, ""}
		want.Parties = []catalog.Party{{Role: l, Name: l, Address: l}}
		want.Facts = catalog.Facts{MessageID: l, Subject: l, Preview: l, Warnings: []string{l}}
		same(t, "message", got(e.Message(ctx, tenant, want.AOID))(t), &want)
		c := *b.Captures[i]
		c.Tenant = tenant
		same(t, "captures", got(e.Captures(ctx, tenant, want.AOID))(t), []*catalog.Capture{&c})
		must(t, e.UpdateFacts(ctx, tenant, want.AOID, catalog.Described{Facts: b.Messages[i].Facts, Category: s, Tags: want.Tags, Parties: want.Parties}))
		same(t, "updated message", got(e.Message(ctx, tenant, want.AOID))(t), &want)
	}
	for i, ev := range got(e.Events(ctx, tenant, 0, 99))(t) {
		same(t, "event", ev, b.Events[i])
	}
	// The log never keeps such a text for ever.
	for _, s := range texts {
		if slices.Contains([]string{"", "0", "1e5", "null", "TRUE", ":name"}, s) {
			continue // letters, digits and a few signs: an identifier
		}
		if err := e.AppendEvents(ctx, tenant, []*catalog.Event{{At: at(0), Actor: "cli", Action: "x", Object: s}}); err == nil {
			t.Errorf("the event log took the object %q", s)
		}
	}
}

// testStrangeNames has the texts in every name somebody can choose, and looks
// things up by them.
func testStrangeNames(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	var users []*catalog.User
	for i, s := range strange() {
		if s == "" || len(s) > 1000 {
			continue
		}
		at := at(i)
		own := &catalog.Tenant{ID: uid.New(at), Slug: s, Name: s, Zone: s, State: catalog.TenantState(s), CreatedAt: at}
		must(t, e.CreateTenant(ctx, own))
		same(t, "tenant", got(e.TenantBySlug(ctx, s))(t), own)
		u := &catalog.User{ID: uid.New(at), Tenant: tenant, Login: s, Name: s, Role: s, PasswordHash: s, Language: s, CreatedAt: at, Addresses: []string{s, s + "2"}}
		must(t, e.CreateUser(ctx, u))
		users = append(users, u)
		same(t, "user", got(e.UserByLogin(ctx, tenant, s))(t), u)
		same(t, "users by address", got(e.UsersByAddress(ctx, s))(t), []*catalog.User{u})
		src := &catalog.Source{ID: uid.New(at), Tenant: tenant, Kind: s, Name: s, JournalAddress: s, Category: s, CreatedAt: at}
		must(t, e.CreateSource(ctx, src))
		same(t, "source by address", got(e.SourceByJournalAddress(ctx, s))(t), src)
		same(t, "source by name", got(e.SourceByName(ctx, tenant, s, s))(t), src)
		session := &catalog.Session{TokenHash: [32]byte{byte(i)}, User: u.ID, Tenant: tenant, CreatedAt: at, SeenAt: at, ExpiresAt: at, Peer: s, UserAgent: s}
		must(t, e.CreateSession(ctx, session))
		u.LoggedInAt = at
		same(t, "session", got(e.Session(ctx, session.TokenHash))(t), session)
		a := catalog.Account{Source: src.ID, Day: "2026-03-02", Outcome: catalog.Outcome(s), Count: 1}
		must(t, e.AddAccount(ctx, tenant, a))
		must(t, e.AddAccount(ctx, tenant, a))
	}
	slices.SortFunc(users, func(a, b *catalog.User) int { return strings.Compare(a.Login, b.Login) })
	same(t, "users", got(e.Users(ctx, tenant))(t), users)
	for _, a := range got(e.Accounts(ctx, tenant, "", ""))(t) {
		if a.Count != 2 {
			t.Errorf("account of outcome %q counts %d, want 2", a.Outcome, a.Count)
		}
	}
}

// testLongNames has every name that is looked up by be too long for an index:
// on every database it is refused, and what just fits is kept.
func testLongNames(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	fits, long := noise(catalog.MaxName), noise(catalog.MaxName+1)
	newUser := func(login, address string) *catalog.User {
		return &catalog.User{ID: uid.New(at(0)), Tenant: tenant, Login: login, Addresses: []string{address}}
	}
	newSource := func(kind, name, address string) *catalog.Source {
		return &catalog.Source{ID: uid.New(at(0)), Tenant: tenant, Kind: kind, Name: name, JournalAddress: address}
	}
	u, s := newUser(fits, fits), newSource(fits, fits, fits)
	must(t, e.CreateTenant(ctx, &catalog.Tenant{ID: uid.New(at(0)), Slug: fits}))
	must(t, e.CreateUser(ctx, u))
	must(t, e.CreateSource(ctx, s))
	must(t, e.AddAccount(ctx, tenant, catalog.Account{Day: "2026-03-02", Outcome: catalog.Outcome(fits)}))
	same(t, "source", got(e.SourceByName(ctx, tenant, fits, fits))(t).ID, s.ID)
	for name, err := range map[string]error{
		"slug":            e.CreateTenant(ctx, &catalog.Tenant{ID: uid.New(at(0)), Slug: long}),
		"login":           e.CreateUser(ctx, newUser(long, "a")),
		"address":         e.CreateUser(ctx, newUser("a", long)),
		"new address":     e.updateUser(ctx, &catalog.User{ID: u.ID, Tenant: tenant, Addresses: []string{"x", long}}),
		"kind":            e.CreateSource(ctx, newSource(long, "a", "")),
		"name":            e.CreateSource(ctx, newSource("a", long, "")),
		"journal address": e.CreateSource(ctx, newSource("a", "a", long)),
		"new name":        e.UpdateSource(ctx, &catalog.Source{ID: s.ID, Tenant: tenant, Kind: fits, Name: long}),
		"outcome":         e.AddAccount(ctx, tenant, catalog.Account{Day: "2026-03-02", Outcome: catalog.Outcome(long)}),
		// NUL takes three bytes where it is stored.
		"escaped name": e.CreateSource(ctx, newSource("a", strings.Repeat("\x00", catalog.MaxName/3+1), "")),
	} {
		mustBe(t, name, err, catalog.ErrInvalid)
	}
	for _, err := range []error{second(e.TenantBySlug(ctx, long)), second(e.UserByLogin(ctx, tenant, long)), second(e.SourceByJournalAddress(ctx, long))} {
		mustBe(t, "look-up of a long name", err, catalog.ErrNotFound)
	}
}

func second[T any](_ T, err error) error { return err }

// noise is text that no compression makes shorter.
func noise(n int) string {
	b := make([]byte, n)
	state := uint32(1)
	for i := range b {
		state = state*1664525 + 1013904223
		b[i] = 'a' + byte(state>>24)%26
	}
	return string(b)
}

// testTimes has times of every zone and precision come back as milliseconds
// (the date of a message: seconds) in UTC.
func testTimes(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	berlin := time.FixedZone("", 3600)
	times := []time.Time{
		{}, time.Unix(0, 0), time.Unix(0, -1), time.Unix(-1, 999_999_999), time.Date(2026, 3, 2, 1, 2, 3, 456_789_123, berlin),
		time.Date(1970, 1, 1, 0, 0, 0, 999_999, berlin), time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(-44, 3, 15, 0, 0, 0, 0, time.UTC), time.Date(2038, 1, 19, 3, 14, 8, 0, time.FixedZone("", -12*3600)), time.Date(200000, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	b := batch("first", len(times))
	for i, at := range times {
		b.Messages[i].ReceivedAt, b.Messages[i].Date, b.Captures[i].ReceivedAt, b.Events[i].At = at, at, at, at
	}
	e.commit(t, tenant, b)
	events := got(e.Events(ctx, tenant, 0, 99))(t)
	for i, at := range times {
		ms := time.UnixMilli(at.UnixMilli()).UTC()
		m := got(e.Message(ctx, tenant, b.Messages[i].AOID))(t)
		c := got(e.Captures(ctx, tenant, m.AOID))(t)[0]
		for what, read := range map[string]time.Time{"received": m.ReceivedAt, "captured": c.ReceivedAt, "event": events[i].At} {
			if read != ms {
				t.Errorf("%s: %v came back as %v, want %v", what, at, read, ms)
			}
		}
		if want := time.Unix(at.Unix(), 0).UTC(); m.Date != want {
			t.Errorf("date: %v came back as %v, want %v", at, m.Date, want)
		}
		u := &catalog.User{ID: uid.New(at), Tenant: tenant, Login: fmt.Sprint("login ", i), CreatedAt: at}
		must(t, e.CreateUser(ctx, u))
		u.CreatedAt = ms
		same(t, "user", got(e.User(ctx, tenant, u.ID))(t), u)
		s := &catalog.Session{TokenHash: [32]byte{byte(i)}, User: u.ID, Tenant: tenant, CreatedAt: at, SeenAt: at, ExpiresAt: at}
		must(t, e.CreateSession(ctx, s))
		s.CreatedAt, s.SeenAt, s.ExpiresAt = ms, ms, ms
		same(t, "session", got(e.Session(ctx, s.TokenHash))(t), s)
	}
	if m := got(e.Message(ctx, tenant, b.Messages[0].AOID))(t); !m.ReceivedAt.IsZero() || !m.Date.IsZero() {
		t.Errorf("the zero time came back as %v and %v", m.ReceivedAt, m.Date)
	}
}
