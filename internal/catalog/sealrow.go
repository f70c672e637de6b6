package catalog

import (
	"fmt"

	"github.com/uptrace/bun"
)

type sealBatchRow struct {
	bun.BaseModel `bun:"table:seal_batch,alias:sb"`

	ID        blob `bun:"id"`
	State     text `bun:"state"`
	Algorithm text `bun:"algorithm"`
	CreatedAt num  `bun:"created_at"`
	Oldest    num  `bun:"oldest"`
	Trees     num  `bun:"trees"`
	Leaves    num  `bun:"leaves"`
	Root      blob `bun:"root"`
	Attempts  num  `bun:"attempts"`
	NextAt    num  `bun:"next_at"`
	Problem   text `bun:"problem"`
	Checksum  blob `bun:"checksum"`
	Kind      text `bun:"kind"`
	Renews    blob `bun:"renews"`
	Head      blob `bun:"head"`
	LeftOut   num  `bun:"left_out"`
}

func newSealBatchRow(b *SealBatch) *sealBatchRow {
	r := &sealBatchRow{ID: b.ID[:], State: text(b.State), Algorithm: text(b.Algorithm), CreatedAt: millis(b.CreatedAt), Oldest: millis(b.Oldest),
		Trees: num(b.Trees), Leaves: num(b.Leaves), Root: append(blob{}, b.Root...), Attempts: num(b.Attempts), NextAt: millis(b.NextAt), Problem: text(b.Problem),
		Kind: text(b.Kind), Renews: blob{}, Head: blob{}, LeftOut: num(b.LeftOut)}
	if b.Kind == "" {
		r.Kind = text(SealNew)
	}
	if !b.Renews.IsZero() {
		r.Renews, r.Head = b.Renews[:], b.Head[:]
	}
	r.Checksum = r.sum()
	return r
}

func (r *sealBatchRow) sum() blob {
	s := newSummer(nil, "seal_batch", GroupRow).bytes(r.ID).text(r.State, r.Algorithm).num(r.CreatedAt, r.Oldest, r.Trees, r.Leaves).
		bytes(r.Root).num(r.Attempts, r.NextAt).text(r.Problem)
	if r.Kind != text(SealNew) || len(r.Renews)+len(r.Head) > 0 || r.LeftOut != 0 { // rows keep the check sum that they had before there were these columns
		s = s.text(r.Kind).bytes(r.Renews, r.Head).num(r.LeftOut)
	}
	return s.sum()
}

func (r *sealBatchRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "seal_batch", Object: idText(r.ID)})
}

func (r *sealBatchRow) model() (*SealBatch, error) {
	b := &SealBatch{ID: toID(r.ID), Kind: SealKind(r.Kind), LeftOut: int64(r.LeftOut), State: SealState(r.State), Algorithm: string(r.Algorithm), CreatedAt: r.CreatedAt.millis(), Oldest: r.Oldest.millis(),
		Trees: int(r.Trees), Leaves: int64(r.Leaves), Root: r.Root, Attempts: int(r.Attempts), NextAt: r.NextAt.millis(), Problem: string(r.Problem)}
	if len(r.Renews) > 0 {
		b.Renews, b.Head = toID(r.Renews), toID(r.Head)
	}
	return b, nil
}

type sealTreeRow struct {
	bun.BaseModel `bun:"table:seal_tree,alias:st"`

	Tenant   blob `bun:"tenant"`
	Batch    blob `bun:"batch"`
	Position num  `bun:"position"`
	Leaves   num  `bun:"leaves"`
	First    blob `bun:"first_aoid"`
	Last     blob `bun:"last_aoid"`
	Root     blob `bun:"root"`
	Checksum blob `bun:"checksum"`
}

func newSealTreeRow(t *SealTree) *sealTreeRow {
	r := &sealTreeRow{Tenant: t.Tenant[:], Batch: t.Batch[:], Position: num(t.Position), Leaves: num(t.Leaves), First: t.First[:], Last: t.Last[:],
		Root: append(blob{}, t.Root...)}
	r.Checksum = r.sum()
	return r
}

func (r *sealTreeRow) sum() blob {
	return newSummer(nil, "seal_tree", GroupRow).bytes(r.Tenant, r.Batch).num(r.Position, r.Leaves).bytes(r.First, r.Last, r.Root).sum()
}

