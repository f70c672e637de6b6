package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/eventlog"
	"github.com/muniment/muniment/internal/uid"
)

// What follows shows and proves the event log of a tenant; that of the zero tenant
// is the installation's, which its operators see.

// eventPage is how many events are shown at a time at most.
const eventPage = 200

// EventView is an event with the names of whom and what it is about, as they are
// now; empty: unknown.
type EventView struct {
	catalog.Event
	ActorName  string
	ObjectName string
}

// LogView is the state of a log.
type LogView struct {
	Size int64
	Root string
	Key  string // as programs that read signed notes want it
	Last *catalog.Receipt
	// Stamped is how many events the last checkpoint with a time stamp covers.
	Stamped int64
}

// Log returns the state of the actor's log.
func (h *Handle) Log(ctx context.Context) (*LogView, error) {
	if err := h.actor.Check(access.SeeLog); err != nil {
		return nil, err
	}
	head, err := h.a.logHead(ctx, h.actor.Tenant)
	if err != nil {
		return nil, err
	}
	v := &LogView{Size: head.Size, Root: head.Root.String()}
	gap := LogGap{Tenant: h.actor.Tenant}
	if err := h.a.logGap(ctx, &gap); err != nil {
		return nil, err
	}
	v.Stamped = gap.Stamped
	if v.Key, err = h.a.LogKey(ctx, h.actor.Tenant); err != nil {
		return nil, err
	}
	list, err := h.a.catalog.Receipts(ctx, h.actor.Tenant, "", 1)
	if len(list) > 0 {
		v.Last = list[0]
	}
	return v, err
}

// logHead is that of the catalog; a log of the installation that has no events has
// no row yet.
func (a *Archive) logHead(ctx context.Context, tenant uid.ID) (eventlog.Head, error) {
	head, err := a.catalog.EventHead(ctx, tenant)
	if tenant.IsZero() && errors.Is(err, catalog.ErrNotFound) {
		return (&eventlog.Frontier{}).Head(), nil
	}
	return head, err
}

// Events returns at most limit events of the actor's log, the newest first.
// Damaged rows are left out and logged.
func (h *Handle) Events(ctx context.Context, f catalog.EventFilter, limit int) ([]EventView, error) {
	if err := h.actor.Check(access.SeeLog); err != nil {
		return nil, err
	}
	list, err := h.a.catalog.FindEvents(ctx, h.actor.Tenant, f, min(limit, eventPage))
	if len(rowErrors(err)) > 0 {
		h.a.log.Error("rows of the event log are damaged; muniment fsck tells more", "tenant", h.actor.Tenant, "error", err)
	} else if err != nil {
		return nil, err
	}
	names := namer{a: h.a, tenant: h.actor.Tenant, known: map[string]string{}}
	out := make([]EventView, len(list))
	for i, e := range list {
		out[i] = EventView{Event: *e, ActorName: names.of(ctx, e.Actor)}
		switch group, _, _ := strings.Cut(e.Action, "."); group {
		case "user", "operator", "session":
			out[i].ObjectName = names.of(ctx, "user:"+e.Object)
		case "source":
			out[i].ObjectName = names.of(ctx, actorSource+e.Object)
		}
	}
	return out, nil
}

// actorSource is how an event tells that a source has acted: its id follows.
const actorSource = "source:"

// namer looks up names of users and sources, each once.
type namer struct {
	a      *Archive
	tenant uid.ID
	known  map[string]string
}

func (n *namer) of(ctx context.Context, who string) string {
	if name, ok := n.known[who]; ok {
		return name
	}
	kind, text, _ := strings.Cut(who, ":")
	name := ""
	if id, err := uid.Parse(text); err == nil {
		switch kind {
		case "user":
			if u, err := n.a.catalog.User(ctx, n.tenant, id); err == nil {
				name = u.Name
			}
		case "source":
			if s, err := n.a.catalog.Source(ctx, n.tenant, id); err == nil {
				name = s.Name
			}
		}
	}
	n.known[who] = name
	return name
}

