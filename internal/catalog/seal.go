package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// SealState tells how far a batch is.
type SealState string

// States of a batch.
const (
	SealPending SealState = "pending" // its trees are durable, it has no time stamp yet
	SealStamped SealState = "stamped"
	// States of a rehashed batch, which has no time stamp of its own: the renewal that
	// covers its root has.
	SealRehashing SealState = "rehashing" // its trees are being made
	SealRehashed  SealState = "rehashed"
)

// SealKind tells what a batch is for.
type SealKind string

// Kinds of batches.
const (
	SealNew      SealKind = "new"      // new objects, and checkpoints of the event logs
	SealRehash   SealKind = "rehashed" // the objects of an older batch by another hash algorithm (RFC 4998 §5.3)
	SealRenewals SealKind = "renewal"  // time stamps of older batches (RFC 4998 §5.2), and roots of rehashed ones
)

// SealBatch is what one time stamp covers: a tree of each tenant, and a tree over
// their roots; or, of a renewal, a tree over what it renews.
type SealBatch struct {
	ID        uid.ID
	Kind      SealKind // empty counts as SealNew
	Renews    uid.ID   // of a rehashed one: whose objects are in it
	Head      uid.ID   // of a rehashed one: whose time stamp is the last one that they had before
	LeftOut   int64    // of a rehashed one: objects that could not be read
	State     SealState
	Algorithm string // of the hash trees
	CreatedAt time.Time
	Oldest    time.Time // when the archive took the oldest object in it
	Trees     int
	Leaves    int64
	Root      []byte
	Attempts  int       // to get a time stamp
	NextAt    time.Time // not to be tried before
	Problem   string    // JSON, of the last attempt; empty: none
}

// SealTree is the tree of one tenant in a batch, by ascending AOID.
type SealTree struct {
	Tenant, Batch uid.ID
	Position      int // among the trees of the batch, from 0
	Leaves        int64
	First, Last   uid.ID // AOIDs
	Root          []byte
}

// SealStamp is a time stamp of a batch: number 1 is the first one, the others are
// its renewals.
type SealStamp struct {
	Batch     uid.ID
	Number    int
	Authority string
	GenTime   time.Time // the time in the token
	Until     time.Time // end of the certificate that signed it
	Policy    string
	Test      bool   // of a test authority: proves nothing to others
	Qualified string // "yes", "no" or "unknown"
	Reason    string // of Qualified
	Sum       [32]byte
}

// SealSetting is how objects are sealed. Secret is sealed.
type SealSetting struct {
	Tenant   uid.ID // zero: the installation
	Settings []byte // JSON
	Secret   []byte // nil: none
}

// SealSetting returns how objects are sealed; the zero tenant is the installation.
// ErrNotFound if nothing is set.
func (c *Catalog) SealSetting(ctx context.Context, tenant uid.ID) (*SealSetting, error) {
	s, err := one[SealSetting](ctx, new(sealSettingRow), c.read.NewSelect().Where("tenant = ?", tenant))
	return s, c.wrap(err, "settings of sealing")
}

// SetSealSetting stores s in place of what was set, and the events of it.
func (c *Catalog) SetSealSetting(ctx context.Context, s *SealSetting, events ...*Event) error {
	err := c.withEvents(ctx, s.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewDelete().Model((*sealSettingRow)(nil)).Where("tenant = ?", s.Tenant).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(newSealSettingRow(s)).Exec(ctx)
		return err
	})
	return c.wrap(err, "set how objects are sealed")
}

// Sealable is what sealing needs to know of a message.
type Sealable struct {
	Seq        int64
	AOID       uid.ID
	SHA256     [32]byte
	ReceivedAt time.Time
	Members    []byte // Message.Members; nil: not computed yet
}

