package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// Bounds of one group commit. While one is on its way to the disk, the next
// gathers.
const (
	batchMessages = 256
	batchBytes    = 32 << 20 // stored bytes and text for the index
	takenAgain    = 5        // attempts among other nodes that are offered the same

	// A group waits a little for submissions that are being prepared, unless it has
	// enough: a commit costs as much as preparing several of them.
	enoughMessages = 64
	gatherFor      = 20 * time.Millisecond
)

// commitLoop commits the tenant's submissions, group after group, until the
// queue is closed.
func (a *Archive) commitLoop(w *tenantWork) {
	defer close(w.committed)
	for first := range w.queue {
		a.commitGroup(w, w.gather(first))
	}
}

// gather takes what is waiting, and what is about to come, up to the bounds of a group.
func (w *tenantWork) gather(first *pending) []*pending {
	group := first.all()
	size := stored(first)
	var over <-chan time.Time
	for len(group) < batchMessages && size < batchBytes {
		var p *pending
		ok := false
		select {
		case p, ok = <-w.queue:
		default:
			if w.coming.Load() == 0 || len(group) >= enoughMessages {
				return group
			}
			if over == nil {
				over = time.After(gatherFor)
			}
			select {
			case p, ok = <-w.queue:
			case <-over:
				return group
			}
		}
		if !ok {
			return group // it is closed
		}
		group = append(group, p.all()...)
		size += stored(p)
	}
	return group
}

// stored is what a submission weighs in its group, with those that belong to it.
func stored(p *pending) (size int64) {
	for _, x := range p.all() {
		if x.prepared != nil {
			size += x.prepared.Stored() + int64(len(x.doc.Body))
		}
	}
	return size
}

// commitGroup makes a group durable and answers everybody in it.
func (a *Archive) commitGroup(w *tenantWork, group []*pending) {
	ctx := a.background
	c, err := a.commitOnce(ctx, w, group)
	for n := 0; n < takenAgain && errors.Is(err, catalog.ErrTaken); n++ {
		// Another node has stored one of them in between: now it is known.
		c, err = a.commitOnce(ctx, w, group)
	}
	for _, p := range group {
		p.close()
	}
	if err != nil {
		a.log.Error("commit refused", "tenant", w.tenant, "messages", len(group), "error", err)
		for _, p := range group {
			p.done <- result{err: busy(err)}
		}
		return
	}
	w.mood.duplicates.Store(c.duplicates > 0)
	a.sentAgain(ctx, w, c)
	for i, p := range group {
		p.done <- result{receipt: c.receipts[i]}
	}
	a.publish(w, c)
}

// commit is one group on its way.
type commit struct {
	batch      *catalog.Batch
	fresh      []*pending // to be stored
	records    []vault.Record
	captures   []*catalog.Capture // of records, in the same order
	receipts   []Receipt
	duplicates int
	again      map[uid.ID]*pending // the last of each message that was known
	accounts   map[accountKey]*catalog.Account
}

type accountKey struct {
	source  uid.ID
	day     string
	outcome catalog.Outcome
}

func (a *Archive) commitOnce(ctx context.Context, w *tenantWork, group []*pending) (*commit, error) {
	c := &commit{batch: &catalog.Batch{Parties: map[uid.ID][]catalog.Party{}}, accounts: map[accountKey]*catalog.Account{}, again: map[uid.ID]*pending{}}
	if err := a.sort(ctx, w, group, c); err != nil {
		return nil, err
	}
	prepared := make([]*vault.Prepared, len(c.fresh))
	for i, p := range c.fresh {
		prepared[i] = p.prepared
	}
	if len(prepared)+len(c.records) > 0 {
		seg, err := a.vault.Write(ctx, w.tenant, prepared, c.records)
		if err != nil {
			return nil, fmt.Errorf("write segment: %w", err)
		}
		if err := c.place(w.tenant, seg); err != nil {
			return nil, err
		}
	}
	for _, acc := range c.accounts {
		c.batch.Accounts = append(c.batch.Accounts, *acc)
	}
	if err := a.catalog.Commit(ctx, w.tenant, c.batch); err != nil {
		return nil, fmt.Errorf("commit to catalog: %w", err)
	}
	return c, nil
}

// sort decides for each of the group whether it is new or a duplicate.
func (a *Archive) sort(ctx context.Context, w *tenantWork, group []*pending, c *commit) error {
	keys := make([][32]byte, 0, len(group))
	for _, p := range group {
		keys = append(keys, p.capture.Key)
	}
	known, err := a.stored(ctx, w.tenant, group)
	if err != nil {
		return fmt.Errorf("look for duplicates: %w", err)
	}
	recorded := map[[32]byte]bool{}
	if len(known) > 0 {
		if recorded, err = a.catalog.KnownCaptures(ctx, w.tenant, keys); err != nil {
			return fmt.Errorf("look for captures: %w", err)
		}
	}
	here := map[[32]byte]uid.ID{}
	now := a.now().UTC().Truncate(time.Millisecond)
	for _, p := range group {
		aoid, dup := known[p.content()]
		if !dup {
			aoid, dup = here[p.content()]
		}
		if dup {
			if err := c.duplicate(p, aoid, recorded, now); err != nil {
				return err
			}
			continue
		}
		if p.prepared == nil && p.verdict.outcome == "" {
			// Expected to be a duplicate, but the first one is gone again.
			if err := a.prepareNew(ctx, p); err != nil {
				return err
			}
		}
		if p.verdict.outcome == catalog.Excluded {
			c.exclude(p)
			continue
		}
		here[p.content()], recorded[p.capture.Key] = p.row.AOID, true
		c.store(p, now)
	}
	return nil
}

