package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/blob"
	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
	"github.com/muniment/muniment/internal/vault"
)

// Order is a tenant to be made, with all that it begins with.
type Order struct {
	// Reference is how the shop calls the order. The same reference makes the same
	// tenant, however often it comes. Empty: every call makes another one.
	Reference string        `json:"reference,omitempty"`
	Reseller  string        `json:"reseller,omitempty"` // short name; for an operator only
	Slug      string        `json:"slug,omitempty"`     // empty: made of the name
	Name      string        `json:"name"`
	Zone      string        `json:"zone,omitempty"` // empty: Europe/Berlin
	Domains   []OrderDomain `json:"domains,omitempty"`
	// Journal is the name of the first journal address; empty: Journal.
	Journal string         `json:"journal,omitempty"`
	Admin   *OrderUser     `json:"admin,omitempty"`
	Users   []OrderUser    `json:"users,omitempty"`
	Limits  catalog.Limits `json:"limits,omitzero"`
	Shared  []string       `json:"shared,omitempty"`
}

// OrderDomain is a mail domain of an Order.
type OrderDomain struct {
	Name    string `json:"name"`
	AliasOf string `json:"alias_of,omitempty"`
}

// OrderUser is a user of an Order.
type OrderUser struct {
	Login     string   `json:"login"`
	Name      string   `json:"name,omitempty"`
	Language  string   `json:"language,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
	// Password may be empty: then nobody can log in as the user before a link was
	// used. It is neither kept with the order nor compared.
	Password string `json:"-"`
}

// Provisioned is what came of an Order.
type Provisioned struct {
	Tenant         uid.ID            `json:"tenant"`
	Slug           string            `json:"slug"`
	Name           string            `json:"name"`
	JournalAddress string            `json:"journal_address"`
	Domains        []string          `json:"domains,omitempty"`
	Users          []ProvisionedUser `json:"users,omitempty"` // the administrator first
	Made           bool              `json:"-"`               // by this call
	LogInLink      string            `json:"-"`               // of the administrator; empty: there is none
}

// ProvisionedUser is a user that an Order has made.
type ProvisionedUser struct {
	ID    uid.ID `json:"id"`
	Login string `json:"login"`
	Role  string `json:"role"`
}

// DifferentOrder says that a reference was used for another order.
type DifferentOrder struct{ Field string } // which differs

func (e *DifferentOrder) Error() string {
	return fmt.Sprintf("the reference was used for another order: %s differs", e.Field)
}

// LimitError says that a reseller has as many tenants as its limit allows.
type LimitError struct{ Customers int }

func (e *LimitError) Error() string {
	return fmt.Sprintf("the limit of %d customers is reached; ask the operator of the installation for more", e.Customers)
}

// Bounds of an order.
const (
	maxReference  = 200 // bytes
	maxOrderUsers = 1000
	slugTries     = 50
)

// Provision makes a tenant with domains, journal address and users, all or nothing. An
// order that came before gets the answer of then, whoever is at it at the same time. A
// *FieldError says what is wrong, a *DifferentOrder that the reference belongs to
// another order, a *LimitError that a reseller has as many customers as it may have.
func (h *Handle) Provision(ctx context.Context, o Order) (*Provisioned, error) {
	if err := h.actor.Check(access.ManageTenants); err != nil {
		return nil, err
	}
	owner := h.actor.Reseller
	if o.Reseller != "" || owner.IsZero() {
		var err error
		if owner, err = h.chosenReseller(ctx, o.Reseller); err != nil {
			return nil, err
		}
	}
	if err := h.a.checkOrder(&o); err != nil {
		return nil, err
	}
	h.a.hierarchy.ordering.Lock()
	defer h.a.hierarchy.ordering.Unlock()
	p, err := h.ordered(ctx, owner, &o)
	if errors.Is(err, catalog.ErrNotFound) {
		p, err = h.provision(ctx, owner, &o)
	}
	if err != nil {
		return nil, err
	}
	return p, h.addLink(ctx, p)
}

// addLink adds the link by which the administrator logs in first.
func (h *Handle) addLink(ctx context.Context, p *Provisioned) error {
	if len(p.Users) == 0 || p.Users[0].Role != string(access.RoleTenantAdmin) {
		return nil
	}
	u, err := h.a.catalog.User(ctx, p.Tenant, p.Users[0].ID)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	p.LogInLink, err = h.a.orderLink(ctx, u, h.event)
	return err
}

// ordered returns what came of an order that was made before. catalog.ErrNotFound.
func (h *Handle) ordered(ctx context.Context, owner uid.ID, o *Order) (*Provisioned, error) {
	if o.Reference == "" {
		return nil, catalog.ErrNotFound
	}
	old, err := h.a.catalog.Provision(ctx, h.actor.Reseller, o.Reference)
	if err != nil {
		return nil, err
	}
	field, err := differingField(old.Request, o)
	if err != nil {
		return nil, err
	}
	if field != "" {
		return nil, &DifferentOrder{Field: field}
	}
	p := &Provisioned{}
	if err := json.Unmarshal(old.Answer, p); err != nil {
		return nil, fmt.Errorf("answer to order %.80q: %w", o.Reference, err)
	}
	return p, nil
}

// differingField names the first member by name in which an order differs from what
// was kept of another.
func differingField(kept []byte, o *Order) (string, error) {
	now, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	var a, b map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(kept, &a), json.Unmarshal(now, &b)); err != nil {
		return "", fmt.Errorf("kept order: %w", err)
	}
	var names []string
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !bytes.Equal(a[name], b[name]) {
			return name, nil
		}
	}
	return "", nil
}

// provision makes the tenant of an order. A short name made of the name is tried with
// numbers.
func (h *Handle) provision(ctx context.Context, owner uid.ID, o *Order) (*Provisioned, error) {
	request, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	n, p, err := h.newTenant(ctx, owner, o)
	if err != nil {
		return nil, err
	}
	if n.Customers, err = h.mayHave(ctx, owner); err != nil {
		return nil, err
	}
	base := n.Tenant.Slug
	for try := 2; ; try++ {
		if p.Slug = n.Tenant.Slug; o.Reference != "" {
			answer, err := json.Marshal(p)
			if err != nil {
				return nil, err
			}
			n.Provision = &catalog.Provision{Owner: h.actor.Reseller, Reference: o.Reference, Tenant: n.Tenant.ID, Request: request, Answer: answer, CreatedAt: n.Tenant.CreatedAt}
		}
		err = h.addTenant(ctx, n)
		if !errors.Is(err, catalog.ErrTaken) {
			break
		}
		// Another process may have been faster with the same order.
		if p, err := h.ordered(ctx, owner, o); !errors.Is(err, catalog.ErrNotFound) {
			return p, err
		}
		if err = h.takenBy(ctx, n, o); err != nil || try > slugTries {
			return nil, err
		}
		end := fmt.Sprintf("-%d", try)
		n.Tenant.Slug = strings.TrimRight(base[:min(len(base), 63-len(end))], "-") + end
	}
	if errors.Is(err, catalog.ErrLimit) {
		return nil, &LimitError{Customers: n.Customers}
	}
	if err != nil {
		return nil, err
	}
	p.Made = true
	h.a.rerouted()
	return p, h.a.describeTenant(ctx, n.Tenant.ID)
}

// mayHave is how many tenants a reseller may have, 0 if there is no limit: an operator
// may exceed it.
func (h *Handle) mayHave(ctx context.Context, owner uid.ID) (int, error) {
	if owner.IsZero() || h.actor.Role == access.RoleOperator {
		return 0, nil
	}
	r, err := h.a.catalog.Reseller(ctx, owner)
	if err != nil {
		return 0, err
	}
	return r.Limits.Customers, nil
}

// addTenant makes the key of a tenant and its rows. The key first: a key without a
// tenant does no harm, a tenant without a key could not keep anything.
func (h *Handle) addTenant(ctx context.Context, n *catalog.NewTenant) error {
	d := tenantData{}
	for _, x := range n.Domains {
		d.Domains = append(d.Domains, domainData{Name: x.Name, Main: x.Main})
	}
	data, err := tenantDescription(n.Tenant, n.Sources, d)
	if err != nil {
		return err
	}
	if err := h.a.vault.CreateTenant(ctx, vault.TenantInfo{ID: n.Tenant.ID, Data: data}); err != nil && !errors.Is(err, blob.ErrExists) {
		return err
	}
	err = h.a.catalog.AddTenant(ctx, n)
	if err == nil {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	if _, gone := h.a.catalog.Tenant(ctx, n.Tenant.ID); errors.Is(gone, catalog.ErrNotFound) {
		if more := h.a.vault.DestroyTenant(ctx, n.Tenant.ID); more != nil {
			h.a.log.Warn("the key of a tenant that was not made stays; muniment fsck tells of it", "tenant", n.Tenant.ID, "error", more)
		}
	}
	return err
}

// takenBy finds out what of an order is in use. nil: the short name, which nobody has
// chosen.
func (h *Handle) takenBy(ctx context.Context, n *catalog.NewTenant, o *Order) error {
	list, err := h.a.catalog.Domains(ctx)
	if err := h.a.sound("domains", err); err != nil {
		return err
	}
	for i, d := range n.Domains {
		if slices.ContainsFunc(list, func(x *catalog.Domain) bool { return x.Name == d.Name }) {
			return wrongField(fmt.Sprintf("domains[%d].name", i), "%s is not available", d.Name)
		}
	}
	if _, err := h.a.catalog.TenantBySlug(ctx, n.Tenant.Slug); errors.Is(err, catalog.ErrNotFound) {
		return fmt.Errorf("order: %w", catalog.ErrTaken)
	}
	if o.Slug != "" {
		return wrongField("slug", "%s is in use", n.Tenant.Slug)
	}
	return nil
}

// orderUsers lists the users of an order, the administrator first.
func orderUsers(o *Order) []*OrderUser {
	var list []*OrderUser
	if o.Admin != nil {
		list = append(list, o.Admin)
	}
	for i := range o.Users {
		list = append(list, &o.Users[i])
	}
	return list
}

// newTenant makes the rows of an order, which has been judged.
func (h *Handle) newTenant(ctx context.Context, owner uid.ID, o *Order) (*catalog.NewTenant, *Provisioned, error) {
	now := h.a.now().UTC().Truncate(time.Millisecond)
	t := &catalog.Tenant{ID: uid.New(now), Slug: o.Slug, Name: o.Name, Zone: o.Zone, State: catalog.TenantActive, CreatedAt: now}
	if t.Slug == "" {
		t.Slug = slugOf(o.Name)
	}
	if t.Zone == "" {
		t.Zone = "Europe/Berlin"
	}
	address, err := h.a.newJournalAddress(ctx)
	if err != nil {
		return nil, nil, err
	}
	j := &catalog.Source{ID: uid.New(now), Tenant: t.ID, Kind: KindJournal, Name: o.Journal, JournalAddress: address, CreatedAt: now}
	if j.Name == "" {
		j.Name = "Journal"
	}
	n := &catalog.NewTenant{Tenant: t, Care: &catalog.Care{Tenant: t.ID, Reseller: owner, CareSettings: catalog.CareSettings{Limits: o.Limits, Shared: o.Shared, Since: now}},
		Sources: []*catalog.Source{j}}
	p := &Provisioned{Tenant: t.ID, Slug: t.Slug, Name: t.Name, JournalAddress: j.JournalAddress}
	n.Events = append(n.Events, h.event("tenant.created", t.ID.String(), map[string]string{"name": t.Name, "reseller": idOrNone(owner), "reference": o.Reference}),
		h.event("source.created", j.ID.String(), nil))
	for _, x := range o.Domains {
		if h.a.ofJournals(ctx, x.Name) {
			return nil, nil, wrongField("domains", "%s is not available", x.Name)
		}
		n.Domains = append(n.Domains, &catalog.Domain{Name: x.Name, Tenant: t.ID, Main: x.AliasOf, CreatedAt: now})
		n.Events = append(n.Events, h.event("domain.added", "", map[string]string{"domain": x.Name, "alias_of": x.AliasOf}))
		p.Domains = append(p.Domains, x.Name)
	}
	for i, x := range orderUsers(o) {
		role := access.RoleUser
		if o.Admin != nil && i == 0 {
			role = access.RoleTenantAdmin
		}
		u, err := h.orderedUser(ctx, t, x, role)
		if err != nil {
			return nil, nil, err
		}
		n.Users = append(n.Users, u)
		n.Events = append(n.Events, h.event("user.created", u.ID.String(), map[string]string{"login": u.Login, "role": u.Role}))
		p.Users = append(p.Users, ProvisionedUser{ID: u.ID, Login: u.Login, Role: u.Role})
	}
	n.Instance = []*catalog.Event{h.event("tenant.created", t.ID.String(), map[string]string{"name": t.Name, "reseller": idOrNone(owner)})}
	return n, p, nil
}

func (h *Handle) orderedUser(ctx context.Context, t *catalog.Tenant, x *OrderUser, role access.Role) (*catalog.User, error) {
	u := &catalog.User{ID: uid.New(t.CreatedAt), Tenant: t.ID, Login: x.Login, Name: x.Name, Role: string(role), Language: x.Language, CreatedAt: t.CreatedAt, Addresses: x.Addresses}
	if u.Name == "" {
		u.Name = u.Login
	}
	if x.Password == "" { // fits no password
		return u, nil
	}
	var err error
	u.PasswordHash, err = h.a.hasher.Hash(ctx, x.Password)
	return u, err
}

// slugOf makes a short name of a name.
func slugOf(name string) string {
	folded := strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss").Replace(strings.ToLower(name))
	var b strings.Builder
	for _, r := range folded {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 50 {
			break
		}
	}
	if slug := strings.Trim(b.String(), "-"); slug != "" {
		return slug
	}
	return "customer"
}