// Sealables calls do for at most limit messages with a Seq above seq, ascending; of a
// row that fails its check sum with its Seq alone and a *RowError.
func (c *Catalog) Sealables(ctx context.Context, tenant uid.ID, seq int64, limit int, do func(Sealable, error) error) error {
	q := c.read.NewSelect().Table("message").
		Column("tenant", "seq", "aoid", "sha256", "sha512", "size", "segment", "frame", "received_at", "date", "source", "class", "checksum", "document", "members").
		Where("tenant = ?", tenant).Where("seq > ?", seq).Order("seq")
	rows, err := atMost(q, limit).Rows(ctx)
	if err != nil {
		return c.wrap(err, "messages to be sealed")
	}
	defer rows.Close()
	for rows.Next() {
		var r messageRow
		if err := rows.Scan(&r.Tenant, &r.Seq, &r.AOID, &r.SHA256, &r.SHA512, &r.Size, &r.Segment, &r.Frame, &r.ReceivedAt, &r.Date, &r.Source, &r.Class,
			&r.Checksum, &r.Document, &r.Members); err != nil {
			return c.wrap(err, "messages to be sealed")
		}
		if bad := differs(r.Checksum, r.sum(), RowError{Table: "message", Object: idText(r.AOID), Seq: int64(r.Seq)}); bad != nil {
			if err := do(Sealable{Seq: int64(r.Seq)}, bad); err != nil {
				return err
			}
			continue
		}
		s := Sealable{Seq: int64(r.Seq), AOID: toID(r.AOID), SHA256: toSum(r.SHA256), ReceivedAt: r.ReceivedAt.millis()}
		if len(r.Members) > 0 {
			s.Members = r.Members
		}
		if err := do(s, nil); err != nil {
			return err
		}
	}
	return c.wrap(rows.Err(), "messages to be sealed")
}

// SetMembers fills Message.Members of messages that have none. ErrNotFound if one
// is not there, *RowError if its row was damaged.
func (c *Catalog) SetMembers(ctx context.Context, tenant uid.ID, members map[uid.ID][]byte) error {
	err := c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, _ *headRow) error {
		for aoid, m := range members {
			r := new(messageRow)
			if err := tx.NewSelect().Model(r).Where("tenant = ?", tenant).Where("aoid = ?", aoid).Scan(ctx); err != nil {
				return fmt.Errorf("message %s: %w", aoid, err)
			}
			if bad := r.verify(); bad != nil {
				return bad
			}
			r.Members = m
			r.Checksum = r.sum()
			if err := changed(tx.NewUpdate().Model(r).Column("members", "checksum").Where("tenant = ?", tenant).Where("aoid = ?", aoid).Exec(ctx)); err != nil {
				return fmt.Errorf("message %s: %w", aoid, err)
			}
		}
		return nil
	})
	return c.wrap(err, "set members of %d messages", len(members))
}

// SealMark returns up to which Seq the messages of a tenant are in a batch.
func (c *Catalog) SealMark(ctx context.Context, tenant uid.ID) (int64, error) {
	n, err := one[int64](ctx, new(sealMarkRow), c.read.NewSelect().Where("tenant = ?", tenant))
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, c.wrap(err, "mark of sealing")
	}
	return *n, nil
}

// SealMarks returns SealMark of all tenants that have one. Rows that fail their check
// sum are missing and joined as *RowError in the error, beside the good ones.
func (c *Catalog) SealMarks(ctx context.Context) (map[uid.ID]int64, error) {
	out := map[uid.ID]int64{}
	var bad []error
	err := each[sealMarkRow, int64](ctx, c.read.NewSelect(), func(r *sealMarkRow, n *int64, err error) error {
		if err != nil {
			bad = append(bad, err)
			return nil
		}
		out[toID(r.Tenant)] = *n
		return nil
	})
	return out, c.wrap(errors.Join(append(bad, err)...), "marks of sealing")
}

// SetSealMark moves the mark of a tenant from one Seq to another. ErrTaken if it
// is elsewhere: somebody else is sealing.
func (c *Catalog) SetSealMark(ctx context.Context, tenant uid.ID, m SealMove) error {
	err := c.transact(ctx, func(ctx context.Context, tx bun.Tx) error { return c.moveSealMark(ctx, tx, tenant, m) })
	return c.wrap(err, "mark of sealing")
}

// SealMove is how far a batch moves the mark of a tenant.
type SealMove struct{ From, To int64 }

func (c *Catalog) moveSealMark(ctx context.Context, tx bun.Tx, tenant uid.ID, m SealMove) error {
	old := new(sealMarkRow)
	n, err := one[int64](ctx, old, c.locked(tx.NewSelect().Where("tenant = ?", tenant)))
	r := &sealMarkRow{Tenant: tenant[:], Seq: num(m.To)}
	r.Checksum = r.sum()
	switch {
	case errors.Is(err, sql.ErrNoRows) && m.From == 0:
		_, err := tx.NewInsert().Model(r).Exec(ctx)
		return err
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("mark of tenant %s is gone: %w", tenant, ErrTaken)
	case err != nil:
		return err
	case *n != m.From:
		return fmt.Errorf("mark of tenant %s is at %d, not %d: %w", tenant, *n, m.From, ErrTaken)
	}
	return changed(tx.NewUpdate().Model(r).Where("tenant = ?", tenant).Exec(ctx))
}
