package catalogtest

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// theirs is what one tenant has and another one must not reach.
type theirs struct {
	strange uid.ID // in quarantine
	batch   *catalog.Batch
	user    *catalog.User
	source  *catalog.Source
	access  *catalog.AccessRequest
	hold    *catalog.Hold
	buried  uid.ID

	directory *catalog.Directory
	webhook   *catalog.Webhook
	delivery  *catalog.Delivery
}

// attempt calls a method as another tenant with something of theirs, and
// returns what it got and the error.
type attempt func(ctx context.Context, e *env, tenant uid.ID, of theirs) (any, error)

// The answers of a method to somebody else's identifier.
const (
	denies = "denies" // ErrNotFound
	empty  = "empty"  // nothing
	own    = "own"    // what is asked for cannot be somebody else's: there is only the tenant
)

// attempts returns every method that takes a tenant, with its answer.
func attempts() map[string]struct {
	answer string
	call   attempt
} {
	type try = struct {
		answer string
		call   attempt
	}
	id := func(of theirs) uid.ID { return of.batch.Messages[0].AOID }
	sums := func(of theirs) [][32]byte { return [][32]byte{of.batch.Messages[0].SHA256} }
	return map[string]try{
		"Message": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) { return e.Message(ctx, t, id(of)) }},
		"Segment": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.Segment(ctx, t, of.batch.Segment.ID)
		}},
		"Source": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.Source(ctx, t, of.source.ID)
		}},
		"SourceByName": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.SourceByName(ctx, t, of.source.Kind, of.source.Name)
		}},
		"Tombstone": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.Tombstone(ctx, t, of.buried)
		}},
		"Tombstones": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.Tombstones(ctx, t, catalog.TombstoneFilter{}, 9)
		}},
		"JudgedBy": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			j, err := e.JudgedBy(ctx, t)
			return append(j.Holds, j.Retentions...), err
		}},
		"WalkTombstones": {empty, walked((*catalog.Catalog).WalkTombstones)},
		"Erase": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.Erase(ctx, t, catalog.Erasure{Tombstones: []*catalog.Tombstone{tombstone(t, id(of), uid.ID{})}})
		}},
		"RestoreTombstones": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.RestoreTombstones(ctx, uid.New(at(1)), nil, []*catalog.Tombstone{tombstone(t, of.buried, uid.ID{})}) // of nobody
		}},
		"PlaceTombstones": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.PlaceTombstones(ctx, t, nil, []*catalog.Tombstone{tombstone(t, of.buried, uid.ID{})}, true)
		}},
		"AccessRequest": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.AccessRequest(ctx, t, of.access.ID)
		}},
		"AccessRequests": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.AccessRequests(ctx, t, catalog.AccessFilter{}, 9)
		}},
		"AccessRecords": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.AccessRecords(ctx, t, catalog.RecordFilter{Requests: []uid.ID{of.access.ID}}, 9)
		}},
		"AccessPolicy": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.AccessPolicy(ctx, t) }},
		"User":         {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) { return e.User(ctx, t, of.user.ID) }},
		"UserByLogin": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.UserByLogin(ctx, t, of.user.Login)
		}},
		"UpdateFacts": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.UpdateFacts(ctx, t, id(of), catalog.Described{Category: "theirs"})
		}},
		"EventHeadAt": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.EventHeadAt(ctx, t, 2) }},
		"ProveEvent":  {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.ProveEvent(ctx, t, 0, 1) }},
		"ProveConsistency": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.ProveConsistency(ctx, t, 1, 2)
		}},
		"Relocate": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.Relocate(ctx, t, catalog.Moves{Segment: &catalog.Segment{ID: uid.New(at(0))}, Messages: map[uid.ID]catalog.Loc{id(of): {}}})
		}},
		"Commit": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.Commit(ctx, t, &catalog.Batch{Parties: map[uid.ID][]catalog.Party{id(of): {{Role: "to", Address: "x@example.com"}}}})
		}},
		"Messages": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.Messages(ctx, t, []uid.ID{id(of)})
		}},
		"MessagesAfter": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.MessagesAfter(ctx, t, 0, 9)
		}},
		"Known": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) { return e.Known(ctx, t, sums(of)) }},
		"KnownDocuments": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.KnownDocuments(ctx, t, [][32]byte{of.batch.Messages[1].Document})
		}},
		"KnownCaptures": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.KnownCaptures(ctx, t, [][32]byte{of.batch.Captures[0].Key})
		}},
		"Resting": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			r, err := e.Resting(ctx, t, of.batch.Segment.ID)
			if err != nil {
				return nil, err
			}
			return len(r.Messages) + len(r.Parts) + len(r.Captures) + len(r.Damaged), nil
		}},
		"Captures": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) { return e.Captures(ctx, t, id(of)) }},
		"Parts": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.Parts(ctx, t, [][32]byte{of.batch.Parts[0].SHA256})
		}},
		"FindPart": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			loc, _, err := e.FindPart(ctx, t, of.batch.Parts[0].SHA256)
			return loc, err
		}},
		"Segments": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Segments(ctx, t) }},
		"Sources":  {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Sources(ctx, t) }},
		"Users":    {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Users(ctx, t) }},
		"EditUsers": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.EditUsers(ctx, t, func(users []*catalog.User) (*catalog.UserEdit, error) {
				return &catalog.UserEdit{Update: append(users, of.user), End: []uid.ID{of.user.ID}}, nil
			})
		}},
		"Accounts":       {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Accounts(ctx, t, "", "") }},
		"Events":         {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Events(ctx, t, 0, 9) }},
		"PendingReindex": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.PendingReindex(ctx, t, 9) }},
		"Head":           {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Head(ctx, t) }},
		"Indexed":        {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Indexed(ctx, t) }},
		"EventHead":      {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.EventHead(ctx, t) }},
		"Statistics":     {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Statistics(ctx, t, at(0)) }},
		"DoneReindex": {own, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			pending, err := e.PendingReindex(ctx, of.user.Tenant, 9)
			return nil, errors.Join(err, e.DoneReindex(ctx, t, pending))
		}},
		"DeleteSessions": {own, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.DeleteSessions(ctx, t, of.user.ID)
		}},
		"DeleteEventDetails": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.DeleteEventDetails(ctx, t, 0)
		}},
		"SetIndexed": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.SetIndexed(ctx, t, 2)
		}},
		"ResetIndexed": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return nil, e.ResetIndexed(ctx, t) }},
		"ClearMessages": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.ClearMessages(ctx, t)
		}},
		"AddAccount": {own, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.AddAccount(ctx, t, of.batch.Accounts[0])
		}},
		"AppendEvents": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.AppendEvents(ctx, t, []*catalog.Event{{At: at(0), Actor: "cli", Action: "x"}})
		}},
		"VerifyEvents": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.VerifyEvents(ctx, t, func(error) {})
		}},
		"ChangeSourceSettings": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.ChangeSourceSettings(ctx, t, of.source.ID, []byte(`{"stolen":true}`))
		}},
		"SwapSourceSecret": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.SwapSourceSecret(ctx, t, of.source.ID, nil, []byte("stolen"))
		}},
		"SourceSettings": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.SourceSettings(ctx, t) }},
		"SourceSetting": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.SourceSetting(ctx, t, of.source.ID)
		}},
		"SourceStates": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.SourceStates(ctx, t) }},
		"SourceFolders": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.SourceFolders(ctx, t, of.source.ID)
		}},
		"SourceItems": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.SourceItems(ctx, t, of.source.ID, "INBOX;1")
		}},
		"SetSourceFolder": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.SetSourceFolder(ctx, t, of.source.ID, catalog.SourceFolder{Folder: "INBOX", Next: 3})
		}},
		"SettleItems": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.SettleItems(ctx, t, of.source.ID, "INBOX;1", nil, []string{"7"})
		}},
		"Sessions": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.Sessions(ctx, t, of.user.ID)
		}},
		"EndSession": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.EndSession(ctx, t, of.user.ID, uid.ID{})
		}},
		"EndSessions": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return 0, e.EndSessions(ctx, t, of.user.ID, [32]byte{})
		}},
		"Links": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.Links(ctx, t, of.user.ID)
		}},
		"Factors": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.Factors(ctx, t, of.user.ID)
		}},
		"ChangeFactors": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.ChangeFactors(ctx, t, of.user.ID, func([]*catalog.Factor) (catalog.FactorChange, error) {
				return catalog.FactorChange{Put: []*catalog.Factor{{ID: uid.New(at(0)), User: of.user.ID, Tenant: t}}, EndSessions: true}, nil
			})
		}},
		"ResetFactors": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.ResetFactors(ctx, t, of.user.ID)
		}},
		"LoginPolicy": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.LoginPolicy(ctx, t) }},
		"Smarthost":   {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Smarthost(ctx, t) }},
		"DeleteSmarthost": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.DeleteSmarthost(ctx, t)
		}},
		"OutgoingByKey": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.OutgoingByKey(ctx, t, "key")
		}},
		// These take the id of a mail: the outbox is the operator's, for all tenants.
		"Outgoing": {denies, func(ctx context.Context, e *env, id uid.ID, _ theirs) (any, error) { return e.Outgoing(ctx, id) }},
		"RetryOutgoing": {denies, func(ctx context.Context, e *env, id uid.ID, _ theirs) (any, error) {
			return nil, e.RetryOutgoing(ctx, id, at(1))
		}},
		"DropOutgoing": {denies, func(ctx context.Context, e *env, id uid.ID, _ theirs) (any, error) {
			return nil, e.DropOutgoing(ctx, id)
		}},
		"Tenant":       {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Tenant(ctx, t) }},
		"WalkMessages": {empty, walked((*catalog.Catalog).WalkMessages)},
		"LastSourceCount": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.LastSourceCount(ctx, t, of.source.ID, "INBOX")
		}},
		"SourceCounts": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.SourceCounts(ctx, t, "", "")
		}},
		"SetSourceCount": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.SetSourceCount(ctx, t, catalog.SourceCount{Source: of.source.ID, Folder: "INBOX", Day: "2026-01-02", Came: 5})
		}},
		"WalkSourceCaptures": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return walked(func(c *catalog.Catalog, ctx context.Context, t uid.ID, do func(*catalog.Capture, error) error) error {
				return c.WalkSourceCaptures(ctx, t, of.source.ID, do)
			})(ctx, e, t, of)
		}},
		"FindEvents": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.FindEvents(ctx, t, catalog.EventFilter{}, 9)
		}},
		"WalkLeaves": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.WalkLeaves(ctx, t, 0, 0, func(*catalog.Event, []byte) error { return nil })
		}},
		"Receipt": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.Receipt(ctx, t, "2026-01-02")
		}},
		"Receipts": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.Receipts(ctx, t, "", 9) }},
		"HandedOut": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.HandedOut(ctx, t, "2026-01-02", true, true)
		}},
		"AttachRecord": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.AttachRecord(ctx, t, "2026-01-02", "stolen")
		}},
		"MakeReceipt": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.MakeReceipt(ctx, t, "2026-01-02", noEvents, signed(at(0)))
		}},
		"ReceiptSetting": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) { return e.ReceiptSetting(ctx, t) }},
		"WalkCaptures":   {empty, walked((*catalog.Catalog).WalkCaptures)},
		"WalkParts":      {empty, walked((*catalog.Catalog).WalkParts)},
		"WalkSegments":   {empty, walked((*catalog.Catalog).WalkSegments)},
	}
}

