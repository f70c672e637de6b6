package archive

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// What the vault remembers of the quarantine, for the caretakers: why a message
// went there is in its own metadata, and each decision is a record of its own.

// restoreEntry makes the entry of a message that went to quarantine, and takes
// from its row what it has only once it is released.
func restoreEntry(row *catalog.Message, rec *record) *catalog.QuarantineEntry {
	if row.Class != catalog.ClassQuarantine {
		return nil
	}
	e := &catalog.QuarantineEntry{Tenant: row.Tenant, AOID: row.AOID, Source: row.Source, ReceivedAt: row.ReceivedAt, Size: row.Size,
		Counted: !rec.Capture.several() || !rec.Capture.second(row.SHA256), Subject: row.Facts.Subject, Parties: row.Parties, State: catalog.Waiting}
	if rec.Quarantine != nil {
		e.Reason = rec.Quarantine.Reason
	}
	row.Parties = nil
	return e
}

// decided remembers a decision, unless a later one is known: a release is for good.
func (d *adopted) decided(e vault.Entry, r *decisionRecord) {
	id := e.Frame.AOID
	have, known := d.decisions[id]
	if known && have.State == catalog.Released || known && r.State != catalog.Released && !r.At.After(have.At) {
		return
	}
	d.decisions[id] = catalog.Decision{AOID: id, State: r.State, At: r.At, By: r.By, Note: r.Note,
		Record: catalog.Loc{Segment: e.Frame.Ref.Segment, Frame: e.Frame.Ref.Frame}}
}

// decide carries out the decisions that were met, and counts them in the accounts
// that are to be completed.
func (r *rebuild) decide(ctx context.Context, done *adopted) error {
	for id, d := range done.decisions {
		e, err := r.a.catalog.QuarantinedMessage(ctx, done.tenant, id)
		if errors.Is(err, catalog.ErrNotFound) || err == nil && e.State == catalog.Released {
			continue // deleted, or known
		}
		if err != nil {
			return err
		}
		err = r.a.catalog.Decide(ctx, done.tenant, catalog.Decisions{List: []catalog.Decision{d}, Class: DefaultClass, Uncounted: true})
		if err != nil {
			return err
		}
		if d.State == catalog.Released && e.Counted {
			r.accounts.released(e)
		}
	}
	return nil
}

// released moves a message from one account to the other.
func (l accounts) released(e *catalog.QuarantineEntry) {
	k := accountKey{e.Source, e.ReceivedAt.UTC().Format(time.DateOnly), catalog.Quarantined}
	from := l[k]
	if from == nil || from.Count < 1 {
		return
	}
	from.Count--
	from.Bytes -= e.Size
	k.outcome = catalog.ReleasedLater
	if l[k] == nil {
		l[k] = &catalog.Account{Source: k.source, Day: k.day, Outcome: k.outcome}
	}
	l[k].Count++
	l[k].Bytes += e.Size
}

// withOriginals adds the files that messages were made of: they went to quarantine
// because of the message, and nobody is named in them by whom they could be decided on.
func (a *Archive) withOriginals(ctx context.Context, tenant uid.ID, ids []uid.ID) ([]uid.ID, error) {
	places := map[uid.ID][]string{} // by source
	for _, id := range ids {
		list, err := a.catalog.Captures(ctx, tenant, id)
		if err != nil && len(rowErrors(err)) == 0 {
			return nil, err
		}
		for _, c := range list {
			if c.Origin != "" {
				places[c.Source] = append(places[c.Source], OriginalOrigin(c.Origin))
			}
		}
	}
	out := slices.Clone(ids)
	for source, origins := range places {
		more, err := a.catalog.QuarantinedFrom(ctx, tenant, source, origins)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// superseded reports whether the catalog knows a later decision on a message, or
// the same one elsewhere.
func (a *Archive) superseded(ctx context.Context, tenant, aoid uid.ID, d *decisionRecord) (bool, error) {
	e, err := a.catalog.QuarantinedMessage(ctx, tenant, aoid)
	if err != nil {
		return false, notFound(err)
	}
	return knows(e, d) && !e.Decision.Segment.IsZero(), nil
}

// knows reports whether an entry tells of a decision or of a later one.
func knows(e *catalog.QuarantineEntry, d *decisionRecord) bool {
	return e.State == catalog.Released || d.State != catalog.Released && !e.DecidedAt.Before(d.At)
}

// decision compares the record of a decision with the row that tells of it.
func (f *fsck) decision(ctx context.Context, tenant uid.ID, v vault.Entry, d *decisionRecord) error {
	e, err := f.a.catalog.QuarantinedMessage(ctx, tenant, v.Frame.AOID)
	switch {
	case len(rowErrors(err)) > 0: // Check has reported it
	case errors.Is(err, catalog.ErrNotFound), err == nil && !knows(e, d):
		f.damage("message "+v.Frame.AOID.String(), "segment %s tells that it was %s in quarantine, but the catalog has lost that; muniment rebuild restores it", v.Frame.Ref, d.State)
	case err != nil:
		return f.unreadable(ctx, "catalog", err)
	}
	return nil
}

// decisions compares the rows of decisions with what the vault holds.
func (f *fsck) decisions(ctx context.Context, tenant uid.ID) error {
	filter := catalog.QuarantineFilter{}
	for {
		list, err := f.a.catalog.Quarantine(ctx, tenant, filter, quarantineStep)
		if err != nil && len(rowErrors(err)) == 0 {
			return f.unreadable(ctx, "catalog", err)
		}
		for _, e := range list {
			filter.Before = e.AOID
			if e.Decision.Segment.IsZero() {
				continue
			}
			now := func() (catalog.Loc, error) {
				again, err := f.a.catalog.QuarantinedMessage(ctx, tenant, e.AOID)
				if err != nil {
					return catalog.Loc{}, err
				}
				return again.Decision, nil
			}
			if !f.rests(ctx, tenant, e.Decision, now, vault.KindRecord) {
				f.damage("quarantine "+e.AOID.String(), "the vault has lost the record %s/%d of what was decided on it", e.Decision.Segment, e.Decision.Frame)
			}
		}
		if len(list) == 0 || ctx.Err() != nil { // a whole page of damaged rows ends it; Check has reported them
			return ctx.Err()
		}
	}
}
