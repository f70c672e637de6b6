package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// SealParts are what comes into the catalog with a batch.
type SealParts struct {
	Trees       []*SealTree
	Stamps      []*SealStamp
	Marks       map[uid.ID]SealMove // how far the messages of the tenants are in it
	Covers      []*SealCover
	Checkpoints []*SealCheckpoint
	Events      []*Event // for the log of the installation
}

// AddSealBatch stores a batch with its parts and moves the marks of the tenants, in
// one transaction. ErrTaken if the batch is there already, a mark is not where it was,
// or something is renewed already: somebody else was faster.
func (c *Catalog) AddSealBatch(ctx context.Context, b *SealBatch, p SealParts) error {
	if b.ID.IsZero() || len(b.Root) == 0 && b.State != SealRehashing || len(p.Trees) > b.Trees {
		return fmt.Errorf("add batch: %w: without id, root or trees", ErrInvalid)
	}
	err := c.withSealEvents(ctx, p.Events, func(ctx context.Context, tx bun.Tx) error {
		for tenant, m := range p.Marks {
			if err := c.moveSealMark(ctx, tx, tenant, m); err != nil {
				return err
			}
		}
		if _, err := tx.NewInsert().Model(newSealBatchRow(b)).Exec(ctx); err != nil {
			return fmt.Errorf("batch: %w", err)
		}
		return insertParts(ctx, tx, &p)
	})
	return c.wrap(err, "add batch %s", b.ID)
}

// withSealEvents runs a transaction that enters events only if there are any: sealing
// itself must not make logs grow, or every batch would call for the next one.
func (c *Catalog) withSealEvents(ctx context.Context, events []*Event, do func(context.Context, bun.Tx) error) error {
	if len(events) == 0 {
		return c.transact(ctx, do)
	}
	return c.withEvents(ctx, uid.ID{}, events, do)
}

func insertParts(ctx context.Context, tx bun.Tx, p *SealParts) error {
	for _, t := range p.Trees {
		if _, err := tx.NewInsert().Model(newSealTreeRow(t)).Exec(ctx); err != nil {
			return fmt.Errorf("tree: %w", err)
		}
	}
	for _, s := range p.Stamps {
		if _, err := tx.NewInsert().Model(newSealStampRow(s)).Exec(ctx); err != nil {
			return fmt.Errorf("stamp: %w", err)
		}
	}
	for _, x := range p.Covers {
		if _, err := tx.NewInsert().Model(newSealCoverRow(x)).Exec(ctx); err != nil {
			return fmt.Errorf("what it renews: %w", err)
		}
	}
	for _, x := range p.Checkpoints {
		if _, err := tx.NewInsert().Model(newSealCheckpointRow(x)).Exec(ctx); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
	}
	return nil
}

// SealBatch returns one batch. ErrNotFound.
func (c *Catalog) SealBatch(ctx context.Context, id uid.ID) (*SealBatch, error) {
	b, err := one[SealBatch](ctx, new(sealBatchRow), c.read.NewSelect().Where("id = ?", id))
	return b, c.wrap(err, "batch %s", id)
}

// PendingSeals returns the batches without a time stamp, the oldest first. Rows
// that fail their check sum are missing and joined as *RowError in the error.
func (c *Catalog) PendingSeals(ctx context.Context) ([]*SealBatch, error) {
	list, err := all[sealBatchRow, SealBatch](ctx, c.read.NewSelect().Where("state = ?", text(SealPending)).Order("id"))
	return list, c.wrap(err, "batches without a time stamp")
}

// SealBatches returns at most limit batches of new objects before a certain one, or the
// newest if it is zero, the newest first; only those with a tree of tenant, unless that
// is zero. Damaged rows are joined in the error.
func (c *Catalog) SealBatches(ctx context.Context, tenant, before uid.ID, limit int) ([]*SealBatch, error) {
	q := c.read.NewSelect().Where("kind = ?", text(SealNew)).Order("id DESC")
	if !before.IsZero() {
		q = q.Where("id < ?", before)
	}
	if !tenant.IsZero() {
		q = q.Where("id IN (SELECT batch FROM seal_tree WHERE tenant = ?)", tenant)
	}
	list, err := all[sealBatchRow, SealBatch](ctx, atMost(q, limit))
	return list, c.wrap(err, "batches")
}

// SealTree returns the tree of a tenant in a batch. ErrNotFound.
func (c *Catalog) SealTree(ctx context.Context, tenant, batch uid.ID) (*SealTree, error) {
	t, err := one[SealTree](ctx, new(sealTreeRow), c.read.NewSelect().Where("tenant = ?", tenant).Where("batch = ?", batch))
	return t, c.wrap(err, "tree of tenant %s in batch %s", tenant, batch)
}

// SealTrees returns the trees of a batch by their position.
func (c *Catalog) SealTrees(ctx context.Context, batch uid.ID) ([]*SealTree, error) {
	list, err := all[sealTreeRow, SealTree](ctx, c.read.NewSelect().Where("batch = ?", batch).Order("position"))
	return list, c.wrap(err, "trees of batch %s", batch)
}

// SealTreesAround calls do for the trees of a tenant that may hold a message, until
// it returns false.
func (c *Catalog) SealTreesAround(ctx context.Context, tenant, aoid uid.ID, do func(*SealTree) (bool, error)) error {
	const page = 8
	last, batch := aoid, uid.ID{}
	for {
		q := c.read.NewSelect().Where("tenant = ?", tenant).Where("(last_aoid > ? OR (last_aoid = ? AND batch > ?))", last, last, batch).Where("first_aoid <= ?", aoid).
			Order("last_aoid", "batch").Limit(page)
		list, err := all[sealTreeRow, SealTree](ctx, q)
		if err != nil {
			return c.wrap(err, "trees around message %s", aoid)
		}
		for _, t := range list {
			if more, err := do(t); err != nil || !more {
				return err
			}
			last, batch = t.Last, t.Batch
		}
		if len(list) < page {
			return nil
		}
	}
}

