package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// LimitUse is a limit and how much of it is used. It never keeps mail out.
type LimitUse struct {
	What  string `json:"what" enum:"customers,mailboxes,storage"`
	Used  int64  `json:"used"`
	Limit int64  `json:"limit" doc:"0: none"`
	Level string `json:"level" enum:",near,reached" doc:"near: 80 % and more; reached: 100 % and more"`
}

// Limits bound a reseller or a tenant; 0 is none.
type Limits struct {
	Customers int   `json:"customers,omitempty" minimum:"0" maximum:"1000000" doc:"Of a reseller"`
	Mailboxes int   `json:"mailboxes,omitempty" minimum:"0" maximum:"100000000" doc:"Addresses with mail in a month"`
	Storage   int64 `json:"storage,omitempty" minimum:"0" doc:"Bytes as stored"`
}

// TenantFigures is a tenant as those above it see it: figures, and nothing of its mail.
type TenantFigures struct {
	ID        string     `json:"id"`
	Slug      string     `json:"slug"`
	Name      string     `json:"name"`
	State     string     `json:"state" enum:"active,suspended,ended"`
	Reseller  string     `json:"reseller,omitempty" doc:"Short name; absent: the operator looks after it"`
	CreatedAt time.Time  `json:"created_at"`
	Messages  int64      `json:"messages"`
	RawBytes  int64      `json:"raw_bytes" doc:"Of the originals"`
	Mailboxes int        `json:"mailboxes" doc:"That count this month"`
	Stored    int64      `json:"stored_bytes" doc:"As counted last, some minutes ago"`
	Limits    []LimitUse `json:"limits"`
}

// Tenants are the tenants that one looks after.
type Tenants struct {
	Tenants []TenantFigures `json:"tenants" doc:"By name"`
}

// TenantDetail is one tenant with what the list leaves out.
type TenantDetail struct {
	TenantFigures
	Zone        string         `json:"zone"`
	Since       *time.Time     `json:"since,omitempty" doc:"When it came into its state"`
	DeletableAt *time.Time     `json:"deletable_at,omitempty" doc:"Of one that has ended: when it may be deleted"`
	Reference   string         `json:"reference,omitempty" doc:"Of the order that it was made by"`
	Domains     []TenantDomain `json:"domains"`
	Journals    []string       `json:"journal_addresses"`
	Shared      []string       `json:"shared" doc:"Addresses that do not count as mailboxes"`
	Sources     int            `json:"sources"`
	Users       int            `json:"users"`
	Months      []TenantMonth  `json:"months" doc:"What it has used, the youngest first"`
}

// TenantDomain is a mail domain of a tenant.
type TenantDomain struct {
	Name    string `json:"name"`
	AliasOf string `json:"alias_of,omitempty"`
}

// TenantMonth is what a tenant has used in a calendar month (UTC).
type TenantMonth struct {
	Month     string `json:"month" doc:"Such as 2026-11"`
	Mailboxes int    `json:"mailboxes" doc:"Addresses with mail that count"`
	Shared    int    `json:"shared" doc:"Addresses with mail that do not count, because they are shared"`
	Messages  int64  `json:"messages"`
	Bytes     int64  `json:"bytes" doc:"Of the originals"`
	Stored    int64  `json:"stored_bytes" doc:"Of all months, as counted last in this one"`
}

// TenantChange changes a tenant; what is absent stays.
type TenantChange struct {
	Name     *string  `json:"name,omitempty" maxLength:"200"`
	Zone     *string  `json:"zone,omitempty" maxLength:"64"`
	Reseller *string  `json:"reseller,omitempty" maxLength:"63" doc:"Short name; empty: the operator. For operators only"`
	Limits   *Limits  `json:"limits,omitempty"`
	Shared   []string `json:"shared,omitempty" maxItems:"5000" doc:"Addresses that do not count as mailboxes"`
}

// TenantState suspends, ends or resumes a tenant.
type TenantState struct {
	State string `json:"state" enum:"active,suspended,ended"`
}

// TenantDeletion asks for the end of a tenant, for good.
type TenantDeletion struct {
	Name string `json:"name" maxLength:"200" doc:"The customer's name, as a confirmation"`
}

