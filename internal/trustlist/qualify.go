package trustlist

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/muniment/muniment/internal/evidence/algo"
)

// Verdict says whether a time stamp is a qualified one.
type Verdict string

// Verdicts.
const (
	Qualified     Verdict = "qualified"
	NotQualified  Verdict = "not-qualified"
	NotDetermined Verdict = "not-determined"
)

// Reason is why. Reasons never change their meaning.
type Reason string

// Reasons.
const (
	ReasonGranted        Reason = "granted"         // qualified: listed, and granted when the stamp was made
	ReasonNotGranted     Reason = "not-granted"     // not qualified: listed, but not granted then
	ReasonNotListed      Reason = "not-listed"      // not qualified: the list of its country does not have it
	ReasonNoList         Reason = "no-list"         // not determined: there is no list
	ReasonOtherTerritory Reason = "other-territory" // not determined: there is no list of its country
	ReasonUnsigned       Reason = "list-unsigned"   // not determined
	ReasonSignature      Reason = "list-signature"  // not determined: the list's signature does not hold
	ReasonSigner         Reason = "list-signer"     // not determined: nobody who is pinned has signed it
	ReasonStale          Reason = "list-stale"      // not determined: the list should have been replaced
	ReasonTime           Reason = "time"            // not determined: the stamp is of the future
)

// Names of TS 119 612 §5.5.1, §5.5.4.
const (
	qtst       = "http://uri.etsi.org/TrstSvc/Svctype/TSA/QTST"
	status     = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/"
	oldStatus  = "http://uri.etsi.org/TrstSvc/Svcstatus/"
	oldStatus2 = "http://uri.etsi.org/TrstSvc/eSigDir-1999-93-EC-TrustedList/Svcstatus/"
)

// granted reports whether a status meant that the service is qualified: "granted",
// and before eIDAS "accredited" and those under supervision.
func granted(uri string) bool {
	for _, prefix := range []string{status, oldStatus, oldStatus2} {
		if name, ok := strings.CutPrefix(uri, prefix); ok {
			switch strings.ToLower(name) {
			case "granted", "accredited", "undersupervision", "supervisionincessation":
				return true
			}
		}
	}
	return false
}

// Match is what decided, to be kept with the time stamp (QTS-4).
type Match struct {
	Verdict  Verdict
	Reason   Reason
	At       time.Time // of the decision
	List     Snapshot  // zero: there was none
	Provider string
	Service  string
	Status   string // URI; of the entry that was in force at the time of the stamp
	Since    time.Time
}

// Snapshot names the list that a decision rests on.
type Snapshot struct {
	SHA256    [32]byte
	Territory string
	Sequence  int64
	Issued    time.Time
	Next      time.Time
}

// Set are the lists that are at hand.
type Set struct {
	Lists []*List
	Now   func() time.Time // nil: the system's clock
}

// Qualify decides on the time-stamping unit that made a time stamp at genTime. chain
// are certificates of authorities above it, in any order. The token must carry the
// statement of a qualified time stamp besides (QTS-1): without, it is not one,
// whatever the lists say.
func (s *Set) Qualify(tsu *x509.Certificate, chain []*x509.Certificate, genTime time.Time) (Verdict, Reason) {
	m := s.Match(tsu, chain, genTime)
	return m.Verdict, m.Reason
}

// Match is Qualify with all that it rests on.
func (s *Set) Match(tsu *x509.Certificate, chain []*x509.Certificate, genTime time.Time) Match {
	now := time.Now()
	if s.Now != nil {
		now = s.Now()
	}
	best := Match{Verdict: NotDetermined, Reason: ReasonNoList, At: now.UTC()}
	if genTime.After(now) {
		best.Reason = ReasonTime
		return best
	}
	if len(s.Lists) > 0 {
		best.Reason = ReasonOtherTerritory
	}
	issuers := issuersOf(tsu, chain)
	for _, l := range s.Lists {
		m := Match{Verdict: NotDetermined, At: best.At, List: Snapshot{l.SHA256, l.Territory, l.Sequence, l.Issued, l.Next}}
		found := l.find(&m, issuers, genTime)
		switch reason := l.usable(now); {
		case !found && !l.isHome(tsu):
			continue // says nothing about it
		case reason != "":
			m.Reason = reason
		case !found:
			m.Verdict, m.Reason = NotQualified, ReasonNotListed
		case granted(m.Status):
			m.Verdict, m.Reason = Qualified, ReasonGranted
			return m
		default:
			m.Verdict, m.Reason = NotQualified, ReasonNotGranted
		}
		if better(m, best) {
			best = m
		}
	}
	return best
}

