package api

import (
	"context"
	"net/http"
	"time"
)

// DirectoryRole gives the members of a group a role.
type DirectoryRole struct {
	Group string `json:"group" maxLength:"1000" doc:"LDAP: its DN; OpenID Connect: as it stands in the group claim"`
	Role  string `json:"role" maxLength:"40"`
}

// DirectoryLDAP are the settings of a directory that is asked by LDAP.
type DirectoryLDAP struct {
	Flavour   string   `json:"flavour" enum:"ad,generic"`
	Host      string   `json:"host" maxLength:"253"`
	Port      int      `json:"port,omitempty" doc:"0: 636 or 389"`
	TLS       string   `json:"tls" enum:"implicit,starttls,none"`
	CA        string   `json:"ca,omitempty" maxLength:"49152" doc:"Own certificate authorities, PEM"`
	Pin       string   `json:"pin,omitempty" maxLength:"64" doc:"SHA-256 of the only certificate that is accepted, hexadecimal"`
	BindDN    string   `json:"bind_dn" maxLength:"1000" doc:"User that reads; Active Directory takes name@domain as well"`
	BaseDN    string   `json:"base_dn" maxLength:"1000" doc:"Below which users are"`
	GroupDN   string   `json:"group_dn,omitempty" maxLength:"1000" doc:"Below which groups are; empty: base_dn"`
	Filter    string   `json:"filter,omitempty" maxLength:"1000" doc:"Narrows who is a user (RFC 4515)"`
	Member    string   `json:"member,omitempty" maxLength:"1000" doc:"DN of the group that users have to be in, however nested"`
	Login     string   `json:"login,omitempty" maxLength:"100" doc:"Attribute of the user name; empty: sAMAccountName or uid"`
	Addresses []string `json:"addresses,omitempty" maxItems:"20" doc:"Attributes with mail addresses; empty: mail, proxyAddresses, mailAlternateAddress"`
	Shared    bool     `json:"shared,omitempty" doc:"Members of groups with a mail address see its mail"`
	Public    string   `json:"public,omitempty" maxLength:"1000" doc:"DN of the group whose members see the mail of public folders"`
	Interval  int      `json:"interval_seconds,omitempty" doc:"From one synchronisation to the next; 0: an hour; -1: only when somebody asks"`
	Guard     int      `json:"guard_percent,omitempty" minimum:"0" maximum:"100" doc:"How many users may be disabled without anybody being asked; 0: 20"`
}

// DirectoryOIDC are the settings of a provider of OpenID Connect.
type DirectoryOIDC struct {
	Issuer     string   `json:"issuer" maxLength:"1000" doc:"Exactly as the provider calls itself"`
	ClientID   string   `json:"client_id" maxLength:"1000"`
	Redirect   string   `json:"redirect" maxLength:"1000" doc:"Address of this archive with /auth/oidc/callback"`
	Scopes     []string `json:"scopes,omitempty" maxItems:"20" doc:"Besides openid, email, profile"`
	GroupClaim string   `json:"group_claim,omitempty" maxLength:"1000" doc:"Empty: groups; names of objects may be put before with dots"`
	Hosted     string   `json:"hosted,omitempty" maxLength:"253" doc:"Google Workspace domain that people have to be of"`
	TrustEmail bool     `json:"trust_email,omitempty" doc:"Take addresses for verified where the provider does not say so"`
	Create     bool     `json:"create,omitempty" doc:"Make a user at the first log-in"`
	Offered    bool     `json:"offered,omitempty" doc:"Show the button before the tenant is named"`
	CA         string   `json:"ca,omitempty" maxLength:"49152" doc:"Own certificate authorities, PEM"`
}

// DirectoryIMAP are the settings of a mail server that checks passwords.
type DirectoryIMAP struct {
	Host    string   `json:"host" maxLength:"253"`
	Port    int      `json:"port,omitempty" doc:"0: 993 or 143"`
	TLS     string   `json:"tls" enum:"implicit,starttls,none"`
	CA      string   `json:"ca,omitempty" maxLength:"49152"`
	Pin     string   `json:"pin,omitempty" maxLength:"64"`
	User    string   `json:"user,omitempty" enum:",address,local" doc:"The name there: the whole address, or what is before the @"`
	Domains []string `json:"domains,omitempty" maxItems:"500" doc:"Whose addresses are asked there; empty: all of the tenant's"`
	Create  bool     `json:"create,omitempty" doc:"Make a user at the first log-in"`
}

