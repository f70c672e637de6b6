package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// Rebuilt counts what a rebuild restored.
type Rebuilt struct {
	Tenants  int
	Messages int
	Captures int
	Damaged  []error  // what could not be restored, each naming its object
	Remarks  []string // what is not as it was before, and what to do, each naming its tenant
}

// Rebuild restores the catalog's message tables of all tenants from the vault,
// and tenants and sources that are missing, and counts in the accounts what is
// missing there. Users, sessions, the event log and the passwords of sources are not
// in the vault: what the catalog has of them stays, and what it has lost is in
// Remarks. The index is built anew afterwards. It must be the only process at work.
func (a *Archive) Rebuild(ctx context.Context, progress func(messages int)) (*Rebuilt, error) {
	r := &rebuild{a: a, out: &Rebuilt{}, progress: progress}
	err := a.vault.Tenants(ctx, func(info vault.TenantInfo, err error) error {
		if err != nil {
			r.out.Damaged = append(r.out.Damaged, err)
			return nil
		}
		r.out.Tenants++
		return r.tenant(ctx, info)
	})
	if err == nil {
		err = r.seals(ctx)
	}
	return r.out, err
}

type rebuild struct {
	a        *Archive
	out      *Rebuilt
	progress func(int)
	accounts accounts        // what was taken, by the account it belongs to
	restored map[uid.ID]bool // batches that are in the catalog again
}

// adopted is what has been taken into the catalog so far for one tenant.
type adopted struct {
	tenant  uid.ID
	sums    map[[32]byte]uid.ID
	parts   map[[32]byte]bool
	keys    map[[32]byte]bool
	sources map[uid.ID]bool
	// logged are messages of which the event log tells; the others get an entry.
	logged map[uid.ID]bool
	// decisions on quarantined messages, the last one on each
	decisions map[uid.ID]catalog.Decision
	// stones are tombstones. What of their messages can still be read is in revenants:
	// it is to be destroyed, and so are the attachments in unused that are not in used.
	stones       map[uid.ID]*catalog.Tombstone
	revenants    []vault.Ref
	used, unused map[vault.Sum]bool
}

func (r *rebuild) tenant(ctx context.Context, info vault.TenantInfo) error {
	t, made, err := r.restoreTenant(ctx, info)
	if err != nil {
		return err
	}
	if err := r.keepTombstones(ctx, info.ID); err != nil {
		return err
	}
	if err := r.a.catalog.ClearMessages(ctx, info.ID); err != nil {
		return err
	}
	done := newAdopted(info.ID)
	if done.logged, err = r.a.logged(ctx, info.ID); err != nil {
		return err
	}
	if err := r.describedSources(ctx, done, info); err != nil {
		return err
	}
	var d tenantData
	if err := json.Unmarshal(info.Data, &d); err == nil { // else it would not have been made
		err = r.a.restoreRetention(ctx, t.ID, d.Retention)
		if made {
			err = errors.Join(err, r.describedRules(ctx, t, &d))
			r.a.rerouted()
		}
		if err != nil {
			return err
		}
	}
	if err := r.holds(ctx, info.ID); err != nil {
		return err
	}
	if err := r.content(ctx, done); err != nil {
		return err
	}
	if err := r.completeAccounts(ctx, info.ID); err != nil {
		return err
	}
	if err := r.a.index.Drop(ctx, info.ID); err != nil {
		return err
	}
	if err := r.a.catalog.ResetIndexed(ctx, info.ID); err != nil {
		return err
	}
	if err := r.a.describeBoth(ctx, info.ID); err != nil {
		return err
	}
	if err := r.remark(ctx, t, made); err != nil {
		return err
	}
	return r.a.act(ctx, info.ID, "catalog.rebuilt", info.ID)
}

// content takes everything that rests in the vault's segments into the catalog.
func (r *rebuild) content(ctx context.Context, done *adopted) error {
	segments, err := r.a.vault.ListSegments(ctx, done.tenant)
	if err != nil {
		return err
	}
	r.accounts = accounts{}
	for _, s := range segments {
		if err := r.segment(ctx, done, s, r.tombstone); err != nil {
			return err
		}
	}
	if err := r.bury(ctx, done); err != nil {
		return err
	}
	// Parts first: a message can only be read when its parts are known.
	for _, pass := range []takeFrame{r.part, r.message, r.record} {
		for _, s := range segments {
			if err := r.segment(ctx, done, s, pass); err != nil {
				return err
			}
		}
	}
	if err := r.decide(ctx, done); err != nil {
		return err
	}
	return r.destroyRevenants(ctx, done)
}

