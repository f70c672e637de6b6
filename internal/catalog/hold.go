package catalog

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// ErrManyHolds is returned (wrapped) when a tenant has as many holds in force as it can
// have.
var ErrManyHolds = errors.New("there are as many holds as there can be")

// ErrLifted is returned (wrapped) when a hold is not in force any more.
var ErrLifted = errors.New("the hold was lifted already")

// ErrHeld is returned (wrapped) when a hold is in force that keeps what was to be deleted,
// or whoever judged what is to be deleted did not know of a hold or a setting.
var ErrHeld = errors.New("a hold or a setting of retention came in between")

// Hold blocks the deletion of what it covers, without limit, until it is lifted.
type Hold struct {
	Tenant     uid.ID
	ID         uid.ID
	Name       string
	Reason     string
	Scope      []byte // JSON, as who reads it has it
	PlacedBy   string // as in Event.Actor
	PlacedRole string // empty: the command line
	PlacedAt   time.Time

	LiftedAt   time.Time // zero: it is in force
	LiftedBy   string    // who asked for it
	ApprovedBy string
	LiftReason string
}

// InForce reports whether the hold has not been lifted.
func (h *Hold) InForce() bool { return h.LiftedAt.IsZero() }

type holdRow struct {
	bun.BaseModel `bun:"table:hold,alias:ho"`

	Tenant     blob     `bun:"tenant"`
	ID         blob     `bun:"id"`
	Name       text     `bun:"name"`
	Reason     text     `bun:"reason"`
	Scope      document `bun:"scope"`
	PlacedBy   text     `bun:"placed_by"`
	PlacedRole text     `bun:"placed_role"`
	PlacedAt   num      `bun:"placed_at"`
	LiftedAt   num      `bun:"lifted_at"`
	LiftedBy   text     `bun:"lifted_by"`
	ApprovedBy text     `bun:"approved_by"`
	LiftReason text     `bun:"lift_reason"`
	Checksum   blob     `bun:"checksum"`
}

func newHoldRow(h *Hold) *holdRow {
	r := &holdRow{Tenant: h.Tenant[:], ID: h.ID[:], Name: text(h.Name), Reason: text(h.Reason), Scope: document(h.Scope), PlacedBy: text(h.PlacedBy),
		PlacedRole: text(h.PlacedRole), PlacedAt: millis(h.PlacedAt), LiftedBy: text(h.LiftedBy), ApprovedBy: text(h.ApprovedBy), LiftReason: text(h.LiftReason)}
	if !h.LiftedAt.IsZero() {
		r.LiftedAt = millis(h.LiftedAt)
	}
	r.Checksum = r.sum()
	return r
}

func (r *holdRow) sum() blob {
	return newSummer(nil, "hold", GroupRow).bytes(r.Tenant, r.ID).text(r.Name, r.Reason).document(r.Scope).text(r.PlacedBy, r.PlacedRole).
		num(r.PlacedAt, r.LiftedAt).text(r.LiftedBy, r.ApprovedBy, r.LiftReason).sum()
}

func (r *holdRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "hold", Object: idText(r.ID)})
}

func (r *holdRow) model() (*Hold, error) {
	h := &Hold{Tenant: toID(r.Tenant), ID: toID(r.ID), Name: string(r.Name), Reason: string(r.Reason), Scope: []byte(r.Scope), PlacedBy: string(r.PlacedBy),
		PlacedRole: string(r.PlacedRole), PlacedAt: r.PlacedAt.millis(), LiftedBy: string(r.LiftedBy), ApprovedBy: string(r.ApprovedBy), LiftReason: string(r.LiftReason)}
	if r.LiftedAt != 0 {
		h.LiftedAt = r.LiftedAt.millis()
	}
	return h, nil
}

// AddHold stores a hold together with the events that tell of it. A tenant has at most
// most holds in force: ErrManyHolds. ErrNotFound if there is no such tenant, or it is
// being deleted.
func (c *Catalog) AddHold(ctx context.Context, h *Hold, most int, events ...*Event) error {
	err := c.withEvents(ctx, h.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		if being, err := tx.NewSelect().Table("deletion").Where("subject = ?", h.Tenant).Count(ctx); err != nil || being > 0 {
			return errors.Join(err, ErrNotFound)
		}
		n, err := tx.NewSelect().Table("hold").Where("tenant = ?", h.Tenant).Where("lifted_at = 0").Count(ctx)
		if err == nil && n >= int64(most) {
			err = ErrManyHolds
		}
		if err == nil {
			_, err = tx.NewInsert().Model(newHoldRow(h)).Exec(ctx)
		}
		return err
	})
	return c.wrap(err, "hold %s", h.ID)
}

// RestoreHold stores a hold in place of what was there, damaged or not, together with
// the events that tell of it.
func (c *Catalog) RestoreHold(ctx context.Context, h *Hold, events ...*Event) error {
	err := c.withEvents(ctx, h.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*holdRow)(nil)).Where("tenant = ?", h.Tenant).Where("id = ?", h.ID).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(newHoldRow(h)).Exec(ctx)
		return err
	})
	return c.wrap(err, "restore hold %s", h.ID)
}

