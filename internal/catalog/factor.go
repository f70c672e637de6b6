package catalog

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

type factorRow struct {
	bun.BaseModel `bun:"table:factor,alias:f"`

	ID        blob `bun:"id"`
	UserID    blob `bun:"user_id"`
	Tenant    blob `bun:"tenant"`
	Kind      text `bun:"kind"`
	Name      text `bun:"name"`
	Secret    blob `bun:"secret"`
	Counter   num  `bun:"counter"`
	Confirmed num  `bun:"confirmed"`
	CreatedAt num  `bun:"created_at"`
	UsedAt    num  `bun:"used_at"`
	Checksum  blob `bun:"checksum"`
}

func newFactorRow(f *Factor) *factorRow {
	r := &factorRow{ID: f.ID[:], UserID: f.User[:], Tenant: f.Tenant[:], Kind: text(f.Kind), Name: text(f.Name), Secret: append(blob{}, f.Secret...),
		Counter: num(f.Counter), Confirmed: flag(f.Confirmed), CreatedAt: millis(f.CreatedAt), UsedAt: millis(f.UsedAt)}
	r.Checksum = r.sum()
	return r
}

func (r *factorRow) sum() blob {
	return newSummer(nil, "factor", GroupRow).bytes(r.ID, r.UserID, r.Tenant).text(r.Kind, r.Name).bytes(r.Secret).
		num(r.Counter, r.Confirmed, r.CreatedAt, r.UsedAt).sum()
}

func (r *factorRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "factor", Object: idText(r.ID)})
}

func (r *factorRow) model() (*Factor, error) {
	return &Factor{ID: toID(r.ID), User: toID(r.UserID), Tenant: toID(r.Tenant), Kind: string(r.Kind), Name: string(r.Name), Secret: r.Secret,
		Counter: int64(r.Counter), Confirmed: r.Confirmed != 0, CreatedAt: r.CreatedAt.millis(), UsedAt: r.UsedAt.millis()}, nil
}

func factorsOf(q *bun.SelectQuery, tenant, user uid.ID) *bun.SelectQuery {
	return q.Where("tenant = ?", tenant).Where("user_id = ?", user).Order("created_at", "id")
}

// Factors returns the factors of a user, the oldest first. A damaged one is an
// error: who cannot tell what proves somebody must not let anybody in without.
func (c *Catalog) Factors(ctx context.Context, tenant, user uid.ID) ([]*Factor, error) {
	list, err := all[factorRow, Factor](ctx, factorsOf(c.read.NewSelect(), tenant, user))
	if err != nil {
		return nil, c.wrap(err, "factors of user %s", user)
	}
	return list, nil
}

// ChangeFactors lets change decide what becomes of a user's factors, which nobody
// else alters meanwhile, and stores that. The error of change is returned, and
// nothing is stored. change may be called more than once. ErrNotFound if there is no
// such user.
func (c *Catalog) ChangeFactors(ctx context.Context, tenant, user uid.ID, change func(list []*Factor) (FactorChange, error)) error {
	err := c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, h *headRow) error {
		if err := userThere(ctx, tx, tenant, user); err != nil {
			return err
		}
		list, err := all[factorRow, Factor](ctx, factorsOf(tx.NewSelect(), tenant, user))
		if err != nil {
			return err
		}
		todo, err := change(list)
		if err != nil {
			return err
		}
		return c.applyFactors(ctx, tx, h, tenant, user, todo)
	})
	return c.wrap(err, "change factors of user %s", user)
}

