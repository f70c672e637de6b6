package catalog

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// UserEdit is a change of users of one tenant that happens as a whole or not at all.
type UserEdit struct {
	Create []*User
	// Update has users with everything that is to be written; the ID, tenant, login and the
	// times of creation and of the last log-in stay. Each has to be one of those handed out.
	Update []*User
	End    []uid.ID // users whose sessions and links end
	Events []*Event
}

// EditUsers hands out the users of a tenant, by login, and carries out what edit
// returns; the zero tenant is the installation. Nobody changes users of the tenant
// meanwhile, so what edit has seen is still so when the change becomes durable. edit may
// run several times, and must not change anything but what it returns. Rows that fail
// their check sum are not handed out. ErrTaken, ErrNotFound, and the errors of edit.
func (c *Catalog) EditUsers(ctx context.Context, tenant uid.ID, edit func(users []*User) (*UserEdit, error)) error {
	err := c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, h *headRow) error {
		rows, err := userRows(ctx, tx, c.locked(tx.NewSelect().Where("tenant = ?", tenant)))
		if err != nil {
			return err
		}
		users, _ := soundUsers(rows) // the damaged are nobody's to change
		before := make(map[uid.ID]*User, len(users))
		for _, u := range users {
			kept := *u
			before[u.ID] = &kept
		}
		e, err := edit(users)
		if err != nil {
			return err
		}
		if err := e.apply(ctx, tx, tenant, before); err != nil {
			return err
		}
		return c.appendEvents(ctx, tx, h, e.Events)
	})
	return c.wrap(err, "change users")
}

func (e *UserEdit) apply(ctx context.Context, tx bun.Tx, tenant uid.ID, before map[uid.ID]*User) error {
	for _, u := range e.Create {
		if u.ID.IsZero() || u.Login == "" || u.Tenant != tenant {
			return fmt.Errorf("create user: %w: no id, no login or another tenant", ErrInvalid)
		}
		if err := insertUser(ctx, tx, u); err != nil {
			return fmt.Errorf("create user %s: %w", u.ID, err)
		}
	}
	for _, u := range e.Update {
		old := before[u.ID]
		if old == nil {
			return ErrNotFound
		}
		if err := replaceUser(ctx, tx, old, u); err != nil {
			return fmt.Errorf("update user %s: %w", u.ID, err)
		}
	}
	for _, id := range e.End {
		if _, err := tx.NewDelete().Model((*sessionRow)(nil)).Where("tenant = ?", tenant).Where("user_id = ?", id).Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.NewDelete().Model((*linkRow)(nil)).Where("tenant = ?", tenant).Where("user_id = ?", id).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}
