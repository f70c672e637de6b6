package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// ErrNotSealed is returned (wrapped) when a message has no time stamp yet.
var ErrNotSealed = errors.New("has no time stamp yet")

// ErrBlind is returned (wrapped) when evidence would tell of blind recipients of
// whom the actor may not know.
var ErrBlind = errors.New("its header names blind recipients, so only the sender may have the evidence")

// MessageSeal is how far the proof of a message is.
type MessageSeal struct {
	Batch  *catalog.SealBatch   // nil: it waits for one
	Stamps []*catalog.SealStamp // of the batch, the first one first; empty: it waits for its time stamp
	// Authorities says that somebody has set who gives time stamps.
	Authorities bool
}

// Seal tells how far the proof of a message is.
func (h *Handle) Seal(ctx context.Context, id uid.ID) (*MessageSeal, error) {
	row, err := h.row(ctx, id)
	if err != nil {
		return nil, err
	}
	return h.a.messageSeal(ctx, row.Tenant, id)
}

func (a *Archive) messageSeal(ctx context.Context, tenant, aoid uid.ID) (*MessageSeal, error) {
	out := &MessageSeal{}
	set, err := a.SealSetting(ctx)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	if set != nil {
		out.Authorities = len(set.Active()) > 0
	}
	at, err := a.findSealed(ctx, tenant, aoid)
	if err != nil || at == nil {
		return out, err
	}
	defer at.Close()
	if out.Batch, err = a.catalog.SealBatch(ctx, at.tree.Batch); err != nil {
		return nil, err
	}
	out.Stamps, err = a.catalog.SealStamps(ctx, at.tree.Batch)
	return out, err
}

// EvidenceRecord issues the evidence record (RFC 4998) of a message, DER. The same
// message gets the same bytes until its time stamp is renewed. ErrNotSealed, ErrBlind.
func (h *Handle) EvidenceRecord(ctx context.Context, id uid.ID) ([]byte, error) {
	row, err := h.provable(ctx, id)
	if err != nil {
		return nil, err
	}
	e, err := h.a.evidence(ctx, row)
	if err != nil {
		return nil, err
	}
	return e.record, h.log(ctx, "evidence.downloaded", id)
}

// provable returns the row of a message whose hash the actor may know: who guesses
// a blind recipient could test the guess with it.
func (h *Handle) provable(ctx context.Context, id uid.ID) (*catalog.Message, error) {
	row, err := h.row(ctx, id)
	if err != nil {
		return nil, err
	}
	hints, err := h.hidesHints(ctx, row)
	if err != nil {
		return nil, err
	}
	if row.Facts.File == nil && (hints || h.hidesBcc(row.Parties)) {
		return nil, fmt.Errorf("message %s: %w: %w", id, ErrBlind, access.ErrForbidden)
	}
	return row, nil
}

// EvidenceRecord is Handle.EvidenceRecord, for the operator on the command line.
func (a *Archive) EvidenceRecord(ctx context.Context, tenant, aoid uid.ID) ([]byte, error) {
	row, err := a.catalog.Message(ctx, tenant, aoid)
	if err != nil {
		return nil, err
	}
	e, err := a.evidence(ctx, row)
	if err != nil {
		return nil, err
	}
	return e.record, nil
}

// issued is an evidence record with what it was made from.
type issued struct {
	record []byte
	stamps []*seal.Stamp
}

// evidence issues the record of a message from what rests in the vault.
func (a *Archive) evidence(ctx context.Context, row *catalog.Message) (*issued, error) {
	at, err := a.findSealed(ctx, row.Tenant, row.AOID)
	if err != nil {
		return nil, err
	}
	if at == nil {
		return nil, fmt.Errorf("message %s: %w", row.AOID, ErrNotSealed)
	}
	defer at.Close()
	rows, err := a.catalog.SealStamps(ctx, at.tree.Batch)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("message %s: %w", row.AOID, ErrNotSealed)
	}
	if len(row.Members) == 0 {
		return nil, fmt.Errorf("message %s: its members are unknown, though it is in batch %s; run muniment fsck", row.AOID, at.tree.Batch)
	}
	siblings, err := a.siblings(ctx, at)
	if err != nil {
		return nil, err
	}
	out := &issued{}
	for _, r := range rows {
		s, err := a.stamp(ctx, r)
		if err != nil {
			return nil, err
		}
		out.stamps = append(out.stamps, s)
	}
	h := at.file.Nodes().Hash()
	record, err := ers.Initial(h, group(row.SHA256[:], row.Members), siblings, out.stamps[0].Token)
	if err != nil {
		return nil, fmt.Errorf("message %s in batch %s: %w", row.AOID, at.tree.Batch, err)
	}
	out.record, err = record.Marshal()
	return out, err
}

// siblings are what leads from a message to the root of its batch.
func (a *Archive) siblings(ctx context.Context, at *sealedAt) ([][]byte, error) {
	path, err := ers.Path(at.file.Nodes(), at.leaf)
	if err != nil {
		return nil, &SealError{Object: vault.TreeObject(at.tree.Tenant, at.tree.Batch), Err: err}
	}
	if root, err := ers.Root(at.file.Nodes()); err != nil || !bytes.Equal(root, at.tree.Root) {
		return nil, &SealError{Object: vault.TreeObject(at.tree.Tenant, at.tree.Batch), Err: fmt.Errorf("%w: its root is not that of the batch", errors.Join(seal.ErrDamaged, err))}
	}
	b, err := a.batch(ctx, at.tree.Batch)
	if err != nil {
		return nil, err
	}
	nodes, err := b.Nodes()
	if err != nil {
		return nil, err
	}
	upper, err := ers.Path(nodes, int64(at.tree.Position))
	return append(path, upper...), err
}

// batch reads a batch from the vault.
func (a *Archive) batch(ctx context.Context, id uid.ID) (*seal.Batch, error) {
	name := vault.SealName{Batch: id}
	data, err := a.vault.ReadSeal(ctx, name)
	if err != nil {
		return nil, err
	}
	b, err := seal.ParseBatch(data, id)
	if err != nil {
		return nil, &SealError{Object: name.String(), Err: err}
	}
	return b, nil
}

// stamp reads a stamp from the vault and compares it with its row.
func (a *Archive) stamp(ctx context.Context, row *catalog.SealStamp) (*seal.Stamp, error) {
	name := vault.SealName{Batch: row.Batch, Stamp: row.Number}
	data, err := a.vault.ReadSeal(ctx, name)
	if err != nil {
		return nil, err
	}
	s, err := seal.ParseStamp(data, row.Batch, row.Number)
	if err != nil {
		return nil, &SealError{Object: name.String(), Err: err}
	}
	return s, nil
}
