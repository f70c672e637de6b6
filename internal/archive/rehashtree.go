package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/uid"
)

// rehashingTree is the objects of one tenant in a batch that is rehashed.
type rehashingTree struct {
	r       *rehashing
	tree    *catalog.SealTree // of the batch whose objects they are
	old     *openedTree
	in      map[uid.ID]bool // objects of the tree that is there already; nil: there is none
	skip    map[uid.ID]bool // objects that earlier rehashed batches have
	ids     []uid.ID
	values  []byte
	leftOut []seal.LeftOut
}

// objects goes through all leaves, some at a time.
func (c *rehashingTree) objects(ctx context.Context) error {
	var some []uid.ID
	take := func() error {
		err := c.some(ctx, some)
		some = some[:0]
		return err
	}
	_, err := c.old.Check(func(id uid.ID, _ []byte) error {
		if c.skip[id] || c.in[id] {
			return nil
		}
		if some = append(some, id); len(some) < batchMessages {
			return nil
		}
		return take()
	})
	if err != nil {
		return err
	}
	return take()
}

// some rehashes some objects.
func (c *rehashingTree) some(ctx context.Context, ids []uid.ID) error {
	if len(ids) == 0 {
		return nil
	}
	rows, err := c.r.a.catalog.Messages(ctx, c.tree.Tenant, ids)
	damaged := rowErrors(err)
	if err != nil && len(damaged) == 0 {
		return err
	}
	for _, id := range ids {
		row := rows[id]
		switch {
		case row == nil && !isDamaged(damaged, id):
			continue // it was deleted, and drops out
		case row != nil && c.in == nil:
			err := c.object(ctx, row)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err == nil {
				continue
			}
			if _, gone := c.r.a.catalog.Message(ctx, c.tree.Tenant, id); errors.Is(gone, catalog.ErrNotFound) {
				continue // it was deleted just now
			}
			c.r.a.log.Error("an object cannot be rehashed; its old proof stays, and it is tried again with the next renewal", "tenant", c.tree.Tenant, "aoid", id, "error", err)
		}
		// An object that the tree of an interrupted run lacks could not be read then.
		c.leftOut = append(c.leftOut, seal.LeftOut{Tenant: c.tree.Tenant, Object: id})
	}
	return nil
}

func isDamaged(list []*catalog.RowError, id uid.ID) bool {
	return slices.ContainsFunc(list, func(e *catalog.RowError) bool { return e.Object == id.String() })
}

// object reads one object again and makes it a leaf.
func (c *rehashingTree) object(ctx context.Context, row *catalog.Message) error {
	members, err := c.r.a.reread(ctx, row, c.r.hash)
	if err != nil {
		return err
	}
	leaf, err := c.leaf(ctx, row, members)
	if err != nil {
		return err
	}
	c.ids, c.values = append(c.ids, row.AOID), append(c.values, leaf...)
	return nil
}

// leaf computes the leaf of an object, whose members have these hash values by the new
// algorithm.
func (c *rehashingTree) leaf(ctx context.Context, row *catalog.Message, members [][]byte) ([]byte, error) {
	chains, err := c.chains(ctx, row.AOID)
	if err != nil {
		return nil, err
	}
	rec, err := c.r.recordUpToHead(chains, func(h algo.Hash) ([][]byte, error) { return c.r.a.memberSums(ctx, row, h) })
	if err != nil {
		return nil, fmt.Errorf("its old proof does not fit: %w", err)
	}
	leaf, _, err := rec.RenewedLeaf(c.r.hash, members)
	return leaf, err
}

// chains are those of an object up to the batch that is rehashed.
func (c *rehashingTree) chains(ctx context.Context, aoid uid.ID) ([]chain, error) {
	leaf, found, err := c.old.Find(aoid)
	if err != nil || !found {
		return nil, errors.Join(err, fmt.Errorf("%w: %s is not in its tree", seal.ErrDamaged, aoid))
	}
	at := &sealedAt{tree: c.tree, leaf: leaf, file: c.old.TreeFile, object: c.old.object}
	path, err := c.r.a.pathTo(at, c.r.of)
	if err != nil {
		return nil, err
	}
	last := chain{of: c.r.of, path: path}
	if c.r.of.Renews == nil {
		return []chain{last}, nil
	}
	all, err := c.r.a.chainsOf(ctx, c.tree.Tenant, aoid)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(x chain) bool { return x.of.ID == c.r.of.ID })
	if i < 0 {
		return nil, fmt.Errorf("batch %s is not among the chains of its record", c.r.of.ID)
	}
	return append(all[:i:i], last), nil
}

// store makes the tree durable.
func (c *rehashingTree) store(ctx context.Context) (*seal.TreeEntry, error) {
	tree, err := seal.Build(c.r.hash, c.ids, c.values)
	if err != nil {
		return nil, err
	}
	root, err := tree.Root()
	if err != nil {
		return nil, err
	}
	in, size, err := tree.Encode(c.tree.Tenant, c.r.row.ID)
	if err != nil {
		return nil, err
	}
	err = c.r.a.vault.PutTree(ctx, c.tree.Tenant, c.r.row.ID, in, size)
	if errors.Is(err, blob.ErrExists) { // another process was faster
		e, _, err := c.r.left(ctx, c.tree.Tenant)
		return e, err
	}
	return &seal.TreeEntry{Tenant: c.tree.Tenant, Leaves: int64(tree.Leaves()), First: tree.First(), Last: tree.Last(), Root: root}, err
}
