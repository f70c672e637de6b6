package catalog

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Care is who looks after a tenant, and its limits.
type Care struct {
	Tenant   uid.ID
	Reseller uid.ID // zero: the operator
	CareSettings
}

// CareSettings are what somebody sets of a tenant besides name and zone.
type CareSettings struct {
	Limits Limits `json:"limits"`
	// Shared are addresses that do not count as mailboxes, normalised.
	Shared []string `json:"shared,omitempty"`
	// Since is when the tenant came into its state; zero: when it was made.
	Since time.Time `json:"since,omitzero"`
	// Warned is how far its limits were reached when somebody was last told, in words
	// of the archive by the name of the limit.
	Warned map[string]string `json:"warned,omitempty"`
	// WarnedAt is since when each limit in Warned is reached that far.
	WarnedAt map[string]time.Time `json:"warned_at,omitempty"`
}

type careRow struct {
	bun.BaseModel `bun:"table:tenant_care,alias:tc"`

	Tenant   blob     `bun:"tenant"`
	Reseller blob     `bun:"reseller"`
	Settings document `bun:"settings"`
	Checksum blob     `bun:"checksum"`
}

func newCareRow(k *Care) (*careRow, error) {
	settings, err := toDocument(k.CareSettings)
	r := &careRow{Tenant: k.Tenant[:], Reseller: k.Reseller[:], Settings: settings}
	r.Checksum = r.sum()
	return r, err
}

func (r *careRow) sum() blob {
	return newSummer(nil, "tenant_care", GroupRow).bytes(r.Tenant, r.Reseller).document(r.Settings).sum()
}

func (r *careRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "tenant_care", Object: idText(r.Tenant)})
}

func (r *careRow) model() (*Care, error) {
	k := &Care{Tenant: toID(r.Tenant), Reseller: toID(r.Reseller)}
	return k, r.Settings.into(&k.CareSettings)
}

// Care returns who looks after a tenant: without a row, the operator.
func (c *Catalog) Care(ctx context.Context, tenant uid.ID) (*Care, error) {
	k, err := careOf(ctx, c.read.NewSelect(), tenant)
	return k, c.wrap(err, "care of tenant %s", tenant)
}

func careOf(ctx context.Context, q *bun.SelectQuery, tenant uid.ID) (*Care, error) {
	var rows []careRow
	if err := q.Model(&rows).Where("tenant = ?", tenant).Scan(ctx); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return &Care{Tenant: tenant}, nil
	}
	return verified(&rows[0])
}

// Cares returns the care of all tenants that have a row. Rows that fail their check
// sum are missing and joined as *RowError in the error, beside the good ones.
func (c *Catalog) Cares(ctx context.Context) (map[uid.ID]*Care, error) {
	list, err := all[careRow, Care](ctx, c.read.NewSelect())
	out := make(map[uid.ID]*Care, len(list))
	for _, k := range list {
		out[k.Tenant] = k
	}
	return out, c.wrap(err, "care of tenants")
}

// errUnchanged ends a transaction that is not needed.
var errUnchanged = errors.New("unchanged")

// ChangeTenant lets change set name, zone, state and care of a tenant, and stores
// what it leaves together with the events that it returns, in the tenant's log. If it
// returns none, nothing is stored. change may be called several times.
func (c *Catalog) ChangeTenant(ctx context.Context, tenant uid.ID, change func(t *Tenant, k *Care) ([]*Event, error)) error {
	err := c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, h *headRow) error {
		t, err := one[Tenant](ctx, new(tenantRow), c.locked(tx.NewSelect().Where("id = ?", tenant).Where("id <> ?", uid.ID{})))
		if err != nil {
			return err
		}
		k, err := careOf(ctx, c.locked(tx.NewSelect()), tenant)
		if err != nil {
			return err
		}
		id, slug, made := t.ID, t.Slug, t.CreatedAt
		events, err := change(t, k)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			return errUnchanged
		}
		t.ID, t.Slug, t.CreatedAt, k.Tenant = id, slug, made, id
		if err := changed(tx.NewUpdate().Model(newTenantRow(t)).Where("id = ?", id).Exec(ctx)); err != nil {
			return err
		}
		if err := setCare(ctx, tx, k); err != nil {
			return err
		}
		return c.appendEvents(ctx, tx, h, events)
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return c.wrap(err, "change tenant %s", tenant)
}

func setCare(ctx context.Context, tx bun.Tx, k *Care) error {
	r, err := newCareRow(k)
	if err != nil {
		return err
	}
	if _, err := tx.NewDelete().Model((*careRow)(nil)).Where("tenant = ?", k.Tenant).Exec(ctx); err != nil {
		return err
	}
	_, err = tx.NewInsert().Model(r).Exec(ctx)
	return err
}

// Totals are figures of a tenant that cost nothing to read.
type Totals struct {
	Messages, RawBytes int64
	Events             int64 // in its log
}

// TenantTotals returns the totals of all tenants. Damaged rows are left out: the check
// reports them.
func (c *Catalog) TenantTotals(ctx context.Context) (map[uid.ID]Totals, error) {
	var rows []headRow
	if err := c.read.NewSelect().Model(&rows).Scan(ctx); err != nil {
		return nil, c.wrap(err, "totals of tenants")
	}
	out := make(map[uid.ID]Totals, len(rows))
	for i := range rows {
		if rows[i].verify() == nil {
			out[toID(rows[i].Tenant)] = Totals{Messages: int64(rows[i].Seq - rows[i].Erased), RawBytes: int64(rows[i].RawBytes - rows[i].ErasedBytes), Events: int64(rows[i].Events)}
		}
	}
	return out, nil
}

// CountUsers counts the users of a tenant, damaged rows included.
func (c *Catalog) CountUsers(ctx context.Context, tenant uid.ID) (int, error) {
	n, err := c.read.NewSelect().Model((*userRow)(nil)).Where("tenant = ?", tenant).Count(ctx)
	return int(n), c.wrap(err, "count users of tenant %s", tenant)
}
