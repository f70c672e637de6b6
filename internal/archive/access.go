package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/index/query"
	"github.com/muniment/muniment/internal/uid"
)

// ErrAccessOver is returned (wrapped) when somebody wants to read, decide or end what
// has ended, expired, or been decided already.
var ErrAccessOver = errors.New("this access has ended, or somebody has decided on it already")

// Bounds of requests for access.
const (
	maxReason       = 2000 // bytes
	minReason       = 10   // runes: a word is no reason
	maxGrantQuery   = 1000 // bytes
	minGrantTime    = 5 * time.Minute
	maxRequests     = 1000 // that a list shows
	accessStateOver = catalog.AccessState("expired")
)

// NewAccess is what somebody asks for. Days are those of the tenant's time zone, such
// as 2026-01-31, both inclusive; an empty one is open.
type NewAccess struct {
	Kind      access.Kind
	Addresses []string
	Query     string
	From, To  string
	Reason    string
	Covert    string // why the people concerned are not to be told; empty: they are
	Until     time.Time
}

// AccessView is a request with the names of people.
type AccessView struct {
	catalog.AccessRequest
	RequestedByName, DecidedByName, EndedByName string
	// Lift is what a request to lift a hold is about, Shorten what one to shorten a
	// retention is about; nil for other kinds.
	Lift    *LiftView
	Shorten *ShortenView
	// State is that of the row, or "expired" for what waits or is approved and whose
	// time is over.
	State catalog.AccessState
	// MayDecide says that the actor may approve or refuse it now, MayRead that the
	// actor may read under it now, MayEnd that the actor may withdraw or end it now,
	// MayCarryOut that the actor may carry out now what it asks for.
	MayDecide, MayRead, MayEnd, MayCarryOut bool
	Messages                                int // that a deletion is about
}

// RequestAccess asks for access to other people's mail. Whatever is wrong is told at
// once, as *FieldErrors, and *query.Error for the query, joined. Errors match
// access.ErrForbidden, ErrInvalid, *query.Error.
func (h *Handle) RequestAccess(ctx context.Context, n NewAccess) (*AccessView, error) {
	if err := h.actor.CheckRequest(n.Kind); err != nil {
		return nil, err
	}
	if !n.Kind.Reads() {
		return nil, wrongField("kind", "%q is no access to mail; it has a way of its own", n.Kind)
	}
	now := h.a.now().UTC().Truncate(time.Millisecond)
	r := &catalog.AccessRequest{Tenant: h.actor.Tenant, ID: uid.New(now), Kind: string(n.Kind), Query: strings.TrimSpace(n.Query), Reason: strings.TrimSpace(n.Reason),
		Covert: strings.TrimSpace(n.Covert), RequestedBy: h.actor.User, RequestedRole: string(h.actor.Role), RequestedAt: now,
		ValidUntil: n.Until.UTC().Truncate(time.Millisecond), State: catalog.AccessWaiting}
	if err := h.checkAccess(ctx, r, &n); err != nil {
		return nil, err
	}
	if err := h.a.catalog.AddAccessRequest(ctx, r, h.event("access.requested", r.ID.String(), accessDetails(r))); err != nil {
		return nil, err
	}
	return h.accessView(ctx, r, nil)
}

// accessDetails describes a request for the event log.
func accessDetails(r *catalog.AccessRequest) map[string]string {
	if carriesOut(r) {
		return keptDetails(r)
	}
	d := map[string]string{"kind": r.Kind, "addresses": bounded(r.Addresses), "reason": r.Reason, "valid_until": r.ValidUntil.Format(time.RFC3339), "role": r.RequestedRole}
	for k, v := range map[string]string{"query": r.Query, "covert": r.Covert} {
		if v != "" {
			d[k] = v
		}
	}
	if list := aboutMessages(r); len(list) > 0 {
		ids := make([]string, len(list))
		for i, id := range list {
			ids[i] = id.String()
		}
		d["messages"], d["objects"] = strconv.Itoa(len(list)), bounded(ids)
		delete(d, "addresses")
	}
	for k, v := range map[string]time.Time{"mail_from": r.From, "mail_to": r.To} {
		if !v.IsZero() {
			d[k] = v.UTC().Format(time.RFC3339)
		}
	}
	return d
}

