package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// Bounds of holds.
const (
	maxHolds         = 200  // of a tenant, in force
	maxHoldMessages  = 1000 // of one
	maxHoldAddresses = 100
	maxHoldName      = 200 // bytes
)

// NewHold is a hold that somebody places. Exactly one of All, Addresses and Messages
// says what it covers. Days of arrival are those of the tenant's time zone, both
// inclusive; an empty one is open.
type NewHold struct {
	Name, Reason string
	All          bool
	Addresses    []string
	From, To     string
	Messages     []uid.ID
}

// HoldView is a hold with the names of people.
type HoldView struct {
	catalog.Hold
	Scope                                      HoldScope
	PlacedByName, LiftedByName, ApprovedByName string
	// Request is the request to lift it that waits for a decision; zero: none.
	Request uid.ID
}

// seesHolds reports whether the actor may know of the holds on a message that it reads,
// also while it reads other people's mail.
func (h *Handle) seesHolds() bool {
	return !h.actor.Program && h.actor.Role.OfTenant() && access.Allowed(h.actor.Role, access.SeeHolds)
}

// PlaceHold keeps what n covers from being deleted, from now on and without limit. It
// needs nobody else: it can harm nothing. Errors match access.ErrForbidden, ErrInvalid,
// catalog.ErrManyHolds.
func (h *Handle) PlaceHold(ctx context.Context, n NewHold) (*HoldView, error) {
	if err := h.actor.Check(access.PlaceHolds); err != nil {
		return nil, err
	}
	x := &catalog.Hold{Tenant: h.actor.Tenant, PlacedBy: h.who(), PlacedRole: string(h.actor.Role)}
	if err := h.a.placeHold(ctx, x, n, h.event); err != nil {
		return nil, err
	}
	return h.Hold(ctx, x.ID)
}

// PlaceHold is that of a Handle, for whoever runs the installation on the command line.
func (a *Archive) PlaceHold(ctx context.Context, tenant uid.ID, n NewHold) (*catalog.Hold, error) {
	x := &catalog.Hold{Tenant: tenant, PlacedBy: cliActor}
	return x, a.placeHold(ctx, x, n, a.cliEvent)
}

func (a *Archive) placeHold(ctx context.Context, x *catalog.Hold, n NewHold, act describeAct) error {
	now := a.now().UTC().Truncate(time.Millisecond)
	x.ID, x.PlacedAt, x.Name, x.Reason = uid.New(now), now, strings.TrimSpace(n.Name), strings.TrimSpace(n.Reason)
	if err := checkName(x.Name); err != nil || x.Name == "" || len(x.Name) > maxHoldName || !utf8.ValidString(x.Name) {
		return wrongField("name", "want a short line of at most %d bytes", maxHoldName)
	}
	if err := checkReason("reason", x.Reason, true); err != nil {
		return inField("reason", err)
	}
	w, err := a.work(x.Tenant)
	if err != nil {
		return err
	}
	w.storing.RLock() // messages that are listed must not go between the look for them and the hold
	defer w.storing.RUnlock()
	scope, err := a.newScope(ctx, x.Tenant, n)
	if err != nil {
		return err
	}
	if x.Scope, err = json.Marshal(scope); err != nil {
		return fmt.Errorf("hold: %w", err)
	}
	details := map[string]string{"name": x.Name, "reason": x.Reason}
	if x.PlacedRole != "" {
		details["role"] = x.PlacedRole
	}
	scope.details(details)
	if err := a.catalog.AddHold(ctx, x, maxHolds, act("hold.placed", x.ID.String(), details)); err != nil {
		return err
	}
	return a.describeHolds(ctx, x.Tenant)
}

// newScope checks what a hold is to cover.
func (a *Archive) newScope(ctx context.Context, tenant uid.ID, n NewHold) (s HoldScope, err error) {
	chosen := 0
	for _, is := range []bool{n.All, len(n.Addresses) > 0, len(n.Messages) > 0} {
		if is {
			chosen++
		}
	}
	if chosen != 1 {
		return s, wrongField("scope", "say whether it covers everything, the mail of addresses, or some messages")
	}
	if len(n.Messages) > 0 {
		if n.From != "" || n.To != "" {
			return s, wrongField("from", "a list of messages has no period")
		}
		s.Messages, err = a.listedMessages(ctx, tenant, n.Messages)
		return s, err
	}
	s.All = n.All
	if !n.All {
		if s.Addresses, err = Addresses(n.Addresses); err != nil {
			return s, inField("addresses", err)
		}
		slices.Sort(s.Addresses)
		if s.Addresses = slices.Compact(s.Addresses); len(s.Addresses) > maxHoldAddresses {
			return s, wrongField("addresses", "want at most %d", maxHoldAddresses)
		}
		if i := slices.IndexFunc(s.Addresses, func(x string) bool { return len(x) > maxAddress }); i >= 0 {
			return s, wrongField("addresses", "%.40q: want at most %d bytes", s.Addresses[i], maxAddress)
		}
	}
	t, err := a.catalog.Tenant(ctx, tenant)
	if err != nil {
		return s, err
	}
	zone, err := time.LoadLocation(t.Zone)
	if err != nil {
		zone = time.UTC
	}
	if s.From, s.To, err = days(n.From, n.To, zone); err != nil {
		return s, inField("from", err)
	}
	return s, nil
}

