package catalog

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// SealRole tells what of a batch a renewal covers.
type SealRole string

// Roles.
const (
	CoversStamp SealRole = "stamp" // its time stamp: RFC 4998 §5.2
	CoversRoot  SealRole = "root"  // its root: the first time stamp on a rehashed batch
)

// SealCover is what one leaf of a renewal covers.
type SealCover struct {
	Batch    uid.ID // the renewal
	Position int    // among its leaves, from 0
	Covers   uid.ID
	Role     SealRole
}

type sealCoverRow struct {
	bun.BaseModel `bun:"table:seal_cover,alias:sc"`

	Batch    blob `bun:"batch"`
	Position num  `bun:"position"`
	Covers   blob `bun:"covers"`
	Role     text `bun:"role"`
	Checksum blob `bun:"checksum"`
}

func newSealCoverRow(x *SealCover) *sealCoverRow {
	r := &sealCoverRow{Batch: x.Batch[:], Position: num(x.Position), Covers: x.Covers[:], Role: text(x.Role)}
	r.Checksum = r.sum()
	return r
}

func (r *sealCoverRow) sum() blob {
	return newSummer(nil, "seal_cover", GroupRow).bytes(r.Batch).num(r.Position).bytes(r.Covers).text(r.Role).sum()
}

func (r *sealCoverRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "seal_cover", Object: fmt.Sprintf("leaf %d of renewal %s", r.Position, idText(r.Batch))})
}

func (r *sealCoverRow) model() (*SealCover, error) {
	return &SealCover{Batch: toID(r.Batch), Position: int(r.Position), Covers: toID(r.Covers), Role: SealRole(r.Role)}, nil
}

// WalkSealBatches calls do for every batch, ascending. Rows that fail their check sum
// are passed over; they are joined as *RowErrors in the error.
func (c *Catalog) WalkSealBatches(ctx context.Context, do func(*SealBatch)) error {
	list, err := all[sealBatchRow, SealBatch](ctx, c.read.NewSelect().Order("id"))
	for _, b := range list {
		do(b)
	}
	return c.wrap(err, "batches")
}

// SealCovers returns everything that renewals cover, by renewal and position; of
// one renewal alone unless it is zero. Damaged rows are joined in the error.
func (c *Catalog) SealCovers(ctx context.Context, renewal uid.ID) ([]*SealCover, error) {
	q := c.read.NewSelect().Order("batch", "position")
	if !renewal.IsZero() {
		q = q.Where("batch = ?", renewal)
	}
	list, err := all[sealCoverRow, SealCover](ctx, q)
	return list, c.wrap(err, "what renewals cover")
}

// SealCoverOf returns which renewal covers the stamp or the root of a batch.
// ErrNotFound: none does.
func (c *Catalog) SealCoverOf(ctx context.Context, covers uid.ID, role SealRole) (*SealCover, error) {
	x, err := one[SealCover](ctx, new(sealCoverRow), c.read.NewSelect().Where("covers = ?", covers).Where("role = ?", text(role)))
	return x, c.wrap(err, "renewal of batch %s", covers)
}

// SealRehashes returns the batches into which the objects of a batch were rehashed,
// the oldest first.
func (c *Catalog) SealRehashes(ctx context.Context, batch uid.ID) ([]*SealBatch, error) {
	list, err := all[sealBatchRow, SealBatch](ctx, c.read.NewSelect().Where("renews = ?", batch).Order("id"))
	return list, c.wrap(err, "rehashed batches of batch %s", batch)
}

// SealLeftOut returns the rehashed batches that lack objects which could not be read,
// the oldest first.
func (c *Catalog) SealLeftOut(ctx context.Context) ([]*SealBatch, error) {
	list, err := all[sealBatchRow, SealBatch](ctx, c.read.NewSelect().Where("left_out > 0").Where("state = ?", text(SealRehashed)).Order("id"))
	return list, c.wrap(err, "rehashed batches that lack objects")
}

