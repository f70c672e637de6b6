package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// Bounds of the quarantine's pages and decisions.
const (
	quarantineScan = 20_000 // entries that one request looks at
	quarantineStep = 500    // entries read at a time
	maxQuarantine  = 200    // entries on a page
	maxDecisions   = 500    // messages that are decided on together
	maxNote        = 1000   // bytes
	maxShown       = 20     // addresses of an entry on a page
)

// QuarantineRequest asks for a page of the quarantine, the newest first. Zero
// members choose all.
type QuarantineRequest struct {
	States  []catalog.QuarantineState
	Source  uid.ID
	Reason  string
	Text    string // in subject, sender or recipients, whatever the case
	Belongs bool   // only what would be archived if it came now
	Domain  string // only what has a party in this domain
	Before  uid.ID // Next of the page before
	Limit   int    // 1 to 200
}

// QuarantinePage is one page.
type QuarantinePage struct {
	Items []QuarantineView
	Next  uid.ID // zero: there are no more
}

// QuarantineView is what administrators learn of a message in quarantine: never
// anything of its body, and nobody who is only in the envelope.
type QuarantineView struct {
	ID                     uid.ID
	ReceivedAt             time.Time
	SourceName, SourceKind string
	From, To               []string
	Hidden                 int // recipients whom the header does not name
	Subject                string
	Size                   int64
	Reason                 string
	State                  catalog.QuarantineState
	DecidedAt              time.Time
	DecidedBy              string // the name of a user or a source, or "cli"
	Note                   string
	Belongs                bool
}

// Quarantine returns a page of the quarantine.
func (h *Handle) Quarantine(ctx context.Context, r QuarantineRequest) (*QuarantinePage, error) {
	if err := h.actor.Check(access.ManageQuarantine); err != nil {
		return nil, err
	}
	return h.a.Quarantine(ctx, h.actor.Tenant, r)
}

// Quarantine returns a page of a tenant's quarantine, for the operator on the
// command line.
func (a *Archive) Quarantine(ctx context.Context, tenant uid.ID, r QuarantineRequest) (*QuarantinePage, error) {
	rules, err := a.routing(ctx, tenant)
	if err != nil {
		return nil, err
	}
	page := &QuarantinePage{}
	limit := min(max(r.Limit, 1), maxQuarantine)
	names := &namer{a: a, tenant: tenant, known: map[string]string{}}
	next, err := a.scanQuarantine(ctx, tenant, r, rules, func(e *catalog.QuarantineEntry) (bool, error) {
		page.Items = append(page.Items, a.quarantineView(ctx, e, rules, names))
		return len(page.Items) < limit, nil
	})
	page.Next = next
	return page, err
}

// scanQuarantine calls take for the entries that r means, until it has enough.
// next is where to go on; zero if there are no more.
func (a *Archive) scanQuarantine(ctx context.Context, tenant uid.ID, r QuarantineRequest, rules *routing,
	take func(*catalog.QuarantineEntry) (more bool, err error)) (next uid.ID, err error) {
	f := catalog.QuarantineFilter{States: r.States, Source: r.Source, Before: r.Before}
	text := strings.ToLower(strings.TrimSpace(r.Text))
	for range quarantineScan / quarantineStep {
		list, err := a.catalog.Quarantine(ctx, tenant, f, quarantineStep)
		if bad := rowErrors(err); len(bad) > 0 {
			a.log.Error("rows of the quarantine are damaged; muniment fsck tells more", "tenant", tenant, "error", err)
		} else if err != nil {
			return uid.ID{}, err
		}
		for _, e := range list {
			f.Before = e.AOID
			if !r.means(e, text, rules) {
				continue
			}
			if more, err := take(e); err != nil || !more {
				return f.Before, err
			}
		}
		if len(list)+len(rowErrors(err)) < quarantineStep || len(list) == 0 {
			return uid.ID{}, nil
		}
	}
	return f.Before, nil
}

// means reports whether a page shows e.
func (r *QuarantineRequest) means(e *catalog.QuarantineEntry, text string, rules *routing) bool {
	if r.Reason != "" && e.Reason != r.Reason || r.Belongs && rules.judge(e.Parties).outcome != catalog.Stored {
		return false
	}
	if r.Domain != "" && !anyAddress(e.Parties, func(s string) bool { return rules.inDomain(s, r.Domain) }) {
		return false
	}
	if text == "" || strings.Contains(strings.ToLower(e.Subject), text) {
		return true
	}
	from, to, _ := shownParties(e.Parties)
	return slices.ContainsFunc(append(from, to...), func(s string) bool { return strings.Contains(strings.ToLower(s), text) })
}

