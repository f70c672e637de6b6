package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/retention"
	"github.com/muniment/muniment/internal/uid"
)

// Lifting a hold and shortening a retention are asked for by one person and approved by
// another one with another role. Unlike reading, they are carried out in the transaction
// that approves them: both can be undone, by a new hold and by a longer retention, and
// nothing is deleted by them.

// liftAbout is what a request to lift a hold is about.
type liftAbout struct {
	Hold uid.ID `json:"hold"`
	Name string `json:"name"` // as it was when it was asked for
}

// shortenAbout is what a request to shorten a retention is about.
type shortenAbout struct {
	Before settingData `json:"before"` // as it was when it was asked for
	After  settingData `json:"after"`
}

// LiftView is what a request to lift a hold is about, as the hold is now.
type LiftView struct {
	Hold     uid.ID
	Name     string
	Reason   string // of the hold
	Scope    HoldScope
	PlacedAt time.Time
}

// ShortenView is what a request to shorten a retention is about.
type ShortenView struct{ Before, After retention.Setting }

// carriesOut reports whether the approval of a request carries it out.
func carriesOut(r *catalog.AccessRequest) bool {
	k := access.Kind(r.Kind)
	return k == access.LiftHold || k == access.ShortenRetention
}

func liftOf(r *catalog.AccessRequest) (liftAbout, error) {
	var about liftAbout
	if err := json.Unmarshal(r.About, &about); err != nil {
		return about, fmt.Errorf("request %s: what it is about: %w", r.ID, err)
	}
	return about, nil
}

func shortenOf(r *catalog.AccessRequest) (shortenAbout, error) {
	var about shortenAbout
	if err := json.Unmarshal(r.About, &about); err != nil {
		return about, fmt.Errorf("request %s: what it is about: %w", r.ID, err)
	}
	return about, nil
}

// RequestLift asks somebody with another role to lift a hold. until is how long the
// request waits. Errors match access.ErrForbidden, catalog.ErrNotFound, ErrAccessOver if
// the hold was lifted already, ErrInvalid.
func (h *Handle) RequestLift(ctx context.Context, hold uid.ID, reason string, until time.Time) (*AccessView, error) {
	if err := h.actor.CheckRequest(access.LiftHold); err != nil {
		return nil, err
	}
	x, err := h.a.catalog.Hold(ctx, h.actor.Tenant, hold)
	if err != nil {
		return nil, err
	}
	if !x.InForce() {
		return nil, ErrAccessOver
	}
	return h.requestKept(ctx, access.LiftHold, liftAbout{Hold: hold, Name: x.Name}, reason, until)
}

// requestKept stores a request that its approval carries out.
func (h *Handle) requestKept(ctx context.Context, k access.Kind, about any, reason string, until time.Time) (*AccessView, error) {
	now := h.a.now().UTC().Truncate(time.Millisecond)
	r := &catalog.AccessRequest{Tenant: h.actor.Tenant, ID: uid.New(now), Kind: string(k), Addresses: []string{}, Reason: strings.TrimSpace(reason),
		RequestedBy: h.actor.User, RequestedRole: string(h.actor.Role), RequestedAt: now, ValidUntil: until.UTC().Truncate(time.Millisecond), State: catalog.AccessWaiting}
	if err := checkReason("reason", r.Reason, true); err != nil {
		return nil, inField("reason", err)
	}
	if d := r.ValidUntil.Sub(now); d < minGrantTime || d > access.MaxGrantTime {
		return nil, wrongField("until", "want a time between %d minutes and %d days from now", minGrantTime/time.Minute, access.MaxGrantTime/(24*time.Hour))
	}
	var err error
	if r.About, err = json.Marshal(about); err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	if err := h.a.catalog.AddAccessRequest(ctx, r, h.event("access.requested", r.ID.String(), accessDetails(r))); err != nil {
		return nil, err
	}
	return h.accessView(ctx, r, nil)
}

// keptDetails describes a request for the event log.
func keptDetails(r *catalog.AccessRequest) map[string]string {
	d := map[string]string{"kind": r.Kind, "reason": r.Reason, "valid_until": r.ValidUntil.Format(time.RFC3339), "role": r.RequestedRole}
	if about, err := liftOf(r); err == nil && access.Kind(r.Kind) == access.LiftHold {
		d["hold"], d["name"] = about.Hold.String(), about.Name
	}
	if about, err := shortenOf(r); err == nil && access.Kind(r.Kind) == access.ShortenRetention {
		about.Before.details("before.", d)
		about.After.details("after.", d)
	}
	return d
}

