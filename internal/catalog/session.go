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

	TokenHash   blob `bun:"token_hash"`
	ID          blob `bun:"id"`
	UserID      blob `bun:"user_id"`
	Tenant      blob `bun:"tenant"`
	CreatedAt   num  `bun:"created_at"`
	SeenAt      num  `bun:"seen_at"`
	ExpiresAt   num  `bun:"expires_at"`
	ConfirmedAt num  `bun:"confirmed_at"`
	Peer        text `bun:"peer"`
	UserAgent   text `bun:"user_agent"`
	Stage       text `bun:"stage"`
	Method      text `bun:"method"`
	Tries       num  `bun:"tries"`
	Challenge   blob `bun:"challenge"`
	Checksum    blob `bun:"checksum"`
}

func newSessionRow(s *Session) *sessionRow {
	r := &sessionRow{TokenHash: s.TokenHash[:], ID: s.ID[:], UserID: s.User[:], Tenant: s.Tenant[:], CreatedAt: millis(s.CreatedAt),
		SeenAt: millis(s.SeenAt), ExpiresAt: millis(s.ExpiresAt), ConfirmedAt: millis(s.ConfirmedAt), Peer: text(s.Peer), UserAgent: text(s.UserAgent),
		Stage: text(s.Stage), Method: text(s.Method), Tries: num(s.Tries), Challenge: append(blob{}, s.Challenge...)}
	r.Checksum = r.sum()
	return r
}

func (r *sessionRow) sum() blob {
	return newSummer(nil, "session", GroupRow).bytes(r.TokenHash, r.ID, r.UserID, r.Tenant).
		num(r.CreatedAt, r.SeenAt, r.ExpiresAt, r.ConfirmedAt, r.Tries).text(r.Peer, r.UserAgent, r.Stage, r.Method).bytes(r.Challenge).sum()
}

func (r *sessionRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "session", Object: sessionName(r.TokenHash)})
}

// sessionName is enough to find a row and too little to use it.
func sessionName(hash blob) string { return fmt.Sprintf("%.16s…", hex.EncodeToString(hash)) }

func (r *sessionRow) model() (*Session, error) {
	s := &Session{TokenHash: toSum(r.TokenHash), ID: toID(r.ID), User: toID(r.UserID), Tenant: toID(r.Tenant), CreatedAt: r.CreatedAt.millis(),
		SeenAt: r.SeenAt.millis(), ExpiresAt: r.ExpiresAt.millis(), ConfirmedAt: r.ConfirmedAt.millis(), Peer: string(r.Peer), UserAgent: string(r.UserAgent),
		Stage: string(r.Stage), Method: string(r.Method), Tries: int(r.Tries)}
	if len(r.Challenge) > 0 {
		s.Challenge = r.Challenge
	}
	return s, nil
}

// CreateSession adds a log-in of a user that exists, and its events. A user has logged
// in when there is one of StageFull.
func (c *Catalog) CreateSession(ctx context.Context, s *Session, events ...*Event) error {
	err := c.withEvents(ctx, s.Tenant, events, func(ctx context.Context, tx bun.Tx) error { return c.insertSession(ctx, tx, s) })
	return c.wrap(err, "create session of user %s", s.User)
}

// ReplaceSession ends the log-in with the token hash old and adds s in its place:
// a token that was known before does not open what the log-in has become.
// ErrNotFound if old has ended.
func (c *Catalog) ReplaceSession(ctx context.Context, old [32]byte, s *Session, events ...*Event) error {
	err := c.withEvents(ctx, s.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		if err := changed(tx.NewDelete().Model((*sessionRow)(nil)).Where("token_hash = ?", old[:]).Exec(ctx)); err != nil {
			return err
		}
		return c.insertSession(ctx, tx, s)
	})
	return c.wrap(err, "replace session of user %s", s.User)
}

func (c *Catalog) insertSession(ctx context.Context, tx bun.Tx, s *Session) error {
	there := userThere(ctx, tx, s.Tenant, s.User)
	if there == nil && s.Stage == StageFull {
		there = c.loggedIn(ctx, tx, s)
	}
	if there != nil {
		return there
	}
	_, err := tx.NewInsert().Model(newSessionRow(s)).Exec(ctx)
	return err
}

// userThere returns ErrNotFound if a tenant has no such user.
func userThere(ctx context.Context, tx bun.Tx, tenant, user uid.ID) error {
	n, err := tx.NewSelect().Model((*userRow)(nil)).Where("tenant = ?", tenant).Where("id = ?", user).Count(ctx)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
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

// Sessions returns the log-ins of a user, expired ones included, the youngest first.
func (c *Catalog) Sessions(ctx context.Context, tenant, user uid.ID) ([]*Session, error) {
	list, err := all[sessionRow, Session](ctx, c.read.NewSelect().Where("tenant = ?", tenant).Where("user_id = ?", user).Order("created_at DESC", "id"))
	return list, c.wrap(err, "sessions of user %s", user)
}

// TouchSession records that a session was used and lives until expires.
// ErrNotFound if it has ended.
func (c *Catalog) TouchSession(ctx context.Context, hash [32]byte, seen, expires time.Time) error {
	return c.UpdateSession(ctx, hash, func(s *Session) error {
		s.SeenAt, s.ExpiresAt = seen, expires
		return nil
	})
}

// UpdateSession lets change alter a log-in that nobody else alters meanwhile; its
// error is returned and nothing is stored. ErrNotFound if it has ended.
func (c *Catalog) UpdateSession(ctx context.Context, hash [32]byte, change func(*Session) error) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
		s, err := one[Session](ctx, new(sessionRow), c.locked(tx.NewSelect().Where("token_hash = ?", hash[:])))
		if err != nil {
			return err
		}
		if err := change(s); err != nil {
			return err
		}
		s.TokenHash = hash
		return changed(tx.NewUpdate().Model(newSessionRow(s)).Where("token_hash = ?", hash[:]).Exec(ctx))
	})
	return c.wrap(err, "change session")
}

// EndSession ends one log-in of a user, and stores the events of it. ErrNotFound if
// there is none with this id.
func (c *Catalog) EndSession(ctx context.Context, tenant, user, id uid.ID, events ...*Event) error {
	err := c.withEvents(ctx, tenant, events, func(ctx context.Context, tx bun.Tx) error {
		return changed(tx.NewDelete().Model((*sessionRow)(nil)).Where("tenant = ?", tenant).Where("user_id = ?", user).Where("id = ?", id).Exec(ctx))
	})
	return c.wrap(err, "end session")
}

// EndSessions ends all log-ins of a user but that with the token hash keep, and
// stores the events of it.
func (c *Catalog) EndSessions(ctx context.Context, tenant, user uid.ID, keep [32]byte, events ...*Event) error {
	err := c.withEvents(ctx, tenant, events, func(ctx context.Context, tx bun.Tx) error { return endSessions(ctx, tx, tenant, user, keep) })
	return c.wrap(err, "end sessions of user %s", user)
}

func endSessions(ctx context.Context, tx bun.Tx, tenant, user uid.ID, keep [32]byte) error {
	_, err := tx.NewDelete().Model((*sessionRow)(nil)).Where("tenant = ?", tenant).Where("user_id = ?", user).Where("token_hash <> ?", keep[:]).Exec(ctx)
	return err
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
