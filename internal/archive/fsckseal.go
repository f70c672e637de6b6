package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// seals compares what proves the objects with the catalog, and with the objects: the
// batches, the trees of all tenants, the time stamps.
func (f *fsck) seals(ctx context.Context, tenants []*catalog.Tenant) error {
	f.slug = ""
	known := map[uid.ID]bool{}
	s := &sealCheck{fsck: f, leaves: map[uid.ID][]uid.ID{}, trees: map[uid.ID]map[uid.ID]bool{}}
	var list []*catalog.SealBatch
	err := f.a.catalog.WalkSealBatches(ctx, func(b *catalog.SealBatch) { list = append(list, b) })
	if len(rowErrors(err)) == 0 && err != nil { // a damaged row is passed over: the check has reported it
		return f.unreadable(ctx, "catalog", err)
	}
	for _, b := range list {
		known[b.ID] = true
		if b.State == catalog.SealRehashing {
			continue // its objects come one by one
		}
		if err := s.batch(ctx, b); err != nil {
			return err
		}
	}
	if err := s.strays(ctx, known); err != nil {
		return err
	}
	for _, t := range tenants {
		f.slug = t.Slug
		if err := s.tenant(ctx, t.ID, known); err != nil {
			return err
		}
	}
	return nil
}

type sealCheck struct {
	*fsck
	leaves map[uid.ID][]uid.ID        // by tenant
	trees  map[uid.ID]map[uid.ID]bool // batches of the trees that the catalog knows, by tenant
}

func (s *sealCheck) batch(ctx context.Context, row *catalog.SealBatch) error {
	name := vault.SealName{Batch: row.ID}.String()
	b, err := s.a.batch(ctx, row.ID)
	if err != nil {
		return s.lost(ctx, name, err)
	}
	rows, err := s.a.catalog.SealTrees(ctx, row.ID)
	if err != nil {
		return s.told(ctx, err)
	}
	want, parts := sealRows(b)
	if !bytes.Equal(b.Root, row.Root) || b.Hash.String() != row.Algorithm || b.Leaves() != row.Leaves || len(rows) > len(b.Trees) ||
		want.Kind != row.Kind || want.Renews != row.Renews || want.Head != row.Head || want.LeftOut != row.LeftOut {
		s.damage(name, "the catalog knows another batch under this name")
		return nil
	}
	for _, t := range rows {
		if t.Position < 0 || t.Position >= len(b.Trees) || b.Trees[t.Position].Tenant != t.Tenant || !bytes.Equal(b.Trees[t.Position].Root, t.Root) {
			s.damage(name, "the catalog knows another tree of tenant %s in this batch", t.Tenant)
			continue
		}
		if err := s.tree(ctx, t, b); err != nil {
			return err
		}
	}
	if err := s.checkpoints(ctx, name, b, parts.Checkpoints); err != nil {
		return err
	}
	if err := s.covers(ctx, name, b, parts.Covers); err != nil {
		return err
	}
	return s.stamps(ctx, row)
}

// lost reports an object that cannot be read, or is not what it was.
func (s *sealCheck) lost(ctx context.Context, object string, err error) error {
	switch {
	case errors.Is(err, vault.ErrNotFound):
		s.damage(object, "the catalog knows it, but the vault has lost it")
		return nil
	case errors.Is(err, seal.ErrDamaged):
		s.damage(object, "%v", err)
		return nil
	}
	return s.unreadable(ctx, object, err)
}

// told passes damaged rows over, which the check of the catalog has reported.
func (s *sealCheck) told(ctx context.Context, err error) error {
	if len(rowErrors(err)) > 0 {
		return nil
	}
	return s.unreadable(ctx, "catalog", err)
}