func (a *Archive) quarantineView(ctx context.Context, e *catalog.QuarantineEntry, rules *routing, names *namer) QuarantineView {
	v := QuarantineView{ID: e.AOID, ReceivedAt: e.ReceivedAt, Subject: e.Subject, Size: e.Size, Reason: e.Reason, State: e.State,
		DecidedAt: e.DecidedAt, Note: e.Note, Belongs: e.State != catalog.Released && rules.judge(e.Parties).outcome == catalog.Stored}
	v.From, v.To, v.Hidden = shownParties(e.Parties)
	if s, err := a.source(ctx, e.Tenant, e.Source); err == nil { // an entry outlives any trouble with its source
		v.SourceName, v.SourceKind = s.Name, s.Kind
	}
	if v.DecidedBy = names.of(ctx, e.DecidedBy); v.DecidedBy == "" {
		v.DecidedBy = e.DecidedBy
	}
	return v
}

// shownParties lists what a header says openly, and counts who else got the
// message: blind copies are nobody's business here.
func shownParties(parties []catalog.Party) (from, to []string, hidden int) {
	open, more := map[string]bool{}, map[string]bool{}
	var envelope []string
	for _, p := range parties {
		switch p.Role {
		case "from":
			from = appendShown(from, p)
		case "to", "cc":
			open[p.Address] = true
			to = appendShown(to, p)
		case roleEnvelopeFrom, roleJournalSender, "sender":
			envelope = appendShown(envelope, p)
		default:
			more[p.Address] = true
		}
	}
	if len(from) == 0 {
		from = envelope
	}
	for address := range more {
		if !open[address] {
			hidden++
		}
	}
	return from, to, hidden
}

func appendShown(list []string, p catalog.Party) []string {
	text := p.Address
	if p.Name != "" {
		text = strings.TrimSpace(p.Name + " <" + p.Address + ">")
	}
	if len(list) >= maxShown || slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}

// CountQuarantine counts the quarantined messages by state.
func (h *Handle) CountQuarantine(ctx context.Context) (map[catalog.QuarantineState]int64, error) {
	if err := h.actor.Check(access.ManageQuarantine); err != nil {
		return nil, err
	}
	return h.a.catalog.CountQuarantine(ctx, h.actor.Tenant)
}

// Decide releases messages from quarantine, or notes that they are to stay there.
// What is released becomes an archived message for good, is indexed, and those who
// are parties see it. The file that a message was made of is decided on with it. It
// returns how many were decided on, such files among them: what was released
// before is not. catalog.ErrNotFound if one is in no quarantine.
func (h *Handle) Decide(ctx context.Context, ids []uid.ID, state catalog.QuarantineState, note string) (int, error) {
	if err := h.actor.Check(access.ManageQuarantine); err != nil {
		return 0, err
	}
	return h.a.decide(ctx, h.actor.Tenant, ids, decisionRecord{State: state, By: "user:" + h.actor.User.String(), Note: note}, h.actor.Peer)
}

// Decide is that of a Handle, for the operator on the command line.
func (a *Archive) Decide(ctx context.Context, tenant uid.ID, ids []uid.ID, state catalog.QuarantineState, note string) (int, error) {
	n, err := a.decide(ctx, tenant, ids, decisionRecord{State: state, By: "cli", Note: note}, "")
	if err != nil {
		return n, err
	}
	return n, a.indexReleased(ctx, tenant)
}

// ReleaseBelonging releases what waits in quarantine and would be archived now; if
// domain is not empty, only what has a party in it. It releases at most
// 500 messages and reports whether there are more.
func (h *Handle) ReleaseBelonging(ctx context.Context, domain, note string) (n int, more bool, err error) {
	if err := h.actor.Check(access.ManageQuarantine); err != nil {
		return 0, false, err
	}
	return h.a.releaseBelonging(ctx, h.actor.Tenant, domain, decisionRecord{By: "user:" + h.actor.User.String(), Note: note}, h.actor.Peer)
}

// ReleaseBelonging is that of a Handle, for the operator on the command line.
func (a *Archive) ReleaseBelonging(ctx context.Context, tenant uid.ID, domain, note string) (n int, more bool, err error) {
	n, more, err = a.releaseBelonging(ctx, tenant, domain, decisionRecord{By: "cli", Note: note}, "")
	if err != nil {
		return n, more, err
	}
	return n, more, a.indexReleased(ctx, tenant)
}