// walked counts what a walk meets.
func walked[M any](walk func(*catalog.Catalog, context.Context, uid.ID, func(*M, error) error) error) attempt {
	return func(ctx context.Context, e *env, tenant uid.ID, _ theirs) (any, error) {
		n := 0
		err := walk(e.Catalog, ctx, tenant, func(*M, error) error { n++; return nil })
		return n, err
	}
}

// testWall asks every method, as a tenant that has nothing, for what another
// tenant has, and then looks that the other still has it.
func testWall(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	of := theirs{batch: e.commit(t, tenant, batch("first", 3)), user: e.user(t, tenant, "anna", "anna@example.com"), source: e.source(t, tenant, "files")}
	of.access = e.access(t, tenant, of.user.ID)
	of.buried = uid.New(at(7))
	must(t, e.RestoreTombstones(t.Context(), tenant, nil, []*catalog.Tombstone{tombstone(tenant, of.buried, uid.ID{})}))
	e.withDirectory(t, &of)
	e.withWebhook(t, &of)
	of.hold = holdOf(tenant, 1)
	must(t, e.AddHold(ctx, of.hold, 9, events(0, 1)[0]))
	must(t, e.AddRetention(ctx, tenant, []*catalog.RetentionSetting{retentionOf(tenant, 10, 1)}, events(0, 1)[0]))
	must(t, e.CreateSession(ctx, &catalog.Session{TokenHash: [32]byte{1}, User: of.user.ID, Tenant: tenant, ExpiresAt: at(9)}))
	must(t, e.SetLink(ctx, &catalog.Link{TokenHash: [32]byte{1}, User: of.user.ID, Tenant: tenant, Purpose: catalog.LinkReset, ExpiresAt: at(9)}))
	must(t, e.ChangeFactors(ctx, tenant, of.user.ID, func([]*catalog.Factor) (catalog.FactorChange, error) {
		return catalog.FactorChange{Put: []*catalog.Factor{{ID: uid.New(at(0)), User: of.user.ID, Tenant: tenant, Kind: catalog.FactorTOTP}}}, nil
	}))
	must(t, e.SetLoginPolicy(ctx, &catalog.LoginPolicy{Tenant: tenant, Settings: []byte("{}")}, nil))
	must(t, e.SetSourceSetting(ctx, &catalog.SourceSetting{Source: of.source.ID, Tenant: tenant, Settings: []byte("{}")}))
	must(t, e.SetSourceState(ctx, &catalog.SourceState{Source: of.source.ID, Tenant: tenant, State: []byte("{}")}))
	must(t, e.SettleItems(ctx, tenant, of.source.ID, "INBOX;1", []*catalog.SourceItem{{Item: "7", Outcome: catalog.Left, At: at(0)}}, nil))
	must(t, e.SetSourceFolder(ctx, tenant, of.source.ID, catalog.SourceFolder{Folder: "INBOX", Validity: 1, Next: 8}))
	must(t, e.SetSmarthost(ctx, &catalog.Smarthost{Tenant: tenant, Settings: []byte("{}")}))
	must(t, second(e.MakeReceipt(ctx, tenant, "2026-01-02", noEvents, signed(at(3)))))
	must(t, e.SetReceiptSetting(ctx, &catalog.ReceiptSetting{Tenant: tenant, Settings: []byte("{}")}, events(0, 1)[0]))
	mail := outgoing("key", 0)
	mail.Tenant = tenant
	must(t, e.Enqueue(ctx, mail, []byte("body")))
	must(t, e.SetSourceCount(ctx, tenant, catalog.SourceCount{Source: of.source.ID, Folder: "INBOX", Day: "2026-01-02", Came: 1, Held: 1}))
	e.withRouting(t, tenant, &of)
	must(t, e.SetIndexed(ctx, tenant, 1))
	must(t, e.UpdateFacts(ctx, tenant, of.batch.Messages[2].AOID, catalog.Described{Category: "mine"}))
	before := snapshot(t, e, tenant)
	all := allAttempts()
	takesTenant(t, func(name string) bool { return all[name].call != nil })
	for name, a := range all {
		v, err := a.call(ctx, e, e.tenant(t, "not "+name), of)
		switch a.answer {
		case denies:
			mustBe(t, name, err, catalog.ErrNotFound)
			if v != nil && !reflect.ValueOf(v).IsZero() {
				t.Errorf("%s: %v beside the error", name, v)
			}
		case empty:
			must(t, err)
			if r := reflect.ValueOf(v); !r.IsZero() && (r.Kind() != reflect.Map && r.Kind() != reflect.Slice || r.Len() > 0) {
				t.Errorf("%s: %v", name, v)
			}
		default:
			must(t, err)
		}
		same(t, "what the other tenant has after "+name, snapshot(t, e, tenant), before)
	}
	// The same contents are unknown to others, and may be stored.
	same := e.commit(t, e.tenant(t, "b"), batch("first", 3))
	if same.Messages[0].AOID == of.batch.Messages[0].AOID || same.Messages[0].Seq != 1 {
		t.Errorf("the same content of another tenant is %s, number %d", same.Messages[0].AOID, same.Messages[0].Seq)
	}
}

