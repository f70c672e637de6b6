package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// Actions of leaves that tell of a message. The digest of the first three is that
// of storedDigest; an entry of a later arrival has none.
const (
	actionStored      = "message.stored"
	actionQuarantined = "message.quarantined"
	actionRestored    = "message.restored" // the catalog had lost it, or the log
	actionCaptured    = "message.captured"
	// actionDeleted is the leaf of a tombstone: the message may be gone.
	actionDeleted = "message.deleted"
)

// maxAuditFindings bounds the findings that an audit names; all are counted.
const maxAuditFindings = 1000

// AuditCode names what an audit has found.
type AuditCode string

// Codes of findings.
const (
	AuditMissing   AuditCode = "missing"   // the log tells of a message that is not there, and of no deletion
	AuditUnlogged  AuditCode = "unlogged"  // a message is there of which the log does not tell
	AuditOther     AuditCode = "other"     // the message is not the one that the log tells of
	AuditDoubled   AuditCode = "doubled"   // the log tells twice that it came
	AuditArrivals  AuditCode = "arrivals"  // there are fewer or more arrivals of it than the log tells of
	AuditUnread    AuditCode = "unread"    // the row or the vault's record cannot be read: it cannot be compared
	AuditLogBroken AuditCode = "log"       // the log itself does not fit together
	AuditRevived   AuditCode = "revived"   // it was deleted by the log, and is there
	AuditReceipt   AuditCode = "receipt"   // a daily receipt does not fit the log, or its evidence record does not prove it
	AuditTombstone AuditCode = "tombstone" // log and tombstones tell of different deletions
)

// AuditFinding is one thing in which log and archive differ.
type AuditFinding struct {
	Code   AuditCode
	Object string // AOID, or what else
	What   string // English, for people
}

// AuditReport is the comparison of all messages of a tenant with its event log,
// both ways.
type AuditReport struct {
	StartedAt time.Time
	EndedAt   time.Time
	LogSize   int64  // events that were compared
	LogRoot   string // of exactly these events
	Entries   int64  // that tell that a message came
	Deleted   int64  // that tell that one was deleted
	Messages  int64  // that are there
	Matched   int64  // messages that are there with their entry and the same content
	Receipts  int64  // daily receipts that were compared with the log
	Stamped   int64  // of these, with a valid evidence record
	Found     int64  // findings
	Findings  []AuditFinding
}

// Complete reports whether log and archive tell the same.
func (r *AuditReport) Complete() bool { return r.Found == 0 }

// Audit compares the messages of the actor's tenant with its event log.
func (h *Handle) Audit(ctx context.Context) (*AuditReport, error) {
	if err := h.actor.Check(access.SeeLog); err != nil {
		return nil, err
	}
	r, err := h.a.audit(ctx, h.actor.Tenant)
	if err != nil {
		return nil, err
	}
	return r, h.a.catalog.AppendEvents(ctx, h.actor.Tenant, []*catalog.Event{h.event("log.audited", "", r.details())})
}

// Audit is that of a Handle, for the operator on the command line.
func (a *Archive) Audit(ctx context.Context, tenant uid.ID) (*AuditReport, error) {
	r, err := a.audit(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return r, a.catalog.AppendEvents(ctx, tenant, []*catalog.Event{a.cliEvent("log.audited", "", r.details())})
}

func (r *AuditReport) details() map[string]string {
	return map[string]string{"events": fmt.Sprint(r.LogSize), "messages": fmt.Sprint(r.Messages), "matched": fmt.Sprint(r.Matched), "receipts": fmt.Sprint(r.Receipts), "stamped": fmt.Sprint(r.Stamped),
		"findings": fmt.Sprint(r.Found)}
}

func (a *Archive) audit(ctx context.Context, tenant uid.ID) (*AuditReport, error) {
	u := &auditor{a: a, tenant: tenant, out: &AuditReport{StartedAt: a.now().UTC()}, known: map[uid.ID]*audited{}}
	for _, step := range []func(context.Context) error{u.messages, u.arrivals, u.tombstones, u.leaves, u.receipts, u.compare} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("compare the event log with the archive: %w", err)
		}
	}
	u.out.EndedAt = a.now().UTC()
	return u.out, nil
}

