package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Origin says whom a user is in a directory.
type Origin struct {
	User      uid.ID
	Tenant    uid.ID
	Directory uid.ID
	External  string // lasting id there
	Details   []byte // JSON: what came from there
}

type originRow struct {
	bun.BaseModel `bun:"table:user_origin,alias:uo"`

	UserID    blob     `bun:"user_id"`
	Tenant    blob     `bun:"tenant"`
	Directory blob     `bun:"directory"`
	External  text     `bun:"external"`
	Details   document `bun:"details"`
	Checksum  blob     `bun:"checksum"`
}

func newOriginRow(o *Origin) *originRow {
	r := &originRow{UserID: o.User[:], Tenant: o.Tenant[:], Directory: o.Directory[:], External: text(o.External), Details: document(o.Details)}
	r.Checksum = r.sum()
	return r
}

func (r *originRow) sum() blob {
	return newSummer(nil, "user_origin", GroupRow).bytes(r.UserID, r.Tenant, r.Directory).text(r.External).document(r.Details).sum()
}

func (r *originRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "user_origin", Object: idText(r.UserID)})
}

func (r *originRow) model() (*Origin, error) {
	return &Origin{User: toID(r.UserID), Tenant: toID(r.Tenant), Directory: toID(r.Directory), External: string(r.External), Details: []byte(r.Details)}, nil
}

// OriginsOf returns whom a user is in directories; nobody's is empty.
func (c *Catalog) OriginsOf(ctx context.Context, tenant, user uid.ID) ([]*Origin, error) {
	list, err := all[originRow, Origin](ctx, c.read.NewSelect().Where("tenant = ?", tenant).Where("user_id = ?", user).Order("directory"))
	return list, c.wrap(err, "origins of user %s", user)
}

// OriginOfExternal returns who somebody of a directory is here. ErrNotFound.
func (c *Catalog) OriginOfExternal(ctx context.Context, tenant, directory uid.ID, external string) (*Origin, error) {
	o, err := one[Origin](ctx, new(originRow), c.read.NewSelect().Where("tenant = ?", tenant).Where("directory = ?", directory).Where("external = ?", text(external)))
	return o, c.wrap(err, "origin in directory %s", directory)
}

// Origins returns those of the users of a tenant.
func (c *Catalog) Origins(ctx context.Context, tenant uid.ID) ([]*Origin, error) {
	list, err := all[originRow, Origin](ctx, c.read.NewSelect().Where("tenant = ?", tenant))
	return list, c.wrap(err, "origins of users")
}

// ErrChanged is returned when something is not as it was when somebody looked.
var ErrChanged = errors.New("has changed meanwhile")

// UserChange is what becomes of one user by a directory.
type UserChange struct {
	Before *User // as it was when somebody looked, but for the last log-in; nil: is made
	After  *User // also its login may be another one
	Origin *Origin
	// EndSessions logs the user out everywhere, and withdraws links.
	EndSessions bool
}

// endsPassword reports whether the user has no password any more: its one-time links
// end with it.
func (x *UserChange) endsPassword() bool {
	return x.Before != nil && x.Before.PasswordHash != "" && x.After.PasswordHash == ""
}

// ApplyUserChanges carries out all changes of one directory, and stores the events of them, or nothing.
// ErrChanged if a user is not any more as Before says, ErrTaken if a login or a person
// of the directory is somebody else's. The time of the last log-in stays as it is.
func (c *Catalog) ApplyUserChanges(ctx context.Context, tenant uid.ID, list []UserChange, events ...*Event) error {
	for _, x := range list {
		if x.Origin.Directory != list[0].Origin.Directory {
			return fmt.Errorf("change users: %w: of different directories", ErrInvalid)
		}
		if x.After.Tenant != tenant || x.Origin.Tenant != tenant || x.Origin.User != x.After.ID || x.After.ID.IsZero() || x.After.Login == "" {
			return fmt.Errorf("change users: %w: of different tenants or users", ErrInvalid)
		}
		r := newUserRow(x.After)
		if err := errors.Join(nameable(r.Login, text(x.Origin.External)), nameable(r.addresses...)); err != nil {
			return c.wrap(err, "change users")
		}
	}
	err := c.withEvents(ctx, tenant, events, func(ctx context.Context, tx bun.Tx) error {
		list, err := c.unchanged(ctx, tx, tenant, list)
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(list, listSize) {
			if err := applyUsers(ctx, tx, chunk); err != nil {
				return err
			}
		}
		return nil
	})
	return c.wrap(err, "change users of a directory")
}