// segment takes one kind of frames of a segment into the catalog.
func (r *rebuild) segment(ctx context.Context, done *adopted, s vault.Segment, take takeFrame) error {
	b := &catalog.Batch{}
	if _, err := r.a.catalog.Segment(ctx, done.tenant, s.ID); errors.Is(err, catalog.ErrNotFound) {
		b.Segment = &catalog.Segment{Tenant: done.tenant, ID: s.ID, Size: s.Size, CreatedAt: s.CreatedAt}
		if whole, err := r.a.vault.Segment(ctx, done.tenant, s.ID); err == nil { // Scan tells what is wrong with it
			b.Segment.Compacted = whole.Compacted
		}
	} else if err != nil {
		return err
	}
	err := r.a.vault.Scan(ctx, done.tenant, s.ID, func(e vault.Entry) error {
		if b.Segment != nil {
			b.Segment.Frames++
			if e.Frame.Kind != vault.KindRecord {
				b.Segment.RawSize += e.Frame.Size
			}
		}
		if e.Err != nil || e.Erased {
			if e.Err != nil && !slices.ContainsFunc(r.out.Damaged, func(x error) bool { return x.Error() == e.Err.Error() }) {
				r.out.Damaged = append(r.out.Damaged, e.Err)
			}
			return nil
		}
		return take(ctx, done, b, e)
	})
	if errors.Is(err, vault.ErrCorrupt) {
		r.out.Damaged = append(r.out.Damaged, err)
		return nil
	}
	if err != nil {
		return err
	}
	if err := r.a.catalog.Commit(ctx, done.tenant, b); err != nil {
		return err
	}
	r.out.Messages += len(b.Messages)
	r.out.Captures += len(b.Captures)
	if r.progress != nil {
		r.progress(r.out.Messages)
	}
	return nil
}

func (r *rebuild) part(_ context.Context, done *adopted, b *catalog.Batch, e vault.Entry) error {
	if e.Frame.Kind != vault.KindPart || done.parts[e.Frame.SHA256] {
		return nil
	}
	done.parts[e.Frame.SHA256] = true
	b.Parts = append(b.Parts, partRow(done.tenant, e.Frame))
	return nil
}

func (r *rebuild) message(ctx context.Context, done *adopted, b *catalog.Batch, e vault.Entry) error {
	if e.Frame.Kind != vault.KindMessage {
		return nil
	}
	if done.stones[e.Frame.AOID] != nil {
		done.revenants = append(done.revenants, e.Frame.Ref)
		for _, p := range e.Parts {
			done.unused[p] = true
		}
		return nil
	}
	if len(done.stones) > 0 {
		for _, p := range e.Parts {
			done.used[p] = true
		}
	}
	if _, twice := done.sums[contentOf(e)]; twice {
		return nil // left over from a compaction or an unacknowledged commit
	}
	row, capture, entry, err := r.a.restoreMessage(ctx, done, e)
	if err != nil {
		r.out.Damaged = append(r.out.Damaged, err)
		return nil
	}
	if done.keys[capture.Key] {
		return nil
	}
	done.sums[contentOf(e)], done.keys[capture.Key] = row.AOID, true
	outcome := catalog.Stored
	if entry != nil {
		outcome = catalog.Quarantined
		b.Quarantine = append(b.Quarantine, entry)
	}
	r.accounts.count(e, capture, outcome, row)
	b.Messages = append(b.Messages, row)
	b.Captures = append(b.Captures, capture)
	if !done.logged[row.AOID] {
		b.Events = append(b.Events, r.a.restoredEvent(row, e.Meta))
	}
	return nil
}

// restoredEvent is the entry of a message in the event log that has none: a crash
// came between vault and catalog, or the log was lost.
func (a *Archive) restoredEvent(row *catalog.Message, meta []byte) *catalog.Event {
	event := &catalog.Event{At: a.now().UTC().Truncate(time.Millisecond), Actor: "system", Action: actionRestored, Object: row.AOID.String()}
	if rec, err := decodeRecord(meta); err == nil { // it was read before
		event.Digest = storedDigest(rec.Salt, row.SHA256)
	}
	return event
}

