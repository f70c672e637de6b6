package importer

import (
	"sync"
	"time"

	"github.com/muniment/muniment/internal/uid"
)

// maxProblems is how many problems, and notices, a report holds; more are only counted, to
// bound its memory.
const maxProblems = 200_000

// Reason says why an item was not stored.
type Reason string

// The reasons.
const (
	NotAMessage Reason = "not-a-message"
	Empty       Reason = "empty"
	TooLarge    Reason = "too-large"
	Unreadable  Reason = "unreadable"
	Link        Reason = "link"
	SpecialFile Reason = "special-file"
	Unfinished  Reason = "unfinished"
	NotTaken    Reason = "not-taken"   // the archive failed on it
	Damaged     Reason = "damaged"     // it cannot be read for what it is
	Encrypted   Reason = "encrypted"   // only a password opens it
	Unsupported Reason = "unsupported" // it is of a kind that is not read
	Limit       Reason = "limit"       // an archive that holds more than may be unpacked
	Hidden      Reason = "hidden"      // what Outlook keeps for itself in a PST: views, rules, forms
)

// Reasons that a list of everything gives for what is archived and has a Notice.
const (
	InPart Reason = "in-part" // it is stored, and not all of it
	Noted  Reason = "note"    // of a file, whose items are stored
)

// Problem is an item that was not stored.
type Problem struct {
	Origin string `json:"origin"`
	Reason Reason `json:"reason"`
	Detail string `json:"detail,omitempty"`
	Bytes  int64  `json:"bytes"`
	// Failed tells a message that should be in the archive and is not from
	// what is rightly left out.
	Failed bool `json:"failed"`
}

// Notice tells something of an item that is stored, or of a file.
type Notice struct {
	Origin string `json:"origin"`
	Text   string `json:"text"`
}

// Report is the account of one run.
type Report struct {
	Tenant   uid.ID    `json:"tenant"`
	Source   uid.ID    `json:"source"`
	Paths    []string  `json:"paths"`
	DryRun   bool      `json:"dryRun"`
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended"`
	Finished bool      `json:"finished"` // everything was seen

	Stored int64 `json:"stored"` // new in the archive; in a dry run: would be offered
	// Quarantined are stored, but nobody sees them before an administrator decides;
	// Excluded are kept out by a rule and stored nowhere.
	Quarantined int64 `json:"quarantined"`
	Excluded    int64 `json:"excluded"`
	Duplicate   int64 `json:"duplicate"`  // the archive has the same bytes already
	DoneBefore  int64 `json:"doneBefore"` // by the interrupted run that this one continues
	Originals   int64 `json:"originals"`  // of these three: files kept beside the messages made of them
	Skipped     int64 `json:"skipped"`    // rightly left out
	Failed      int64 `json:"failed"`     // should be in the archive and are not
	Partial     int64 `json:"partial"`    // messages made of items with damage, each with its notices
	Bytes       int64 `json:"bytes"`      // of stored, duplicate and, but for what was converted, done before

	Problems []Problem `json:"problems"`
	Omitted  int64     `json:"omitted"` // problems that are counted, but not listed

	Notices        []Notice `json:"notices"`
	NoticesOmitted int64    `json:"noticesOmitted"`
}

// Complete reports whether everything was seen and nothing failed: whether a
// command may end with success.
func (r *Report) Complete() bool { return r.Finished && r.Failed == 0 }

// Offered is how many messages were brought to the archive, by this run and the
// interrupted one it continues. In a dry run: would be.
func (r *Report) Offered() int64 {
	return r.Stored + r.Quarantined + r.Excluded + r.Duplicate + r.DoneBefore
}

// NotStored is how many files and messages are not in the archive, rightly or
// not. Each has its Problem, up to the bound of the list.
func (r *Report) NotStored() int64 { return r.Skipped + r.Failed }

// AddProblem counts an item that was not stored, and lists it up to the bound of
// the list. Calls must not overlap.
func (r *Report) AddProblem(p Problem) {
	if p.Failed {
		r.Failed++
	} else {
		r.Skipped++
	}
	if len(r.Problems) >= maxProblems {
		r.Omitted++
		return
	}
	r.Problems = append(r.Problems, p)
}

// AddNotice notes something of what is stored nevertheless, up to the bound of the
// list. Calls must not overlap.
func (r *Report) AddNotice(origin, text string) {
	if len(r.Notices) >= maxProblems {
		r.NoticesOmitted++
		return
	}
	r.Notices = append(r.Notices, Notice{origin, text})
}

// account collects a report from many goroutines.
type account struct {
	mu sync.Mutex
	r  Report
}

func (a *account) problem(p Problem) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.r.AddProblem(p)
}

func (a *account) notice(origin, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.r.AddNotice(origin, text)
}

// partial notes what could not be read of an item that became a message.
func (a *account) partial(origin string, warnings []string) {
	if len(warnings) == 0 {
		return
	}
	for _, w := range warnings {
		a.notice(origin, w)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.r.Partial++
}

// outcome says how an item that is a message fared.
type outcome int

const (
	stored outcome = iota
	duplicate
	doneBefore
	quarantined
	excluded
)

func (a *account) item(o outcome, bytes int64, original bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if original {
		a.r.Originals++
	}
	switch o {
	case stored:
		a.r.Stored++
	case duplicate:
		a.r.Duplicate++
	case quarantined:
		a.r.Quarantined++
	case excluded:
		a.r.Excluded++
	case doneBefore:
		a.r.DoneBefore++
	}
	a.r.Bytes += bytes
}

func (a *account) report() *Report {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.r
	return &r
}