// Certificate says that a tenant was deleted, and what it was.
type Certificate struct {
	Tenant       string     `json:"tenant"`
	Slug         string     `json:"slug"`
	Name         string     `json:"name"`
	Reseller     string     `json:"reseller,omitempty"`
	CreatedAt    time.Time  `json:"created_at"`
	EndedAt      time.Time  `json:"ended_at"`
	RequestedAt  time.Time  `json:"requested_at"`
	RequestedBy  string     `json:"requested_by"`
	Messages     int64      `json:"messages"`
	RawBytes     int64      `json:"raw_bytes"`
	StoredBytes  int64      `json:"stored_bytes"`
	Users        int        `json:"users"`
	Sources      int        `json:"sources"`
	Domains      int        `json:"domains"`
	LogSize      int64      `json:"log_size" doc:"Entries of the event log"`
	LogRoot      string     `json:"log_root" doc:"Root of the event log, SHA-256, hexadecimal"`
	KeyDestroyed *time.Time `json:"key_destroyed_at,omitempty"`
	CompletedAt  *time.Time `json:"completed_at,omitempty" doc:"Absent: under way"`
	Objects      int        `json:"objects_removed"`
	Text         string     `json:"text" doc:"For people, in the language of the request"`
}

// Certificates are the certificates of tenants that one looked after.
type Certificates struct {
	Certificates []Certificate `json:"certificates" doc:"The youngest first"`
}

// Order is a tenant to be made, with all that it begins with.
type Order struct {
	Reference string        `json:"reference,omitempty" maxLength:"200" doc:"How the shop calls the order: the same reference makes the same customer, however often it comes"`
	Reseller  string        `json:"reseller,omitempty" maxLength:"63" doc:"Short name; for operators only"`
	Slug      string        `json:"slug,omitempty" maxLength:"63" doc:"Short name; absent: made of the name"`
	Name      string        `json:"name" maxLength:"200"`
	Zone      string        `json:"zone,omitempty" maxLength:"64" doc:"IANA time zone; absent: Europe/Berlin"`
	Domains   []OrderSite   `json:"domains,omitempty" maxItems:"500"`
	Journal   string        `json:"journal,omitempty" maxLength:"200" doc:"Name of the first journal address"`
	Admin     *OrderPerson  `json:"admin,omitempty" doc:"First administrator"`
	Users     []OrderPerson `json:"users,omitempty" maxItems:"1000"`
	Limits    *Limits       `json:"limits,omitempty"`
	Shared    []string      `json:"shared,omitempty" maxItems:"5000" doc:"Addresses that do not count as mailboxes"`
}

// OrderSite is a mail domain of an order.
type OrderSite struct {
	Name    string `json:"name" maxLength:"300"`
	AliasOf string `json:"alias_of,omitempty" maxLength:"300" doc:"Another one of the domains"`
}

// OrderPerson is a user of an order.
type OrderPerson struct {
	Login     string   `json:"login" maxLength:"128"`
	Name      string   `json:"name,omitempty" maxLength:"200"`
	Language  string   `json:"language,omitempty" enum:",de,en"`
	Addresses []string `json:"addresses,omitempty" maxItems:"500"`
	Password  string   `json:"password,omitempty" maxLength:"1024" doc:"Absent: nobody can log in as the user until somebody has set one. It is not kept with the order, nor compared"`
}

// Provisioned is what came of an order. The same order gets the same answer.
type Provisioned struct {
	Tenant         string              `json:"tenant"`
	Slug           string              `json:"slug"`
	Name           string              `json:"name"`
	JournalAddress string              `json:"journal_address"`
	Domains        []string            `json:"domains"`
	Users          []ProvisionedPerson `json:"users" doc:"The administrator first"`
	LogInLink      string              `json:"log_in_link,omitempty" doc:"With which the administrator logs in first"`
}

// ProvisionedPerson is a user that an order has made.
type ProvisionedPerson struct {
	ID    string `json:"id"`
	Login string `json:"login"`
	Role  string `json:"role"`
}

// UsageRow is what a tenant has used in a month.
type UsageRow struct {
	Tenant   string `json:"tenant"`
	Slug     string `json:"slug"`
	Name     string `json:"name"`
	State    string `json:"state"`
	Reseller string `json:"reseller,omitempty"`
	Limits   Limits `json:"limits"`
	TenantMonth
}

// Usage is what the tenants that one looks after have used in a month.
type Usage struct {
	Month string     `json:"month"`
	Rows  []UsageRow `json:"rows" doc:"By name"`
}

