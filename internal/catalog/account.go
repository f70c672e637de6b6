package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

type accountRow struct {
	bun.BaseModel `bun:"table:account,alias:a"`

	Tenant   blob `bun:"tenant"`
	Day      text `bun:"day"`
	Source   blob `bun:"source"`
	Outcome  text `bun:"outcome"`
	Count    num  `bun:"count"`
	Bytes    num  `bun:"bytes"`
	Checksum blob `bun:"checksum"`
}

func newAccountRow(tenant uid.ID, a *Account) *accountRow {
	r := &accountRow{Tenant: tenant[:], Day: text(a.Day), Source: a.Source[:], Outcome: text(a.Outcome), Count: num(a.Count), Bytes: num(a.Bytes)}
	r.Checksum = r.sum()
	return r
}

func (r *accountRow) sum() blob {
	return newSummer(nil, "account", GroupRow).bytes(r.Tenant).text(r.Day).bytes(r.Source).text(r.Outcome).num(r.Count, r.Bytes).sum()
}

func (r *accountRow) verify() *RowError {
	name := fmt.Sprintf("%.10q of source %s, %.20q", string(r.Day), idText(r.Source), string(r.Outcome))
	return differs(r.Checksum, r.sum(), RowError{Table: "account", Object: name})
}

func (r *accountRow) model() (*Account, error) {
	return &Account{Source: toID(r.Source), Day: string(r.Day), Outcome: Outcome(r.Outcome), Count: int64(r.Count), Bytes: int64(r.Bytes)}, nil
}

// addAccounts adds to the counters. The tenant's head is locked.
func addAccounts(ctx context.Context, c *Catalog, tx bun.Tx, tenant uid.ID, accounts []Account) error {
	for _, a := range accounts {
		if _, err := time.Parse(time.DateOnly, a.Day); err != nil || a.Outcome == "" {
			return fmt.Errorf("%w: account of day %q and outcome %q", ErrInvalid, a.Day, a.Outcome)
		}
		if err := nameable(text(a.Outcome)); err != nil {
			return fmt.Errorf("account: %w", err)
		}
		var old []accountRow
		which := func(q bun.QueryBuilder) bun.QueryBuilder {
			return q.Where("tenant = ?", tenant).Where("day = ?", text(a.Day)).Where("source = ?", a.Source).Where("outcome = ?", text(a.Outcome))
		}
		if err := tx.NewSelect().Model(&old).ApplyQueryBuilder(which).Scan(ctx); err != nil {
			return fmt.Errorf("account: %w", err)
		}
		if len(old) == 0 {
			if _, err := tx.NewInsert().Model(newAccountRow(tenant, &a)).Exec(ctx); err != nil {
				return fmt.Errorf("account: %w", err)
			}
			continue
		}
		if bad := old[0].verify(); bad != nil {
			return bad
		}
		a.Count += int64(old[0].Count)
		a.Bytes += int64(old[0].Bytes)
		if err := changed(tx.NewUpdate().Model(newAccountRow(tenant, &a)).ApplyQueryBuilder(which).Exec(ctx)); err != nil {
			return fmt.Errorf("account: %w", err)
		}
	}
	return nil
}

// AddAccount adds to an account outside a batch, e.g. what was refused.
func (c *Catalog) AddAccount(ctx context.Context, tenant uid.ID, a Account) error {
	err := c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, _ *headRow) error {
		return addAccounts(ctx, c, tx, tenant, []Account{a})
	})
	return c.wrap(err, "add to account")
}

// Accounts returns the completeness accounts from day from to day to, both
// included ("2006-01-02"; empty: no bound), by day, source and outcome. Rows
// that fail their check sum are missing and joined as *RowError in the error,
// beside the good ones.
func (c *Catalog) Accounts(ctx context.Context, tenant uid.ID, from, to string) ([]Account, error) {
	q := c.read.NewSelect().Where("tenant = ?", tenant)
	if from != "" {
		q = q.Where("day >= ?", text(from))
	}
	if to != "" {
		q = q.Where("day <= ?", text(to))
	}
	rows, err := all[accountRow, Account](ctx, q)
	list := make([]Account, len(rows))
	for i, a := range rows {
		list[i] = *a
	}
	slices.SortFunc(list, func(a, b Account) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), a.Source.Compare(b.Source), cmp.Compare(a.Outcome, b.Outcome))
	})
	return list, c.wrap(err, "accounts")
}