// takesTenant requires that every method that takes a tenant is known.
func takesTenant(t *testing.T, known func(name string) bool) {
	t.Helper()
	typ := reflect.TypeFor[*catalog.Catalog]()
	for i := range typ.NumMethod() {
		m := typ.Method(i)
		if m.Type.NumIn() > 2 && m.Type.In(2) == reflect.TypeFor[uid.ID]() && !known(m.Name) {
			t.Errorf("%s is not tried against another tenant", m.Name)
		}
	}
}

// snapshot is all a tenant has.
func snapshot(t *testing.T, e *env, tenant uid.ID) []any {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	s := []any{e.counts(t, tenant), got(e.Indexed(ctx, tenant))(t), got(e.PendingReindex(ctx, tenant, 99))(t), got(e.Events(ctx, tenant, 0, 99))(t),
		got(e.EventHead(ctx, tenant))(t), got(e.Users(ctx, tenant))(t), got(e.Sources(ctx, tenant))(t), got(e.Session(ctx, [32]byte{1}))(t),
		got(e.MessagesAfter(ctx, tenant, 0, 99))(t), got(e.Accounts(ctx, tenant, "", ""))(t), got(e.Segments(ctx, tenant))(t),
		got(e.WebhooksOf(ctx, tenant, uid.ID{}))(t), got(e.Smarthost(ctx, tenant))(t), got(e.OutgoingByKey(ctx, tenant, "key"))(t),
		got(e.DomainsOf(ctx, tenant))(t), got(e.Selection(ctx, tenant))(t), got(e.Quarantine(ctx, tenant, catalog.QuarantineFilter{}, 9))(t),
		got(e.AccessRequests(ctx, tenant, catalog.AccessFilter{}, 9))(t), got(e.AccessRecords(ctx, tenant, catalog.RecordFilter{}, 9))(t), got(e.AccessPolicy(ctx, tenant))(t),
		got(e.Directories(ctx, tenant))(t), got(e.DirectoryStates(ctx, tenant))(t), got(e.Origins(ctx, tenant))(t),
		got(e.Holds(ctx, tenant, false))(t), got(e.Retentions(ctx, tenant))(t)}
	must(t, e.WalkCaptures(ctx, tenant, func(c *catalog.Capture, err error) error { s = append(s, c); return err }))
	must(t, e.WalkParts(ctx, tenant, func(p *catalog.Part, err error) error { s = append(s, p); return err }))
	return s
}
