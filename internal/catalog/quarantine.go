package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// ClassQuarantine is the class of messages that nobody sees until an
// administrator releases them. They have no parties; see QuarantineEntry.
const ClassQuarantine = "quarantine"

// QuarantineState tells what became of a quarantined message.
type QuarantineState string

// States of a quarantined message.
const (
	Waiting  QuarantineState = "waiting"  // for a decision
	Kept     QuarantineState = "kept"     // stays where it is, somebody has decided
	Released QuarantineState = "released" // an archived message like any other; for good
)

// QuarantineEntry is what is known of a message that was not known to be the tenant's.
type QuarantineEntry struct {
	Tenant     uid.ID
	AOID       uid.ID
	Source     uid.ID
	ReceivedAt time.Time
	Size       int64
	// Counted says that the account of its source counts it; of several messages
	// in a journal report only the first is.
	Counted   bool
	Reason    string // code, by archive
	Subject   string
	Parties   []Party // those that it gets when it is released
	State     QuarantineState
	DecidedAt time.Time // zero: nobody has
	DecidedBy string    // as in Event.Actor
	Note      string    // why, as typed
	Decision  Loc       // where the record of the decision rests; zero: there is none
}

type quarantineRow struct {
	bun.BaseModel `bun:"table:quarantine,alias:qu"`

	Tenant     blob     `bun:"tenant"`
	AOID       blob     `bun:"aoid"`
	Source     blob     `bun:"source"`
	ReceivedAt num      `bun:"received_at"`
	Size       num      `bun:"size"`
	Counted    num      `bun:"counted"`
	Reason     text     `bun:"reason"`
	Subject    text     `bun:"subject"`
	Parties    document `bun:"parties"`
	State      text     `bun:"state"`
	DecidedAt  num      `bun:"decided_at"`
	DecidedBy  text     `bun:"decided_by"`
	Note       text     `bun:"note"`
	Segment    blob     `bun:"segment"`
	Frame      num      `bun:"frame"`
	Checksum   blob     `bun:"checksum"`
}

func newQuarantineRow(tenant uid.ID, q *QuarantineEntry) (*quarantineRow, error) {
	parties, err := toDocument(q.Parties)
	r := &quarantineRow{Tenant: tenant[:], AOID: q.AOID[:], Source: q.Source[:], ReceivedAt: millis(q.ReceivedAt), Size: num(q.Size), Counted: flag(q.Counted),
		Reason: text(q.Reason), Subject: text(q.Subject), Parties: parties, State: text(q.State), DecidedBy: text(q.DecidedBy), Note: text(q.Note),
		Segment: blob{}, Frame: num(q.Decision.Frame)}
	if !q.DecidedAt.IsZero() {
		r.DecidedAt = millis(q.DecidedAt)
	}
	if !q.Decision.Segment.IsZero() {
		r.Segment = q.Decision.Segment[:]
	}
	r.Checksum = r.sum()
	return r, err
}

func (r *quarantineRow) sum() blob {
	return newSummer(nil, "quarantine", GroupRow).bytes(r.Tenant, r.AOID, r.Source).num(r.ReceivedAt, r.Size, r.Counted).text(r.Reason, r.Subject).
		document(r.Parties).text(r.State).num(r.DecidedAt).text(r.DecidedBy, r.Note).bytes(r.Segment).num(r.Frame).sum()
}

func (r *quarantineRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "quarantine", Object: idText(r.AOID)})
}

func (r *quarantineRow) model() (*QuarantineEntry, error) {
	q := &QuarantineEntry{Tenant: toID(r.Tenant), AOID: toID(r.AOID), Source: toID(r.Source), ReceivedAt: r.ReceivedAt.millis(), Size: int64(r.Size),
		Counted: r.Counted != 0, Reason: string(r.Reason), Subject: string(r.Subject), State: QuarantineState(r.State), DecidedBy: string(r.DecidedBy),
		Note: string(r.Note), Decision: Loc{Segment: toID(r.Segment), Frame: uint32(r.Frame)}}
	if r.DecidedAt != 0 {
		q.DecidedAt = r.DecidedAt.millis()
	}
	return q, r.Parties.into(&q.Parties)
}

func (r *quarantineRow) relocate(to Loc) {
	r.Segment, r.Frame = to.Segment[:], num(to.Frame)
	r.Checksum = r.sum()
}

// insertQuarantine adds the rows of a batch.
func insertQuarantine(ctx context.Context, tx bun.Tx, tenant uid.ID, list []*QuarantineEntry) error {
	for _, q := range list {
		r, err := newQuarantineRow(tenant, q)
		if err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
			return fmt.Errorf("insert into quarantine: %w", err)
		}
	}
	return nil
}

