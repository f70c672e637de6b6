package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// Deletion of single messages by people: one asks, another one with another role
// approves, and one of the two carries it out, all before the request ends.

// deletionAbout is what a request for deletion is about: catalog.AccessRequest.About.
type deletionAbout struct {
	Messages []uid.ID `json:"messages"`
}

// NewDeletion is what somebody asks to be deleted.
type NewDeletion struct {
	Messages []uid.ID
	Reason   string // needed before the end of the retention of any of them
	Until    time.Time
}

// DeletionMessage is one message that a request for deletion is about. It says nothing of
// what is in it: who decides need not read mail.
type DeletionMessage struct {
	AOID       uid.ID
	Class      string
	ReceivedAt time.Time
	Size       int64
	Due        time.Time // zero: it has none
	Holds      []uid.ID
	DeletedAt  time.Time // zero: it is there
	Missing    bool      // it is not there, and was not deleted
}

// GoneError is returned for a message that was deleted, to those who may know. It
// matches catalog.ErrNotFound.
type GoneError struct{ Tombstone *catalog.Tombstone }

// Error implements error.
func (e *GoneError) Error() string {
	return fmt.Sprintf("message %s was deleted on %s; a tombstone remains", e.Tombstone.AOID, e.Tombstone.DeletedAt.Format(time.DateOnly))
}

// Is makes it match catalog.ErrNotFound.
func (e *GoneError) Is(target error) bool { return target == catalog.ErrNotFound }

// gone makes of the error of a message that is not there a *GoneError, if it was deleted
// and the actor may know.
func (h *Handle) gone(ctx context.Context, id uid.ID, err error) error {
	if !errors.Is(err, catalog.ErrNotFound) || h.actor.Check(access.SeeTombstones) != nil {
		return err
	}
	s, none := h.a.catalog.Tombstone(ctx, h.actor.Tenant, id)
	if none != nil {
		return err
	}
	return &GoneError{s}
}

// RequestDeletion asks that messages are deleted for good. Errors match
// access.ErrForbidden, ErrInvalid, ErrKept.
func (h *Handle) RequestDeletion(ctx context.Context, n NewDeletion) (*AccessView, error) {
	if err := h.actor.CheckRequest(access.DeleteMessages); err != nil {
		return nil, err
	}
	list := slices.Compact(slices.SortedFunc(slices.Values(n.Messages), uid.ID.Compare))
	if len(list) == 0 || len(list) > maxErase {
		return nil, invalid("messages: want 1 to %d", maxErase)
	}
	now := h.a.now().UTC().Truncate(time.Millisecond)
	about, err := json.Marshal(deletionAbout{list})
	if err != nil {
		return nil, err
	}
	r := &catalog.AccessRequest{Tenant: h.actor.Tenant, ID: uid.New(now), Kind: string(access.DeleteMessages), Addresses: []string{}, Reason: strings.TrimSpace(n.Reason),
		RequestedBy: h.actor.User, RequestedRole: string(h.actor.Role), RequestedAt: now, ValidUntil: n.Until.UTC().Truncate(time.Millisecond),
		State: catalog.AccessWaiting, About: about}
	if err := checkReason("reason", r.Reason, false); err != nil {
		return nil, err
	}
	if d := r.ValidUntil.Sub(now); d < minGrantTime || d > access.MaxGrantTime {
		return nil, invalid("valid until: want a time between %d minutes and %d days from now", minGrantTime/time.Minute, access.MaxGrantTime/(24*time.Hour))
	}
	if _, err := h.a.mayGo(ctx, r.Tenant, list, h.a.judgeRequest(r)); err != nil {
		return nil, err
	}
	if err := h.a.catalog.AddAccessRequest(ctx, r, h.event("access.requested", r.ID.String(), accessDetails(r))); err != nil {
		return nil, err
	}
	return h.accessView(ctx, r, nil)
}

// judgeRequest refuses what is deleted before its time without a reason.
func (a *Archive) judgeRequest(r *catalog.AccessRequest) func(uid.ID, Retained) *KeptMessage {
	return func(id uid.ID, x Retained) *KeptMessage {
		if r.Reason != "" || !a.now().Before(x.Due) {
			return nil
		}
		return &KeptMessage{AOID: id, Class: x.Class, Due: x.Due}
	}
}

