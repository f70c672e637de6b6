package catalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Bounds of what waits to be sent: mail that nobody can send must not fill the
// disk.
const (
	maxWaiting      = 10_000
	maxWaitingBytes = 256 << 20
)

// candidates is how many mails that are due are looked at for one that is sound.
const candidates = 20

// Enqueue adds a mail and its bytes. ErrTaken if the tenant has one of the same
// Key, ErrOutboxFull if too much waits already.
func (c *Catalog) Enqueue(ctx context.Context, m *Outgoing, body []byte) error {
	if m.ID.IsZero() || len(m.Recipients) == 0 {
		return fmt.Errorf("queue mail: %w: no id or no recipient", ErrInvalid)
	}
	r, err := newOutboxRow(m)
	if err == nil {
		err = nameable(r.Key)
	}
	if err != nil {
		return c.wrap(err, "queue mail")
	}
	err = c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		var count, size int64
		q := tx.NewSelect().Model((*outboxRow)(nil)).ColumnExpr("COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT)").Where("state = ?", OutgoingWaiting)
		if err := q.Scan(ctx, &count, &size); err != nil {
			return err
		}
		if count >= maxWaiting || size+m.Size > maxWaitingBytes {
			return fmt.Errorf("%w: %d mails of %d bytes", ErrOutboxFull, count, size)
		}
		if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(newBodyRow(m.ID, body)).Exec(ctx)
		return err
	})
	return c.wrap(err, "queue mail")
}

// OutgoingByKey returns the mail of a tenant that was queued under a key.
func (c *Catalog) OutgoingByKey(ctx context.Context, tenant uid.ID, key string) (*Outgoing, error) {
	m, err := one[Outgoing](ctx, new(outboxRow), c.read.NewSelect().Where("tenant = ?", tenant).Where("item_key = ?", text(key)))
	return m, c.wrap(err, "mail by key")
}

// Outgoing returns a mail of any tenant.
func (c *Catalog) Outgoing(ctx context.Context, id uid.ID) (*Outgoing, error) {
	m, err := one[Outgoing](ctx, new(outboxRow), c.read.NewSelect().Where("id = ?", id))
	return m, c.wrap(err, "mail %s", id)
}

// Outbox returns at most limit mails, the youngest first. Rows that fail their
// check sum are missing and joined as *RowError in the error, beside the good
// ones.
func (c *Catalog) Outbox(ctx context.Context, limit int) ([]*Outgoing, error) {
	list, err := all[outboxRow, Outgoing](ctx, atMost(c.read.NewSelect().Order("created_at DESC", "id DESC"), limit))
	return list, c.wrap(err, "outbox")
}

// OutboxCounts counts the mails by state.
func (c *Catalog) OutboxCounts(ctx context.Context) (OutboxCounts, error) {
	var n OutboxCounts
	var rows []struct {
		State text  `bun:"state"`
		N     int64 `bun:"n"`
	}
	err := c.read.NewSelect().Model((*outboxRow)(nil)).ColumnExpr("state, COUNT(*) AS n").Group("state").Scan(ctx, &rows)
	for _, r := range rows {
		switch OutgoingState(r.State) {
		case OutgoingWaiting:
			n.Waiting = int(r.N)
		case OutgoingSent:
			n.Sent = int(r.N)
		case OutgoingFailed:
			n.Failed = int(r.N)
		}
	}
	return n, c.wrap(err, "count outbox")
}

// ClaimOutgoing takes the mail that is due for the longest time, so that nobody
// else gets it before the lease is over, and counts the attempt. ErrNotFound if
// none is due. If its bytes are damaged, the mail comes with a *RowError.
// Damaged rows are passed over.
func (c *Catalog) ClaimOutgoing(ctx context.Context, now time.Time, lease time.Duration) (*Outgoing, []byte, error) {
	var found *Outgoing
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		found = nil
		q := tx.NewSelect().Where("state = ?", OutgoingWaiting).Where("next_at <= ?", millis(now)).Where("claimed_until <= ?", millis(now)).Order("next_at", "id").Limit(candidates)
		list, err := all[outboxRow, Outgoing](ctx, c.locked(q))
		if len(list) == 0 {
			return errors.Join(err, ErrNotFound)
		}
		m := list[0]
		m.Attempts++
		m.TriedAt, m.ClaimedUntil = now, now.Add(lease)
		found = m
		return updateOutgoing(ctx, tx, m)
	})
	if err != nil {
		return nil, nil, c.wrap(err, "claim mail")
	}
	body, err := one[[]byte](ctx, new(bodyRow), c.read.NewSelect().Where("outbox = ?", found.ID))
	if err != nil {
		return found, nil, c.wrap(err, "bytes of mail %s", found.ID)
	}
	return found, *body, nil
}

func updateOutgoing(ctx context.Context, tx bun.Tx, m *Outgoing) error {
	r, err := newOutboxRow(m)
	if err != nil {
		return err
	}
	return changed(tx.NewUpdate().Model(r).Where("id = ?", m.ID).Exec(ctx))
}

// SettleOutgoing writes what became of a claimed mail and gives it back. The
// bytes of a mail that is sent are removed. ErrNotFound if it is gone, or somebody
// else has claimed it meanwhile and it was not sent now: then nothing is written.
func (c *Catalog) SettleOutgoing(ctx context.Context, m *Outgoing) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		old, err := one[Outgoing](ctx, new(outboxRow), c.locked(tx.NewSelect().Where("id = ?", m.ID)))
		if err != nil {
			return err
		}
		if old.State == OutgoingSent || old.Attempts != m.Attempts && m.State != OutgoingSent {
			return ErrNotFound
		}
		settled := *m
		settled.ClaimedUntil = time.Time{}
		if err := updateOutgoing(ctx, tx, &settled); err != nil {
			return err
		}
		if m.State != OutgoingSent {
			return nil
		}
		_, err = tx.NewDelete().Model((*bodyRow)(nil)).Where("outbox = ?", m.ID).Exec(ctx)
		return err
	})
	return c.wrap(err, "settle mail %s", m.ID)
}