// DirectorySettings are those of exactly one kind.
type DirectorySettings struct {
	LDAP  *DirectoryLDAP  `json:"ldap,omitempty"`
	OIDC  *DirectoryOIDC  `json:"oidc,omitempty"`
	IMAP  *DirectoryIMAP  `json:"imap,omitempty"`
	Roles []DirectoryRole `json:"roles,omitempty" maxItems:"50" doc:"The first group that fits counts; everybody else is a user. Without any, roles are left as they are"`
}

// DirectoryProblem is why a directory cannot be used.
type DirectoryProblem struct {
	Code   string `json:"code" doc:"A short word; docs/directories.md explains each"`
	Text   string `json:"text" doc:"English, for people"`
	Detail string `json:"detail" doc:"What the server or the system said"`
}

// Directory is a user repository of the tenant. The secret goes in and never comes out.
type Directory struct {
	ID        string            `json:"id"`
	Kind      string            `json:"kind" enum:"ldap,oidc,imap"`
	Name      string            `json:"name"`
	Settings  DirectorySettings `json:"settings"`
	HasSecret bool              `json:"has_secret"`
	Position  int               `json:"position" doc:"The order in which they are asked and shown"`
	Disabled  bool              `json:"disabled"`
	Users     int               `json:"users" doc:"Who come from there"`
	LastAt    *time.Time        `json:"last_at,omitempty" doc:"End of the last synchronisation; absent: there was none, and none is scheduled"`
	LastOKAt  *time.Time        `json:"last_ok_at,omitempty"`
	Problem   *DirectoryProblem `json:"problem,omitempty" doc:"Of the last synchronisation"`
}

// Directories are ordered by position.
type Directories struct {
	Directories []Directory `json:"directories"`
	Roles       []string    `json:"roles" doc:"That a group may give"`
}

// DirectoryDraft is what a directory is to be.
type DirectoryDraft struct {
	Name     string            `json:"name" maxLength:"200"`
	Settings DirectorySettings `json:"settings"`
	Secret   *string           `json:"secret,omitempty" maxLength:"4096" doc:"Password of the user that reads, or client secret. Absent: stays, unless server or name change; empty: is removed"`
	Position int               `json:"position,omitempty" minimum:"0" maximum:"1000"`
	Disabled bool              `json:"disabled,omitempty"`
}

// DirectoryTest asks whether settings work. Nothing is stored.
type DirectoryTest struct {
	ID       string            `json:"id,omitempty" maxLength:"64" doc:"The directory whose stored secret is used, if its server and name are the same"`
	Settings DirectorySettings `json:"settings"`
	Secret   *string           `json:"secret,omitempty" maxLength:"4096"`
}

