package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Deletion is a tenant that was deleted, or is being deleted.
type Deletion struct {
	Tenant    uid.ID
	Reseller  uid.ID // zero: it was the operator's
	State     DeletionState
	Document  []byte // JSON: the certificate
	CreatedAt time.Time
}

// DeletionState tells how far a deletion is.
type DeletionState string

// States of a deletion.
const (
	Deleting DeletionState = "deleting"
	Deleted  DeletionState = "done"
)

type deletionRow struct {
	bun.BaseModel `bun:"table:deletion,alias:dl"`

	Subject   blob     `bun:"subject"`
	Reseller  blob     `bun:"reseller"`
	State     text     `bun:"state"`
	Document  document `bun:"document"`
	CreatedAt num      `bun:"created_at"`
	Checksum  blob     `bun:"checksum"`
}

func newDeletionRow(d *Deletion) *deletionRow {
	r := &deletionRow{Subject: d.Tenant[:], Reseller: d.Reseller[:], State: text(d.State), Document: document(d.Document), CreatedAt: millis(d.CreatedAt)}
	r.Checksum = r.sum()
	return r
}

func (r *deletionRow) sum() blob {
	return newSummer(nil, "deletion", GroupRow).bytes(r.Subject, r.Reseller).text(r.State).document(r.Document).num(r.CreatedAt).sum()
}

func (r *deletionRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "deletion", Object: idText(r.Subject)})
}

func (r *deletionRow) model() (*Deletion, error) {
	return &Deletion{Tenant: toID(r.Subject), Reseller: toID(r.Reseller), State: DeletionState(r.State), Document: []byte(r.Document), CreatedAt: r.CreatedAt.millis()}, nil
}

// Deletions returns the deletions, the youngest first. Rows that fail their check sum
// are missing and joined as *RowError in the error, beside the good ones.
func (c *Catalog) Deletions(ctx context.Context) ([]*Deletion, error) {
	list, err := all[deletionRow, Deletion](ctx, c.read.NewSelect().Order("created_at DESC", "subject"))
	return list, c.wrap(err, "deletions")
}

// Deletion returns the deletion of a tenant. ErrNotFound.
func (c *Catalog) Deletion(ctx context.Context, tenant uid.ID) (*Deletion, error) {
	d, err := one[Deletion](ctx, new(deletionRow), c.read.NewSelect().Where("subject = ?", tenant))
	return d, c.wrap(err, "deletion of tenant %s", tenant)
}

// BeginDeletion records that a tenant is being deleted, with events in the log of the
// installation. ErrTaken if that has begun already, ErrHeld if a hold is in force: none can
// be placed any more afterwards.
func (c *Catalog) BeginDeletion(ctx context.Context, d *Deletion, events ...*Event) error {
	err := c.withEvents(ctx, uid.ID{}, events, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(newDeletionRow(d)).Exec(ctx); err != nil {
			return err
		}
		// Whoever places a hold has the head locked, or waits, or there is none any more.
		if _, err := c.lockHead(ctx, tx, d.Tenant); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		held, err := holds(ctx, tx.NewSelect(), d.Tenant, true)
		if err == nil && len(held) > 0 {
			err = ErrHeld
		}
		return err
	})
	return c.wrap(err, "begin deletion of tenant %s", d.Tenant)
}

// EndDeletion writes state and document, with events in the log of the installation.
func (c *Catalog) EndDeletion(ctx context.Context, d *Deletion, events ...*Event) error {
	err := c.withEvents(ctx, uid.ID{}, events, func(ctx context.Context, tx bun.Tx) error {
		return changed(tx.NewUpdate().Model(newDeletionRow(d)).Where("subject = ?", d.Tenant).Exec(ctx))
	})
	return c.wrap(err, "end deletion of tenant %s", d.Tenant)
}

// deleteRows bounds how many rows of the large tables one transaction deletes, so that
// others get their turn.
const deleteRows = 5000

