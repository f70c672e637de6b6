package api

import (
	"context"
	"net/http"
	"time"
)

// UserList is a list of users to be imported: user id, password (clear, as an argon2id
// hash, or empty), first name, last name, e-mail and further addresses, without a
// header line.
type UserList struct {
	Content []byte `json:"content" doc:"The file, at most 4 MiB, base64"`
	Update  bool   `json:"update,omitempty" doc:"Users who exist are changed; else they are a problem"`
	Shared  bool   `json:"shared,omitempty" doc:"Addresses may belong to several users; else that is a problem"`
}

// UserImportPlan is what an import would do, or why it cannot.
type UserImportPlan struct {
	Separator string              `json:"separator" enum:"comma,semicolon"`
	Create    int                 `json:"create"`
	Update    int                 `json:"update"`
	Same      int                 `json:"same" doc:"Users who are as the file says already"`
	Hashing   int                 `json:"hashing" doc:"Clear passwords: each takes a fraction of a second"`
	Users     []UserImportLine    `json:"users" doc:"The first 1000"`
	Problems  []UserImportProblem `json:"problems" doc:"If there is one, nothing is imported"`
	Notices   []UserImportProblem `json:"notices"`
	More      int                 `json:"more" doc:"Problems and notices that are not listed"`
}

// UserImportLine is what an import does with a line.
type UserImportLine struct {
	Line      int      `json:"line"`
	Login     string   `json:"login"`
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
	Act       string   `json:"act" enum:"create,update,same"`
	Password  string   `json:"password" enum:"clear,hash,none,kept"`
}

// UserImportProblem is something wrong with a file, or worth knowing.
type UserImportProblem struct {
	Line   int               `json:"line" doc:"From 1; 0: the whole file"`
	Column int               `json:"column" doc:"Field of the line, from 1; 0: the whole line"`
	Code   string            `json:"code"`
	Args   map[string]string `json:"args,omitempty" doc:"What a text in another language needs"`
	Text   string            `json:"text" doc:"English, with the cure"`
}

// UserImport is an import under way, or one that has ended.
type UserImport struct {
	ID      string          `json:"id"`
	State   string          `json:"state" enum:"running,done,problems,failed" doc:"Unless it is done, nothing was changed"`
	Hashed  int             `json:"hashed" doc:"Passwords so far"`
	Hashing int             `json:"hashing" doc:"Passwords in all"`
	Plan    *UserImportPlan `json:"plan,omitempty" doc:"What was done, or what is wrong; absent while it runs"`
	BeganAt time.Time       `json:"began_at"`
}

type byImport struct {
	ID string `path:"id" doc:"Id of the import"`
}

// UserImportService carries out the operations on lists of users.
type UserImportService interface {
	PreviewUsers(ctx context.Context, l UserList) (*UserImportPlan, error)
	// ImportUsers begins an import and does not wait for its end.
	ImportUsers(ctx context.Context, l UserList) (*UserImport, error)
	UserImport(ctx context.Context, id string) (*UserImport, error)
	CancelUserImport(ctx context.Context, id string) error
}

const (
	// userListBody bounds a list of 4 MiB in base64, in bytes.
	userListBody = 6 << 20
	// userListTime is for sending it.
	userListTime = time.Minute
)

func userImports(o operations, s Service) {
	changing := []Code{CodeRole, CodeMalformed, CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType}
	add(o, op{id: "previewUsers", method: http.MethodPost, path: "/user-imports/preview", tag: "users", body: userListBody, bodyTime: userListTime,
		summary: "What an import of users would do; nothing is changed", problems: changing},
		func(ctx context.Context, in *body[UserList]) (*body[UserImportPlan], error) {
			return reply(s.PreviewUsers(ctx, in.Body))
		})
	add(o, op{id: "importUsers", method: http.MethodPost, path: "/user-imports", tag: "users", status: http.StatusAccepted, body: userListBody, bodyTime: userListTime,
		summary: "Begin to import users: all of the file, or nothing", problems: changing},
		func(ctx context.Context, in *body[UserList]) (*body[UserImport], error) {
			return reply(s.ImportUsers(ctx, in.Body))
		})
	add(o, op{id: "getUserImport", method: http.MethodGet, path: "/user-imports/{id}", tag: "users",
		summary: "How far an import of users is", problems: []Code{CodeRole, CodeNotFound}},
		func(ctx context.Context, in *byImport) (*body[UserImport], error) {
			return reply(s.UserImport(ctx, in.ID))
		})
	add(o, op{id: "cancelUserImport", method: http.MethodDelete, path: "/user-imports/{id}", tag: "users", status: http.StatusNoContent,
		summary: "Stop an import of users: nothing is changed, unless it is done", problems: []Code{CodeRole, CodeOrigin, CodeNotFound}},
		func(ctx context.Context, in *byImport) (*empty, error) { return nil, s.CancelUserImport(ctx, in.ID) })
}
