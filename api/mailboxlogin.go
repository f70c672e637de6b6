package api

import (
	"context"
	"net/http"
	"time"
)

// MailboxLogIn asks for a code with which somebody lets the archive into a mailbox
// (RFC 8628). Nothing is stored.
type MailboxLogIn struct {
	ID           string  `json:"id,omitempty" doc:"Source whose stored secret of the application is used if none is given"`
	Mailbox      Mailbox `json:"mailbox" doc:"Settings with the method device"`
	ClientSecret *string `json:"client_secret,omitempty" maxLength:"4096" doc:"Of the application, if it has one"`
}

// MailboxLogInState tells how far a log-in by a code is. A finished one is used once,
// by its id, when a source is made, changed or tested.
type MailboxLogInState struct {
	ID        string          `json:"id,omitempty" doc:"Absent if there is no code"`
	State     string          `json:"state" enum:"waiting,done,failed"`
	Code      string          `json:"code,omitempty" doc:"To be entered on the page"`
	URL       string          `json:"url,omitempty" doc:"The page of the provider"`
	ExpiresAt *time.Time      `json:"expires_at,omitempty" doc:"Of the code"`
	Problem   *MailboxProblem `json:"problem,omitempty" doc:"If it failed"`
}

type byLogIn struct {
	ID string `path:"id" doc:"Id of the log-in"`
}

func mailboxLogIns(o operations, s Service) {
	add(o, op{id: "beginMailboxLogIn", method: http.MethodPost, path: "/mailbox-log-ins", tag: "sources", body: settingsBody,
		summary:  "Ask for a code with which somebody logs in to a remote mailbox",
		problems: []Code{CodeRole, CodeNotFound, CodeMalformed, CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType, CodeNotRunning}},
		func(ctx context.Context, in *body[MailboxLogIn]) (*body[MailboxLogInState], error) {
			return reply(s.BeginMailboxLogIn(ctx, in.Body))
		})
	add(o, op{id: "getMailboxLogIn", method: http.MethodGet, path: "/mailbox-log-ins/{id}", tag: "sources",
		summary: "How far a log-in by a code is", problems: []Code{CodeRole, CodeNotFound}},
		func(ctx context.Context, in *byLogIn) (*body[MailboxLogInState], error) {
			return reply(s.MailboxLogIn(ctx, in.ID))
		})
	add(o, op{id: "cancelMailboxLogIn", method: http.MethodDelete, path: "/mailbox-log-ins/{id}", tag: "sources", status: http.StatusNoContent,
		summary: "Give up a log-in by a code", problems: []Code{CodeRole, CodeNotFound, CodeOrigin}},
		func(ctx context.Context, in *byLogIn) (*empty, error) { return nil, s.CancelMailboxLogIn(ctx, in.ID) })
}
