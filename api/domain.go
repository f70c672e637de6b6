package api

import (
	"context"
	"net/http"
)

// MailRules are what the operator says of domains, for all customers.
type MailRules struct {
	JournalDomain string `json:"journal_domain" doc:"Domain of new journal addresses; those that are there stay. Mail for it has to be routed to the archive"`
	Configured    string `json:"configured" doc:"That of the configuration file"`
	ProofNeeded   bool   `json:"proof_needed" doc:"Mail of a domain is seen only when the customer has proven that the domain is its own. It is archived in any case"`
}

// MailRulesChange changes them; what is absent stays.
type MailRulesChange struct {
	JournalDomain *string `json:"journal_domain,omitempty" maxLength:"300" doc:"Empty: that of the configuration file"`
	ProofNeeded   *bool   `json:"proof_needed,omitempty"`
}

type byTenantDomain struct {
	ID   string `path:"id" doc:"Id of the customer"`
	Name string `path:"name" maxLength:"300" doc:"The domain"`
}

// domainRules are the operations on domains of those above the customers, and the proof
// of a domain.
func domainRules(o operations, s RoutingService) {
	add(o, op{id: "proveDomain", method: http.MethodPost, path: "/domains/{name}/proof", tag: "routing",
		summary: "Ask the DNS whether a mail domain is the customer's own", problems: []Code{CodeRole, CodeOrigin, CodeNotFound}},
		func(ctx context.Context, in *byDomain) (*body[DomainProof], error) {
			return reply(s.ProveDomain(ctx, in.Name))
		})
	add(o, op{id: "getMailRules", method: http.MethodGet, path: "/mail-rules", tag: "installation",
		summary: "Domain of new journal addresses, and whether domains have to be proven", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[MailRules], error) { return reply(s.MailRules(ctx)) })
	add(o, op{id: "changeMailRules", method: http.MethodPatch, path: "/mail-rules", tag: "installation",
		summary: "Set the domain of new journal addresses, and whether domains have to be proven", problems: changingCodes()},
		func(ctx context.Context, in *body[MailRulesChange]) (*body[MailRules], error) {
			return reply(s.ChangeMailRules(ctx, in.Body))
		})
	add(o, op{id: "addTenantDomain", method: http.MethodPost, path: "/tenants/{id}/domains", tag: "hierarchy",
		summary: "Give a customer a mail domain", problems: changingCodes()},
		func(ctx context.Context, in *tenantBody[NewDomain]) (*body[TenantDetail], error) {
			return reply(s.AddTenantDomain(ctx, in.ID, in.Body))
		})
	add(o, op{id: "removeTenantDomain", method: http.MethodDelete, path: "/tenants/{id}/domains/{name}", tag: "hierarchy",
		summary: "Take a mail domain from a customer; what is archived stays", problems: changingCodes()},
		func(ctx context.Context, in *byTenantDomain) (*body[TenantDetail], error) {
			return reply(s.RemoveTenantDomain(ctx, in.ID, in.Name))
		})
}
