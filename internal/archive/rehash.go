package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// Hash-tree renewal (RFC 4998 §5.3): all objects of a batch are read from the vault,
// compared with what is known of them, and hashed by another algorithm together with
// all that proves them so far. It goes on tree by tree: a tree that is durable is not
// made again after an interruption. What cannot be read is left out, with an alarm; its
// old proof goes on being renewed by time stamps, and it is tried again with the next
// renewal (REN-7). What was deleted drops out (REN-8).

// rehashDue rehashes the batches whose hash algorithm comes near its end.
func (a *Archive) rehashDue(ctx context.Context, due []DueRenewal, lead ers.Lead, out *Renewed) error {
	l, err := a.lines(ctx)
	if err != nil {
		return err
	}
	bad := map[uid.ID]string{}
	defer func() { a.unreadable.setTrees(bad) }()
	for _, d := range due {
		if d.Action != ers.RenewTree {
			continue
		}
		h, err := a.nextHash(d.Head.Hash, lead)
		if err != nil {
			a.log.Error("hash-tree renewal", "batch", d.Head.Batch.ID, "error", err)
			return nil
		}
		for _, b := range d.Head.proves {
			if l.rehashed(b) {
				continue
			}
			r, err := a.rehash(ctx, b, d.Head.Batch.ID, h)
			if damagedProof(err) {
				a.log.Error("a batch cannot be rehashed; muniment fsck tells more", "batch", b.ID, "error", err)
				bad[b.ID] = err.Error()
				continue // the others must not wait for it
			}
			if err != nil {
				return fmt.Errorf("rehash batch %s: %w", b.ID, err)
			}
			if r == nil {
				continue
			}
			out.Rehashed++
			out.Objects += r.Leaves
			out.LeftOut += r.LeftOut
		}
	}
	return nil
}

// damagedProof reports whether an error is about one batch, and no reason to give up the
// others.
func damagedProof(err error) bool {
	var object *SealError
	return errors.As(err, &object) || errors.Is(err, seal.ErrDamaged) || errors.Is(err, vault.ErrCorrupt) || errors.Is(err, vault.ErrNotFound) || len(rowErrors(err)) > 0
}

// nextHash is the algorithm for the chain after one of hash h.
func (a *Archive) nextHash(h algo.Hash, lead ers.Lead) (algo.Hash, error) {
	next, ok := ers.NextHash(a.now(), a.catalogue, lead.Algorithm, h)
	if !ok {
		if next, ok = ers.NextHash(a.now(), a.catalogue, 0, h); !ok {
			return next, errors.New("the catalogue of algorithms knows no other hash algorithm that holds")
		}
	}
	return next, nil
}

// rehashing is one batch that is being rehashed.
type rehashing struct {
	a       *Archive
	of      *provenBatch // whose objects they are, with its line up to the head
	row     *catalog.SealBatch
	hash    algo.Hash
	made    *seal.Batch
	earlier []*catalog.SealBatch // that have some of the objects already
}

// rehash makes a batch of the objects of b by h. head is whose time stamp is the last
// one on them. Nil if there is nothing that could be rehashed.
func (a *Archive) rehash(ctx context.Context, b *catalog.SealBatch, head uid.ID, h algo.Hash) (*catalog.SealBatch, error) {
	r := &rehashing{a: a, hash: h}
	if err := r.begin(ctx, b, head); err != nil || r.row == nil {
		return nil, err
	}
	var err error
	if r.of, err = a.proven(ctx, b.ID); err != nil {
		return nil, err
	}
	if r.of.line, err = r.of.until(r.row.Head); err != nil {
		return nil, err
	}
	if done, err := r.stored(ctx); done != nil || err != nil {
		return done, err
	}
	renews, last := b.ID, r.row.Head
	r.made = &seal.Batch{ID: r.row.ID, Kind: seal.KindRehashed, Hash: r.hash, CreatedAt: r.row.CreatedAt, Oldest: b.Oldest, Renews: &renews, Head: &last}
	trees, err := a.catalog.SealTrees(ctx, b.ID)
	if err != nil {
		return nil, err
	}
	for _, t := range trees {
		if err := r.tree(ctx, t); err != nil {
			return nil, err
		}
	}
	if err := r.checkpoints(ctx); err != nil {
		return nil, err
	}
	if len(r.made.Trees)+len(r.made.Checkpoints) == 0 {
		return nil, a.catalog.DropRehash(ctx, r.row.ID)
	}
	if err := r.made.Complete(); err != nil {
		return nil, err
	}
	data, err := r.made.Encode()
	if err != nil {
		return nil, err
	}
	if err := a.vault.PutSeal(ctx, vault.SealName{Batch: r.row.ID}, data); err != nil && !errors.Is(err, blob.ErrExists) {
		return nil, err
	}
	return r.stored(ctx)
}

