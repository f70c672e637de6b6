package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// Head is the newest time stamp on some batches.
type Head struct {
	Batch   *catalog.SealBatch // whose time stamp it is
	Stamp   *catalog.SealStamp
	Hash    algo.Hash
	Signer  string // of the certificate that signed it: equal for equal ones
	Objects int64  // in all batches that it proves
	// proves are the batches whose line it ends.
	proves []*catalog.SealBatch
	trust  algo.Trust
}

// Batches is how many batches it proves.
func (h *Head) Batches() int { return len(h.proves) }

// lines is what batches and renewals have to do with each other.
type lines struct {
	batches  map[uid.ID]*catalog.SealBatch
	covers   map[coverKey]uid.ID // → renewal
	rehashes map[uid.ID][]*catalog.SealBatch
}

type coverKey struct {
	batch uid.ID
	role  catalog.SealRole
}

func (a *Archive) lines(ctx context.Context) (*lines, error) {
	l := &lines{batches: map[uid.ID]*catalog.SealBatch{}, covers: map[coverKey]uid.ID{}, rehashes: map[uid.ID][]*catalog.SealBatch{}}
	err := a.catalog.WalkSealBatches(ctx, func(b *catalog.SealBatch) {
		l.batches[b.ID] = b
		if b.Kind == catalog.SealRehash {
			l.rehashes[b.Renews] = append(l.rehashes[b.Renews], b)
		}
	})
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	covers, err2 := a.catalog.SealCovers(ctx, uid.ID{})
	for _, c := range covers {
		l.covers[coverKey{c.Covers, c.Role}] = c.Batch
	}
	if err2 != nil && len(rowErrors(err2)) == 0 {
		return nil, err2
	}
	if err := errors.Join(err, err2); err != nil {
		a.log.Error("rows of seals are damaged, and not renewed; muniment fsck tells more", "error", err)
	}
	return l, nil
}

// head returns whose time stamp is the newest in the line of a batch, nil if it has
// none. A renewal that waits for its time stamp does not count yet.
func (l *lines) head(b *catalog.SealBatch) *catalog.SealBatch {
	at := b
	if b.Kind == catalog.SealRehash {
		at = l.batches[l.covers[coverKey{b.ID, catalog.CoversRoot}]]
	}
	if at == nil || at.State != catalog.SealStamped {
		return nil
	}
	for range maxLine {
		next := l.batches[l.covers[coverKey{at.ID, catalog.CoversStamp}]]
		if next == nil || next.State != catalog.SealStamped {
			return at
		}
		at = next
	}
	return at
}

// waits reports whether a renewal of a batch's time stamp waits for its own.
func (l *lines) waits(b *catalog.SealBatch) bool {
	_, covered := l.covers[coverKey{b.ID, catalog.CoversStamp}]
	return covered
}

// handedOn reports whether all objects of a batch are proven by a rehashed one.
func (l *lines) handedOn(b *catalog.SealBatch) bool {
	return slices.ContainsFunc(l.rehashes[b.ID], func(r *catalog.SealBatch) bool {
		return r.State == catalog.SealRehashed && r.LeftOut == 0 && l.head(r) != nil
	})
}

// rehashed reports whether a batch was rehashed wholly, with a time stamp or without.
func (l *lines) rehashed(b *catalog.SealBatch) bool {
	return slices.ContainsFunc(l.rehashes[b.ID], func(r *catalog.SealBatch) bool { return r.State == catalog.SealRehashed && r.LeftOut == 0 })
}

// uncovered returns the rehashed batches whose root no renewal covers yet.
func (l *lines) uncovered() (list []*catalog.SealBatch) {
	for _, b := range l.batches {
		if _, covered := l.covers[coverKey{b.ID, catalog.CoversRoot}]; b.State == catalog.SealRehashed && !covered {
			list = append(list, b)
		}
	}
	return list
}

// Heads returns the newest time stamps on all that needs them, the oldest first.
func (a *Archive) Heads(ctx context.Context) ([]*Head, error) {
	l, err := a.lines(ctx)
	if err != nil {
		return nil, err
	}
	return a.heads(ctx, l)
}

