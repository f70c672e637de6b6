package seal

import "time"

// Problem is why a batch got no time stamp.
type Problem struct {
	Code   string `json:"code"`   // an evidence.Code, or "internal"
	Detail string `json:"detail"` // English, for experts
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// Words of the verdict whether a time stamp is qualified (QTS-4): only a trusted list
// can say yes.
const (
	Yes     = "yes"
	No      = "no"
	Unknown = "unknown"
)

// Report is what a round has done.
type Report struct {
	Batches int   `json:"batches"` // new ones
	Objects int64 `json:"objects"` // in them
	Stamped int   `json:"stamped"` // batches that have their time stamp now
	Pending int   `json:"pending"` // batches that wait for theirs
	// Problem is why they wait; nil if none does.
	Problem *Problem `json:"problem,omitempty"`
	// NoAuthority says that nobody has set who gives time stamps: nothing was done.
	NoAuthority bool `json:"no_authority,omitempty"`
}

// Trial is what trying an authority has found.
type Trial struct {
	OK      bool     `json:"ok"`
	Problem *Problem `json:"problem,omitempty"`
	// What follows is of the time stamp that came; it is thrown away.
	GenTime   time.Time     `json:"gen_time,omitzero"`
	Skew      time.Duration `json:"skew,omitempty"` // its clock before ours
	Accuracy  time.Duration `json:"accuracy,omitempty"`
	Policy    string        `json:"policy,omitempty"`
	Signer    string        `json:"signer,omitempty"`
	Issuer    string        `json:"issuer,omitempty"`
	Until     time.Time     `json:"until,omitzero"` // when its certificate ends
	Statement bool          `json:"statement"`      // it states to be qualified
	Qualified string        `json:"qualified,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	Test      bool          `json:"test"` // of a test authority
	Missing   []string      `json:"missing,omitempty"`
	Remarks   []string      `json:"remarks,omitempty"`
}

// Spent is what an authority has given this month.
type Spent struct {
	Name      string
	Spent     int64
	Remaining int64 // -1: without limit
}
