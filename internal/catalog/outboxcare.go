package catalog

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// RetryOutgoing makes a mail due now, also one that was given up, and stores the
// events of it in the log of the installation. The time for which it is tried
// begins again. ErrNotFound if there is none or it is sent.
func (c *Catalog) RetryOutgoing(ctx context.Context, id uid.ID, now time.Time, events ...*Event) error {
	err := c.withEvents(ctx, uid.ID{}, events, func(ctx context.Context, tx bun.Tx) error {
		m, err := one[Outgoing](ctx, new(outboxRow), c.locked(tx.NewSelect().Where("id = ?", id)))
		if err != nil {
			return err
		}
		if m.State == OutgoingSent {
			return ErrNotFound
		}
		for i := range m.Recipients {
			if m.Recipients[i].State == OutgoingFailed {
				m.Recipients[i].State = OutgoingWaiting
			}
		}
		if m.State == OutgoingFailed {
			m.Attempts = 0
		}
		m.State, m.NextAt, m.EndedAt = OutgoingWaiting, now, time.Time{}
		return updateOutgoing(ctx, tx, m)
	})
	return c.wrap(err, "retry mail %s", id)
}

// DropOutgoing removes a mail, whatever its state, and stores the events of it
// likewise. ErrNotFound if there is none.
func (c *Catalog) DropOutgoing(ctx context.Context, id uid.ID, events ...*Event) error {
	err := c.withEvents(ctx, uid.ID{}, events, func(ctx context.Context, tx bun.Tx) error {
		return dropOutgoing(ctx, tx, id[:])
	})
	return c.wrap(err, "drop mail %s", id)
}

func dropOutgoing(ctx context.Context, tx bun.Tx, id blob) error {
	if _, err := tx.NewDelete().Model((*bodyRow)(nil)).Where("outbox = ?", id).Exec(ctx); err != nil {
		return err
	}
	return changed(tx.NewDelete().Model((*outboxRow)(nil)).Where("id = ?", id).Exec(ctx))
}

// HurryOutbox makes all mail that waits due now, but damaged rows.
func (c *Catalog) HurryOutbox(ctx context.Context, now time.Time) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		list, err := all[outboxRow, Outgoing](ctx, c.locked(tx.NewSelect().Where("state = ?", OutgoingWaiting).Where("next_at > ?", millis(now)).Limit(maxWaiting)))
		if damage := (*RowError)(nil); err != nil && !errors.As(err, &damage) {
			return err
		}
		for _, m := range list {
			m.NextAt = now
			if err := updateOutgoing(ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	return c.wrap(err, "hurry outbox")
}

// TidyOutbox forgets mail that ended before a time, and of what was given up all
// but the youngest keep. It returns how many mails that were given up it forgot.
func (c *Catalog) TidyOutbox(ctx context.Context, before time.Time, keep int) (failed int, err error) {
	err = c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		failed = 0
		var rows []outboxRow
		q := tx.NewSelect().Model(&rows).Column("id", "state", "ended_at").Where("state <> ?", OutgoingWaiting).Order("ended_at DESC", "id DESC")
		if err := q.Scan(ctx); err != nil {
			return err
		}
		given := 0
		for r := range slices.Values(rows) {
			bad := r.State == text(OutgoingFailed)
			if bad {
				given++
			}
			if r.EndedAt >= millis(before) && (!bad || given <= keep) {
				continue
			}
			if err := dropOutgoing(ctx, tx, r.ID); err != nil {
				return err
			}
			if bad {
				failed++
			}
		}
		return nil
	})
	return failed, c.wrap(err, "tidy outbox")
}

// checkBodies verifies the bytes of mail one after the other.
func (c *Catalog) checkBodies(ctx context.Context, report func(error)) error {
	var ids []blob
	if err := c.read.NewSelect().Table("outbox_body").Column("outbox").Scan(ctx, &ids); err != nil {
		return err
	}
	for _, id := range ids {
		err := each[bodyRow, []byte](ctx, c.read.NewSelect().Where("outbox = ?", id), func(_ *bodyRow, _ *[]byte, err error) error {
			if err != nil {
				report(err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
