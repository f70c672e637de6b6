package archive

import (
	"context"
	"fmt"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// queuedForIndex bounds the messages waiting for the index that are excused.
const queuedForIndex = 100_000

// index checks the index by itself and compares it with the catalog, both ways.
// The index is derived: what is wrong with it is a leftover, never damage.
func (f *fsck) index(ctx context.Context, tenant uid.ID) error {
	what, err := f.indexTrouble(ctx, tenant)
	if err != nil || what == "" {
		return err
	}
	x := Finding{Severity: Leftover, Object: "search index", What: what + "; muniment reindex builds it anew"}
	if f.o.Repair {
		if err := f.a.Reindex(ctx, tenant); err != nil {
			return err
		}
		x.Repaired = true
	}
	f.report(x)
	return nil
}

// indexTrouble says what is wrong with the index, or nothing.
func (f *fsck) indexTrouble(ctx context.Context, tenant uid.ID) (string, error) {
	if err := f.a.index.Check(ctx, tenant); err != nil {
		return fmt.Sprintf("is damaged: %v", err), ctx.Err()
	}
	mark, err := f.a.catalog.Indexed(ctx, tenant) // first: the indexer goes on meanwhile
	if err != nil {
		return "", f.unreadable(ctx, "catalog", err)
	}
	indexed := map[uid.ID]bool{}
	err = f.a.index.IDs(ctx, tenant, func(id uid.ID) error { indexed[id] = true; return nil })
	if err != nil {
		return fmt.Sprintf("cannot be read: %v", err), ctx.Err()
	}
	missing := map[uid.ID]bool{}
	err = f.a.catalog.WalkMessages(ctx, tenant, func(m *catalog.Message, err error) error {
		if err == nil && m.Class == catalog.ClassQuarantine { // it must not be there
			return nil
		}
		if err == nil && m.Seq <= mark && !indexed[m.AOID] {
			missing[m.AOID] = true
		}
		if err == nil {
			delete(indexed, m.AOID)
		}
		return nil
	})
	if err != nil {
		return "", f.unreadable(ctx, "catalog", err)
	}
	queued, err := f.a.catalog.PendingReindex(ctx, tenant, queuedForIndex)
	if err != nil {
		return "", f.unreadable(ctx, "catalog", err)
	}
	for _, q := range queued { // just released from quarantine
		delete(missing, q.AOID)
	}
	if len(missing) == 0 && len(indexed) == 0 {
		return "", nil
	}
	return fmt.Sprintf("lacks %d messages and has %d that the catalog does not know", len(missing), len(indexed)), nil
}
