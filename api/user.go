package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// User is a user of the tenant, as administrators see it.
type User struct {
	ID          string     `json:"id"`
	Login       string     `json:"login" doc:"Never changes"`
	Name        string     `json:"name" doc:"As people read it"`
	FirstName   string     `json:"first_name"`
	LastName    string     `json:"last_name"`
	Role        string     `json:"role" enum:"tenant-admin,auditor,dpo,user"`
	Language    string     `json:"language" enum:",de,en" doc:"Empty: the browser's"`
	Addresses   []string   `json:"addresses" doc:"Whose mail the user sees"`
	Disabled    bool       `json:"disabled"`
	ExpiresOn   string     `json:"expires_on" doc:"Last day of log-ins, such as 2027-03-31, in the tenant's zone; empty: for ever"`
	Expired     bool       `json:"expired" doc:"The last day is over"`
	HasPassword bool       `json:"has_password"`
	CreatedAt   time.Time  `json:"created_at"`
	LoggedInAt  *time.Time `json:"logged_in_at,omitempty" doc:"The last log-in; absent: none is known"`
	Sees        *UserSees  `json:"sees,omitempty" doc:"What the user finds now; absent in lists, and if it cannot be counted"`
}

// UserSees is how many archived messages a user finds.
type UserSees struct {
	Count int  `json:"count"`
	Exact bool `json:"exact" doc:"false: there are more"`
}

// Users is a page of the users of the tenant, by login.
type Users struct {
	Users     []User `json:"users"`
	Next      string `json:"next,omitempty" doc:"After of the next page; absent at the end"`
	Found     int    `json:"found" doc:"How many fit the query"`
	All       int    `json:"all" doc:"How many there are"`
	AnyDomain bool   `json:"any_domain" doc:"The tenant has no domains, so that addresses of all domains are taken"`
	Damaged   int    `json:"damaged" doc:"Users that cannot be read; whoever runs the archive has to look"`
}

// UserQuery asks for users.
type UserQuery struct {
	Q     string `query:"q" maxLength:"500" doc:"Words that are in the login, the names or the addresses"`
	After string `query:"after" maxLength:"1000" doc:"Next of the previous page"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"500" doc:"Users on a page"`
}

// NewUser makes a user.
type NewUser struct {
	Login     string   `json:"login" minLength:"1" maxLength:"200"`
	Name      string   `json:"name,omitempty" maxLength:"1000" doc:"Empty: first and last name, or else the login"`
	FirstName string   `json:"first_name,omitempty" maxLength:"1000"`
	LastName  string   `json:"last_name,omitempty" maxLength:"1000"`
	Role      string   `json:"role" enum:"tenant-admin,auditor,dpo,user"`
	Language  string   `json:"language,omitempty" enum:",de,en"`
	Password  string   `json:"password,omitempty" maxLength:"4096" doc:"Empty: nobody logs in with one until one is set"`
	ExpiresOn string   `json:"expires_on,omitempty" maxLength:"10"`
	Addresses []string `json:"addresses,omitempty" maxItems:"100"`
	Shared    bool     `json:"shared,omitempty" doc:"Addresses may belong to other users as well"`
}

// UserChange changes a user; what is absent stays.
type UserChange struct {
	Name      *string `json:"name,omitempty" maxLength:"1000" doc:"Empty: first and last name, or else the login"`
	FirstName *string `json:"first_name,omitempty" maxLength:"1000"`
	LastName  *string `json:"last_name,omitempty" maxLength:"1000"`
	Role      *string `json:"role,omitempty" enum:"tenant-admin,auditor,dpo,user"`
	Language  *string `json:"language,omitempty" enum:",de,en"`
	Disabled  *bool   `json:"disabled,omitempty" doc:"Ends all sessions"`
	ExpiresOn *string `json:"expires_on,omitempty" maxLength:"10" doc:"Empty: for ever"`
}

// UserAddress gives a user an address.
type UserAddress struct {
	Address string `json:"address" minLength:"1" maxLength:"1000"`
	Shared  bool   `json:"shared,omitempty" doc:"It may belong to another user as well"`
}

// UserPassword sets a user's password.
type UserPassword struct {
	Password string `json:"password" minLength:"1" maxLength:"4096"`
}