// audited is what is known of one message from both sides.
type audited struct {
	digest   string // of what is there; empty: unread
	logged   string // digest of the entry
	there    bool
	unread   bool
	entries  int // that it was stored or quarantined
	restored bool
	deleted  bool
	buried   bool // there is a tombstone
	arrivals int  // rows
	captured int  // entries of later arrivals
}

type auditor struct {
	a      *Archive
	tenant uid.ID
	out    *AuditReport
	known  map[uid.ID]*audited
}

func (u *auditor) find(code AuditCode, object, format string, args ...any) {
	u.out.Found++
	if len(u.out.Findings) < maxAuditFindings {
		u.out.Findings = append(u.out.Findings, AuditFinding{code, object, fmt.Sprintf(format, args...)})
	}
}

func (u *auditor) of(id uid.ID) *audited {
	x := u.known[id]
	if x == nil {
		x = &audited{}
		u.known[id] = x
	}
	return x
}

// messages reads all that is there. The salt of the digest is in the vault's record.
func (u *auditor) messages(ctx context.Context) error {
	return u.a.catalog.WalkMessages(ctx, u.tenant, func(m *catalog.Message, err error) error {
		u.out.Messages++
		if err != nil {
			u.find(AuditUnread, "row", "%v", err)
			return ctx.Err()
		}
		x := u.of(m.AOID)
		x.there = true
		if x.digest, err = u.digest(ctx, m); err != nil {
			x.unread = true
			u.find(AuditUnread, m.AOID.String(), "what the log's hash is salted with cannot be read: %v", err)
		}
		return ctx.Err()
	})
}

// digest computes what the log should tell of a message.
func (u *auditor) digest(ctx context.Context, m *catalog.Message) (string, error) {
	for n := 0; ; n++ {
		meta, err := u.a.vault.Meta(ctx, u.tenant, vault.Ref{Segment: m.Segment, Frame: m.Frame})
		if err == nil {
			rec, err := decodeRecord(meta)
			if err != nil {
				return "", err
			}
			return storedDigest(rec.Salt, m.SHA256), nil
		}
		again, gone := u.a.catalog.Message(ctx, u.tenant, m.AOID)
		if gone != nil || n >= askAgain || again.Segment == m.Segment && again.Frame == m.Frame {
			return "", err
		}
		m = again // a compaction has moved it
	}
}

func (u *auditor) arrivals(ctx context.Context) error {
	return u.a.catalog.WalkCaptures(ctx, u.tenant, func(c *catalog.Capture, err error) error {
		if err != nil {
			u.find(AuditUnread, "row", "%v", err)
			return ctx.Err()
		}
		u.of(c.AOID).arrivals++
		return ctx.Err()
	})
}

func (u *auditor) tombstones(ctx context.Context) error {
	return u.a.catalog.WalkTombstones(ctx, u.tenant, func(s *catalog.Tombstone, err error) error {
		if err != nil {
			u.find(AuditUnread, "row", "%v", err)
			return ctx.Err()
		}
		u.of(s.AOID).buried = true
		return ctx.Err()
	})
}

// leaves reads the log as it is by now: what was committed after the rows were read
// is in it too.
func (u *auditor) leaves(ctx context.Context) error {
	head, err := u.a.catalog.EventHead(ctx, u.tenant)
	if err != nil {
		return err
	}
	u.out.LogSize, u.out.LogRoot = head.Size, head.Root.String()
	err = u.a.catalog.WalkLeaves(ctx, u.tenant, 0, head.Size, func(e *catalog.Event, _ []byte) error {
		u.entry(e)
		return ctx.Err()
	})
	if bad := rowErrors(err); len(bad) > 0 {
		u.find(AuditLogBroken, "event log", "%v", err)
		return nil
	}
	return err
}

// entry takes note of what an event tells of a message.
func (u *auditor) entry(e *catalog.Event) {
	switch e.Action {
	case actionStored, actionQuarantined, actionRestored, actionCaptured, actionDeleted:
	default:
		return
	}
	id, err := uid.Parse(e.Object)
	if err != nil {
		u.find(AuditLogBroken, fmt.Sprintf("event %d", e.Seq), "it tells of a message without its number")
		return
	}
	x := u.of(id)
	switch e.Action {
	case actionCaptured:
		x.captured++
		return
	case actionDeleted:
		x.deleted = true
		u.out.Deleted++
		return
	case actionRestored:
		x.restored = true
	default:
		x.entries++
	}
	u.out.Entries++
	if x.logged != "" && x.logged != e.Digest {
		u.find(AuditOther, e.Object, "the log tells of two different contents")
	}
	x.logged = e.Digest
}