// AccessRequests lists the newest requests, an auditor's own or all of the tenant.
func (h *Handle) AccessRequests(ctx context.Context) ([]*AccessView, error) {
	if err := h.actor.Check(access.SeeAccessRequests); err != nil {
		return nil, err
	}
	f := catalog.AccessFilter{}
	if !h.actor.SeesAllRequests() && h.actor.Check(access.DecideActs) != nil {
		f.RequestedBy = h.actor.User
	}
	list, err := h.a.catalog.AccessRequests(ctx, h.actor.Tenant, f, maxRequests)
	if err := h.soundRequests(err); err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(r *catalog.AccessRequest) bool { return !h.actor.SeesRequest(access.Kind(r.Kind), r.RequestedBy) })
	names, err := h.names(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]*AccessView, len(list))
	for i, r := range list {
		if out[i], err = h.accessView(ctx, r, names); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// soundRequests logs damaged rows of a list, which goes on without them.
func (h *Handle) soundRequests(err error) error {
	if len(rowErrors(err)) > 0 {
		h.a.log.Error("rows of requests for access are damaged; muniment fsck tells more", "tenant", h.actor.Tenant, "error", err)
		return nil
	}
	return err
}

// names are those of the tenant's users.
func (h *Handle) names(ctx context.Context) (map[uid.ID]string, error) {
	users, err := h.a.catalog.Users(ctx, h.actor.Tenant)
	if err := h.soundRequests(err); err != nil {
		return nil, err
	}
	out := map[uid.ID]string{}
	for _, u := range users {
		out[u.ID] = u.Name
	}
	return out, nil
}

func (h *Handle) accessView(ctx context.Context, r *catalog.AccessRequest, names map[uid.ID]string) (*AccessView, error) {
	if names == nil {
		var err error
		if names, err = h.names(ctx); err != nil {
			return nil, err
		}
	}
	v := &AccessView{AccessRequest: *r, State: r.State, RequestedByName: names[r.RequestedBy], DecidedByName: names[r.DecidedBy], EndedByName: names[r.EndedBy]}
	open := r.State == catalog.AccessWaiting || r.State == catalog.AccessApproved
	if open && !h.a.now().Before(r.ValidUntil) {
		v.State, open = accessStateOver, false
	}
	v.MayDecide = v.State == catalog.AccessWaiting && h.actor.CheckDecision(access.Kind(r.Kind), r.RequestedBy, access.Role(r.RequestedRole)) == nil
	v.MayCarryOut = v.State == catalog.AccessApproved && h.carriesOut(r)
	v.Messages = len(aboutMessages(r))
	v.MayRead = v.State == catalog.AccessApproved && h.reads(r)
	v.MayEnd = open && (h.actor.User == r.RequestedBy || v.State == catalog.AccessApproved && h.actor.Check(access.DecideRight(access.Kind(r.Kind))) == nil)
	return v, h.aboutKept(ctx, v)
}

// reads reports whether the actor is who may read under a request, as far as the
// person goes.
func (h *Handle) reads(r *catalog.AccessRequest) bool {
	return access.Kind(r.Kind).Reads() && h.actor.User == r.RequestedBy && string(h.actor.Role) == r.RequestedRole && h.actor.CheckRequest(access.Kind(r.Kind)) == nil
}

// AccessRequest returns a request that the actor may see. catalog.ErrNotFound.
func (h *Handle) AccessRequest(ctx context.Context, id uid.ID) (*AccessView, error) {
	r, err := h.accessRequest(ctx, id)
	if err != nil {
		return nil, err
	}
	return h.accessView(ctx, r, nil)
}

func (h *Handle) accessRequest(ctx context.Context, id uid.ID) (*catalog.AccessRequest, error) {
	if err := h.actor.Check(access.SeeAccessRequests); err != nil {
		return nil, err
	}
	r, err := h.a.catalog.AccessRequest(ctx, h.actor.Tenant, id)
	if err != nil {
		return nil, err
	}
	if !h.actor.SeesRequest(access.Kind(r.Kind), r.RequestedBy) {
		return nil, fmt.Errorf("request for access %s: %w", id, catalog.ErrNotFound)
	}
	return r, nil
}

// DecideAccess approves or refuses what somebody else with another role asks for.
// Errors match access.ErrForbidden, catalog.ErrNotFound, ErrAccessOver, ErrInvalid.
func (h *Handle) DecideAccess(ctx context.Context, id uid.ID, approve bool, note string) (*AccessView, error) {
	r, err := h.accessRequest(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := h.actor.CheckDecision(access.Kind(r.Kind), r.RequestedBy, access.Role(r.RequestedRole)); err != nil {
		return nil, err
	}
	if note = strings.TrimSpace(note); len(note) > maxReason || !utf8.ValidString(note) {
		return nil, wrongField("note", "want at most %d bytes of text", maxReason)
	}
	now := h.a.now().UTC().Truncate(time.Millisecond)
	if r.State != catalog.AccessWaiting || !now.Before(r.ValidUntil) {
		return nil, ErrAccessOver
	}
	if approve {
		if err := h.a.stillMay(ctx, r); err != nil {
			return nil, err
		}
	}
	if approve && carriesOut(r) {
		return h.carryOutAct(ctx, r, now, note)
	}
	action := "access.refused"
	r.State = catalog.AccessRefused
	if approve {
		action, r.State = "access.approved", catalog.AccessApproved
	}
	r.DecidedBy, r.DecidedRole, r.DecidedAt, r.Note = h.actor.User, string(h.actor.Role), now, note
	details := accessDetails(r)
	details["decided_role"], details["requested_by"] = r.DecidedRole, r.RequestedBy.String()
	if note != "" {
		details["note"] = note
	}
	return h.settle(ctx, r, catalog.AccessWaiting, h.event(action, id.String(), details))
}

// stillMay refuses to approve what somebody asks for who could not ask for it any more.
// Approvals that are carried out at once would otherwise be one person's act.
func (a *Archive) stillMay(ctx context.Context, r *catalog.AccessRequest) error {
	u, err := a.catalog.User(ctx, r.Tenant, r.RequestedBy)
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	if err != nil || u.Role != r.RequestedRole || !mayLogIn(u, a.now()) {
		return wrongField("approve", "whoever asked for it is disabled or has another role by now; refuse it")
	}
	return nil
}

// Deciders lists the users who may decide on a request, and can log in to do so.
func (h *Handle) Deciders(ctx context.Context, v *AccessView) ([]*catalog.User, error) {
	users, err := h.a.catalog.Users(ctx, h.actor.Tenant)
	if err := h.soundRequests(err); err != nil {
		return nil, err
	}
	now := h.a.now()
	return slices.DeleteFunc(users, func(u *catalog.User) bool {
		a := access.Actor{Tenant: u.Tenant, User: u.ID, Role: access.Role(u.Role)}
		return !mayLogIn(u, now) || a.CheckDecision(access.Kind(v.Kind), v.RequestedBy, access.Role(v.RequestedRole)) != nil
	}), nil
}

func (h *Handle) settle(ctx context.Context, r *catalog.AccessRequest, was catalog.AccessState, e *catalog.Event) (*AccessView, error) {
	err := h.a.catalog.SettleAccess(ctx, r, was, e)
	if errors.Is(err, catalog.ErrAccessState) {
		return nil, ErrAccessOver
	}
	if err != nil {
		return nil, err
	}
	return h.accessView(ctx, r, nil)
}

// EndAccess withdraws a request that waits, by whoever asked, or ends an approved one
// early, by whoever asked or somebody who may decide. Errors match
// access.ErrForbidden, catalog.ErrNotFound, ErrAccessOver.
func (h *Handle) EndAccess(ctx context.Context, id uid.ID) (*AccessView, error) {
	r, err := h.accessRequest(ctx, id)
	if err != nil {
		return nil, err
	}
	if r.RequestedBy != h.actor.User {
		if err := h.actor.Check(access.DecideRight(access.Kind(r.Kind))); err != nil {
			return nil, err
		}
	}
	was := r.State
	now := h.a.now().UTC().Truncate(time.Millisecond)
	switch {
	case !now.Before(r.ValidUntil):
		return nil, ErrAccessOver
	case was == catalog.AccessApproved:
		r.State = catalog.AccessEnded
	case was == catalog.AccessWaiting && r.RequestedBy == h.actor.User:
		r.State = catalog.AccessWithdrawn
	default:
		return nil, ErrAccessOver
	}
	r.EndedBy, r.EndedAt = h.actor.User, now
	return h.settle(ctx, r, was, h.event("access."+string(r.State), id.String(), nil))
}

// InGrant returns the archive as the actor sees it under an approved request: the mail
// of its addresses, period and query, and nothing else, not even the actor's own. What
// is read is recorded before it is handed out. Errors match access.ErrForbidden,
// catalog.ErrNotFound, ErrAccessOver.
func (a *Archive) InGrant(ctx context.Context, actor access.Actor, id uid.ID) (*Handle, error) {
	h := a.As(actor)
	r, err := h.accessRequest(ctx, id)
	if err != nil {
		return nil, err
	}
	if !h.reads(r) {
		return nil, fmt.Errorf("reading under a request of somebody else: %w", access.ErrForbidden)
	}
	if r.State != catalog.AccessApproved || !a.now().Before(r.ValidUntil) {
		return nil, ErrAccessOver
	}
	rules, err := a.routing(ctx, actor.Tenant)
	if err != nil {
		return nil, err
	}
	actor.Addresses = rules.mailboxAddresses(r.Addresses)
	kind := access.Kind(r.Kind)
	actor.Grant = &access.Grant{Request: r.ID, Kind: kind, All: kind == access.Export && len(r.Addresses) == 0, From: r.From, To: r.To, Query: r.Query, Until: r.ValidUntil}
	return a.As(actor), nil
}

// narrow adds what the grant allows to a query.
func (h *Handle) narrow(ctx context.Context, q *query.Query) (*query.Query, error) {
	g := h.actor.Grant
	if g == nil {
		return q, nil
	}
	limit, err := h.parse(ctx, g.Query)
	if err != nil {
		return nil, fmt.Errorf("query of the request for access: %w", ErrAccessOver) // it could be parsed when it was made
	}
	return q.Within(limit, g.From, g.To), nil
}
