package catalog

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/muniment/muniment/internal/uid"
)

// ErrAccessState is returned (wrapped) when a request for access is not in the state
// that an act needs, for instance because somebody else has decided already.
var ErrAccessState = errors.New("the request is in another state")

// AccessState tells what became of a request for access.
type AccessState string

// States of a request. Whether its time is over, its ValidUntil tells.
const (
	AccessWaiting   AccessState = "waiting"
	AccessApproved  AccessState = "approved"
	AccessRefused   AccessState = "refused"
	AccessWithdrawn AccessState = "withdrawn" // before anybody had decided
	AccessEnded     AccessState = "ended"     // early, after it was approved
	AccessDone      AccessState = "done"      // approved, and carried out with it
)

// AccessRequest asks for access to other people's mail.
type AccessRequest struct {
	Tenant        uid.ID
	ID            uid.ID
	Kind          string    // an access.Kind
	Addresses     []string  // normalised
	Query         string    // only what it finds; empty: everything
	From, To      time.Time // date of mail, From <= date < To, seconds; zero: open
	Reason        string
	Covert        string // why the people concerned are not told; empty: they are
	RequestedBy   uid.ID
	RequestedRole string
	RequestedAt   time.Time
	ValidUntil    time.Time
	State         AccessState
	DecidedBy     uid.ID // zero: nobody has
	DecidedRole   string
	DecidedAt     time.Time
	Note          string // of who decided
	EndedBy       uid.ID // who withdrew it or ended it early
	EndedAt       time.Time
	// About is what a request of another kind than reading is about: JSON, as who
	// carries it out reads it. Empty: nothing but what stands above.
	About []byte
}

type accessRow struct {
	bun.BaseModel `bun:"table:access_request,alias:ar"`

	Tenant        blob     `bun:"tenant"`
	ID            blob     `bun:"id"`
	Kind          text     `bun:"kind"`
	Addresses     document `bun:"addresses"`
	Query         text     `bun:"query"`
	MailFrom      num      `bun:"mail_from"`
	MailTo        num      `bun:"mail_to"`
	Reason        text     `bun:"reason"`
	Covert        text     `bun:"covert"`
	RequestedBy   blob     `bun:"requested_by"`
	RequestedRole text     `bun:"requested_role"`
	RequestedAt   num      `bun:"requested_at"`
	ValidUntil    num      `bun:"valid_until"`
	State         text     `bun:"state"`
	DecidedBy     blob     `bun:"decided_by"`
	DecidedRole   text     `bun:"decided_role"`
	DecidedAt     num      `bun:"decided_at"`
	Note          text     `bun:"note"`
	EndedBy       blob     `bun:"ended_by"`
	EndedAt       num      `bun:"ended_at"`
	About         document `bun:"about"`
	Checksum      blob     `bun:"checksum"`
}

func newAccessRow(a *AccessRequest) (*accessRow, error) {
	list, err := toDocument(a.Addresses)
	r := &accessRow{Tenant: a.Tenant[:], ID: a.ID[:], Kind: text(a.Kind), Addresses: list, Query: text(a.Query), Reason: text(a.Reason), Covert: text(a.Covert),
		RequestedBy: a.RequestedBy[:], RequestedRole: text(a.RequestedRole), RequestedAt: millis(a.RequestedAt), ValidUntil: millis(a.ValidUntil),
		State: text(a.State), DecidedBy: orEmpty(a.DecidedBy), DecidedRole: text(a.DecidedRole), Note: text(a.Note), EndedBy: orEmpty(a.EndedBy), About: document(a.About)}
	for _, m := range []struct {
		to   *num
		from time.Time
		make func(time.Time) num
	}{{&r.MailFrom, a.From, seconds}, {&r.MailTo, a.To, seconds}, {&r.DecidedAt, a.DecidedAt, millis}, {&r.EndedAt, a.EndedAt, millis}} {
		if !m.from.IsZero() {
			*m.to = m.make(m.from)
		}
	}
	r.Checksum = r.sum()
	return r, err
}

// orEmpty is the column of an id that may be missing.
func orEmpty(id uid.ID) blob {
	if id.IsZero() {
		return blob{}
	}
	return id[:]
}

func (r *accessRow) sum() blob {
	s := newSummer(nil, "access_request", GroupRow).bytes(r.Tenant, r.ID).text(r.Kind).document(r.Addresses).text(r.Query).num(r.MailFrom, r.MailTo).
		text(r.Reason, r.Covert).bytes(r.RequestedBy).text(r.RequestedRole).num(r.RequestedAt, r.ValidUntil).text(r.State).bytes(r.DecidedBy).
		text(r.DecidedRole).num(r.DecidedAt).text(r.Note).bytes(r.EndedBy).num(r.EndedAt)
	if r.About != "" { // rows keep the check sum that they had before there was this column
		s = s.document(r.About)
	}
	return s.sum()
}

