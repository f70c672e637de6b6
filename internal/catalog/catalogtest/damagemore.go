package catalogtest

import (
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// testDamagedNeighbours has a damaged row among sound ones: they are still
// read, whatever the way.
func testDamagedNeighbours(t *testing.T, e *env) {
	ctx := t.Context()
	d := newDamaged(t, e)
	const n = 2100 // more than a walk reads at a time
	b := e.commit(t, d.tenant, batch("second", n))
	e.exec(t, 1, "UPDATE message SET size = size + 1 WHERE aoid = $1", b.Messages[0].AOID[:])
	e.exec(t, 1, "UPDATE message SET facts = '{' WHERE aoid = $1", b.Messages[999].AOID[:])
	e.exec(t, 1, "UPDATE message SET seq = 999999 WHERE aoid = $1", b.Messages[n-1].AOID[:])
	good, bad := 0, 0
	must(t, e.WalkMessages(ctx, d.tenant, func(m *catalog.Message, err error) error {
		if err != nil {
			isDamaged(t, "walk", err)
			bad++
		} else {
			good++
		}
		return nil
	}))
	if good != n || bad != 3 {
		t.Errorf("a walk meets %d sound and %d damaged messages, want %d and 3", good, bad, n)
	}
	list, err := e.MessagesAfter(ctx, d.tenant, 0, 10)
	isDamaged(t, "page", err)
	if len(list) != 9 {
		t.Errorf("%d sound messages in a page of 10, want 9", len(list))
	}
	found, err := e.Messages(ctx, d.tenant, []uid.ID{b.Messages[0].AOID, b.Messages[1].AOID})
	isDamaged(t, "messages", err)
	if len(found) != 1 || found[b.Messages[1].AOID] == nil {
		t.Errorf("messages beside a damaged one: %v", found)
	}
	err = second(e.Message(ctx, d.tenant, b.Messages[999].AOID))
	if bad := rowError(t, "message", err); bad.Group != catalog.GroupFacts || bad.Object != b.Messages[999].AOID.String() {
		t.Errorf("error = %+v", bad)
	}
	// What was parsed can be parsed again.
	must(t, e.UpdateFacts(ctx, d.tenant, b.Messages[999].AOID, catalog.Described{Facts: b.Messages[999].Facts, Tags: []string{"again"}}))
	must(t, second(e.Message(ctx, d.tenant, b.Messages[999].AOID)))
	// A user or a source that cannot be read does not hide the others.
	e.user(t, d.tenant, "bernd", "info@example.com")
	e.exec(t, 1, "DELETE FROM user_address WHERE position = 0 AND user_id = $1", d.user.ID[:])
	users, err := e.Users(ctx, d.tenant)
	isDamaged(t, "users", err)
	if len(users) != 1 || users[0].Login != "bernd" {
		t.Errorf("users beside a damaged one: %v", users)
	}
}

// testDamageStaysDamage has methods that write meet damaged rows: no new check
// sum may make them sound.
func testDamageStaysDamage(t *testing.T, e *env) {
	ctx := t.Context()
	d := newDamaged(t, e)
	m := d.batch.Messages[1]
	e.exec(t, 1, "UPDATE message SET size = size + 1 WHERE aoid = $1", m.AOID[:])
	e.exec(t, 1, "UPDATE source SET name = 'other'")
	e.exec(t, 1, `UPDATE "user" SET role = 'admin' WHERE id = $1`, d.user.ID[:])
	e.exec(t, 1, "UPDATE session SET expires_at = 9999999999999")
	e.exec(t, 1, "UPDATE account SET count = 7")
	e.exec(t, 1, "UPDATE tenant SET state = 'ended' WHERE id = $1", d.tenant[:])
	to := catalog.Loc{Segment: d.batch.Segment.ID, Frame: 9}
	for name, err := range map[string]error{
		"relocate": e.Relocate(ctx, d.tenant, catalog.Moves{Messages: map[uid.ID]catalog.Loc{m.AOID: to}}),
		"parties":  e.Commit(ctx, d.tenant, &catalog.Batch{Parties: map[uid.ID][]catalog.Party{m.AOID: {{Role: "to", Address: "new@example.com"}}}}),
		"account":  e.AddAccount(ctx, d.tenant, d.batch.Accounts[0]),
		"source":   e.UpdateSource(ctx, d.source),
		"session":  e.TouchSession(ctx, [32]byte{1}, at(0), at(1)),
		"tenant":   e.UpdateTenant(ctx, &catalog.Tenant{ID: d.tenant}),
		"new user": e.CreateUser(ctx, &catalog.User{ID: uid.New(at(0)), Tenant: d.tenant, Login: "x"}),
	} {
		isDamaged(t, name, err)
	}
	mustBe(t, "a damaged user is nobody's to change", e.updateUser(ctx, d.user), catalog.ErrNotFound)
	e.exec(t, 1, "UPDATE head SET raw_bytes = raw_bytes + 1 WHERE tenant = $1", d.tenant[:])
	for name, err := range map[string]error{
		"commit":  e.Commit(ctx, d.tenant, batch("second", 1)),
		"events":  e.AppendEvents(ctx, d.tenant, events(0, 1)),
		"indexed": e.SetIndexed(ctx, d.tenant, 1),
	} {
		isDamaged(t, name, err)
	}
	if n := len(e.findings(t)); n < 7 {
		t.Errorf("the check finds %d damaged rows, want 7 or more", n)
	}
}

// testStaleHead puts the head back to what it once was, check sum and all, as a
// lost write does: the check has to say that there is more than it knows of.
func testStaleHead(t *testing.T, e *env) {
	d := newDamaged(t, e)
	const heads = 2 // of the tenant and of the installation
	for _, extra := range []*catalog.Batch{{Messages: nil, Events: events(0, 1)}, batch("second", 2)} {
		_, err := e.sql.ExecContext(t.Context(), "CREATE TABLE stale AS SELECT * FROM head")
		must(t, err)
		_, err = e.sql.ExecContext(t.Context(), "CREATE TABLE sound AS SELECT * FROM head")
		must(t, err)
		e.commit(t, d.tenant, extra)
		e.sound(t)
		e.exec(t, heads, "DELETE FROM sound")
		e.exec(t, heads, "INSERT INTO sound SELECT * FROM head")
		e.exec(t, heads, "DELETE FROM head")
		e.exec(t, heads, "INSERT INTO head SELECT * FROM stale")
		tables := map[string]bool{}
		for _, err := range e.findings(t) {
			tables[rowError(t, "check", err).Table] = true
		}
		if !tables["event"] || len(extra.Messages) > 0 && !tables["message"] {
			t.Errorf("the check of a stale head blames %v", tables)
		}
		e.exec(t, heads, "DELETE FROM head")
		e.exec(t, heads, "INSERT INTO head SELECT * FROM sound")
		for _, table := range []string{"stale", "sound"} {
			_, err = e.sql.ExecContext(t.Context(), "DROP TABLE "+table)
			must(t, err)
		}
		e.sound(t)
	}
}
