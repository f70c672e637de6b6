package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// NewAccessRequest asks for access to other people's mail.
type NewAccessRequest struct {
	Kind      string    `json:"kind" enum:"mailbox,session,export" doc:"mailbox: one address; session: several; export: a proof bundle of the mail of several, or of everybody if none is named"`
	Addresses []string  `json:"addresses" maxItems:"100" doc:"None: an export of the mail of everybody"`
	Query     string    `json:"query,omitempty" maxLength:"1000" doc:"Only what this query finds; empty: everything"`
	From      string    `json:"from,omitempty" maxLength:"10" doc:"First day of the mail, such as 2026-01-31; empty: open"`
	To        string    `json:"to,omitempty" maxLength:"10" doc:"Last day of the mail; empty: open"`
	Reason    string    `json:"reason" maxLength:"2000" doc:"At least 10 characters"`
	Covert    string    `json:"covert,omitempty" maxLength:"2000" doc:"Why, by which law, the people concerned are not to be told; empty: they are, if the customer tells them"`
	Until     time.Time `json:"until" required:"false" doc:"When the access ends, at most 90 days from now; has to be given"`
}

// AccessRequest is a request for access to other people's mail.
type AccessRequest struct {
	ID          string         `json:"id"`
	Kind        string         `json:"kind" doc:"mailbox, session, export: reading; deletion: carried out after its approval; lift-hold, shorten-retention: carried out by its approval; more may come"`
	State       string         `json:"state" enum:"waiting,approved,refused,withdrawn,ended,expired,done" doc:"approved: it can be read or carried out under it now; done: it was carried out; expired: its time is over"`
	Addresses   []string       `json:"addresses"`
	Query       string         `json:"query"`
	From        *time.Time     `json:"from,omitempty" doc:"Date of the mail, inclusive"`
	To          *time.Time     `json:"to,omitempty" doc:"Exclusive"`
	Reason      string         `json:"reason"`
	Covert      string         `json:"covert" doc:"Why the people concerned are not told; empty: they are"`
	Until       time.Time      `json:"until"`
	RequestedBy AccessPerson   `json:"requested_by"`
	RequestedAt time.Time      `json:"requested_at"`
	DecidedBy   *AccessPerson  `json:"decided_by,omitempty"`
	DecidedAt   *time.Time     `json:"decided_at,omitempty"`
	Note        string         `json:"note" doc:"Of who decided"`
	EndedBy     *AccessPerson  `json:"ended_by,omitempty" doc:"Who withdrew it or ended it early"`
	EndedAt     *time.Time     `json:"ended_at,omitempty"`
	Lift        *AccessLift    `json:"lift,omitempty" doc:"Of lift-hold: the hold"`
	Shorten     *AccessShorten `json:"shorten,omitempty" doc:"Of shorten-retention: what is set"`
	MayDecide   bool           `json:"may_decide" doc:"The reader of this may approve or refuse it now"`
	MayRead     bool           `json:"may_read" doc:"The reader of this may read mail under it now"`
	MayEnd      bool           `json:"may_end" doc:"The reader of this may withdraw or end it now"`
	MayCarryOut bool           `json:"may_carry_out" doc:"The reader of this may carry out now what it asks for"`
	Messages    int            `json:"messages" doc:"How many messages a deletion is about"`
}

// AccessPerson is somebody with the role held at that time.
type AccessPerson struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Role string `json:"role"`
}

// AccessRequests are the newest requests, at most 1000.
type AccessRequests struct {
	Requests []AccessRequest `json:"requests"`
	Waiting  int             `json:"waiting" doc:"How many of them wait for a decision of the reader of this"`
}

// AccessDecision approves or refuses a request.
type AccessDecision struct {
	Approve bool   `json:"approve"`
	Note    string `json:"note,omitempty" maxLength:"2000"`
}

// AccessRecord is one act under a request.
type AccessRecord struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Act       string    `json:"act" enum:"mail.searched,mail.counted,message.read,message.shown,message.downloaded,attachment.downloaded,report.downloaded,evidence.downloaded"`
	Request   string    `json:"request" doc:"Id of the request"`
	UserID    string    `json:"user_id"`
	User      string    `json:"user" doc:"Name of who did it"`
	Reason    string    `json:"reason" doc:"Of the request"`
	Message   string    `json:"message,omitempty" doc:"Id of the message; absent: a search"`
	Query     string    `json:"query,omitempty"`
	Addresses []string  `json:"addresses" doc:"Whose mail it was, of the addresses of the request"`
	Peer      string    `json:"peer,omitempty" doc:"Where the request came from"`
	Covert    bool      `json:"covert" doc:"The people concerned are not told"`
}

// AccessRecords is a page of records, the newest first.
type AccessRecords struct {
	Records []AccessRecord `json:"records"`
	Next    string         `json:"next,omitempty" doc:"Cursor of the next page; absent at the end"`
}

// AccessRecordQuery chooses records.
type AccessRecordQuery struct {
	Request string `query:"request" maxLength:"64" doc:"Id of the request; empty: all"`
	User    string `query:"user" maxLength:"64" doc:"Id of who read; empty: all"`
	Address string `query:"address" maxLength:"320" doc:"Whose mail was read; empty: all"`
	From    string `query:"from" maxLength:"10" doc:"First day, such as 2026-01-31"`
	To      string `query:"to" maxLength:"10" doc:"Last day"`
	Cursor  string `query:"cursor" maxLength:"64" doc:"Next of the previous page"`
}

