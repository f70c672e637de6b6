package catalog

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

type sessionRow struct {
	bun.BaseModel `bun:"table:session,alias:s"`

	TokenHash blob `bun:"token_hash"`
	UserID    blob `bun:"user_id"`
	Tenant    blob `bun:"tenant"`
	CreatedAt num  `bun:"created_at"`
	SeenAt    num  `bun:"seen_at"`
	ExpiresAt num  `bun:"expires_at"`
	Peer      text `bun:"peer"`
	UserAgent text `bun:"user_agent"`
	Checksum  blob `bun:"checksum"`
}

func newSessionRow(s *Session) *sessionRow {
	r := &sessionRow{TokenHash: s.TokenHash[:], UserID: s.User[:], Tenant: s.Tenant[:], CreatedAt: millis(s.CreatedAt),
		SeenAt: millis(s.SeenAt), ExpiresAt: millis(s.ExpiresAt), Peer: text(s.Peer), UserAgent: text(s.UserAgent)}
	r.Checksum = r.sum()
	return r
}

func (r *sessionRow) sum() blob {
	return newSummer(nil, "session", GroupRow).bytes(r.TokenHash, r.UserID, r.Tenant).
		num(r.CreatedAt, r.SeenAt, r.ExpiresAt).text(r.Peer, r.UserAgent).sum()
}

func (r *sessionRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "session", Object: sessionName(r.TokenHash)})
}

// sessionName is enough to find a row and too little to use it.
func sessionName(hash blob) string { return fmt.Sprintf("%.16s…", hex.EncodeToString(hash)) }

func (r *sessionRow) model() (*Session, error) {
	return &Session{TokenHash: toSum(r.TokenHash), User: toID(r.UserID), Tenant: toID(r.Tenant), CreatedAt: r.CreatedAt.millis(),
		SeenAt: r.SeenAt.millis(), ExpiresAt: r.ExpiresAt.millis(), Peer: string(r.Peer), UserAgent: string(r.UserAgent)}, nil
}

// CreateSession adds a log-in of a user that exists, who has logged in then.
func (c *Catalog) CreateSession(ctx context.Context, s *Session) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := c.loggedIn(ctx, tx, s); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(newSessionRow(s)).Exec(ctx)
		return err
	})
	return c.wrap(err, "create session of user %s", s.User)
}

// loggedIn writes down when the user of a session has logged in.
func (c *Catalog) loggedIn(ctx context.Context, tx bun.Tx, s *Session) error {
	rows, err := userRows(ctx, tx, c.locked(tx.NewSelect().Where("tenant = ?", s.Tenant).Where("id = ?", s.User)))
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return ErrNotFound
	}
	u, err := verified[User](&rows[0])
	if err != nil || !s.CreatedAt.After(u.LoggedInAt) {
		return err
	}
	u.LoggedInAt = s.CreatedAt
	return changed(tx.NewUpdate().Model(newUserRow(u)).Where("id = ?", u.ID).Exec(ctx))
}

// Session returns the log-in with this token hash, expired or not.
func (c *Catalog) Session(ctx context.Context, hash [32]byte) (*Session, error) {
	s, err := one[Session](ctx, new(sessionRow), c.read.NewSelect().Where("token_hash = ?", hash[:]))
	return s, c.wrap(err, "session")
}

// TouchSession records that a session was used and lives until expires.
// ErrNotFound if it has ended.
func (c *Catalog) TouchSession(ctx context.Context, hash [32]byte, seen, expires time.Time) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		s, err := one[Session](ctx, new(sessionRow), c.locked(tx.NewSelect().Where("token_hash = ?", hash[:])))
		if err != nil {
			return err
		}
		s.SeenAt, s.ExpiresAt = seen, expires
		return changed(tx.NewUpdate().Model(newSessionRow(s)).Where("token_hash = ?", hash[:]).Exec(ctx))
	})
	return c.wrap(err, "touch session")
}

// DeleteSession ends a log-in. It is no error if there is none.
func (c *Catalog) DeleteSession(ctx context.Context, hash [32]byte) error {
	return c.deleteSessions(ctx, func(q *bun.DeleteQuery) *bun.DeleteQuery { return q.Where("token_hash = ?", hash[:]) })
}

// DeleteSessions ends all log-ins of a user.
func (c *Catalog) DeleteSessions(ctx context.Context, tenant, user uid.ID) error {
	return c.deleteSessions(ctx, func(q *bun.DeleteQuery) *bun.DeleteQuery {
		return q.Where("tenant = ?", tenant).Where("user_id = ?", user)
	})
}

// DeleteExpiredSessions ends the log-ins that expired at or before now.
func (c *Catalog) DeleteExpiredSessions(ctx context.Context, now time.Time) error {
	return c.deleteSessions(ctx, func(q *bun.DeleteQuery) *bun.DeleteQuery { return q.Where("expires_at <= ?", millis(now)) })
}

func (c *Catalog) deleteSessions(ctx context.Context, which func(*bun.DeleteQuery) *bun.DeleteQuery) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := which(tx.NewDelete().Model((*sessionRow)(nil))).Exec(ctx)
		return err
	})
	return c.wrap(err, "delete sessions")
}
