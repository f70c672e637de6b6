package ers

import (
	"slices"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
)

// Action is what is to be done about a time stamp that is in use.
type Action string

// The actions.
const (
	Keep       Action = "keep"
	RenewStamp Action = "renew-stamp" // time-stamp renewal: a new stamp over the token
	RenewTree  Action = "renew-tree"  // hash-tree renewal: all data are read and hashed anew
)

// Reason is why.
type Reason string

// The reasons.
const (
	ByCertificate Reason = "certificate-ends"
	BySignature   Reason = "signature-algorithm-ends"
	ByHash        Reason = "hash-ends"
	ByRevocation  Reason = "authority-revoked"
	ByHand        Reason = "by-hand"
	NoReason      Reason = ""
)

// Held is what the scheduler knows about the newest stamp of a chain.
type Held struct {
	ID       string    // the caller's
	Hash     algo.Hash // of the tree
	GenTime  time.Time
	NotAfter time.Time  // tsp.Result.NotAfter; zero: unknown, then it is due
	Trust    algo.Trust // tsp.Result.Trust
	Revoked  bool       // the unit's certificate was revoked
	Forced   Action     // Keep or "" unless somebody has ordered a renewal
}

// Lead is how early a renewal is made (REN-5).
type Lead struct {
	Certificate time.Duration // before the unit's certificate ends
	Algorithm   time.Duration // before an algorithm ends
}

// DefaultLead is 12 months for certificates and 24 months for algorithms.
func DefaultLead() Lead {
	return Lead{Certificate: 365 * 24 * time.Hour, Algorithm: 2 * 365 * 24 * time.Hour}
}

// Due is a decision.
type Due struct {
	ID     string    `json:"id"`
	Action Action    `json:"action"`
	Reason Reason    `json:"reason,omitempty"`
	From   time.Time `json:"from,omitzero"` // when the renewal becomes due
	End    time.Time `json:"end,omitzero"`  // when it must be done; zero if nothing is known to end
}

// Decide says what is to be done about h now. If more than one thing ends, a
// hash-tree renewal goes first, as it renews the stamp too. A certificate that
// lives shorter than twice the lead is renewed after half of its life, or it
// would be renewed for ever; an algorithm that was within its lead when the
// stamp was made is renewed in the middle between then and its end, for the
// same reason.
func Decide(now time.Time, h Held, cat *algo.Catalogue, lead Lead) Due {
	if h.Forced == RenewTree || h.Forced == RenewStamp {
		return Due{ID: h.ID, Action: h.Forced, Reason: ByHand, From: now}
	}
	if h.Revoked { // what the stamp is still worth must be kept before more is known
		return Due{ID: h.ID, Action: RenewStamp, Reason: ByRevocation, From: now, End: now}
	}
	best := Due{ID: h.ID, Action: Keep}
	consider := func(action Action, reason Reason, end time.Time, lead time.Duration) {
		if end.IsZero() {
			return
		}
		from := end.Add(-lead)
		if half := h.GenTime.Add(end.Sub(h.GenTime) / 2); half.After(from) {
			from = half
		}
		switch {
		case best.End.IsZero(), due(from, now) && action == RenewTree, !due(best.From, now) && from.Before(best.From):
			best.Action, best.Reason, best.From, best.End = action, reason, from, end
		}
	}
	hash := cat.Hash(h.Hash)
	if !hash.Known {
		hash.Until = h.GenTime
	}
	if !h.Trust.Known {
		h.Trust.Until = h.GenTime
	}
	if h.NotAfter.IsZero() {
		h.NotAfter = h.GenTime
	}
	consider(RenewTree, ByHash, hash.Until, lead.Algorithm)
	consider(RenewStamp, BySignature, h.Trust.Until, lead.Algorithm)
	consider(RenewStamp, ByCertificate, h.NotAfter, lead.Certificate)
	if !due(best.From, now) {
		best.Action = Keep
	}
	return best
}

func due(from, now time.Time) bool { return !now.Before(from) }

// Plan decides about all, and returns what is due now first, then what comes
// next, by date.
func Plan(now time.Time, all []Held, cat *algo.Catalogue, lead Lead) []Due {
	var plan []Due
	for _, h := range all {
		plan = append(plan, Decide(now, h, cat, lead))
	}
	slices.SortStableFunc(plan, func(a, b Due) int {
		if (a.Action == Keep) != (b.Action == Keep) {
			if a.Action == Keep {
				return 1
			}
			return -1
		}
		return a.From.Compare(b.From)
	})
	return plan
}

// preference is the order in which hashes are chosen for new chains (ALG-2).
func preference() []algo.Hash {
	return []algo.Hash{algo.SHA256, algo.SHA512, algo.SHA3_512, algo.SHA3_256, algo.SHA384, algo.SHA3_384}
}

// NextHash returns the hash for a chain that is begun now: the first in the
// order SHA-256, SHA-512, SHA3-512, … that is trusted for at least margin more,
// and not among those that are avoided (the hashes of the object's earlier
// chains). False if there is none.
func NextHash(now time.Time, cat *algo.Catalogue, margin time.Duration, avoid ...algo.Hash) (algo.Hash, bool) {
	for _, h := range preference() {
		if !slices.Contains(avoid, h) && cat.Hash(h).At(now.Add(margin)) {
			return h, true
		}
	}
	return algo.Hash{}, false
}