// begin goes on with what was interrupted, or begins.
func (r *rehashing) begin(ctx context.Context, b *catalog.SealBatch, head uid.ID) error {
	list, err := r.a.catalog.SealRehashes(ctx, b.ID)
	if err != nil {
		return err
	}
	for _, x := range list {
		if x.State == catalog.SealRehashing {
			r.row = x
			r.hash, err = algo.HashByName(x.Algorithm)
		} else {
			r.earlier = append(r.earlier, x)
		}
	}
	if r.row != nil || err != nil {
		return err
	}
	now := r.a.now().UTC().Truncate(time.Millisecond)
	row := &catalog.SealBatch{ID: uid.New(now), Kind: catalog.SealRehash, State: catalog.SealRehashing, Renews: b.ID, Head: head, Algorithm: r.hash.String(),
		CreatedAt: now, Oldest: b.Oldest, NextAt: now}
	if err := r.a.catalog.BeginRehash(ctx, row); err != nil {
		if errors.Is(err, catalog.ErrTaken) {
			return nil // another process is at it
		}
		return err
	}
	r.row = row
	return nil
}

// stored takes the batch from the vault into the catalog, if it is there.
func (r *rehashing) stored(ctx context.Context) (*catalog.SealBatch, error) {
	b, err := r.a.batch(ctx, r.row.ID)
	if errors.Is(err, vault.ErrNotFound) {
		return nil, nil //nolint:nilnil // the contract
	}
	if err != nil {
		return nil, err
	}
	row, parts := sealRows(b)
	tenants, err := r.a.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	known := map[uid.ID]bool{{}: true}
	for _, t := range tenants {
		known[t.ID] = true
	}
	parts.Trees = slices.DeleteFunc(parts.Trees, func(t *catalog.SealTree) bool { return !known[t.Tenant] })
	parts.Checkpoints = slices.DeleteFunc(parts.Checkpoints, func(c *catalog.SealCheckpoint) bool { return !known[c.Tenant] })
	if err := r.a.catalog.EndRehash(ctx, row, parts); err != nil {
		return nil, err
	}
	r.a.log.Info("batch rehashed", "batch", row.ID, "of", row.Renews, "objects", row.Leaves, "left_out", row.LeftOut, "hash", row.Algorithm)
	return row, nil
}

// tree rehashes the objects of one tenant. A tree that an interrupted run has left is
// taken as it is.
func (r *rehashing) tree(ctx context.Context, t *catalog.SealTree) error {
	r.a.sealing.Lock() // no tenant is deleted meanwhile
	defer r.a.sealing.Unlock()
	old, err := r.a.openTree(ctx, t.Tenant, t.Batch)
	if err != nil {
		return err
	}
	defer old.object.Close()
	entry, in, err := r.left(ctx, t.Tenant)
	if err != nil {
		return err
	}
	c := &rehashingTree{r: r, tree: t, old: old, in: in}
	if c.skip, err = r.skip(ctx, t.Tenant); err != nil {
		return err
	}
	if err := c.objects(ctx); err != nil {
		return err
	}
	r.made.LeftOut = append(r.made.LeftOut, c.leftOut...)
	if entry == nil && len(c.ids) > 0 {
		if entry, err = c.store(ctx); err != nil {
			return err
		}
	}
	if entry != nil {
		r.made.Trees = append(r.made.Trees, *entry)
	}
	return nil
}

