package catalog

import (
	"context"
	"fmt"

	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
)

// EventProof shows that an event is in the log: eventlog.CheckInclusion.
type EventProof struct {
	Seq  int64
	Leaf []byte // canonical JSON
	Head eventlog.Head
	Path []eventlog.Hash
}

// EventHead returns size and root of the tenant's event log.
func (c *Catalog) EventHead(ctx context.Context, tenant uid.ID) (eventlog.Head, error) {
	h, err := readHead(ctx, c.read.NewSelect(), tenant)
	if err != nil {
		return eventlog.Head{}, c.wrap(err, "event log")
	}
	f, err := h.frontier()
	if err != nil {
		return eventlog.Head{}, fmt.Errorf("event log: %w", err)
	}
	return f.Head(), nil
}

// EventHeadAt returns the head the log had when it had size events. ErrNotFound
// if it is shorter.
func (c *Catalog) EventHeadAt(ctx context.Context, tenant uid.ID, size int64) (eventlog.Head, error) {
	if err := c.hasEvents(ctx, tenant, size); err != nil {
		return eventlog.Head{}, err
	}
	return eventlog.HeadAt(size, c.nodes(ctx, tenant))
}

func (c *Catalog) hasEvents(ctx context.Context, tenant uid.ID, size int64) error {
	h, err := readHead(ctx, c.read.NewSelect(), tenant)
	if err == nil && (size < 0 || num(size) > h.Events) {
		err = ErrNotFound
	}
	return c.wrap(err, "event log of size %d", size)
}

// ProveEvent returns the leaf of event seq and the proof that it is in the log
// of the given size. ErrNotFound if the log is shorter.
func (c *Catalog) ProveEvent(ctx context.Context, tenant uid.ID, seq, size int64) (*EventProof, error) {
	head, err := c.EventHeadAt(ctx, tenant, size)
	if err != nil {
		return nil, err
	}
	if seq < 0 || seq >= size {
		return nil, fmt.Errorf("event %d in a log of size %d: %w", seq, size, ErrNotFound)
	}
	rows, err := c.eventRows(ctx, tenant, seq, 1)
	if err != nil {
		return nil, c.wrap(err, "event %d", seq)
	}
	if len(rows) == 0 || int64(rows[0].Seq) != seq {
		return nil, fmt.Errorf("event %d: %w", seq, ErrNotFound)
	}
	leaf, err := rows[0].leaf()
	if err != nil {
		return nil, fmt.Errorf("event %d: %w", seq, err)
	}
	path, err := eventlog.ProveInclusion(size, seq, c.nodes(ctx, tenant))
	if err != nil {
		return nil, err
	}
	p := &EventProof{Seq: seq, Leaf: leaf, Head: head, Path: path}
	// A proof that does not hold would accuse the wrong one later.
	return p, eventlog.CheckInclusion(head, seq, leaf, path)
}

// ProveConsistency returns the proof that the log of size to begins with the
// log of size from. ErrNotFound if the log is shorter or from is not between 0
// and to.
func (c *Catalog) ProveConsistency(ctx context.Context, tenant uid.ID, from, to int64) ([]eventlog.Hash, error) {
	if err := c.hasEvents(ctx, tenant, to); err != nil {
		return nil, err
	}
	if from < 0 || from > to {
		return nil, fmt.Errorf("consistency from %d to %d: %w", from, to, ErrNotFound)
	}
	return eventlog.ProveConsistency(from, to, c.nodes(ctx, tenant))
}

// nodes reads the nodes of a tenant's tree; those that are not stored are
// computed from the leaves.
func (c *Catalog) nodes(ctx context.Context, tenant uid.ID) eventlog.Nodes {
	return func(wanted []eventlog.Node) ([]eventlog.Hash, error) {
		hashes := make([]eventlog.Hash, len(wanted))
		for i, n := range wanted {
			h, err := c.node(ctx, tenant, n)
			if err != nil {
				return nil, c.wrap(err, "node %d of level %d", n.Position, n.Level)
			}
			hashes[i] = h
		}
		return hashes, nil
	}
}

func (c *Catalog) node(ctx context.Context, tenant uid.ID, n eventlog.Node) (eventlog.Hash, error) {
	var found []blob
	want := 1
	q := c.read.NewSelect().Where("tenant = ?", tenant)
	if n.Level >= storedLevel {
		q = q.Table("event_node").Column("hash").Where("level = ?", n.Level).Where("position = ?", n.Position)
	} else {
		want = 1 << n.Level
		first := n.Position << n.Level
		q = q.Table("event").Column("leaf_hash").Where("seq >= ?", first).Where("seq < ?", first+int64(want)).Order("seq")
	}
	if err := q.Scan(ctx, &found); err != nil {
		return eventlog.Hash{}, err
	}
	if len(found) != want {
		return eventlog.Hash{}, ErrNotFound
	}
	var tree eventlog.Frontier
	for _, b := range found {
		if len(b) != len(eventlog.Hash{}) {
			return eventlog.Hash{}, fmt.Errorf("%w: hash of %d bytes", ErrInvalid, len(b))
		}
		tree.Append(eventlog.Hash(b), nil)
	}
	return tree.Head().Root, nil
}

// ArrivalEvent returns where in the log of a tenant the event is by which an object
// came into the archive. ErrNotFound.
func (c *Catalog) ArrivalEvent(ctx context.Context, tenant uid.ID, object string) (seq int64, err error) {
	var rows []eventRow
	// The condition is written as in the index, so that the index is used.
	err = c.read.NewSelect().Model(&rows).Column("seq").Where("tenant = ?", tenant).Where("object = ?", text(object)).
		Where("action IN ('message.stored', 'message.quarantined', 'message.restored')").Order("seq").Limit(1).Scan(ctx)
	if err != nil {
		return 0, c.wrap(err, "arrival of object %s", object)
	}
	if len(rows) == 0 {
		return 0, fmt.Errorf("arrival of object %s: %w", object, ErrNotFound)
	}
	return int64(rows[0].Seq), nil
}
