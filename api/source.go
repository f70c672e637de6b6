package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Source is where mail comes from. Passwords go in and never come out.
type Source struct {
	ID             string        `json:"id"`
	Kind           string        `json:"kind" doc:"journal, mailbox, folder, import, milter or upload"`
	Name           string        `json:"name"`
	Category       string        `json:"category" doc:"Of the messages that come from it"`
	Disabled       bool          `json:"disabled"`
	CreatedAt      time.Time     `json:"created_at"`
	JournalAddress string        `json:"journal_address,omitempty" doc:"Of a journal: where reports are sent to"`
	Mailbox        *Mailbox      `json:"mailbox,omitempty" doc:"Of a mailbox: its settings"`
	HasPassword    bool          `json:"has_password"`
	HintPeers      []string      `json:"hint_peers" doc:"Of a journal: networks of mail servers whose header fields with envelope addresses are believed"`
	Workspace      bool          `json:"google_workspace,omitempty" doc:"Of a journal: Google Workspace sends here, without the envelope"`
	State          *MailboxState `json:"state,omitempty" doc:"Of a mailbox: how it fares; absent before the first fetch"`
	Folder         *Folder       `json:"folder,omitempty" doc:"Of a watched folder: its settings"`
	FolderState    *FolderState  `json:"folder_state,omitempty" doc:"Of a watched folder: how it fares; absent before the first look"`
}

// Sources are ordered by kind and name.
type Sources struct {
	Sources []Source `json:"sources"`
	Fetches bool     `json:"fetches" doc:"This server fetches from remote mailboxes"`
}

// Mailbox are the settings of a remote mailbox.
type Mailbox struct {
	Protocol       string   `json:"protocol" enum:"auto,imap,pop3"`
	Host           string   `json:"host" maxLength:"253"`
	Port           int      `json:"port,omitempty" doc:"0: the usual one"`
	TLS            string   `json:"tls" enum:"auto,implicit,starttls,none" doc:"auto never means none"`
	CA             string   `json:"ca,omitempty" maxLength:"49152" doc:"Own certificate authorities, PEM"`
	Pin            string   `json:"pin,omitempty" maxLength:"64" doc:"SHA-256 of the only certificate that is accepted, hexadecimal"`
	User           string   `json:"user" maxLength:"320"`
	OAuth          string   `json:"oauth,omitempty" enum:",microsoft,google" doc:"Provider of the token that stands in for the password"`
	Method         string   `json:"method,omitempty" enum:",client,device" doc:"Where the token comes from; empty: it is entered as password. client: an application logs in by itself, the password is its secret. device: somebody logs in by a code"`
	Directory      string   `json:"directory,omitempty" maxLength:"253" doc:"Microsoft: id of the directory, or one of its domains"`
	ClientID       string   `json:"client_id,omitempty" maxLength:"200" doc:"Id of the registered application"`
	Authority      string   `json:"authority,omitempty" maxLength:"500" doc:"Log-in server, if it is not the usual one"`
	Interval       int      `json:"interval_seconds,omitempty" doc:"From one fetch to the next; 0: a minute"`
	Keep           bool     `json:"keep,omitempty" doc:"Leaves messages on the server; otherwise each is deleted there once it is durable here"`
	MaxBytes       int64    `json:"max_bytes,omitempty" doc:"Larger messages stay on the server and are listed; 0: no limit"`
	Folders        string   `json:"folders,omitempty" enum:",inbox,all,list" doc:"IMAP only; empty: inbox"`
	Named          []string `json:"named,omitempty" maxItems:"1000" doc:"Folders, for list"`
	Without        []string `json:"without,omitempty" maxItems:"1000" doc:"Folders to leave out of all, with what lies below them"`
	Drafts         bool     `json:"drafts,omitempty" doc:"Drafts too, for all"`
	Spam           bool     `json:"spam,omitempty"`
	Trash          bool     `json:"trash,omitempty"`
	JournalReports *bool    `json:"journal_reports,omitempty" doc:"Unwrap journal reports; absent: yes"`
}

// MailboxState tells how a remote mailbox fares.
type MailboxState struct {
	Fetching bool            `json:"fetching"`
	LastAt   *time.Time      `json:"last_at,omitempty" doc:"End of the last fetch"`
	LastOKAt *time.Time      `json:"last_ok_at,omitempty" doc:"End of the last fetch without a problem"`
	NextAt   *time.Time      `json:"next_at,omitempty"`
	Found    *MailboxFound   `json:"found,omitempty"`
	Problem  *MailboxProblem `json:"problem,omitempty" doc:"Of the last fetch"`
	Stored   int64           `json:"stored" doc:"By the last fetch"`
	Known    int64           `json:"known" doc:"By the last fetch: had been archived before"`
	Waiting  int64           `json:"waiting" doc:"On the server, still to be fetched"`
	OnServer int64           `json:"on_server" doc:"On the server, by its own count"`
	Left     int64           `json:"left" doc:"Stay on the server, for instance too large"`
}

