package archive

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// Why a message is in quarantine: codes of catalog.QuarantineEntry.Reason.
const (
	// ReasonDomain: nobody in it has an address in a domain of the tenant.
	ReasonDomain = "domain"
	// ReasonForeign: a journal report that names only addresses in domains that are
	// not available to the tenant (JRN-12).
	ReasonForeign = "foreign"
	// ReasonNobody: it names no address that can be read, and only mail of selected
	// addresses is archived: whose it is, a person has to decide.
	ReasonNobody = "nobody"
)

// routingFresh is how long the rules are used without looking whether another
// process has changed them. Those of this process hold at once.
const routingFresh = 5 * time.Second

// verdict is where a message belongs.
type verdict struct {
	outcome catalog.Outcome // Stored, Quarantined or Excluded
	reason  string          // of quarantine
}

// routing are the rules of one tenant. It is never changed.
type routing struct {
	tenant   uid.ID
	domains  map[string]string // of the tenant, to the one whose alias it is or to itself
	owners   map[string]uid.ID // of the domains of all tenants
	selected map[string]bool   // addresses in main domains; nil: all
	proven   map[string]bool   // domains whose mail may be seen; nil: it need not be proven
	loaded   time.Time
}

// routes are the rules of the tenants that were asked for.
type routes struct {
	mu       sync.Mutex
	byTenant map[uid.ID]*routing
	changes  int // of this process
}

// routing returns the rules of a tenant.
func (a *Archive) routing(ctx context.Context, tenant uid.ID) (*routing, error) {
	a.routes.mu.Lock()
	r, changes := a.routes.byTenant[tenant], a.routes.changes
	a.routes.mu.Unlock()
	if r != nil && time.Since(r.loaded) < routingFresh {
		return r, nil
	}
	r, err := a.loadRouting(ctx, tenant)
	if err != nil {
		return nil, err
	}
	a.routes.mu.Lock()
	defer a.routes.mu.Unlock()
	if a.routes.changes == changes { // else what was read may be what was before
		if a.routes.byTenant == nil {
			a.routes.byTenant = map[uid.ID]*routing{}
		}
		a.routes.byTenant[tenant] = r
	}
	return r, nil
}

// rerouted has everybody read the rules again.
func (a *Archive) rerouted() {
	a.routes.mu.Lock()
	defer a.routes.mu.Unlock()
	a.routes.changes++
	clear(a.routes.byTenant)
}

// loadRouting reads the rules. Damaged rows are left out and logged: of a domain
// that is lost mail goes to quarantine, and without the selection all is archived.
func (a *Archive) loadRouting(ctx context.Context, tenant uid.ID) (*routing, error) {
	r := &routing{tenant: tenant, domains: map[string]string{}, owners: map[string]uid.ID{}, loaded: time.Now()}
	list, err := a.catalog.Domains(ctx)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	selection, more := a.catalog.Selection(ctx, tenant)
	if errors.Is(more, catalog.ErrNotFound) {
		more = nil
	}
	if more != nil && len(rowErrors(more)) == 0 {
		return nil, more
	}
	if err := errors.Join(err, more); err != nil {
		a.log.Error("rows of domains or selections are damaged; muniment fsck tells more", "tenant", tenant, "error", err)
	}
	for _, d := range list {
		r.owners[d.Name] = d.Tenant
		if d.Tenant == tenant {
			r.domains[d.Name] = d.Name
		}
	}
	for _, d := range list {
		if _, there := r.domains[d.Main]; there && d.Tenant == tenant {
			r.domains[d.Name] = d.Main
		}
	}
	if r.proven, err = a.provenDomains(ctx, tenant); err != nil {
		return nil, err
	}
	if selection != nil && selection.Enabled {
		r.selected = make(map[string]bool, len(selection.Addresses))
		for _, s := range selection.Addresses {
			r.selected[r.mainAddress(s)] = true
		}
	}
	return r, nil
}

// mainAddress replaces an alias domain by the one that it stands for (JRN-13).
func (r *routing) mainAddress(address string) string {
	domain := message.DomainOf(address)
	if main := r.domains[domain]; main != "" && main != domain {
		return address[:strings.LastIndexByte(address, '@')+1] + main
	}
	return address
}

// ours reports whether an address is in a domain of the tenant.
func (r *routing) ours(address string) bool {
	_, ok := r.domains[message.DomainOf(address)]
	return ok
}

// judge decides where a message with these parties belongs.
func (r *routing) judge(parties []catalog.Party) verdict {
	switch {
	case len(r.domains) > 0 && !anyAddress(parties, r.ours):
		return verdict{catalog.Quarantined, ReasonDomain}
	case len(r.domains) == 0 && r.foreign(parties):
		return verdict{catalog.Quarantined, ReasonForeign}
	case r.selected != nil && !anyAddress(parties, func(string) bool { return true }):
		return verdict{catalog.Quarantined, ReasonNobody}
	case r.selected != nil && !anyAddress(parties, func(s string) bool { return r.selected[r.mainAddress(s)] }):
		return verdict{outcome: catalog.Excluded}
	}
	return verdict{outcome: catalog.Stored}
}