// BeginRehash stores that the objects of batch b.Renews are being rehashed into b.
// ErrTaken if that is under way already.
func (c *Catalog) BeginRehash(ctx context.Context, b *SealBatch) error {
	if b.Kind != SealRehash || b.State != SealRehashing || b.Renews.IsZero() {
		return fmt.Errorf("begin to rehash: %w", ErrInvalid)
	}
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := one[SealBatch](ctx, new(sealBatchRow), c.locked(tx.NewSelect().Where("id = ?", b.Renews))); err != nil {
			return err
		}
		list, err := all[sealBatchRow, SealBatch](ctx, tx.NewSelect().Where("renews = ?", b.Renews).Where("state = ?", text(SealRehashing)))
		if err != nil {
			return err
		}
		if len(list) > 0 {
			return ErrTaken
		}
		_, err = tx.NewInsert().Model(newSealBatchRow(b)).Exec(ctx)
		return err
	})
	return c.wrap(err, "rehash batch %s", b.Renews)
}

// EndRehash stores a batch that was being rehashed as rehashed, with its trees and
// checkpoints. It is no error if that was done already.
func (c *Catalog) EndRehash(ctx context.Context, b *SealBatch, p SealParts) error {
	if b.State != SealRehashed || len(b.Root) == 0 {
		return fmt.Errorf("end to rehash: %w", ErrInvalid)
	}
	err := c.withSealEvents(ctx, p.Events, func(ctx context.Context, tx bun.Tx) error {
		old, err := one[SealBatch](ctx, new(sealBatchRow), c.locked(tx.NewSelect().Where("id = ?", b.ID)))
		if err != nil || old.State == SealRehashed {
			return err
		}
		if err := changed(tx.NewUpdate().Model(newSealBatchRow(b)).Where("id = ?", b.ID).Exec(ctx)); err != nil {
			return err
		}
		return insertParts(ctx, tx, &p)
	})
	return c.wrap(err, "rehashed batch %s", b.ID)
}

// DropRehash forgets a batch that was being rehashed and came to nothing.
func (c *Catalog) DropRehash(ctx context.Context, id uid.ID) error {
	_, err := c.write.NewDelete().Model((*sealBatchRow)(nil)).Where("id = ?", id).Where("state = ?", text(SealRehashing)).Exec(ctx)
	return c.wrap(err, "drop batch %s", id)
}

// AuthorityState is how a time-stamping authority behaves, and what it has cost.
type AuthorityState struct {
	Name  string
	State []byte // JSON
}

type authorityRow struct {
	bun.BaseModel `bun:"table:seal_authority,alias:sau"`

	Name     text     `bun:"name"`
	State    document `bun:"state"`
	Checksum blob     `bun:"checksum"`
}

func (r *authorityRow) sum() blob {
	return newSummer(nil, "seal_authority", GroupRow).text(r.Name).document(r.State).sum()
}

func (r *authorityRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "seal_authority", Object: fmt.Sprintf("%.100q", string(r.Name))})
}

func (r *authorityRow) model() (*AuthorityState, error) {
	return &AuthorityState{Name: string(r.Name), State: []byte(r.State)}, nil
}

// AuthorityStates returns the states of all authorities that were ever asked. Damaged
// rows are joined in the error.
func (c *Catalog) AuthorityStates(ctx context.Context) ([]*AuthorityState, error) {
	list, err := all[authorityRow, AuthorityState](ctx, c.read.NewSelect().Order("name"))
	return list, c.wrap(err, "states of authorities")
}

// SetAuthorityState stores a state in place of the old one, damaged or not.
func (c *Catalog) SetAuthorityState(ctx context.Context, s *AuthorityState) error {
	r := &authorityRow{Name: text(s.Name), State: document(s.State)}
	r.Checksum = r.sum()
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*authorityRow)(nil)).Where("name = ?", r.Name).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(r).Exec(ctx)
		return err
	})
	return c.wrap(err, "state of authority %q", s.Name)
}