func (r *accessRow) verify() *RowError {
	return differs(r.Checksum, r.sum(), RowError{Table: "access_request", Object: idText(r.ID)})
}

func (r *accessRow) model() (*AccessRequest, error) {
	a := &AccessRequest{Tenant: toID(r.Tenant), ID: toID(r.ID), Kind: string(r.Kind), Query: string(r.Query), Reason: string(r.Reason), Covert: string(r.Covert),
		RequestedBy: toID(r.RequestedBy), RequestedRole: string(r.RequestedRole), RequestedAt: r.RequestedAt.millis(), ValidUntil: r.ValidUntil.millis(),
		State: AccessState(r.State), DecidedBy: toID(r.DecidedBy), DecidedRole: string(r.DecidedRole), Note: string(r.Note), EndedBy: toID(r.EndedBy)}
	if r.About != "" {
		a.About = []byte(r.About)
	}
	if r.MailFrom != 0 {
		a.From = r.MailFrom.seconds()
	}
	if r.MailTo != 0 {
		a.To = r.MailTo.seconds()
	}
	if r.DecidedAt != 0 {
		a.DecidedAt = r.DecidedAt.millis()
	}
	if r.EndedAt != 0 {
		a.EndedAt = r.EndedAt.millis()
	}
	return a, r.Addresses.into(&a.Addresses)
}

// AddAccessRequest stores a new request together with the events that tell of it.
func (c *Catalog) AddAccessRequest(ctx context.Context, a *AccessRequest, events ...*Event) error {
	r, err := newAccessRow(a)
	if err == nil {
		err = c.withEvents(ctx, a.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewInsert().Model(r).Exec(ctx)
			return err
		})
	}
	return c.wrap(err, "request for access %s", a.ID)
}

// AccessRequest returns a request of a tenant. ErrNotFound.
func (c *Catalog) AccessRequest(ctx context.Context, tenant, id uid.ID) (*AccessRequest, error) {
	a, err := one[AccessRequest](ctx, new(accessRow), c.read.NewSelect().Where("tenant = ?", tenant).Where("id = ?", id))
	return a, c.wrap(err, "request for access %s", id)
}

// AccessFilter chooses requests. Zero members choose all.
type AccessFilter struct {
	RequestedBy uid.ID
	States      []AccessState
}

// AccessRequests returns at most limit requests of a tenant, the newest first. Rows
// that fail their check sum are missing and joined as *RowError in the error, beside
// the good ones.
func (c *Catalog) AccessRequests(ctx context.Context, tenant uid.ID, f AccessFilter, limit int) ([]*AccessRequest, error) {
	q := c.read.NewSelect().Where("tenant = ?", tenant).Order("id DESC")
	if !f.RequestedBy.IsZero() {
		q = q.Where("requested_by = ?", f.RequestedBy)
	}
	if len(f.States) > 0 {
		states := make([]text, len(f.States))
		for i, s := range f.States {
			states[i] = text(s)
		}
		q = q.Where("state IN (?)", bun.List(states))
	}
	list, err := all[accessRow, AccessRequest](ctx, atMost(q, limit))
	return list, c.wrap(err, "requests for access")
}

// SettleAccess writes what became of a request, which must be in the state was until
// then, together with the events that tell of it. ErrAccessState, ErrNotFound.
func (c *Catalog) SettleAccess(ctx context.Context, a *AccessRequest, was AccessState, events ...*Event) error {
	r, err := newAccessRow(a)
	if err == nil {
		err = c.withEvents(ctx, a.Tenant, events, func(ctx context.Context, tx bun.Tx) error {
			if err := c.inAccessState(ctx, tx, a.Tenant, a.ID, was, time.Time{}); err != nil {
				return err
			}
			return changed(tx.NewUpdate().Model(r).Where("tenant = ?", a.Tenant).Where("id = ?", a.ID).Exec(ctx))
		})
	}
	return c.wrap(err, "settle request for access %s", a.ID)
}

// inAccessState returns ErrAccessState unless the request is in the state, and, if at
// is not zero, its time is not over then. The request stays so until the transaction
// ends.
func (c *Catalog) inAccessState(ctx context.Context, tx bun.Tx, tenant, id uid.ID, want AccessState, at time.Time) error {
	now, err := one[AccessRequest](ctx, new(accessRow), c.locked(tx.NewSelect().Where("tenant = ?", tenant).Where("id = ?", id)))
	if err != nil {
		return err
	}
	if now.State != want || !at.IsZero() && !at.Before(now.ValidUntil) {
		return ErrAccessState
	}
	return nil
}