// tree reads a whole tree and compares its leaves with the messages.
func (s *sealCheck) tree(ctx context.Context, row *catalog.SealTree, b *seal.Batch) error {
	name := vault.TreeObject(row.Tenant, row.Batch)
	o, err := s.a.vault.OpenTree(ctx, row.Tenant, row.Batch)
	if err != nil {
		return s.lost(ctx, name, err)
	}
	defer o.Close()
	file, err := seal.OpenTree(o, o.Size(), row.Tenant, row.Batch)
	if err != nil {
		return s.lost(ctx, name, err)
	}
	if s.trees[row.Tenant] == nil {
		s.trees[row.Tenant] = map[uid.ID]bool{}
	}
	s.trees[row.Tenant][row.Batch] = true
	l := &leafCheck{s: s, row: row, hash: file.Nodes(), values: map[uid.ID][]byte{}}
	if b.Kind == seal.KindRehashed {
		if l.before, err = s.a.rehashed(ctx, b, row.Tenant); err != nil {
			return s.lost(ctx, "batch "+b.Renews.String(), err)
		}
		defer l.before.old.object.Close()
	}
	root, err := file.Check(func(id uid.ID, value []byte) error { return l.leaf(ctx, id, value) })
	if err != nil {
		return s.lost(ctx, name, err)
	}
	if !bytes.Equal(root, row.Root) {
		s.damage(name, "its root is not that of the batch")
	}
	return l.flush(ctx)
}

// leafCheck compares leaves with the rows of their messages.
type leafCheck struct {
	s      *sealCheck
	row    *catalog.SealTree
	hash   ers.Nodes
	values map[uid.ID][]byte
	before *rehashingTree // of a rehashed batch: the tree whose objects are in it
}

func (l *leafCheck) leaf(ctx context.Context, id uid.ID, value []byte) error {
	l.s.leaves[l.row.Tenant] = append(l.s.leaves[l.row.Tenant], id)
	l.values[id] = value
	if len(l.values) < captureBatch {
		return nil
	}
	return l.flush(ctx)
}

func (l *leafCheck) flush(ctx context.Context) error {
	ids := make([]uid.ID, 0, len(l.values))
	for id := range l.values {
		ids = append(ids, id)
	}
	rows, err := l.s.a.catalog.Messages(ctx, l.row.Tenant, ids)
	if err := l.s.told(ctx, err); err != nil {
		return err
	}
	for id, m := range rows { // one that is not there was erased, or is missed elsewhere
		want, err := l.want(ctx, m)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || !bytes.Equal(want, l.values[id]) {
			l.s.damage("message "+id.String(), "its hashes are not those that batch %s proves", l.row.Batch)
		}
	}
	clear(l.values)
	return nil
}

// stamps compares the time stamps of a batch with their rows and with its root.
func (s *sealCheck) stamps(ctx context.Context, b *catalog.SealBatch) error {
	rows, err := s.a.catalog.SealStamps(ctx, b.ID)
	if err != nil {
		return s.told(ctx, err)
	}
	if (b.State == catalog.SealStamped) != (len(rows) > 0) {
		s.damage("batch "+b.ID.String(), "is %s and has %d time stamps", b.State, len(rows))
	}
	for _, r := range rows {
		name := vault.SealName{Batch: r.Batch, Stamp: r.Number}
		data, err := s.a.vault.ReadSeal(ctx, name)
		if err != nil {
			if err := s.lost(ctx, name.String(), err); err != nil {
				return err
			}
			continue
		}
		if err := checkStamp(data, r, b); err != nil {
			s.damage(name.String(), "%v", err)
		}
	}
	return nil
}

// checkStamp compares a stamp with its row and, if it is the first, with the root
// of its batch.
func checkStamp(data []byte, r *catalog.SealStamp, b *catalog.SealBatch) error {
	st, err := seal.ParseStamp(data, r.Batch, r.Number)
	if err != nil {
		return err
	}
	if sha256.Sum256(data) != r.Sum {
		return errors.New("it is not the one that the catalog knows")
	}
	t, err := tsp.ParseToken(st.Token)
	if err != nil {
		return err
	}
	if r.Number == 1 && !bytes.Equal(t.Info.Imprint, b.Root) {
		return errors.New("it is not on the root of its batch")
	}
	return nil
}

