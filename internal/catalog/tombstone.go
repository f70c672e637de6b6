package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Tombstone is what is left of a message that was deleted: nothing that says what was
// in it.
type Tombstone struct {
	Tenant       uid.ID
	AOID         uid.ID
	Seq          int64 // that its message had
	Size         int64 // bytes of the original
	ReceivedAt   time.Time
	Source       uid.ID // of the first arrival
	Class        string
	Due          time.Time // end of its retention when it was deleted; zero: it had none
	DeletedAt    time.Time
	AskedBy      uid.ID // zero: nobody, its time was over
	AskedRole    string
	ApprovedBy   uid.ID
	ApprovedRole string
	CarriedBy    string // as in Event.Actor
	Reason       string
	Request      uid.ID // zero: there was none
	Arrivals     []Arrival
	Record       Loc    // where its record rests in the vault; zero: it is not written yet
	Rest         []byte // JSON, of archive: what is still to be destroyed; empty: nothing
}

// Arrival is how one arrival of a deleted message was counted.
type Arrival struct {
	Source    uid.ID  `json:"source"`
	Day       string  `json:"day"` // 2006-01-02, UTC
	Outcome   Outcome `json:"outcome"`
	Bytes     int64   `json:"bytes"`
	Uncounted bool    `json:"uncounted,omitempty"` // its journal report was counted with another message
}

type tombstoneRow struct {
	bun.BaseModel `bun:"table:tombstone,alias:ts"`

	Tenant       blob     `bun:"tenant"`
	AOID         blob     `bun:"aoid"`
	Seq          num      `bun:"seq"`
	Size         num      `bun:"size"`
	ReceivedAt   num      `bun:"received_at"`
	Source       blob     `bun:"source"`
	Class        text     `bun:"class"`
	Due          num      `bun:"due"`
	DeletedAt    num      `bun:"deleted_at"`
	AskedBy      blob     `bun:"asked_by"`
	AskedRole    text     `bun:"asked_role"`
	ApprovedBy   blob     `bun:"approved_by"`
	ApprovedRole text     `bun:"approved_role"`
	CarriedBy    text     `bun:"carried_by"`
	Reason       text     `bun:"reason"`
	Request      blob     `bun:"request"`
	Arrivals     document `bun:"arrivals"`
	Segment      blob     `bun:"segment"`
	Frame        num      `bun:"frame"`
	Rest         document `bun:"rest"`
	Checksum     blob     `bun:"checksum"`
}

func newTombstoneRow(s *Tombstone) (*tombstoneRow, error) {
	arrivals, err := toDocument(s.Arrivals)
	r := &tombstoneRow{Tenant: s.Tenant[:], AOID: s.AOID[:], Seq: num(s.Seq), Size: num(s.Size), ReceivedAt: millis(s.ReceivedAt), Source: s.Source[:], Class: text(s.Class),
		DeletedAt: millis(s.DeletedAt), AskedBy: orEmpty(s.AskedBy), AskedRole: text(s.AskedRole), ApprovedBy: orEmpty(s.ApprovedBy), ApprovedRole: text(s.ApprovedRole),
		CarriedBy: text(s.CarriedBy), Reason: text(s.Reason), Request: orEmpty(s.Request), Arrivals: arrivals, Segment: orEmpty(s.Record.Segment), Frame: num(s.Record.Frame), Rest: document(s.Rest)}
	if !s.Due.IsZero() {
		r.Due = millis(s.Due)
	}
	r.Checksum = r.sum()
	return r, err
}

func (r *tombstoneRow) sum() blob {
	return newSummer(nil, "tombstone", GroupRow).bytes(r.Tenant, r.AOID).num(r.Seq, r.Size, r.ReceivedAt).bytes(r.Source).text(r.Class).num(r.Due, r.DeletedAt).
		bytes(r.AskedBy).text(r.AskedRole).bytes(r.ApprovedBy).text(r.ApprovedRole, r.CarriedBy, r.Reason).bytes(r.Request).document(r.Arrivals).
		bytes(r.Segment).num(r.Frame).document(r.Rest).sum()
}

func (r *tombstoneRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "tombstone", Object: idText(r.AOID)})
}

func (r *tombstoneRow) model() (*Tombstone, error) {
	s := &Tombstone{Tenant: toID(r.Tenant), AOID: toID(r.AOID), Seq: int64(r.Seq), Size: int64(r.Size), ReceivedAt: r.ReceivedAt.millis(), Source: toID(r.Source),
		Class: string(r.Class), DeletedAt: r.DeletedAt.millis(), AskedBy: toID(r.AskedBy), AskedRole: string(r.AskedRole), ApprovedBy: toID(r.ApprovedBy),
		ApprovedRole: string(r.ApprovedRole), CarriedBy: string(r.CarriedBy), Reason: string(r.Reason), Request: toID(r.Request),
		Record: Loc{Segment: toID(r.Segment), Frame: uint32(r.Frame)}}
	if r.Due != 0 {
		s.Due = r.Due.millis()
	}
	if r.Rest != "" {
		s.Rest = []byte(r.Rest)
	}
	return s, r.Arrivals.into(&s.Arrivals)
}

