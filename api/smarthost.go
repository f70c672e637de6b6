package api

import (
	"context"
	"net/http"
	"time"
)

// Smarthost are the settings of the server that mail of the archive leaves by.
type Smarthost struct {
	Host string `json:"host" maxLength:"253"`
	Port int    `json:"port,omitempty" doc:"0: the usual one"`
	TLS  string `json:"tls" enum:"implicit,starttls,none" doc:"starttls is required: without it nothing is sent"`
	CA   string `json:"ca,omitempty" maxLength:"49152" doc:"Own certificate authorities, PEM"`
	Pin  string `json:"pin,omitempty" maxLength:"64" doc:"SHA-256 of the only certificate that is accepted, hexadecimal"`
	User string `json:"user,omitempty" maxLength:"320" doc:"Empty: no log-in"`
	From string `json:"from" maxLength:"254" doc:"Address that mail comes from, in the envelope and in the field From, to the letter"`
	Name string `json:"name,omitempty" maxLength:"200" doc:"As people read it, beside the address"`
}

// SmarthostState is how mail of the archive leaves. The password goes in and never
// comes out.
type SmarthostState struct {
	Smarthost   *Smarthost `json:"smarthost,omitempty" doc:"Absent: nothing is set, and no mail leaves"`
	HasPassword bool       `json:"has_password"`
	Sends       bool       `json:"sends" doc:"This server sends mail"`
}

// SmarthostChange replaces all settings.
type SmarthostChange struct {
	Smarthost Smarthost `json:"smarthost"`
	Password  *string   `json:"password,omitempty" maxLength:"4096" doc:"Absent: stays, unless server, user or protection change; empty: is removed"`
}

// SmarthostTest asks whether settings work. Nothing is stored.
type SmarthostTest struct {
	Smarthost Smarthost `json:"smarthost"`
	Password  *string   `json:"password,omitempty" maxLength:"4096" doc:"Absent: the stored one, if server, user and protection are its own"`
	To        string    `json:"to,omitempty" maxLength:"254" doc:"Who gets a test mail; empty: the test ends with the log-in"`
}

// SmarthostFinding is what a test of settings finds.
type SmarthostFinding struct {
	OK          bool            `json:"ok"`
	Problem     *SendingProblem `json:"problem,omitempty"`
	Steps       []SendingStep   `json:"steps" doc:"What was done, in order"`
	Certificate string          `json:"certificate,omitempty" doc:"SHA-256 of the server's certificate, which can be pinned"`
}

// SendingProblem is why mail cannot be sent.
type SendingProblem struct {
	Code   string `json:"code" enum:"dns,connect,timeout,certificate,tls,auth,protocol,unavailable,sender,recipient,size,content,internal"`
	Text   string `json:"text" doc:"English, for people"`
	Detail string `json:"detail" doc:"What the server or the system said"`
}

// SendingStep is one step of the dialogue with a mail server.
type SendingStep struct {
	What string `json:"what" enum:"settings,resolve,connect,greeting,tls,certificate,login,sender,recipient,message"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

// OutboxMail is a mail of the archive. What is in it is not shown.
type OutboxMail struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind" doc:"What it is: a short word"`
	Sender     string          `json:"sender"`
	Recipients []OutboxPerson  `json:"recipients"`
	Size       int64           `json:"size"`
	State      string          `json:"state" enum:"waiting,sent,failed"`
	Attempts   int             `json:"attempts"`
	CreatedAt  time.Time       `json:"created_at"`
	NextAt     *time.Time      `json:"next_at,omitempty" doc:"Of a waiting one: when it is tried next"`
	TriedAt    *time.Time      `json:"tried_at,omitempty" doc:"Begin of the last attempt"`
	EndedAt    *time.Time      `json:"ended_at,omitempty" doc:"When it was sent or given up"`
	Problem    *SendingProblem `json:"problem,omitempty" doc:"Of the last attempt"`
}

// OutboxPerson is a recipient of a mail and what became of it.
type OutboxPerson struct {
	Address string `json:"address"`
	State   string `json:"state" enum:"waiting,sent,failed"`
	Answer  string `json:"answer,omitempty" doc:"What the server said last"`
}

// Outbox is the mail that waits, and what became of the rest.
type Outbox struct {
	Waiting int          `json:"waiting"`
	Sent    int          `json:"sent" doc:"In the last 30 days"`
	Failed  int          `json:"failed"`
	Mails   []OutboxMail `json:"mails" doc:"The youngest, at most 200"`
}

type byMail struct {
	ID string `path:"id" doc:"Id of the mail"`
}

func smarthost(o operations, s Service) {
	changing := []Code{CodeRole, CodeMalformed, CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType}
	add(o, op{id: "getSmarthost", method: http.MethodGet, path: "/smarthost", tag: "installation",
		summary: "How mail of the archive leaves", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[SmarthostState], error) { return reply(s.Smarthost(ctx)) })
	add(o, op{id: "changeSmarthost", method: http.MethodPatch, path: "/smarthost", tag: "installation", body: settingsBody,
		summary: "Set how mail of the archive leaves; what waits is tried at once", problems: changing},
		func(ctx context.Context, in *body[SmarthostChange]) (*body[SmarthostState], error) {
			return reply(s.ChangeSmarthost(ctx, in.Body))
		})
	add(o, op{id: "removeSmarthost", method: http.MethodDelete, path: "/smarthost", tag: "installation", status: http.StatusNoContent,
		summary: "Let no mail leave any more; what waits stays", problems: []Code{CodeRole, CodeOrigin, CodeNotFound}},
		func(ctx context.Context, _ *empty) (*empty, error) { return nil, s.RemoveSmarthost(ctx) })
	add(o, op{id: "testSmarthost", method: http.MethodPost, path: "/smarthost-tests", tag: "installation", body: settingsBody,
		summary: "Try settings, and send a test mail", problems: append([]Code{CodeNotRunning}, changing...)},
		func(ctx context.Context, in *body[SmarthostTest]) (*body[SmarthostFinding], error) {
			return reply(s.TestSmarthost(ctx, in.Body))
		})
	add(o, op{id: "getOutbox", method: http.MethodGet, path: "/outbox", tag: "installation",
		summary: "Mail that waits, and what became of the rest", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[Outbox], error) { return reply(s.Outbox(ctx)) })
	add(o, op{id: "retryMail", method: http.MethodPost, path: "/outbox/{id}/retry", tag: "installation", status: http.StatusNoContent,
		summary: "Try to send a mail at once, also one that was given up", problems: []Code{CodeRole, CodeOrigin, CodeNotFound}},
		func(ctx context.Context, in *byMail) (*empty, error) { return nil, s.RetryMail(ctx, in.ID) })
	add(o, op{id: "dropMail", method: http.MethodDelete, path: "/outbox/{id}", tag: "installation", status: http.StatusNoContent,
		summary: "Remove a mail: it is not sent any more", problems: []Code{CodeRole, CodeOrigin, CodeNotFound}},
		func(ctx context.Context, in *byMail) (*empty, error) { return nil, s.DropMail(ctx, in.ID) })
}