// HierarchyService carries out the operations of those above the tenants.
type HierarchyService interface {
	Tenants(ctx context.Context) (*Tenants, error)
	Tenant(ctx context.Context, id string) (*TenantDetail, error)
	ChangeTenant(ctx context.Context, id string, c TenantChange) (*TenantDetail, error)
	SetTenantState(ctx context.Context, id string, s TenantState) (*TenantDetail, error)
	DeleteTenant(ctx context.Context, id string, d TenantDeletion) (*Certificate, error)
	Certificates(ctx context.Context) (*Certificates, error)
	// Provision gets the header Idempotency-Key as well, which is as good as a
	// reference.
	Provision(ctx context.Context, key string, o Order) (*Provisioned, error)
	Usage(ctx context.Context, month string) (*Usage, error)
	Resellers(ctx context.Context) (*Resellers, error)
	Reseller(ctx context.Context, id string) (*Reseller, error)
	CreateReseller(ctx context.Context, n NewReseller) (*Reseller, error)
	ChangeReseller(ctx context.Context, id string, c ResellerChange) (*Reseller, error)
	Staff(ctx context.Context, reseller string) (*Staff, error)
	AddStaff(ctx context.Context, reseller string, n NewStaffMember) (*StaffMember, error)
	Tokens(ctx context.Context) (*Tokens, error)
	CreateToken(ctx context.Context, n NewToken) (*CreatedToken, error)
	RevokeToken(ctx context.Context, id string) error
}

// orderBody bounds an order, in bytes: 1,000 users.
const orderBody = 1 << 20

// logoBody bounds a change of a reseller with a logo, in bytes.
const logoBody = 384 << 10

type (
	byTenant struct {
		ID string `path:"id" doc:"Id of the customer"`
	}
	byReseller struct {
		ID string `path:"id" doc:"Id of the reseller"`
	}
	byToken struct {
		ID string `path:"id" doc:"Id of the token"`
	}
	tenantBody[T any] struct {
		ID   string `path:"id" doc:"Id of the customer"`
		Body T
	}
	resellerBody[T any] struct {
		ID   string `path:"id" doc:"Id of the reseller"`
		Body T
	}
	orderRequest struct {
		Key  string `header:"Idempotency-Key" maxLength:"200" doc:"As good as a reference"`
		Body Order
	}
	byMonth struct {
		Month string `query:"month" required:"true" maxLength:"7" doc:"Such as 2026-11, UTC"`
	}
)

func hierarchy(o operations, s HierarchyService) {
	tenants(o, s)
	resellers(o, s)
	tokens(o, s)
}

// changingCodes are the problems of operations that change something.
func changingCodes(more ...Code) []Code {
	return append([]Code{CodeRole, CodeMalformed, CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType, CodeNotFound}, more...)
}

func tenants(o operations, s HierarchyService) {
	add(o, op{id: "listTenants", method: http.MethodGet, path: "/tenants", tag: "hierarchy",
		summary: "Customers that one looks after", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[Tenants], error) { return reply(s.Tenants(ctx)) })
	add(o, op{id: "getTenant", method: http.MethodGet, path: "/tenants/{id}", tag: "hierarchy",
		summary: "One customer", problems: []Code{CodeRole, CodeNotFound}},
		func(ctx context.Context, in *byTenant) (*body[TenantDetail], error) {
			return reply(s.Tenant(ctx, in.ID))
		})
	add(o, op{id: "changeTenant", method: http.MethodPatch, path: "/tenants/{id}", tag: "hierarchy", body: orderBody,
		summary: "Change a customer", problems: changingCodes()},
		func(ctx context.Context, in *tenantBody[TenantChange]) (*body[TenantDetail], error) {
			return reply(s.ChangeTenant(ctx, in.ID, in.Body))
		})
	add(o, op{id: "setTenantState", method: http.MethodPost, path: "/tenants/{id}/state", tag: "hierarchy",
		summary: "Suspend, end or resume a customer", problems: changingCodes()},
		func(ctx context.Context, in *tenantBody[TenantState]) (*body[TenantDetail], error) {
			return reply(s.SetTenantState(ctx, in.ID, in.Body))
		})
	add(o, op{id: "deleteTenant", method: http.MethodPost, path: "/tenants/{id}/deletion", tag: "hierarchy",
		summary: "Delete a customer that has ended, for good", problems: changingCodes(CodeNotYet)},
		func(ctx context.Context, in *tenantBody[TenantDeletion]) (*body[Certificate], error) {
			return reply(s.DeleteTenant(ctx, in.ID, in.Body))
		})
	add(o, op{id: "listCertificates", method: http.MethodGet, path: "/certificates", tag: "hierarchy",
		summary: "Certificates of customers that were deleted", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[Certificates], error) { return reply(s.Certificates(ctx)) })
	add(o, op{id: "provisionTenant", method: http.MethodPost, path: "/provisioning/tenants", tag: "hierarchy", body: orderBody,
		summary: "Make a customer with all that it begins with, once for each reference", problems: changingCodes(CodeDifferent, CodeLimit)},
		func(ctx context.Context, in *orderRequest) (*body[Provisioned], error) {
			return reply(s.Provision(ctx, in.Key, in.Body))
		})
	add(o, op{id: "getUsage", method: http.MethodGet, path: "/usage", tag: "hierarchy",
		summary: "What customers have used in a month", problems: []Code{CodeRole}},
		func(ctx context.Context, in *byMonth) (*body[Usage], error) { return reply(s.Usage(ctx, in.Month)) })
}

