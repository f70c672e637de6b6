package archive

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/uid"
)

// Checkpoints of the event logs are members of the batches (LOG-4): of each log the
// receipts that are in no batch yet, and the state that it has now. So a time stamp of
// somebody else says when the log was that long, and renewals keep it. What has no
// receipt waits for the next batch that comes about anyway: a log grows all the time,
// and each time stamp may cost something.

const (
	// lateReceipts is how many receipts of a log, the youngest, are looked at.
	lateReceipts = 31
	// attachAtOnce is how many receipts get their record in one go.
	attachAtOnce = 200
)

// checkpoints puts those of all logs into the batch that is being made.
func (p *preparing) checkpoints(ctx context.Context) error {
	owners := []uid.ID{{}}
	tenants, err := p.a.Tenants(ctx)
	if err != nil {
		return err
	}
	for _, t := range tenants {
		owners = append(owners, t.ID)
	}
	var bad []error
	for _, owner := range owners {
		if err := p.receipts(ctx, owner); err != nil {
			bad = append(bad, fmt.Errorf("receipts of tenant %s: %w", owner, err))
		}
	}
	if len(p.batch.Trees)+len(p.batch.Checkpoints) == 0 {
		return errors.Join(bad...)
	}
	for _, owner := range owners {
		if err := p.present(ctx, owner); err != nil {
			bad = append(bad, fmt.Errorf("event log of tenant %s: %w", owner, err))
		}
	}
	return errors.Join(bad...)
}

// receipts takes in the receipts of a log that are in no batch.
func (p *preparing) receipts(ctx context.Context, owner uid.ID) error {
	list, err := p.a.catalog.Receipts(ctx, owner, "", lateReceipts)
	if len(rowErrors(err)) == 0 && err != nil {
		return err
	}
	for _, row := range list {
		_, err := p.a.catalog.SealedReceipt(ctx, owner, row.Day)
		if err == nil {
			return nil // the older ones are there too
		}
		if !errors.Is(err, catalog.ErrNotFound) {
			return err
		}
		r, err := eventlog.ParseReceipt([]byte(row.Body))
		if err != nil {
			return err
		}
		if err := p.checkpoint(owner, row.Day, row.Size, r.Checkpoint); err != nil {
			return err
		}
	}
	return nil
}

// present takes in the state that a log has now, if it has grown.
func (p *preparing) present(ctx context.Context, owner uid.ID) error {
	known := int64(0)
	last, err := p.a.catalog.SealedCheckpoint(ctx, owner, 0, false)
	switch {
	case err == nil:
		known = last.Size
	case !errors.Is(err, catalog.ErrNotFound):
		return err
	}
	for _, c := range p.batch.Checkpoints {
		if c.Tenant == owner {
			known = max(known, c.Size)
		}
	}
	r, err := p.a.Checkpoint(ctx, owner)
	if err != nil {
		return err
	}
	o, err := r.Open()
	if err != nil || o.Head.Size <= known {
		return err
	}
	return p.checkpoint(owner, "", o.Head.Size, r.Checkpoint)
}

func (p *preparing) checkpoint(owner uid.ID, day string, size int64, note string) error {
	salt := make([]byte, 16)
	rand.Read(salt) // never fails
	c := seal.Checkpoint{Tenant: owner, Day: day, Size: size, Note: note, Salt: hex.EncodeToString(salt)}
	var err error
	if c.Leaf, err = ers.Leaf(p.batch.Hash, c.Sums(p.batch.Hash)); err == nil {
		p.batch.Checkpoints = append(p.batch.Checkpoints, c)
	}
	return err
}

