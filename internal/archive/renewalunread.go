package archive

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/alarm"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// What a renewal could not read is told until it is read or deleted: objects by the
// rehashed batch in the vault that lacks them, whole batches by the last renewal of this
// process. Their old proofs stay, and each renewal tries them again (REN-7).

// maxUnread is how many objects are named; all are counted.
const maxUnread = 50

// Unread is an object that the last hash-tree renewal could not read.
type Unread struct {
	Tenant, Object uid.ID
	Since          time.Time // of the renewal
}

// UnreadBatch is a batch whose time stamp or trees the last renewal could not read.
type UnreadBatch struct {
	Batch uid.ID
	Why   string // English, for experts
}

// unreadBatches are those of the last look at the time stamps and the last hash-tree
// renewal. Safe for concurrent use.
type unreadBatches struct {
	mu     sync.Mutex
	stamps map[uid.ID]string
	trees  map[uid.ID]string
}

func (u *unreadBatches) setStamps(found map[uid.ID]string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stamps = found
}

func (u *unreadBatches) setTrees(found map[uid.ID]string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.trees = found
}

func (u *unreadBatches) list() (out []UnreadBatch) {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := maps.Clone(u.stamps)
	if all == nil {
		all = map[uid.ID]string{}
	}
	maps.Copy(all, u.trees)
	for id, why := range all {
		out = append(out, UnreadBatch{id, why})
	}
	slices.SortFunc(out, func(x, y UnreadBatch) int { return x.Batch.Compare(y.Batch) })
	return out
}

// unread lists the objects that renewals could not read and that are still there, by
// tenant and age; of one tenant, or, with the zero id, of all.
func (a *Archive) unread(ctx context.Context, tenant uid.ID) ([]Unread, error) {
	rows, err := a.catalog.SealLeftOut(ctx)
	if len(rowErrors(err)) == 0 && err != nil {
		return nil, err
	}
	newest := map[uid.ID]*catalog.SealBatch{} // by the batch that it renews
	for _, b := range rows {
		last, err := a.lastRehash(ctx, b.Renews)
		if err != nil {
			return nil, err
		}
		if last != nil && last.ID == b.ID { // else it was tried again since
			newest[b.Renews] = b
		}
	}
	var out []Unread
	for _, row := range newest {
		b, err := a.openBatch(ctx, row.ID)
		if damagedProof(err) {
			continue // fsck tells of it
		}
		if err != nil {
			return nil, err
		}
		byTenant := map[uid.ID][]uid.ID{}
		for _, x := range b.LeftOut {
			if tenant.IsZero() || x.Tenant == tenant {
				byTenant[x.Tenant] = append(byTenant[x.Tenant], x.Object)
			}
		}
		for of, ids := range byTenant {
			there, err := a.stillThere(ctx, of, ids)
			if err != nil {
				return nil, err
			}
			for _, id := range there {
				out = append(out, Unread{of, id, row.CreatedAt})
			}
		}
	}
	slices.SortFunc(out, func(x, y Unread) int {
		return cmp.Or(x.Tenant.Compare(y.Tenant), x.Since.Compare(y.Since), x.Object.Compare(y.Object))
	})
	return out, nil
}

func (a *Archive) lastRehash(ctx context.Context, renews uid.ID) (last *catalog.SealBatch, err error) {
	list, err := a.catalog.SealRehashes(ctx, renews)
	if len(rowErrors(err)) == 0 && err != nil {
		return nil, err
	}
	for _, b := range list {
		if b.State == catalog.SealRehashed {
			last = b // they come by age
		}
	}
	return last, nil
}

// stillThere leaves out the objects that were deleted.
func (a *Archive) stillThere(ctx context.Context, tenant uid.ID, ids []uid.ID) (there []uid.ID, err error) {
	for some := range slices.Chunk(ids, batchMessages) {
		rows, err := a.catalog.Messages(ctx, tenant, some)
		damaged := rowErrors(err)
		if err != nil && len(damaged) == 0 {
			return nil, err
		}
		for _, id := range some {
			if rows[id] != nil || isDamaged(damaged, id) {
				there = append(there, id)
			}
		}
	}
	return there, nil
}

// unreadFacts are the alarms about what renewals could not read.
func unreadFacts(list []Unread, batches []UnreadBatch) (out []alarm.Unread) {
	for _, x := range list { // by tenant and age
		if n := len(out); n > 0 && out[n-1].Tenant == x.Tenant {
			out[n-1].Objects++
			continue
		}
		out = append(out, alarm.Unread{Tenant: x.Tenant, Since: x.Since, Objects: 1})
	}
	if len(batches) > 0 {
		out = append(out, alarm.Unread{Batches: int64(len(batches))})
	}
	return out
}
