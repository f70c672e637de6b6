package retention

import "time"

// Verdict is the answer to whether something may be deleted.
type Verdict string

// Verdicts.
const (
	// Due: its period is over; no reason is needed.
	Due Verdict = "due"
	// Early: its period runs, and there is a reason to delete it all the same.
	Early Verdict = "early"
	// NoReason: its period runs, and nobody says why it should go: it stays (DEL-1).
	NoReason Verdict = "no-reason"
	// Held: a hold is on it. It stays whatever the period and the reason are (RET-6).
	Held Verdict = "held"
)

// Allows reports whether deletion may go on.
func (v Verdict) Allows() bool { return v == Due || v == Early }

// Decide says whether something may be deleted now: due is when its period is over,
// holds is how many holds are on it, reason is why it should go. Whoever deletes early
// needs a second person besides, which is not decided here.
func Decide(now, due time.Time, holds int, reason string) Verdict {
	switch {
	case holds > 0:
		return Held
	case !due.IsZero() && !now.Before(due):
		return Due
	case reason != "":
		return Early
	}
	return NoReason
}
