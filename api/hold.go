package api

import (
	"context"
	"net/http"
	"time"
)

// HoldScope is what a hold covers.
type HoldScope struct {
	All       bool       `json:"all" doc:"The whole customer, also what arrives later"`
	Addresses []string   `json:"addresses" doc:"The mail of these addresses, also what arrives later"`
	From      *time.Time `json:"from,omitempty" doc:"Only what has arrived since"`
	To        *time.Time `json:"to,omitempty" doc:"Only what has arrived before"`
	Messages  []string   `json:"messages" doc:"Ids of the messages, if it covers a list of them"`
}

// Hold keeps what it covers from being deleted, without limit.
type Hold struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Reason     string     `json:"reason"`
	Scope      HoldScope  `json:"scope"`
	InForce    bool       `json:"in_force"`
	PlacedBy   string     `json:"placed_by"`
	PlacedRole string     `json:"placed_role"`
	PlacedAt   time.Time  `json:"placed_at"`
	LiftedAt   *time.Time `json:"lifted_at,omitempty"`
	LiftedBy   string     `json:"lifted_by,omitempty" doc:"Who asked for it"`
	ApprovedBy string     `json:"approved_by,omitempty"`
	LiftReason string     `json:"lift_reason,omitempty"`
	Request    string     `json:"request,omitempty" doc:"Id of the request to lift it that waits for a decision"`
}

// Holds are those of the customer, those in force first, the newest first.
type Holds struct {
	Holds []Hold `json:"holds"`
}

// NewHold is a hold to be placed. Exactly one of all, addresses and messages says what it
// covers.
type NewHold struct {
	Name      string   `json:"name" minLength:"1" maxLength:"200"`
	Reason    string   `json:"reason" minLength:"10" maxLength:"2000"`
	All       bool     `json:"all,omitempty"`
	Addresses []string `json:"addresses,omitempty" maxItems:"100"`
	From      string   `json:"from,omitempty" maxLength:"10" doc:"First day of arrival, such as 2026-01-31; empty: open"`
	To        string   `json:"to,omitempty" maxLength:"10" doc:"Last day of arrival; empty: open"`
	Messages  []string `json:"messages,omitempty" maxItems:"1000" doc:"Ids"`
}

// LiftRequest asks somebody with another role to lift a hold.
type LiftRequest struct {
	Reason string    `json:"reason" minLength:"10" maxLength:"2000"`
	Until  time.Time `json:"until" doc:"How long the request waits, at most 90 days"`
}

// RetentionSetting says how long what nothing classifies is kept.
type RetentionSetting struct {
	Years        int    `json:"years"`
	Jurisdiction string `json:"jurisdiction" enum:"DE,AT,CH"`
	YearEnd      int    `json:"year_end" minimum:"1" maximum:"12" doc:"Last month of the business year; in Germany, calendar years count"`
	Zone         string `json:"zone" doc:"Legal time zone"`
}

// RetentionChange is a setting with who has set it.
type RetentionChange struct {
	RetentionSetting
	From       *time.Time `json:"from,omitempty" doc:"In force from then on; absent: since ever"`
	Reason     string     `json:"reason"`
	SetBy      string     `json:"set_by"`
	ApprovedBy string     `json:"approved_by" doc:"Empty: it needed nobody else"`
}

// RetentionClass is a kind of papers that a law has kept for some years.
type RetentionClass struct {
	Class        string `json:"class"`
	Jurisdiction string `json:"jurisdiction"`
	Sector       string `json:"sector" doc:"Empty: everybody"`
	Years        int    `json:"years" doc:"As the law is now"`
	Since        string `json:"since" doc:"Day from which this record of the law holds"`
	Law          string `json:"law"`
	Source       string `json:"source"`
}

// Retention is how long the customer keeps what nothing classifies.
type Retention struct {
	Current   RetentionSetting  `json:"current"`
	Default   bool              `json:"default" doc:"Nobody has set anything: it is as shipped"`
	Changes   []RetentionChange `json:"changes" doc:"The newest first"`
	Classes   []RetentionClass  `json:"classes"`
	Request   string            `json:"request,omitempty" doc:"Id of the request to shorten it that waits for a decision"`
	MayChange bool              `json:"may_change" doc:"The reader of this may make it longer"`
}

// NewRetention is a setting that is wanted; what is absent stays.
type NewRetention struct {
	Years        int    `json:"years,omitempty" minimum:"0" maximum:"100"`
	Jurisdiction string `json:"jurisdiction,omitempty" enum:",DE,AT,CH"`
	YearEnd      int    `json:"year_end,omitempty" minimum:"0" maximum:"12"`
	Reason       string `json:"reason,omitempty" maxLength:"2000"`
}

