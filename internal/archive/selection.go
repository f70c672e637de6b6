package archive

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// Bounds of the selection of addresses.
const (
	maxSelected      = 20_000
	maxAddress       = 320      // bytes, RFC 3696 erratum 1690
	maxChangeDetails = 16 << 10 // bytes of addresses in an event
	selectionSeen    = 5000     // newest messages in which addresses are looked for
	selectionRecord  = 12 << 10 // bytes of addresses that the vault's description takes
	maxProposed      = 10_000   // addresses
)

// ErrUnconfirmed is returned when somebody has addresses left out of the archive
// and has not confirmed to have read what the law may ask for.
var ErrUnconfirmed = errors.New("confirm that mail may be left out of the archive")

// SelectionView is which addresses are archived, and who may have said so.
type SelectionView struct {
	catalog.Selection
	By string // the name of who changed it last; empty: nobody has
}

// Selection returns which addresses of the tenant are archived.
func (h *Handle) Selection(ctx context.Context) (*SelectionView, error) {
	if err := h.actor.Check(access.ManageDomains); err != nil {
		return nil, err
	}
	return h.a.SelectionOf(ctx, h.actor.Tenant)
}

// SelectionOf is Selection for the operator on the command line.
func (a *Archive) SelectionOf(ctx context.Context, tenant uid.ID) (*SelectionView, error) {
	s, err := a.catalog.Selection(ctx, tenant)
	if errors.Is(err, catalog.ErrNotFound) {
		return &SelectionView{Selection: catalog.Selection{Tenant: tenant}}, nil
	}
	if err != nil {
		return nil, err
	}
	v := &SelectionView{Selection: *s, By: s.ChangedBy}
	if id, err := uid.Parse(strings.TrimPrefix(s.ChangedBy, "user:")); err == nil {
		if u, err := a.catalog.User(ctx, tenant, id); err == nil {
			v.By = u.Name
		}
	}
	return v, nil
}