// EventProof proves that an event is in the actor's log: as it was at the first
// checkpoint with a time stamp that covers the event, or, if there is none yet, as it is
// now. catalog.ErrNotFound.
func (h *Handle) EventProof(ctx context.Context, seq int64) (*eventlog.InclusionProof, error) {
	if err := h.actor.Check(access.SeeLog); err != nil {
		return nil, err
	}
	s, err := h.a.logSigner(ctx) // first: it may append the event of a new key
	if err != nil {
		return nil, err
	}
	if p := h.a.stampedProof(ctx, h.actor.Tenant, seq); p != nil {
		return p, nil
	}
	head, err := h.a.logHead(ctx, h.actor.Tenant)
	if err != nil {
		return nil, err
	}
	p, err := h.a.catalog.ProveEvent(ctx, h.actor.Tenant, seq, head.Size)
	if err != nil {
		return nil, err
	}
	r, err := s.receipt(h.actor.Tenant, p.Head, h.a.now(), "", "")
	if err != nil {
		return nil, err
	}
	return &eventlog.InclusionProof{Leaf: string(p.Leaf), Hashes: p.Path, Receipt: r}, nil
}

// stampedProof proves an event by a checkpoint with a time stamp; nil if that cannot be
// done. That it does not hold is a reason to prove the event by the present state, which
// the comparison of receipts then finds to be another log.
func (a *Archive) stampedProof(ctx context.Context, tenant uid.ID, seq int64) *eventlog.InclusionProof {
	if seq < 0 {
		return nil
	}
	r, size, err := a.stampedCheckpoint(ctx, tenant, seq+1)
	if err != nil {
		if !errors.Is(err, catalog.ErrNotFound) && !errors.Is(err, ErrNotSealed) {
			a.log.Error("the time stamp of a checkpoint cannot be read", "tenant", tenant, "event", seq, "error", err)
		}
		return nil
	}
	p, err := a.catalog.ProveEvent(ctx, tenant, seq, size)
	if err != nil {
		a.log.Error("an event cannot be proven by a checkpoint with a time stamp", "tenant", tenant, "event", seq, "size", size, "error", err)
		return nil
	}
	out := &eventlog.InclusionProof{Leaf: string(p.Leaf), Hashes: p.Path, Receipt: r}
	if _, _, err := out.Check(); err != nil {
		a.log.Error("the event log is not what a checkpoint with a time stamp says; muniment audit tells more", "tenant", tenant, "event", seq, "size", size, "error", err)
		return nil
	}
	return out
}

// Checkpoint signs the head that the actor's log has now.
func (h *Handle) Checkpoint(ctx context.Context) (*eventlog.Receipt, error) {
	if err := h.actor.Check(access.SeeLog); err != nil {
		return nil, err
	}
	return h.a.Checkpoint(ctx, h.actor.Tenant)
}