// Readers is who has read the mail of one's own addresses.
type Readers struct {
	Told    bool           `json:"told" doc:"false: the customer does not tell"`
	Records []AccessRecord `json:"records" doc:"The newest, at most 500; without those of covert requests"`
}

// AccessPolicy says whether people learn who has read their mail.
type AccessPolicy struct {
	TellPeople bool `json:"tell_people"`
}

// AccessService is the part of Service for access to other people's mail.
type AccessService interface {
	AccessRequests(ctx context.Context) (*AccessRequests, error)
	RequestAccess(ctx context.Context, n NewAccessRequest) (*AccessRequest, error)
	AccessRequest(ctx context.Context, id string) (*AccessRequest, error)
	DecideAccess(ctx context.Context, id string, d AccessDecision) (*AccessRequest, error)
	EndAccess(ctx context.Context, id string) (*AccessRequest, error)
	AccessRecords(ctx context.Context, q AccessRecordQuery) (*AccessRecords, error)
	Readers(ctx context.Context) (*Readers, error)
	AccessPolicy(ctx context.Context) (*AccessPolicy, error)
	ChangeAccessPolicy(ctx context.Context, p AccessPolicy) (*AccessPolicy, error)
}

type byAccess struct {
	ID string `path:"id" doc:"Id of the request"`
}

func accesses(o operations, s Service) {
	changing := []Code{CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType}
	add(o, op{id: "listAccessRequests", method: http.MethodGet, path: "/access-requests", tag: "access",
		summary: "Requests for access to other people's mail: an auditor's own, or all"},
		func(ctx context.Context, _ *empty) (*body[AccessRequests], error) {
			return reply(s.AccessRequests(ctx))
		})
	add(o, op{id: "requestAccess", method: http.MethodPost, path: "/access-requests", tag: "access", status: http.StatusCreated,
		summary: "Ask for access to other people's mail", problems: append([]Code{CodeQuery}, changing...)},
		func(ctx context.Context, in *body[NewAccessRequest]) (*body[AccessRequest], error) {
			return reply(s.RequestAccess(ctx, in.Body))
		})
	add(o, op{id: "getAccessRequest", method: http.MethodGet, path: "/access-requests/{id}", tag: "access", summary: "One request", problems: []Code{CodeNotFound}},
		func(ctx context.Context, in *byAccess) (*body[AccessRequest], error) {
			return reply(s.AccessRequest(ctx, in.ID))
		})
	add(o, op{id: "decideAccess", method: http.MethodPost, path: "/access-requests/{id}/decision", tag: "access",
		summary: "Approve or refuse what somebody else with another role asks for", problems: append([]Code{CodeNotFound, CodeAccessOver}, changing...)},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" doc:"Id of the request"`
			Body AccessDecision
		}) (*body[AccessRequest], error) {
			return reply(s.DecideAccess(ctx, in.ID, in.Body))
		})
	add(o, op{id: "endAccess", method: http.MethodPost, path: "/access-requests/{id}/end", tag: "access",
		summary: "Withdraw a request, or end an access early", problems: []Code{CodeNotFound, CodeAccessOver, CodeOrigin}},
		func(ctx context.Context, in *byAccess) (*body[AccessRequest], error) {
			return reply(s.EndAccess(ctx, in.ID))
		})
	add(o, op{id: "listAccessRecords", method: http.MethodGet, path: "/access-records", tag: "access", summary: "What was read under requests"},
		func(ctx context.Context, in *AccessRecordQuery) (*body[AccessRecords], error) {
			return reply(s.AccessRecords(ctx, *in))
		})
	add(o, op{id: "listReaders", method: http.MethodGet, path: "/account/readers", tag: "session", summary: "Who has read mail of one's own addresses"},
		func(ctx context.Context, _ *empty) (*body[Readers], error) { return reply(s.Readers(ctx)) })
	add(o, op{id: "getAccessPolicy", method: http.MethodGet, path: "/access-policy", tag: "access", summary: "Whether people learn who has read their mail"},
		func(ctx context.Context, _ *empty) (*body[AccessPolicy], error) { return reply(s.AccessPolicy(ctx)) })
	add(o, op{id: "changeAccessPolicy", method: http.MethodPut, path: "/access-policy", tag: "access",
		summary: "Say whether people learn who has read their mail", problems: changing},
		func(ctx context.Context, in *body[AccessPolicy]) (*body[AccessPolicy], error) {
			return reply(s.ChangeAccessPolicy(ctx, in.Body))
		})
}

// accessCSV is the list of records for a spreadsheet.
func accessCSV() Download {
	text := func(name, doc string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return Download{op{id: "getAccessRecordsCsv", method: http.MethodGet, path: "/access-records.csv", tag: "access", summary: "What was read under requests, as CSV"},
		[]*huma.Param{text("request", "Id of the request; empty: all"), text("user", "Id of who read; empty: all"), text("address", "Whose mail was read; empty: all"),
			text("from", "First day"), text("to", "Last day")}, "text/csv"}
}