func (r *tombstoneRow) relocate(to Loc) {
	r.Segment, r.Frame = to.Segment[:], num(to.Frame)
	r.Checksum = r.sum()
}

// Erasure is what Erase does together.
type Erasure struct {
	Tombstones []*Tombstone // of the messages that go; Erase sets Seq
	Parts      [][32]byte   // attachments that only these messages use
	// Request is one for the deletion, as it is afterwards; nil: there is none. It must be
	// approved, and its time not over at the time at which it is ended.
	Request *AccessRequest
	// Judged is by what it was judged that they may go; what came since makes it fail.
	Judged Judged
	Events []*Event
}

// Erase replaces messages by their tombstones: their rows go, and everything that was
// made of them, but for the accounts, the event log, whose entries hold nothing of what
// was in a message, and the records of who has read whose mail. Errors match ErrNotFound if one is not there (any more),
// *RowError, ErrAccessState, ErrHeld.
func (c *Catalog) Erase(ctx context.Context, tenant uid.ID, e Erasure) error {
	err := c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, h *headRow) error {
		if e.Request != nil {
			if err := c.settleErasure(ctx, tx, e.Request); err != nil {
				return err
			}
		}
		for _, s := range e.Tombstones {
			if err := c.bury(ctx, tx, h, s); err != nil {
				return fmt.Errorf("message %s: %w", s.AOID, err)
			}
		}
		if len(e.Tombstones) > 0 {
			if err := c.still(ctx, tx, tenant, e.Judged); err != nil {
				return err
			}
		}
		for _, p := range e.Parts {
			if _, err := tx.NewDelete().Table("part").Where("tenant = ?", tenant).Where("sha256 = ?", p[:]).Exec(ctx); err != nil {
				return fmt.Errorf("part: %w", err)
			}
		}
		return c.appendEvents(ctx, tx, h, e.Events)
	})
	return c.wrap(err, "delete %d messages", len(e.Tombstones))
}

func (c *Catalog) settleErasure(ctx context.Context, tx bun.Tx, a *AccessRequest) error {
	r, err := newAccessRow(a)
	if err != nil {
		return err
	}
	if err := c.inAccessState(ctx, tx, a.Tenant, a.ID, AccessApproved, a.EndedAt); err != nil {
		return err
	}
	return changed(tx.NewUpdate().Model(r).Where("tenant = ?", a.Tenant).Where("id = ?", a.ID).Exec(ctx))
}

// bury replaces one message by its tombstone.
func (c *Catalog) bury(ctx context.Context, tx bun.Tx, h *headRow, s *Tombstone) error {
	m, err := one[Message](ctx, new(messageRow), tx.NewSelect().Where("tenant = ?", s.Tenant).Where("aoid = ?", s.AOID))
	if err != nil {
		return err
	}
	s.Seq = m.Seq
	r, err := newTombstoneRow(s)
	if err != nil {
		return err
	}
	if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
		return err
	}
	for _, table := range []string{"reindex", "quarantine", "capture", "message"} {
		if _, err := tx.NewDelete().Table(table).Where("tenant = ?", s.Tenant).Where("aoid = ?", s.AOID).Exec(ctx); err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
	}
	h.Erased++
	h.ErasedBytes += num(m.Size)
	return nil
}

// RestoreTombstones takes tombstones from the vault into the catalog, which has none of
// them, and numbers them anew. A segment comes with them if it is not nil.
func (c *Catalog) RestoreTombstones(ctx context.Context, tenant uid.ID, segment *Segment, list []*Tombstone) error {
	err := c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, h *headRow) error {
		if segment != nil {
			if _, err := tx.NewInsert().Model(newSegmentRow(tenant, segment)).Exec(ctx); err != nil {
				return fmt.Errorf("segment: %w", err)
			}
		}
		for _, s := range list {
			h.count(&messageRow{ReceivedAt: millis(s.ReceivedAt), Size: num(s.Size)})
			h.Erased++
			h.ErasedBytes += num(s.Size)
			s.Seq = int64(h.Seq)
			r, err := newTombstoneRow(s)
			if err != nil {
				return err
			}
			if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
				return fmt.Errorf("tombstone of %s: %w", s.AOID, err)
			}
		}
		return nil
	})
	return c.wrap(err, "restore %d tombstones", len(list))
}

