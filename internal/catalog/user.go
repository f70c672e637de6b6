package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"github.com/muniment/muniment/internal/uid"
)

type userRow struct {
	bun.BaseModel `bun:"table:user,alias:u"`

	ID           blob `bun:"id"`
	Tenant       blob `bun:"tenant"`
	Login        text `bun:"login"`
	Name         text `bun:"name"`
	Role         text `bun:"role"`
	PasswordHash text `bun:"password_hash"`
	Language     text `bun:"language"`
	Disabled     num  `bun:"disabled"`
	CreatedAt    num  `bun:"created_at"`
	Checksum     blob `bun:"checksum"`
	FirstName    text `bun:"first_name"`
	LastName     text `bun:"last_name"`
	ExpiresAt    num  `bun:"expires_at"`
	LoggedInAt   num  `bun:"logged_in_at"`

	addresses []text
}

type addressRow struct {
	bun.BaseModel `bun:"table:user_address,alias:a"`

	UserID   blob `bun:"user_id"`
	Position num  `bun:"position"`
	Address  text `bun:"address"`
}

func newUserRow(u *User) *userRow {
	r := &userRow{ID: u.ID[:], Tenant: u.Tenant[:], Login: text(u.Login), Name: text(u.Name), Role: text(u.Role),
		PasswordHash: text(u.PasswordHash), Language: text(u.Language), Disabled: flag(u.Disabled), CreatedAt: millis(u.CreatedAt),
		FirstName: text(u.FirstName), LastName: text(u.LastName), ExpiresAt: orZero(u.ExpiresAt), LoggedInAt: orZero(u.LoggedInAt)}
	for _, a := range u.Addresses {
		r.addresses = append(r.addresses, text(a))
	}
	r.Checksum = r.sum()
	return r
}

func (r *userRow) sum() blob {
	s := newSummer(nil, "user", GroupRow).bytes(r.ID, r.Tenant).text(r.Login, r.Name, r.Role, r.PasswordHash, r.Language).
		num(r.Disabled, r.CreatedAt, num(len(r.addresses))).text(r.addresses...)
	if r.FirstName != "" || r.LastName != "" || r.ExpiresAt != 0 || r.LoggedInAt != 0 { // rows before schema 8 were summed without them
		s.text("person", r.FirstName, r.LastName).num(r.ExpiresAt, r.LoggedInAt)
	}
	return s.sum()
}

func (r *userRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "user", Object: idText(r.ID)})
}

func (r *userRow) model() (*User, error) {
	u := &User{ID: toID(r.ID), Tenant: toID(r.Tenant), Login: string(r.Login), Name: string(r.Name), Role: string(r.Role),
		PasswordHash: string(r.PasswordHash), Language: string(r.Language), Disabled: r.Disabled != 0, CreatedAt: r.CreatedAt.millis(),
		FirstName: string(r.FirstName), LastName: string(r.LastName), ExpiresAt: r.ExpiresAt.orZeroTime(), LoggedInAt: r.LoggedInAt.orZeroTime()}
	for _, a := range r.addresses {
		u.Addresses = append(u.Addresses, string(a))
	}
	return u, nil
}

// CreateUser adds u, and the events of it to the log of its tenant or of the
// installation. ErrTaken if the login is in use within the tenant. The same address
// may belong to several users: a shared mailbox.
func (c *Catalog) CreateUser(ctx context.Context, u *User, events ...*Event) error {
	if u.ID.IsZero() || u.Login == "" {
		return fmt.Errorf("create user: %w: no id or no login", ErrInvalid)
	}
	err := c.withEvents(ctx, u.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		if !u.Tenant.IsZero() {
			if _, err := one[Tenant](ctx, new(tenantRow), tx.NewSelect().Where("id = ?", u.Tenant)); err != nil {
				return err
			}
		}
		return insertUser(ctx, tx, u)
	})
	return c.wrap(err, "create user %s", u.ID)
}

func insertUser(ctx context.Context, tx bun.Tx, u *User) error {
	r := newUserRow(u)
	if err := errors.Join(nameable(r.Login), nameable(r.addresses...)); err != nil {
		return err
	}
	if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
		return err
	}
	return insertAddresses(ctx, tx, r)
}

func insertAddresses(ctx context.Context, tx bun.Tx, r *userRow) error {
	if len(r.addresses) == 0 {
		return nil
	}
	rows := make([]addressRow, len(r.addresses))
	for i, a := range r.addresses {
		rows[i] = addressRow{UserID: r.ID, Position: num(i), Address: a}
	}
	_, err := tx.NewInsert().Model(&rows).Exec(ctx)
	return err
}

// SwapPasswordHash puts the hash of a user's password in the place of old, which belongs
// to the same password, and reports whether it did: it does not if another one is stored.
// ErrNotFound.
func (c *Catalog) SwapPasswordHash(ctx context.Context, tenant, user uid.ID, old, hash string) (swapped bool, err error) {
	err = c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		rows, err := userRows(ctx, tx, c.locked(tx.NewSelect().Where("tenant = ?", tenant).Where("id = ?", user)))
		if err != nil {
			return err
		}
		list, err := soundUsers(rows)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return ErrNotFound
		}
		next := *list[0]
		if swapped = next.PasswordHash == old; !swapped {
			return nil
		}
		next.PasswordHash = hash
		return replaceUser(ctx, tx, list[0], &next)
	})
	return swapped && err == nil, c.wrap(err, "password of user %s", user)
}