// strays reports batches in the vault that the catalog does not know.
func (s *sealCheck) strays(ctx context.Context, known map[uid.ID]bool) error {
	stamped := map[uid.ID]bool{}
	var batches []uid.ID
	err := s.a.vault.Seals(ctx, func(n vault.SealName) error {
		if n.Stamp == 0 && !known[n.Batch] {
			batches = append(batches, n.Batch)
		}
		stamped[n.Batch] = stamped[n.Batch] || n.Stamp > 0
		return nil
	}, func(key string) error {
		s.report(Finding{Severity: Damage, Object: key, What: "no object of the vault has such a name"})
		return nil
	})
	if err != nil {
		return s.unreadable(ctx, "batches", err)
	}
	for _, id := range batches {
		if b, err := s.a.batch(ctx, id); err == nil && b.Kind == seal.KindRehashed {
			stamped[id] = true // the catalog knew it before it came into the vault
		}
		_, err := s.a.catalog.SealBatch(ctx, id)
		if !errors.Is(err, catalog.ErrNotFound) || s.a.now().Sub(id.Time()) < graceTime {
			continue // made meanwhile, or damaged, which is told of
		}
		name := vault.SealName{Batch: id}
		if stamped[id] {
			s.damage(name.String(), "a batch with a time stamp, but the catalog has lost it; muniment rebuild restores it")
			continue
		}
		x := Finding{Severity: Leftover, Object: name.String(), What: "a batch that did not come about"}
		if s.o.Repair {
			if err := s.a.vault.RemoveSeal(ctx, name); err != nil {
				return err
			}
			x.Repaired = true
		}
		s.report(x)
	}
	return nil
}

// tenant reports trees that belong to no batch, and messages that are in none
// although the mark says so.
func (s *sealCheck) tenant(ctx context.Context, tenant uid.ID, known map[uid.ID]bool) error {
	var trees []uid.ID
	err := s.a.vault.Trees(ctx, tenant, func(batch uid.ID) error {
		if !s.trees[tenant][batch] && !known[batch] && s.a.now().Sub(batch.Time()) >= graceTime {
			trees = append(trees, batch)
		}
		return nil
	})
	if err != nil {
		return s.unreadable(ctx, "trees", err)
	}
	for _, batch := range trees {
		x := Finding{Severity: Leftover, Object: vault.TreeObject(tenant, batch), What: "the tree of a batch that the catalog does not know"}
		if _, err := s.a.vault.ReadSeal(ctx, vault.SealName{Batch: batch, Stamp: 1}); err == nil {
			continue // strays has told of the batch
		}
		if b, err := s.a.batch(ctx, batch); err == nil && b.Kind == seal.KindRehashed {
			continue // as above
		}
		if s.o.Repair {
			if err := s.a.vault.RemoveTree(ctx, tenant, batch); err != nil {
				return err
			}
			x.Repaired = true
		}
		s.report(x)
	}
	return s.passedOver(ctx, tenant)
}

// passedOver reports the messages below the mark that are in no batch.
func (s *sealCheck) passedOver(ctx context.Context, tenant uid.ID) error {
	mark, err := s.a.catalog.SealMark(ctx, tenant)
	if err != nil {
		return s.told(ctx, err)
	}
	all := s.leaves[tenant]
	slices.SortFunc(all, uid.ID.Compare)
	var missing int64
	for at := int64(0); at < mark; {
		n := 0
		err := s.a.catalog.Sealables(ctx, tenant, at, sealPage, func(m catalog.Sealable, err error) error {
			n++
			at = m.Seq
			if _, in := slices.BinarySearchFunc(all, m.AOID, uid.ID.Compare); err == nil && !in && m.Seq <= mark {
				missing++
			}
			return nil
		})
		if err != nil {
			return s.told(ctx, err)
		}
		if n == 0 {
			break
		}
	}
	if missing == 0 {
		return nil
	}
	x := Finding{Severity: Leftover, Object: "tenant " + tenant.String(), What: fmt.Sprintf("%d messages are in no batch: they were damaged when their time came, or their batch is; --repair has them sealed with the next one", missing)}
	if s.o.Repair {
		if err := s.a.catalog.SetSealMark(ctx, tenant, catalog.SealMove{From: mark}); err != nil {
			return err
		}
		x.Repaired = true
	}
	s.report(x)
	return nil
}
