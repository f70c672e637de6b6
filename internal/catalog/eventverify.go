package catalog

import (
	"context"
	"fmt"

	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
)

// verifyPage is how many events are verified at a time.
const verifyPage = 4096

// VerifyEvents recomputes the tenant's log from its events: every leaf, every
// node, the head, and that there is nothing else. report is called for each thing wrong, with a *RowError where
// a row is to blame; the error returned means that the check could not be
// completed. A log that somebody has rewritten altogether is consistent with
// itself: only a head that was handed out before can tell.
func (c *Catalog) VerifyEvents(ctx context.Context, tenant uid.ID, report func(error)) error {
	v := &eventVerifier{c: c, tenant: tenant, report: report}
	h, err := readHead(ctx, c.read.NewSelect(), tenant)
	if err != nil {
		return c.wrap(err, "verify event log")
	}
	for int64(h.Events) > v.next {
		rows, err := c.eventRows(ctx, tenant, v.next, verifyPage)
		if err != nil {
			return c.wrap(err, "verify event log")
		}
		if len(rows) == 0 || rows[0].Seq >= h.Events {
			break
		}
		if err := v.page(ctx, rows, int64(h.Events)); err != nil {
			return c.wrap(err, "verify event log")
		}
	}
	if v.next < int64(h.Events) {
		v.gap(int64(h.Events))
	}
	return c.wrap(v.finish(ctx, h), "verify event log")
}

// eventVerifier walks along a log.
type eventVerifier struct {
	c      *Catalog
	tenant uid.ID
	report func(error)
	next   int64 // Seq of the event expected next
	tree   eventlog.Frontier
	lost   bool // an event is missing: the tree cannot be recomputed any more
}

func (v *eventVerifier) gap(until int64) {
	v.report(&RowError{Table: "event", Object: fmt.Sprintf("%d to %d of tenant %s", v.next, until-1, v.tenant), Seq: v.next, Group: GroupRow, Reason: "missing"})
	v.next, v.lost = until, true
}

// page verifies rows; events from size on came after the check began.
func (v *eventVerifier) page(ctx context.Context, rows []eventRow, size int64) error {
	var completed []eventlog.Node
	for i := range rows {
		r := &rows[i]
		seq := int64(r.Seq)
		if seq >= size {
			break
		}
		if seq > v.next {
			v.gap(seq)
		}
		if bad := r.verify(); bad != nil {
			v.report(bad)
		}
		v.next = seq + 1
		if v.lost || len(r.LeafHash) != len(eventlog.Hash{}) {
			v.lost = true
			continue
		}
		completed = v.tree.Append(eventlog.Hash(r.LeafHash), completed)
	}
	return v.compare(ctx, completed)
}

// compare compares computed nodes with the stored ones.
func (v *eventVerifier) compare(ctx context.Context, computed []eventlog.Node) error {
	byLevel := map[int][]eventlog.Node{}
	for _, n := range computed {
		if n.Level >= storedLevel {
			byLevel[n.Level] = append(byLevel[n.Level], n)
		}
	}
	for level, nodes := range byLevel {
		var rows []nodeRow
		q := v.c.read.NewSelect().Model(&rows).Where("tenant = ?", v.tenant).Where("level = ?", level).
			Where("position >= ?", nodes[0].Position).Where("position <= ?", nodes[len(nodes)-1].Position)
		if err := q.Scan(ctx); err != nil {
			return err
		}
		stored := make(map[int64]string, len(rows))
		for _, r := range rows {
			stored[int64(r.Position)] = string(r.Hash)
		}
		for _, n := range nodes {
			have, ok := stored[n.Position]
			if have != string(n.Hash[:]) {
				v.report(v.badNode(n, ok))
			}
		}
	}
	return nil
}

func (v *eventVerifier) badNode(n eventlog.Node, found bool) error {
	e := &RowError{Table: "event_node", Object: fmt.Sprintf("%d of level %d of tenant %s", n.Position, n.Level, v.tenant), Group: GroupRow, Reason: "hash differs"}
	if !found {
		e.Reason = "missing"
	}
	return e
}

func (v *eventVerifier) finish(ctx context.Context, h *headRow) error {
	for _, n := range []numbered{numberedEvents(), numberedNodes()} {
		if err := v.c.checkNumbered(ctx, v.tenant[:], n, v.report); err != nil {
			return err
		}
	}
	if v.lost {
		return nil
	}
	stored, err := h.frontier()
	if err != nil {
		v.report(fmt.Errorf("event log of tenant %s: %w", v.tenant, err))
		return nil
	}
	if v.tree.Head() != stored.Head() {
		v.report(&RowError{Table: "head", Object: v.tenant.String(), Group: GroupRow, Reason: "head of the event log differs from its events"})
	}
	return nil
}