// restoreMessage makes the row of a message and of its first capture anew, and,
// if it went to quarantine, its entry there.
func (a *Archive) restoreMessage(ctx context.Context, done *adopted, e vault.Entry) (*catalog.Message, *catalog.Capture, *catalog.QuarantineEntry, error) {
	rec, err := decodeRecord(e.Meta)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("message %s in %s: %w", e.Frame.AOID, e.Frame.Ref, err)
	}
	if err := a.restoreSource(ctx, done, rec.Capture.Source); err != nil {
		return nil, nil, nil, err
	}
	capture, err := rec.Capture.capture(done.tenant, e.Frame.AOID)
	if err != nil {
		return nil, nil, nil, err
	}
	capture.Segment, capture.Frame = e.Frame.Ref.Segment, e.Frame.Ref.Frame
	row := &catalog.Message{
		Tenant: done.tenant, AOID: e.Frame.AOID, SHA256: e.Frame.SHA256, Size: e.Frame.Size,
		Segment: e.Frame.Ref.Segment, Frame: e.Frame.Ref.Frame, ReceivedAt: rec.Capture.ReceivedAt, Source: rec.Capture.Source.ID,
		Class: rec.Class, Category: rec.Category, Tags: rec.Tags,
	}
	raw, free, err := a.original(ctx, row)
	if err != nil {
		return nil, nil, nil, err
	}
	defer free()
	s, err := sums(raw)
	if err != nil {
		return nil, nil, nil, err
	}
	row.SHA512 = s.SHA512
	if report, whole, err := sumsOfReport(capture.Journal); err == nil && !whole { // else sealing fills it in
		metadata, err := metadataMember(row, rec, report)
		if err != nil {
			return nil, nil, nil, err
		}
		row.Members = membersOf(metadata, report, rec)
	}
	if rec.Document != nil {
		return row, capture, nil, describeDocument(row, rec.Document, raw)
	}
	facts := message.Parse(ctx, raw)
	row.Parties = append(headerParties(facts), captureParties(capture)...)
	describe(row, facts)
	return row, capture, restoreEntry(row, rec), nil
}

// record takes a later capture of a message.
func (r *rebuild) record(ctx context.Context, done *adopted, b *catalog.Batch, e vault.Entry) error {
	if e.Frame.Kind != vault.KindRecord {
		return nil
	}
	rec, err := decodeRecord(e.Meta)
	if err == nil && rec.Tombstone != nil {
		return nil
	}
	if done.stones[e.Frame.AOID] != nil {
		done.revenants = append(done.revenants, e.Frame.Ref)
		return nil
	}
	if err == nil && rec.Decision != nil {
		done.decided(e, rec.Decision)
		return nil
	}
	if err == nil {
		err = r.a.restoreSource(ctx, done, rec.Capture.Source)
	}
	var c *catalog.Capture
	if err == nil {
		c, err = rec.Capture.capture(done.tenant, e.Frame.AOID)
	}
	if err != nil {
		r.out.Damaged = append(r.out.Damaged, fmt.Errorf("capture of %s in %s: %w", e.Frame.AOID, e.Frame.Ref, err))
		return nil
	}
	if done.keys[c.Key] {
		return nil
	}
	row, err := r.a.catalog.Message(ctx, done.tenant, c.AOID)
	if err != nil {
		r.out.Damaged = append(r.out.Damaged, fmt.Errorf("capture in %s: message %s: %w", e.Frame.Ref, e.Frame.AOID, err))
		return nil
	}
	done.keys[c.Key] = true
	r.accounts.count(e, c, catalog.Duplicate, row)
	c.Segment, c.Frame = e.Frame.Ref.Segment, e.Frame.Ref.Frame
	b.Captures = append(b.Captures, c)
	if more := captureParties(c); len(more) > 0 {
		if b.Parties == nil {
			b.Parties = map[uid.ID][]catalog.Party{}
		}
		b.Parties[c.AOID] = append(b.Parties[c.AOID], more...)
	}
	return nil
}