// mergeQuarantine keeps parties of a message that nobody may see yet.
func mergeQuarantine(ctx context.Context, tx bun.Tx, tenant, aoid uid.ID, more []Party) error {
	q, err := quarantinedRow(ctx, tx, tenant, aoid)
	if err != nil {
		return err
	}
	merged := withParties(q.Parties, more)
	if len(merged) == len(q.Parties) {
		return nil
	}
	q.Parties = merged
	return updateQuarantine(ctx, tx, q)
}

func quarantinedRow(ctx context.Context, tx bun.Tx, tenant, aoid uid.ID) (*QuarantineEntry, error) {
	q, err := one[QuarantineEntry](ctx, new(quarantineRow), tx.NewSelect().Where("tenant = ?", tenant).Where("aoid = ?", aoid))
	if err != nil {
		return nil, fmt.Errorf("quarantine of message %s: %w", aoid, err)
	}
	return q, nil
}

func updateQuarantine(ctx context.Context, tx bun.Tx, q *QuarantineEntry) error {
	r, err := newQuarantineRow(q.Tenant, q)
	if err != nil {
		return err
	}
	return changed(tx.NewUpdate().Model(r).Where("tenant = ?", q.Tenant).Where("aoid = ?", q.AOID).Exec(ctx))
}

// QuarantineFilter chooses quarantined messages. Zero members choose all.
type QuarantineFilter struct {
	States []QuarantineState
	Source uid.ID
	Before uid.ID // AOID: only older ones
	Among  []uid.ID
}

// Quarantine returns at most limit quarantined messages, the newest first. Rows
// that fail their check sum are missing and joined as *RowError in the error,
// beside the good ones.
func (c *Catalog) Quarantine(ctx context.Context, tenant uid.ID, f QuarantineFilter, limit int) ([]*QuarantineEntry, error) {
	q := c.read.NewSelect().Where("tenant = ?", tenant).Order("aoid DESC")
	if len(f.States) > 0 {
		states := make([]text, len(f.States))
		for i, s := range f.States {
			states[i] = text(s)
		}
		q = q.Where("state IN (?)", bun.List(states))
	}
	if !f.Source.IsZero() {
		q = q.Where("source = ?", f.Source)
	}
	if len(f.Among) > 0 {
		q = q.Where("aoid IN (?)", bun.List(f.Among))
	}
	if !f.Before.IsZero() {
		q = q.Where("aoid < ?", f.Before)
	}
	list, err := all[quarantineRow, QuarantineEntry](ctx, atMost(q, limit))
	return list, c.wrap(err, "quarantine")
}

// QuarantinedMessage returns what is known of one. ErrNotFound.
func (c *Catalog) QuarantinedMessage(ctx context.Context, tenant, aoid uid.ID) (*QuarantineEntry, error) {
	q, err := one[QuarantineEntry](ctx, new(quarantineRow), c.read.NewSelect().Where("tenant = ?", tenant).Where("aoid = ?", aoid))
	return q, c.wrap(err, "quarantine of message %s", aoid)
}

// QuarantinedFrom returns the messages in quarantine, released ones left out, that
// came from one of the places (Capture.Origin) in a source.
func (c *Catalog) QuarantinedFrom(ctx context.Context, tenant, source uid.ID, origins []string) ([]uid.ID, error) {
	var list []uid.ID
	for chunk := range slices.Chunk(origins, listSize) {
		places := make([]text, len(chunk))
		for i, s := range chunk {
			places[i] = text(s)
		}
		var found []blob
		q := c.read.NewSelect().TableExpr("quarantine AS q").ColumnExpr("DISTINCT q.aoid").Join("JOIN capture AS c ON c.tenant = q.tenant AND c.aoid = q.aoid").
			Where("q.tenant = ?", tenant).Where("q.state <> ?", text(Released)).Where("c.source = ?", source).Where("c.origin IN (?)", bun.List(places))
		if err := q.Scan(ctx, &found); err != nil {
			return nil, c.wrap(err, "quarantine from %d places", len(chunk))
		}
		for _, id := range found {
			list = append(list, toID(id))
		}
	}
	return list, nil
}

// CountQuarantine counts quarantined messages by state.
func (c *Catalog) CountQuarantine(ctx context.Context, tenant uid.ID) (map[QuarantineState]int64, error) {
	var rows []struct {
		State text `bun:"state"`
		N     num  `bun:"n"`
	}
	err := c.read.NewSelect().Table("quarantine").ColumnExpr("state, COUNT(*) AS n").Where("tenant = ?", tenant).Group("state").Scan(ctx, &rows)
	out := map[QuarantineState]int64{}
	for _, r := range rows {
		out[QuarantineState(r.State)] = int64(r.N)
	}
	return out, c.wrap(err, "count quarantine")
}

