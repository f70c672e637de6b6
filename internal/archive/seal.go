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

// Sealing goes in steps, each of which can be interrupted and begun again:
//
//	1. the trees of the tenants are durable in the vault
//	2. the batch is durable in the vault
//	3. the catalog knows the batch, and up to where the tenants' messages are in it
//	4. an authority has given a time stamp, which is durable in the vault
//	5. the catalog knows the time stamp
//
// After an end between 1 and 3 the objects in the vault mean nothing: the messages
// come into another batch, and fsck tidies up. Between 4 and 5 the stamp is found
// again. What is in the catalog decides which batch a message belongs to; as long as
// its rows are there, no message comes into two.

const (
	// sealPage is how many rows are read at a time.
	sealPage = 5000
	// sealLeaves is the most objects in one batch; what is left comes into the next.
	sealLeaves = seal.MaxLeaves
)

// newHash is the algorithm of chains that begin now (ALG-2): SHA-256 as long as it
// holds.
func (a *Archive) newHash(now time.Time, avoid ...algo.Hash) (algo.Hash, error) {
	h, ok := ers.NextHash(now, a.catalogue, ers.DefaultLead().Algorithm, avoid...)
	if !ok {
		h, ok = ers.NextHash(now, a.catalogue, 0, avoid...)
	}
	if !ok {
		return h, errors.New("the catalogue of algorithms knows no hash algorithm that holds")
	}
	return h, nil
}

// PrepareSeal puts what is in no batch yet into a new one, which waits for its time
// stamp then. Nil if there is nothing. more says that not everything went in.
func (a *Archive) PrepareSeal(ctx context.Context) (b *catalog.SealBatch, more bool, err error) {
	a.sealing.Lock()
	defer a.sealing.Unlock()
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return nil, false, err
	}
	slices.SortFunc(tenants, func(x, y *catalog.Tenant) int { return x.ID.Compare(y.ID) })
	now := a.now().UTC().Truncate(time.Millisecond)
	h, err := a.newHash(now)
	if err != nil {
		return nil, false, err
	}
	p := &preparing{a: a, batch: &seal.Batch{ID: uid.New(now), Hash: h, CreatedAt: now, Oldest: now}, marks: map[uid.ID]catalog.SealMove{}, left: sealLeaves}
	var failed error
	defer func() {
		if err != nil {
			p.discard(context.WithoutCancel(ctx))
		}
	}()
	for _, t := range tenants {
		if err := p.tenant(ctx, t.ID); err != nil {
			if ctx.Err() != nil {
				return nil, false, ctx.Err()
			}
			// The others' messages must not wait for it.
			a.log.Error("messages of a tenant cannot be sealed", "tenant", t.Slug, "error", err)
			failed = errors.Join(failed, fmt.Errorf("seal messages of tenant %s: %w", t.Slug, err))
			delete(p.marks, t.ID)
		}
	}
	if err := p.checkpoints(ctx); err != nil {
		a.log.Error("checkpoints of event logs cannot be sealed", "error", err)
	}
	if len(p.batch.Trees)+len(p.batch.Checkpoints) == 0 {
		return nil, false, errors.Join(failed, p.skip(ctx))
	}
	if err := p.batch.Complete(); err != nil {
		return nil, false, err
	}
	data, err := p.batch.Encode()
	if err != nil {
		return nil, false, err
	}
	if err := a.vault.PutSeal(ctx, vault.SealName{Batch: p.batch.ID}, data); err != nil {
		return nil, false, err
	}
	row, parts := sealRows(p.batch)
	parts.Marks = p.marks
	return row, p.left == 0, a.catalog.AddSealBatch(ctx, row, parts)
}