func (c *commit) store(p *pending, now time.Time) {
	c.fresh = append(c.fresh, p)
	c.batch.Messages = append(c.batch.Messages, p.row)
	c.batch.Captures = append(c.batch.Captures, p.capture)
	outcome := catalog.Stored
	if p.entry != nil {
		outcome = catalog.Quarantined
		c.batch.Quarantine = append(c.batch.Quarantine, p.entry)
	}
	c.batch.Events = append(c.batch.Events, &catalog.Event{
		At: now, Actor: actorSource + p.sub.Source.String(), Action: "message." + string(outcome),
		Object: p.row.AOID.String(), Digest: storedDigest(p.salt, p.sums.SHA256),
	})
	c.count(p, outcome)
	c.receipts = append(c.receipts, Receipt{AOID: p.row.AOID, SHA256: p.sums.SHA256, Outcome: outcome})
}

// duplicate records that known bytes came once more, unless the very same item
// of the same source did.
func (c *commit) duplicate(p *pending, aoid uid.ID, recorded map[[32]byte]bool, now time.Time) error {
	c.duplicates++
	c.again[aoid] = p
	outcome := catalog.Duplicate
	if recorded[p.capture.Key] || p.version() != nil { // another program was faster with this version; these bytes are not there
		outcome = catalog.Repeated
	}
	c.receipts = append(c.receipts, Receipt{AOID: aoid, Duplicate: true, SHA256: p.sums.SHA256, Outcome: outcome})
	c.count(p, outcome)
	if outcome == catalog.Repeated {
		return nil
	}
	recorded[p.capture.Key] = true
	p.capture.AOID = aoid
	rec := record{Version: recordVersion, Capture: newCaptureRecord(p), Document: (*documentRecord)(p.sub.Document)}
	data, err := rec.encode()
	if err != nil {
		return err
	}
	c.records = append(c.records, vault.Record{AOID: aoid, Data: data})
	c.captures = append(c.captures, p.capture)
	c.batch.Captures = append(c.batch.Captures, p.capture)
	if more := captureParties(p.capture); len(more) > 0 {
		c.batch.Parties[aoid] = append(c.batch.Parties[aoid], more...)
	}
	c.batch.Events = append(c.batch.Events, &catalog.Event{
		At: now, Actor: actorSource + p.sub.Source.String(), Action: "message.captured", Object: aoid.String(),
	})
	return nil
}

func (c *commit) count(p *pending, o catalog.Outcome) {
	if p.sub.wrapped != nil && p.sub.wrapped.second {
		return // one message was offered, the report
	}
	k := accountKey{p.sub.Source, p.sub.ReceivedAt.Format(time.DateOnly), o}
	if c.accounts[k] == nil {
		c.accounts[k] = &catalog.Account{Source: k.source, Day: k.day, Outcome: k.outcome}
	}
	c.accounts[k].Count++
	c.accounts[k].Bytes += p.sub.Raw.Size()
}

// place writes into the rows where the vault has put the frames.
func (c *commit) place(tenant uid.ID, seg *vault.Segment) error {
	c.batch.Segment = segmentRow(tenant, seg)
	byAOID := make(map[uid.ID]*pending, len(c.fresh))
	for _, p := range c.fresh {
		byAOID[p.row.AOID] = p
	}
	records := 0
	for _, f := range seg.Frames {
		switch f.Kind {
		case vault.KindMessage:
			p := byAOID[f.AOID]
			if p == nil {
				return fmt.Errorf("segment %s holds a message %s that is not of its batch", seg.ID, f.AOID)
			}
			p.row.Segment, p.row.Frame = f.Ref.Segment, f.Ref.Frame
			p.capture.Segment, p.capture.Frame = f.Ref.Segment, f.Ref.Frame
			delete(byAOID, f.AOID)
		case vault.KindPart:
			c.batch.Parts = append(c.batch.Parts, partRow(tenant, f))
		case vault.KindRecord:
			if records == len(c.captures) {
				return fmt.Errorf("segment %s holds more records than its batch", seg.ID)
			}
			c.captures[records].Segment, c.captures[records].Frame = f.Ref.Segment, f.Ref.Frame
			records++
		}
	}
	if len(byAOID) > 0 || records != len(c.captures) {
		return fmt.Errorf("segment %s lacks %d messages and %d records of its batch", seg.ID, len(byAOID), len(c.captures)-records)
	}
	return nil
}

func segmentRow(tenant uid.ID, s *vault.Segment) *catalog.Segment {
	return &catalog.Segment{Tenant: tenant, ID: s.ID, Size: s.Size, RawSize: s.RawSize, Frames: len(s.Frames), Compacted: s.Compacted, CreatedAt: s.CreatedAt}
}

func partRow(tenant uid.ID, f vault.Frame) *catalog.Part {
	return &catalog.Part{Tenant: tenant, SHA256: f.SHA256, Size: f.Size, Segment: f.Ref.Segment, Frame: f.Ref.Frame}
}