// DirectoryStep is one thing that was tried.
type DirectoryStep struct {
	What string `json:"what" enum:"resolve,connect,certificate,tls,bind,base,people,groups,discovery,client"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

// DirectoryNote says that something is left out.
type DirectoryNote struct {
	Code string `json:"code" enum:"referral,no-id,no-login,no-address,loop,deep"`
	What string `json:"what" doc:"Which entry"`
}

// DirectoryPerson is somebody whom a directory knows.
type DirectoryPerson struct {
	Login     string   `json:"login"`
	Name      string   `json:"name"`
	FirstName string   `json:"first_name,omitempty"`
	LastName  string   `json:"last_name,omitempty"`
	Role      string   `json:"role,omitempty"`
	Addresses []string `json:"addresses"`
	Disabled  bool     `json:"disabled,omitempty"`
}

// DirectoryFinding is what a test finds.
type DirectoryFinding struct {
	OK          bool              `json:"ok"`
	Problem     *DirectoryProblem `json:"problem,omitempty"`
	Steps       []DirectoryStep   `json:"steps" doc:"What was done, in order"`
	Certificate string            `json:"certificate,omitempty" doc:"SHA-256 of the server's certificate, which can be pinned"`
	People      int               `json:"people"`
	Shared      int               `json:"shared" doc:"Shared addresses"`
	First       []DirectoryPerson `json:"first" doc:"At most five"`
	Notes       []DirectoryNote   `json:"notes"`
}

// DirectoryChange is what a synchronisation does with one user.
type DirectoryChange struct {
	Kind    string           `json:"kind" enum:"new,changed,renamed,disabled,enabled,gone,conflict,match,adopted" doc:"match: may be a user who is here already; nothing is done until somebody decides"`
	Reason  string           `json:"reason,omitempty" enum:",login-taken,login-form,domain,no-address,twice"`
	Who     string           `json:"who" doc:"User name in the directory"`
	Before  *DirectoryPerson `json:"before,omitempty" doc:"Absent: a new user"`
	After   *DirectoryPerson `json:"after,omitempty" doc:"Absent: nothing is done. Of a match: the user that can be made beside"`
	Person  string           `json:"person,omitempty" doc:"Of a match: lasting id in the directory, by which it is decided"`
	Matches []DirectoryMatch `json:"matches,omitempty" doc:"Users who may be the same"`
	Refused []string         `json:"refused,omitempty" doc:"Addresses that are left out, as they are not in the tenant's domains"`
}

// DirectoryMatch is a user here who may be the same as somebody in the directory.
type DirectoryMatch struct {
	User      string          `json:"user" doc:"Id of the user"`
	Now       DirectoryPerson `json:"now"`
	After     DirectoryPerson `json:"after" doc:"What the user becomes if it is adopted"`
	Login     bool            `json:"login,omitempty" doc:"Has the same user name"`
	Addresses []string        `json:"addresses,omitempty" doc:"That both have"`
	Password  bool            `json:"password,omitempty" doc:"Has a password here, which ends: the directory checks it from then on"`
	Higher    bool            `json:"higher,omitempty" doc:"Has another role than user: whoever has the entry in the directory gets it"`
	Last      bool            `json:"last,omitempty" doc:"The only administrator with a password here: cannot be adopted"`
}

// DirectoryDecision says who somebody of a match is.
type DirectoryDecision struct {
	Person string `json:"person" minLength:"1" maxLength:"500"`
	User   string `json:"user,omitempty" maxLength:"64" doc:"Id of the user who is the same and is adopted: keeps id, addresses, role and second factors; the password ends. Empty: somebody else, who shares the address"`
	Role   string `json:"role,omitempty" maxLength:"40" doc:"Has to be the user's present role if that is another one than user"`
}

// DirectoryPlan is what a synchronisation would change, or has changed.
type DirectoryPlan struct {
	Problem *DirectoryProblem `json:"problem,omitempty" doc:"Present: nothing was changed"`
	Done    bool              `json:"done" doc:"The changes are done"`
	Changes []DirectoryChange `json:"changes" doc:"At most 1000; conflicts first"`
	Counts  map[string]int    `json:"counts" doc:"By kind, of all changes"`
	Same    int               `json:"same" doc:"Users that stay as they are"`
	Guard   bool              `json:"guard" doc:"So many would be disabled that the digest has to be given"`
	Digest  string            `json:"digest"`
	Notes   []DirectoryNote   `json:"notes"`
}

// DirectorySync asks for a synchronisation.
type DirectorySync struct {
	Digest string `json:"digest,omitempty" maxLength:"64" doc:"Of the preview that somebody has seen: only that is done, however many it disables"`
	// Decisions are about matches of that preview.
	Decisions []DirectoryDecision `json:"decisions,omitempty" maxItems:"10000" doc:"About matches of that preview; whoever is not among them stays undecided"`
}

// LogInOffer is a provider that people can log in with.
type LogInOffer struct {
	ID     string `json:"id"`
	Name   string `json:"name" doc:"As the administrators of the tenant call it"`
	Tenant string `json:"tenant,omitempty" doc:"Whose provider it is, where people of other tenants see it as well"`
}

// LogInOffers are shown beside the fields for name and password.
type LogInOffers struct {
	Offers []LogInOffer `json:"offers"`
}

// DirectoryService carries out the operations on user repositories.
type DirectoryService interface {
	Directories(ctx context.Context) (*Directories, error)
	CreateDirectory(ctx context.Context, d DirectoryDraft) (*Directory, error)
	ChangeDirectory(ctx context.Context, id string, d DirectoryDraft) (*Directory, error)
	RemoveDirectory(ctx context.Context, id string) error
	TestDirectory(ctx context.Context, t DirectoryTest) (*DirectoryFinding, error)
	PreviewDirectory(ctx context.Context, id string) (*DirectoryPlan, error)
	SyncDirectory(ctx context.Context, id string, in DirectorySync) (*DirectoryPlan, error)
	// LogInOffers may be asked by anybody.
	LogInOffers(ctx context.Context, tenant string) (*LogInOffers, error)
}

type (
	byDirectory struct {
		ID string `path:"id" doc:"Id of the directory"`
	}
	byDirectoryDraft struct {
		ID   string `path:"id" doc:"Id of the directory"`
		Body DirectoryDraft
	}
	byDirectorySync struct {
		ID   string `path:"id" doc:"Id of the directory"`
		Body DirectorySync
	}
	byTenantName struct {
		Tenant string `query:"tenant" maxLength:"63" doc:"Short name; empty: what is offered to everybody at this host"`
	}
)

// directoryBody bounds the settings of a directory, in bytes: certificates, and roles of
// 50 groups.
const directoryBody = 256 << 10

// directoryDecisions bounds decisions about users of a directory, in bytes.
const directoryDecisions = 4 << 20

func directories(o operations, s DirectoryService) {
	changing := []Code{CodeRole, CodeMalformed, CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType}
	of := append([]Code{CodeNotFound}, changing...)
	add(o, op{id: "listDirectories", method: http.MethodGet, path: "/directories", tag: "directories",
		summary: "Where the tenant's users come from", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[Directories], error) { return reply(s.Directories(ctx)) })
	add(o, op{id: "createDirectory", method: http.MethodPost, path: "/directories", tag: "directories", status: http.StatusCreated, body: directoryBody,
		summary: "Add a directory; nobody is read before somebody has seen a preview", problems: changing},
		func(ctx context.Context, in *body[DirectoryDraft]) (*body[Directory], error) {
			return reply(s.CreateDirectory(ctx, in.Body))
		})
	add(o, op{id: "changeDirectory", method: http.MethodPatch, path: "/directories/{id}", tag: "directories", body: directoryBody,
		summary: "Replace the settings of a directory", problems: of},
		func(ctx context.Context, in *byDirectoryDraft) (*body[Directory], error) {
			return reply(s.ChangeDirectory(ctx, in.ID, in.Body))
		})
	add(o, op{id: "removeDirectory", method: http.MethodDelete, path: "/directories/{id}", tag: "directories", status: http.StatusNoContent,
		summary: "Remove a directory; its users stay, without a way to log in", problems: []Code{CodeRole, CodeOrigin, CodeNotFound}},
		func(ctx context.Context, in *byDirectory) (*empty, error) { return nil, s.RemoveDirectory(ctx, in.ID) })
	add(o, op{id: "testDirectory", method: http.MethodPost, path: "/directory-tests", tag: "directories", body: directoryBody,
		summary: "Try settings", problems: of},
		func(ctx context.Context, in *body[DirectoryTest]) (*body[DirectoryFinding], error) {
			return reply(s.TestDirectory(ctx, in.Body))
		})
	add(o, op{id: "previewDirectory", method: http.MethodPost, path: "/directories/{id}/preview", tag: "directories",
		summary: "What a synchronisation would change", problems: []Code{CodeRole, CodeOrigin, CodeNotFound}},
		func(ctx context.Context, in *byDirectory) (*body[DirectoryPlan], error) {
			return reply(s.PreviewDirectory(ctx, in.ID))
		})
	add(o, op{id: "syncDirectory", method: http.MethodPost, path: "/directories/{id}/sync", tag: "directories", body: directoryDecisions,
		summary: "Read the directory and change users accordingly, all or nothing", problems: of},
		func(ctx context.Context, in *byDirectorySync) (*body[DirectoryPlan], error) {
			return reply(s.SyncDirectory(ctx, in.ID, in.Body))
		})
	add(o, op{id: "listLogInOffers", method: http.MethodGet, path: "/log-in-offers", tag: "session", public: true,
		summary: "Providers that people can log in with, at /auth/oidc/start?directory="},
		func(ctx context.Context, in *byTenantName) (*body[LogInOffers], error) {
			return reply(s.LogInOffers(ctx, in.Tenant))
		})
}
