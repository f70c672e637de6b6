package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Commit makes b durable in one transaction: all of it or nothing. It numbers
// messages and events without gaps and, when it succeeds, sets their Seq.
//
// ErrTaken means that a content, a capture key, a part or an identifier is
// stored already: look again with Known, KnownCaptures and Parts, and commit
// what is left. Commits of one tenant run one after the other.
func (c *Catalog) Commit(ctx context.Context, tenant uid.ID, b *Batch) error {
	rows, err := newBatchRows(tenant, b)
	if err != nil {
		return c.wrap(err, "commit")
	}
	var firstSeq, firstEvent int64
	err = c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, h *headRow) error {
		firstSeq, firstEvent = int64(h.Seq)+1, int64(h.Events)
		if err := c.insertBatch(ctx, tx, h, rows); err != nil {
			return err
		}
		if err := insertQuarantine(ctx, tx, tenant, b.Quarantine); err != nil {
			return err
		}
		if err := c.mergeParties(ctx, tx, tenant, b.Parties); err != nil {
			return err
		}
		if err := addAccounts(ctx, c, tx, tenant, b.Accounts); err != nil {
			return err
		}
		return c.appendEvents(ctx, tx, h, b.Events)
	})
	if err != nil {
		return c.wrap(err, "commit %d messages", len(b.Messages))
	}
	for i, m := range b.Messages {
		m.Tenant, m.Seq = tenant, firstSeq+int64(i)
	}
	for i, e := range b.Events {
		e.Seq = firstEvent + int64(i)
	}
	return nil
}

// batchRows is a batch ready to be inserted but for the numbers.
type batchRows struct {
	segment  *segmentRow
	messages []*messageRow
	parts    []*partRow
	captures []*captureRow
}

func newBatchRows(tenant uid.ID, b *Batch) (*batchRows, error) {
	rows := &batchRows{}
	if b.Segment != nil {
		rows.segment = newSegmentRow(tenant, b.Segment)
	}
	for _, m := range b.Messages {
		if m.AOID.IsZero() || m.Segment.IsZero() {
			return nil, fmt.Errorf("%w: message without AOID or segment", ErrInvalid)
		}
		r, err := newMessageRow(tenant, 0, m)
		if err != nil {
			return nil, err
		}
		rows.messages = append(rows.messages, r)
	}
	for _, p := range b.Parts {
		rows.parts = append(rows.parts, newPartRow(tenant, p))
	}
	for _, p := range b.Captures {
		if p.ID.IsZero() {
			return nil, fmt.Errorf("%w: capture without ID", ErrInvalid)
		}
		r, err := newCaptureRow(tenant, p)
		if err != nil {
			return nil, err
		}
		rows.captures = append(rows.captures, r)
	}
	return rows, nil
}

func (c *Catalog) insertBatch(ctx context.Context, tx bun.Tx, h *headRow, rows *batchRows) error {
	if rows.segment != nil {
		if _, err := tx.NewInsert().Model(rows.segment).Exec(ctx); err != nil {
			return fmt.Errorf("insert into segment: %w", err)
		}
	}
	for _, r := range rows.messages {
		h.count(r)
		r.Seq = h.Seq
		r.Checksum = r.sum()
	}
	if err := insertRows(ctx, c, tx, messageTable, rows.messages); err != nil {
		return err
	}
	if err := insertRows(ctx, c, tx, partTable, rows.parts); err != nil {
		return err
	}
	return insertRows(ctx, c, tx, captureTable, rows.captures)
}

// count adds a new message to the tenant's totals.
func (r *headRow) count(m *messageRow) {
	if r.Seq == 0 || m.ReceivedAt < r.FirstReceived {
		r.FirstReceived = m.ReceivedAt
	}
	if r.Seq == 0 || m.ReceivedAt > r.LastReceived {
		r.LastReceived = m.ReceivedAt
	}
	r.Seq++
	r.RawBytes += m.Size
}

// mergeParties adds parties to messages that exist, and queues for the index
// those that changed.
func (c *Catalog) mergeParties(ctx context.Context, tx bun.Tx, tenant uid.ID, more map[uid.ID][]Party) error {
	for _, aoid := range slices.SortedFunc(maps.Keys(more), uid.ID.Compare) {
		r := new(messageRow)
		m, err := one[Message](ctx, r, tx.NewSelect().Where("tenant = ?", tenant).Where("aoid = ?", aoid))
		if err != nil {
			return fmt.Errorf("parties of message %s: %w", aoid, err)
		}
		if m.Class == ClassQuarantine { // nobody may see it yet
			if err := mergeQuarantine(ctx, tx, tenant, aoid, more[aoid]); err != nil {
				return err
			}
			continue
		}
		merged := withParties(m.Parties, more[aoid])
		if len(merged) == len(m.Parties) {
			continue
		}
		if err := r.describe(&Described{Facts: m.Facts, Category: m.Category, Tags: m.Tags, Parties: merged}); err != nil {
			return err
		}
		if err := updateFacts(ctx, tx, r); err != nil {
			return fmt.Errorf("parties of message %s: %w", aoid, err)
		}
		if err := c.queue(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

// withParties appends those of more whose role, address and way are not there
// yet.
func withParties(parties, more []Party) []Party {
	type identity struct{ role, address, via string }
	seen := make(map[identity]bool, len(parties))
	for _, p := range parties {
		seen[identity{p.Role, p.Address, p.Via}] = true
	}
	merged := slices.Clip(parties)
	for _, p := range more {
		// As they come back from their column, or they would never be met again.
		p.Role, p.Name, p.Address, p.Via = asDocument(p.Role), asDocument(p.Name), asDocument(p.Address), asDocument(p.Via)
		if id := (identity{p.Role, p.Address, p.Via}); !seen[id] {
			seen[id] = true
			merged = append(merged, p)
		}
	}
	return merged
}
