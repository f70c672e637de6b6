package catalog

import (
	"context"
	"math/rand/v2"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Indexed returns the Seq up to which the index is complete.
func (c *Catalog) Indexed(ctx context.Context, tenant uid.ID) (int64, error) {
	h, err := readHead(ctx, c.read.NewSelect(), tenant)
	if err != nil {
		return 0, c.wrap(err, "indexed")
	}
	return int64(h.Indexed), nil
}

// SetIndexed moves that mark up to seq, but not beyond the last message; it
// never moves it down.
func (c *Catalog) SetIndexed(ctx context.Context, tenant uid.ID, seq int64) error {
	err := c.withHead(ctx, tenant, func(_ context.Context, _ bun.Tx, h *headRow) error {
		h.Indexed = max(h.Indexed, min(num(seq), h.Seq))
		return nil
	})
	return c.wrap(err, "set indexed")
}

// ResetIndexed sets the mark to 0 and empties the queue of PendingReindex: the
// index is to be built anew.
func (c *Catalog) ResetIndexed(ctx context.Context, tenant uid.ID) error {
	err := c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, h *headRow) error {
		h.Indexed = 0
		_, err := tx.NewDelete().Model((*reindexRow)(nil)).Where("tenant = ?", tenant).Exec(ctx)
		return err
	})
	return c.wrap(err, "reset indexed")
}

type reindexRow struct {
	bun.BaseModel `bun:"table:reindex,alias:r"`

	Tenant blob `bun:"tenant"`
	AOID   blob `bun:"aoid"`
	Ticket num  `bun:"ticket"`
}

// Reindex is a message the index has to learn again.
type Reindex struct {
	AOID   uid.ID
	Ticket int64 // new each time the message is queued
}

// queue has the index learn a message again.
func (c *Catalog) queue(ctx context.Context, tx bun.Tx, m *messageRow) error {
	r := &reindexRow{Tenant: m.Tenant, AOID: m.AOID, Ticket: num(rand.Int64())}
	_, err := tx.NewInsert().Model(r).On("CONFLICT (tenant, aoid) DO UPDATE").Set("ticket = EXCLUDED.ticket").Exec(ctx)
	return err
}

// PendingReindex returns at most limit queued messages.
func (c *Catalog) PendingReindex(ctx context.Context, tenant uid.ID, limit int) ([]Reindex, error) {
	var rows []reindexRow
	q := atMost(c.read.NewSelect().Model(&rows).Where("tenant = ?", tenant).Order("aoid"), limit)
	if err := q.Scan(ctx); err != nil {
		return nil, c.wrap(err, "pending reindex")
	}
	list := make([]Reindex, len(rows))
	for i, r := range rows {
		list[i] = Reindex{AOID: toID(r.AOID), Ticket: int64(r.Ticket)}
	}
	return list, nil
}

// DoneReindex removes messages from the queue, except those that were queued
// again since PendingReindex returned them.
func (c *Catalog) DoneReindex(ctx context.Context, tenant uid.ID, done []Reindex) error {
	if len(done) == 0 {
		return nil
	}
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, r := range done {
			q := tx.NewDelete().Model((*reindexRow)(nil)).Where("tenant = ?", tenant).Where("aoid = ?", r.AOID).Where("ticket = ?", r.Ticket)
			if _, err := q.Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return c.wrap(err, "done reindex")
}
