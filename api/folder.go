package api

import "time"

// Folder are the settings of a watched folder.
type Folder struct {
	Directory     string   `json:"directory" maxLength:"500" doc:"Path below the directory of the tenant on the server; empty: that one itself"`
	Owners        []string `json:"owners" minItems:"1" maxItems:"500" doc:"Addresses that may see what comes from it"`
	DocumentsOnly bool     `json:"documents_only,omitempty" doc:"Messages (.eml, .msg) are archived as documents too; otherwise as mail, seen by those whom they name"`
	Settle        int      `json:"settle_seconds,omitempty" doc:"For how long a file must not have changed; 0: ten seconds"`
}

// FolderState tells how a watched folder fares.
type FolderState struct {
	LastAt   *time.Time     `json:"last_at,omitempty" doc:"Last look"`
	LastOKAt *time.Time     `json:"last_ok_at,omitempty" doc:"Last look without a problem"`
	Problem  *FolderProblem `json:"problem,omitempty"`
	Stored   int64          `json:"stored" doc:"Files archived since the folder was added"`
	Known    int64          `json:"known" doc:"Files that had been archived before"`
	Failed   int64          `json:"failed" doc:"Files moved to failed"`
	Waiting  int64          `json:"waiting" doc:"Files still to be archived"`
}

// FolderProblem is why a folder cannot be read or emptied.
type FolderProblem struct {
	Code   string `json:"code" enum:"root,directory,read,move,archive,settings,odd"`
	Text   string `json:"text" doc:"English, for people"`
	Detail string `json:"detail" doc:"What the system said"`
}

// File is what a document is besides its bytes.
type File struct {
	Name string `json:"name"`
	Type string `json:"type" doc:"MIME type, by the beginning of the file"`
	Date string `json:"date" doc:"Of the document, as whoever gave it said; may be empty"`
}
