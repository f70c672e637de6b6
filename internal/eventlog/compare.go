package eventlog

import (
	"cmp"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Verdict is the outcome of a comparison.
type Verdict string

// Verdicts.
const (
	Valid         Verdict = "valid"         // it is proven
	Invalid       Verdict = "invalid"       // it is refuted, or what was handed in is not genuine
	Indeterminate Verdict = "indeterminate" // something is missing that would decide it
)

// Code names what a comparison has found. Codes never change their meaning.
type Code string

// Codes.
const (
	CodeUnreadable     Code = "unreadable"      // invalid: a file is not in its form
	CodeSignature      Code = "signature"       // invalid: a signature does not hold
	CodeOtherLog       Code = "other-log"       // invalid: the receipts are of different logs
	CodeKeyUnconnected Code = "key-unconnected" // invalid: no change of keys leads from one key to the other
	CodeKeyUntrusted   Code = "key-untrusted"   // invalid: the key is not the one that was handed in as trusted
	CodeShorter        Code = "shorter"         // invalid: the log was longer before
	CodeRewritten      Code = "rewritten"       // invalid: the later log does not begin with the earlier one
	CodeProofMissing   Code = "proof-missing"   // indeterminate: neither proof nor log
	CodeAlone          Code = "alone"           // indeterminate: there is nothing to compare with
)

// verdict is what a finding means for the whole.
func (c Code) verdict() Verdict {
	if c == CodeProofMissing || c == CodeAlone {
		return Indeterminate
	}
	return Invalid
}

// Finding is one reason for a verdict that is not Valid.
type Finding struct {
	Code Code   `json:"code"`
	Text string `json:"text"` // English, for people
}

// ComparedReceipt is what a receipt says.
type ComparedReceipt struct {
	Name string    `json:"name"` // as the caller calls it
	Size int64     `json:"size"`
	Root string    `json:"root"` // base64
	Time time.Time `json:"time"`
	Day  string    `json:"day,omitempty"`
	Zone string    `json:"zone,omitempty"`
	Key  string    `json:"key"`
	open *OpenReceipt
}

// Comparison is the answer to: was the log only appended to between the receipts?
type Comparison struct {
	Verdict Verdict `json:"verdict"`
	Origin  string  `json:"origin,omitempty"`
	// KeyTrusted: the key is the one that was handed in as trusted, or one that
	// changes of keys lead to from there. Without, it is known only that all
	// receipts are of the same installation, not whose that is.
	KeyTrusted bool              `json:"key_trusted"`
	Receipts   []ComparedReceipt `json:"receipts"` // by size
	Findings   []Finding         `json:"findings"`
}

// Named is a receipt under the name the caller knows it by.
type Named struct {
	Name    string
	Receipt *Receipt
}

// Evidence is what decides about the log between receipts.
type Evidence struct {
	Proofs []*ConsistencyProof
	// Log is a whole log that was read with the sizes of all receipts; nil: none.
	Log *Export
	// Key is the key that is trusted; nil: see Comparison.KeyTrusted.
	Key ed25519.PublicKey
}

// Compare decides whether receipts belong to one log that was only ever appended
// to: whether nothing that an earlier receipt covers was removed, inserted, changed
// or reordered until the last one.
func Compare(receipts []Named, e Evidence) *Comparison {
	c := &Comparison{Verdict: Valid, Receipts: []ComparedReceipt{}, Findings: []Finding{}}
	for _, r := range receipts {
		o, err := r.Receipt.Open()
		if err != nil {
			code := CodeUnreadable
			if errors.Is(err, ErrSignature) {
				code = CodeSignature
			}
			c.find(code, "%s: %v", r.Name, err)
			continue
		}
		c.add(r.Name, o)
	}
	if e.Log != nil {
		c.add("log", e.Log.Receipt)
	}
	if len(c.Findings) > 0 {
		return c
	}
	if len(c.Receipts) < 2 {
		c.find(CodeAlone, "one receipt alone proves nothing about what came later: hand in another one, or an exported log")
		return c
	}
	slices.SortStableFunc(c.Receipts, func(a, b ComparedReceipt) int {
		return cmp.Or(cmp.Compare(a.Size, b.Size), a.Time.Compare(b.Time))
	})
	c.Origin = c.Receipts[0].open.Origin
	c.keys(e.Key)
	for i := range c.Receipts[1:] {
		c.pair(&c.Receipts[i], &c.Receipts[i+1], e)
	}
	return c
}

func (c *Comparison) add(name string, o *OpenReceipt) {
	c.Receipts = append(c.Receipts, ComparedReceipt{Name: name, Size: o.Head.Size, Root: o.Head.Root.String(), Time: o.Time.UTC(), Day: o.Day, Zone: o.Zone,
		Key: VerifierKey(o.Origin, o.Key), open: o})
}

func (c *Comparison) find(code Code, format string, args ...any) {
	c.Findings = append(c.Findings, Finding{code, fmt.Sprintf(format, args...)})
	if c.Verdict != Invalid {
		c.Verdict = code.verdict()
	}
}

// Add takes in what somebody else has found about the receipts.
func (c *Comparison) Add(code Code, v Verdict, text string) {
	c.Findings = append(c.Findings, Finding{code, text})
	if c.Verdict != Invalid && v != Valid {
		c.Verdict = v
	}
}

// keys compares the keys of all receipts with those of the one that knows most.
func (c *Comparison) keys(trusted ed25519.PublicKey) {
	last := slices.MaxFunc(c.Receipts, func(a, b ComparedReceipt) int { return cmp.Compare(len(a.open.keys), len(b.open.keys)) })
	for _, r := range c.Receipts {
		if r.open.Origin != c.Origin {
			c.find(CodeOtherLog, "%s is of the log %s, %s of %s", r.Name, r.open.Origin, c.Receipts[0].Name, c.Origin)
		}
		for _, k := range r.open.keys {
			if !last.open.Knows(k) {
				c.find(CodeKeyUnconnected, "%s and %s are signed by different keys, and no signed change leads from one to the other", r.Name, last.Name)
				break
			}
		}
	}
	if trusted == nil {
		return
	}
	if !last.open.Knows(trusted) {
		c.find(CodeKeyUntrusted, "the receipts are not signed by the trusted key, nor by one that it has named as its successor")
	}
	c.KeyTrusted = len(c.Findings) == 0
}

// pair compares two neighbours by size.
func (c *Comparison) pair(a, b *ComparedReceipt, e Evidence) {
	from, to := a.open.Head, b.open.Head
	if a.open.Origin != b.open.Origin {
		return // told of
	}
	if b.Time.Before(a.Time) && from.Size < to.Size {
		c.find(CodeShorter, "%s has %d events at %s, and %s only %d later, at %s: a log never gets shorter, unless the clock of the archive was set back",
			b.Name, b.Size, b.Time.Format(time.RFC3339), a.Name, a.Size, a.Time.Format(time.RFC3339))
		return
	}
	rewritten := func(why string) {
		c.find(CodeRewritten, "the log of %s (%d events) does not begin with the log of %s (%d events): %s", b.Name, b.Size, a.Name, a.Size, why)
	}
	switch {
	case from.Size == to.Size:
		if from.Root != to.Root {
			rewritten("as many events, but not the same")
		}
	case e.Log != nil && e.Log.Receipt.Head.Size >= to.Size:
		if e.Log.Heads[from.Size] != from {
			rewritten("the exported log has other events before the " + a.Name)
		}
		if e.Log.Heads[to.Size] != to {
			rewritten("the exported log has other events before the " + b.Name)
		}
	case from.Size == 0:
		if err := CheckConsistency(from, to, nil); err != nil {
			rewritten(err.Error())
		}
	default:
		i := slices.IndexFunc(e.Proofs, func(p *ConsistencyProof) bool { return p.Origin == c.Origin && p.From == from.Size && p.To == to.Size })
		if i < 0 {
			c.find(CodeProofMissing, "a proof from %d to %d events, or the exported log, is needed to compare %s with %s", a.Size, b.Size, a.Name, b.Name)
		} else if err := CheckConsistency(from, to, e.Proofs[i].Hashes); err != nil {
			rewritten("the proof does not hold. If the proof may be damaged, get a new one, or the exported log")
		}
	}
}
