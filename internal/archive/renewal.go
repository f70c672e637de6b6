package archive

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
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

// hopeless is the time between two renewals if what the authority gives has ended
// already when it comes: each may cost something and proves little.
const hopeless = 30 * 24 * time.Hour

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

// RenewOptions say what a renewal is to do.
type RenewOptions struct {
	// Hand has everything renewed, whatever its end: RenewStamps or RenewTrees; empty:
	// what is due.
	Hand ers.Action
	// Act describes it as an event; nil: as that of the program itself.
	Act Act
}

// What may be ordered by hand.
const (
	RenewStamps = ers.RenewStamp
	RenewTrees  = ers.RenewTree
)

// IsDue reports whether it is to be renewed now.
func (d *DueRenewal) IsDue() bool { return d.Action != ers.Keep }

// OfTree reports whether the objects are to be hashed by another algorithm.
func (d *DueRenewal) OfTree() bool { return d.Action == ers.RenewTree || d.Reason == ers.ByHash }

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
		if d.Action == ers.RenewStamp && d.Reason != ers.ByHand && d.Reason != ers.ByRevocation && !d.End.After(h.Stamp.GenTime) && now.Before(h.Stamp.GenTime.Add(hopeless)) {
			d.Action = ers.Keep // the newest time stamp is no better than the one before
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
