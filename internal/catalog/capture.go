package catalog

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

type captureRow struct {
	bun.BaseModel `bun:"table:capture,alias:c"`

	Tenant       blob     `bun:"tenant"`
	ID           blob     `bun:"id"`
	AOID         blob     `bun:"aoid"`
	Source       blob     `bun:"source"`
	ReceivedAt   num      `bun:"received_at"`
	EnvelopeFrom text     `bun:"envelope_from"`
	EnvelopeTo   document `bun:"envelope_to"`
	Peer         text     `bun:"peer"`
	Origin       text     `bun:"origin"`
	ItemKey      blob     `bun:"item_key"`
	Segment      blob     `bun:"segment"`
	Frame        num      `bun:"frame"`
	Checksum     blob     `bun:"checksum"`
	Journal      document `bun:"journal"`
	Filing       document `bun:"filing"`
	Hints        document `bun:"hints"`
}

func newCaptureRow(tenant uid.ID, p *Capture) (*captureRow, error) {
	to, err := toDocument(escapeAll(p.EnvelopeTo))
	journal := document("")
	if p.Journal != nil && err == nil {
		journal, err = toDocument(p.Journal)
	}
	filing, hints := document(""), document("")
	if p.Filing != nil && err == nil {
		filing, err = toDocument(p.Filing)
	}
	if p.Hints != nil && err == nil {
		hints, err = toDocument(p.Hints)
	}
	r := &captureRow{Tenant: tenant[:], ID: p.ID[:], AOID: p.AOID[:], Source: p.Source[:], ReceivedAt: millis(p.ReceivedAt),
		EnvelopeFrom: text(p.EnvelopeFrom), EnvelopeTo: to, Peer: text(p.Peer), Origin: text(p.Origin), ItemKey: p.Key[:],
		Segment: p.Segment[:], Frame: num(p.Frame), Journal: journal, Filing: filing, Hints: hints}
	r.Checksum = r.sum()
	return r, err
}

// escapeAll keeps every byte of the strings through JSON.
func escapeAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = escapeText(s)
	}
	return out
}

func (r *captureRow) sum() blob {
	var space [sumSpace]byte
	s := newSummer(space[:], "capture", GroupRow).bytes(r.Tenant, r.ID, r.AOID, r.Source).num(r.ReceivedAt).text(r.EnvelopeFrom).
		document(r.EnvelopeTo).text(r.Peer, r.Origin).bytes(r.ItemKey, r.Segment).num(r.Frame)
	if r.Journal != "" { // rows of schema 1 were summed without it
		s.document(r.Journal)
	}
	if r.Filing != "" { // rows before schema 5 were summed without it
		s.text("filing").document(r.Filing)
	}
	if r.Hints != "" { // and those before schema 7 without this
		s.text("hints").document(r.Hints)
	}
	return s.sum()
}

func (r *captureRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "capture", Object: idText(r.ID) + " of message " + idText(r.AOID)})
}

func (r *captureRow) args(to []any) []any {
	return append(to, []byte(r.Tenant), []byte(r.ID), []byte(r.AOID), []byte(r.Source), int64(r.ReceivedAt), escapeText(string(r.EnvelopeFrom)),
		string(r.EnvelopeTo), escapeText(string(r.Peer)), escapeText(string(r.Origin)), []byte(r.ItemKey), []byte(r.Segment), int64(r.Frame),
		[]byte(r.Checksum), string(r.Journal), string(r.Filing), string(r.Hints))
}

func (r *captureRow) model() (*Capture, error) {
	p := &Capture{Tenant: toID(r.Tenant), ID: toID(r.ID), AOID: toID(r.AOID), Source: toID(r.Source), ReceivedAt: r.ReceivedAt.millis(),
		EnvelopeFrom: string(r.EnvelopeFrom), Peer: string(r.Peer), Origin: string(r.Origin), Key: toSum(r.ItemKey),
		Segment: toID(r.Segment), Frame: uint32(r.Frame)}
	if err := r.EnvelopeTo.into(&p.EnvelopeTo); err != nil {
		return nil, err
	}
	if r.Journal != "" {
		p.Journal = new(Journal)
		if err := r.Journal.into(p.Journal); err != nil {
			return nil, err
		}
	}
	if r.Filing != "" {
		p.Filing = new(Filing)
		if err := r.Filing.into(p.Filing); err != nil {
			return nil, err
		}
	}
	if r.Hints != "" {
		p.Hints = new(Hints)
		if err := r.Hints.into(p.Hints); err != nil {
			return nil, err
		}
	}
	if len(p.EnvelopeTo) == 0 {
		p.EnvelopeTo = nil
	}
	for i, s := range p.EnvelopeTo {
		p.EnvelopeTo[i], _ = unescapeText(s) // written by escapeAll, as the check sum says
	}
	return p, nil
}

// KnownCaptures tells which capture keys are recorded.
func (c *Catalog) KnownCaptures(ctx context.Context, tenant uid.ID, keys [][32]byte) (map[[32]byte]bool, error) {
	known := make(map[[32]byte]bool)
	for chunk := range slices.Chunk(keys, listSize) {
		var found []blob
		q := c.read.NewSelect().Table("capture").Column("item_key").Where("tenant = ?", tenant).Where("item_key IN (?)", sumList(chunk))
		if err := q.Scan(ctx, &found); err != nil {
			return nil, c.wrap(err, "known captures")
		}
		for _, k := range found {
			known[toSum(k)] = true
		}
	}
	return known, nil
}

// Captures returns the captures of a message by time. Rows that fail their
// check sum are missing and joined as *RowError in the error, beside the good
// ones.
func (c *Catalog) Captures(ctx context.Context, tenant, aoid uid.ID) ([]*Capture, error) {
	q := c.read.NewSelect().Where("tenant = ?", tenant).Where("aoid = ?", aoid).Order("received_at", "id")
	list, err := all[captureRow, Capture](ctx, q)
	return list, c.wrap(err, "captures of %s", aoid)
}