// checkpointChains returns the chains of a checkpoint of a batch of new objects, and the
// checkpoint; none if it has no time stamp.
func (a *Archive) checkpointChains(ctx context.Context, batch uid.ID, position int) ([]chain, *seal.Checkpoint, error) {
	var out []chain
	var member *seal.Checkpoint
	for id := batch; ; {
		p, err := a.proven(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		if member != nil {
			position = slices.IndexFunc(p.Checkpoints, func(c seal.Checkpoint) bool { return c.Note == member.Note })
		}
		if position < 0 || position >= len(p.Checkpoints) {
			return nil, nil, fmt.Errorf("checkpoint %d of batch %s: %w", position, id, catalog.ErrNotFound)
		}
		member = &p.Checkpoints[position]
		if len(p.line) > 0 {
			path, err := ers.Path(p.nodes, int64(len(p.Trees)+position))
			if err != nil {
				return nil, nil, err
			}
			out = append(out, chain{of: p, path: path})
		}
		next, err := a.renewedCheckpoints(ctx, id)
		if err != nil || next.IsZero() {
			return out, member, errors.Join(err, link(out))
		}
		id = next
	}
}

// renewedCheckpoints returns the stamped batch into which the checkpoints of a batch
// were rehashed; zero if there is none.
func (a *Archive) renewedCheckpoints(ctx context.Context, batch uid.ID) (uid.ID, error) {
	list, err := a.catalog.SealRehashes(ctx, batch)
	if err != nil {
		return uid.ID{}, err
	}
	for _, x := range list {
		if x.State != catalog.SealRehashed {
			continue
		}
		p, err := a.proven(ctx, x.ID)
		if err != nil {
			return uid.ID{}, err
		}
		if len(p.Checkpoints) > 0 && len(p.line) > 0 {
			return x.ID, nil
		}
	}
	return uid.ID{}, nil
}

// checkpointRecord issues the evidence record of a checkpoint, DER. ErrNotSealed.
func (a *Archive) checkpointRecord(ctx context.Context, c *catalog.SealCheckpoint) (der []byte, note string, err error) {
	chains, member, err := a.checkpointChains(ctx, c.Batch, c.Position)
	if err != nil {
		return nil, "", err
	}
	der, err = recordOf(c, chains, member)
	return der, member.Note, err
}

// recordOf issues the record of a checkpoint from its chains.
func recordOf(c *catalog.SealCheckpoint, chains []chain, member *seal.Checkpoint) ([]byte, error) {
	if len(chains) == 0 {
		return nil, fmt.Errorf("checkpoint of %d events: %w", c.Size, ErrNotSealed)
	}
	r, err := issue(chains, func(h algo.Hash) ([][]byte, error) { return member.Sums(h), nil })
	if err != nil {
		return nil, fmt.Errorf("checkpoint of %d events: %w", c.Size, err)
	}
	return r.Marshal()
}

// AttachCheckpoints puts the evidence records of stamped checkpoints into their
// receipts. It returns how many there were.
func (a *Archive) AttachCheckpoints(ctx context.Context) (n int, err error) {
	list, err := a.catalog.UnattachedCheckpoints(ctx, attachAtOnce)
	if len(rowErrors(err)) == 0 && err != nil {
		return 0, err
	}
	var bad []error
	for _, c := range list {
		der, _, err := a.checkpointRecord(ctx, c)
		if err == nil {
			err = a.AttachRecord(ctx, c.Tenant, c.Day, der)
		}
		if err != nil && !errors.Is(err, catalog.ErrNotFound) { // a receipt may be gone, after the loss of the catalog
			bad = append(bad, err)
			continue
		}
		if err := a.catalog.CheckpointAttached(ctx, c); err != nil {
			return n, errors.Join(append(bad, err)...)
		}
		n++
	}
	return n, errors.Join(bad...)
}

// withRecord puts the evidence record of a receipt's checkpoint, with all renewals that
// there are by now, into the file of the receipt. Without a time stamp it stays as it is.
func (a *Archive) withRecord(ctx context.Context, row *catalog.Receipt) error {
	c, err := a.catalog.SealedReceipt(ctx, row.Tenant, row.Day)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	der, note, err := a.checkpointRecord(ctx, c)
	if errors.Is(err, ErrNotSealed) {
		return nil
	}
	if err != nil {
		return err
	}
	r, err := eventlog.ParseReceipt([]byte(row.Body))
	if err != nil || r.Checkpoint != note {
		return err // another receipt of this day was sealed before the catalog was lost
	}
	r.EvidenceRecord = der
	b, err := r.Encode()
	row.Body = string(b)
	return err
}

// stampedCheckpoint returns the checkpoint of a log with a time stamp that covers at
// least so many events, as a receipt with its record. ErrNotFound, ErrNotSealed.
func (a *Archive) stampedCheckpoint(ctx context.Context, tenant uid.ID, least int64) (*eventlog.Receipt, int64, error) {
	c, err := a.catalog.SealedCheckpoint(ctx, tenant, least, true)
	if err != nil {
		return nil, 0, err
	}
	chains, member, err := a.checkpointChains(ctx, c.Batch, c.Position)
	if err != nil {
		return nil, 0, err
	}
	r, err := a.sealedReceipt(ctx, c, chains, member)
	return r, c.Size, err
}

// sealedReceipt puts a checkpoint and its record into a receipt. ErrNotSealed.
func (a *Archive) sealedReceipt(ctx context.Context, c *catalog.SealCheckpoint, chains []chain, member *seal.Checkpoint) (*eventlog.Receipt, error) {
	der, err := recordOf(c, chains, member)
	if err != nil {
		return nil, err
	}
	s, err := a.logSigner(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.signedBy(member.Note, s.origin(c.Tenant))
	if err != nil {
		return nil, err
	}
	r.EvidenceRecord = der
	return r, nil
}

// LogGap is how much of a log has no time stamp.
type LogGap struct {
	Tenant  uid.ID // zero: the installation
	Slug    string
	Size    int64 // events
	Stamped int64 // events up to the last checkpoint with a time stamp
}

// Name is the short name of the tenant; empty: the installation.
func (g LogGap) Name() string {
	if g.Tenant.IsZero() {
		return ""
	}
	return g.Slug
}

// Gap is how many events came after the last checkpoint with a time stamp.
func (g LogGap) Gap() int64 { return max(g.Size-g.Stamped, 0) }

// LogGaps tells it of all logs, that of the installation first.
func (a *Archive) LogGaps(ctx context.Context) ([]LogGap, error) {
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	list := []LogGap{{Slug: installationSlug}}
	for _, t := range tenants {
		list = append(list, LogGap{Tenant: t.ID, Slug: t.Slug})
	}
	for i := range list {
		if err := a.logGap(ctx, &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (a *Archive) logGap(ctx context.Context, g *LogGap) error {
	head, err := a.logHead(ctx, g.Tenant)
	if err != nil {
		return err
	}
	g.Size = head.Size
	c, err := a.catalog.SealedCheckpoint(ctx, g.Tenant, 0, true)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil
	}
	if err == nil {
		g.Stamped = c.Size
	}
	return err
}