func resellers(o operations, s HierarchyService) {
	add(o, op{id: "listResellers", method: http.MethodGet, path: "/resellers", tag: "hierarchy",
		summary: "Resellers", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[Resellers], error) { return reply(s.Resellers(ctx)) })
	add(o, op{id: "createReseller", method: http.MethodPost, path: "/resellers", tag: "hierarchy", status: http.StatusCreated,
		summary: "Make a reseller", problems: changingCodes()},
		func(ctx context.Context, in *body[NewReseller]) (*body[Reseller], error) {
			return reply(s.CreateReseller(ctx, in.Body))
		})
	add(o, op{id: "getReseller", method: http.MethodGet, path: "/resellers/{id}", tag: "hierarchy",
		summary: "One reseller", problems: []Code{CodeRole, CodeNotFound}},
		func(ctx context.Context, in *byReseller) (*body[Reseller], error) {
			return reply(s.Reseller(ctx, in.ID))
		})
	add(o, op{id: "changeReseller", method: http.MethodPatch, path: "/resellers/{id}", tag: "hierarchy", body: logoBody,
		summary: "Change a reseller, or how the archive looks to its customers", problems: changingCodes()},
		func(ctx context.Context, in *resellerBody[ResellerChange]) (*body[Reseller], error) {
			return reply(s.ChangeReseller(ctx, in.ID, in.Body))
		})
	add(o, op{id: "listStaff", method: http.MethodGet, path: "/resellers/{id}/staff", tag: "hierarchy",
		summary: "Users of a reseller", problems: []Code{CodeRole, CodeNotFound}},
		func(ctx context.Context, in *byReseller) (*body[Staff], error) { return reply(s.Staff(ctx, in.ID)) })
	add(o, op{id: "addStaff", method: http.MethodPost, path: "/resellers/{id}/staff", tag: "hierarchy", status: http.StatusCreated,
		summary: "Add a user to a reseller", problems: changingCodes()},
		func(ctx context.Context, in *resellerBody[NewStaffMember]) (*body[StaffMember], error) {
			return reply(s.AddStaff(ctx, in.ID, in.Body))
		})
}

func tokens(o operations, s HierarchyService) {
	add(o, op{id: "listTokens", method: http.MethodGet, path: "/tokens", tag: "hierarchy",
		summary: "Tokens for programs", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[Tokens], error) { return reply(s.Tokens(ctx)) })
	add(o, op{id: "createToken", method: http.MethodPost, path: "/tokens", tag: "hierarchy", status: http.StatusCreated,
		summary: "Make a token, which is shown this once", problems: changingCodes()},
		func(ctx context.Context, in *body[NewToken]) (*body[CreatedToken], error) {
			return reply(s.CreateToken(ctx, in.Body))
		})
	add(o, op{id: "revokeToken", method: http.MethodDelete, path: "/tokens/{id}", tag: "hierarchy", status: http.StatusNoContent,
		summary: "End a token at once", problems: []Code{CodeRole, CodeOrigin, CodeNotFound}},
		func(ctx context.Context, in *byToken) (*empty, error) { return nil, s.RevokeToken(ctx, in.ID) })
}

// hierarchyDownloads are what streams: usage for accounts, and the logos that
// everybody may see.
func hierarchyDownloads() []Download {
	return []Download{
		{op{id: "getUsageCsv", method: http.MethodGet, path: "/usage.csv", tag: "hierarchy", problems: []Code{CodeRole},
			summary: "What customers have used in a month, as CSV (UTF-8 with byte order mark)"},
			[]*huma.Param{{Name: "month", In: "query", Required: true, Description: "Such as 2026-11, UTC", Schema: &huma.Schema{Type: huma.TypeString}},
				{Name: "separator", In: "query", Description: "Between the cells", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"semicolon", "comma"}, Default: "semicolon"}}},
			"text/csv"},
		{op{id: "getLogo", method: http.MethodGet, path: "/logos/{picture}", tag: "hierarchy", public: true, problems: []Code{CodeNotFound},
			summary: "Picture of a reseller"},
			[]*huma.Param{{Name: "picture", In: "path", Required: true, Description: "Logo of a branding", Schema: &huma.Schema{Type: huma.TypeString}}}, "image/png"},
	}
}