func (a *Archive) heads(ctx context.Context, l *lines) ([]*Head, error) {
	byBatch := map[uid.ID]*Head{}
	for _, b := range l.batches {
		if b.Kind == catalog.SealRenewals || l.handedOn(b) {
			continue
		}
		at := l.head(b)
		if at == nil {
			continue
		}
		if byBatch[at.ID] == nil {
			byBatch[at.ID] = &Head{Batch: at}
		}
		h := byBatch[at.ID]
		h.proves = append(h.proves, b)
		h.Objects += b.Leaves
	}
	var list []*Head
	bad := map[uid.ID]string{}
	for _, h := range byBatch {
		err := a.fill(ctx, h)
		if damagedProof(err) || errors.Is(err, catalog.ErrNotFound) {
			a.log.Error("a time stamp cannot be renewed; muniment fsck tells more", "batch", h.Batch.ID, "error", err)
			bad[h.Batch.ID] = err.Error()
			continue
		}
		if err != nil {
			return nil, err
		}
		slices.SortFunc(h.proves, func(x, y *catalog.SealBatch) int { return x.ID.Compare(y.ID) })
		list = append(list, h)
	}
	a.unreadable.setStamps(bad)
	slices.SortFunc(list, func(x, y *Head) int { return x.Batch.ID.Compare(y.Batch.ID) })
	return list, nil
}

// trustCache keeps what is computed from time stamps, which never change.
type trustCache struct {
	mu    sync.Mutex
	known map[uid.ID]headFacts
}

type headFacts struct {
	signer string
	trust  algo.Trust
}

// maxTrusted bounds the cache.
const maxTrusted = 100_000

func (c *trustCache) get(id uid.ID) (headFacts, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.known[id]
	return f, ok
}

func (c *trustCache) put(id uid.ID, f headFacts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxTrusted {
		c.known = map[uid.ID]headFacts{}
	}
	c.known[id] = f
}

// fill reads what there is to know of a time stamp.
func (a *Archive) fill(ctx context.Context, h *Head) error {
	rows, err := a.catalog.SealStamps(ctx, h.Batch.ID)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return fmt.Errorf("time stamp of batch %s: %w", h.Batch.ID, catalog.ErrNotFound)
	}
	h.Stamp = rows[0]
	if h.Hash, err = algo.HashByName(h.Batch.Algorithm); err != nil {
		return err
	}
	f, known := a.trusted.get(h.Batch.ID)
	if !known {
		s, err := a.stamp(ctx, h.Stamp)
		if err != nil {
			return err
		}
		if f, err = a.facts(s); err != nil {
			return &SealError{Object: vault.SealName{Batch: s.Batch, Stamp: s.Number}.String(), Err: err}
		}
		a.trusted.put(h.Batch.ID, f)
	}
	h.Signer, h.trust = f.signer, f.trust
	return nil
}

func (a *Archive) facts(s *seal.Stamp) (headFacts, error) {
	t, err := tsp.ParseToken(s.Token)
	if err != nil {
		return headFacts{}, err
	}
	trusted, side, err := trustOf(s)
	if err != nil {
		return headFacts{}, err
	}
	v := tsp.Verify(t, tsp.Options{At: s.GenTime, Anchors: trusted, Sidecar: side, Revocation: tsp.RevocationIfPresent, Catalogue: a.catalogue})
	f := headFacts{trust: v.Trust}
	if v.Signer != nil {
		sum := sha256.Sum256(v.Signer.Raw)
		f.signer = hex.EncodeToString(sum[:])
	}
	return f, nil
}

// trustOf is whom a stored time stamp was trusted by, and what was kept beside it.
func trustOf(s *seal.Stamp) (*tsp.Anchors, *tsp.Sidecar, error) {
	list, err := s.Certificates()
	if err != nil {
		return nil, nil, err
	}
	side := &tsp.Sidecar{}
	if len(s.Sidecar) > 0 {
		if err := side.UnmarshalBinary(s.Sidecar); err != nil {
			return nil, nil, err
		}
	}
	return tsp.NewAnchors(list), side, nil
}

// StampOf returns a stored time stamp.
func (a *Archive) StampOf(ctx context.Context, h *Head) (*seal.Stamp, error) {
	return a.stamp(ctx, h.Stamp)
}
