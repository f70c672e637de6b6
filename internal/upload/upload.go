// Package upload keeps the files that people give in the web interface until they are
// archived: in pieces, so that a broken connection costs one piece, and on disk, so
// that a restart costs nothing. It knows nothing of mail and documents.
//
// Nothing in it is acknowledged as archived. What is given is called by its id alone:
// no name that somebody chose ever reaches the file system.
//
//	upload.go   what an upload is     store.go   making, writing, finishing, forgetting
//	disk.go     how it lies on disk   job.go     for whoever archives what is complete
package upload

import (
	"errors"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// Kinds of uploads.
const (
	Mail     = "mail"     // files with mail in them, to be imported
	Document = "document" // a file that is archived as it is
)

// States of an upload.
const (
	Open    = "open"    // bytes are missing
	Waiting = "waiting" // complete, to be archived
	Working = "working" // being archived
	Done    = "done"    // archived as Result says
	Failed  = "failed"  // not archived, for Reason
)

// Bounds.
const (
	MaxChunk = 4 << 20 // bytes of a piece
	// MaxOpen is how many uploads of a user may be unfinished at a time.
	MaxOpen = 2000
	// Abandoned is how long an upload waits for its next piece.
	Abandoned = 24 * time.Hour
	// Remembered is how long the report of an upload is kept.
	Remembered = 30 * 24 * time.Hour
	// MaxItems is how many items a report lists; the others are counted.
	MaxItems = 5000
)

// Errors. All but ErrNotFound say everything themselves.
var (
	// ErrNotFound is returned for an upload that is not the user's.
	ErrNotFound = errors.New("no such upload")
	// ErrBusy is returned when another request is writing the same upload.
	ErrBusy = errors.New("this upload is being written by another request; wait for it")
	// ErrState is returned when an upload is not in the state for what is asked.
	ErrState = errors.New("the upload is complete already, or not yet")
	// ErrFull is returned when the disk has no room.
	ErrFull = errors.New("the disk of the server has no room for this upload at present")
)

// LimitError says which limit an upload would exceed.
type LimitError struct{ Text string }

// Error implements error.
func (e *LimitError) Error() string { return e.Text }

// OffsetError is returned when a piece does not follow the one before.
type OffsetError struct{ Want int64 }

// Error implements error.
func (e *OffsetError) Error() string {
	return fmt.Sprintf("the next piece begins at byte %d", e.Want)
}

// Owner is whose an upload is.
type Owner struct{ Tenant, User uid.ID }

// Upload is a file that somebody gives.
type Upload struct {
	ID     uid.ID   `json:"id"`
	Owner  Owner    `json:"owner"`
	Owners []string `json:"owners,omitempty"` // addresses that may see a Document
	Kind   string   `json:"kind"`
	Name   string   `json:"name"` // as people call the file
	Size   int64    `json:"size"`
	// Identity is by which the browser knows the file again; of the client's choice.
	Identity string `json:"identity,omitempty"`
	Title    string `json:"title,omitempty"`
	Date     string `json:"date,omitempty"`
	Category string `json:"category,omitempty"`

	CreatedAt time.Time `json:"created_at"`
	ChangedAt time.Time `json:"changed_at"`
	State     string    `json:"state"`
	Received  int64     `json:"-"`                // bytes; of an Open one the length of its file
	SHA256    string    `json:"sha256,omitempty"` // of the whole, as the sender said; empty: he did not
	Reason    string    `json:"reason,omitempty"`
	Result    *Result   `json:"result,omitempty"`
}

// Result is what became of an upload.
type Result struct {
	Stored    int64 `json:"stored"`
	Duplicate int64 `json:"duplicate"` // archived before
	// Quarantined are stored, but seen by nobody before an administrator decides;
	// Excluded are kept out of the archive by a rule and stored nowhere.
	Quarantined int64  `json:"quarantined,omitempty"`
	Excluded    int64  `json:"excluded,omitempty"`
	Before      int64  `json:"before"`  // archived by this upload, before an interruption
	Skipped     int64  `json:"skipped"` // rightly left out
	Failed      int64  `json:"failed"`
	Items       []Item `json:"items,omitempty"` // at most MaxItems
	Omitted     int64  `json:"omitted"`         // items that are counted, but not listed
}

// Item is one thing in an upload.
type Item struct {
	Origin  string `json:"origin"`
	Outcome string `json:"outcome"` // stored, duplicate, quarantined, excluded, skipped or failed
	Reason  string `json:"reason,omitempty"`
	Detail  string `json:"detail,omitempty"`
	Bytes   int64  `json:"bytes"`
	AOID    uid.ID `json:"aoid"` // of what is archived
}

// Add adds an item to the list, if there is room.
func (r *Result) Add(i Item) {
	if len(r.Items) >= MaxItems {
		r.Omitted++
		return
	}
	r.Items = append(r.Items, i)
}
