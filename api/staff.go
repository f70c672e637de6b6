package api

import (
	"context"
	"net/http"
	"time"
)

// StaffAccount is somebody who belongs to no customer: an operator, or one of a reseller's
// staff.
type StaffAccount struct {
	ID         string     `json:"id"`
	Login      string     `json:"login"`
	Name       string     `json:"name"`
	Role       string     `json:"role" enum:"operator,reseller"`
	Reseller   string     `json:"reseller,omitempty" doc:"Short name"`
	Address    string     `json:"address,omitempty" doc:"That mail about the log-in goes to"`
	Disabled   bool       `json:"disabled"`
	ExpiresOn  string     `json:"expires_on,omitempty" doc:"Last day of log-ins, UTC; absent: for ever"`
	LoggedInAt *time.Time `json:"logged_in_at,omitempty"`
	Factors    int        `json:"factors" doc:"Second factors and passkeys"`
	Sessions   int        `json:"sessions" doc:"That are open"`
	You        bool       `json:"you"`
}

// StaffAccounts are operators and the staff of all resellers.
type StaffAccounts struct {
	Staff []StaffAccount `json:"staff" doc:"By login"`
}

// StaffAccountChange changes somebody of the staff; what is absent stays.
type StaffAccountChange struct {
	Name      *string `json:"name,omitempty" maxLength:"200"`
	Address   *string `json:"address,omitempty" maxLength:"254" doc:"Empty: none"`
	Disabled  *bool   `json:"disabled,omitempty" doc:"Ends all sessions"`
	ExpiresOn *string `json:"expires_on,omitempty" maxLength:"10" doc:"Last day of log-ins, UTC, such as 2026-12-31; empty: for ever"`
}

// StaffLink is a one-time link to set a new password with.
type StaffLink struct {
	ExpiresAt time.Time `json:"expires_at"`
	MailedTo  string    `json:"mailed_to,omitempty"`
	URL       string    `json:"url,omitempty" doc:"Only if it could not be mailed"`
}

// StaffService carries out the operations on operators and the staff of resellers.
type StaffService interface {
	AllStaff(ctx context.Context) (*StaffAccounts, error)
	ChangeStaff(ctx context.Context, id string, c StaffAccountChange) error
	InviteStaff(ctx context.Context, id string) (*StaffLink, error)
	ResetStaffFactors(ctx context.Context, id string) error
	EndStaffSessions(ctx context.Context, id string) error
}

type (
	byStaff struct {
		ID string `path:"id" doc:"Id of the user"`
	}
	staffBody[T any] struct {
		ID   string `path:"id" doc:"Id of the user"`
		Body T
	}
)

func staff(o operations, s StaffService) {
	acting := []Code{CodeRole, CodeOrigin, CodeNotFound, CodeNotYet}
	add(o, op{id: "listAllStaff", method: http.MethodGet, path: "/staff", tag: "staff",
		summary: "Operators and the staff of resellers", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[StaffAccounts], error) { return reply(s.AllStaff(ctx)) })
	add(o, op{id: "changeStaff", method: http.MethodPatch, path: "/staff/{id}", tag: "staff", status: http.StatusNoContent,
		summary: "Change, disable or enable an operator or somebody of a reseller's staff", problems: changingCodes(CodeNotYet)},
		func(ctx context.Context, in *staffBody[StaffAccountChange]) (*empty, error) {
			return nil, s.ChangeStaff(ctx, in.ID, in.Body)
		})
	add(o, op{id: "inviteStaff", method: http.MethodPost, path: "/staff/{id}/link", tag: "staff",
		summary: "Make a link to set a new password with", problems: changingCodes()},
		func(ctx context.Context, in *byStaff) (*body[StaffLink], error) {
			return reply(s.InviteStaff(ctx, in.ID))
		})
	add(o, op{id: "resetStaffFactors", method: http.MethodDelete, path: "/staff/{id}/factors", tag: "staff", status: http.StatusNoContent,
		summary: "Remove the second factors of somebody else", problems: acting},
		func(ctx context.Context, in *byStaff) (*empty, error) { return nil, s.ResetStaffFactors(ctx, in.ID) })
	add(o, op{id: "endStaffSessions", method: http.MethodDelete, path: "/staff/{id}/sessions", tag: "staff", status: http.StatusNoContent,
		summary: "End all sessions of somebody", problems: acting},
		func(ctx context.Context, in *byStaff) (*empty, error) { return nil, s.EndStaffSessions(ctx, in.ID) })
}