// Decision is what becomes of a quarantined message.
type Decision struct {
	AOID   uid.ID
	State  QuarantineState // Kept or Released
	At     time.Time
	By     string // as in Event.Actor
	Note   string
	Record Loc // where it is written down in the vault
}

// Decisions are carried out together.
type Decisions struct {
	Segment *Segment // that holds their records; nil: the catalog knows it
	List    []Decision
	Class   string // of what is released
	// Uncounted leaves the accounts as they are.
	Uncounted bool
	Events    []*Event
}

// Decide carries out decisions in one transaction. A released message gets the
// parties that were kept for it, the index learns of it, and the account of its
// arrival tells of it as released. ErrTaken if one was released before: that is
// for good.
func (c *Catalog) Decide(ctx context.Context, tenant uid.ID, d Decisions) error {
	err := c.withHead(ctx, tenant, func(ctx context.Context, tx bun.Tx, h *headRow) error {
		if d.Segment != nil {
			if _, err := tx.NewInsert().Model(newSegmentRow(tenant, d.Segment)).Exec(ctx); err != nil {
				return fmt.Errorf("insert into segment: %w", err)
			}
		}
		for _, x := range d.List {
			if err := c.decide(ctx, tx, tenant, d, x); err != nil {
				return err
			}
		}
		return c.appendEvents(ctx, tx, h, d.Events)
	})
	return c.wrap(err, "decide on %d messages", len(d.List))
}

func (c *Catalog) decide(ctx context.Context, tx bun.Tx, tenant uid.ID, d Decisions, x Decision) error {
	q, err := quarantinedRow(ctx, tx, tenant, x.AOID)
	if err != nil {
		return err
	}
	if q.State == Released {
		return fmt.Errorf("message %s is released already: %w", x.AOID, ErrTaken)
	}
	q.State, q.DecidedAt, q.DecidedBy, q.Note, q.Decision = x.State, x.At, x.By, x.Note, x.Record
	if x.State != Released {
		return updateQuarantine(ctx, tx, q)
	}
	r := new(messageRow)
	m, err := one[Message](ctx, r, tx.NewSelect().Where("tenant = ?", tenant).Where("aoid = ?", x.AOID))
	if err != nil {
		return fmt.Errorf("message %s: %w", x.AOID, err)
	}
	m.Class, m.Parties = d.Class, q.Parties
	if r, err = newMessageRow(tenant, m.Seq, m); err != nil {
		return err
	}
	err = changed(tx.NewUpdate().Model(r).Column("class", "checksum", "parties", "facts_checksum").
		Where("tenant = ?", tenant).Where("aoid = ?", x.AOID).Exec(ctx))
	if err != nil {
		return fmt.Errorf("message %s: %w", x.AOID, err)
	}
	if err := c.queue(ctx, tx, r); err != nil {
		return err
	}
	if q.Counted && !d.Uncounted {
		if err := c.countReleased(ctx, tx, q); err != nil {
			return err
		}
	}
	return updateQuarantine(ctx, tx, q)
}

// countReleased moves a message from one account to the other. An account that
// was lost is left to the rebuild that counts it anew.
func (c *Catalog) countReleased(ctx context.Context, tx bun.Tx, q *QuarantineEntry) error {
	a := Account{Source: q.Source, Day: q.ReceivedAt.UTC().Format(time.DateOnly), Outcome: Quarantined, Count: -1, Bytes: -q.Size}
	have, err := one[Account](ctx, new(accountRow), tx.NewSelect().Where("tenant = ?", q.Tenant).Where("day = ?", text(a.Day)).
		Where("source = ?", a.Source).Where("outcome = ?", text(a.Outcome)))
	if err != nil {
		if errors.Is(c.wrap(err, "account"), ErrNotFound) {
			return nil
		}
		return err
	}
	if have.Count < 1 {
		return nil
	}
	b := a
	b.Outcome, b.Count, b.Bytes = ReleasedLater, 1, q.Size
	return addAccounts(ctx, c, tx, q.Tenant, []Account{a, b})
}

// checkQuarantine finds messages of the class that nobody could ever release.
func (c *Catalog) checkQuarantine(ctx context.Context, report func(error)) error {
	if err := checkTable[quarantineRow, QuarantineEntry](ctx, c, report); err != nil {
		return err
	}
	var rows []struct {
		AOID blob `bun:"aoid"`
	}
	err := c.read.NewSelect().TableExpr("message AS m").Column("m.aoid").Where("m.class = ?", text(ClassQuarantine)).
		Where("NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.tenant = m.tenant AND q.aoid = m.aoid)").Limit(referenceLimit).Scan(ctx, &rows)
	for _, r := range rows {
		report(&RowError{Table: "quarantine", Object: idText(r.AOID), Group: GroupRow, Reason: "missing, but the message is in quarantine"})
	}
	return err
}
