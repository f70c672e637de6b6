package remote

import (
	"errors"
	"time"
)

// maxDays bounds RemoveOlderThan: a hundred years.
const maxDays = 36_500

// History asks for the whole history of a mailbox to be archived, once.
type History struct {
	// DryRun only counts: nothing is fetched, stored or removed.
	DryRun bool `json:"dry_run,omitempty"`
	// RemoveOlderThan is the age in days from which messages are removed on the
	// server, once they are archived and have been read again from the vault. The
	// age is that of INTERNALDATE. 0: nothing is removed.
	RemoveOlderThan int `json:"remove_older_than_days,omitempty"`
	// Folders are the names of the folders to read. None: all but drafts, spam and
	// trash, unless they are wanted.
	Folders []string `json:"folders,omitempty"`
	Drafts  bool     `json:"drafts,omitempty"`
	Spam    bool     `json:"spam,omitempty"`
	Trash   bool     `json:"trash,omitempty"`
	// RemoveBefore, if set, stands in place of the moment that RemoveOlderThan days
	// ago is, so that a run removes what a dry run has counted.
	RemoveBefore *time.Time `json:"remove_before,omitempty"`
	// AtMost, if not 0, is how many messages are removed at most.
	AtMost int64 `json:"at_most,omitempty"`
}

// ErrNoHistory is returned for mailboxes that have no folders and dates.
var ErrNoHistory = errors.New("a history needs IMAP: by POP3 there are neither folders nor dates")

// ErrHistoryRuns is returned when a history of the mailbox is under way.
var ErrHistoryRuns = errors.New("a history of this mailbox is under way")

// Check reports what is wrong with what is asked for, as *setting.Errors joined.
func (h History) Check() error {
	var errs []error
	if h.RemoveOlderThan < 0 || h.RemoveOlderThan > maxDays {
		errs = append(errs, bad("remove_older_than_days", "%d is outside 0 to %d; 0 removes nothing", h.RemoveOlderThan, maxDays))
	}
	if len(h.Folders) > 1000 {
		errs = append(errs, bad("folders", "name at most 1000 folders"))
	}
	return errors.Join(errs...)
}

// HistoryReport tells how far a history is, or how it ended.
type HistoryReport struct {
	Asked     History    `json:"asked"`
	Account   string     `json:"account,omitempty"` // such as "imap://anna@mail.example.com/"
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	// RemoveBefore is the moment before which the server must have got what is
	// removed; nil: nothing is removed.
	RemoveBefore *time.Time      `json:"remove_before,omitempty"`
	Folders      []HistoryFolder `json:"folders"`
	LeftOut      []FolderLeftOut `json:"left_out"` // folders that are not read, and why
	// Complete says that all folders were gone through to the end.
	Complete bool `json:"complete"`
	// Disagreements are folders in which counts do not agree. With removal, the
	// first one ends the run.
	Disagreements []Disagreement `json:"disagreements"`
	Problem       *Problem       `json:"problem,omitempty"` // why it ended early, or the first of the problems that stopped nothing
}

// FolderLeftOut is a folder that is not read.
type FolderLeftOut struct {
	Name string `json:"name"`
	Why  string `json:"why"`
	// Missing says that it should have been read, and cannot be.
	Missing bool `json:"missing,omitempty"`
}

// Disagreement is a folder in which counts do not agree. Nothing was removed there
// after it was found.
type Disagreement struct {
	Folder string `json:"folder"`
	Text   string `json:"text"` // with the numbers, English, for people
}

// HistoryFolder are the figures of one folder.
type HistoryFolder struct {
	Name     string `json:"name"`
	OnServer int64  `json:"on_server"` // by the server's own count, at the beginning
	Bytes    int64  `json:"bytes"`     // of the listed messages, as the server says
	Listed   int64  `json:"listed"`    // messages the server has named
	// Known were archived from this very place before, and are not fetched again.
	Known     int64 `json:"known"`
	Offered   int64 `json:"offered"`   // fetched and offered to the archive; in a dry run: would be
	Stored    int64 `json:"stored"`    // of these: new
	Duplicate int64 `json:"duplicate"` // of these: the archive had the same bytes
	Left      int64 `json:"left"`      // not archived; Reasons say why
	Gone      int64 `json:"gone"`      // disappeared from the server meanwhile, not by us
	Arrived   int64 `json:"arrived"`   // came to the server meanwhile, for another run
	Due       int64 `json:"due"`       // archived and old enough to be removed; in a dry run: would be
	Intact    int64 `json:"intact"`    // of these: read again from the vault, every byte as it came
	Removed   int64 `json:"removed"`   // from the server
	Remaining int64 `json:"remaining"` // on the server, by its own count, at the end
	// Reasons name messages that were not archived, or not removed although they
	// are old enough; at most 1000.
	Reasons []HistoryReason `json:"reasons,omitempty"`
	Done    bool            `json:"done"`
}

// HistoryReason is why a message was left as it is.
type HistoryReason struct {
	Item string `json:"item"` // its UID; empty: all that are due
	Why  string `json:"why"`
}

// Sum adds up the folders.
func (r *HistoryReport) Sum() (s HistoryFolder) {
	for _, f := range r.Folders {
		s.OnServer += f.OnServer
		s.Bytes += f.Bytes
		s.Listed += f.Listed
		s.Known += f.Known
		s.Offered += f.Offered
		s.Stored += f.Stored
		s.Duplicate += f.Duplicate
		s.Left += f.Left
		s.Gone += f.Gone
		s.Arrived += f.Arrived
		s.Due += f.Due
		s.Intact += f.Intact
		s.Removed += f.Removed
		s.Remaining += f.Remaining
	}
	return s
}
