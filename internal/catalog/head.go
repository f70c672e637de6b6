package catalog

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
)

// headRow is the state of a tenant's counters. Everything that numbers messages
// or events, or changes what rests where, locks it first: that is what makes
// the numbers gapless and keeps deadlocks away.
type headRow struct {
	bun.BaseModel `bun:"table:head,alias:h"`

	Tenant        blob `bun:"tenant"`
	Seq           num  `bun:"seq"`
	RawBytes      num  `bun:"raw_bytes"`
	FirstReceived num  `bun:"first_received"`
	LastReceived  num  `bun:"last_received"`
	Events        num  `bun:"events"`
	Peaks         blob `bun:"peaks"`
	Indexed       num  `bun:"indexed"`
	Checksum      blob `bun:"checksum"`
	Erased        num  `bun:"erased"`
	ErasedBytes   num  `bun:"erased_bytes"`
}

func (r *headRow) sum() blob {
	s := newSummer(nil, "head", GroupRow).bytes(r.Tenant).num(r.Seq, r.RawBytes, r.FirstReceived, r.LastReceived, r.Events).
		bytes(r.Peaks).num(r.Indexed)
	if r.Erased != 0 || r.ErasedBytes != 0 { // rows keep the check sum that they had before there were these columns
		s = s.num(r.Erased, r.ErasedBytes)
	}
	return s.sum()
}

func (r *headRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "head", Object: idText(r.Tenant)})
}

func (r *headRow) frontier() (*eventlog.Frontier, error) {
	return eventlog.ParseFrontier(int64(r.Events), r.Peaks)
}

func readHead(ctx context.Context, q *bun.SelectQuery, tenant uid.ID) (*headRow, error) {
	h := new(headRow)
	if err := q.Model(h).Where("tenant = ?", tenant).Scan(ctx); err != nil {
		return nil, err
	}
	if bad := h.verify(); bad != nil {
		return nil, bad
	}
	return h, nil
}

// lockHead reads the tenant's head and keeps others from changing anything
// guarded by it until the transaction ends.
func (c *Catalog) lockHead(ctx context.Context, tx bun.Tx, tenant uid.ID) (*headRow, error) {
	return readHead(ctx, c.locked(tx.NewSelect()), tenant)
}

func writeHead(ctx context.Context, tx bun.Tx, h *headRow) error {
	h.Checksum = h.sum()
	return changed(tx.NewUpdate().Model(h).Where("tenant = ?", h.Tenant).Exec(ctx))
}

// withHead runs do in a transaction with the tenant's head locked, and writes
// the head back. The zero tenant is the installation, whose head is made when it
// is needed.
func (c *Catalog) withHead(ctx context.Context, tenant uid.ID, do func(ctx context.Context, tx bun.Tx, h *headRow) error) error {
	return c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		if tenant.IsZero() {
			if err := foundInstance(ctx, tx); err != nil {
				return err
			}
		}
		h, err := c.lockHead(ctx, tx, tenant)
		if err != nil {
			return err
		}
		if err := do(ctx, tx, h); err != nil {
			return err
		}
		return writeHead(ctx, tx, h)
	})
}

// Head returns the highest Seq of a tenant, 0 if it has no messages.
func (c *Catalog) Head(ctx context.Context, tenant uid.ID) (int64, error) {
	h, err := readHead(ctx, c.read.NewSelect(), tenant)
	if err != nil {
		return 0, c.wrap(err, "head of tenant %s", tenant)
	}
	return int64(h.Seq), nil
}