// MailboxFound is the way to a server that works.
type MailboxFound struct {
	Protocol string `json:"protocol"`
	Port     int    `json:"port"`
	TLS      string `json:"tls"`
}

// MailboxProblem is why a mailbox cannot be fetched, or not all of it.
type MailboxProblem struct {
	Code   string `json:"code" enum:"dns,connect,forbidden,timeout,certificate,tls,auth,protocol,folder,unavailable,archive,unreadable,not-deleted,interrupted,internal,token,consent,not-assigned,client,client-secret,directory,licence,scope,code-expired,code-declined,revoked,throttled,authority"`
	Text   string `json:"text" doc:"English, for people"`
	Detail string `json:"detail" doc:"What the server or the system said"`
}

// NewSource makes a source.
type NewSource struct {
	Kind     string   `json:"kind" enum:"journal,mailbox,folder"`
	Name     string   `json:"name" minLength:"1" maxLength:"200"`
	Category string   `json:"category,omitempty" maxLength:"200"`
	Disabled bool     `json:"disabled,omitempty"`
	Mailbox  *Mailbox `json:"mailbox,omitempty" doc:"Needed for a mailbox"`
	Password *string  `json:"password,omitempty" maxLength:"4096"`
	LogIn    string   `json:"log_in,omitempty" maxLength:"100" doc:"Id of a finished log-in by a code, in place of a password"`
	Folder   *Folder  `json:"folder,omitempty" doc:"Needed for a watched folder"`
}

// SourceChange changes what it names.
type SourceChange struct {
	Name      *string   `json:"name,omitempty" minLength:"1" maxLength:"200"`
	Category  *string   `json:"category,omitempty" maxLength:"200"`
	Disabled  *bool     `json:"disabled,omitempty"`
	HintPeers *[]string `json:"hint_peers,omitempty" maxItems:"64" doc:"Of a journal; such as 192.0.2.0/24"`
	Workspace *bool     `json:"google_workspace,omitempty" doc:"Of a journal"`
	Mailbox   *Mailbox  `json:"mailbox,omitempty" doc:"Replaces all settings of the mailbox"`
	Password  *string   `json:"password,omitempty" maxLength:"4096" doc:"Absent: stays, unless server or user change; empty: is removed"`
	LogIn     string    `json:"log_in,omitempty" maxLength:"100" doc:"Id of a finished log-in by a code"`
	Folder    *Folder   `json:"folder,omitempty" doc:"Replaces all settings of the watched folder"`
}

// MailboxTest asks whether settings work. Nothing is stored or fetched.
type MailboxTest struct {
	ID       string  `json:"id,omitempty" doc:"Source whose password is used if none is given and server and user are its own"`
	Mailbox  Mailbox `json:"mailbox"`
	Password *string `json:"password,omitempty" maxLength:"4096"`
	LogIn    string  `json:"log_in,omitempty" maxLength:"100" doc:"Id of a finished log-in by a code"`
}

// MailboxFinding is what a test of settings finds.
type MailboxFinding struct {
	OK          bool            `json:"ok"`
	Found       *MailboxFound   `json:"found,omitempty"`
	Problem     *MailboxProblem `json:"problem,omitempty"`
	Messages    int64           `json:"messages" doc:"In the folders that would be fetched"`
	Folders     []string        `json:"folders" doc:"Of the mailbox"`
	Steps       []MailboxStep   `json:"steps" doc:"What was tried, in order"`
	Certificate string          `json:"certificate,omitempty" doc:"SHA-256 of the server's certificate, which can be pinned"`
}

// MailboxStep is one thing that was tried.
type MailboxStep struct {
	What string `json:"what" example:"imap 993 implicit"`
	OK   bool   `json:"ok"`
	Text string `json:"text" doc:"English, for people"`
	Code string `json:"code,omitempty" doc:"Of the problem, if it failed" enum:"dns,connect,forbidden,timeout,certificate,tls,auth,protocol,folder,unavailable,archive,unreadable,not-deleted,internal,token,consent,not-assigned,client,client-secret,directory,licence,scope,code-expired,code-declined,revoked,throttled,authority"`
}

// LeftItem is a message that stays on the server of a source.
type LeftItem struct {
	Folder  string    `json:"folder"`
	Item    string    `json:"item" doc:"How the server calls it"`
	Outcome string    `json:"outcome"`
	Bytes   int64     `json:"bytes"`
	At      time.Time `json:"at" doc:"Since when this is known"`
	Detail  string    `json:"detail" doc:"Why, in plain words"`
}

// LeftItems are what stays on the server of a source.
type LeftItems struct {
	Items []LeftItem `json:"items"`
}

// Period bounds accounts by the day of the offer.
type Period struct {
	From string `query:"from" maxLength:"10" doc:"First day, such as 2026-01-31; empty: no bound"`
	To   string `query:"to" maxLength:"10" doc:"Last day; empty: no bound"`
}