type (
	byUser struct {
		ID string `path:"id" doc:"Id of the user"`
	}
	userChange struct {
		ID   string `path:"id" doc:"Id of the user"`
		Body UserChange
	}
	userAddress struct {
		ID   string `path:"id" doc:"Id of the user"`
		Body UserAddress
	}
	byUserAddress struct {
		ID      string `path:"id" doc:"Id of the user"`
		Address string `path:"address" doc:"One of the user's addresses"`
	}
	userPassword struct {
		ID   string `path:"id" doc:"Id of the user"`
		Body UserPassword
	}
)

// UserService carries out the operations on users of the tenant.
type UserService interface {
	Users(ctx context.Context, q UserQuery) (*Users, error)
	CreateUser(ctx context.Context, n NewUser) (*User, error)
	User(ctx context.Context, id string) (*User, error)
	ChangeUser(ctx context.Context, id string, c UserChange) (*User, error)
	AddUserAddress(ctx context.Context, id string, a UserAddress) (*User, error)
	RemoveUserAddress(ctx context.Context, id, address string) (*User, error)
	SetUserPassword(ctx context.Context, id string, p UserPassword) error
	UserImportService
}

func users(o operations, s Service) {
	changing := []Code{CodeRole, CodeMalformed, CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType}
	changingOne := append([]Code{CodeNotFound}, changing...)
	add(o, op{id: "listUsers", method: http.MethodGet, path: "/users", tag: "users", summary: "Users of the tenant", problems: []Code{CodeRole}},
		func(ctx context.Context, in *UserQuery) (*body[Users], error) { return reply(s.Users(ctx, *in)) })
	add(o, op{id: "createUser", method: http.MethodPost, path: "/users", tag: "users", status: http.StatusCreated, body: settingsBody,
		summary: "Make a user", problems: changing},
		func(ctx context.Context, in *body[NewUser]) (*body[User], error) {
			return reply(s.CreateUser(ctx, in.Body))
		})
	add(o, op{id: "getUser", method: http.MethodGet, path: "/users/{id}", tag: "users", summary: "A user, and how much it sees", problems: []Code{CodeRole, CodeNotFound}},
		func(ctx context.Context, in *byUser) (*body[User], error) { return reply(s.User(ctx, in.ID)) })
	add(o, op{id: "changeUser", method: http.MethodPatch, path: "/users/{id}", tag: "users", summary: "Change a user; it holds at once", problems: changingOne},
		func(ctx context.Context, in *userChange) (*body[User], error) {
			return reply(s.ChangeUser(ctx, in.ID, in.Body))
		})
	add(o, op{id: "addUserAddress", method: http.MethodPost, path: "/users/{id}/addresses", tag: "users", summary: "Let a user see the mail of an address", problems: changingOne},
		func(ctx context.Context, in *userAddress) (*body[User], error) {
			return reply(s.AddUserAddress(ctx, in.ID, in.Body))
		})
	add(o, op{id: "removeUserAddress", method: http.MethodDelete, path: "/users/{id}/addresses/{address}", tag: "users",
		summary: "Let a user see the mail of an address no more; the mail stays archived", problems: []Code{CodeRole, CodeOrigin, CodeNotFound}},
		func(ctx context.Context, in *byUserAddress) (*body[User], error) {
			return reply(s.RemoveUserAddress(ctx, in.ID, in.Address))
		})
	add(o, op{id: "setUserPassword", method: http.MethodPost, path: "/users/{id}/password", tag: "users", status: http.StatusNoContent,
		summary: "Set a user's password; it ends the user's sessions", problems: changingOne},
		func(ctx context.Context, in *userPassword) (*empty, error) {
			return nil, s.SetUserPassword(ctx, in.ID, in.Body)
		})
	userImports(o, s)
}

// usersCSV is the list of users as a file.
func usersCSV() Download {
	flag := func(name, text string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: text, Schema: &huma.Schema{Type: huma.TypeBoolean, Default: false}}
	}
	return Download{op{id: "exportUsers", method: http.MethodGet, path: "/users/export.csv", tag: "users", problems: []Code{CodeRole},
		summary: "The users as CSV: user id, password, first name, last name, e-mail addresses, without a header line"},
		[]*huma.Param{flag("passwords", "The hashes of passwords (argon2id, PHC form) instead of nothing"), flag("disabled", "Also those who may not log in; an import makes them active"),
			{Name: "separator", In: "query", Description: "Between the fields; with semicolons there is a byte order mark for spreadsheets",
				Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"semicolon", "comma"}, Default: "comma"}}},
		"text/csv"}
}