// SelectionChanged returns when it was last said which addresses of the tenant are
// archived; zero: never. It is for the doors, which act for nobody.
func (a *Archive) SelectionChanged(ctx context.Context, tenant uid.ID) (time.Time, error) {
	s, err := a.catalog.Selection(ctx, tenant)
	if errors.Is(err, catalog.ErrNotFound) || len(rowErrors(err)) > 0 {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return s.ChangedAt, nil
}

// SetSelection says which addresses are archived from now on. ErrUnconfirmed if
// that leaves out what was archived until now and confirmed is not set.
func (h *Handle) SetSelection(ctx context.Context, enabled bool, addresses []string, confirmed bool) error {
	if err := h.actor.Check(access.ManageDomains); err != nil {
		return err
	}
	return h.a.setSelection(ctx, catalog.Selection{Tenant: h.actor.Tenant, Enabled: enabled, Addresses: addresses, ChangedBy: "user:" + h.actor.User.String()}, confirmed,
		h.ruleEvent("selection.changed", "", nil))
}

// SetSelection is that of a Handle, for the operator on the command line.
func (a *Archive) SetSelection(ctx context.Context, tenant uid.ID, enabled bool, addresses []string, confirmed bool) error {
	return a.setSelection(ctx, catalog.Selection{Tenant: tenant, Enabled: enabled, Addresses: addresses, ChangedBy: "cli"}, confirmed,
		a.cliRuleEvent("selection.changed", "", nil))
}

func (a *Archive) setSelection(ctx context.Context, s catalog.Selection, confirmed bool, e *catalog.Event) error {
	if len(s.Addresses) > maxSelected {
		return invalid("addresses: %d, at most %d", len(s.Addresses), maxSelected)
	}
	list, err := Addresses(s.Addresses)
	if err != nil {
		return err
	}
	slices.Sort(list)
	s.Addresses = slices.Compact(list)
	for _, x := range s.Addresses {
		if len(x) > maxAddress {
			return invalid("address %.40q: want at most %d bytes", x, maxAddress)
		}
	}
	old := &catalog.Selection{}
	if before, err := a.catalog.Selection(ctx, s.Tenant); err == nil {
		old = before
	} else if !errors.Is(err, catalog.ErrNotFound) && len(rowErrors(err)) == 0 {
		return err
	}
	added, removed := without(s.Addresses, old.Addresses), without(old.Addresses, s.Addresses)
	if s.Enabled && (!old.Enabled || len(removed) > 0) && !confirmed {
		return ErrUnconfirmed
	}
	s.ChangedAt = a.now().UTC().Truncate(time.Millisecond)
	for k, v := range map[string]string{
		"before": onOff(old.Enabled), "after": onOff(s.Enabled),
		"addresses_before": strconv.Itoa(len(old.Addresses)), "addresses_after": strconv.Itoa(len(s.Addresses)),
		"added": bounded(added), "removed": bounded(removed),
	} {
		e.Details[k] = v
	}
	if err := a.catalog.SetSelection(ctx, &s, e); err != nil {
		return err
	}
	a.rerouted()
	return a.describeTenant(ctx, s.Tenant)
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// without lists what is in list and not in other. Both are sorted.
func without(list, other []string) []string {
	var out []string
	for _, s := range list {
		if _, found := slices.BinarySearch(other, s); !found {
			out = append(out, s)
		}
	}
	return out
}

// bounded writes addresses for an event, as far as there is room.
func bounded(list []string) string {
	var b strings.Builder
	for i, s := range list {
		if b.Len()+len(s) > maxChangeDetails {
			b.WriteString(" and " + strconv.Itoa(len(list)-i) + " more")
			break
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s)
	}
	return b.String()
}

// ProposedAddress is an address that may be selected.
type ProposedAddress struct {
	Address string
	Name    string // of the person, if known
	User    bool   // somebody who can log in has it
}

// ProposeAddresses lists addresses in the tenant's domains that are known: those
// of users, and those on its newest messages, by address.
func (h *Handle) ProposeAddresses(ctx context.Context) ([]ProposedAddress, error) {
	if err := h.actor.Check(access.ManageDomains); err != nil {
		return nil, err
	}
	a, tenant := h.a, h.actor.Tenant
	known := map[string]ProposedAddress{}
	users, err := a.catalog.Users(ctx, tenant)
	if err != nil && len(rowErrors(err)) == 0 {
		return nil, err
	}
	for _, u := range users {
		for _, s := range u.Addresses {
			known[s] = ProposedAddress{Address: s, Name: u.Name, User: true}
		}
	}
	if err := a.seenAddresses(ctx, tenant, known); err != nil {
		return nil, err
	}
	out := make([]ProposedAddress, 0, len(known))
	for _, p := range known {
		out = append(out, p)
	}
	slices.SortFunc(out, func(x, y ProposedAddress) int { return cmp.Compare(x.Address, y.Address) })
	return out[:min(len(out), maxProposed)], nil
}

// seenAddresses adds the parties of the newest messages that are in the tenant's
// domains. Without domains nobody can tell which of them are its people's.
func (a *Archive) seenAddresses(ctx context.Context, tenant uid.ID, known map[string]ProposedAddress) error {
	rules, err := a.routing(ctx, tenant)
	if err != nil || len(rules.domains) == 0 {
		return err
	}
	head, err := a.catalog.Head(ctx, tenant)
	if err != nil {
		return err
	}
	rows, err := a.catalog.MessagesAfter(ctx, tenant, max(head-selectionSeen, 0), selectionSeen)
	if err != nil && len(rowErrors(err)) == 0 {
		return err
	}
	for _, m := range rows {
		for _, p := range m.Parties {
			if p.Role == "bcc" || recipientOfJournal(p.Role) || !rules.ours(p.Address) || len(known) >= maxProposed {
				continue // blind copies are nobody's business here
			}
			if have, ok := known[p.Address]; !ok || have.Name == "" {
				known[p.Address] = ProposedAddress{Address: p.Address, Name: p.Name, User: have.User}
			}
		}
	}
	return nil
}

// selectionData is what the vault keeps of a selection.
type selectionData struct {
	Enabled   bool     `json:"enabled"`
	Addresses []string `json:"addresses,omitempty"`
	// LeftOut counts the addresses for which there was no room; then there are none.
	LeftOut int `json:"left_out,omitempty"`
}

type domainData struct {
	Name string `json:"name"`
	Main string `json:"alias_of,omitempty"`
	// Proven is when the tenant has shown that it is its own; zero: it has not.
	Proven time.Time `json:"proven_at,omitzero"`
}

// describeRules adds domains and selection to what the vault keeps of a tenant.
func (a *Archive) describeRules(ctx context.Context, tenant uid.ID, d *tenantData) error {
	domains, err := a.catalog.DomainsOf(ctx, tenant)
	if err != nil {
		return err
	}
	proofs, err := a.catalog.DomainProofs(ctx, tenant)
	if err := a.sound("proofs of domains", err); err != nil {
		return err
	}
	for _, x := range domains {
		known := domainData{Name: x.Name, Main: x.Main}
		if p := proofs[x.Name]; p != nil {
			known.Proven = p.ProvenAt
		}
		d.Domains = append(d.Domains, known)
	}
	s, err := a.catalog.Selection(ctx, tenant)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	d.Selection = &selectionData{Enabled: s.Enabled, Addresses: s.Addresses}
	if size := len(strings.Join(s.Addresses, `","`)); size > selectionRecord {
		d.Selection.Addresses, d.Selection.LeftOut = nil, len(s.Addresses)
	}
	return nil
}

// describedRules restores domains and selection of a tenant that was lost.
func (r *rebuild) describedRules(ctx context.Context, t *catalog.Tenant, d *tenantData) error {
	say := func(text string) { r.out.Remarks = append(r.out.Remarks, "tenant "+t.Slug+": "+text) }
	for _, x := range d.Domains {
		if name, ok := message.NormalizeDomain(x.Name); !ok || name != x.Name {
			continue
		}
		err := r.a.catalog.AddDomain(ctx, &catalog.Domain{Name: x.Name, Main: x.Main, Tenant: t.ID, CreatedAt: t.CreatedAt})
		if errors.Is(err, catalog.ErrTaken) {
			say("the domain " + x.Name + " is not available any more; mail to it goes to quarantine.")
		} else if err != nil {
			return err
		} else if !x.Proven.IsZero() {
			if err := r.a.catalog.SetDomainProof(ctx, &catalog.DomainProof{Name: x.Name, Tenant: t.ID, ProvenAt: x.Proven, CheckedAt: x.Proven}); err != nil {
				return err
			}
		}
	}
	if err := r.a.restoreLoginPolicy(ctx, t.ID, d.SecondFactor); err != nil {
		return err
	}
	if err := r.describedDirectories(ctx, t, d); err != nil {
		return err
	}
	if d.Selection == nil {
		return nil
	}
	s := &catalog.Selection{Tenant: t.ID, Enabled: d.Selection.Enabled, Addresses: d.Selection.Addresses, ChangedAt: r.a.now().UTC(), ChangedBy: "cli"}
	if d.Selection.LeftOut > 0 {
		s.Enabled = false
		say("its list of " + strconv.Itoa(d.Selection.LeftOut) + " selected addresses was too long for the vault's description and is lost: all of its mail is archived until somebody selects again.")
	}
	return r.a.catalog.SetSelection(ctx, s, r.a.cliRuleEvent("selection.restored", "", map[string]string{"after": onOff(s.Enabled)}))
}