// AccountLine is how many messages of a source ended alike on one day (UTC).
type AccountLine struct {
	Day     string `json:"day" example:"2026-01-31"`
	Source  string `json:"source" doc:"Id of the source"`
	Name    string `json:"name" doc:"Of the source"`
	Kind    string `json:"kind" doc:"Of the source"`
	Outcome string `json:"outcome" enum:"stored,duplicate,repeated,excluded,quarantined,released,refused,left"`
	Count   int64  `json:"count"`
	Bytes   int64  `json:"bytes"`
	// FromHeaders is CAP-1.
	FromHeaders bool `json:"from_headers,omitempty" doc:"What comes from this source names its recipients in headers alone: blind copies cannot be known"`
}

// Completeness tells where every message ended that was offered.
type Completeness struct {
	Lines  []AccountLine `json:"lines" doc:"By day, source and outcome"`
	Counts []ServerCount `json:"counts" doc:"What servers said of how many messages they hold, by day, source and folder"`
}

type (
	bySource struct {
		ID string `path:"id" doc:"Id of the source"`
	}
	changedSource struct {
		ID   string `path:"id" doc:"Id of the source"`
		Body SourceChange
	}
)

// settingsBody bounds bodies with settings, in bytes: certificates may be in them.
const settingsBody = 128 << 10

func sources(o operations, s Service) {
	changing := []Code{CodeRole, CodeMalformed, CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType}
	add(o, op{id: "listSources", method: http.MethodGet, path: "/sources", tag: "sources",
		summary: "Sources of the tenant and how they fare", problems: []Code{CodeRole}},
		func(ctx context.Context, _ *empty) (*body[Sources], error) { return reply(s.Sources(ctx)) })
	add(o, op{id: "createSource", method: http.MethodPost, path: "/sources", tag: "sources", status: http.StatusCreated, body: settingsBody,
		summary: "Add a journal, a remote mailbox or a watched folder", problems: changing},
		func(ctx context.Context, in *body[NewSource]) (*body[Source], error) {
			return reply(s.CreateSource(ctx, in.Body))
		})
	add(o, op{id: "getSource", method: http.MethodGet, path: "/sources/{id}", tag: "sources",
		summary: "One source", problems: []Code{CodeRole, CodeNotFound}},
		func(ctx context.Context, in *bySource) (*body[Source], error) { return reply(s.Source(ctx, in.ID)) })
	add(o, op{id: "changeSource", method: http.MethodPatch, path: "/sources/{id}", tag: "sources", body: settingsBody,
		summary: "Change a journal, a remote mailbox or a watched folder", problems: append([]Code{CodeNotFound}, changing...)},
		func(ctx context.Context, in *changedSource) (*body[Source], error) {
			return reply(s.ChangeSource(ctx, in.ID, in.Body))
		})
	add(o, op{id: "testMailbox", method: http.MethodPost, path: "/mailbox-tests", tag: "sources", body: settingsBody,
		summary: "Try settings of a remote mailbox", problems: append([]Code{CodeNotFound, CodeNotRunning}, changing...)},
		func(ctx context.Context, in *body[MailboxTest]) (*body[MailboxFinding], error) {
			return reply(s.TestMailbox(ctx, in.Body))
		})
	add(o, op{id: "fetchNow", method: http.MethodPost, path: "/sources/{id}/fetch", tag: "sources", status: http.StatusNoContent,
		summary: "Fetch from a remote mailbox now, without waiting for the end", problems: []Code{CodeRole, CodeNotFound, CodeOrigin, CodeNotRunning}},
		func(ctx context.Context, in *bySource) (*empty, error) { return nil, s.FetchNow(ctx, in.ID) })
	add(o, op{id: "listLeft", method: http.MethodGet, path: "/sources/{id}/left", tag: "sources",
		summary: "Messages that stay on the server of a source", problems: []Code{CodeRole, CodeNotFound}},
		func(ctx context.Context, in *bySource) (*body[LeftItems], error) {
			return reply(s.LeftOnServer(ctx, in.ID))
		})
	add(o, op{id: "getCompleteness", method: http.MethodGet, path: "/completeness", tag: "administration",
		summary: "Where every message ended that was offered", problems: []Code{CodeRole}},
		func(ctx context.Context, in *Period) (*body[Completeness], error) {
			return reply(s.Completeness(ctx, *in))
		})
}

// completenessCSV is Completeness for spreadsheets.
func completenessCSV() Download {
	day := func(name, text string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: text, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return Download{op{id: "getCompletenessCsv", method: http.MethodGet, path: "/completeness.csv", tag: "administration", problems: []Code{CodeRole},
		summary: "Where every message ended that was offered, as CSV (UTF-8 with byte order mark)"},
		[]*huma.Param{day("from", "First day; empty: no bound"), day("to", "Last day; empty: no bound"),
			{Name: "separator", In: "query", Description: "Between the cells",
				Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"semicolon", "comma"}, Default: "semicolon"}}},
		"text/csv"}
}