// SealedUpTo returns the highest AOID of a tenant in any batch, zero if there is none.
func (c *Catalog) SealedUpTo(ctx context.Context, tenant uid.ID) (uid.ID, error) {
	t, err := one[SealTree](ctx, new(sealTreeRow), c.read.NewSelect().Where("tenant = ?", tenant).Order("last_aoid DESC"))
	if errors.Is(err, sql.ErrNoRows) {
		return uid.ID{}, nil
	}
	if err != nil {
		return uid.ID{}, c.wrap(err, "last tree of tenant %s", tenant)
	}
	return t.Last, nil
}

// SealStamps returns the stamps of a batch by their number.
func (c *Catalog) SealStamps(ctx context.Context, batch uid.ID) ([]*SealStamp, error) {
	list, err := all[sealStampRow, SealStamp](ctx, c.read.NewSelect().Where("batch = ?", batch).Order("number"))
	return list, c.wrap(err, "stamps of batch %s", batch)
}

// AddSealStamp stores the stamp of a batch, which is stamped then. It is no error
// if the same stamp is there already.
func (c *Catalog) AddSealStamp(ctx context.Context, s *SealStamp) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		r := new(sealBatchRow)
		b, err := one[SealBatch](ctx, r, c.locked(tx.NewSelect().Where("id = ?", s.Batch)))
		if err != nil {
			return err
		}
		have, err := one[SealStamp](ctx, new(sealStampRow), tx.NewSelect().Where("batch = ?", s.Batch).Where("number = ?", s.Number))
		switch {
		case err == nil && have.Sum == s.Sum:
		case err == nil:
			return fmt.Errorf("stamp %d: %w", s.Number, ErrTaken)
		case !errors.Is(err, sql.ErrNoRows):
			return err
		default:
			if _, err := tx.NewInsert().Model(newSealStampRow(s)).Exec(ctx); err != nil {
				return err
			}
		}
		b.State, b.Problem = SealStamped, ""
		return changed(tx.NewUpdate().Model(newSealBatchRow(b)).Where("id = ?", b.ID).Exec(ctx))
	})
	return c.wrap(err, "stamp batch %s", s.Batch)
}

// FailSeal notes that a pending batch got no time stamp, and when it is to be tried
// again. It changes nothing of a batch that has one by now.
func (c *Catalog) FailSeal(ctx context.Context, id uid.ID, attempts int, next time.Time, problem string) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		b, err := one[SealBatch](ctx, new(sealBatchRow), c.locked(tx.NewSelect().Where("id = ?", id)))
		if err != nil || b.State != SealPending {
			return err
		}
		b.Attempts, b.NextAt, b.Problem = attempts, next, problem
		return changed(tx.NewUpdate().Model(newSealBatchRow(b)).Where("id = ?", id).Exec(ctx))
	})
	return c.wrap(err, "batch %s got no time stamp", id)
}

// HurrySeals has all pending batches tried at once.
func (c *Catalog) HurrySeals(ctx context.Context, now time.Time) error {
	list, err := c.PendingSeals(ctx)
	for _, b := range list {
		if b.NextAt.After(now) {
			err = errors.Join(err, c.FailSeal(ctx, b.ID, b.Attempts, now, b.Problem))
		}
	}
	return err
}

// ClearSeals removes all batches with their parts and all marks, for a rebuild from the
// vault. Damaged rows go with the others.
func (c *Catalog) ClearSeals(ctx context.Context) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, table := range []string{"seal_checkpoint", "seal_cover", "seal_stamp", "seal_tree", "seal_batch", "seal_mark"} {
			if _, err := tx.NewDelete().Table(table).Where("1 = 1").Exec(ctx); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		return nil
	})
	return c.wrap(err, "clear batches")
}

// arrivalOrder is among how many messages the oldest of all is sought: they are numbered
// as they are committed, which may be out of order by one group commit.
const arrivalOrder = 512

// UnsealedSince returns when the archive took the oldest message of a tenant with a
// Seq above seq, and how many there are. Zero if there is none. It takes the same time
// however many there are: Seq is without gaps, and the oldest is among the first.
func (c *Catalog) UnsealedSince(ctx context.Context, tenant uid.ID, seq int64) (time.Time, int64, error) {
	var last, oldest num
	err := c.read.NewSelect().Table("message").ColumnExpr("coalesce(max(seq), 0)").Where("tenant = ?", tenant).Scan(ctx, &last)
	if err != nil || int64(last) <= seq {
		return time.Time{}, 0, c.wrap(err, "messages without a seal")
	}
	first := c.read.NewSelect().Table("message").Column("received_at").Where("tenant = ?", tenant).Where("seq > ?", seq).Order("seq").Limit(arrivalOrder)
	err = c.read.NewSelect().TableExpr("(?) AS first", first).ColumnExpr("coalesce(min(received_at), 0)").Scan(ctx, &oldest)
	if err != nil {
		return time.Time{}, 0, c.wrap(err, "messages without a seal")
	}
	gone, err := c.read.NewSelect().Table("tombstone").Where("tenant = ?", tenant).Where("seq > ?", seq).Where("seq <= ?", last).Count(ctx)
	return oldest.orZeroTime(), int64(last) - seq - gone, c.wrap(err, "messages without a seal")
}