// aboutKept adds to a request what it is about.
func (h *Handle) aboutKept(ctx context.Context, v *AccessView) error {
	switch access.Kind(v.Kind) {
	case access.LiftHold:
		about, err := liftOf(&v.AccessRequest)
		if err != nil {
			return err
		}
		v.Lift = &LiftView{Hold: about.Hold, Name: about.Name}
		x, err := h.a.catalog.Hold(ctx, v.Tenant, about.Hold)
		if len(rowErrors(err)) > 0 || errors.Is(err, catalog.ErrNotFound) {
			return h.a.sound("holds", notFound(err)) // shown by its name alone
		}
		if err != nil {
			return err
		}
		v.Lift.Reason, v.Lift.PlacedAt = x.Reason, x.PlacedAt
		v.Lift.Scope, err = scopeOf(x)
		return err
	case access.ShortenRetention:
		about, err := shortenOf(&v.AccessRequest)
		v.Shorten = &ShortenView{about.Before.setting(), about.After.setting()}
		return err
	}
	return nil
}

// carryOutAct approves a request that the actor may decide on, and carries it out in the
// same transaction. Errors match ErrAccessOver.
func (h *Handle) carryOutAct(ctx context.Context, r *catalog.AccessRequest, now time.Time, note string) (*AccessView, error) {
	r.State, r.DecidedBy, r.DecidedRole, r.DecidedAt, r.Note = catalog.AccessDone, h.actor.User, string(h.actor.Role), now, note
	details := keptDetails(r)
	details["decided_role"], details["requested_by"] = r.DecidedRole, r.RequestedBy.String()
	if note != "" {
		details["note"] = note
	}
	do, done, err := h.carried(ctx, r, now)
	if err != nil {
		return nil, err
	}
	err = h.a.catalog.CarryOutAccess(ctx, r, do, h.event("access.approved", r.ID.String(), details), done)
	if errors.Is(err, catalog.ErrAccessState) || errors.Is(err, catalog.ErrLifted) {
		return nil, ErrAccessOver
	}
	if err != nil {
		return nil, err
	}
	if err := h.a.describeHolds(ctx, r.Tenant); err != nil {
		return nil, err
	}
	if err := h.a.describeTenant(ctx, r.Tenant); err != nil {
		return nil, err
	}
	return h.accessView(ctx, r, nil)
}

// carried says what the approval of a request does, and the event that tells of it.
func (h *Handle) carried(ctx context.Context, r *catalog.AccessRequest, now time.Time) (catalog.Carried, *catalog.Event, error) {
	by, approver := "user:"+r.RequestedBy.String(), h.who()
	details := map[string]string{"request": r.ID.String(), "requested_by": by, "reason": r.Reason}
	if access.Kind(r.Kind) == access.LiftHold {
		about, err := liftOf(r)
		if err != nil {
			return catalog.Carried{}, nil, err
		}
		x, err := h.a.catalog.Hold(ctx, r.Tenant, about.Hold)
		if err != nil {
			return catalog.Carried{}, nil, err
		}
		if !x.InForce() {
			return catalog.Carried{}, nil, ErrAccessOver
		}
		x.LiftedAt, x.LiftedBy, x.ApprovedBy, x.LiftReason = now, by, approver, r.Reason
		details["name"] = x.Name
		if s, err := scopeOf(x); err == nil {
			s.details(details)
		}
		return catalog.Carried{Lifted: x}, h.event("hold.lifted", x.ID.String(), details), nil
	}
	about, err := shortenOf(r)
	if err != nil {
		return catalog.Carried{}, nil, err
	}
	k, err := h.a.keeping(ctx, r.Tenant)
	if err != nil {
		return catalog.Carried{}, nil, err
	}
	after := about.After.setting()
	after.Zone = k.zone
	newSettingData(k.current(now)).details("before.", details)
	newSettingData(after).details("after.", details)
	row := settingRow(r.Tenant, after, now)
	row.Reason, row.SetBy, row.ApprovedBy = r.Reason, by, approver
	return catalog.Carried{Retention: row}, h.event("retention.shortened", "", details), nil
}