// openedTree is the object of a tree, to be closed.
type openedTree struct {
	*seal.TreeFile
	object blob.Object
}

func (a *Archive) openTree(ctx context.Context, tenant, batch uid.ID) (*openedTree, error) {
	o, err := a.vault.OpenTree(ctx, tenant, batch)
	if err != nil {
		return nil, err
	}
	f, err := seal.OpenTree(o, o.Size(), tenant, batch)
	if err != nil {
		o.Close()
		return nil, &SealError{Object: vault.TreeObject(tenant, batch), Err: err}
	}
	return &openedTree{f, o}, nil
}

// left returns the tree that an interrupted run has left, and what is in it.
func (r *rehashing) left(ctx context.Context, tenant uid.ID) (*seal.TreeEntry, map[uid.ID]bool, error) {
	f, err := r.a.openTree(ctx, tenant, r.row.ID)
	if errors.Is(err, vault.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer f.object.Close()
	in := map[uid.ID]bool{}
	e := &seal.TreeEntry{Tenant: tenant}
	e.Root, err = f.Check(func(id uid.ID, _ []byte) error {
		if e.Leaves == 0 {
			e.First = id
		}
		e.Leaves, e.Last, in[id] = e.Leaves+1, id, true
		return nil
	})
	if err != nil {
		return nil, nil, &SealError{Object: vault.TreeObject(tenant, r.row.ID), Err: err}
	}
	return e, in, nil
}

// skip returns the objects of a tenant that earlier rehashed batches have.
func (r *rehashing) skip(ctx context.Context, tenant uid.ID) (map[uid.ID]bool, error) {
	out := map[uid.ID]bool{}
	for _, e := range r.earlier {
		f, err := r.a.openTree(ctx, tenant, e.ID)
		if errors.Is(err, vault.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		_, err = f.Check(func(id uid.ID, _ []byte) error { out[id] = true; return nil })
		if err := errors.Join(err, f.object.Close()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// checkpoints rehashes the checkpoints of event logs in the batch.
func (r *rehashing) checkpoints(ctx context.Context) error {
	for _, e := range r.earlier {
		if b, err := r.a.openBatch(ctx, e.ID); err != nil || len(b.Checkpoints) > 0 {
			return err
		}
	}
	for i, c := range r.of.Checkpoints {
		path, err := ers.Path(r.of.nodes, int64(len(r.of.Trees)+i))
		if err != nil {
			return err
		}
		chains, err := r.earlierChains(ctx, &c)
		if err != nil {
			return err
		}
		chains = append(chains, chain{of: r.of, path: path})
		rec, err := r.recordUpToHead(chains, func(h algo.Hash) ([][]byte, error) { return c.Sums(h), nil })
		if err != nil {
			return fmt.Errorf("checkpoint %d: %w", i, err)
		}
		if c.Leaf, _, err = rec.RenewedLeaf(r.hash, c.Sums(r.hash)); err != nil {
			return err
		}
		r.made.Checkpoints = append(r.made.Checkpoints, c)
	}
	return nil
}

// earlierChains are those of a checkpoint before the batch that is rehashed.
func (r *rehashing) earlierChains(ctx context.Context, c *seal.Checkpoint) (out []chain, err error) {
	for at := r.of.Renews; at != nil; {
		p, err := r.a.proven(ctx, *at)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(p.Checkpoints, func(x seal.Checkpoint) bool { return x.Note == c.Note })
		if i < 0 {
			return nil, fmt.Errorf("a checkpoint is not in batch %s, which batch %s renews", p.ID, r.of.ID)
		}
		path, err := ers.Path(p.nodes, int64(len(p.Trees)+i))
		if err != nil {
			return nil, err
		}
		out = append([]chain{{of: p, path: path}}, out...)
		at = p.Renews
	}
	return out, nil
}

// recordUpToHead is the record as it was when the head was the last time stamp.
func (r *rehashing) recordUpToHead(chains []chain, members memberHashes) (*ers.Record, error) {
	if err := link(chains); err != nil {
		return nil, err
	}
	chains[len(chains)-1].line = r.of.line
	return issue(chains, members)
}