// Hold returns a hold of a tenant, in force or lifted. ErrNotFound.
func (c *Catalog) Hold(ctx context.Context, tenant, id uid.ID) (*Hold, error) {
	h, err := one[Hold](ctx, new(holdRow), c.read.NewSelect().Where("tenant = ?", tenant).Where("id = ?", id))
	return h, c.wrap(err, "hold %s", id)
}

// Holds returns all holds of a tenant, the newest first, or only those in force. Rows
// that fail their check sum are missing and joined as *RowError in the error, beside the
// good ones: whoever wants to delete something must not go on then.
func (c *Catalog) Holds(ctx context.Context, tenant uid.ID, inForce bool) ([]*Hold, error) {
	list, err := holds(ctx, c.read.NewSelect(), tenant, inForce)
	return list, c.wrap(err, "holds")
}

func holds(ctx context.Context, q *bun.SelectQuery, tenant uid.ID, inForce bool) ([]*Hold, error) {
	// A damaged row may say that it was lifted: all are looked at, always.
	list, err := all[holdRow, Hold](ctx, q.Where("tenant = ?", tenant).Order("id DESC"))
	if inForce {
		kept := list[:0]
		for _, h := range list {
			if h.InForce() {
				kept = append(kept, h)
			}
		}
		list = kept
	}
	return list, err
}

// Judged is by which holds in force and settings of retention somebody has judged what
// may be deleted.
type Judged struct{ Holds, Retentions []uid.ID }

// JudgedBy returns those that there are: to be read before anything is judged, and
// handed to what deletes it. Damaged rows are an error, for nobody can tell then.
func (c *Catalog) JudgedBy(ctx context.Context, tenant uid.ID) (Judged, error) {
	var j Judged
	err := c.snapshot(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		j, err = c.judgedBy(ctx, tx, tenant)
		return err
	})
	return j, c.wrap(err, "holds and retention")
}

func (c *Catalog) judgedBy(ctx context.Context, tx bun.Tx, tenant uid.ID) (Judged, error) {
	var j Judged
	held, err := holds(ctx, tx.NewSelect(), tenant, true)
	if err != nil {
		return j, err
	}
	set, err := c.retentions(ctx, tx.NewSelect(), tenant)
	for _, h := range held {
		j.Holds = append(j.Holds, h.ID)
	}
	for _, s := range set {
		j.Retentions = append(j.Retentions, s.ID)
	}
	return j, err
}

// still returns ErrHeld if there is a hold or a setting that j does not know. The head of
// the tenant is locked: nothing comes until the transaction ends.
func (c *Catalog) still(ctx context.Context, tx bun.Tx, tenant uid.ID, j Judged) error {
	now, err := c.judgedBy(ctx, tx, tenant)
	if err != nil {
		return err
	}
	unknown := func(of []uid.ID) func(uid.ID) bool { return func(id uid.ID) bool { return !slices.Contains(of, id) } }
	if slices.ContainsFunc(now.Holds, unknown(j.Holds)) || slices.ContainsFunc(now.Retentions, unknown(j.Retentions)) {
		return ErrHeld
	}
	return nil
}

// Carried is what is done together with the approval of a request. Nil members are
// nothing.
type Carried struct {
	Lifted    *Hold             // as it is then; it must be in force until then: ErrLifted
	Retention *RetentionSetting // comes into force
}

// CarryOutAccess writes what became of a request that waited until then, and carries it
// out, together with the events that tell of it, or does nothing of all that.
// ErrAccessState, ErrNotFound, ErrLifted.
func (c *Catalog) CarryOutAccess(ctx context.Context, a *AccessRequest, do Carried, events ...*Event) error {
	r, err := newAccessRow(a)
	if err == nil {
		err = c.withHead(ctx, a.Tenant, func(ctx context.Context, tx bun.Tx, head *headRow) error {
			if err := c.inAccessState(ctx, tx, a.Tenant, a.ID, AccessWaiting, a.DecidedAt); err != nil {
				return err
			}
			if err := changed(tx.NewUpdate().Model(r).Where("tenant = ?", a.Tenant).Where("id = ?", a.ID).Exec(ctx)); err != nil {
				return err
			}
			if do.Lifted != nil {
				if err := c.lift(ctx, tx, do.Lifted); err != nil {
					return err
				}
			}
			if do.Retention != nil {
				if err := c.addRetention(ctx, tx, head, do.Retention); err != nil {
					return err
				}
			}
			return c.appendEvents(ctx, tx, head, events)
		})
	}
	return c.wrap(err, "carry out request for access %s", a.ID)
}

func (c *Catalog) lift(ctx context.Context, tx bun.Tx, h *Hold) error {
	now, err := one[Hold](ctx, new(holdRow), c.locked(tx.NewSelect().Where("tenant = ?", h.Tenant).Where("id = ?", h.ID)))
	if err != nil {
		return err
	}
	if !now.InForce() {
		return ErrLifted
	}
	return changed(tx.NewUpdate().Model(newHoldRow(h)).Where("tenant = ?", h.Tenant).Where("id = ?", h.ID).Exec(ctx))
}
