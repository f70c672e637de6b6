package api

import (
	"context"
	"net/http"
	"time"
)

// Domain is a mail domain of the tenant.
type Domain struct {
	Name      string    `json:"name" doc:"In Unicode"`
	AliasOf   string    `json:"alias_of,omitempty" doc:"The domain that it stands for"`
	CreatedAt time.Time `json:"created_at"`
	Waiting   int       `json:"waiting" doc:"Messages in quarantine that belong to it"`

	Proof DomainProof `json:"proof"`
}

// DomainProof tells whether the customer has shown, by a TXT record in the DNS, that the
// domain is its own.
type DomainProof struct {
	Record    string     `json:"record" doc:"Name of the TXT record"`
	Value     string     `json:"value" doc:"Its text"`
	Needed    bool       `json:"needed" doc:"Mail of the domain is not seen before it is proven"`
	ProvenAt  *time.Time `json:"proven_at,omitempty" doc:"Absent: it is not"`
	CheckedAt *time.Time `json:"checked_at,omitempty"`
	Problem   string     `json:"problem,omitempty" enum:",missing,different,unreachable" doc:"Of the last check"`
}

// Domains are ordered by name. Without any, everything is archived.
type Domains struct {
	Domains []Domain `json:"domains"`
}

// NewDomain gives the tenant a domain.
type NewDomain struct {
	Name    string `json:"name" minLength:"1" maxLength:"300"`
	AliasOf string `json:"alias_of,omitempty" maxLength:"300" doc:"Another domain of the tenant that it stands for"`
}

// Selection says which addresses are archived.
type Selection struct {
	Enabled   bool       `json:"enabled" doc:"false: all addresses are"`
	Addresses []string   `json:"addresses"`
	ChangedAt *time.Time `json:"changed_at,omitempty"`
	ChangedBy string     `json:"changed_by,omitempty"`
}

// SelectionChange replaces the selection.
type SelectionChange struct {
	Enabled   bool     `json:"enabled"`
	Addresses []string `json:"addresses" maxItems:"20000"`
	Confirmed bool     `json:"confirmed,omitempty" doc:"Needed if something is not archived any more that was: somebody has read that the law may ask for it"`
}

// ProposedAddress is an address that may be selected.
type ProposedAddress struct {
	Address string `json:"address"`
	Name    string `json:"name"`
	User    bool   `json:"user" doc:"Somebody who can log in has it"`
}

// ProposedAddresses are those of users, and those in the tenant's domains on its
// newest messages.
type ProposedAddresses struct {
	Addresses []ProposedAddress `json:"addresses"`
}