// PlaceTombstones tells where the records of tombstones rest in the vault, and, with
// done, that nothing is left to be destroyed. The segment is that of the records; nil:
// the catalog knows it.
func (c *Catalog) PlaceTombstones(ctx context.Context, tenant uid.ID, segment *Segment, list []*Tombstone, done bool) error {
	err := c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, _ *headRow) error {
		if segment != nil {
			if _, err := tx.NewInsert().Model(newSegmentRow(tenant, segment)).Exec(ctx); err != nil {
				return fmt.Errorf("segment: %w", err)
			}
		}
		for _, s := range list {
			now, err := one[Tombstone](ctx, new(tombstoneRow), c.locked(tx.NewSelect().Where("tenant = ?", tenant).Where("aoid = ?", s.AOID)))
			if err != nil {
				return fmt.Errorf("tombstone of %s: %w", s.AOID, err)
			}
			if segment != nil {
				now.Record = s.Record
			}
			if done {
				now.Rest = nil
			}
			r, err := newTombstoneRow(now)
			if err != nil {
				return err
			}
			if err := changed(tx.NewUpdate().Model(r).Column("segment", "frame", "rest", "checksum").Where("tenant = ?", tenant).Where("aoid = ?", s.AOID).Exec(ctx)); err != nil {
				return fmt.Errorf("tombstone of %s: %w", s.AOID, err)
			}
		}
		return nil
	})
	return c.wrap(err, "place %d tombstones", len(list))
}

// Tombstone returns one. ErrNotFound.
func (c *Catalog) Tombstone(ctx context.Context, tenant, aoid uid.ID) (*Tombstone, error) {
	s, err := one[Tombstone](ctx, new(tombstoneRow), c.read.NewSelect().Where("tenant = ?", tenant).Where("aoid = ?", aoid))
	return s, c.wrap(err, "tombstone of %s", aoid)
}

// TombstoneFilter chooses tombstones. Zero members choose all.
type TombstoneFilter struct {
	Request    uid.ID
	Before     uid.ID // AOID: only older ones
	Unfinished bool   // of which something is still to be destroyed
}

// Tombstones returns at most limit tombstones, those of the newest messages first. Rows
// that fail their check sum are missing and joined as *RowError in the error, beside
// the good ones.
func (c *Catalog) Tombstones(ctx context.Context, tenant uid.ID, f TombstoneFilter, limit int) ([]*Tombstone, error) {
	q := c.read.NewSelect().Where("tenant = ?", tenant).Order("aoid DESC")
	if !f.Request.IsZero() {
		q = q.Where("request = ?", f.Request)
	}
	if !f.Before.IsZero() {
		q = q.Where("aoid < ?", f.Before)
	}
	if f.Unfinished {
		q = q.Where("rest <> ''")
	}
	list, err := all[tombstoneRow, Tombstone](ctx, atMost(q, limit))
	return list, c.wrap(err, "tombstones")
}

// WalkTombstones calls do for every tombstone of a tenant by AOID, as WalkMessages does.
func (c *Catalog) WalkTombstones(ctx context.Context, tenant uid.ID, do func(*Tombstone, error) error) error {
	w := walker[tombstoneRow, Tombstone, *tombstoneRow]{c: c, order: []string{"aoid"}, do: func(_ *tombstoneRow, s *Tombstone, err error) error { return do(s, err) },
		from: func(q *bun.SelectQuery, mark *tombstoneRow) *bun.SelectQuery {
			if mark != nil {
				q = q.Where("aoid > ?", mark.AOID)
			}
			return q.Where("tenant = ?", tenant)
		},
		compare: func(a, b *tombstoneRow) int { return bytes.Compare(a.AOID, b.AOID) }}
	return c.wrap(w.walk(ctx), "walk tombstones")
}

// Scrub makes what was deleted unreadable in the files of the database as far as that is
// in the program's hands: deleted rows are overwritten as they are deleted, and the log
// that was written ahead is taken into the database and emptied. PostgreSQL does both by
// itself, in its own time.
//
// It waits for whoever reads, but not long, for nobody can write meanwhile.
func (c *Catalog) Scrub(ctx context.Context) (err error) {
	if c.dialect.rowLocks {
		return nil
	}
	conn, err := c.write.Conn(ctx)
	if err != nil {
		return c.wrap(err, "empty the log written ahead")
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = 1000"); err != nil {
		return c.wrap(err, "empty the log written ahead")
	}
	defer func() {
		_, back := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA "+patience)
		err = errors.Join(err, back)
	}()
	var busy, logged, moved int
	err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &logged, &moved)
	if err == nil && busy != 0 {
		err = errors.New("somebody reads the database for a long time")
	}
	return c.wrap(err, "empty the log written ahead")
}
