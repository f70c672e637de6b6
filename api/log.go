package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// LogService carries out the operations on the event log. The log is that of the
// tenant of whoever asks; that of operators is the installation's.
type LogService interface {
	EventLog(ctx context.Context) (*EventLog, error)
	Events(ctx context.Context, q EventQuery) (*Events, error)
	Receipts(ctx context.Context, before string) (*Receipts, error)
	CompareReceipts(ctx context.Context, c ReceiptChoice) (*ReceiptComparison, error)
	ReceiptSettings(ctx context.Context) (*ReceiptSettings, error)
	ChangeReceiptSettings(ctx context.Context, s ReceiptSettings) (*ReceiptSettings, error)
	// StartAudit asks for a comparison and does not wait for it.
	StartAudit(ctx context.Context) error
	Audit(ctx context.Context) (*AuditState, error)
}

// EventLog is the state of the event log.
type EventLog struct {
	Size   int64    `json:"size" doc:"Number of events"`
	Root   string   `json:"root" doc:"Of the Merkle tree over all events (RFC 9162), base64"`
	Key    string   `json:"key" doc:"That signs checkpoints, as programs that read signed notes want it"`
	Last   *Receipt `json:"last,omitempty" doc:"The youngest daily receipt; absent: there is none yet"`
	Manage bool     `json:"manage" doc:"Whoever asks may change who gets receipts"`
}

