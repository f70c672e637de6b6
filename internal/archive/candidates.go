package archive

import (
	"context"
	"slices"
	"strings"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/message"
	"github.com/muniment/muniment/internal/uid"
)

// maxCandidates bounds how many users of different tenants one log-in tries.
const maxCandidates = 4

// candidates are the users whom a log-in may mean, at most maxCandidates; more says that
// there are others, who have to name their customer.
type candidates struct {
	users []catalog.User
	more  bool
}

func (c *candidates) add(u catalog.User) {
	switch {
	case slices.ContainsFunc(c.users, func(o catalog.User) bool { return o.ID == u.ID }):
	case len(c.users) < maxCandidates:
		c.users = append(c.users, u)
	default:
		c.more = true
	}
}

// candidates finds the users whom a log-in may mean.
func (a *Archive) candidates(ctx context.Context, in LogIn) (*candidates, error) {
	c := &candidates{}
	login := normalLogin(in.Login)
	if strings.ContainsRune(login, 0) {
		return c, nil // nobody's, and no text for PostgreSQL
	}
	tenants, err := a.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	named, err := a.catalog.UsersByLogin(ctx, login)
	if err != nil {
		return nil, err
	}
	if written := strings.ToLower(strings.TrimSpace(in.Login)); written != login { // as names from directories may be stored
		others, err := a.catalog.UsersByLogin(ctx, written)
		if err != nil {
			return nil, err
		}
		named = append(named, others...)
	}
	for _, u := range named { // first: however many users have the login, an operator can log in
		if u.Tenant.IsZero() && means(tenants, u, in) {
			c.add(*u)
		}
	}
	if strings.Contains(login, "@") {
		users, err := a.addressees(ctx, addressOf(in.Login))
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			if means(tenants, u, in) {
				c.add(*u)
			}
		}
	}
	for _, u := range named {
		if means(tenants, u, in) {
			c.add(*u)
		}
	}
	return c, nil
}

// addressOf is the mail address that somebody logs in with, however it is written.
func addressOf(login string) string { return message.NormalizeAddress(normalLogin(login)) }

// addressees finds the users who have an address, those of the tenant first whose
// domain it is: others who write it down as theirs do not get in its users' way. In that
// tenant an address in an alias domain is the same as that in the main one.
func (a *Archive) addressees(ctx context.Context, address string) ([]*catalog.User, error) {
	users, err := a.catalog.UsersByAddress(ctx, address)
	if err != nil {
		return nil, err
	}
	owner, err := a.ownerOf(ctx, address)
	if err != nil || owner.IsZero() {
		return users, err
	}
	rules, err := a.routing(ctx, owner)
	if err != nil {
		return nil, err
	}
	for _, same := range rules.withAliases([]string{address})[1:] {
		more, err := a.catalog.UsersByAddress(ctx, same)
		if err != nil {
			return nil, err
		}
		for _, u := range more {
			if u.Tenant == owner && !slices.ContainsFunc(users, func(o *catalog.User) bool { return o.ID == u.ID }) {
				users = append(users, u)
			}
		}
	}
	slices.SortStableFunc(users, func(x, y *catalog.User) int {
		rank := map[bool]int{true: 0, false: 1}
		return rank[x.Tenant == owner] - rank[y.Tenant == owner]
	})
	return users, nil
}

// ownerOf returns the tenant whose domain an address is in; zero: nobody's, or the
// domain has to be proven and is not.
func (a *Archive) ownerOf(ctx context.Context, address string) (uid.ID, error) {
	domains, err := a.catalog.Domains(ctx)
	if err != nil && len(rowErrors(err)) == 0 {
		return uid.ID{}, err
	}
	name := message.DomainOf(address)
	i := slices.IndexFunc(domains, func(d *catalog.Domain) bool { return d.Name == name })
	if i < 0 {
		return uid.ID{}, nil
	}
	proven, err := a.provenDomains(ctx, domains[i].Tenant)
	if err != nil || proven != nil && !proven[name] {
		return uid.ID{}, err
	}
	return domains[i].Tenant, nil
}

// means reports whether a log-in may be that of u.
func means(tenants []*catalog.Tenant, u *catalog.User, in LogIn) bool {
	slug := strings.ToLower(strings.TrimSpace(in.Tenant))
	if u.Tenant.IsZero() { // an operator
		return in.Operator || slug == ""
	}
	for _, t := range tenants {
		if t.ID == u.Tenant {
			return !in.Operator && t.State != catalog.TenantSuspended && (slug == "" || t.Slug == slug)
		}
	}
	return false
}