// QuarantineQuery chooses messages in quarantine.
type QuarantineQuery struct {
	State   string `query:"state" enum:"open,waiting,kept,released,all" default:"open" doc:"open: waiting or kept"`
	Source  string `query:"source" maxLength:"64" doc:"Id of the source; empty: all"`
	Reason  string `query:"reason" enum:",domain,foreign,nobody"`
	Q       string `query:"q" maxLength:"200" doc:"Text in subject, sender or recipients"`
	Belongs bool   `query:"belongs" doc:"Only what would be archived if it came now"`
	Domain  string `query:"domain" maxLength:"300" doc:"Only what somebody in this domain is a party of"`
	Cursor  string `query:"cursor" maxLength:"64" doc:"Next of the previous page"`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// QuarantinedMessage is what administrators learn of a message in quarantine.
type QuarantinedMessage struct {
	ID         string     `json:"id"`
	ReceivedAt time.Time  `json:"received_at"`
	Source     string     `json:"source" doc:"Name of the source"`
	Kind       string     `json:"kind" doc:"Of the source"`
	From       []string   `json:"from"`
	To         []string   `json:"to" doc:"As the header says"`
	Hidden     int        `json:"hidden" doc:"Recipients whom the header does not name"`
	Subject    string     `json:"subject"`
	Size       int64      `json:"size"`
	Reason     string     `json:"reason" enum:"domain,foreign,nobody"`
	State      string     `json:"state" enum:"waiting,kept,released"`
	DecidedAt  *time.Time `json:"decided_at,omitempty"`
	DecidedBy  string     `json:"decided_by,omitempty"`
	Note       string     `json:"note,omitempty" doc:"Why it was decided so"`
	Belongs    bool       `json:"belongs" doc:"Would be archived if it came now"`
}

// QuarantinePage is one page, the newest first.
type QuarantinePage struct {
	Messages []QuarantinedMessage `json:"messages"`
	Next     string               `json:"next,omitempty" doc:"Cursor of the next page"`
}

// QuarantineCounts counts the messages in quarantine.
type QuarantineCounts struct {
	Waiting  int64 `json:"waiting"`
	Kept     int64 `json:"kept"`
	Released int64 `json:"released"`
}

// QuarantineDecision is what becomes of messages in quarantine.
type QuarantineDecision struct {
	State  string   `json:"state" enum:"released,kept"`
	IDs    []string `json:"ids,omitempty" maxItems:"500"`
	Domain string   `json:"domain,omitempty" maxLength:"300" doc:"Instead of ids: everything that waits, would be archived now and is of this domain; only to be released, 500 at a time"`
	Reason string   `json:"reason,omitempty" maxLength:"1000" doc:"Needed to keep"`
}

// QuarantineDecided is how many messages were decided on.
type QuarantineDecided struct {
	Count int  `json:"count" doc:"Without those that had been released before"`
	More  bool `json:"more" doc:"Ask again: there are more of that domain"`
}

// RoutingService carries out the operations about where mail belongs.
type RoutingService interface {
	Domains(ctx context.Context) (*Domains, error)
	AddDomain(ctx context.Context, n NewDomain) (*Domain, error)
	RemoveDomain(ctx context.Context, name string) error
	ProveDomain(ctx context.Context, name string) (*DomainProof, error)
	MailRules(ctx context.Context) (*MailRules, error)
	ChangeMailRules(ctx context.Context, c MailRulesChange) (*MailRules, error)
	AddTenantDomain(ctx context.Context, tenant string, n NewDomain) (*TenantDetail, error)
	RemoveTenantDomain(ctx context.Context, tenant, name string) (*TenantDetail, error)
	Selection(ctx context.Context) (*Selection, error)
	ChangeSelection(ctx context.Context, c SelectionChange) (*Selection, error)
	ProposeAddresses(ctx context.Context) (*ProposedAddresses, error)
	Quarantine(ctx context.Context, q QuarantineQuery) (*QuarantinePage, error)
	CountQuarantine(ctx context.Context) (*QuarantineCounts, error)
	DecideQuarantine(ctx context.Context, d QuarantineDecision) (*QuarantineDecided, error)
}

// selectionBody bounds a selection, in bytes: 20,000 addresses.
const selectionBody = 2 << 20

type byDomain struct {
	Name string `path:"name" doc:"The domain"`
}

func routing(o operations, s RoutingService) {
	changing := []Code{CodeRole, CodeMalformed, CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType}
	add(o, op{id: "listDomains", method: http.MethodGet, path: "/domains", tag: "routing",
		summary: "Mail domains of the tenant", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[Domains], error) { return reply(s.Domains(ctx)) })
	add(o, op{id: "addDomain", method: http.MethodPost, path: "/domains", tag: "routing", status: http.StatusCreated,
		summary: "Add a mail domain", problems: changing},
		func(ctx context.Context, in *body[NewDomain]) (*body[Domain], error) {
			return reply(s.AddDomain(ctx, in.Body))
		})
	add(o, op{id: "removeDomain", method: http.MethodDelete, path: "/domains/{name}", tag: "routing", status: http.StatusNoContent,
		summary: "Remove a mail domain; what is archived stays", problems: []Code{CodeRole, CodeOrigin, CodeNotFound}},
		func(ctx context.Context, in *byDomain) (*empty, error) { return nil, s.RemoveDomain(ctx, in.Name) })
	domainRules(o, s)
	add(o, op{id: "getSelection", method: http.MethodGet, path: "/selection", tag: "routing",
		summary: "Which addresses are archived", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[Selection], error) { return reply(s.Selection(ctx)) })
	add(o, op{id: "changeSelection", method: http.MethodPost, path: "/selection", tag: "routing", body: selectionBody,
		summary: "Say which addresses are archived", problems: changing},
		func(ctx context.Context, in *body[SelectionChange]) (*body[Selection], error) {
			return reply(s.ChangeSelection(ctx, in.Body))
		})
	add(o, op{id: "proposeAddresses", method: http.MethodGet, path: "/selection/proposals", tag: "routing",
		summary: "Known addresses that may be selected", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[ProposedAddresses], error) {
			return reply(s.ProposeAddresses(ctx))
		})
	add(o, op{id: "listQuarantine", method: http.MethodGet, path: "/quarantine", tag: "routing",
		summary: "Messages in quarantine, without what they say", problems: []Code{CodeRole, CodeCursor}},
		func(ctx context.Context, in *QuarantineQuery) (*body[QuarantinePage], error) {
			return reply(s.Quarantine(ctx, *in))
		})
	add(o, op{id: "countQuarantine", method: http.MethodGet, path: "/quarantine/counts", tag: "routing",
		summary: "How many messages are in quarantine", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[QuarantineCounts], error) {
			return reply(s.CountQuarantine(ctx))
		})
	add(o, op{id: "decideQuarantine", method: http.MethodPost, path: "/quarantine/decisions", tag: "routing", body: settingsBody,
		summary: "Release messages from quarantine, or keep them there", problems: append([]Code{CodeNotFound}, changing...)},
		func(ctx context.Context, in *body[QuarantineDecision]) (*body[QuarantineDecided], error) {
			return reply(s.DecideQuarantine(ctx, in.Body))
		})
}
