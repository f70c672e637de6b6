package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// Bounds of the domains of a tenant; all of them are in the vault's description
// of the tenant.
const (
	maxDomains     = 500
	maxDomainBytes = 16 << 10 // of all names together
)

// ErrUnavailable is matched by the refusal of a domain that a tenant cannot have.
// It does not tell why: whose customer somebody else is, is nobody's business.
var ErrUnavailable = errors.New("domain is not available")

// DomainView is a domain with what waits for it in quarantine.
type DomainView struct {
	catalog.Domain
	Waiting int // messages in quarantine that belong to it
}

// Domains lists the tenant's domains. Without any, everything is archived.
func (h *Handle) Domains(ctx context.Context) ([]DomainView, error) {
	if err := h.actor.Check(access.ManageDomains); err != nil {
		return nil, err
	}
	return h.a.DomainViews(ctx, h.actor.Tenant)
}

// DomainViews lists the domains of a tenant, for the operator on the command line.
func (a *Archive) DomainViews(ctx context.Context, tenant uid.ID) ([]DomainView, error) {
	list, err := a.catalog.DomainsOf(ctx, tenant)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	} else if err != nil {
		a.log.Error("rows of domains are damaged; muniment fsck tells more", "tenant", tenant, "error", err)
	}
	out := make([]DomainView, len(list))
	for i, d := range list {
		out[i].Domain = *d
	}
	rules, err := a.routing(ctx, tenant)
	if err != nil {
		return nil, err
	}
	r := QuarantineRequest{States: []catalog.QuarantineState{catalog.Waiting}, Belongs: true}
	_, err = a.scanQuarantine(ctx, tenant, r, rules, func(e *catalog.QuarantineEntry) (bool, error) {
		for i := range out {
			if anyAddress(e.Parties, func(s string) bool { return rules.inDomain(s, out[i].Name) }) {
				out[i].Waiting++
			}
		}
		return true, nil
	})
	return out, err
}

// AddTenantDomain is AddDomain for a tenant that the actor looks after. catalog.ErrNotFound
// if it does not.
func (h *Handle) AddTenantDomain(ctx context.Context, tenant uid.ID, name, main string) error {
	if err := h.mine(ctx, access.ManageTenants, tenant); err != nil {
		return err
	}
	if err := h.a.Takes(ctx, tenant); err != nil {
		return err
	}
	_, err := h.a.addDomain(ctx, tenant, name, main, h.ruleEvent("domain.added", "", nil))
	return err
}

// RemoveTenantDomain is RemoveDomain for a tenant that the actor looks after.
func (h *Handle) RemoveTenantDomain(ctx context.Context, tenant uid.ID, name string) error {
	if err := h.mine(ctx, access.ManageTenants, tenant); err != nil {
		return err
	}
	if err := h.a.Takes(ctx, tenant); err != nil {
		return err
	}
	return h.a.removeDomain(ctx, tenant, name, h.ruleEvent("domain.removed", name, nil))
}

// inDomain reports whether an address is in a domain.
func (r *routing) inDomain(address, domain string) bool { return message.DomainOf(address) == domain }

// AddDomain gives the tenant a domain; if main is not empty, as the alias of
// another one of its domains. It returns how many messages in quarantine belong to
// it. ErrInvalid, ErrUnavailable, catalog.ErrTaken if the tenant has it already.
func (h *Handle) AddDomain(ctx context.Context, name, main string) (*DomainView, error) {
	if err := h.actor.Check(access.ManageDomains); err != nil {
		return nil, err
	}
	if err := h.a.Takes(ctx, h.actor.Tenant); err != nil {
		return nil, err
	}
	return h.a.addDomain(ctx, h.actor.Tenant, name, main, h.ruleEvent("domain.added", "", nil))
}

// AddDomain is that of a Handle, for the operator on the command line.
func (a *Archive) AddDomain(ctx context.Context, tenant uid.ID, name, main string) (*DomainView, error) {
	return a.addDomain(ctx, tenant, name, main, a.cliRuleEvent("domain.added", "", nil))
}

func (a *Archive) addDomain(ctx context.Context, tenant uid.ID, name, main string, e *catalog.Event) (*DomainView, error) {
	d, err := a.newDomain(ctx, tenant, name, main)
	if err != nil {
		return nil, err
	}
	e.Details["domain"] = d.Name
	if d.Main != "" {
		e.Details["alias_of"] = d.Main
	}
	err = a.catalog.AddDomain(ctx, d, e)
	if errors.Is(err, catalog.ErrTaken) { // another tenant's, or a damaged row
		return nil, fmt.Errorf("domain %s: %w", d.Name, ErrUnavailable)
	}
	if err != nil {
		return nil, err
	}
	return a.addedDomain(ctx, d)
}