func (r *sealTreeRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "seal_tree", Object: fmt.Sprintf("%s of tenant %s", idText(r.Batch), idText(r.Tenant))})
}

func (r *sealTreeRow) model() (*SealTree, error) {
	return &SealTree{Tenant: toID(r.Tenant), Batch: toID(r.Batch), Position: int(r.Position), Leaves: int64(r.Leaves), First: toID(r.First), Last: toID(r.Last),
		Root: r.Root}, nil
}

type sealStampRow struct {
	bun.BaseModel `bun:"table:seal_stamp,alias:ss"`

	Batch     blob `bun:"batch"`
	Number    num  `bun:"number"`
	Authority text `bun:"authority"`
	GenTime   num  `bun:"gen_time"`
	Until     num  `bun:"until"`
	Policy    text `bun:"policy"`
	Test      num  `bun:"test"`
	Qualified text `bun:"qualified"`
	Reason    text `bun:"reason"`
	Sum       blob `bun:"sum"`
	Checksum  blob `bun:"checksum"`
}

func newSealStampRow(s *SealStamp) *sealStampRow {
	r := &sealStampRow{Batch: s.Batch[:], Number: num(s.Number), Authority: text(s.Authority), GenTime: millis(s.GenTime), Until: millis(s.Until),
		Policy: text(s.Policy), Test: flag(s.Test), Qualified: text(s.Qualified), Reason: text(s.Reason), Sum: s.Sum[:]}
	r.Checksum = r.sum()
	return r
}

func (r *sealStampRow) sum() blob {
	return newSummer(nil, "seal_stamp", GroupRow).bytes(r.Batch).num(r.Number).text(r.Authority).num(r.GenTime, r.Until).text(r.Policy).num(r.Test).
		text(r.Qualified, r.Reason).bytes(r.Sum).sum()
}

func (r *sealStampRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "seal_stamp", Object: fmt.Sprintf("%d of batch %s", r.Number, idText(r.Batch))})
}

func (r *sealStampRow) model() (*SealStamp, error) {
	return &SealStamp{Batch: toID(r.Batch), Number: int(r.Number), Authority: string(r.Authority), GenTime: r.GenTime.millis(), Until: r.Until.millis(),
		Policy: string(r.Policy), Test: r.Test != 0, Qualified: string(r.Qualified), Reason: string(r.Reason), Sum: toSum(r.Sum)}, nil
}

type sealMarkRow struct {
	bun.BaseModel `bun:"table:seal_mark,alias:sm"`

	Tenant   blob `bun:"tenant"`
	Seq      num  `bun:"seq"`
	Checksum blob `bun:"checksum"`
}

func (r *sealMarkRow) sum() blob {
	return newSummer(nil, "seal_mark", GroupRow).bytes(r.Tenant).num(r.Seq).sum()
}

func (r *sealMarkRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "seal_mark", Object: idText(r.Tenant)})
}

func (r *sealMarkRow) model() (*int64, error) {
	n := int64(r.Seq)
	return &n, nil
}

type sealSettingRow struct {
	bun.BaseModel `bun:"table:seal_setting,alias:sg"`

	Tenant   blob     `bun:"tenant"`
	Settings document `bun:"settings"`
	Secret   blob     `bun:"secret"`
	Checksum blob     `bun:"checksum"`
}

func newSealSettingRow(s *SealSetting) *sealSettingRow {
	r := &sealSettingRow{Tenant: s.Tenant[:], Settings: document(s.Settings), Secret: append(blob{}, s.Secret...)}
	r.Checksum = r.sum()
	return r
}

func (r *sealSettingRow) sum() blob {
	return newSummer(nil, "seal_setting", GroupRow).bytes(r.Tenant).document(r.Settings).bytes(r.Secret).sum()
}

func (r *sealSettingRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "seal_setting", Object: idText(r.Tenant)})
}

func (r *sealSettingRow) model() (*SealSetting, error) {
	s := &SealSetting{Tenant: toID(r.Tenant), Settings: []byte(r.Settings)}
	if len(r.Secret) > 0 {
		s.Secret = r.Secret
	}
	return s, nil
}