// Checkpoint signs the head that a tenant's log has now; for the operator on the
// command line, and for those who have it stamped.
func (a *Archive) Checkpoint(ctx context.Context, tenant uid.ID) (*eventlog.Receipt, error) {
	s, err := a.logSigner(ctx)
	if err != nil {
		return nil, err
	}
	head, err := a.logHead(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return s.receipt(tenant, head, a.now(), "", "")
}

// Consistency proves that the actor's log of size to begins with that of size from.
// catalog.ErrNotFound if it is shorter or from is not between 0 and to.
func (h *Handle) Consistency(ctx context.Context, from, to int64) (*eventlog.ConsistencyProof, error) {
	if err := h.actor.Check(access.SeeLog); err != nil {
		return nil, err
	}
	return h.a.Consistency(ctx, h.actor.Tenant, from, to)
}

// Consistency is that of a Handle, for the operator on the command line.
func (a *Archive) Consistency(ctx context.Context, tenant uid.ID, from, to int64) (*eventlog.ConsistencyProof, error) {
	s, err := a.logSigner(ctx)
	if err != nil {
		return nil, err
	}
	hashes, err := a.catalog.ProveConsistency(ctx, tenant, from, to)
	if err != nil {
		return nil, err
	}
	return &eventlog.ConsistencyProof{Origin: s.origin(tenant), From: from, To: to, Hashes: hashes}, nil
}

// ExportLog writes the actor's whole log, without what it tells about people, so
// that a stranger can compute everything again (eventlog.ExportWriter).
func (h *Handle) ExportLog(ctx context.Context, w io.Writer) error {
	if err := h.actor.Check(access.SeeLog); err != nil {
		return err
	}
	if err := h.a.catalog.AppendEvents(ctx, h.actor.Tenant, []*catalog.Event{h.event("log.exported", "", nil)}); err != nil {
		return err
	}
	return h.a.exportLog(ctx, h.actor.Tenant, w)
}

// ExportLog is that of a Handle, for the operator on the command line.
func (a *Archive) ExportLog(ctx context.Context, tenant uid.ID, w io.Writer) error {
	if err := a.catalog.AppendEvents(ctx, tenant, []*catalog.Event{a.cliEvent("log.exported", "", nil)}); err != nil {
		return err
	}
	return a.exportLog(ctx, tenant, w)
}

func (a *Archive) exportLog(ctx context.Context, tenant uid.ID, w io.Writer) error {
	r, err := a.Checkpoint(ctx, tenant)
	if err != nil {
		return err
	}
	o, err := r.Open()
	if err != nil {
		return err
	}
	out, err := eventlog.NewExportWriter(w, o.Origin, o.Head.Size)
	if err != nil {
		return err
	}
	err = a.catalog.WalkLeaves(ctx, tenant, 0, o.Head.Size, func(_ *catalog.Event, leaf []byte) error { return out.Leaf(leaf) })
	if err != nil {
		return err
	}
	return out.Close(r)
}

// presentState stands for the present state of the log in CompareReceipts.
const presentState = "now"

// maxCompared bounds the receipts of one comparison.
const maxCompared = 10

// ErrReceipt is matched by errors about a receipt that somebody has handed in.
var ErrReceipt = errors.New("no receipt")

// GivenReceipt is a receipt that is to be compared.
type GivenReceipt struct {
	// Which is a day that has a receipt, "now", or the text of a receipt's file.
	Which string
	// Name is what its file is called; empty: "file". Only for files.
	Name string
}

// CompareReceipts decides whether nothing was removed, inserted, changed or reordered in
// the actor's log between receipts. In the answer every one has a name of its own: files
// of the same name have numbers after it. ErrReceipt, catalog.ErrNotFound.
//
// The evidence records of the receipts are verified as well, with the certificates that
// the archive trusts.
func (h *Handle) CompareReceipts(ctx context.Context, given []GivenReceipt) (*ComparedReceipts, error) {
	if err := h.actor.Check(access.SeeLog); err != nil {
		return nil, err
	}
	if len(given) < 2 || len(given) > maxCompared {
		return nil, fmt.Errorf("%w: want 2 to %d receipts", ErrReceipt, maxCompared)
	}
	var list []eventlog.Named
	var sizes []int64
	names := map[string]bool{}
	for _, g := range given {
		r, err := h.namedReceipt(ctx, g)
		if err != nil {
			return nil, err
		}
		name := r.Name
		for n := 2; names[r.Name]; n++ {
			r.Name = fmt.Sprintf("%s (%d)", name, n)
		}
		names[r.Name] = true
		list = append(list, *r)
		if o, err := r.Receipt.Open(); err == nil {
			sizes = append(sizes, o.Head.Size)
		}
	}
	s, err := h.a.logSigner(ctx)
	if err != nil {
		return nil, err
	}
	head, err := h.a.logHead(ctx, h.actor.Tenant)
	if err != nil {
		return nil, err
	}
	if slices.Max(append(sizes, 0)) > head.Size { // a log that was cut off: its present state shows it
		r, err := s.receipt(h.actor.Tenant, head, h.a.now(), "", "")
		if err != nil {
			return nil, err
		}
		list = append(list, eventlog.Named{Name: presentState, Receipt: r})
		sizes = append(sizes, head.Size)
	}
	e := eventlog.Evidence{Key: s.public()}
	e.Proofs, err = h.a.proofsBetween(ctx, h.actor.Tenant, sizes)
	if err != nil {
		return nil, err
	}
	return h.stampsOf(ctx, list, eventlog.Compare(list, e))
}

// maxReceiptName bounds the name of a file in an answer, in bytes.
const maxReceiptName = 200

func (h *Handle) namedReceipt(ctx context.Context, g GivenReceipt) (*eventlog.Named, error) {
	var body string
	which := g.Which
	switch {
	case which == presentState:
		r, err := h.a.Checkpoint(ctx, h.actor.Tenant)
		return &eventlog.Named{Name: which, Receipt: r}, err
	case len(which) == len("2006-01-02"):
		row, err := h.a.catalog.Receipt(ctx, h.actor.Tenant, which)
		if err != nil {
			return nil, err
		}
		if err := h.a.withRecord(ctx, row); err != nil { // the receipt proves without it
			h.a.log.Error("the evidence record of a receipt cannot be issued", "tenant", row.Tenant, "day", which, "error", err)
		}
		body = row.Body
	default:
		body, which = which, "file"
		if name := FileName(g.Name); g.Name != "" && len(name) <= maxReceiptName {
			which = name
		}
	}
	r, err := eventlog.ParseReceipt([]byte(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrReceipt, which, err)
	}
	return &eventlog.Named{Name: which, Receipt: r}, nil
}
