package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// A batch is proven by its line: its own time stamp, that of the renewal which covers
// it, that of the renewal which covers that one, and so on. A rehashed batch has no
// time stamp of its own; its line begins with the renewal that covers its root. An
// object is in one batch of new objects, and after each hash-tree renewal in a rehashed
// one more. Its evidence record has a chain for each of them.

// maxLine bounds how often a batch can have been renewed.
const maxLine = 1000

// lineStamp is one time stamp of a line.
type lineStamp struct {
	batch    uid.ID // whose stamp it is
	row      *catalog.SealStamp
	stamp    *seal.Stamp
	siblings [][]byte     // from what it covers to its root
	beside   *tsp.Sidecar // what was known last about the time stamp that it renews
}

// provenBatch is a batch with its line, for many objects.
type provenBatch struct {
	*seal.Batch
	nodes ers.Nodes
	line  []lineStamp // empty: no time stamp yet
}

// openBatch is a batch from the vault with its tree.
type openBatch struct {
	*seal.Batch
	nodes ers.Nodes
}

// batchCache keeps the batches that were read last: one renewal covers thousands of
// batches, and whoever hands out many records needs the same few.
type batchCache struct {
	mu   sync.Mutex
	last []*openBatch
}

// cachedBatches is how many batches are kept.
const cachedBatches = 8

func (c *batchCache) get(id uid.ID) *openBatch {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.last, func(b *openBatch) bool { return b.ID == id })
	if i < 0 {
		return nil
	}
	b := c.last[i]
	c.last = append(slices.Delete(c.last, i, i+1), b)
	return b
}

func (c *batchCache) put(b *openBatch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = append(c.last, b)
	if len(c.last) > cachedBatches {
		c.last = slices.Delete(c.last, 0, 1)
	}
}

// openBatch reads a batch, which must not be changed.
func (a *Archive) openBatch(ctx context.Context, id uid.ID) (*openBatch, error) {
	if b := a.batches.get(id); b != nil {
		return b, nil
	}
	b, err := a.batch(ctx, id)
	if err != nil {
		return nil, err
	}
	o := &openBatch{Batch: b}
	if o.nodes, err = b.Nodes(); err != nil {
		return nil, &SealError{Object: vault.SealName{Batch: id}.String(), Err: err}
	}
	a.batches.put(o)
	return o, nil
}

// covered follows what a renewal covers: the siblings from the stamp or the root of a
// batch to the root of the renewal. ErrNotFound: no renewal covers it.
func (a *Archive) covered(ctx context.Context, of uid.ID, role catalog.SealRole) (*openBatch, [][]byte, error) {
	c, err := a.catalog.SealCoverOf(ctx, of, role)
	if err != nil {
		return nil, nil, err
	}
	b, err := a.openBatch(ctx, c.Batch)
	if err != nil {
		return nil, nil, err
	}
	if c.Position < 0 || c.Position >= len(b.Covers) || b.Covers[c.Position].Batch != of || b.Covers[c.Position].Role != string(role) {
		return nil, nil, &SealError{Object: vault.SealName{Batch: b.ID}.String(), Err: fmt.Errorf("%w: the catalog knows something else in its place %d", seal.ErrDamaged, c.Position)}
	}
	path, err := ers.Path(b.nodes, int64(c.Position))
	return b, path, err
}

