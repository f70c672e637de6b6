package catalog

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

type segmentRow struct {
	bun.BaseModel `bun:"table:segment,alias:s"`

	Tenant    blob `bun:"tenant"`
	ID        blob `bun:"id"`
	Size      num  `bun:"size"`
	RawSize   num  `bun:"raw_size"`
	Frames    num  `bun:"frames"`
	Compacted num  `bun:"compacted"`
	CreatedAt num  `bun:"created_at"`
	Checksum  blob `bun:"checksum"`
}

func newSegmentRow(tenant uid.ID, s *Segment) *segmentRow {
	r := &segmentRow{Tenant: tenant[:], ID: s.ID[:], Size: num(s.Size), RawSize: num(s.RawSize), Frames: num(s.Frames),
		Compacted: flag(s.Compacted), CreatedAt: millis(s.CreatedAt)}
	r.Checksum = r.sum()
	return r
}

func (r *segmentRow) sum() blob {
	return newSummer(nil, "segment", GroupRow).bytes(r.Tenant, r.ID).num(r.Size, r.RawSize, r.Frames, r.Compacted, r.CreatedAt).sum()
}

func (r *segmentRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "segment", Object: idText(r.ID)})
}

func (r *segmentRow) model() (*Segment, error) {
	return &Segment{Tenant: toID(r.Tenant), ID: toID(r.ID), Size: int64(r.Size), RawSize: int64(r.RawSize), Frames: int(r.Frames),
		Compacted: r.Compacted != 0, CreatedAt: r.CreatedAt.millis()}, nil
}

// Segment returns one segment.
func (c *Catalog) Segment(ctx context.Context, tenant, id uid.ID) (*Segment, error) {
	s, err := one[Segment](ctx, new(segmentRow), c.read.NewSelect().Where("tenant = ?", tenant).Where("id = ?", id))
	return s, c.wrap(err, "segment %s", id)
}

// Segments returns all segments of a tenant by ID, that is by age. Rows that
// fail their check sum are missing and joined as *RowError in the error, beside
// the good ones.
func (c *Catalog) Segments(ctx context.Context, tenant uid.ID) ([]*Segment, error) {
	list, err := all[segmentRow, Segment](ctx, c.read.NewSelect().Where("tenant = ?", tenant).Order("id"))
	return list, c.wrap(err, "segments")
}