// sealRows makes the rows of a batch.
func sealRows(b *seal.Batch) (*catalog.SealBatch, catalog.SealParts) {
	row := &catalog.SealBatch{ID: b.ID, Kind: catalog.SealNew, State: catalog.SealPending, Algorithm: b.Hash.String(), CreatedAt: b.CreatedAt, Oldest: b.Oldest,
		Trees: len(b.Trees), Leaves: b.Leaves(), Root: b.Root, NextAt: b.CreatedAt}
	switch b.Kind {
	case seal.KindRenewal:
		row.Kind = catalog.SealRenewals
	case seal.KindRehashed:
		row.Kind, row.State, row.Renews, row.Head, row.LeftOut = catalog.SealRehash, catalog.SealRehashed, *b.Renews, *b.Head, int64(len(b.LeftOut))
	}
	var p catalog.SealParts
	for i, t := range b.Trees {
		p.Trees = append(p.Trees, &catalog.SealTree{Tenant: t.Tenant, Batch: b.ID, Position: i, Leaves: t.Leaves, First: t.First, Last: t.Last, Root: t.Root})
	}
	for i, c := range b.Checkpoints {
		p.Checkpoints = append(p.Checkpoints, &catalog.SealCheckpoint{Tenant: c.Tenant, Batch: b.ID, Position: i, Day: c.Day, Size: c.Size})
	}
	for i, c := range b.Covers {
		p.Covers = append(p.Covers, &catalog.SealCover{Batch: b.ID, Position: i, Covers: c.Batch, Role: catalog.SealRole(c.Role)})
	}
	return row, p
}

// preparing is a batch that is being made.
type preparing struct {
	a     *Archive
	batch *seal.Batch
	marks map[uid.ID]catalog.SealMove
	left  int // leaves that may still come in
}