// EventQuery chooses events.
type EventQuery struct {
	Before int64  `query:"before" minimum:"0" doc:"Number of the last event of the page before; 0: the newest"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Group  string `query:"group" maxLength:"40" pattern:"^[a-z-]*$" doc:"What stands before the first dot of the action"`
	Actor  string `query:"actor" maxLength:"160" doc:"As an event has it"`
	Object string `query:"object" maxLength:"160" doc:"As an event has it, such as the id of a message"`
	From   string `query:"from" maxLength:"10" doc:"First day in UTC" example:"2026-01-01"`
	To     string `query:"to" maxLength:"10" doc:"Last day in UTC" example:"2026-01-31"`
}

// Event is one act.
type Event struct {
	Seq        int64             `json:"seq" doc:"Number in the log, from 0"`
	At         time.Time         `json:"at"`
	Actor      string            `json:"actor" doc:"user:ID, source:ID, cli or system"`
	ActorName  string            `json:"actor_name,omitempty" doc:"As it is now; absent: unknown"`
	Action     string            `json:"action" example:"message.stored"`
	Object     string            `json:"object,omitempty"`
	ObjectName string            `json:"object_name,omitempty" doc:"As it is now; absent: unknown"`
	Details    map[string]string `json:"details,omitempty" doc:"Absent: there are none, or they were deleted; the event stays provable"`
}

// Events is a page of events, the newest first.
type Events struct {
	Events []Event `json:"events"`
	Next   int64   `json:"next,omitempty" doc:"Before of the next page; absent: this is the last"`
}

// Receipt is a daily receipt of the event log.
type Receipt struct {
	Day    string    `json:"day" example:"2026-01-31" doc:"In the tenant's time zone"`
	MadeAt time.Time `json:"made_at"`
	Size   int64     `json:"size" doc:"Events that it covers"`
	Filed  bool      `json:"filed" doc:"It is in the directory for receipts"`
	Mailed bool      `json:"mailed" doc:"It was given to the outbox"`
	Sealed bool      `json:"sealed" doc:"It has an evidence record"`
}

// Receipts are daily receipts, the youngest first.
type Receipts struct {
	Receipts []Receipt `json:"receipts" doc:"At most 400"`
}

// ReceiptChoice says what to compare.
type ReceiptChoice struct {
	Receipts []string `json:"receipts" minItems:"2" maxItems:"10" doc:"Each a day that has a receipt, the word now, or the text of a receipt's file"`
	Names    []string `json:"names,omitempty" maxItems:"10" doc:"What the files are called, in the order of receipts; for what is no file, empty. Absent: file"`
}

// ReceiptComparison says whether the log was only appended to between receipts.
type ReceiptComparison struct {
	Verdict  string            `json:"verdict" enum:"valid,invalid,indeterminate"`
	Receipts []ComparedReceipt `json:"receipts" doc:"By size"`
	Findings []ReceiptFinding  `json:"findings" doc:"Why the verdict is not valid"`
}

// ComparedReceipt is what a receipt says.
type ComparedReceipt struct {
	Name string    `json:"name" doc:"A day, now, or what the file is called; each has another"`
	Size int64     `json:"size"`
	Root string    `json:"root"`
	Time time.Time `json:"time" doc:"Of the signature"`
	Key  string    `json:"key"`
	// Stamp is about the evidence record of the receipt.
	Stamp   string     `json:"stamp" enum:"none,valid,invalid,indeterminate" doc:"Whether the time stamp proves it, with the certificates that the archive trusts; none: there is none yet"`
	Stamped *time.Time `json:"stamped,omitempty" doc:"Time of the first time stamp; absent: there is none"`
	Test    bool       `json:"test" doc:"A time stamp is of a test authority and proves nothing"`
}

// ReceiptFinding is why a verdict is not valid.
type ReceiptFinding struct {
	Code string `json:"code" enum:"unreadable,signature,other-log,key-unconnected,key-untrusted,shorter,rewritten,proof-missing,alone,record"`
	Text string `json:"text" doc:"English, for people"`
}

// ReceiptSettings say who gets the daily receipts.
type ReceiptSettings struct {
	To       []string `json:"to" maxItems:"20" doc:"Mail addresses; none: nobody gets mail"`
	At       string   `json:"at" pattern:"^[0-2][0-9]:[0-5][0-9]$" example:"00:05" doc:"In the tenant's time zone"`
	Language string   `json:"language" enum:"de,en" doc:"Of the mail"`
}

// AuditState is the last comparison of log and archive on this server.
type AuditState struct {
	Running bool         `json:"running"`
	Failed  bool         `json:"failed" doc:"The last one could not be completed; the server's log says why"`
	Report  *AuditReport `json:"report,omitempty" doc:"Absent: there was none since the server started"`
}

// AuditReport is the comparison of all messages with the event log, both ways.
type AuditReport struct {
	StartedAt time.Time      `json:"started_at"`
	EndedAt   time.Time      `json:"ended_at"`
	LogSize   int64          `json:"log_size" doc:"Events that were compared"`
	LogRoot   string         `json:"log_root"`
	Entries   int64          `json:"entries" doc:"That tell that a message came"`
	Deleted   int64          `json:"deleted" doc:"That tell that a message was deleted"`
	Messages  int64          `json:"messages"`
	Matched   int64          `json:"matched" doc:"Messages that are there with their entry and the same content"`
	Receipts  int64          `json:"receipts" doc:"Daily receipts that were compared with the log"`
	Stamped   int64          `json:"stamped" doc:"Of these, with a valid evidence record"`
	Found     int64          `json:"found" doc:"Findings"`
	Findings  []AuditFinding `json:"findings" doc:"At most 1000"`
}

// AuditFinding is one thing in which log and archive differ.
type AuditFinding struct {
	Code   string `json:"code" enum:"missing,unlogged,other,doubled,arrivals,unread,log,revived,receipt"`
	Object string `json:"object"`
	What   string `json:"what" doc:"English, for people"`
}

type byDay struct {
	Before string `query:"before" maxLength:"10" doc:"Only receipts of days before; empty: all"`
}

func eventLog(o operations, s Service) {
	see := []Code{CodeRole}
	changing := []Code{CodeRole, CodeMalformed, CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType}
	add(o, op{id: "getEventLog", method: http.MethodGet, path: "/log", tag: "evidence", summary: "State of the event log", problems: see},
		func(ctx context.Context, _ *empty) (*body[EventLog], error) { return reply(s.EventLog(ctx)) })
	add(o, op{id: "listEvents", method: http.MethodGet, path: "/events", tag: "evidence", summary: "Events, the newest first", problems: see},
		func(ctx context.Context, in *EventQuery) (*body[Events], error) { return reply(s.Events(ctx, *in)) })
	add(o, op{id: "listReceipts", method: http.MethodGet, path: "/log/receipts", tag: "evidence", summary: "Daily receipts", problems: see},
		func(ctx context.Context, in *byDay) (*body[Receipts], error) {
			return reply(s.Receipts(ctx, in.Before))
		})
	add(o, op{id: "compareReceipts", method: http.MethodPost, path: "/log/comparisons", tag: "evidence", body: 4 << 20,
		summary: "Decide whether nothing was removed, changed, inserted or reordered between receipts", problems: append([]Code{CodeNotFound}, changing...)},
		func(ctx context.Context, in *body[ReceiptChoice]) (*body[ReceiptComparison], error) {
			return reply(s.CompareReceipts(ctx, in.Body))
		})
	add(o, op{id: "getReceiptSettings", method: http.MethodGet, path: "/log/settings", tag: "evidence", summary: "Who gets the daily receipts", problems: see},
		func(ctx context.Context, _ *empty) (*body[ReceiptSettings], error) {
			return reply(s.ReceiptSettings(ctx))
		})
	add(o, op{id: "changeReceiptSettings", method: http.MethodPut, path: "/log/settings", tag: "evidence", summary: "Say who gets the daily receipts", problems: changing},
		func(ctx context.Context, in *body[ReceiptSettings]) (*body[ReceiptSettings], error) {
			return reply(s.ChangeReceiptSettings(ctx, in.Body))
		})
	add(o, op{id: "startAudit", method: http.MethodPost, path: "/log/audits", tag: "evidence", status: http.StatusNoContent,
		summary: "Compare all messages with the event log, without waiting for the end", problems: []Code{CodeRole, CodeOrigin}},
		func(ctx context.Context, _ *empty) (*empty, error) { return nil, s.StartAudit(ctx) })
	add(o, op{id: "getAudit", method: http.MethodGet, path: "/log/audits/last", tag: "evidence", summary: "How the last comparison ended", problems: see},
		func(ctx context.Context, _ *empty) (*body[AuditState], error) { return reply(s.Audit(ctx)) })
}

// logDownloads are files: their bytes are what is signed or compared.
func logDownloads() []Download {
	const file = "application/json"
	problems := []Code{CodeRole, CodeNotFound}
	number := func(name, in, text string) *huma.Param {
		return &huma.Param{Name: name, In: in, Required: true, Description: text, Schema: &huma.Schema{Type: huma.TypeInteger}}
	}
	return []Download{
		{op{id: "getEventProof", method: http.MethodGet, path: "/events/{seq}/proof", tag: "evidence", problems: problems,
			summary: "File that proves that an event is in the log"}, []*huma.Param{number("seq", "path", "Number of the event")}, file},
		{op{id: "getCheckpoint", method: http.MethodGet, path: "/log/checkpoint", tag: "evidence", problems: problems,
			summary: "The log's present state, signed, as the file of a receipt"}, nil, file},
		{op{id: "getConsistency", method: http.MethodGet, path: "/log/consistency", tag: "evidence", problems: problems,
			summary: "File that proves that the log of one size begins with the log of another"},
			[]*huma.Param{number("from", "query", "Events of the earlier log"), number("to", "query", "Events of the later log")}, file},
		{op{id: "getReceiptFile", method: http.MethodGet, path: "/log/receipts/{day}", tag: "evidence", problems: problems,
			summary: "File of a daily receipt"},
			[]*huma.Param{{Name: "day", In: "path", Required: true, Description: "Such as 2026-01-31", Schema: &huma.Schema{Type: huma.TypeString}}}, file},
		{op{id: "exportLog", method: http.MethodGet, path: "/log/export", tag: "evidence", problems: problems,
			summary: "The whole log, without what it tells about people, so that a stranger can compute everything again"}, nil, "text/plain"},
	}
}
