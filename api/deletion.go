package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// NewDeletion asks that messages are deleted for good.
type NewDeletion struct {
	Messages []string  `json:"messages" minItems:"1" maxItems:"1000" doc:"Ids of the messages"`
	Reason   string    `json:"reason,omitempty" maxLength:"2000" doc:"Needed before the end of the retention of any of them, at least 10 characters; it is kept with the tombstones, so it must not tell what is in the messages"`
	Until    time.Time `json:"until" doc:"Until when it has to be approved and carried out, at most 90 days from now"`
}

// DeletionMessage is one message that a request for deletion is about.
type DeletionMessage struct {
	ID         string     `json:"id"`
	State      string     `json:"state" enum:"there,deleted,missing"`
	Class      string     `json:"class"`
	ReceivedAt *time.Time `json:"received_at,omitempty"`
	Size       int64      `json:"size"`
	Due        *time.Time `json:"due,omitempty" doc:"End of its retention"`
	Holds      []string   `json:"holds" doc:"Ids of the holds that keep it"`
	DeletedAt  *time.Time `json:"deleted_at,omitempty"`
}

// Deletion is what a request for deletion is about. It says nothing of what is in the
// messages.
type Deletion struct {
	Request  AccessRequest     `json:"request"`
	Messages []DeletionMessage `json:"messages"`
}

// DeletionDone tells what was deleted.
type DeletionDone struct {
	Deleted int `json:"deleted" doc:"Messages that were deleted for good"`
}

// Tombstone is what is left of a message that was deleted.
type Tombstone struct {
	ID         string        `json:"id" doc:"Of the message; it is never used again"`
	Class      string        `json:"class"`
	ReceivedAt time.Time     `json:"received_at"`
	Size       int64         `json:"size"`
	Due        *time.Time    `json:"due,omitempty" doc:"End of its retention when it was deleted"`
	DeletedAt  time.Time     `json:"deleted_at"`
	AskedBy    *AccessPerson `json:"asked_by,omitempty"`
	ApprovedBy *AccessPerson `json:"approved_by,omitempty"`
	CarriedBy  string        `json:"carried_by" doc:"As in the event log"`
	Reason     string        `json:"reason"`
	Request    string        `json:"request,omitempty" doc:"Id of the request"`
	Finished   bool          `json:"finished" doc:"Everything of the message is destroyed; false: it cannot be read any more, and the rest is under way"`
}

// Tombstones are a page of tombstones, those of the newest messages first.
type Tombstones struct {
	Tombstones []Tombstone `json:"tombstones"`
	Next       string      `json:"next,omitempty" doc:"Cursor of the next page; absent at the end"`
}

// DeletionService is the part of Service for the deletion of single messages.
type DeletionService interface {
	RequestDeletion(ctx context.Context, n NewDeletion) (*AccessRequest, error)
	Deletion(ctx context.Context, id string) (*Deletion, error)
	CarryOutDeletion(ctx context.Context, id string) (*DeletionDone, error)
	Tombstones(ctx context.Context, request, cursor string) (*Tombstones, error)
}

// maxDeletion bounds the body of a request for the deletion of 1,000 messages, in bytes.
const maxDeletion = 64 << 10

func deletions(o operations, s Service) {
	changing := []Code{CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType, CodeKept}
	add(o, op{id: "requestDeletion", method: http.MethodPost, path: "/deletions", tag: "access", status: http.StatusCreated,
		summary: "Ask that messages are deleted for good", problems: changing, body: maxDeletion},
		func(ctx context.Context, in *body[NewDeletion]) (*body[AccessRequest], error) {
			return reply(s.RequestDeletion(ctx, in.Body))
		})
	add(o, op{id: "getDeletion", method: http.MethodGet, path: "/deletions/{id}", tag: "access", summary: "What a request for deletion is about", problems: []Code{CodeNotFound}},
		func(ctx context.Context, in *byAccess) (*body[Deletion], error) {
			return reply(s.Deletion(ctx, in.ID))
		})
	add(o, op{id: "carryOutDeletion", method: http.MethodPost, path: "/deletions/{id}/carry-out", tag: "access",
		summary: "Delete for good what was asked for and approved, by one of the two", problems: []Code{CodeNotFound, CodeAccessOver, CodeOrigin, CodeKept}},
		func(ctx context.Context, in *byAccess) (*body[DeletionDone], error) {
			return reply(s.CarryOutDeletion(ctx, in.ID))
		})
	add(o, op{id: "listTombstones", method: http.MethodGet, path: "/tombstones", tag: "access", summary: "What was deleted"},
		func(ctx context.Context, in *struct {
			Request string `query:"request" maxLength:"64" doc:"Id of the request; empty: all"`
			Cursor  string `query:"cursor" maxLength:"64" doc:"Next of the previous page"`
		}) (*body[Tombstones], error) {
			return reply(s.Tombstones(ctx, in.Request, in.Cursor))
		})
}

// tombstonesCSV is the list of tombstones for a spreadsheet.
func tombstonesCSV() Download {
	return Download{op{id: "getTombstonesCsv", method: http.MethodGet, path: "/tombstones.csv", tag: "access", summary: "What was deleted, as CSV"},
		[]*huma.Param{{Name: "request", In: "query", Description: "Id of the request; empty: all", Schema: &huma.Schema{Type: huma.TypeString}}}, "text/csv"}
}