// replaceUser writes what may change of u in place of old.
func replaceUser(ctx context.Context, tx bun.Tx, old, u *User) error {
	next := *u
	next.ID, next.Tenant, next.Login, next.CreatedAt, next.LoggedInAt = old.ID, old.Tenant, old.Login, old.CreatedAt, old.LoggedInAt
	r := newUserRow(&next)
	if err := nameable(r.addresses...); err != nil {
		return err
	}
	if err := changed(tx.NewUpdate().Model(r).Where("id = ?", old.ID).Exec(ctx)); err != nil {
		return err
	}
	if _, err := tx.NewDelete().Model((*addressRow)(nil)).Where("user_id = ?", old.ID).Exec(ctx); err != nil {
		return err
	}
	return insertAddresses(ctx, tx, r)
}

// userRows selects users with their addresses.
func userRows(ctx context.Context, db bun.IDB, q *bun.SelectQuery) ([]userRow, error) {
	var rows []userRow
	if err := q.Model(&rows).Scan(ctx); err != nil {
		return nil, err
	}
	return rows, loadAddresses(ctx, db, rows)
}

// soundUsers returns the sound ones by tenant and login, and the errors of the
// others.
func soundUsers(rows []userRow) ([]*User, error) {
	var list []*User
	var bad []error
	for i := range rows {
		u, err := verified[User](&rows[i])
		if err != nil {
			bad = append(bad, err)
			continue
		}
		list = append(list, u)
	}
	slices.SortFunc(list, func(a, b *User) int {
		return cmp.Or(a.Tenant.Compare(b.Tenant), strings.Compare(a.Login, b.Login))
	})
	return list, errors.Join(bad...)
}

func loadAddresses(ctx context.Context, db bun.IDB, rows []userRow) error {
	at := make(map[string]*userRow, len(rows))
	ids := make([]blob, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
		at[string(rows[i].ID)] = &rows[i]
	}
	for chunk := range slices.Chunk(ids, listSize) {
		var addresses []addressRow
		if err := db.NewSelect().Model(&addresses).Where("user_id IN (?)", bun.List(chunk)).Order("user_id", "position").Scan(ctx); err != nil {
			return err
		}
		for _, a := range addresses {
			if r := at[string(a.UserID)]; r != nil {
				if int(a.Position) != len(r.addresses) { // then the check sum differs
					a.Address = damagedBytes
				}
				r.addresses = append(r.addresses, a.Address)
			}
		}
	}
	return nil
}

// readUsers returns the sound users of a query, which names the condition, and
// the errors of the others. It reads at one moment: a user whose addresses are
// from another one would look damaged.
func (c *Catalog) readUsers(ctx context.Context, condition string, args ...any) ([]*User, error) {
	var rows []userRow
	err := c.snapshot(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		rows, err = userRows(ctx, tx, tx.NewSelect().Where(condition, args...))
		return err
	})
	if err != nil {
		return nil, err
	}
	return soundUsers(rows)
}

func (c *Catalog) oneUser(ctx context.Context, condition string, args ...any) (*User, error) {
	list, err := c.readUsers(ctx, condition, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// User returns a user of a tenant.
func (c *Catalog) User(ctx context.Context, tenant, id uid.ID) (*User, error) {
	u, err := c.oneUser(ctx, "tenant = ? AND id = ?", tenant, id)
	return u, c.wrap(err, "user %s", id)
}

// UserByLogin returns a user of a tenant by login.
func (c *Catalog) UserByLogin(ctx context.Context, tenant uid.ID, login string) (*User, error) {
	u, err := c.oneUser(ctx, "tenant = ? AND login = ?", tenant, text(login))
	return u, c.wrap(err, "user %q", login)
}

// UsersByLogin returns the users of all tenants with this login. It is for
// logging in, where the tenant is not known yet, and for nothing else.
func (c *Catalog) UsersByLogin(ctx context.Context, login string) ([]*User, error) {
	list, err := c.readUsers(ctx, "login = ?", text(login))
	return list, c.wrap(err, "users with login %q", login)
}

// UsersByAddress returns the users of all tenants that have address. It is for
// logging in, where the tenant is not known yet, and for nothing else.
func (c *Catalog) UsersByAddress(ctx context.Context, address string) ([]*User, error) {
	list, err := c.readUsers(ctx, "id IN (SELECT user_id FROM user_address WHERE address IN (?, ?))", text(address), text(norm.NFD.String(address)))
	return list, c.wrap(err, "users with an address")
}

// Users returns all users of a tenant by login. Rows that fail their check sum
// are missing and joined as *RowError in the error, beside the good ones.
func (c *Catalog) Users(ctx context.Context, tenant uid.ID) ([]*User, error) {
	list, err := c.readUsers(ctx, "tenant = ?", tenant)
	return list, c.wrap(err, "users")
}