// listedMessages checks that messages are there: a hold on something else would protect
// nothing, and nobody would notice.
func (a *Archive) listedMessages(ctx context.Context, tenant uid.ID, list []uid.ID) ([]uid.ID, error) {
	list = slices.Clone(list)
	slices.SortFunc(list, uid.ID.Compare)
	if list = slices.Compact(list); len(list) > maxHoldMessages {
		return nil, wrongField("messages", "want at most %d", maxHoldMessages)
	}
	rows, err := a.catalog.Messages(ctx, tenant, list)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	for _, id := range list {
		if rows[id] == nil {
			if _, err := a.catalog.Message(ctx, tenant, id); len(rowErrors(err)) == 0 { // a damaged one can be held
				return nil, wrongField("messages", "there is no message %s", id)
			}
		}
	}
	return list, nil
}

// Holds lists the tenant's holds, the newest first, those that were lifted last.
func (h *Handle) Holds(ctx context.Context) ([]HoldView, error) {
	if err := h.actor.Check(access.SeeHolds); err != nil {
		return nil, err
	}
	list, err := h.a.catalog.Holds(ctx, h.actor.Tenant, false)
	if err := h.a.sound("holds", err); err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, func(x, y *catalog.Hold) int {
		switch {
		case x.InForce() == y.InForce():
			return 0
		case x.InForce():
			return -1
		}
		return 1
	})
	return h.holdViews(ctx, list)
}

// Hold returns one. catalog.ErrNotFound.
func (h *Handle) Hold(ctx context.Context, id uid.ID) (*HoldView, error) {
	if err := h.actor.Check(access.SeeHolds); err != nil {
		return nil, err
	}
	x, err := h.a.catalog.Hold(ctx, h.actor.Tenant, id)
	if err != nil {
		return nil, err
	}
	views, err := h.holdViews(ctx, []*catalog.Hold{x})
	if err != nil {
		return nil, err
	}
	return &views[0], nil
}

func (h *Handle) holdViews(ctx context.Context, list []*catalog.Hold) ([]HoldView, error) {
	names, err := h.names(ctx)
	if err != nil {
		return nil, err
	}
	waiting, err := h.liftsWaiting(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]HoldView, len(list))
	for i, x := range list {
		v := HoldView{Hold: *x, Request: waiting[x.ID], PlacedByName: nameOf(names, x.PlacedBy), LiftedByName: nameOf(names, x.LiftedBy), ApprovedByName: nameOf(names, x.ApprovedBy)}
		if v.Scope, err = scopeOf(x); err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// nameOf names who is meant by what the event log calls an actor.
func nameOf(names map[uid.ID]string, actor string) string {
	if s, ok := strings.CutPrefix(actor, "user:"); ok {
		if id, err := uid.Parse(s); err == nil {
			return names[id]
		}
	}
	return actor
}

// liftsWaiting returns the requests to lift a hold that wait for a decision, by hold.
func (h *Handle) liftsWaiting(ctx context.Context) (map[uid.ID]uid.ID, error) {
	list, err := h.a.catalog.AccessRequests(ctx, h.actor.Tenant, catalog.AccessFilter{States: []catalog.AccessState{catalog.AccessWaiting}}, maxRequests)
	if err := h.soundRequests(err); err != nil {
		return nil, err
	}
	out := map[uid.ID]uid.ID{}
	for _, r := range list {
		if access.Kind(r.Kind) == access.LiftHold && h.a.now().Before(r.ValidUntil) {
			if about, err := liftOf(r); err == nil {
				out[about.Hold] = r.ID
			}
		}
	}
	return out, nil
}

// kept returns ErrNotDeletable, wrapped, if something in the tenant must not be deleted:
// while a hold is in force, or nobody can tell whether one is.
func (a *Archive) kept(ctx context.Context, tenant uid.ID) error {
	list, err := a.catalog.Holds(ctx, tenant, true)
	if len(rowErrors(err)) > 0 {
		return fmt.Errorf("%w: rows of holds are damaged, so that nobody can tell what is held; muniment fsck tells more", ErrNotDeletable)
	}
	if err != nil {
		return err
	}
	if len(list) > 0 {
		return fmt.Errorf("%w: holds in force: %d. They have to be lifted by the customer first", ErrNotDeletable, len(list))
	}
	return nil
}

// HoldsOf lists the holds of a tenant, for whoever runs the installation on the command
// line. Rows that are damaged are missing and joined in the error.
func (a *Archive) HoldsOf(ctx context.Context, tenant uid.ID) ([]HoldView, error) {
	list, err := a.catalog.Holds(ctx, tenant, false)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	var out []HoldView
	for _, x := range list {
		s, bad := scopeOf(x)
		if bad != nil {
			err = errors.Join(err, bad)
			continue
		}
		out = append(out, HoldView{Hold: *x, Scope: s})
	}
	return out, err
}
