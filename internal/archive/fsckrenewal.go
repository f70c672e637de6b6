package archive

import (
	"bytes"
	"context"
	"errors"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// want computes the leaf of a message anew.
func (l *leafCheck) want(ctx context.Context, m *catalog.Message) ([]byte, error) {
	h := l.hash.Hash()
	if l.before == nil && h == algo.SHA256 {
		return ers.Leaf(h, group(m.SHA256[:], m.Members))
	}
	members, err := l.s.a.memberSums(ctx, m, h)
	if err != nil {
		return nil, err
	}
	if l.before == nil {
		return ers.Leaf(h, members)
	}
	return l.before.leaf(ctx, m, members)
}

// rehashed returns the tree of a tenant whose objects were rehashed into a batch. Its
// object has to be closed.
func (a *Archive) rehashed(ctx context.Context, b *seal.Batch, tenant uid.ID) (*rehashingTree, error) {
	of, err := a.proven(ctx, *b.Renews)
	if err != nil {
		return nil, err
	}
	r := &rehashing{a: a, hash: b.Hash, of: of}
	if of.line, err = of.until(*b.Head); err != nil {
		return nil, err
	}
	tree, err := a.catalog.SealTree(ctx, tenant, *b.Renews)
	if err != nil {
		return nil, err
	}
	old, err := a.openTree(ctx, tenant, *b.Renews)
	return &rehashingTree{r: r, tree: tree, old: old}, err
}

// checkpoints compares those in a batch with their rows, and with their hash values.
func (s *sealCheck) checkpoints(ctx context.Context, name string, b *seal.Batch, want []*catalog.SealCheckpoint) error {
	rows, err := s.a.catalog.SealCheckpoints(ctx, b.ID)
	if err != nil {
		return s.told(ctx, err)
	}
	for _, r := range rows { // those of tenants that are gone, and of logs that were lost, have no row
		if r.Position < 0 || r.Position >= len(want) || r.Tenant != want[r.Position].Tenant || r.Size != want[r.Position].Size || r.Day != want[r.Position].Day {
			s.damage(name, "the catalog knows another checkpoint in its place %d", r.Position)
		}
	}
	if b.Kind != seal.KindNew {
		return nil
	}
	for i, c := range b.Checkpoints {
		if leaf, err := ers.Leaf(b.Hash, c.Sums(b.Hash)); err != nil || !bytes.Equal(leaf, c.Leaf) {
			s.damage(name, "its checkpoint %d is not the one that is sealed", i)
		}
	}
	return nil
}

// covers compares what a renewal covers with its rows, and with the time stamps and
// roots themselves.
func (s *sealCheck) covers(ctx context.Context, name string, b *seal.Batch, want []*catalog.SealCover) error {
	if len(want) == 0 {
		return nil
	}
	rows, err := s.a.catalog.SealCovers(ctx, b.ID)
	if err != nil {
		return s.told(ctx, err)
	}
	if len(rows) != len(want) {
		s.damage(name, "the catalog knows %d of the %d time stamps that it renews; muniment rebuild restores them", len(rows), len(want))
	}
	for _, r := range rows {
		if r.Position < 0 || r.Position >= len(want) || *r != *want[r.Position] {
			s.damage(name, "the catalog knows something else in its place %d", r.Position)
			continue
		}
		leaf, err := s.coverLeaf(ctx, b.Hash, r)
		if errors.Is(err, catalog.ErrNotFound) || errors.Is(err, vault.ErrNotFound) || errors.Is(err, vault.ErrCorrupt) || len(rowErrors(err)) > 0 {
			continue // told of with that batch
		}
		if err != nil {
			return s.unreadable(ctx, name, err)
		}
		if !bytes.Equal(leaf, b.Covers[r.Position].Leaf) {
			s.damage(name, "what it renews of batch %s is not what is there", r.Covers)
		}
	}
	return nil
}

func (s *sealCheck) coverLeaf(ctx context.Context, h algo.Hash, r *catalog.SealCover) ([]byte, error) {
	b, err := s.a.catalog.SealBatch(ctx, r.Covers)
	if err != nil || r.Role == catalog.CoversRoot {
		if err != nil {
			return nil, err
		}
		return b.Root, nil
	}
	rows, err := s.a.catalog.SealStamps(ctx, r.Covers)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, catalog.ErrNotFound
	}
	st, err := s.a.stamp(ctx, rows[0])
	if err != nil {
		return nil, err
	}
	return ers.TokenLeaf(h, st.Token), nil
}

// members compares the members in a row with those that the vault gives.
func (f *fsck) members(row *catalog.Message, e vault.Entry) {
	if len(row.Members) == 0 {
		return // sealing computes them
	}
	rec, err := decodeRecord(e.Meta)
	if err != nil {
		return // told of with the capture
	}
	report, whole, err := sumsOfReport(rec.Capture.Journal)
	if whole || err != nil {
		return
	}
	metadata, err := metadataMember(row, rec, report)
	if err != nil || !bytes.Equal(membersOf(metadata, report, rec), row.Members) {
		f.damage("message "+row.AOID.String(), "the hashes of its metadata in the row are not those that segment %s gives", e.Frame.Ref)
	}
}
