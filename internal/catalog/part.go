package catalog

import (
	"context"
	"errors"
	"slices"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// Loc is where something rests in the vault.
type Loc struct {
	Segment uid.ID
	Frame   uint32
}

type partRow struct {
	bun.BaseModel `bun:"table:part,alias:p"`

	Tenant   blob `bun:"tenant"`
	SHA256   blob `bun:"sha256"`
	Size     num  `bun:"size"`
	Segment  blob `bun:"segment"`
	Frame    num  `bun:"frame"`
	Checksum blob `bun:"checksum"`
}

func newPartRow(tenant uid.ID, p *Part) *partRow {
	r := &partRow{Tenant: tenant[:], SHA256: p.SHA256[:], Size: num(p.Size), Segment: p.Segment[:], Frame: num(p.Frame)}
	r.Checksum = r.sum()
	return r
}

func (r *partRow) sum() blob {
	var space [sumSpace]byte
	return newSummer(space[:], "part", GroupRow).bytes(r.Tenant, r.SHA256).num(r.Size).bytes(r.Segment).num(r.Frame).sum()
}

func (r *partRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "part", Object: hexText(r.SHA256)})
}

func (r *partRow) args(to []any) []any {
	return append(to, []byte(r.Tenant), []byte(r.SHA256), int64(r.Size), []byte(r.Segment), int64(r.Frame), []byte(r.Checksum))
}

func (r *partRow) model() (*Part, error) {
	return &Part{Tenant: toID(r.Tenant), SHA256: toSum(r.SHA256), Size: int64(r.Size), Segment: toID(r.Segment), Frame: uint32(r.Frame)}, nil
}

// FindPart tells where a part rests.
func (c *Catalog) FindPart(ctx context.Context, tenant uid.ID, sum [32]byte) (Loc, bool, error) {
	found, err := c.Parts(ctx, tenant, [][32]byte{sum})
	if p := found[sum]; err == nil && p != nil {
		return Loc{Segment: p.Segment, Frame: p.Frame}, true, nil
	}
	return Loc{}, false, err
}

// Parts returns the parts among sums that are stored. Rows that fail their
// check sum are missing and joined as *RowError in the error, beside the good
// ones.
func (c *Catalog) Parts(ctx context.Context, tenant uid.ID, sums [][32]byte) (map[[32]byte]*Part, error) {
	found := make(map[[32]byte]*Part)
	var bad []error
	for chunk := range slices.Chunk(sums, listSize) {
		list, err := all[partRow, Part](ctx, c.read.NewSelect().Where("tenant = ?", tenant).Where("sha256 IN (?)", sumList(chunk)))
		if err != nil {
			bad = append(bad, err)
		}
		for _, p := range list {
			found[p.SHA256] = p
		}
	}
	return found, c.wrap(errors.Join(bad...), "parts")
}