// ShorterRetention asks somebody with another role to make the retention shorter.
type ShorterRetention struct {
	NewRetention
	Until time.Time `json:"until" doc:"How long the request waits, at most 90 days"`
}

// MessageRetention is how long a message is kept.
type MessageRetention struct {
	Due          time.Time `json:"due" doc:"The first instant at which it may be deleted; counted from received_at, whatever date the message claims"`
	LastDay      string    `json:"last_day" doc:"It is kept at least until this day"`
	Years        int       `json:"years"`
	Jurisdiction string    `json:"jurisdiction"`
	Unknown      bool      `json:"unknown" doc:"Rows are damaged, so that nobody can tell; nothing is deleted then"`
	MaySeeHolds  bool      `json:"may_see_holds"`
	Holds        []Hold    `json:"holds" doc:"Those that are on it, for those who may see them"`
}

// AccessLift is what a request to lift a hold is about.
type AccessLift struct {
	Hold     string     `json:"hold"`
	Name     string     `json:"name"`
	Reason   string     `json:"reason" doc:"Of the hold"`
	Scope    HoldScope  `json:"scope"`
	PlacedAt *time.Time `json:"placed_at,omitempty"`
}

// AccessShorten is what a request to shorten a retention is about.
type AccessShorten struct {
	Before RetentionSetting `json:"before"`
	After  RetentionSetting `json:"after"`
}

// HoldService is the part of Service for holds and retention.
type HoldService interface {
	Holds(ctx context.Context) (*Holds, error)
	PlaceHold(ctx context.Context, n NewHold) (*Hold, error)
	Hold(ctx context.Context, id string) (*Hold, error)
	RequestLift(ctx context.Context, id string, n LiftRequest) (*AccessRequest, error)
	Retention(ctx context.Context) (*Retention, error)
	SetRetention(ctx context.Context, n NewRetention) (*Retention, error)
	RequestShorter(ctx context.Context, n ShorterRetention) (*AccessRequest, error)
}

func holds(o operations, s Service) {
	changing := []Code{CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType}
	add(o, op{id: "listHolds", method: http.MethodGet, path: "/holds", tag: "retention", summary: "The customer's holds"},
		func(ctx context.Context, _ *empty) (*body[Holds], error) { return reply(s.Holds(ctx)) })
	add(o, op{id: "placeHold", method: http.MethodPost, path: "/holds", tag: "retention", status: http.StatusCreated,
		summary: "Place a hold: what it covers is not deleted", problems: append([]Code{CodeManyHolds}, changing...)},
		func(ctx context.Context, in *body[NewHold]) (*body[Hold], error) {
			return reply(s.PlaceHold(ctx, in.Body))
		})
	add(o, op{id: "getHold", method: http.MethodGet, path: "/holds/{id}", tag: "retention", summary: "One hold", problems: []Code{CodeNotFound}},
		func(ctx context.Context, in *struct {
			ID string `path:"id" doc:"Id of the hold"`
		}) (*body[Hold], error) {
			return reply(s.Hold(ctx, in.ID))
		})
	add(o, op{id: "requestLift", method: http.MethodPost, path: "/holds/{id}/lift-requests", tag: "retention", status: http.StatusCreated,
		summary: "Ask somebody with another role to lift a hold", problems: append([]Code{CodeNotFound, CodeAccessOver}, changing...)},
		func(ctx context.Context, in *struct {
			ID   string `path:"id" doc:"Id of the hold"`
			Body LiftRequest
		}) (*body[AccessRequest], error) {
			return reply(s.RequestLift(ctx, in.ID, in.Body))
		})
	add(o, op{id: "getRetention", method: http.MethodGet, path: "/retention", tag: "retention", summary: "How long the customer keeps what nothing classifies"},
		func(ctx context.Context, _ *empty) (*body[Retention], error) { return reply(s.Retention(ctx)) })
	add(o, op{id: "setRetention", method: http.MethodPut, path: "/retention", tag: "retention",
		summary: "Make the retention longer, also for what is stored", problems: append([]Code{CodeShortens}, changing...)},
		func(ctx context.Context, in *body[NewRetention]) (*body[Retention], error) {
			return reply(s.SetRetention(ctx, in.Body))
		})
	add(o, op{id: "requestShorter", method: http.MethodPost, path: "/retention/shorten-requests", tag: "retention", status: http.StatusCreated,
		summary: "Ask somebody with another role to make the retention shorter, for what arrives after that", problems: changing},
		func(ctx context.Context, in *body[ShorterRetention]) (*body[AccessRequest], error) {
			return reply(s.RequestShorter(ctx, in.Body))
		})
}
