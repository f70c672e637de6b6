package evidence

import (
	"fmt"
	"slices"
)

// Verdict is how a verification ended. The values are ordered by gravity.
type Verdict uint8

// The verdicts, with the exit code of the verifier in brackets.
const (
	Valid         Verdict = iota // everything asked for is proven (0)
	Indeterminate                // nothing speaks against it, something is missing to prove it (2)
	Invalid                      // something is wrong (1)
)

// String returns "valid", "indeterminate" or "invalid".
func (v Verdict) String() string {
	switch v {
	case Valid:
		return "valid"
	case Indeterminate:
		return "indeterminate"
	case Invalid:
		return "invalid"
	}
	return fmt.Sprintf("verdict %d", uint8(v))
}

// MarshalText writes the verdict as String does.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (v *Verdict) UnmarshalText(b []byte) error {
	for w := Valid; w <= Invalid; w++ {
		if w.String() == string(b) {
			*v = w
			return nil
		}
	}
	return fmt.Errorf("unknown verdict %q", b)
}

// ExitCode returns 0, 1 or 2 for valid, invalid or indeterminate.
func (v Verdict) ExitCode() int {
	switch v {
	case Valid:
		return 0
	case Indeterminate:
		return 2
	}
	return 1
}

// Code names a finding or an error for machines. It never changes its meaning.
// It is an error itself, so that errors.Is(err, code) tells what went wrong.
type Code string

// Error returns the code.
func (c Code) Error() string { return string(c) }

// Finding is one thing that a verification has noticed.
type Finding struct {
	Code    Code    `json:"code"`
	Verdict Verdict `json:"verdict"`          // what it makes of the whole; Valid: a remark
	Chain   int     `json:"chain"`            // index of the archive time-stamp chain; -1: none
	Stamp   int     `json:"stamp"`            // index within the chain; -1: none
	Member  string  `json:"member,omitempty"` // name of the data it is about
	Detail  string  `json:"detail,omitempty"` // English, for experts
}

// Findings are in the order in which they were made.
type Findings []Finding

// Verdict returns the gravest verdict among the findings.
func (f Findings) Verdict() Verdict {
	v := Valid
	for _, x := range f {
		v = max(v, x.Verdict)
	}
	return v
}

// Has reports whether one of the findings has the code.
func (f Findings) Has(c Code) bool {
	return slices.ContainsFunc(f, func(x Finding) bool { return x.Code == c })
}
