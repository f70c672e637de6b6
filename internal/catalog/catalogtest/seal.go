package catalogtest

import (
	"context"
	"errors"
	"testing"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// sealed is a stamped batch with one tree over the messages of b.
func sealed(tenant uid.ID, b *catalog.Batch) (*catalog.SealBatch, *catalog.SealTree, *catalog.SealStamp) {
	id := uid.New(at(20))
	n := len(b.Messages)
	return &catalog.SealBatch{ID: id, Kind: catalog.SealNew, State: catalog.SealStamped, Algorithm: "sha256", CreatedAt: at(20), Oldest: at(1), Trees: 1, Leaves: int64(n), Root: []byte{7}, NextAt: at(21), Problem: "{}"},
		&catalog.SealTree{Tenant: tenant, Batch: id, Leaves: int64(n), First: b.Messages[0].AOID, Last: b.Messages[n-1].AOID, Root: []byte{7}},
		&catalog.SealStamp{Batch: id, Number: 1, Authority: "Test", GenTime: at(21), Until: at(99), Policy: "1.2.3", Qualified: "unknown", Reason: "no list", Sum: [32]byte{9}}
}

func testSeal(t *testing.T, e *env) {
	ctx := t.Context()
	tenant, other := e.tenant(t, "a"), e.tenant(t, "b")
	b := e.commit(t, tenant, batch("first", 4))
	var list []catalog.Sealable
	must(t, e.Sealables(ctx, tenant, 1, 2, func(s catalog.Sealable, err error) error { list = append(list, s); return err }))
	if len(list) != 2 || list[0].AOID != b.Messages[1].AOID || list[0].SHA256 != b.Messages[1].SHA256 || list[0].Members != nil || !list[1].ReceivedAt.Equal(b.Messages[2].ReceivedAt) {
		t.Fatalf("sealables: %+v", list)
	}
	members := []byte("0123456789abcdef0123456789abcdef")
	must(t, e.SetMembers(ctx, tenant, map[uid.ID][]byte{list[0].AOID: members}))
	mustBe(t, "members of another's message", e.SetMembers(ctx, other, map[uid.ID][]byte{list[0].AOID: members}), catalog.ErrNotFound)
	same(t, "members", got(e.Message(ctx, tenant, list[0].AOID))(t).Members, members)

	sb, tree, stamp := sealed(tenant, b)
	sb.State, sb.Problem = catalog.SealPending, ""
	marks := map[uid.ID]catalog.SealMove{tenant: {To: 4}}
	must(t, e.AddSealBatch(ctx, sb, catalog.SealParts{Trees: []*catalog.SealTree{tree}, Marks: marks}))
	again := *sb
	again.ID = uid.New(at(30))
	treeAgain := *tree
	treeAgain.Batch = again.ID
	mustBe(t, "the same messages twice", e.AddSealBatch(ctx, &again, catalog.SealParts{Trees: []*catalog.SealTree{&treeAgain}, Marks: marks}), catalog.ErrTaken)
	same(t, "mark", got(e.SealMark(ctx, tenant))(t), 4)
	same(t, "mark of another", got(e.SealMark(ctx, other))(t), 0)
	same(t, "pending", got(e.PendingSeals(ctx))(t), []*catalog.SealBatch{sb})
	same(t, "last", got(e.SealedUpTo(ctx, tenant))(t), b.Messages[3].AOID)
	for aoid, want := range map[uid.ID]int{b.Messages[0].AOID: 1, b.Messages[3].AOID: 1, uid.New(at(90)): 0} {
		n := 0
		must(t, e.SealTreesAround(ctx, tenant, aoid, func(x *catalog.SealTree) (bool, error) { n++; return true, nil }))
		same(t, "trees around", n, want)
	}
	must(t, e.FailSeal(ctx, sb.ID, 3, at(50), `{"code":"x"}`))
	same(t, "attempts", got(e.SealBatch(ctx, sb.ID))(t).Attempts, 3)
	must(t, e.HurrySeals(ctx, at(40)))
	same(t, "hurried", got(e.SealBatch(ctx, sb.ID))(t).NextAt, at(40))

	must(t, e.AddSealStamp(ctx, stamp))
	must(t, e.AddSealStamp(ctx, stamp))
	other1 := *stamp
	other1.Sum[0]++
	mustBe(t, "another stamp in its place", e.AddSealStamp(ctx, &other1), catalog.ErrTaken)
	must(t, e.FailSeal(ctx, sb.ID, 9, at(60), "late"))
	if s := got(e.SealBatch(ctx, sb.ID))(t); s.State != catalog.SealStamped || s.Problem != "" || s.Attempts != 3 {
		t.Errorf("stamped batch: %+v", s)
	}
	same(t, "stamps", got(e.SealStamps(ctx, sb.ID))(t), []*catalog.SealStamp{stamp})
	same(t, "batches of a", len(got(e.SealBatches(ctx, tenant, uid.ID{}, 9))(t)), 1)
	same(t, "batches of b", len(got(e.SealBatches(ctx, other, uid.ID{}, 9))(t)), 0)
	same(t, "batches before", len(got(e.SealBatches(ctx, uid.ID{}, sb.ID, 9))(t)), 0)
	e.commit(t, tenant, batch("second", 2))
	if _, n, err := e.UnsealedSince(ctx, tenant, 4); err != nil || n != 2 {
		t.Errorf("%d messages without a seal, %v", n, err)
	}
	e.sound(t)
	must(t, e.ClearSeals(ctx))
	same(t, "mark after a clearing", got(e.SealMark(ctx, tenant))(t), 0)
	e.sound(t)
}

// renewalOf is a renewal of a batch.
func renewalOf(batch uid.ID, role catalog.SealRole) (*catalog.SealBatch, catalog.SealParts) {
	id := uid.New(at(30))
	return &catalog.SealBatch{ID: id, Kind: catalog.SealRenewals, State: catalog.SealPending, Algorithm: "sha256", CreatedAt: at(30), Oldest: at(30), Root: []byte{8}, NextAt: at(30)},
		catalog.SealParts{Covers: []*catalog.SealCover{{Batch: id, Covers: batch, Role: role}}}
}

// rehashOf is a batch into which another one is being rehashed.
func rehashOf(batch uid.ID) *catalog.SealBatch {
	return &catalog.SealBatch{ID: uid.New(at(31)), Kind: catalog.SealRehash, State: catalog.SealRehashing, Renews: batch, Head: batch, Algorithm: "sha512", CreatedAt: at(31), Root: []byte{},
		Oldest: at(1), NextAt: at(31)}
}

func testSealRenewal(t *testing.T, e *env) {
	ctx := t.Context()
	tenant := e.tenant(t, "a")
	b := e.commit(t, tenant, batch("first", 4))
	sb, tree, stamp := sealed(tenant, b)
	sb.Problem = ""
	checks := []*catalog.SealCheckpoint{{Tenant: tenant, Batch: sb.ID, Day: "2026-01-01", Size: 3}, {Batch: sb.ID, Position: 1, Size: 9}, {Tenant: tenant, Batch: sb.ID, Position: 2, Size: 5}}
	must(t, e.AddSealBatch(ctx, sb, catalog.SealParts{Trees: []*catalog.SealTree{tree}, Stamps: []*catalog.SealStamp{stamp}, Checkpoints: checks}))
	same(t, "checkpoints", got(e.SealCheckpoints(ctx, sb.ID))(t), checks)
	same(t, "longest", got(e.SealedCheckpoint(ctx, tenant, 0, true))(t), checks[2])
	same(t, "shortest", got(e.SealedCheckpoint(ctx, tenant, 2, true))(t), checks[0])
	same(t, "of the installation", got(e.SealedCheckpoint(ctx, uid.ID{}, 0, false))(t), checks[1])
	_, err := e.SealedCheckpoint(ctx, tenant, 6, true)
	mustBe(t, "none so long", err, catalog.ErrNotFound)
	same(t, "of a day", got(e.SealedReceipt(ctx, tenant, "2026-01-01"))(t), checks[0])
	_, err = e.SealedReceipt(ctx, tenant, "2026-01-02")
	mustBe(t, "of another day", err, catalog.ErrNotFound)
	same(t, "without a record", got(e.UnattachedCheckpoints(ctx, 9))(t), checks[:1])
	must(t, e.CheckpointAttached(ctx, checks[0]))
	same(t, "all with a record", len(got(e.UnattachedCheckpoints(ctx, 9))(t)), 0)

	renewal, parts := renewalOf(sb.ID, catalog.CoversStamp)
	parts.Events = events(0, 1)
	must(t, e.AddSealBatch(ctx, renewal, parts))
	again, twice := renewalOf(sb.ID, catalog.CoversStamp)
	mustBe(t, "the same time stamp twice", e.AddSealBatch(ctx, again, twice), catalog.ErrTaken)
	same(t, "covers", got(e.SealCovers(ctx, renewal.ID))(t), parts.Covers)
	same(t, "cover of", got(e.SealCoverOf(ctx, sb.ID, catalog.CoversStamp))(t), parts.Covers[0])
	_, err = e.SealCoverOf(ctx, sb.ID, catalog.CoversRoot)
	mustBe(t, "cover of the root", err, catalog.ErrNotFound)
	same(t, "batches of new objects", len(got(e.SealBatches(ctx, uid.ID{}, uid.ID{}, 9))(t)), 1)

	re := rehashOf(sb.ID)
	must(t, e.BeginRehash(ctx, re))
	mustBe(t, "twice at once", e.BeginRehash(ctx, rehashOf(sb.ID)), catalog.ErrTaken)
	same(t, "rehashed", got(e.SealRehashes(ctx, sb.ID))(t), []*catalog.SealBatch{re})
	same(t, "lacking objects yet", len(got(e.SealLeftOut(ctx))(t)), 0)
	re.State, re.Root, re.Trees, re.Leaves, re.LeftOut = catalog.SealRehashed, []byte{4}, 1, 4, 2
	reTree := *tree
	reTree.Batch = re.ID
	must(t, e.EndRehash(ctx, re, catalog.SealParts{Trees: []*catalog.SealTree{&reTree}}))
	must(t, e.EndRehash(ctx, re, catalog.SealParts{Trees: []*catalog.SealTree{&reTree}}))
	must(t, e.DropRehash(ctx, re.ID)) // is not one that is being made
	same(t, "done", got(e.SealBatch(ctx, re.ID))(t), re)
	same(t, "lacking objects", got(e.SealLeftOut(ctx))(t), []*catalog.SealBatch{re})
	more := rehashOf(sb.ID)
	must(t, e.BeginRehash(ctx, more))
	must(t, e.DropRehash(ctx, more.ID))
	n := 0
	must(t, e.WalkSealBatches(ctx, func(*catalog.SealBatch) { n++ }))
	same(t, "all batches", n, 3)

	must(t, e.SetAuthorityState(ctx, &catalog.AuthorityState{Name: "A", State: []byte(`{"spent":1}`)}))
	must(t, e.SetAuthorityState(ctx, &catalog.AuthorityState{Name: "A", State: []byte(`{"spent":2}`)}))
	same(t, "states", got(e.AuthorityStates(ctx))(t), []*catalog.AuthorityState{{Name: "A", State: []byte(`{"spent":2}`)}})
	e.sound(t)
	must(t, e.ClearSeals(ctx))
	e.sound(t)
}

// seal puts the messages into a batch.
func (d *damaged) seal(t *testing.T) {
	t.Helper()
	sb, tree, stamp := sealed(d.tenant, d.batch)
	must(t, d.SetSealSetting(t.Context(), &catalog.SealSetting{Tenant: d.tenant, Settings: []byte(`{"interval":"1h"}`), Secret: []byte{1, 2}}))
	parts := catalog.SealParts{Trees: []*catalog.SealTree{tree}, Stamps: []*catalog.SealStamp{stamp}, Marks: map[uid.ID]catalog.SealMove{d.tenant: {To: 3}},
		Checkpoints: []*catalog.SealCheckpoint{{Tenant: d.tenant, Batch: sb.ID, Day: "2026-01-01", Size: 4}},
		Covers:      []*catalog.SealCover{{Batch: sb.ID, Covers: sb.ID, Role: catalog.CoversStamp}}}
	must(t, d.AddSealBatch(t.Context(), sb, parts))
	d.sealed = sb.ID
	must(t, d.SetAuthorityState(t.Context(), &catalog.AuthorityState{Name: "Test", State: []byte(`{"spent":3}`)}))
}

// readSeal is read for the tables of seals.
func (d *damaged) readSeal(ctx context.Context, table string) error {
	switch table {
	case "seal_batch":
		return second(d.SealBatch(ctx, d.sealed))
	case "seal_tree":
		return second(d.SealTree(ctx, d.tenant, d.sealed))
	case "seal_stamp":
		return second(d.SealStamps(ctx, d.sealed))
	case "seal_mark":
		return second(d.SealMark(ctx, d.tenant))
	case "seal_setting":
		return second(d.SealSetting(ctx, d.tenant))
	case "seal_cover":
		return second(d.SealCovers(ctx, uid.ID{}))
	case "seal_checkpoint":
		return second(d.SealCheckpoints(ctx, d.sealed))
	case "seal_authority":
		return second(d.AuthorityStates(ctx))
	}
	return errors.New("no table " + table)
}

// sealAttempts are those of the methods for seals. Batches belong to the
// installation: their ids lead to nothing of a tenant.
func sealAttempts() map[string]struct {
	answer string
	call   attempt
} {
	return map[string]struct {
		answer string
		call   attempt
	}{
		"SealSetting": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.SealSetting(ctx, t)
		}},
		"SealBatch": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.SealBatch(ctx, t)
		}},
		"FailSeal": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.FailSeal(ctx, t, 1, at(1), "")
		}},
		"SealTree": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return e.SealTree(ctx, t, of.batch.Segment.ID)
		}},
		"SetMembers": {denies, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			return nil, e.SetMembers(ctx, t, map[uid.ID][]byte{of.batch.Messages[0].AOID: {1}})
		}},
		"SealBatches": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.SealBatches(ctx, t, uid.ID{}, 9)
		}},
		"SealTrees": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.SealTrees(ctx, t)
		}},
		"SealStamps": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.SealStamps(ctx, t)
		}},
		"DropRehash": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return nil, e.DropRehash(ctx, t)
		}},
		"SealCovers": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.SealCovers(ctx, t)
		}},
		"SealCoverOf": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.SealCoverOf(ctx, t, catalog.CoversStamp)
		}},
		"SealRehashes": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.SealRehashes(ctx, t)
		}},
		"SealCheckpoints": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.SealCheckpoints(ctx, t)
		}},
		"SealedCheckpoint": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.SealedCheckpoint(ctx, t, 0, false)
		}},
		"SealedReceipt": {denies, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.SealedReceipt(ctx, t, "2026-01-02")
		}},
		"SealMark": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.SealMark(ctx, t)
		}},
		"SetSealMark": {own, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return 0, e.SetSealMark(ctx, t, catalog.SealMove{})
		}},
		"SealedUpTo": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			return e.SealedUpTo(ctx, t)
		}},
		"UnsealedSince": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			_, n, err := e.UnsealedSince(ctx, t, 0)
			return n, err
		}},
		"Sealables": {empty, func(ctx context.Context, e *env, t uid.ID, _ theirs) (any, error) {
			n := 0
			err := e.Sealables(ctx, t, 0, 9, func(catalog.Sealable, error) error { n++; return nil })
			return n, err
		}},
		"SealTreesAround": {empty, func(ctx context.Context, e *env, t uid.ID, of theirs) (any, error) {
			n := 0
			err := e.SealTreesAround(ctx, t, of.batch.Messages[0].AOID, func(*catalog.SealTree) (bool, error) { n++; return true, nil })
			return n, err
		}},
	}
}