// deletion reads a request for deletion that the actor may see, and what it is about.
func (h *Handle) deletion(ctx context.Context, id uid.ID) (*catalog.AccessRequest, []uid.ID, error) {
	r, err := h.accessRequest(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	if access.Kind(r.Kind) != access.DeleteMessages {
		return nil, nil, fmt.Errorf("request for deletion %s: %w", id, catalog.ErrNotFound)
	}
	var about deletionAbout
	if err := json.Unmarshal(r.About, &about); err != nil {
		return nil, nil, fmt.Errorf("request for deletion %s: %w", id, err)
	}
	return r, about.Messages, nil
}

// aboutMessages are the messages that a request for deletion is about; none for others.
func aboutMessages(r *catalog.AccessRequest) []uid.ID {
	var about deletionAbout
	if access.Kind(r.Kind) != access.DeleteMessages || json.Unmarshal(r.About, &about) != nil {
		return nil
	}
	return about.Messages
}

// DeletionMessages lists what a request for deletion is about.
func (h *Handle) DeletionMessages(ctx context.Context, id uid.ID) ([]DeletionMessage, error) {
	r, list, err := h.deletion(ctx, id)
	if err != nil {
		return nil, err
	}
	kept, err := h.a.retained(ctx, r.Tenant, list)
	if err != nil {
		return nil, err
	}
	rows, err := h.a.catalog.Messages(ctx, r.Tenant, list)
	if err := h.a.sound("messages", err); err != nil {
		return nil, err
	}
	out := make([]DeletionMessage, len(list))
	for i, id := range list {
		x := &out[i]
		x.AOID = id
		if m := rows[id]; m != nil {
			x.Class, x.ReceivedAt, x.Size, x.Due, x.Holds = m.Class, m.ReceivedAt, m.Size, kept[id].Due, kept[id].Holds
			if k := kept[id]; k.Class != "" {
				x.Class = k.Class
			}
			continue
		}
		s, err := h.a.catalog.Tombstone(ctx, r.Tenant, id)
		switch {
		case err == nil:
			x.Class, x.ReceivedAt, x.Size, x.Due, x.DeletedAt = s.Class, s.ReceivedAt, s.Size, s.Due, s.DeletedAt
		case errors.Is(err, catalog.ErrNotFound) || len(rowErrors(err)) > 0:
			x.Missing = true
		default:
			return nil, err
		}
	}
	return out, nil
}

// carriesOut reports whether the actor is one of the two who may carry an approved
// request out.
func (h *Handle) carriesOut(r *catalog.AccessRequest) bool {
	k := access.Kind(r.Kind)
	if k != access.DeleteMessages || r.State != catalog.AccessApproved {
		return false
	}
	if h.actor.User == r.RequestedBy {
		return string(h.actor.Role) == r.RequestedRole && h.actor.CheckRequest(k) == nil
	}
	return h.actor.User == r.DecidedBy && string(h.actor.Role) == r.DecidedRole && h.actor.CheckDecision(k, r.RequestedBy, access.Role(r.RequestedRole)) == nil
}

// DeleteUnder deletes for good what an approved request is about, all or nothing: by
// whoever asked, or approved. It returns how many messages are gone. Errors match
// access.ErrForbidden, catalog.ErrNotFound, ErrAccessOver, ErrKept.
func (h *Handle) DeleteUnder(ctx context.Context, id uid.ID) (int, error) {
	r, list, err := h.deletion(ctx, id)
	if err != nil {
		return 0, err
	}
	now := h.a.now().UTC().Truncate(time.Millisecond)
	if r.State != catalog.AccessApproved || !now.Before(r.ValidUntil) {
		if h.actor.CheckRequest(access.DeleteMessages) != nil {
			return 0, fmt.Errorf("carry out a deletion: %w", access.ErrForbidden)
		}
		return 0, ErrAccessOver
	}
	if !h.carriesOut(r) {
		return 0, fmt.Errorf("request for deletion %s that the actor has asked for or approved: %w", id, catalog.ErrNotFound)
	}
	done := *r
	done.State, done.EndedBy, done.EndedAt = catalog.AccessDone, h.actor.User, now
	o := eraseOrder{list: list, judge: h.a.judgeRequest(r), request: &done, peer: h.actor.Peer, tombstone: catalog.Tombstone{AskedBy: r.RequestedBy, AskedRole: r.RequestedRole,
		ApprovedBy: r.DecidedBy, ApprovedRole: r.DecidedRole, CarriedBy: h.who(), Reason: r.Reason, Request: r.ID}}
	o.events = []*catalog.Event{h.event("access.done", r.ID.String(), map[string]string{"kind": r.Kind, "messages": strconv.Itoa(len(list))})}
	stones, err := h.a.erase(ctx, r.Tenant, o)
	if errors.Is(err, catalog.ErrAccessState) {
		err = ErrAccessOver
	}
	return len(stones), err
}

// DeleteUnder is Handle.DeleteUnder for the command line. It acts for the person who has
// asked, who has to hold the role still.
func (a *Archive) DeleteUnder(ctx context.Context, tenant, request uid.ID) (int, error) {
	r, err := a.catalog.AccessRequest(ctx, tenant, request)
	if err != nil {
		return 0, err
	}
	u, err := a.catalog.User(ctx, tenant, r.RequestedBy)
	if err != nil {
		return 0, err
	}
	if !mayLogIn(u, a.now()) {
		return 0, fmt.Errorf("whoever asked for the deletion is disabled: %w", access.ErrForbidden)
	}
	return a.As(access.Actor{Tenant: tenant, User: u.ID, Role: access.Role(u.Role), Peer: "command line"}).DeleteUnder(ctx, request)
}

// TombstoneView is a tombstone with the names of people.
type TombstoneView struct {
	catalog.Tombstone
	AskedByName, ApprovedByName string
}

// TombstonePage is some tombstones, those of the newest messages first.
type TombstonePage struct {
	Tombstones []TombstoneView
	Next       uid.ID // Before of the next page; zero: there is none
}

// tombstonePage is how many tombstones a page has.
const tombstonePage = 100

// Tombstones lists what was deleted: of one request, or all if it is zero.
func (h *Handle) Tombstones(ctx context.Context, request, before uid.ID) (*TombstonePage, error) {
	if err := h.actor.Check(access.SeeTombstones); err != nil {
		return nil, err
	}
	list, err := h.a.catalog.Tombstones(ctx, h.actor.Tenant, catalog.TombstoneFilter{Request: request, Before: before}, tombstonePage)
	if err := h.a.sound("tombstones", err); err != nil {
		return nil, err
	}
	names, err := h.names(ctx)
	if err != nil {
		return nil, err
	}
	out := &TombstonePage{Tombstones: make([]TombstoneView, len(list))}
	for i, s := range list {
		out.Tombstones[i] = TombstoneView{*s, names[s.AskedBy], names[s.ApprovedBy]}
	}
	if len(list) == tombstonePage {
		out.Next = list[len(list)-1].AOID
	}
	return out, nil
}
