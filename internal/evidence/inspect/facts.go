package inspect

import (
	"time"

	"github.com/muniment/muniment/internal/evidence/ers"
	"github.com/muniment/muniment/internal/evidence/tsp"
)

// Language of a report.
type Language string

// The languages.
const (
	English Language = "en"
	German  Language = "de"
)

// Languages lists all languages.
func Languages() []Language { return []Language{English, German} }

// Facts are what is known of one object and its proof.
type Facts struct {
	Object Object
	// Report is the verdict of the verifier. Nothing of it is changed.
	Report *ers.Report
	// Members are all that the bundle shows, as it shows them.
	Members []Member
	// Withheld are the names of members that were left out.
	Withheld []string
	// Anchors are the certificates that were trusted; Own says that they are only
	// those which the bundle itself brings.
	Anchors []Anchor
	Own     bool
	// Log is what is proven about the event log; nil: nothing was shown.
	Log *Log
	// Found is what the archive found out about the time stamps when they came, in their
	// order; nil: it is the verifier's answer that counts.
	Found []Found
	// At is the time of the verification.
	At time.Time
}

// Object is the archived object. Subject, From and Date are what the message says of
// itself; empty or zero if it does not, or is no message.
type Object struct {
	AOID    string
	Tenant  string // identifier
	Subject string
	From    string
	Date    time.Time
	Arrived time.Time // by the metadata; zero if they were withheld
	Message bool      // a mail, not another document
}

// Member is a part of the object.
type Member struct {
	Name    string // "original", "metadata" or "report"
	File    string
	Size    int64
	SHA256  string
	Covered bool // by the record
}

// Anchor is a certificate that was trusted.
type Anchor struct {
	Subject string
	SHA256  string
}

// Log is the proof that the arrival of the object is in the event log.
type Log struct {
	Problem string    `json:"problem,omitempty"` // why it does not hold; empty: it does
	Seq     int64     `json:"seq"`               // of the event, from 0
	Event   string    `json:"event"`             // e.g. "message.stored"
	Time    time.Time `json:"time,omitzero"`
	Size    int64     `json:"size"` // of the log in the checkpoint
	Signed  time.Time `json:"signed,omitzero"`
	Origin  string    `json:"origin"`
	Key     string    `json:"key"` // as programs that read signed notes want it
	// KeyKnown says that the key was compared with one from elsewhere.
	KeyKnown bool `json:"keyKnown"`
	// Binds says that the event was found to be about these very bytes.
	Binds bool `json:"binds"`
	// Stamped is the time stamp on the checkpoint itself; zero: it has none.
	Stamped time.Time `json:"stamped,omitzero"`
}

// Found is what the archive found out about a time stamp when it came.
type Found struct {
	Qualified tsp.Qualification
	Why       string
}

// Selection is what a bundle of many objects holds.
type Selection struct {
	Title   string // what was selected, e.g. the query
	At      time.Time
	Checked bool // the objects were verified, not only listed
	Objects int64
	Valid   int64
	Invalid int64
	Unsure  int64 // indeterminate
	First   time.Time
	Last    time.Time // range of the time stamps
	Test    bool
	Own     bool // trusted were only the certificates that the bundle brings
	Rows    []SelectionRow
	Beyond  int64 // objects that are not among Rows
	Left    []LeftOut
	// LeftBeyond are left out objects that are not in Left.
	LeftBeyond int64
	More       bool // the bundle is one of several volumes and not the last
}

// SelectionRow is an object of a selection.
type SelectionRow struct {
	AOID, Folder, From, Subject string
	Date, Proven                time.Time
	Valid, Unsure               bool // neither: invalid
}

// LeftOut is an object that could not be put in.
type LeftOut struct{ AOID, Reason string }
