package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// HoldScope is what a hold covers: the whole tenant, or the mail of addresses, both
// within a period of arrival if there is one, also what arrives later; or a list of
// messages.
type HoldScope struct {
	All       bool      `json:"all,omitempty"`
	Addresses []string  `json:"addresses,omitempty"` // normalised
	From      time.Time `json:"from,omitzero"`       // arrival, From <= t < To; zero: open
	To        time.Time `json:"to,omitzero"`
	Messages  []uid.ID  `json:"messages,omitempty"` // ascending
}

// errScope is matched when the scope of a hold cannot be read: then nobody knows what it
// covers, and nothing may be deleted.
var errScope = errors.New("the scope of a hold cannot be read")

// heldBy is a hold in force, ready to be compared with messages.
type heldBy struct {
	catalog.Hold
	scope     HoldScope
	addresses []string // with those that mean the same
}

func scopeOf(h *catalog.Hold) (HoldScope, error) {
	var s HoldScope
	if err := json.Unmarshal(h.Scope, &s); err != nil {
		return s, fmt.Errorf("hold %s: %w: %w", h.ID, errScope, err)
	}
	return s, nil
}

// holdsInForce returns the holds of a tenant that are in force. An error means that
// nobody can tell what is held.
func (a *Archive) holdsInForce(ctx context.Context, tenant uid.ID) ([]*heldBy, error) {
	list, err := a.catalog.Holds(ctx, tenant, true)
	if err != nil {
		return nil, err
	}
	out := make([]*heldBy, len(list))
	for i, h := range list {
		out[i] = &heldBy{Hold: *h}
		if out[i].scope, err = scopeOf(h); err != nil {
			return nil, err
		}
		if len(out[i].scope.Addresses) == 0 {
			continue
		}
		rules, err := a.routing(ctx, tenant)
		if err != nil {
			return nil, err
		}
		out[i].addresses = rules.withAliases(out[i].scope.Addresses)
	}
	return out, nil
}

// holdsOn returns the ids of the holds that cover a message.
func (a *Archive) holdsOn(ctx context.Context, holds []*heldBy, row *catalog.Message) ([]uid.ID, error) {
	var out []uid.ID
	var parties []string
	known := false
	for _, x := range holds {
		if _, listed := slices.BinarySearchFunc(x.scope.Messages, row.AOID, uid.ID.Compare); listed {
			out = append(out, x.ID)
			continue
		}
		if !x.scope.All && len(x.addresses) == 0 {
			continue
		}
		if !x.scope.All && !known {
			known = true
			var err error
			if parties, err = a.partyAddresses(ctx, row); err != nil {
				return nil, err
			}
		}
		if !x.scope.All && !slices.ContainsFunc(parties, func(p string) bool { return slices.Contains(x.addresses, p) }) {
			continue
		}
		within, err := a.arrivedWithin(ctx, x.scope, row)
		if err != nil {
			return nil, err
		}
		if within {
			out = append(out, x.ID)
		}
	}
	return out, nil
}

// partyAddresses are the addresses that have to do with a message, also while it is in
// quarantine, where its row names nobody.
func (a *Archive) partyAddresses(ctx context.Context, row *catalog.Message) ([]string, error) {
	parties := row.Parties
	if row.Class == catalog.ClassQuarantine {
		e, err := a.catalog.QuarantinedMessage(ctx, row.Tenant, row.AOID)
		if err != nil {
			return nil, err
		}
		parties = slices.Concat(parties, e.Parties)
	}
	return accessList(parties), nil
}

// arrivedWithin reports whether a message has arrived within the period of a scope, at
// first or again.
func (a *Archive) arrivedWithin(ctx context.Context, s HoldScope, row *catalog.Message) (bool, error) {
	if s.within(row.ReceivedAt) {
		return true, nil
	}
	captures, err := a.catalog.Captures(ctx, row.Tenant, row.AOID)
	return slices.ContainsFunc(captures, func(c *catalog.Capture) bool { return s.within(c.ReceivedAt) }), err
}

func (s HoldScope) within(at time.Time) bool {
	return (s.From.IsZero() || !at.Before(s.From)) && (s.To.IsZero() || at.Before(s.To))
}

// details describes a scope for the event log.
func (s HoldScope) details(d map[string]string) {
	switch {
	case s.All:
		d["scope"] = "all"
	case len(s.Addresses) > 0:
		d["scope"], d["addresses"] = "addresses", bounded(s.Addresses)
	default:
		list := make([]string, len(s.Messages))
		for i, id := range s.Messages {
			list[i] = id.String()
		}
		d["scope"], d["messages"], d["list"] = "messages", strconv.Itoa(len(list)), bounded(list)
	}
	for k, v := range map[string]time.Time{"arrived_from": s.From, "arrived_to": s.To} {
		if !v.IsZero() {
			d[k] = v.UTC().Format(time.RFC3339)
		}
	}
}