// dependents are the rows that belong to a tenant by way of others.
func dependents() []string {
	return []string{
		`DELETE FROM user_address WHERE user_id IN (SELECT id FROM "user" WHERE tenant = ?)`,
		`DELETE FROM outbox_body WHERE outbox IN (SELECT id FROM outbox WHERE tenant = ?)`,
	}
}

// inParts are the large tables, with a column that is unique within a tenant.
func inParts() map[string]string {
	return map[string]string{"message": "seq", "capture": "id", "part": "sha256", "event": "seq", "event_detail": "seq"}
}

// DeleteTenant deletes all rows of a tenant, its own at last. It can be stopped and
// called again. It knows every table by its column tenant; a table that refers to the
// tenant's rows without having such a column makes it fail, so that nothing stays
// behind unseen.
func (c *Catalog) DeleteTenant(ctx context.Context, tenant uid.ID) error {
	if tenant.IsZero() {
		return fmt.Errorf("delete tenant: %w: no id", ErrInvalid)
	}
	for _, q := range dependents() {
		if _, err := c.write.ExecContext(ctx, q, tenant); err != nil {
			return c.wrap(err, "delete tenant %s", tenant)
		}
	}
	left, err := c.tablesOfTenants(ctx)
	if err != nil {
		return c.wrap(err, "delete tenant %s", tenant)
	}
	// What refers to others goes before them; which those are, the database knows.
	for len(left) > 0 {
		var refused []string
		var why []error
		for _, table := range left {
			if err := c.deleteOfTenant(ctx, table, tenant); err != nil {
				refused, why = append(refused, table), append(why, fmt.Errorf("%s: %w", table, err))
			}
			if ctx.Err() != nil {
				return c.wrap(ctx.Err(), "delete tenant %s", tenant)
			}
		}
		if len(refused) == len(left) {
			return c.wrap(errors.Join(why...), "delete tenant %s", tenant)
		}
		left = refused
	}
	_, err = c.write.ExecContext(ctx, "DELETE FROM tenant WHERE id = ?", tenant)
	return c.wrap(err, "delete tenant %s", tenant)
}

// tablesOfTenants lists the tables that have a column tenant.
func (c *Catalog) tablesOfTenants(ctx context.Context) ([]string, error) {
	query := `SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table' AND p.name = 'tenant'`
	if c.dialect.rowLocks {
		query = `SELECT table_name FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'tenant'`
	}
	var list []string
	err := c.read.NewRaw(query).Scan(ctx, &list)
	slices.Sort(list)
	return list, err
}

func (c *Catalog) deleteOfTenant(ctx context.Context, table string, tenant uid.ID) error {
	key, large := inParts()[table]
	if !large {
		_, err := c.write.ExecContext(ctx, "DELETE FROM ? WHERE tenant = ?", bun.Ident(table), tenant)
		return err
	}
	for {
		res, err := c.write.ExecContext(ctx, "DELETE FROM ? WHERE tenant = ? AND ? IN (SELECT ? FROM ? WHERE tenant = ? LIMIT ?)",
			bun.Ident(table), tenant, bun.Ident(key), bun.Ident(key), bun.Ident(table), tenant, deleteRows)
		if done, err := finished(res, err); done || err != nil {
			return err
		}
	}
}

// finished reports whether a statement that deletes in parts found nothing more.
func finished(res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n < deleteRows, err
}

// checkHierarchy verifies the rows of resellers, of what they and the operator know of
// tenants, and of tokens.
func (c *Catalog) checkHierarchy(ctx context.Context, report func(error)) error {
	return errors.Join(
		checkTable[resellerRow, Reseller](ctx, c, report),
		checkTable[logoRow, []byte](ctx, c, report),
		checkTable[staffRow, Staff](ctx, c, report),
		checkTable[careRow, Care](ctx, c, report),
		checkTable[provisionRow, Provision](ctx, c, report),
		checkTable[usageRow, Usage](ctx, c, report),
		checkTable[growthRow, Growth](ctx, c, report),
		checkTable[deletionRow, Deletion](ctx, c, report),
		checkTable[tokenRow, Token](ctx, c, report),
	)
}