func (a *Archive) releaseBelonging(ctx context.Context, tenant uid.ID, domain string, d decisionRecord, peer string) (int, bool, error) {
	rules, err := a.routing(ctx, tenant)
	if err != nil {
		return 0, false, err
	}
	var ids []uid.ID
	r := QuarantineRequest{States: []catalog.QuarantineState{catalog.Waiting}, Belongs: true, Domain: domain}
	take := func(e *catalog.QuarantineEntry) (bool, error) {
		ids = append(ids, e.AOID)
		return len(ids) < maxDecisions, nil
	}
	next, err := a.scanQuarantine(ctx, tenant, r, rules, take)
	for err == nil && len(ids) == 0 && !next.IsZero() { // there may be thousands of strangers before the first that belongs
		r.Before = next
		next, err = a.scanQuarantine(ctx, tenant, r, rules, take)
	}
	if err != nil || len(ids) == 0 {
		return 0, false, err
	}
	d.State = catalog.Released
	n, err := a.decide(ctx, tenant, ids, d, peer)
	return n, !next.IsZero(), err
}

// indexReleased has the index learn of what was released before the command ends: a
// server beside it does not notice until something else comes.
func (a *Archive) indexReleased(ctx context.Context, tenant uid.ID) error {
	w, err := a.work(tenant)
	if err != nil {
		return err
	}
	w.indexing.Lock()
	defer w.indexing.Unlock()
	return a.reindexPending(ctx, tenant)
}

func (a *Archive) decide(ctx context.Context, tenant uid.ID, ids []uid.ID, d decisionRecord, peer string) (int, error) {
	d.Note = strings.TrimSpace(d.Note)
	switch {
	case d.State != catalog.Released && d.State != catalog.Kept:
		return 0, invalid("state %q: want released or kept", d.State)
	case d.State == catalog.Kept && d.Note == "":
		return 0, invalid("reason: is needed to keep a message in quarantine")
	case len(d.Note) > maxNote || !utf8.ValidString(d.Note):
		return 0, invalid("reason: want at most %d bytes of text", maxNote)
	case len(ids) > maxDecisions:
		return 0, invalid("%d messages, at most %d at a time", len(ids), maxDecisions)
	}
	w, err := a.work(tenant)
	if err != nil {
		return 0, err
	}
	ctx, end, err := a.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	if ids, err = a.withOriginals(ctx, tenant, ids); err != nil {
		return 0, err
	}
	d.At = a.now().UTC().Truncate(time.Millisecond)
	for range takenAgain {
		n, err := a.decideOnce(ctx, tenant, ids, d, peer)
		if errors.Is(err, catalog.ErrTaken) {
			continue // somebody else has released one of them just now
		}
		if n > 0 {
			w.poke()
		}
		return n, err
	}
	return 0, ErrBusy
}

// decideOnce writes decisions into the vault, then into the catalog.
func (a *Archive) decideOnce(ctx context.Context, tenant uid.ID, ids []uid.ID, d decisionRecord, peer string) (int, error) {
	data, err := (&record{Version: recordVersion, Decision: &d}).encode()
	if err != nil {
		return 0, err
	}
	all := catalog.Decisions{Class: DefaultClass}
	var records []vault.Record
	for _, id := range slices.Compact(slices.SortedFunc(slices.Values(ids), uid.ID.Compare)) {
		e, err := a.catalog.QuarantinedMessage(ctx, tenant, id)
		if err != nil {
			return 0, err
		}
		if e.State == catalog.Released {
			continue
		}
		records = append(records, vault.Record{AOID: id, Data: data})
		all.List = append(all.List, catalog.Decision{AOID: id, State: d.State, At: d.At, By: d.By, Note: d.Note})
		event := &catalog.Event{At: d.At, Actor: d.By, Action: "quarantine." + string(d.State), Object: id.String(), Details: map[string]string{}}
		for k, v := range map[string]string{"peer": peer, "reason": d.Note} {
			if v != "" {
				event.Details[k] = v
			}
		}
		all.Events = append(all.Events, event)
	}
	if len(records) == 0 {
		return 0, nil
	}
	seg, err := a.vault.Write(ctx, tenant, nil, records)
	if err != nil {
		return 0, busy(fmt.Errorf("write segment: %w", err))
	}
	n := 0
	for _, f := range seg.Frames {
		if f.Kind != vault.KindRecord || n == len(all.List) {
			continue
		}
		all.List[n].Record = catalog.Loc{Segment: f.Ref.Segment, Frame: f.Ref.Frame}
		n++
	}
	if n != len(all.List) {
		return 0, fmt.Errorf("segment %s holds %d records of %d", seg.ID, n, len(all.List))
	}
	all.Segment = segmentRow(tenant, seg)
	err = a.catalog.Decide(ctx, tenant, all)
	if errors.Is(err, catalog.ErrTaken) || errors.Is(err, catalog.ErrNotFound) { // nothing was recorded
		return 0, errors.Join(err, a.vault.Remove(context.WithoutCancel(ctx), tenant, seg.ID))
	}
	return n, err
}
