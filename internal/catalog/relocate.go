package catalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// ErrInUse is returned (wrapped) when something still rests in a segment that
// is to be dropped.
var ErrInUse = errors.New("still in use")

// Moves is the outcome of a compaction.
type Moves struct {
	Segment  *Segment // the new one, nil if there is none
	Messages map[uid.ID]Loc
	Parts    map[[32]byte]Loc
	Captures map[uid.ID]Loc
	// Decisions are the records of decisions on quarantined messages, by AOID.
	Decisions map[uid.ID]Loc
	// Tombstones are the records of what was deleted, by AOID.
	Tombstones map[uid.ID]Loc
	Drop       []uid.ID // segments nothing rests in any more
}

// Relocate records a compaction in one transaction. It changes nothing and
// fails with ErrNotFound if something that moves or is dropped is not there,
// with *RowError if the row of something that moves was damaged, and with
// ErrInUse if something still rests in a dropped segment.
func (c *Catalog) Relocate(ctx context.Context, tenant uid.ID, m Moves) error {
	err := c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, _ *headRow) error {
		if m.Segment != nil {
			if _, err := tx.NewInsert().Model(newSegmentRow(tenant, m.Segment)).Exec(ctx); err != nil {
				return fmt.Errorf("segment: %w", err)
			}
		}
		for id, to := range m.Messages {
			if err := move(ctx, tx, new(messageRow), place{tenant, "aoid", id[:], to}); err != nil {
				return fmt.Errorf("message %s: %w", id, err)
			}
		}
		for sum, to := range m.Parts {
			if err := move(ctx, tx, new(partRow), place{tenant, "sha256", sum[:], to}); err != nil {
				return fmt.Errorf("part %x: %w", sum, err)
			}
		}
		for id, to := range m.Captures {
			if err := move(ctx, tx, new(captureRow), place{tenant, "id", id[:], to}); err != nil {
				return fmt.Errorf("capture %s: %w", id, err)
			}
		}
		for id, to := range m.Decisions {
			if err := move(ctx, tx, new(quarantineRow), place{tenant, "aoid", id[:], to}); err != nil {
				return fmt.Errorf("decision on %s: %w", id, err)
			}
		}
		for id, to := range m.Tombstones {
			if err := move(ctx, tx, new(tombstoneRow), place{tenant, "aoid", id[:], to}); err != nil {
				return fmt.Errorf("tombstone of %s: %w", id, err)
			}
		}
		for _, id := range m.Drop {
			if err := dropSegment(ctx, tx, tenant, id); err != nil {
				return fmt.Errorf("segment %s: %w", id, err)
			}
		}
		return nil
	})
	return c.wrap(err, "relocate")
}

// place is where the row with this key goes.
type place struct {
	tenant uid.ID
	column string
	key    []byte
	to     Loc
}

// movable is a row of something that rests in the vault.
type movable interface {
	row
	relocate(to Loc)
}

func (r *messageRow) relocate(to Loc) {
	r.Segment, r.Frame = to.Segment[:], num(to.Frame)
	r.Checksum = r.sum()
}

func (r *partRow) relocate(to Loc) {
	r.Segment, r.Frame = to.Segment[:], num(to.Frame)
	r.Checksum = r.sum()
}

func (r *captureRow) relocate(to Loc) {
	r.Segment, r.Frame = to.Segment[:], num(to.Frame)
	r.Checksum = r.sum()
}

// move verifies a row before it writes a new check sum over it: damage must
// not become truth.
func move(ctx context.Context, tx bun.Tx, r movable, p place) error {
	which := func(q bun.QueryBuilder) bun.QueryBuilder {
		return q.Where("tenant = ?", p.tenant).Where("? = ?", bun.Ident(p.column), p.key)
	}
	if err := tx.NewSelect().Model(r).ApplyQueryBuilder(which).Scan(ctx); err != nil {
		return err
	}
	if bad := r.verify(); bad != nil {
		return bad
	}
	r.relocate(p.to)
	return changed(tx.NewUpdate().Model(r).Column("segment", "frame", "checksum").ApplyQueryBuilder(which).Exec(ctx))
}

func dropSegment(ctx context.Context, tx bun.Tx, tenant, id uid.ID) error {
	for _, table := range []string{"message", "part", "capture", "quarantine", "tombstone"} {
		used, err := tx.NewSelect().Table(table).ColumnExpr("1").Where("tenant = ?", tenant).Where("segment = ?", id).Exists(ctx)
		if err != nil {
			return err
		}
		if used {
			return fmt.Errorf("a %s rests there: %w", table, ErrInUse)
		}
	}
	return changed(tx.NewDelete().Model((*segmentRow)(nil)).Where("tenant = ?", tenant).Where("id = ?", id).Exec(ctx))
}

// ClearMessages removes all messages, captures, parts and segments of a tenant
// and everything counted over them, and the tombstones, for a rebuild from the vault.
// Accounts and the event log stay: they cannot be rebuilt. Damaged rows go with the others.
func (c *Catalog) ClearMessages(ctx context.Context, tenant uid.ID) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		h := new(headRow)
		if err := c.locked(tx.NewSelect().Model(h).Where("tenant = ?", tenant)).Scan(ctx); err != nil {
			return err
		}
		for _, table := range []string{"reindex", "capture", "quarantine", "message", "part", "segment", "seal_mark", "tombstone"} {
			if _, err := tx.NewDelete().Table(table).Where("tenant = ?", tenant).Exec(ctx); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		h.Seq, h.RawBytes, h.FirstReceived, h.LastReceived, h.Indexed, h.Erased, h.ErasedBytes = 0, 0, 0, 0, 0, 0, 0
		return writeHead(ctx, tx, h)
	})
	return c.wrap(err, "clear messages")
}