// tenant makes the tree of one tenant.
func (p *preparing) tenant(ctx context.Context, tenant uid.ID) error {
	c := &collecting{p: p, tenant: tenant, find: sealFinder{a: p.a, tenant: tenant}}
	defer c.find.close()
	var err error
	if c.from, err = p.a.catalog.SealMark(ctx, tenant); err != nil {
		return err
	}
	if c.sealed, err = p.a.catalog.SealedUpTo(ctx, tenant); err != nil {
		return err
	}
	c.to = c.from
	for p.left > 0 {
		n, err := c.page(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	if c.to > c.from {
		p.marks[tenant] = catalog.SealMove{From: c.from, To: c.to}
	}
	if len(c.ids) == 0 {
		return nil
	}
	tree, err := seal.Build(p.batch.Hash, c.ids, c.values)
	if err != nil {
		return err
	}
	root, err := tree.Root()
	if err != nil {
		return err
	}
	r, size, err := tree.Encode(tenant, p.batch.ID)
	if err != nil {
		return err
	}
	if err := p.a.vault.PutTree(ctx, tenant, p.batch.ID, r, size); err != nil {
		return err
	}
	p.batch.Trees = append(p.batch.Trees, seal.TreeEntry{Tenant: tenant, Leaves: int64(tree.Leaves()), First: tree.First(), Last: tree.Last(), Root: root})
	return nil
}

// skip moves the marks over what is in a batch already.
func (p *preparing) skip(ctx context.Context) error {
	for tenant, m := range p.marks {
		if err := p.a.catalog.SetSealMark(ctx, tenant, m); err != nil {
			return err
		}
	}
	return nil
}

// discard removes the objects of a batch that did not come about.
func (p *preparing) discard(ctx context.Context) {
	if _, err := p.a.catalog.SealBatch(ctx, p.batch.ID); !errors.Is(err, catalog.ErrNotFound) {
		return // it did, or nobody knows
	}
	err := p.a.vault.RemoveSeal(ctx, vault.SealName{Batch: p.batch.ID})
	for _, t := range p.batch.Trees {
		err = errors.Join(err, p.a.vault.RemoveTree(ctx, t.Tenant, p.batch.ID))
	}
	if err != nil {
		p.a.log.Warn("objects of a batch that did not come about stay; muniment fsck --repair removes them", "batch", p.batch.ID, "error", err)
	}
}

// collecting is the leaves of one tenant.
type collecting struct {
	p        *preparing
	tenant   uid.ID
	from, to int64  // Seq
	sealed   uid.ID // the highest identifier in any batch
	find     sealFinder
	ids      []uid.ID
	values   []byte
}

// page takes some messages in and returns how many it has looked at.
func (c *collecting) page(ctx context.Context) (n int, err error) {
	var list []catalog.Sealable
	var without []uid.ID
	limit := min(sealPage, c.p.left)
	err = c.p.a.catalog.Sealables(ctx, c.tenant, c.to, limit, func(s catalog.Sealable, err error) error {
		n++
		c.to = max(c.to, s.Seq)
		if err != nil {
			c.p.a.log.Error("a message cannot be sealed", "tenant", c.tenant, "seq", s.Seq, "error", err)
			return nil
		}
		if s.Members == nil {
			without = append(without, s.AOID)
		}
		list = append(list, s)
		return nil
	})
	if err != nil {
		return n, err
	}
	filled := map[uid.ID][]byte{}
	for some := range slices.Chunk(without, batchMessages) {
		got, err := c.p.a.fillMembers(ctx, c.tenant, some)
		if got == nil && err != nil {
			return n, err
		}
		if err != nil {
			c.p.a.log.Error("messages cannot be sealed", "tenant", c.tenant, "error", err)
		}
		for aoid, m := range got {
			filled[aoid] = m
		}
	}
	for _, s := range list {
		if s.Members == nil {
			if s.Members = filled[s.AOID]; s.Members == nil {
				continue // told of above
			}
		}
		if err := c.take(ctx, s); err != nil {
			return n, err
		}
	}
	return n, nil
}

// take makes a message a leaf, unless it is in a batch already: after a rebuild all
// messages are looked at again.
func (c *collecting) take(ctx context.Context, s catalog.Sealable) error {
	if s.AOID.Compare(c.sealed) <= 0 {
		found, err := c.find.has(ctx, s.AOID)
		switch {
		case errors.Is(err, vault.ErrNotFound), errors.Is(err, seal.ErrDamaged):
			// A tree is damaged; sealing the message once more does no harm.
			c.p.a.log.Error("whether a message is sealed cannot be told", "tenant", c.tenant, "aoid", s.AOID, "error", err)
		case err != nil || found:
			return err
		}
	}
	if s.ReceivedAt.Before(c.p.batch.Oldest) {
		c.p.batch.Oldest = s.ReceivedAt
	}
	members := group(s.SHA256[:], s.Members)
	if h := c.p.batch.Hash; h != algo.SHA256 {
		row, err := c.p.a.catalog.Message(ctx, c.tenant, s.AOID)
		if err == nil {
			members, err = c.p.a.memberSums(ctx, row, h)
		}
		if err != nil {
			c.p.a.log.Error("a message cannot be sealed", "tenant", c.tenant, "aoid", s.AOID, "error", err)
			return ctx.Err()
		}
	}
	v, err := ers.Leaf(c.p.batch.Hash, members)
	if err != nil {
		return fmt.Errorf("message %s: %w", s.AOID, err)
	}
	c.ids, c.values = append(c.ids, s.AOID), append(c.values, v...)
	c.p.left--
	return nil
}

// sealedAt is where a message is in a batch.
type sealedAt struct {
	tree   *catalog.SealTree
	leaf   int64
	file   *seal.TreeFile
	object blob.Object
}

// Close closes the object of the tree; nil is no error.
func (s *sealedAt) Close() error {
	if s == nil {
		return nil
	}
	return s.object.Close()
}

// findSealed looks a message up in the trees of its tenant. Nil: it is in none. The
// object has to be closed.
func (a *Archive) findSealed(ctx context.Context, tenant, aoid uid.ID) (at *sealedAt, err error) {
	err = a.walkSealed(ctx, tenant, aoid, func(x *sealedAt) (bool, error) { at = x; return false, nil })
	return at, err
}

// walkSealed calls do with every tree of its tenant that a message is in, until it
// returns false. do has to close what it is given.
func (a *Archive) walkSealed(ctx context.Context, tenant, aoid uid.ID, do func(*sealedAt) (more bool, err error)) error {
	return a.catalog.SealTreesAround(ctx, tenant, aoid, func(t *catalog.SealTree) (bool, error) {
		o, err := a.vault.OpenTree(ctx, tenant, t.Batch)
		if err != nil {
			return false, err
		}
		f, err := seal.OpenTree(o, o.Size(), tenant, t.Batch)
		if err != nil {
			o.Close()
			return false, fmt.Errorf("%s: %w", vault.TreeObject(tenant, t.Batch), err)
		}
		leaf, found, err := f.Find(aoid)
		if !found || err != nil {
			o.Close()
			return err == nil, err
		}
		return do(&sealedAt{tree: t, leaf: leaf, file: f, object: o})
	})
}
