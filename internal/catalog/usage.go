package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Usage is what a tenant has used in a calendar month (UTC).
type Usage struct {
	Tenant    uid.ID
	Month     string   // 2006-01
	Counted   int64    // messages up to this Seq are counted, in this month or in others
	Addresses []string // that had mail, sorted
	UsageFigures
}

// UsageFigures are the numbers of a Usage.
type UsageFigures struct {
	Mailboxes   int   `json:"mailboxes"`    // Addresses that count
	Shared      int   `json:"shared"`       // Addresses that do not, because they are shared
	Messages    int64 `json:"messages"`     // archived in the month
	Bytes       int64 `json:"bytes"`        // of their originals
	StoredBytes int64 `json:"stored_bytes"` // of the tenant, all months, when they were last counted
}

type usageRow struct {
	bun.BaseModel `bun:"table:usage_month,alias:um"`

	Tenant    blob     `bun:"tenant"`
	Month     text     `bun:"month"`
	Counted   num      `bun:"counted"`
	Figures   document `bun:"figures"`
	Addresses document `bun:"addresses"`
	Checksum  blob     `bun:"checksum"`
}

func newUsageRow(u *Usage) (*usageRow, error) {
	figures, err := toDocument(u.UsageFigures)
	if err != nil {
		return nil, err
	}
	list := u.Addresses
	if list == nil {
		list = []string{}
	}
	addresses, err := toDocument(list)
	r := &usageRow{Tenant: u.Tenant[:], Month: text(u.Month), Counted: num(u.Counted), Figures: figures, Addresses: addresses}
	r.Checksum = r.sum()
	return r, err
}

func (r *usageRow) sum() blob {
	return newSummer(nil, "usage_month", GroupRow).bytes(r.Tenant).text(r.Month).num(r.Counted).document(r.Figures, r.Addresses).sum()
}

func (r *usageRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "usage_month", Object: fmt.Sprintf("%.7q of tenant %s", string(r.Month), idText(r.Tenant))})
}

func (r *usageRow) model() (*Usage, error) {
	u := &Usage{Tenant: toID(r.Tenant), Month: string(r.Month), Counted: int64(r.Counted)}
	if err := r.Addresses.into(&u.Addresses); err != nil {
		return nil, err
	}
	return u, r.Figures.into(&u.UsageFigures)
}

// Usages returns what all tenants have used in a month, by tenant. Rows that fail
// their check sum are missing and joined as *RowError in the error, beside the good
// ones.
func (c *Catalog) Usages(ctx context.Context, month string) (map[uid.ID]*Usage, error) {
	list, err := all[usageRow, Usage](ctx, c.read.NewSelect().Where("month = ?", text(month)))
	out := make(map[uid.ID]*Usage, len(list))
	for _, u := range list {
		out[u.Tenant] = u
	}
	return out, c.wrap(err, "usage in %s", month)
}

// UsageOf returns what a tenant has used, by month, the youngest first. Rows that fail
// their check sum are missing and joined as *RowError in the error, beside the good
// ones.
func (c *Catalog) UsageOf(ctx context.Context, tenant uid.ID) ([]*Usage, error) {
	list, err := all[usageRow, Usage](ctx, c.read.NewSelect().Where("tenant = ?", tenant).Order("month DESC"))
	return list, c.wrap(err, "usage of tenant %s", tenant)
}

// Counted returns the Seq up to which messages of a tenant are counted.
func (c *Catalog) Counted(ctx context.Context, tenant uid.ID) (int64, error) {
	var n int64
	err := c.read.NewSelect().Model((*usageRow)(nil)).ColumnExpr("CAST(COALESCE(MAX(counted), 0) AS BIGINT)").Where("tenant = ?", tenant).Scan(ctx, &n)
	return n, c.wrap(err, "counted messages of tenant %s", tenant)
}

// AddUsage adds what is in list, of one tenant, to what is there: messages after the
// Seq from up to Counted of each. If somebody else has counted beyond from meanwhile,
// nothing is stored and added is false. Mailboxes, Shared and StoredBytes of list take
// the place of what is there; finish, if not nil, sets them once all addresses are
// known.
func (c *Catalog) AddUsage(ctx context.Context, tenant uid.ID, from int64, list []*Usage, finish func(*Usage)) (added bool, err error) {
	err = c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, _ *headRow) error {
		added = false
		var n int64
		err := tx.NewSelect().Model((*usageRow)(nil)).ColumnExpr("CAST(COALESCE(MAX(counted), 0) AS BIGINT)").Where("tenant = ?", tenant).Scan(ctx, &n)
		if err != nil || n != from {
			return err
		}
		for _, u := range list {
			if err := addUsage(ctx, tx, *u, finish); err != nil {
				return err
			}
		}
		added = true
		return nil
	})
	return added, c.wrap(err, "count usage of tenant %s", tenant)
}

func addUsage(ctx context.Context, tx bun.Tx, u Usage, finish func(*Usage)) error {
	which := func(q bun.QueryBuilder) bun.QueryBuilder {
		return q.Where("tenant = ?", u.Tenant).Where("month = ?", text(u.Month))
	}
	var rows []usageRow
	if err := tx.NewSelect().Model(&rows).ApplyQueryBuilder(which).Scan(ctx); err != nil {
		return err
	}
	if len(rows) > 0 {
		old, err := verified[Usage](&rows[0])
		if err != nil {
			return err
		}
		u.Messages += old.Messages
		u.Bytes += old.Bytes
		u.Addresses = append(slices.Clone(u.Addresses), old.Addresses...)
		if _, err := tx.NewDelete().Model((*usageRow)(nil)).ApplyQueryBuilder(which).Exec(ctx); err != nil {
			return err
		}
	}
	slices.Sort(u.Addresses)
	u.Addresses = slices.Compact(u.Addresses)
	if finish != nil {
		finish(&u)
	}
	r, err := newUsageRow(&u)
	if err != nil {
		return err
	}
	_, err = tx.NewInsert().Model(r).Exec(ctx)
	return err
}

// StoredBytes returns the size of what the vault holds of a tenant.
func (c *Catalog) StoredBytes(ctx context.Context, tenant uid.ID) (int64, error) {
	var n int64
	err := c.read.NewSelect().Table("segment").ColumnExpr("CAST(COALESCE(SUM(size), 0) AS BIGINT)").Where("tenant = ?", tenant).Scan(ctx, &n)
	return n, c.wrap(err, "stored bytes of tenant %s", tenant)
}

// VaultSize is what the vault holds of a tenant.
type VaultSize struct {
	Stored   int64 // bytes, as they rest: compressed and encrypted, with their keys
	Unpacked int64 // bytes before compression: what is there more than once counts once
}

// VaultSizes returns what the vault holds of all tenants.
func (c *Catalog) VaultSizes(ctx context.Context) (map[uid.ID]VaultSize, error) {
	var rows []struct {
		Tenant   blob `bun:"tenant"`
		Stored   num  `bun:"stored"`
		Unpacked num  `bun:"unpacked"`
	}
	err := c.read.NewSelect().Table("segment").Column("tenant").ColumnExpr("CAST(SUM(size) AS BIGINT) AS stored").ColumnExpr("CAST(SUM(raw_size) AS BIGINT) AS unpacked").
		Group("tenant").Scan(ctx, &rows)
	out := make(map[uid.ID]VaultSize, len(rows))
	for _, r := range rows {
		out[toID(r.Tenant)] = VaultSize{Stored: int64(r.Stored), Unpacked: int64(r.Unpacked)}
	}
	return out, c.wrap(err, "sizes of the vault")
}
