package archive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/evidence/algo"
	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsp"
	"github.com/muniment/muniment/internal/seal"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// Renewal goes in steps, as sealing does:
//
//	1. whose hash algorithm comes near its end: the objects of each batch are read again
//	   and rehashed into a batch of their own (rehash.go), which is durable then
//	2. one renewal for each hash algorithm has as its leaves the time stamps that come
//	   near their end, and the roots of the rehashed batches; it is durable, and the
//	   catalog knows it
//	3. an authority gives a time stamp on it, as on any other batch
//
// What is interrupted after a step goes on with the next one: what is rehashed and not
// covered, and what has no time stamp, is found in the catalog. Until the last step is
// done the old time stamps count, and nothing of them ever changes.

// maxCovers is the most that one renewal covers; its object in the vault stays small.
const maxCovers = 1 << 16

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
	for _, h := range byBatch {
		err := a.fill(ctx, h)
		if errors.Is(err, vault.ErrNotFound) || errors.Is(err, vault.ErrCorrupt) || errors.Is(err, catalog.ErrNotFound) || len(rowErrors(err)) > 0 {
			a.log.Error("a time stamp cannot be renewed; muniment fsck tells more", "batch", h.Batch.ID, "error", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		slices.SortFunc(h.proves, func(x, y *catalog.SealBatch) int { return x.ID.Compare(y.ID) })
		list = append(list, h)
	}
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

// Act describes an act as an event, by whoever does it.
type Act = describeAct

// SystemAct is that of the program itself.
func (a *Archive) SystemAct() Act {
	return func(action, object string, details map[string]string) *catalog.Event {
		return &catalog.Event{At: a.now().UTC(), Actor: "system", Action: action, Object: object, Details: details}
	}
}

// OperatorAct is that of the operator on the command line.
func (a *Archive) OperatorAct() Act { return a.cliEvent }

// EvidenceAct is that of the actor, if he may have renewals made.
func (h *Handle) EvidenceAct() (Act, error) {
	if err := h.actor.Check(access.ManageEvidence); err != nil {
		return nil, err
	}
	return h.event, nil
}

// RenewalOrder says what is to be renewed.
type RenewalOrder struct {
	Lead ers.Lead
	// Revoked are the signers whose certificates were revoked.
	Revoked map[string]bool
	// Hand has everything renewed, whatever its end: ers.RenewStamp or ers.RenewTree.
	Hand ers.Action
}

// DueRenewal is a decision about a time stamp.
type DueRenewal struct {
	ers.Due
	Head *Head
	// stampToo says, of a hash-tree renewal, that the time stamp is due as well.
	stampToo bool
}

// Due decides about all time stamps: what is due first, then what comes next.
func (a *Archive) Due(heads []*Head, o RenewalOrder) []DueRenewal {
	now := a.now()
	var list []DueRenewal
	for _, h := range heads {
		d := DueRenewal{Due: ers.Decide(now, h.held(o), a.catalogue, o.Lead), Head: h}
		if d.Action == ers.RenewTree {
			endless := &algo.Catalogue{Hashes: []algo.Entry{{Name: h.Hash.String()}}}
			o := o
			o.Hand = ers.Keep
			d.stampToo = ers.Decide(now, h.held(o), endless, o.Lead).Action == ers.RenewStamp
		}
		list = append(list, d)
	}
	slices.SortStableFunc(list, func(x, y DueRenewal) int {
		if (x.Action == ers.Keep) != (y.Action == ers.Keep) {
			if x.Action == ers.Keep {
				return 1
			}
			return -1
		}
		return cmp.Or(x.From.Compare(y.From), x.Head.Batch.ID.Compare(y.Head.Batch.ID))
	})
	return list
}

func (h *Head) held(o RenewalOrder) ers.Held {
	return ers.Held{ID: h.Batch.ID.String(), Hash: h.Hash, GenTime: h.Stamp.GenTime, NotAfter: h.Stamp.Until, Trust: h.trust, Forced: o.Hand, Revoked: o.Revoked[h.Signer]}
}

// Renewed is what PrepareRenewal has done.
type Renewed struct {
	Renewals int   // batches that wait for their time stamp
	Stamps   int   // time stamps that they cover
	Rehashed int   // batches whose objects were rehashed
	Objects  int64 // in these
	LeftOut  int64 // of these, objects that could not be read
}

// PrepareRenewal puts all that is due into new renewals, which wait for their time
// stamps then. beside is what was found out last about the certificates of the time
// stamps that are renewed (REN-4), missing what could not be. An interrupted call is
// gone on with by the next one. act describes who does it.
func (a *Archive) PrepareRenewal(ctx context.Context, due []DueRenewal, beside *tsp.Sidecar, missing []string, lead ers.Lead, act Act) (r Renewed, err error) {
	a.renewing.Lock()
	defer a.renewing.Unlock()
	if err := a.rehashDue(ctx, due, lead, &r); err != nil {
		return r, err
	}
	l, err := a.lines(ctx)
	if err != nil {
		return r, err
	}
	groups := map[algo.Hash][]seal.Cover{}
	if err := a.coverRoots(l, groups); err != nil {
		return r, err
	}
	for _, d := range due {
		if !d.stamps(l) {
			continue
		}
		s, err := a.stamp(ctx, d.Head.Stamp)
		if err != nil {
			return r, err
		}
		groups[d.Head.Hash] = append(groups[d.Head.Hash], seal.Cover{Batch: d.Head.Batch.ID, Role: seal.RoleStamp, Leaf: ers.TokenLeaf(d.Head.Hash, s.Token)})
	}
	p := &renewing{a: a, missing: missing, act: act, out: &r}
	if p.beside, err = beside.MarshalBinary(); err != nil {
		return r, err
	}
	hashes := make([]algo.Hash, 0, len(groups))
	for h := range groups {
		hashes = append(hashes, h)
	}
	slices.SortFunc(hashes, func(x, y algo.Hash) int { return cmp.Compare(x.String(), y.String()) })
	for _, h := range hashes {
		for some := range slices.Chunk(groups[h], maxCovers) {
			if err := p.renewal(ctx, h, some); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// coverRoots adds the roots of rehashed batches without a time stamp.
func (a *Archive) coverRoots(l *lines, groups map[algo.Hash][]seal.Cover) error {
	list := l.uncovered()
	slices.SortFunc(list, func(x, y *catalog.SealBatch) int { return x.ID.Compare(y.ID) })
	for _, b := range list {
		h, err := algo.HashByName(b.Algorithm)
		if err != nil {
			return err
		}
		groups[h] = append(groups[h], seal.Cover{Batch: b.ID, Role: seal.RoleRoot, Leaf: seal.Hash(b.Root)})
	}
	return nil
}

// stamps reports whether the time stamp is to be renewed: if it is due, or if the tree
// is and some objects could not be rehashed, whose proof must not end with the others'.
func (d *DueRenewal) stamps(l *lines) bool {
	if d.Action == ers.Keep || l.waits(d.Head.Batch) {
		return false
	}
	if d.Action == ers.RenewStamp {
		return true
	}
	return d.stampToo && slices.ContainsFunc(d.Head.proves, func(b *catalog.SealBatch) bool { return !l.rehashed(b) })
}

// renewing makes renewals.
type renewing struct {
	a       *Archive
	beside  []byte
	missing []string
	act     Act
	out     *Renewed
}

// renewal makes one.
func (p *renewing) renewal(ctx context.Context, h algo.Hash, covers []seal.Cover) error {
	now := p.a.now().UTC().Truncate(time.Millisecond)
	b := &seal.Batch{ID: uid.New(now), Kind: seal.KindRenewal, Hash: h, CreatedAt: now, Oldest: now, Covers: covers, Beside: p.beside, Missing: p.missing}
	if err := b.Complete(); err != nil {
		return err
	}
	data, err := b.Encode()
	if err != nil {
		return err
	}
	name := vault.SealName{Batch: b.ID}
	if err := p.a.vault.PutSeal(ctx, name, data); err != nil {
		return err
	}
	row, parts := sealRows(b)
	stamps := 0
	for _, c := range covers {
		if c.Role == seal.RoleStamp {
			stamps++
		}
	}
	parts.Events = []*catalog.Event{p.act("sealing.renewed", b.ID.String(), map[string]string{"hash": h.String(), "stamps": strconv.Itoa(stamps),
		"rehashed": strconv.Itoa(len(covers) - stamps)})}
	if err := p.a.catalog.AddSealBatch(ctx, row, parts); err != nil {
		if errors.Is(err, catalog.ErrTaken) { // another process was faster
			return p.a.vault.RemoveSeal(context.WithoutCancel(ctx), name)
		}
		return err
	}
	p.out.Renewals++
	p.out.Stamps += stamps
	return nil
}
