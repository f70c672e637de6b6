package catalog

import (
	"context"
	"errors"
	"slices"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

type messageRow struct {
	bun.BaseModel `bun:"table:message,alias:m"`

	Tenant        blob     `bun:"tenant"`
	Seq           num      `bun:"seq"`
	AOID          blob     `bun:"aoid"`
	SHA256        blob     `bun:"sha256"`
	SHA512        blob     `bun:"sha512"`
	Size          num      `bun:"size"`
	Segment       blob     `bun:"segment"`
	Frame         num      `bun:"frame"`
	ReceivedAt    num      `bun:"received_at"`
	Date          num      `bun:"date"`
	Source        blob     `bun:"source"`
	Class         text     `bun:"class"`
	Checksum      blob     `bun:"checksum"`
	Category      text     `bun:"category"`
	Tags          document `bun:"tags"`
	Parties       document `bun:"parties"`
	Facts         document `bun:"facts"`
	FactsChecksum blob     `bun:"facts_checksum"`
	Document      blob     `bun:"document"`
	Members       blob     `bun:"members"`
}

func newMessageRow(tenant uid.ID, seq int64, m *Message) (*messageRow, error) {
	r := &messageRow{Tenant: tenant[:], Seq: num(seq), AOID: m.AOID[:], SHA256: m.SHA256[:], SHA512: m.SHA512[:], Size: num(m.Size),
		Segment: m.Segment[:], Frame: num(m.Frame), ReceivedAt: millis(m.ReceivedAt), Date: seconds(m.Date), Source: m.Source[:], Class: text(m.Class), Document: blob{}, Members: append(blob{}, m.Members...)}
	if m.Document != [32]byte{} {
		r.Document = m.Document[:]
	}
	r.Checksum = r.sum()
	return r, r.describe(&Described{Facts: m.Facts, Category: m.Category, Tags: m.Tags, Parties: m.Parties})
}

// describe sets the columns of GroupFacts.
func (r *messageRow) describe(d *Described) error {
	var errs [3]error
	r.Category = text(d.Category)
	r.Tags, errs[0] = toDocument(d.Tags)
	r.Parties, errs[1] = toDocument(d.Parties)
	r.Facts, errs[2] = toDocument(&d.Facts)
	r.FactsChecksum = r.factsSum()
	return errors.Join(errs[:]...)
}

func (r *messageRow) sum() blob {
	var space [sumSpace]byte
	s := newSummer(space[:], "message", GroupRow).bytes(r.Tenant).num(r.Seq).bytes(r.AOID, r.SHA256, r.SHA512).num(r.Size).
		bytes(r.Segment).num(r.Frame, r.ReceivedAt, r.Date).bytes(r.Source).text(r.Class)
	if len(r.Document)+len(r.Members) > 0 { // rows keep the check sum that they had before there were these columns
		s = s.bytes(r.Document)
	}
	if len(r.Members) > 0 {
		s = s.bytes(r.Members)
	}
	return s.sum()
}

func (r *messageRow) factsSum() blob {
	var space [2 * sumSpace]byte
	return newSummer(space[:], "message", GroupFacts).bytes(r.Tenant, r.AOID).text(r.Category).document(r.Tags, r.Parties, r.Facts).sum()
}

func (r *messageRow) verify() *RowError {
	name := RowError{Table: "message", Object: idText(r.AOID), Seq: int64(r.Seq)}
	if bad := differs(r.Checksum, r.sum(), name); bad != nil {
		return bad
	}
	name.Group = GroupFacts
	return differs(r.FactsChecksum, r.factsSum(), name)
}

func (r *messageRow) args(to []any) []any {
	return append(to, []byte(r.Tenant), int64(r.Seq), []byte(r.AOID), []byte(r.SHA256), []byte(r.SHA512), int64(r.Size),
		[]byte(r.Segment), int64(r.Frame), int64(r.ReceivedAt), int64(r.Date), []byte(r.Source), escapeText(string(r.Class)), []byte(r.Checksum),
		escapeText(string(r.Category)), string(r.Tags), string(r.Parties), string(r.Facts), []byte(r.FactsChecksum), []byte(r.Document), []byte(r.Members))
}

func (r *messageRow) model() (*Message, error) {
	m := &Message{Tenant: toID(r.Tenant), Seq: int64(r.Seq), AOID: toID(r.AOID), SHA256: toSum(r.SHA256), Size: int64(r.Size),
		Segment: toID(r.Segment), Frame: uint32(r.Frame), ReceivedAt: r.ReceivedAt.millis(), Date: r.Date.seconds(),
		Source: toID(r.Source), Class: string(r.Class), Category: string(r.Category), Document: toSum(r.Document)}
	copy(m.SHA512[:], r.SHA512)
	if len(r.Members) > 0 {
		m.Members = r.Members
	}
	return m, errors.Join(r.Tags.into(&m.Tags), r.Parties.into(&m.Parties), r.Facts.into(&m.Facts))
}

// Message returns one message. *RowError if its row was damaged.
func (c *Catalog) Message(ctx context.Context, tenant, aoid uid.ID) (*Message, error) {
	m, err := one[Message](ctx, new(messageRow), c.read.NewSelect().Where("tenant = ?", tenant).Where("aoid = ?", aoid))
	return m, c.wrap(err, "message %s", aoid)
}

// Messages returns the messages among aoids that exist. Rows that fail their
// check sum are missing and joined as *RowError in the error, beside the good
// ones.
func (c *Catalog) Messages(ctx context.Context, tenant uid.ID, aoids []uid.ID) (map[uid.ID]*Message, error) {
	found := make(map[uid.ID]*Message, len(aoids))
	var bad []error
	for chunk := range slices.Chunk(aoids, listSize) {
		q := c.read.NewSelect().Where("tenant = ?", tenant).Where("aoid IN (?)", bun.List(chunk))
		err := each[messageRow, Message](ctx, q, func(_ *messageRow, m *Message, err error) error {
			if err != nil {
				bad = append(bad, err)
			} else {
				found[m.AOID] = m
			}
			return nil
		})
		if err != nil {
			return nil, c.wrap(err, "messages")
		}
	}
	return found, errors.Join(bad...)
}

// MessagesAfter returns at most limit messages with a Seq above seq, ascending.
// Rows that fail their check sum are missing and joined as *RowError in the
// error, beside the good ones. No rows and no error: there are no more.
func (c *Catalog) MessagesAfter(ctx context.Context, tenant uid.ID, seq int64, limit int) ([]*Message, error) {
	q := atMost(c.read.NewSelect().Where("tenant = ?", tenant).Where("seq > ?", seq).Order("seq"), limit)
	list, err := all[messageRow, Message](ctx, q)
	return list, c.wrap(err, "messages after %d", seq)
}

// Known tells which contents are stored as mail, by SHA-256 of the original, and as
// what AOID.
func (c *Catalog) Known(ctx context.Context, tenant uid.ID, sums [][32]byte) (map[[32]byte]uid.ID, error) {
	known := make(map[[32]byte]uid.ID)
	return known, c.wrap(c.known(ctx, tenant, sums, contentKey, known), "known contents")
}

// KnownDocuments tells which documents are stored, by Message.Document, and as what
// AOID.
func (c *Catalog) KnownDocuments(ctx context.Context, tenant uid.ID, ids [][32]byte) (map[[32]byte]uid.ID, error) {
	known := make(map[[32]byte]uid.ID)
	return known, c.wrap(c.known(ctx, tenant, ids, documentKey, known), "known documents")
}

// uniqueKey is a column by which a part of the messages is known, and the condition
// of its partial index.
type uniqueKey struct{ column, condition string }

var (
	contentKey  = uniqueKey{"sha256", "length(document) = 0"}
	documentKey = uniqueKey{"document", "length(document) > 0"}
)

func (c *Catalog) known(ctx context.Context, tenant uid.ID, keys [][32]byte, by uniqueKey, known map[[32]byte]uid.ID) error {
	for chunk := range slices.Chunk(keys, listSize) {
		var rows []struct {
			Key  blob `bun:"key"`
			AOID blob `bun:"aoid"`
		}
		q := c.read.NewSelect().Table("message").ColumnExpr(by.column+" AS key").Column("aoid").Where("tenant = ?", tenant).
			Where(by.column+" IN (?)", sumList(chunk)).Where(by.condition)
		if err := q.Scan(ctx, &rows); err != nil {
			return err
		}
		for _, r := range rows {
			known[toSum(r.Key)] = toID(r.AOID)
		}
	}
	return nil
}

// sumList makes the list of an IN (…).
func sumList(sums [][32]byte) any {
	list := make([][]byte, len(sums))
	for i := range sums {
		list[i] = sums[i][:]
	}
	return bun.List(list)
}

// Described is what is parsed from a message or decided by rules, and can
// change.
type Described struct {
	Facts    Facts
	Category string
	Tags     []string
	Parties  []Party // replace the old ones
}

// UpdateFacts replaces what was parsed from a message, damaged or not, and
// queues it for the index. ErrNotFound if there is no such message.
func (c *Catalog) UpdateFacts(ctx context.Context, tenant, aoid uid.ID, d Described) error {
	r := &messageRow{Tenant: tenant[:], AOID: aoid[:]}
	err := r.describe(&d)
	if err == nil {
		err = c.transact(ctx, func(ctx context.Context, tx bun.Tx) error {
			if err := updateFacts(ctx, tx, r); err != nil {
				return err
			}
			return c.queue(ctx, tx, r)
		})
	}
	return c.wrap(err, "update facts of %s", aoid)
}

func updateFacts(ctx context.Context, tx bun.Tx, r *messageRow) error {
	return changed(tx.NewUpdate().Model(r).Column("category", "tags", "parties", "facts", "facts_checksum").
		Where("tenant = ?", r.Tenant).Where("aoid = ?", r.AOID).Exec(ctx))
}