// newDomain checks a domain that a tenant is to get.
func (a *Archive) newDomain(ctx context.Context, tenant uid.ID, name, main string) (*catalog.Domain, error) {
	d := &catalog.Domain{Tenant: tenant, CreatedAt: a.now().UTC().Truncate(time.Millisecond)}
	var ok bool
	if d.Name, ok = message.NormalizeDomain(name); !ok {
		return nil, invalid("domain %.80q: want one such as example.com", name)
	}
	if a.ofJournals(ctx, d.Name) {
		return nil, fmt.Errorf("domain %s: %w", d.Name, ErrUnavailable)
	}
	list, err := a.catalog.DomainsOf(ctx, tenant)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	size := len(d.Name)
	for _, have := range list {
		if size += len(have.Name) + len(have.Main); have.Name == d.Name {
			return nil, fmt.Errorf("domain %s: %w", d.Name, catalog.ErrTaken)
		}
	}
	if len(list) >= maxDomains || size > maxDomainBytes {
		return nil, invalid("domain %s: the tenant has as many domains as it can have", d.Name)
	}
	if main != "" {
		if d.Main, err = mainOf(list, main); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// mainOf finds the domain that another one is to be an alias of.
func mainOf(list []*catalog.Domain, name string) (string, error) {
	main, ok := message.NormalizeDomain(name)
	for _, d := range list {
		if ok && d.Name == main {
			if d.Main != "" {
				return "", invalid("domain %s: is an alias of %s itself; name that", main, d.Main)
			}
			return main, nil
		}
	}
	return "", invalid("domain %.80q: is not in the list, so nothing can be its alias", name)
}

// addedDomain does what follows from a new domain.
func (a *Archive) addedDomain(ctx context.Context, d *catalog.Domain) (*DomainView, error) {
	a.rerouted()
	if err := a.describeTenant(ctx, d.Tenant); err != nil {
		return nil, err
	}
	views, err := a.DomainViews(ctx, d.Tenant)
	for i := range views {
		if views[i].Name == d.Name {
			return &views[i], err
		}
	}
	return &DomainView{Domain: *d}, err
}

// RemoveDomain takes a domain from the tenant. What is archived stays. If it was
// the last one, everything is archived from now on. catalog.ErrNotFound;
// ErrInvalid while another domain is its alias.
func (h *Handle) RemoveDomain(ctx context.Context, name string) error {
	if err := h.actor.Check(access.ManageDomains); err != nil {
		return err
	}
	return h.a.removeDomain(ctx, h.actor.Tenant, name, h.ruleEvent("domain.removed", name, nil))
}

// RemoveDomain is that of a Handle, for the operator on the command line.
func (a *Archive) RemoveDomain(ctx context.Context, tenant uid.ID, name string) error {
	return a.removeDomain(ctx, tenant, name, a.cliRuleEvent("domain.removed", name, nil))
}

func (a *Archive) removeDomain(ctx context.Context, tenant uid.ID, name string, e *catalog.Event) error {
	d, ok := message.NormalizeDomain(name)
	if !ok {
		return fmt.Errorf("domain %.80q: %w", name, catalog.ErrNotFound)
	}
	list, err := a.catalog.DomainsOf(ctx, tenant)
	if err != nil && len(rowErrors(err)) == 0 {
		return err
	}
	for _, x := range list {
		if x.Main == d {
			return invalid("domain %s: %s is its alias; remove that first", d, x.Name)
		}
	}
	e.Details["domain"] = d
	if err := a.catalog.RemoveDomain(ctx, tenant, d, e); err != nil {
		return err
	}
	a.rerouted()
	return a.describeTenant(ctx, tenant)
}

// ruleEvent makes the event of what the actor does to something that has a name and no
// id: the name is in the details, for it may be about people.
func (h *Handle) ruleEvent(action, name string, details map[string]string) *catalog.Event {
	e := h.a.cliRuleEvent(action, name, details)
	e.Actor = "user:" + h.actor.User.String()
	if h.actor.Peer != "" {
		e.Details["peer"] = h.actor.Peer
	}
	return e
}

func (a *Archive) cliRuleEvent(action, name string, details map[string]string) *catalog.Event {
	e := &catalog.Event{At: a.now().UTC(), Actor: cliActor, Action: action, Details: map[string]string{}}
	if name != "" {
		e.Details["domain"] = name
	}
	for k, v := range details {
		if v != "" {
			e.Details[k] = v
		}
	}
	return e
}