// compare draws the conclusions.
func (u *auditor) compare(ctx context.Context) error {
	for id, x := range u.known {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !x.there { // perhaps it came after the rows were read
			m, err := u.a.catalog.Message(ctx, u.tenant, id)
			if err == nil {
				u.out.Messages++
				x.there = true
				if x.digest, err = u.digest(ctx, m); err != nil {
					x.unread = true
				}
			} else if !errors.Is(err, catalog.ErrNotFound) && len(rowErrors(err)) == 0 {
				return err
			}
		}
		if err := u.judge(ctx, id, x); err != nil {
			return err
		}
	}
	return nil
}

func (u *auditor) judge(ctx context.Context, id uid.ID, x *audited) error {
	logged := x.entries > 0 || x.restored
	before := u.out.Found
	switch {
	case !x.there && !x.deleted && x.buried:
		u.find(AuditTombstone, id.String(), "it is not there and has a tombstone, but the log does not tell that it was deleted")
		return nil
	case !x.there && !x.deleted:
		u.find(AuditMissing, id.String(), "the log tells that it came, but it is not there, and no deletion is recorded")
		return nil
	case !x.there:
		return u.deletion(ctx, id, x)
	case x.deleted || x.buried:
		if _, err := u.a.catalog.Message(ctx, u.tenant, id); errors.Is(err, catalog.ErrNotFound) {
			return u.deletion(ctx, id, x) // it was deleted since
		}
		u.find(AuditRevived, id.String(), "it was deleted, but it is there")
	case !logged:
		u.find(AuditUnlogged, id.String(), "it is there, but the log does not tell that it came")
	case !x.unread && x.logged != x.digest:
		u.find(AuditOther, id.String(), "it is not the content that the log tells of")
	}
	if x.entries > 1 {
		u.find(AuditDoubled, id.String(), "the log tells %d times that it came", x.entries)
	}
	if logged && !x.restored && x.arrivals != 1+x.captured {
		now, err := u.a.catalog.Captures(ctx, u.tenant, id) // more may have come since
		if err != nil && len(rowErrors(err)) == 0 {
			return err
		}
		if x.arrivals > 1+x.captured || len(now) < 1+x.captured {
			u.find(AuditArrivals, id.String(), "it has %d arrivals, and the log tells of %d", len(now), 1+x.captured)
		}
	}
	if u.out.Found == before && !x.unread {
		u.out.Matched++
	}
	return nil
}

// deletion judges a message that is not there, and of whose deletion the log tells.
func (u *auditor) deletion(ctx context.Context, id uid.ID, x *audited) error {
	if x.buried {
		return nil
	}
	_, err := u.a.catalog.Tombstone(ctx, u.tenant, id) // perhaps it was deleted since
	if errors.Is(err, catalog.ErrNotFound) {
		u.find(AuditTombstone, id.String(), "the log tells that it was deleted, but there is no tombstone")
		return nil
	}
	if len(rowErrors(err)) > 0 {
		return nil // told of
	}
	return err
}

// logged returns the messages of which the log tells that they came, as far as it
// can be read.
func (a *Archive) logged(ctx context.Context, tenant uid.ID) (map[uid.ID]bool, error) {
	out := map[uid.ID]bool{}
	head, err := a.catalog.EventHead(ctx, tenant)
	if err == nil {
		err = a.catalog.WalkLeaves(ctx, tenant, 0, head.Size, func(e *catalog.Event, _ []byte) error {
			switch e.Action {
			case actionStored, actionQuarantined, actionRestored:
				if id, err := uid.Parse(e.Object); err == nil {
					out[id] = true
				}
			}
			return nil
		})
	}
	if len(rowErrors(err)) > 0 {
		err = nil // fsck tells of it; what is logged twice does no harm
	}
	return out, err
}
