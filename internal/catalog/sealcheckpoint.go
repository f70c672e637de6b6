package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// SealCheckpoint is a checkpoint of an event log that is a member of a batch.
type SealCheckpoint struct {
	Tenant   uid.ID // zero: the installation
	Batch    uid.ID
	Position int    // among the checkpoints of the batch, from 0
	Day      string // of the receipt that it is the checkpoint of; empty: of none
	Size     int64  // events that it covers
	Attached bool   // its evidence record is in the receipt
}

type sealCheckpointRow struct {
	bun.BaseModel `bun:"table:seal_checkpoint,alias:scp"`

	Tenant   blob `bun:"tenant"`
	Batch    blob `bun:"batch"`
	Position num  `bun:"position"`
	Day      text `bun:"day"`
	Size     num  `bun:"size"`
	Attached num  `bun:"attached"`
	Checksum blob `bun:"checksum"`
}

func newSealCheckpointRow(x *SealCheckpoint) *sealCheckpointRow {
	r := &sealCheckpointRow{Tenant: x.Tenant[:], Batch: x.Batch[:], Position: num(x.Position), Day: text(x.Day), Size: num(x.Size), Attached: flag(x.Attached)}
	r.Checksum = r.sum()
	return r
}

func (r *sealCheckpointRow) sum() blob {
	return newSummer(nil, "seal_checkpoint", GroupRow).bytes(r.Tenant, r.Batch).num(r.Position).text(r.Day).num(r.Size, r.Attached).sum()
}

func (r *sealCheckpointRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "seal_checkpoint", Object: fmt.Sprintf("%d of batch %s", r.Position, idText(r.Batch))})
}

func (r *sealCheckpointRow) model() (*SealCheckpoint, error) {
	return &SealCheckpoint{Tenant: toID(r.Tenant), Batch: toID(r.Batch), Position: int(r.Position), Day: string(r.Day), Size: int64(r.Size), Attached: r.Attached != 0}, nil
}

// SealCheckpoints returns the checkpoints in a batch by their position.
func (c *Catalog) SealCheckpoints(ctx context.Context, batch uid.ID) ([]*SealCheckpoint, error) {
	list, err := all[sealCheckpointRow, SealCheckpoint](ctx, c.read.NewSelect().Where("batch = ?", batch).Order("position"))
	return list, c.wrap(err, "checkpoints of batch %s", batch)
}

// SealedCheckpoint returns the checkpoint of a log with the most events in any batch
// of new objects, of those with at least least events; the one with the fewest of
// these if least is not zero. stamped asks for batches with a time stamp only.
// ErrNotFound.
func (c *Catalog) SealedCheckpoint(ctx context.Context, tenant uid.ID, least int64, stamped bool) (*SealCheckpoint, error) {
	q := c.read.NewSelect().Where("tenant = ?", tenant).Where("size >= ?", least).Limit(1)
	states := []string{string(SealStamped)}
	if !stamped {
		states = append(states, string(SealPending))
	}
	q = q.Where("batch IN (SELECT id FROM seal_batch WHERE kind = ? AND state IN (?))", text(SealNew), bun.List(states))
	if least > 0 {
		q = q.Order("size", "batch", "position")
	} else {
		q = q.Order("size DESC", "batch DESC", "position")
	}
	list, err := all[sealCheckpointRow, SealCheckpoint](ctx, q)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, c.wrap(err, "checkpoint in a batch")
	}
	return list[0], nil
}

// SealedReceipt returns the checkpoint of the receipt of a day in the first batch of
// new objects that has it. ErrNotFound.
func (c *Catalog) SealedReceipt(ctx context.Context, tenant uid.ID, day string) (*SealCheckpoint, error) {
	q := c.read.NewSelect().Where("tenant = ?", tenant).Where("day = ?", text(day)).
		Where("batch IN (SELECT id FROM seal_batch WHERE kind = ?)", text(SealNew)).Order("batch").Limit(1)
	list, err := all[sealCheckpointRow, SealCheckpoint](ctx, q)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, c.wrap(err, "receipt of %s in a batch", day)
	}
	return list[0], nil
}

// UnattachedCheckpoints returns at most limit checkpoints of receipts whose batch has
// a time stamp, and whose evidence record is not in the receipt yet. Damaged rows are
// joined in the error.
func (c *Catalog) UnattachedCheckpoints(ctx context.Context, limit int) ([]*SealCheckpoint, error) {
	q := c.read.NewSelect().Where("attached = 0").Where("day <> ''").
		Where("batch IN (SELECT id FROM seal_batch WHERE kind = ? AND state = ?)", text(SealNew), text(SealStamped)).Order("batch", "position")
	list, err := all[sealCheckpointRow, SealCheckpoint](ctx, atMost(q, limit))
	return list, c.wrap(err, "checkpoints without their record")
}

// CheckpointAttached remembers that the record of a checkpoint is in its receipt.
func (c *Catalog) CheckpointAttached(ctx context.Context, x *SealCheckpoint) error {
	done := *x
	done.Attached = true
	err := changed(c.write.NewUpdate().Model(newSealCheckpointRow(&done)).Where("batch = ?", x.Batch).Where("position = ?", num(x.Position)).Exec(ctx))
	if errors.Is(err, sql.ErrNoRows) { // its tenant is gone
		err = nil
	}
	return c.wrap(err, "record of a checkpoint attached")
}