func (c *Catalog) applyFactors(ctx context.Context, tx bun.Tx, h *headRow, tenant, user uid.ID, todo FactorChange) error {
	gone := todo.Remove
	for _, f := range todo.Put {
		gone = append(gone[:len(gone):len(gone)], f.ID)
	}
	for _, id := range gone {
		if _, err := tx.NewDelete().Model((*factorRow)(nil)).Where("tenant = ?", tenant).Where("user_id = ?", user).Where("id = ?", id).Exec(ctx); err != nil {
			return err
		}
	}
	for _, f := range todo.Put {
		if _, err := tx.NewInsert().Model(newFactorRow(f)).Exec(ctx); err != nil {
			return err
		}
	}
	if todo.EndSessions {
		if err := endSessions(ctx, tx, tenant, user, [32]byte{}); err != nil {
			return err
		}
	}
	return c.appendEvents(ctx, tx, h, todo.Events)
}

// ResetFactors removes all factors of a user, damaged ones too, ends the user's
// sessions and stores the events of it. ErrNotFound if there is no such user.
func (c *Catalog) ResetFactors(ctx context.Context, tenant, user uid.ID, events ...*Event) error {
	err := c.withEvents(ctx, tenant, events, func(ctx context.Context, tx bun.Tx) error {
		if err := userThere(ctx, tx, tenant, user); err != nil {
			return err
		}
		if _, err := tx.NewDelete().Model((*factorRow)(nil)).Where("tenant = ?", tenant).Where("user_id = ?", user).Exec(ctx); err != nil {
			return err
		}
		return endSessions(ctx, tx, tenant, user, [32]byte{})
	})
	return c.wrap(err, "reset factors of user %s", user)
}

type loginPolicyRow struct {
	bun.BaseModel `bun:"table:login_policy,alias:lp"`

	Tenant   blob     `bun:"tenant"`
	Settings document `bun:"settings"`
	Checksum blob     `bun:"checksum"`
}

func newLoginPolicyRow(p *LoginPolicy) *loginPolicyRow {
	r := &loginPolicyRow{Tenant: p.Tenant[:], Settings: document(p.Settings)}
	r.Checksum = r.sum()
	return r
}

func (r *loginPolicyRow) sum() blob {
	return newSummer(nil, "login_policy", GroupRow).bytes(r.Tenant).document(r.Settings).sum()
}

func (r *loginPolicyRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "login_policy", Object: idText(r.Tenant)})
}

func (r *loginPolicyRow) model() (*LoginPolicy, error) {
	return &LoginPolicy{Tenant: toID(r.Tenant), Settings: []byte(r.Settings)}, nil
}

// LoginPolicy returns what a tenant, or the installation, asks of log-ins.
// ErrNotFound if nothing is set.
func (c *Catalog) LoginPolicy(ctx context.Context, tenant uid.ID) (*LoginPolicy, error) {
	p, err := one[LoginPolicy](ctx, new(loginPolicyRow), c.read.NewSelect().Where("tenant = ?", tenant))
	return p, c.wrap(err, "policy of log-ins")
}

// SetLoginPolicy stores p in place of what was set, and the events of it. Sessions of
// the users in setup have no rights any more until they have set up a second factor.
func (c *Catalog) SetLoginPolicy(ctx context.Context, p *LoginPolicy, setup []uid.ID, events ...*Event) error {
	err := c.withEvents(ctx, p.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*loginPolicyRow)(nil)).Where("tenant = ?", p.Tenant).Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(newLoginPolicyRow(p)).Exec(ctx); err != nil {
			return err
		}
		for _, user := range setup {
			if err := restage(ctx, tx, p.Tenant, user); err != nil {
				return err
			}
		}
		return nil
	})
	return c.wrap(err, "set policy of log-ins")
}

// restage takes the rights of a user's open sessions until a factor is set up.
func restage(ctx context.Context, tx bun.Tx, tenant, user uid.ID) error {
	list, err := all[sessionRow, Session](ctx, tx.NewSelect().Where("tenant = ?", tenant).Where("user_id = ?", user).Where("stage = ?", text(StageFull)))
	if err != nil {
		return err
	}
	for _, s := range list {
		s.Stage = StageSetup
		if _, err := tx.NewUpdate().Model(newSessionRow(s)).Where("token_hash = ?", s.TokenHash[:]).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}
