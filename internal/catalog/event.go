package catalog

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
)

// storedLevel is the lowest level of inner nodes that are stored. A lower node
// is computed from at most 2^(storedLevel-1) leaves; that saves seven eighths of
// the rows.
const storedLevel = 4

type eventRow struct {
	bun.BaseModel `bun:"table:event,alias:e"`

	Tenant      blob `bun:"tenant"`
	Seq         num  `bun:"seq"`
	At          num  `bun:"at"`
	Actor       text `bun:"actor"`
	Action      text `bun:"action"`
	Object      text `bun:"object"`
	Digest      text `bun:"digest"`
	DetailsHash text `bun:"details_hash"`
	LeafHash    blob `bun:"leaf_hash"`

	detail *detailRow
}

type detailRow struct {
	bun.BaseModel `bun:"table:event_detail,alias:d"`

	Tenant  blob     `bun:"tenant"`
	Seq     num      `bun:"seq"`
	Salt    blob     `bun:"salt"`
	Details document `bun:"details"`
}

type nodeRow struct {
	bun.BaseModel `bun:"table:event_node,alias:n"`

	Tenant   blob `bun:"tenant"`
	Level    num  `bun:"level"`
	Position num  `bun:"position"`
	Hash     blob `bun:"hash"`
}

func (r *eventRow) args(to []any) []any {
	return append(to, []byte(r.Tenant), int64(r.Seq), int64(r.At), string(r.Actor), string(r.Action), string(r.Object), string(r.Digest),
		string(r.DetailsHash), []byte(r.LeafHash))
}

func (r *detailRow) args(to []any) []any {
	return append(to, []byte(r.Tenant), int64(r.Seq), []byte(r.Salt), string(r.Details))
}

func (r *nodeRow) args(to []any) []any {
	return append(to, []byte(r.Tenant), int64(r.Level), int64(r.Position), []byte(r.Hash))
}

// leaf returns the canonical leaf of the row as it stands.
func (r *eventRow) leaf() ([]byte, error) {
	l := eventlog.Leaf{Seq: int64(r.Seq), Time: int64(r.At), Tenant: idText(r.Tenant), Type: string(r.Action), Actor: string(r.Actor),
		Object: string(r.Object), Digest: string(r.Digest), Details: string(r.DetailsHash)}
	return l.Encode()
}

// verify compares the row with the hash of its leaf, and the details, if they
// are still there, with the hash in the leaf.
func (r *eventRow) verify() *RowError {
	bad := RowError{Table: "event", Object: fmt.Sprintf("%d of tenant %s", r.Seq, idText(r.Tenant)), Seq: int64(r.Seq), Group: GroupRow}
	leaf, err := r.leaf()
	if err != nil {
		bad.Reason = err.Error()
		return &bad
	}
	if h := eventlog.LeafHash(leaf); string(h[:]) != string(r.LeafHash) {
		bad.Reason = "hash of the leaf differs"
		return &bad
	}
	if r.detail == nil {
		return nil
	}
	bad.Group = GroupDetail
	details, err := r.detail.model()
	switch {
	case err != nil:
		bad.Reason = err.Error()
	case len(r.detail.Salt) != eventlog.SaltSize:
		bad.Reason = "salt has the wrong length"
	case eventlog.DetailsHash([eventlog.SaltSize]byte(r.detail.Salt), details) != string(r.DetailsHash):
		bad.Reason = "hash of the details differs"
	default:
		return nil
	}
	return &bad
}

func (r *eventRow) model() (*Event, error) {
	e := &Event{Seq: int64(r.Seq), At: r.At.millis(), Actor: string(r.Actor), Action: string(r.Action), Object: string(r.Object), Digest: string(r.Digest)}
	var err error
	if r.detail != nil {
		e.Details, err = r.detail.model()
	}
	return e, err
}

func (r *detailRow) model() (map[string]string, error) {
	escaped := map[string]string{}
	if err := r.Details.into(&escaped); err != nil {
		return nil, err
	}
	details := make(map[string]string, len(escaped))
	for k, v := range escaped {
		name, ok1 := unescapeText(k)
		value, ok2 := unescapeText(v)
		if !ok1 || !ok2 {
			return nil, errors.New("details are not as they were written")
		}
		details[name] = value
	}
	return details, nil
}

