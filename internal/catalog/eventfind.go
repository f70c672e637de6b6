package catalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// EventFilter chooses events. Empty members choose all.
type EventFilter struct {
	Before int64  // Seq below; 0 or less: from the newest on
	Group  string // what stands before the first dot of Action: [a-z-]+
	Actor  string
	Object string
	From   time.Time // at or after
	Until  time.Time // before
}

// FindEvents returns at most limit events, the newest first. Rows that differ from
// their leaf are missing and joined as *RowError in the error, beside the good ones.
func (c *Catalog) FindEvents(ctx context.Context, tenant uid.ID, f EventFilter, limit int) ([]*Event, error) {
	var rows []eventRow
	q := c.read.NewSelect().Model(&rows).Where("tenant = ?", tenant).Order("seq DESC")
	if f.Before > 0 {
		q = q.Where("seq < ?", f.Before)
	}
	if f.Group != "" {
		q = q.Where("action LIKE ?", f.Group+".%")
	}
	if f.Actor != "" {
		q = q.Where("actor = ?", text(f.Actor))
	}
	if f.Object != "" {
		q = q.Where("object = ?", text(f.Object))
	}
	if !f.From.IsZero() {
		q = q.Where("at >= ?", millis(f.From))
	}
	if !f.Until.IsZero() {
		q = q.Where("at < ?", millis(f.Until))
	}
	if err := atMost(q, limit).Scan(ctx); err != nil {
		return nil, c.wrap(err, "find events")
	}
	if err := c.withDetails(ctx, tenant, rows); err != nil {
		return nil, c.wrap(err, "details of events")
	}
	return soundEvents(rows)
}

// soundEvents are the events of rows. Rows that differ from their leaf are missing and
// joined as *RowError in the error, beside the good ones.
func soundEvents(rows []eventRow) ([]*Event, error) {
	var list []*Event
	var bad []error
	for i := range rows {
		e, err := verified[Event](&rows[i])
		if err != nil {
			bad = append(bad, err)
		} else {
			list = append(list, e)
		}
	}
	return list, errors.Join(bad...)
}

// withDetails reads the details of events.
func (c *Catalog) withDetails(ctx context.Context, tenant uid.ID, rows []eventRow) error {
	for start := 0; start < len(rows); start += listSize {
		part := rows[start:min(len(rows), start+listSize)]
		seqs := make([]int64, len(part))
		at := make(map[num]*eventRow, len(part))
		for i := range part {
			seqs[i], at[part[i].Seq] = int64(part[i].Seq), &part[i]
		}
		var details []detailRow
		if err := c.read.NewSelect().Model(&details).Where("tenant = ?", tenant).Where("seq IN (?)", bun.List(seqs)).Scan(ctx); err != nil {
			return err
		}
		for i := range details {
			at[details[i].Seq].detail = &details[i]
		}
	}
	return nil
}

// WalkLeaves calls do with the canonical leaf of every event with from <= Seq <
// size, ascending, without its details. A missing or damaged row is an error: a log
// with a gap is none. ErrNotFound if the log is shorter.
func (c *Catalog) WalkLeaves(ctx context.Context, tenant uid.ID, from, size int64, do func(e *Event, leaf []byte) error) error {
	if err := c.hasEvents(ctx, tenant, size); err != nil {
		return err
	}
	for next := from; next < size; {
		rows, err := c.eventRows(ctx, tenant, next, int(min(verifyPage, size-next)))
		if err != nil {
			return c.wrap(err, "events from %d", next)
		}
		for i := range rows {
			r := &rows[i]
			if int64(r.Seq) != next {
				break
			}
			r.detail = nil // not of the leaf
			if bad := r.verify(); bad != nil {
				return bad
			}
			leaf, err := r.leaf()
			if err != nil {
				return err
			}
			e, err := r.model()
			if err != nil {
				return err
			}
			if err := do(e, leaf); err != nil {
				return err
			}
			next++
		}
		if len(rows) == 0 || int64(rows[len(rows)-1].Seq) >= next {
			return &RowError{Table: "event", Object: fmt.Sprintf("%d of tenant %s", next, tenant), Seq: next, Group: GroupRow, Reason: "missing"}
		}
	}
	return nil
}