// anyAddress reports whether is holds for an address among parties, or for a list
// through which one got the message.
func anyAddress(parties []catalog.Party, is func(string) bool) bool {
	return slices.ContainsFunc(parties, func(p catalog.Party) bool {
		return p.Address != "" && is(p.Address) || p.Via != "" && is(p.Via)
	})
}

// foreign reports whether a journal report names nobody but addresses in domains
// of other tenants.
func (r *routing) foreign(parties []catalog.Party) bool {
	theirs := false
	for _, p := range parties {
		domain := message.DomainOf(p.Address)
		if domain == "" || !strings.HasPrefix(p.Role, journalRole) {
			continue
		}
		owner, owned := r.owners[domain]
		if !owned || owner == r.tenant {
			return false
		}
		theirs = true
	}
	return theirs
}

// verdict decides where a submission with these parties belongs.
func (a *Archive) verdict(ctx context.Context, sub *Submission, parties []catalog.Party) (verdict, error) {
	switch {
	case sub.verdict != nil:
		return *sub.verdict, nil
	case sub.Follows == catalog.Excluded:
		return verdict{outcome: catalog.Excluded}, nil
	case sub.Follows == catalog.Quarantined:
		return verdict{catalog.Quarantined, ReasonDomain}, nil
	case sub.AnyParty, sub.Follows != "":
		return verdict{outcome: catalog.Stored}, nil
	}
	r, err := a.routing(ctx, sub.Tenant)
	if err != nil {
		return verdict{}, err
	}
	return r.judge(parties), nil
}

// together decides for all messages in a journal report at once, for each is a piece
// of the report that is kept: if one of them belongs to the archive, or is there
// already, so do the others.
func (a *Archive) together(ctx context.Context, list []Submission) error {
	if len(list) < 2 {
		return nil
	}
	var best *verdict
	var known [][32]byte
	for i := range list {
		v, err := a.verdict(ctx, &list[i], append(headerParties(message.Parse(ctx, list[i].Raw)), journalParties(list[i].wrapped.journal)...))
		if err != nil {
			return err
		}
		if best == nil || v.outcome == catalog.Stored || v.outcome == catalog.Quarantined && best.outcome == catalog.Excluded {
			best = &v
		}
		if s := list[i].sums; s != nil {
			known = append(known, s.SHA256)
		}
	}
	if best.outcome == catalog.Excluded {
		there, err := a.catalog.Known(ctx, list[0].Tenant, known)
		if err != nil {
			return err
		}
		if len(there) > 0 {
			best = &verdict{outcome: catalog.Stored}
		}
	}
	for i := range list {
		list[i].verdict = best
	}
	return nil
}

// routeNew decides where a new message belongs, and makes its row that of a
// quarantined one if need be.
func (a *Archive) routeNew(ctx context.Context, p *pending) error {
	var err error
	if p.verdict, err = a.verdict(ctx, &p.sub, p.row.Parties); err != nil || p.verdict.outcome != catalog.Quarantined {
		return err
	}
	p.entry = &catalog.QuarantineEntry{
		Tenant: p.sub.Tenant, AOID: p.row.AOID, Source: p.sub.Source, ReceivedAt: p.row.ReceivedAt, Size: p.row.Size,
		Counted: p.sub.wrapped == nil || !p.sub.wrapped.second, Reason: p.verdict.reason, Subject: p.row.Facts.Subject,
		Parties: p.row.Parties, State: catalog.Waiting,
	}
	p.row.Class, p.row.Parties = catalog.ClassQuarantine, nil
	return nil
}

// exclude counts a message that a rule keeps out of the archive. Nothing else of it
// stays.
func (c *commit) exclude(p *pending) {
	c.count(p, catalog.Excluded)
	c.receipts = append(c.receipts, Receipt{Outcome: catalog.Excluded, SHA256: p.sums.SHA256})
}

// mailboxAddresses adds to addresses of people those that mean the same because of
// alias domains, and leaves out those whose domain has to be proven and is not.
func (r *routing) mailboxAddresses(addresses []string) []string {
	out := r.withAliases(addresses)
	if r.proven != nil {
		out = slices.DeleteFunc(out, func(a string) bool { return !r.proven[message.DomainOf(a)] })
	}
	return out
}

// withAliases adds to addresses of people those that mean the same because of alias
// domains.
func (r *routing) withAliases(addresses []string) []string {
	out := slices.Clone(addresses)
	for _, a := range addresses {
		main := r.domains[message.DomainOf(a)]
		if main == "" {
			continue
		}
		local := a[:strings.LastIndexByte(a, '@')+1]
		var same []string
		for domain, of := range r.domains {
			if of == main && !slices.Contains(out, local+domain) {
				same = append(same, local+domain)
			}
		}
		slices.Sort(same)
		out = append(out, same...)
	}
	return inBothForms(out)
}

// inBothForms adds to addresses those whose local part differs in how accents are written: earlier
// releases have stored them as they came, and what is archived stays found.
func inBothForms(addresses []string) []string {
	out := addresses
	for _, a := range addresses {
		i := strings.LastIndexByte(a, '@') + 1
		for _, same := range []string{norm.NFC.String(a[:i]) + a[i:], norm.NFD.String(a[:i]) + a[i:]} {
			if !slices.Contains(out, same) {
				out = append(out, same)
			}
		}
	}
	return out
}