// newEventRow makes the row of e, but for its hash, and its details.
func newEventRow(tenant blob, seq num, e *Event) (*eventRow, error) {
	r := &eventRow{Tenant: tenant, Seq: seq, At: millis(e.At), Actor: text(e.Actor), Action: text(e.Action), Object: text(e.Object), Digest: text(e.Digest)}
	if len(e.Details) > 0 {
		var salt [eventlog.SaltSize]byte
		rand.Read(salt[:]) // never fails: crypto/rand ends the program instead
		escaped := make(map[string]string, len(e.Details))
		for k, v := range e.Details {
			escaped[escapeText(k)] = escapeText(v)
		}
		details, err := toDocument(escaped)
		if err != nil {
			return nil, err
		}
		r.detail = &detailRow{Tenant: tenant, Seq: seq, Salt: salt[:], Details: details}
		r.DetailsHash = text(eventlog.DetailsHash(salt, e.Details))
	}
	leaf, err := r.leaf()
	if err != nil {
		return nil, fmt.Errorf("event %q: %w", e.Action, err)
	}
	hash := eventlog.LeafHash(leaf)
	r.LeafHash = hash[:]
	return r, nil
}

// appendEvents adds events to the log whose head is h, which it changes.
func (c *Catalog) appendEvents(ctx context.Context, tx bun.Tx, h *headRow, events []*Event) error {
	if len(events) == 0 {
		return nil
	}
	f, err := h.frontier()
	if err != nil {
		return err
	}
	rows := make([]*eventRow, len(events))
	var details []*detailRow
	var nodes []*nodeRow
	var completed []eventlog.Node
	for i, e := range events {
		r, err := newEventRow(h.Tenant, num(f.Size()), e)
		if err != nil {
			return err
		}
		rows[i] = r
		if r.detail != nil {
			details = append(details, r.detail)
		}
		completed = f.Append(eventlog.Hash(r.LeafHash), completed[:0])
		for _, n := range completed {
			if n.Level >= storedLevel {
				nodes = append(nodes, &nodeRow{Tenant: h.Tenant, Level: num(n.Level), Position: num(n.Position), Hash: n.Hash[:]})
			}
		}
	}
	h.Events, h.Peaks = num(f.Size()), f.Bytes()
	if err := insertRows(ctx, c, tx, eventTable, rows); err != nil {
		return err
	}
	if err := insertRows(ctx, c, tx, detailTable, details); err != nil {
		return err
	}
	return insertRows(ctx, c, tx, nodeTable, nodes)
}

// AppendEvents adds events to the tenant's log in one transaction and sets
// their Seq. eventlog.ErrLeaf if one holds what must not be logged for ever:
// personal data belong into Details.
func (c *Catalog) AppendEvents(ctx context.Context, tenant uid.ID, events []*Event) error {
	return c.Commit(ctx, tenant, &Batch{Events: events})
}

// Events returns at most limit events with Seq >= from, ascending. Rows that
// differ from their leaf are missing and joined as *RowError in the error,
// beside the good ones.
func (c *Catalog) Events(ctx context.Context, tenant uid.ID, from int64, limit int) ([]*Event, error) {
	rows, err := c.eventRows(ctx, tenant, from, limit)
	if err != nil {
		return nil, c.wrap(err, "events from %d", from)
	}
	return soundEvents(rows)
}

func (c *Catalog) eventRows(ctx context.Context, tenant uid.ID, from int64, limit int) ([]eventRow, error) {
	var rows []eventRow
	q := atMost(c.read.NewSelect().Model(&rows).Where("tenant = ?", tenant).Where("seq >= ?", from).Order("seq"), limit)
	if err := q.Scan(ctx); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, nil
	}
	var details []detailRow
	q = c.read.NewSelect().Model(&details).Where("tenant = ?", tenant).Where("seq >= ?", rows[0].Seq).Where("seq <= ?", rows[len(rows)-1].Seq)
	if err := q.Scan(ctx); err != nil {
		return nil, err
	}
	at := make(map[num]*detailRow, len(details))
	for i := range details {
		at[details[i].Seq] = &details[i]
	}
	for i := range rows {
		rows[i].detail = at[rows[i].Seq]
	}
	return rows, nil
}

// DeleteEventDetails removes what an event tells about people. The log stays
// provable. It is no error if there are none.
func (c *Catalog) DeleteEventDetails(ctx context.Context, tenant uid.ID, seq int64) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*detailRow)(nil)).Where("tenant = ?", tenant).Where("seq = ?", seq).Exec(ctx)
		return err
	})
	return c.wrap(err, "delete details of event %d", seq)
}
