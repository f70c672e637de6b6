package catalog

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

type linkRow struct {
	bun.BaseModel `bun:"table:login_link,alias:l"`

	TokenHash blob `bun:"token_hash"`
	UserID    blob `bun:"user_id"`
	Tenant    blob `bun:"tenant"`
	Purpose   text `bun:"purpose"`
	CreatedAt num  `bun:"created_at"`
	ExpiresAt num  `bun:"expires_at"`
	Checksum  blob `bun:"checksum"`
}

func newLinkRow(l *Link) *linkRow {
	r := &linkRow{TokenHash: l.TokenHash[:], UserID: l.User[:], Tenant: l.Tenant[:], Purpose: text(l.Purpose), CreatedAt: millis(l.CreatedAt), ExpiresAt: millis(l.ExpiresAt)}
	r.Checksum = r.sum()
	return r
}

func (r *linkRow) sum() blob {
	return newSummer(nil, "login_link", GroupRow).bytes(r.TokenHash, r.UserID, r.Tenant).text(r.Purpose).num(r.CreatedAt, r.ExpiresAt).sum()
}

func (r *linkRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "login_link", Object: sessionName(r.TokenHash)})
}

func (r *linkRow) model() (*Link, error) {
	return &Link{TokenHash: toSum(r.TokenHash), User: toID(r.UserID), Tenant: toID(r.Tenant), Purpose: string(r.Purpose),
		CreatedAt: r.CreatedAt.millis(), ExpiresAt: r.ExpiresAt.millis()}, nil
}

// SetLink adds a one-time link in place of the one for the same user and purpose,
// and stores the events of it.
func (c *Catalog) SetLink(ctx context.Context, l *Link, events ...*Event) error {
	err := c.withEvents(ctx, l.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		// The lock: of two who make the same link at once, the second replaces the first's.
		rows, err := userRows(ctx, tx, c.locked(tx.NewSelect().Where("tenant = ?", l.Tenant).Where("id = ?", l.User)))
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return ErrNotFound
		}
		if _, err := tx.NewDelete().Model((*linkRow)(nil)).Where("user_id = ?", l.User).Where("purpose = ?", text(l.Purpose)).Exec(ctx); err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(newLinkRow(l)).Exec(ctx)
		return err
	})
	return c.wrap(err, "set link of user %s", l.User)
}

// Link returns the link with this token hash, expired or not.
func (c *Catalog) Link(ctx context.Context, hash [32]byte) (*Link, error) {
	l, err := one[Link](ctx, new(linkRow), c.read.NewSelect().Where("token_hash = ?", hash[:]))
	return l, c.wrap(err, "link")
}

// Links returns the links of a user, expired ones included.
func (c *Catalog) Links(ctx context.Context, tenant, user uid.ID) ([]*Link, error) {
	list, err := all[linkRow, Link](ctx, c.read.NewSelect().Where("tenant = ?", tenant).Where("user_id = ?", user).Order("purpose"))
	return list, c.wrap(err, "links of user %s", user)
}

// DeleteExpiredLinks forgets the links that expired at or before now.
func (c *Catalog) DeleteExpiredLinks(ctx context.Context, now time.Time) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*linkRow)(nil)).Where("expires_at <= ?", millis(now)).Exec(ctx)
		return err
	})
	return c.wrap(err, "delete links")
}

// PasswordChange sets a user's password. All links of the user end with it.
type PasswordChange struct {
	Tenant uid.ID
	User   uid.ID
	Hash   string   // PHC string
	Keep   [32]byte // token hash of the only session that goes on; zero: none does
	// Link, if not zero, is the token hash of the link that this uses: it must be there
	// and not have expired At.
	Link   [32]byte
	At     time.Time
	Events []*Event
}

// ErrElsewhere is returned when a user without a password comes from a directory, which
// checks it.
var ErrElsewhere = errors.New("the user comes from a directory")

// SetPassword carries out a change in one transaction. ErrNotFound if there is no
// such user, or no such link any more; ErrElsewhere.
func (c *Catalog) SetPassword(ctx context.Context, p PasswordChange) error {
	err := c.withEvents(ctx, p.Tenant, p.Events, func(ctx context.Context, tx bun.Tx) error {
		if p.Link != ([32]byte{}) {
			l, err := one[Link](ctx, new(linkRow), c.locked(tx.NewSelect().Where("token_hash = ?", p.Link[:])))
			if err != nil {
				return err
			}
			if l.User != p.User || l.Tenant != p.Tenant || !p.At.Before(l.ExpiresAt) {
				return ErrNotFound
			}
		}
		if err := c.writePassword(ctx, tx, p); err != nil {
			return err
		}
		_, err := tx.NewDelete().Model((*linkRow)(nil)).Where("user_id = ?", p.User).Exec(ctx)
		return errors.Join(err, endSessions(ctx, tx, p.Tenant, p.User, p.Keep))
	})
	return c.wrap(err, "set password of user %s", p.User)
}

// writePassword changes nothing else of the user's row.
func (c *Catalog) writePassword(ctx context.Context, tx bun.Tx, p PasswordChange) error {
	rows, err := userRows(ctx, tx, c.locked(tx.NewSelect().Where("tenant = ?", p.Tenant).Where("id = ?", p.User)))
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return ErrNotFound
	}
	r := &rows[0]
	if bad := r.verify(); bad != nil {
		return bad
	}
	if r.PasswordHash == "" && !p.Tenant.IsZero() {
		n, err := tx.NewSelect().Model((*originRow)(nil)).Where("tenant = ?", p.Tenant).Where("user_id = ?", p.User).Count(ctx)
		if err != nil {
			return err
		}
		if n > 0 {
			return ErrElsewhere
		}
	}
	r.PasswordHash = text(p.Hash)
	r.Checksum = r.sum()
	return changed(tx.NewUpdate().Model(r).Where("id = ?", p.User).Exec(ctx))
}
