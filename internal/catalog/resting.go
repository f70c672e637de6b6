package catalog

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Resting is what rests in one segment according to the catalog: the frame of
// each message, part and capture.
type Resting struct {
	Messages map[uid.ID]uint32
	Parts    map[[32]byte]uint32
	Captures map[uid.ID]uint32
	// Decisions are the records of decisions on quarantined messages, by AOID.
	Decisions map[uid.ID]uint32
	// Tombstones are the records of what was deleted, by AOID.
	Tombstones map[uid.ID]uint32
	Damaged    []error // a *RowError for each row that claims to rest there and is not sound
}

// Resting returns what rests in a segment. A row whose damage is in its segment
// column is not met: whoever removes a segment must make sure that there is no
// frame in it that nothing claims.
func (c *Catalog) Resting(ctx context.Context, tenant, segment uid.ID) (*Resting, error) {
	out := &Resting{Messages: map[uid.ID]uint32{}, Parts: map[[32]byte]uint32{}, Captures: map[uid.ID]uint32{}, Decisions: map[uid.ID]uint32{}, Tombstones: map[uid.ID]uint32{}}
	there := func() *bun.SelectQuery {
		return c.read.NewSelect().Where("tenant = ?", tenant).Where("segment = ?", segment)
	}
	note := func(err error) bool {
		if err != nil {
			out.Damaged = append(out.Damaged, err)
		}
		return err == nil
	}
	err := each[messageRow, Message](ctx, there(), func(_ *messageRow, m *Message, err error) error {
		if note(err) {
			out.Messages[m.AOID] = m.Frame
		}
		return nil
	})
	if err != nil {
		return nil, c.wrap(err, "messages in segment %s", segment)
	}
	err = each[partRow, Part](ctx, there(), func(_ *partRow, p *Part, err error) error {
		if note(err) {
			out.Parts[p.SHA256] = p.Frame
		}
		return nil
	})
	if err != nil {
		return nil, c.wrap(err, "parts in segment %s", segment)
	}
	err = each[captureRow, Capture](ctx, there(), func(_ *captureRow, p *Capture, err error) error {
		if note(err) {
			out.Captures[p.ID] = p.Frame
		}
		return nil
	})
	if err != nil {
		return nil, c.wrap(err, "captures in segment %s", segment)
	}
	err = each[quarantineRow, QuarantineEntry](ctx, there(), func(_ *quarantineRow, q *QuarantineEntry, err error) error {
		if note(err) {
			out.Decisions[q.AOID] = q.Decision.Frame
		}
		return nil
	})
	if err != nil {
		return nil, c.wrap(err, "decisions in segment %s", segment)
	}
	err = each[tombstoneRow, Tombstone](ctx, there(), func(_ *tombstoneRow, s *Tombstone, err error) error {
		if note(err) {
			out.Tombstones[s.AOID] = s.Record.Frame
		}
		return nil
	})
	return out, c.wrap(err, "tombstones in segment %s", segment)
}