// better prefers what says more: an entry over none, a verdict over none.
func better(m, than Match) bool {
	rank := func(x Match) int {
		switch {
		case x.Verdict != NotDetermined && x.Service != "":
			return 3
		case x.Reason != ReasonNoList && x.Reason != ReasonOtherTerritory && x.Verdict == NotDetermined:
			return 2
		case x.Verdict != NotDetermined:
			return 1
		}
		return 0
	}
	return rank(m) > rank(than)
}

// usable returns why a list must not be believed now; empty: it may.
func (l *List) usable(now time.Time) Reason {
	switch {
	case errors.Is(l.SignatureError, ErrUnsigned):
		return ReasonUnsigned
	case errors.Is(l.SignatureError, ErrSigner):
		return ReasonSigner
	case l.SignatureError != nil:
		return ReasonSignature
	case l.Next.IsZero() || !now.Before(l.Next) || now.Before(l.Issued):
		return ReasonStale
	}
	return ""
}

// isHome reports whether a list is that of the country in the certificate.
func (l *List) isHome(tsu *x509.Certificate) bool {
	country := map[string]string{"EL": "GR", "UK": "GB"}[l.Territory]
	if country == "" {
		country = l.Territory
	}
	return slices.ContainsFunc(append(slices.Clone(tsu.Subject.Country), tsu.Issuer.Country...), func(c string) bool { return strings.EqualFold(c, country) })
}

// maxChain bounds a chain.
const maxChain = 10

// issuersOf returns the unit's certificate and those that signed it, upward. Who
// signed is checked, not believed.
func issuersOf(tsu *x509.Certificate, chain []*x509.Certificate) []*x509.Certificate {
	out := []*x509.Certificate{tsu}
	for len(out) < maxChain {
		last := out[len(out)-1]
		i := slices.IndexFunc(chain, func(c *x509.Certificate) bool {
			return !slices.ContainsFunc(out, c.Equal) && bytes.Equal(c.RawSubject, last.RawIssuer) && mayIssue(c) && algo.VerifySigned(c, last.Raw) == nil
		})
		if i < 0 {
			break
		}
		out = append(out, chain[i])
	}
	return out
}

// mayIssue reports whether a certificate is one of an authority that may sign others
// (RFC 5280 §4.2.1.3, §4.2.1.9).
func mayIssue(c *x509.Certificate) bool {
	return (c.IsCA || c.Version < 3 && !c.BasicConstraintsValid) && (c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageCertSign != 0)
}

// find looks for the service of qualified time stamps whose identity is one of the
// certificates, and takes what it was at a time. One that was granted is preferred.
func (l *List) find(m *Match, certs []*x509.Certificate, at time.Time) bool {
	found := false
	for i := range l.Services {
		s := &l.Services[i]
		e := s.at(at)
		listed := slices.ContainsFunc(s.Entries, func(e Entry) bool { return e.Type == qtst }) && s.isOf(certs)
		if !listed || found && granted(m.Status) {
			continue
		}
		found = true
		m.Provider, m.Service, m.Status, m.Since = s.Provider, s.Name, "", time.Time{}
		if e != nil && e.Type == qtst { // else it was not one yet
			m.Status, m.Since = e.Status, e.Since
		}
	}
	return found
}

// at returns the entry in force at a time; nil: the service was not listed yet.
func (s *Service) at(at time.Time) *Entry {
	var best *Entry
	for i := range s.Entries {
		e := &s.Entries[i]
		if !e.Since.After(at) && (best == nil || e.Since.After(best.Since)) {
			best = e
		}
	}
	return best
}

// isOf reports whether one of the certificates is the service's digital identity:
// the same key under the same name (TS 119 612 §5.5.3). What stands in its history
// without a certificate is the same service's.
func (s *Service) isOf(certs []*x509.Certificate) bool {
	for _, e := range s.Entries {
		for _, id := range e.Certificates {
			for _, c := range certs {
				if bytes.Equal(id.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo) && bytes.Equal(id.RawSubject, c.RawSubject) {
					return true
				}
			}
		}
	}
	return false
}