// unchanged compares the users that are to be changed with what they were, and returns
// the changes with the times of the last log-in as they are: somebody who has just
// logged in is no other user.
func (c *Catalog) unchanged(ctx context.Context, tx bun.Tx, tenant uid.ID, list []UserChange) ([]UserChange, error) {
	rows, err := userRows(ctx, tx, c.locked(tx.NewSelect().Where("tenant = ?", tenant)))
	if err != nil {
		return nil, err
	}
	at := make(map[string]*userRow, len(rows))
	for i := range rows {
		at[string(rows[i].ID)] = &rows[i]
	}
	list = slices.Clone(list)
	for i, x := range list {
		if x.Before == nil {
			continue
		}
		r := at[string(x.Before.ID[:])]
		if r == nil || x.Before.ID != x.After.ID || r.verify() != nil {
			return nil, fmt.Errorf("user %s: %w", x.Before.ID, ErrChanged)
		}
		before, after := *x.Before, *x.After
		before.LoggedInAt = r.LoggedInAt.orZeroTime()
		after.LoggedInAt = before.LoggedInAt
		if !bytes.Equal(r.Checksum, newUserRow(&before).Checksum) {
			return nil, fmt.Errorf("user %s: %w", x.Before.ID, ErrChanged)
		}
		list[i].After = &after
	}
	return list, nil
}

// applyUsers writes a few users.
func applyUsers(ctx context.Context, tx bun.Tx, list []UserChange) error {
	var fresh []userRow
	var addresses []addressRow
	origins := make([]originRow, 0, len(list))
	var old, out, unlinked []blob
	for _, x := range list {
		r := newUserRow(x.After)
		for i, a := range r.addresses {
			addresses = append(addresses, addressRow{UserID: r.ID, Position: num(i), Address: a})
		}
		origins = append(origins, *newOriginRow(x.Origin))
		if x.EndSessions {
			out = append(out, r.ID)
		}
		if x.endsPassword() {
			unlinked = append(unlinked, r.ID)
		}
		if x.Before == nil {
			fresh = append(fresh, *r)
			continue
		}
		old = append(old, r.ID)
		if err := changed(tx.NewUpdate().Model(r).Where("id = ?", r.ID).Exec(ctx)); err != nil {
			return err
		}
	}
	if len(old) > 0 {
		if _, err := tx.NewDelete().Model((*addressRow)(nil)).Where("user_id IN (?)", bun.List(old)).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewDelete().Model((*originRow)(nil)).Where("user_id IN (?)", bun.List(old)).Where("directory = ?", list[0].Origin.Directory).Exec(ctx)
		if err != nil {
			return err
		}
	}
	if len(out) > 0 {
		for _, model := range []any{(*sessionRow)(nil), (*linkRow)(nil)} {
			if _, err := tx.NewDelete().Model(model).Where("user_id IN (?)", bun.List(out)).Exec(ctx); err != nil {
				return err
			}
		}
	}
	if len(unlinked) > 0 {
		if _, err := tx.NewDelete().Model((*linkRow)(nil)).Where("user_id IN (?)", bun.List(unlinked)).Exec(ctx); err != nil {
			return err
		}
	}
	if len(fresh) > 0 {
		if _, err := tx.NewInsert().Model(&fresh).Exec(ctx); err != nil {
			return err
		}
	}
	if len(addresses) > 0 {
		if _, err := tx.NewInsert().Model(&addresses).Exec(ctx); err != nil {
			return err
		}
	}
	_, err := tx.NewInsert().Model(&origins).Exec(ctx)
	return err
}
