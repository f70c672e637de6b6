package archive

import (
	"context"
	"errors"
	"fmt"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsp"
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
	chains, err := a.chainsOf(ctx, tenant, aoid)
	if err != nil {
		return out, err
	}
	for _, c := range chains {
		for _, x := range c.line {
			row := *x.row
			row.Number = len(out.Stamps) + 1
			out.Stamps = append(out.Stamps, &row)
		}
	}
	if len(chains) > 0 {
		out.Batch, err = a.catalog.SealBatch(ctx, chains[0].of.ID)
		return out, err
	}
	at, err := a.findSealed(ctx, tenant, aoid)
	if err != nil || at == nil {
		return out, err
	}
	defer at.Close()
	out.Batch, err = a.catalog.SealBatch(ctx, at.tree.Batch)
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
	return e.record, h.logRead(ctx, actProof, row)
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
	stamps []*seal.Stamp // of all chains, the first one first
	beside *tsp.Sidecar  // what renewals have kept about earlier time stamps
}

// evidence issues the record of a message, with all renewals, from what rests in the
// vault.
func (a *Archive) evidence(ctx context.Context, row *catalog.Message) (*issued, error) {
	chains, err := a.chainsOf(ctx, row.Tenant, row.AOID)
	if err != nil {
		return nil, err
	}
	if len(chains) == 0 {
		return nil, fmt.Errorf("message %s: %w", row.AOID, ErrNotSealed)
	}
	if len(row.Members) == 0 {
		return nil, fmt.Errorf("message %s: its members are unknown, though it is in batch %s; run muniment fsck", row.AOID, chains[0].of.ID)
	}
	out := &issued{beside: &tsp.Sidecar{}}
	for _, c := range chains {
		for _, x := range c.line {
			out.stamps = append(out.stamps, x.stamp)
			out.beside.Merge(x.beside)
		}
	}
	r, err := issue(chains, func(h algo.Hash) ([][]byte, error) { return a.memberSums(ctx, row, h) })
	if err != nil {
		return nil, fmt.Errorf("message %s in batch %s: %w", row.AOID, chains[0].of.ID, err)
	}
	out.record, err = r.Marshal()
	return out, err
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

// Evidence is how far the objects of a tenant, or of the installation, are proven.
type Evidence struct {
	Lag      SealLag
	Interval int      // seconds
	Asked    []string // names of the authorities that are asked, in order
	Batches  []EvidenceBatch
	Logs     []LogGap // of the tenant, or all of the installation
	Unread   []Unread // objects of the tenant, or of all, that the last hash-tree renewal could not read; some of them
	UnreadN  int      // all of them
	// UnreadBatches are those that the last renewal could not read; of the installation.
	UnreadBatches []UnreadBatch
}

// EvidenceBatch is a batch as far as a tenant may know of it.
type EvidenceBatch struct {
	catalog.SealBatch // Leaves and Trees are the tenant's own
	Stamps            []*catalog.SealStamp
}

// evidenceBatches is how many batches Evidence tells of.
const evidenceBatches = 50

// Evidence tells how far the objects of the tenant are proven.
func (h *Handle) Evidence(ctx context.Context) (*Evidence, error) {
	if err := h.actor.Check(access.SeeEvidence); err != nil {
		return nil, err
	}
	return h.a.evidenceOf(ctx, h.actor.Tenant)
}

// InstanceEvidence tells how far the objects of the installation are proven.
func (h *Handle) InstanceEvidence(ctx context.Context) (*Evidence, error) {
	if err := h.actor.Check(access.ManageEvidence); err != nil {
		return nil, err
	}
	return h.a.evidenceOf(ctx, uid.ID{})
}

func (a *Archive) evidenceOf(ctx context.Context, tenant uid.ID) (*Evidence, error) {
	set, err := a.SealSetting(ctx)
	if err != nil {
		return nil, err
	}
	out := &Evidence{Interval: set.Interval}
	for _, x := range set.Active() {
		out.Asked = append(out.Asked, x.Name)
	}
	list, err := a.catalog.SealBatches(ctx, tenant, uid.ID{}, evidenceBatches)
	if err != nil {
		return nil, err
	}
	var own SealBacklog
	if !tenant.IsZero() {
		if err := a.addWaiting(ctx, tenant, &own); err != nil {
			return nil, err
		}
	} else if own, err = a.SealBacklog(ctx); err != nil {
		return nil, err
	}
	for _, b := range list {
		x := EvidenceBatch{SealBatch: *b}
		if !tenant.IsZero() {
			t, err := a.catalog.SealTree(ctx, tenant, b.ID)
			if err != nil {
				return nil, err
			}
			if x.Leaves, x.Trees = t.Leaves, 1; b.State == catalog.SealPending {
				own.Batches, own.Pending = own.Batches+1, own.Pending+t.Leaves
				own.older(b.Oldest)
			}
		}
		if x.Stamps, err = a.stampsOf(ctx, b); err != nil {
			return nil, err
		}
		out.Batches = append(out.Batches, x)
	}
	out.Lag = lag(set, own, a.now())
	if out.Unread, err = a.unread(ctx, tenant); err != nil {
		return nil, err
	}
	out.UnreadN = len(out.Unread)
	out.Unread = out.Unread[:min(out.UnreadN, maxUnread)]
	if tenant.IsZero() {
		out.UnreadBatches = a.unreadable.list()
		out.Logs, err = a.LogGaps(ctx)
		return out, err
	}
	t, err := a.catalog.Tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	g := LogGap{Tenant: tenant, Slug: t.Slug}
	if err := a.logGap(ctx, &g); err != nil {
		return nil, err
	}
	out.Logs = []LogGap{g}
	return out, nil
}

// stampsOf returns the time stamps on a batch and its renewals by the same hash
// algorithm, the first one first. Of damage it returns what can be read: fsck tells of
// it.
func (a *Archive) stampsOf(ctx context.Context, b *catalog.SealBatch) ([]*catalog.SealStamp, error) {
	if b.State == catalog.SealPending {
		return nil, nil
	}
	p, err := a.proven(ctx, b.ID)
	if errors.Is(err, vault.ErrCorrupt) || errors.Is(err, vault.ErrNotFound) {
		return a.catalog.SealStamps(ctx, b.ID)
	}
	if err != nil {
		return nil, err
	}
	var out []*catalog.SealStamp
	for _, x := range p.line {
		row := *x.row
		row.Number = len(out) + 1
		out = append(out, &row)
	}
	return out, nil
}

// Provable reports whether the actor may have the evidence of a message.
func (h *Handle) Provable(ctx context.Context, id uid.ID) (bool, error) {
	_, err := h.provable(ctx, id)
	if errors.Is(err, ErrBlind) {
		return false, nil
	}
	return err == nil, err
}
