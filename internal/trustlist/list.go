package trustlist

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"strconv"
	"time"

	"github.com/muniment/muniment/internal/evidence/brainpool"
)

// tsl is the namespace of trusted lists (TS 119 612 annex C).
const tsl = "http://uri.etsi.org/02231/v2#"

// List is a trusted list, or the list of the lists.
type List struct {
	SHA256    [32]byte // of its bytes
	Type      string   // TSLType
	Territory string   // two letters, e.g. "DE"
	Sequence  int64
	Issued    time.Time
	Next      time.Time // zero: it is closed, and there will be no other
	Services  []Service
	Pointers  []Pointer
	// Signer is who signed it, if SignatureError is nil or ErrSigner.
	Signer *x509.Certificate
	// SignatureError is why the list must not be believed: ErrUnsigned, ErrSignature
	// or ErrSigner; nil: a pinned certificate signed it.
	SignatureError error
}

// Service is a service of a trust service provider.
type Service struct {
	Provider string
	Name     string
	Entries  []Entry // what it is now first, then its history, as the list has it
}

// Entry is what a service is or was from a time on.
type Entry struct {
	Type         string // URI
	Status       string // URI
	Since        time.Time
	Certificates []*x509.Certificate // its digital identity
	// Keys are subject key identifiers, of entries of history without certificates.
	Keys [][]byte
}

// Pointer leads from a list to another one and says who signs that.
type Pointer struct {
	Location  string
	Territory string
	Signers   []*x509.Certificate
}

// Parse reads a list and checks its signature against pinned certificates. A list
// whose signature does not hold is returned as well: see List.SignatureError. ErrList
// for what is no list.
func Parse(b []byte, pinned []*x509.Certificate) (*List, error) {
	root, err := parse(b)
	if err != nil {
		return nil, err
	}
	if !root.is(tsl, "TrustServiceStatusList") {
		return nil, fmt.Errorf("%w: the root is %.60q", ErrList, root.local)
	}
	r := &reader{}
	l := &List{SHA256: sha256.Sum256(b)}
	if err := r.scheme(root, l); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	if all := root.path(tsl, "TrustServiceProviderList"); all != nil {
		for _, p := range all.all(tsl, "TrustServiceProvider") {
			if err := r.provider(p, l); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrList, err)
			}
		}
	}
	l.Signer, l.SignatureError = verifySignature(root, pinned)
	return l, nil
}

// SignersOf returns who may sign the list of a territory, as a list of lists says.
func (l *List) SignersOf(territory string) (list []*x509.Certificate) {
	for _, p := range l.Pointers {
		if p.Territory == territory {
			list = append(list, p.Signers...)
		}
	}
	return list
}

// reader reads a list within its bounds.
type reader struct{ certs, entries int }

func (r *reader) scheme(root *node, l *List) error {
	s := root.path(tsl, "SchemeInformation")
	if s == nil {
		return fmt.Errorf("there is no SchemeInformation")
	}
	l.Type, l.Territory = s.path(tsl, "TSLType").content(), s.path(tsl, "SchemeTerritory").content()
	var err error
	if l.Sequence, err = strconv.ParseInt(s.path(tsl, "TSLSequenceNumber").content(), 10, 64); err != nil {
		return fmt.Errorf("sequence number: %w", err)
	}
	if l.Issued, err = instant(s.path(tsl, "ListIssueDateTime")); err != nil {
		return fmt.Errorf("date of issue: %w", err)
	}
	if next := s.path(tsl, "NextUpdate", "dateTime"); next != nil {
		if l.Next, err = instant(next); err != nil {
			return fmt.Errorf("next update: %w", err)
		}
	}
	pointers := s.path(tsl, "PointersToOtherTSL")
	if pointers == nil {
		return nil
	}
	for _, p := range pointers.all(tsl, "OtherTSLPointer") {
		x := Pointer{Location: p.path(tsl, "TSLLocation").content()}
		if ids := p.path(tsl, "ServiceDigitalIdentities"); ids != nil {
			for _, id := range ids.all(tsl, "ServiceDigitalIdentity") {
				certs, _, err := r.identity(id)
				if err != nil {
					return err
				}
				x.Signers = append(x.Signers, certs...)
			}
		}
		if more := p.path(tsl, "AdditionalInformation"); more != nil {
			for _, o := range more.all(tsl, "OtherInformation") {
				if t := o.path(tsl, "SchemeTerritory"); t != nil {
					x.Territory = t.content()
				}
			}
		}
		l.Pointers = append(l.Pointers, x)
	}
	return nil
}

// instant reads an xs:dateTime in UTC.
func instant(n *node) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, n.content())
	return t.UTC(), err
}

func (r *reader) provider(p *node, l *List) error {
	name := first(p.path(tsl, "TSPInformation", "TSPName"))
	services := p.path(tsl, "TSPServices")
	if services == nil {
		return nil
	}
	for _, s := range services.all(tsl, "TSPService") {
		info := s.path(tsl, "ServiceInformation")
		if info == nil {
			continue
		}
		x := Service{Provider: name, Name: first(info.path(tsl, "ServiceName"))}
		list := []*node{info}
		if h := s.path(tsl, "ServiceHistory"); h != nil {
			list = append(list, h.all(tsl, "ServiceHistoryInstance")...)
		}
		for _, n := range list {
			e, err := r.entry(n)
			if err != nil {
				return fmt.Errorf("service %.100q of %.100q: %w", x.Name, name, err)
			}
			x.Entries = append(x.Entries, *e)
		}
		l.Services = append(l.Services, x)
	}
	return nil
}

// first is the first of names in several languages.
func first(n *node) string {
	if n == nil {
		return ""
	}
	return n.path(tsl, "Name").content()
}

func (r *reader) entry(n *node) (*Entry, error) {
	if r.entries++; r.entries > maxServices {
		return nil, fmt.Errorf("more than %d services", maxServices)
	}
	e := &Entry{Type: n.path(tsl, "ServiceTypeIdentifier").content(), Status: n.path(tsl, "ServiceStatus").content()}
	var err error
	if e.Since, err = instant(n.path(tsl, "StatusStartingTime")); err != nil {
		return nil, fmt.Errorf("since when: %w", err)
	}
	if id := n.path(tsl, "ServiceDigitalIdentity"); id != nil {
		e.Certificates, e.Keys, err = r.identity(id)
	}
	return e, err
}

// identity reads a digital identity. A certificate that cannot be read is left out:
// lists have some that are older than today's rules, and nothing can match them.
func (r *reader) identity(n *node) (certs []*x509.Certificate, keys [][]byte, err error) {
	for _, id := range n.all(tsl, "DigitalId") {
		if r.certs++; r.certs > maxCerts {
			return nil, nil, fmt.Errorf("more than %d identities", maxCerts)
		}
		if x := id.path(tsl, "X509Certificate"); x != nil {
			b, err := decode(x.content())
			if err != nil {
				continue
			}
			if c, err := brainpool.ParseCertificate(b); err == nil {
				certs = append(certs, c)
			}
		}
		if x := id.path(tsl, "X509SKI"); x != nil {
			if b, err := decode(x.content()); err == nil && len(b) >= 16 {
				keys = append(keys, b)
			}
		}
	}
	return certs, keys, nil
}