// proven reads a batch and its line.
func (a *Archive) proven(ctx context.Context, id uid.ID) (*provenBatch, error) {
	b, err := a.openBatch(ctx, id)
	if err != nil {
		return nil, err
	}
	p := &provenBatch{Batch: b.Batch, nodes: b.nodes}
	at, siblings := b, [][]byte(nil)
	if b.Kind == seal.KindRehashed {
		if at, siblings, err = a.covered(ctx, id, catalog.CoversRoot); errors.Is(err, catalog.ErrNotFound) {
			return p, nil
		} else if err != nil {
			return nil, err
		}
	}
	for range maxLine {
		x, err := a.lineStamp(ctx, at, siblings)
		if err != nil || x == nil {
			return p, err
		}
		p.line = append(p.line, *x)
		if at, siblings, err = a.covered(ctx, at.ID, catalog.CoversStamp); errors.Is(err, catalog.ErrNotFound) {
			return p, nil
		} else if err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("batch %s: renewed more than %d times", id, maxLine)
}

// lineStamp reads the time stamp of a batch, nil if it has none yet.
func (a *Archive) lineStamp(ctx context.Context, b *openBatch, siblings [][]byte) (*lineStamp, error) {
	rows, err := a.catalog.SealStamps(ctx, b.ID)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	x := &lineStamp{batch: b.ID, row: rows[0], siblings: siblings}
	if x.stamp, err = a.stamp(ctx, rows[0]); err != nil {
		return nil, err
	}
	if len(b.Beside) > 0 {
		x.beside = &tsp.Sidecar{}
		if err := x.beside.UnmarshalBinary(b.Beside); err != nil {
			return nil, &SealError{Object: vault.SealName{Batch: b.ID}.String(), Err: err}
		}
	}
	return x, nil
}

// until returns the line up to the stamp of a batch: the chain that was renewed by
// another hash algorithm.
func (p *provenBatch) until(head uid.ID) ([]lineStamp, error) {
	i := slices.IndexFunc(p.line, func(x lineStamp) bool { return x.batch == head })
	if i < 0 {
		return nil, fmt.Errorf("batch %s: batch %s, by whose time stamp its chain is said to end, is not in it", p.ID, head)
	}
	return p.line[:i+1], nil
}

// chain is one chain of a record: a batch, and the siblings from an object to its
// root.
type chain struct {
	of   *provenBatch
	path [][]byte
	line []lineStamp
}

// memberHashes returns the hash values of the members of an object.
type memberHashes func(h algo.Hash) ([][]byte, error)

// issue puts the record of an object together. What does not fit is an error: a
// record that would be worthless is not issued.
func issue(chains []chain, members memberHashes) (r *ers.Record, err error) {
	for i, c := range chains {
		list, err := members(c.of.Hash)
		if err != nil {
			return nil, err
		}
		first := c.line[0]
		path := append(slices.Clone(c.path), first.siblings...)
		if i == 0 {
			r, err = ers.Initial(c.of.Hash, list, path, first.stamp.Token)
		} else {
			r, err = r.RenewTree(c.of.Hash, list, path, first.stamp.Token)
		}
		if err != nil {
			return nil, err
		}
		for _, x := range c.line[1:] {
			if r, err = r.RenewStamp(x.siblings, x.stamp.Token); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

// link cuts the line of each chain where the next one begins.
func link(chains []chain) error {
	for i := range chains {
		chains[i].line = chains[i].of.line
		if i+1 == len(chains) {
			break
		}
		next := chains[i+1].of
		if next.Head == nil || next.Renews == nil || *next.Renews != chains[i].of.ID {
			return fmt.Errorf("batch %s does not renew batch %s", next.ID, chains[i].of.ID)
		}
		var err error
		if chains[i].line, err = chains[i].of.until(*next.Head); err != nil {
			return err
		}
	}
	return nil
}

// chainsOf returns the chains of a message, with where it is in each batch; none if
// it has no time stamp.
func (a *Archive) chainsOf(ctx context.Context, tenant, aoid uid.ID) ([]chain, error) {
	var list []chain
	err := a.walkSealed(ctx, tenant, aoid, func(at *sealedAt) (bool, error) {
		defer at.Close()
		p, err := a.proven(ctx, at.tree.Batch)
		if err != nil || len(p.line) == 0 {
			return true, err
		}
		path, err := a.pathTo(at, p)
		list = append(list, chain{of: p, path: path})
		return true, err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(x, y chain) int { return x.of.ID.Compare(y.of.ID) })
	return follow(list)
}

// follow picks the chains that belong together: the first batch of new objects, and
// what renews it.
func follow(list []chain) (out []chain, err error) {
	for _, c := range list {
		switch {
		case len(out) == 0 && c.of.Kind == seal.KindNew,
			len(out) > 0 && c.of.Renews != nil && *c.of.Renews == out[len(out)-1].of.ID:
			out = append(out, c)
		}
	}
	return out, link(out)
}

// pathTo are the siblings from a message to the root of its batch.
func (a *Archive) pathTo(at *sealedAt, b *provenBatch) ([][]byte, error) {
	bad := func(err error) error {
		return &SealError{Object: vault.TreeObject(at.tree.Tenant, at.tree.Batch), Err: err}
	}
	path, err := ers.Path(at.file.Nodes(), at.leaf)
	if err != nil {
		return nil, bad(err)
	}
	if root, err := ers.Root(at.file.Nodes()); err != nil || !bytes.Equal(root, at.tree.Root) {
		return nil, bad(fmt.Errorf("%w: its root is not that of the batch", errors.Join(seal.ErrDamaged, err)))
	}
	upper, err := ers.Path(b.nodes, int64(at.tree.Position))
	return append(path, upper...), err
}
