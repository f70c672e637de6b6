package api

import (
	"context"
	"net/http"
	"time"
)

// Filing is how a message was filed in the mailbox it came from.
type Filing struct {
	Folder string     `json:"folder" doc:"Path, with the mailbox's own separator"`
	Flags  []string   `json:"flags" doc:"And keywords, as the mailbox names them"`
	Date   *time.Time `json:"date,omitempty" doc:"When the mailbox got the message (INTERNALDATE)"`
}

// NewHistory asks for the whole history of a mailbox to be archived once.
type NewHistory struct {
	DryRun          bool     `json:"dry_run,omitempty" doc:"Only counts; nothing is fetched, stored or removed"`
	RemoveOlderThan int      `json:"remove_older_than_days,omitempty" minimum:"0" maximum:"36500" doc:"Removes messages from the server that it got more than so many days ago, once they are archived and were read again from the vault; 0: nothing"`
	Folders         []string `json:"folders,omitempty" maxItems:"1000" doc:"Folders to read; none: all but drafts, spam and trash"`
	Drafts          bool     `json:"drafts,omitempty" doc:"Drafts too"`
	Spam            bool     `json:"spam,omitempty"`
	Trash           bool     `json:"trash,omitempty"`
	Confirm         int64    `json:"confirm,omitempty" minimum:"0" doc:"Needed to remove: how many messages the last dry run with the same members would remove; more are not removed"`
}

// History is the last history of a mailbox on this server.
type History struct {
	Running bool           `json:"running"`
	Report  *HistoryReport `json:"report,omitempty" doc:"Absent: there was none"`
}

// HistoryReport tells how far a history is, or how it ended.
type HistoryReport struct {
	DryRun          bool                  `json:"dry_run"`
	RemoveOlderThan int                   `json:"remove_older_than_days"`
	Asked           HistoryFolders        `json:"asked"`
	StartedAt       time.Time             `json:"started_at"`
	EndedAt         *time.Time            `json:"ended_at,omitempty"`
	RemoveBefore    *time.Time            `json:"remove_before,omitempty" doc:"What the server got earlier is removed"`
	Folders         []HistoryFolder       `json:"folders"`
	LeftOut         []HistoryLeftOut      `json:"left_out" doc:"Folders that are not read"`
	Complete        bool                  `json:"complete" doc:"All folders were gone through to the end"`
	Disagreements   []HistoryDisagreement `json:"disagreements" doc:"Folders whose counts do not agree; nothing more was removed there"`
	Problem         *MailboxProblem       `json:"problem,omitempty"`
}

// HistoryFolders are the folders that were asked for.
type HistoryFolders struct {
	Folders []string `json:"folders"`
	Drafts  bool     `json:"drafts"`
	Spam    bool     `json:"spam"`
	Trash   bool     `json:"trash"`
}

// HistoryFolder are the figures of one folder.
type HistoryFolder struct {
	Name      string          `json:"name"`
	OnServer  int64           `json:"on_server" doc:"By the server's own count, at the beginning"`
	Bytes     int64           `json:"bytes" doc:"Of the listed messages, as the server says"`
	Listed    int64           `json:"listed"`
	Known     int64           `json:"known" doc:"Archived from this very place before"`
	Offered   int64           `json:"offered" doc:"Offered to the archive; in a dry run: would be"`
	Stored    int64           `json:"stored"`
	Duplicate int64           `json:"duplicate"`
	Left      int64           `json:"left" doc:"Not archived"`
	Gone      int64           `json:"gone" doc:"Disappeared meanwhile, not by the archive"`
	Arrived   int64           `json:"arrived" doc:"Came meanwhile"`
	Due       int64           `json:"due" doc:"Archived and old enough to be removed; in a dry run: would be"`
	Intact    int64           `json:"intact" doc:"Of these: read again from the vault, every byte as it came"`
	Removed   int64           `json:"removed"`
	Remaining int64           `json:"remaining" doc:"On the server at the end, by its own count"`
	Reasons   []HistoryReason `json:"reasons" doc:"Why messages were left as they are"`
	Done      bool            `json:"done"`
}

// HistoryReason is why a message was left as it is.
type HistoryReason struct {
	Item string `json:"item" doc:"UID; empty: all that are due"`
	Why  string `json:"why"`
}

// HistoryLeftOut is a folder that is not read.
type HistoryLeftOut struct {
	Name    string `json:"name"`
	Why     string `json:"why" doc:"drafts, spam, trash, or English text"`
	Missing bool   `json:"missing" doc:"It should have been read, and cannot be"`
}

// HistoryDisagreement is a folder whose counts do not agree.
type HistoryDisagreement struct {
	Folder string `json:"folder"`
	Text   string `json:"text" doc:"With the numbers, in English"`
}

// ServerCount is what a server said of how many messages it holds in a folder.
type ServerCount struct {
	Day    string `json:"day" example:"2026-01-31"`
	Source string `json:"source" doc:"Id of the source"`
	Name   string `json:"name" doc:"Of the source"`
	Kind   string `json:"kind" doc:"Of the source"`
	Folder string `json:"folder" doc:"Empty: a maildrop has none"`
	Came   int64  `json:"came" doc:"By how many its count rose that day, in all"`
	Held   int64  `json:"held" doc:"Its last count of that day"`
}

type newHistory struct {
	ID   string `path:"id" doc:"Id of the source"`
	Body NewHistory
}

func histories(o operations, s Service) {
	add(o, op{id: "startHistory", method: http.MethodPost, path: "/sources/{id}/history", tag: "sources", status: http.StatusNoContent, body: settingsBody,
		summary:  "Archive the whole history of a remote mailbox, or try what that would do; without waiting for the end",
		problems: []Code{CodeNotFound, CodeNotRunning, CodeRole, CodeMalformed, CodeOrigin, CodeTimeout, CodeTooLarge, CodeMediaType}},
		func(ctx context.Context, in *newHistory) (*empty, error) {
			return nil, s.StartHistory(ctx, in.ID, in.Body)
		})
	add(o, op{id: "getHistory", method: http.MethodGet, path: "/sources/{id}/history", tag: "sources",
		summary: "How far the last history of a remote mailbox is", problems: []Code{CodeRole, CodeNotFound, CodeNotRunning}},
		func(ctx context.Context, in *bySource) (*body[History], error) { return reply(s.History(ctx, in.ID)) })
	add(o, op{id: "cancelHistory", method: http.MethodDelete, path: "/sources/{id}/history", tag: "sources", status: http.StatusNoContent,
		summary: "Break off a history; what is archived stays", problems: []Code{CodeRole, CodeNotFound, CodeOrigin, CodeNotRunning}},
		func(ctx context.Context, in *bySource) (*empty, error) { return nil, s.CancelHistory(ctx, in.ID) })
}
