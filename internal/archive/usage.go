package archive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// docs/limits.md says in plain words what is counted here.

// historyAge is the age from which on a message is history when it arrives: it was
// written in another month and counts for no mailbox of this one.
const historyAge = 31 * 24 * time.Hour

// usageBatch is how many messages are counted in one transaction.
const usageBatch = 2000

// maxUsageAddresses bounds the addresses that are told apart in a month: beyond them
// no mailbox is counted. It is far above what any limit is set to.
const maxUsageAddresses = 200_000

// monthOf names the calendar month of a time, in UTC.
func monthOf(t time.Time) string { return t.UTC().Format("2006-01") }

// CountUsage brings what all tenants have used up to date, and tells of limits that
// are nearly or wholly reached. What goes wrong for one tenant does not keep it from
// the others. It costs one pass over the messages that are new since the last time.
func (a *Archive) CountUsage(ctx context.Context) error {
	a.hierarchy.counting.Lock()
	defer a.hierarchy.counting.Unlock()
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range tenants {
		if err := a.countTenant(ctx, t.ID); err != nil {
			errs = append(errs, fmt.Errorf("usage of tenant %s: %w", t.Slug, err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.Join(append(errs, a.warnOfLimits(ctx))...)
}

func (a *Archive) countTenant(ctx context.Context, tenant uid.ID) error {
	c, err := a.newCounter(ctx, tenant)
	if err != nil {
		return err
	}
	for {
		from, err := a.catalog.Counted(ctx, tenant)
		if err != nil {
			return err
		}
		list, err := a.catalog.MessagesAfter(ctx, tenant, from, usageBatch)
		if err := a.sound("messages", err); err != nil {
			return err
		}
		last := from
		if len(list) == 0 { // damaged rows must not stop the count for ever
			if head, err := a.catalog.Head(ctx, tenant); err != nil || head <= from {
				return errors.Join(err, a.refresh(ctx, c, from))
			}
			last = from + 1
		}
		months := map[string]*catalog.Usage{}
		for _, m := range list {
			c.count(months, m)
			last = max(last, m.Seq)
		}
		c.month(months, monthOf(a.now()))
		for _, u := range months {
			u.Counted = last
		}
		if _, err := a.catalog.AddUsage(ctx, tenant, from, slices.Collect(maps.Values(months)), c.finish); err != nil {
			return err
		}
	}
}

// refresh writes the figures of this month anew: since they were counted, addresses
// may have become shared, and segments smaller.
func (a *Archive) refresh(ctx context.Context, c *counter, counted int64) error {
	months := map[string]*catalog.Usage{}
	u := c.month(months, monthOf(a.now()))
	u.Counted = counted
	list, err := a.catalog.UsageOf(ctx, c.tenant)
	if err := a.sound("usage", err); err != nil {
		return err
	}
	for _, old := range list {
		if old.Month != u.Month {
			continue
		}
		same := *old
		if c.finish(&same); same.UsageFigures == old.UsageFigures {
			return nil
		}
	}
	_, err = a.catalog.AddUsage(ctx, c.tenant, counted, []*catalog.Usage{u}, c.finish)
	return err
}

// counter counts the usage of one tenant.
type counter struct {
	tenant uid.ID
	rules  *routing
	known  map[string]int  // addresses of users, with how many have them
	shared map[string]bool // that somebody has said are shared
	stored int64
}

func (a *Archive) newCounter(ctx context.Context, tenant uid.ID) (*counter, error) {
	c := &counter{tenant: tenant, known: map[string]int{}, shared: map[string]bool{}}
	var err error
	if c.rules, err = a.routing(ctx, tenant); err != nil {
		return nil, err
	}
	users, err := a.catalog.Users(ctx, tenant)
	if err := a.sound("users", err); err != nil {
		return nil, err
	}
	for _, u := range users {
		own := map[string]bool{}
		for _, address := range u.Addresses {
			own[c.rules.mainAddress(address)] = true
		}
		for address := range own {
			c.known[address]++
		}
	}
	care, err := a.catalog.Care(ctx, tenant)
	if err := a.sound("care of tenants", err); err != nil {
		return nil, err
	}
	if care != nil {
		for _, address := range care.Shared {
			c.shared[c.rules.mainAddress(address)] = true
		}
	}
	c.stored, err = a.catalog.StoredBytes(ctx, tenant)
	return c, err
}

func (c *counter) month(months map[string]*catalog.Usage, name string) *catalog.Usage {
	u := months[name]
	if u == nil {
		u = &catalog.Usage{Tenant: c.tenant, Month: name}
		months[name] = u
	}
	return u
}

// count adds a message to the month in which it arrived.
func (c *counter) count(months map[string]*catalog.Usage, m *catalog.Message) {
	u := c.month(months, monthOf(m.ReceivedAt))
	u.Messages++
	u.Bytes += m.Size
	if m.ReceivedAt.Sub(m.Date) > historyAge || m.Document != [32]byte{} || len(u.Addresses) >= maxUsageAddresses {
		return
	}
	for _, p := range m.Parties {
		if address := c.rules.mainAddress(p.Address); c.isMailbox(address) {
			u.Addresses = append(u.Addresses, address)
		}
	}
}

// isMailbox reports whether an address can count: it is in a domain of the tenant, or,
// if the tenant has none, one of its users'.
func (c *counter) isMailbox(address string) bool {
	if len(c.rules.domains) == 0 {
		return c.known[address] > 0
	}
	return address != "" && message.DomainOf(address) != "" && c.rules.ours(address)
}

// finish sets what depends on all addresses of a month.
func (c *counter) finish(u *catalog.Usage) {
	u.Mailboxes, u.Shared, u.StoredBytes = 0, 0, c.stored
	for _, address := range u.Addresses {
		if c.shared[address] || c.known[address] > 1 {
			u.Shared++
		} else {
			u.Mailboxes++
		}
	}
}

// warnOfLimits writes into the logs which limits were reached since the last time.
func (a *Archive) warnOfLimits(ctx context.Context) error {
	tenants, err := a.tenantViews(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for i := range tenants {
		t := &tenants[i]
		if _, changed := warned(t.Care.Warned, t.Limits); !changed {
			continue
		}
		errs = append(errs, a.catalog.ChangeTenant(ctx, t.ID, func(_ *catalog.Tenant, k *catalog.Care) ([]*catalog.Event, error) {
			events := a.limitEvents(k.Warned, t.Limits, t.ID)
			k.WarnedAt = a.warnedAt(k.Warned, t.Limits, k.WarnedAt)
			k.Warned, _ = warned(k.Warned, t.Limits)
			return events, nil
		}))
	}
	resellers, err := a.resellerViews(ctx)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	for i := range resellers {
		r := &resellers[i]
		if _, changed := warned(r.Warned, r.Limits); !changed {
			continue
		}
		errs = append(errs, a.catalog.WarnReseller(ctx, r.ID, func(k *catalog.Reseller) []*catalog.Event {
			events := a.limitEvents(k.Warned, r.Limits, r.ID)
			k.WarnedAt = a.warnedAt(k.Warned, r.Limits, k.WarnedAt)
			k.Warned, _ = warned(k.Warned, r.Limits)
			return events
		}))
	}
	return errors.Join(errs...)
}

// warned returns the levels to be remembered and whether they are others than before.
func warned(before map[string]string, limits []LimitUse) (map[string]string, bool) {
	now := map[string]string{}
	for _, l := range limits {
		if l.Level != Free {
			now[l.What] = string(l.Level)
		}
	}
	return now, !maps.Equal(before, now)
}

// warnedAt returns since when limits are reached as far as they are.
func (a *Archive) warnedAt(before map[string]string, limits []LimitUse, since map[string]time.Time) map[string]time.Time {
	out := map[string]time.Time{}
	for _, l := range limits {
		switch at, known := since[l.What]; {
		case l.Level == Free:
		case before[l.What] == string(l.Level) && known:
			out[l.What] = at
		case before[l.What] != string(l.Level):
			out[l.What] = a.now().UTC().Truncate(time.Second)
		}
	}
	return out
}

// limitEvents are the events of levels that differ from those before.
func (a *Archive) limitEvents(before map[string]string, limits []LimitUse, object uid.ID) []*catalog.Event {
	var events []*catalog.Event
	for _, l := range limits {
		if before[l.What] == string(l.Level) {
			continue
		}
		action := map[Level]string{Free: "limit.free", Near: "limit.near", Reached: "limit.reached"}[l.Level]
		events = append(events, &catalog.Event{At: a.now().UTC(), Actor: "system", Action: action, Object: object.String(),
			Details: map[string]string{"limit": l.What, "used": fmt.Sprint(l.Used), "of": fmt.Sprint(l.Limit)}})
		if l.Level == Reached {
			a.log.Warn("a limit is reached; archiving goes on", "object", object, "limit", l.What, "used", l.Used, "of", l.Limit)
		}
	}
	return events
}

// MonthUsage is what a tenant has used in a month, with its name.
type MonthUsage struct {
	Tenant   catalog.Tenant
	Reseller string // short name; empty: the operator's own
	Limits   catalog.Limits
	catalog.Usage
}

// Usage returns what the tenants that the actor looks after have used in a month such
// as 2026-11, by name. A *FieldError if it is no month.
func (h *Handle) Usage(ctx context.Context, month string) ([]MonthUsage, error) {
	if err := h.actor.Check(access.ManageTenants); err != nil {
		return nil, err
	}
	if _, err := time.Parse("2006-01", month); err != nil {
		return nil, wrongField("month", "want one such as 2026-11")
	}
	list, err := h.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	usage, err := h.a.catalog.Usages(ctx, month)
	if err := h.a.sound("usage", err); err != nil {
		return nil, err
	}
	out := make([]MonthUsage, 0, len(list))
	for i := range list {
		u := MonthUsage{Tenant: list[i].Tenant, Limits: list[i].Care.Limits, Usage: catalog.Usage{Tenant: list[i].ID, Month: month}}
		if x := usage[list[i].ID]; x != nil {
			u.Usage = *x
		}
		if list[i].Reseller != nil {
			u.Reseller = list[i].Reseller.Slug
		}
		out = append(out, u)
	}
	return out, nil
}
