package httpd

import (
	"context"

	"github.com/muniment/muniment/api"
	"github.com/muniment/muniment/internal/access"
	"github.com/muniment/muniment/internal/archive"
)

// Provision implements api.Service.
func (s *Server) Provision(ctx context.Context, key string, o api.Order) (*api.Provisioned, error) {
	h, err := s.entitled(ctx, access.ManageTenants)
	if err != nil {
		return nil, err
	}
	if requestOf(ctx).keyless { // a variable of the shop that was not set: every try would make another customer
		return nil, mistake("header.Idempotency-Key", "is empty; give the number of the order, or leave the header out")
	}
	if o.Reference == "" {
		o.Reference = key
	} else if key != "" && key != o.Reference {
		return nil, mistake("header.Idempotency-Key", "differs from the reference in the body; one of them is enough")
	}
	p, err := h.Provision(ctx, OrderOf(o))
	if err != nil {
		return nil, judged(err)
	}
	out := ProvisionedOf(p)
	return &out, nil
}

// ProvisionedOf is what came of an order as clients are told; the command line says the
// same JSON.
func ProvisionedOf(p *archive.Provisioned) api.Provisioned {
	out := api.Provisioned{Tenant: p.Tenant.String(), Slug: p.Slug, Name: p.Name, JournalAddress: p.JournalAddress, Domains: list(p.Domains), Users: []api.ProvisionedPerson{},
		LogInLink: p.LogInLink}
	for _, u := range p.Users {
		out.Users = append(out.Users, api.ProvisionedPerson{ID: u.ID.String(), Login: u.Login, Role: u.Role})
	}
	return out
}

// OrderOf is an order as the archive takes it; the command line reads the same JSON.
func OrderOf(o api.Order) archive.Order {
	out := archive.Order{Reference: o.Reference, Reseller: o.Reseller, Slug: o.Slug, Name: o.Name, Zone: o.Zone, Journal: o.Journal, Shared: o.Shared}
	if l := limits(o.Limits); l != nil {
		out.Limits = *l
	}
	for _, d := range o.Domains {
		out.Domains = append(out.Domains, archive.OrderDomain(d))
	}
	if o.Admin != nil {
		u := archive.OrderUser(*o.Admin)
		out.Admin = &u
	}
	for _, u := range o.Users {
		out.Users = append(out.Users, archive.OrderUser(u))
	}
	return out
}
