package catalog

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
)

// The installation itself has an event log as well, for acts that concern no
// tenant. It is that of the zero tenant, which has a row of its own so that
// references and checks are the same as for all others. No method that returns
// tenants returns it.

// instanceSlug is no slug that a tenant may have.
const instanceSlug = ".instance"

// foundInstance makes the row of the installation unless it is there.
func foundInstance(ctx context.Context, tx bun.Tx) error {
	var none uid.ID
	r := newTenantRow(&Tenant{ID: none, Slug: instanceSlug, State: TenantActive})
	if _, err := tx.NewInsert().Model(r).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("row of the installation: %w", err)
	}
	h := &headRow{Tenant: none[:], Peaks: blob((&eventlog.Frontier{}).Bytes())}
	h.Checksum = h.sum()
	if _, err := tx.NewInsert().Model(h).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("head of the installation: %w", err)
	}
	return nil
}

// withAny is withEvents, but needs no log if there are no events: what restores a tenant
// writes none.
func (c *Catalog) withAny(ctx context.Context, tenant uid.ID, events []*Event, do func(ctx context.Context, tx bun.Tx) error) error {
	if len(events) == 0 {
		return c.transact(ctx, do)
	}
	return c.withEvents(ctx, tenant, events, do)
}

// withEvents runs do and appends events to the log of a tenant, or of the
// installation, in one transaction.
func (c *Catalog) withEvents(ctx context.Context, tenant uid.ID, events []*Event, do func(ctx context.Context, tx bun.Tx) error) error {
	return c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, h *headRow) error {
		if err := do(ctx, tx); err != nil {
			return err
		}
		return c.appendEvents(ctx, tx, h, events)
	})
}
