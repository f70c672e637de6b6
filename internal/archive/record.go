package archive

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/catalog"
	"github.com/muniment/muniment/internal/uid"
)

// recordVersion is the version of the JSON below; docs/format.md, "Message
// metadata", specifies it.
const recordVersion = 1

// record is what the vault keeps beside a message, or alone for a later capture
// of it: all that cannot be parsed from the message again.
type record struct {
	Version int           `json:"v"`
	Capture captureRecord `json:"capture,omitzero"`
	// The rest is of the message and absent in the record of a later capture.
	Class    string          `json:"class,omitempty"`
	Category string          `json:"category,omitempty"`
	Tags     []string        `json:"tags,omitempty"`
	Document *documentRecord `json:"document,omitempty"` // nil: it is mail
	// Salt makes the digest in the event log tell nothing of an erased message.
	Salt string `json:"salt,omitempty"`

	Quarantine *quarantineRecord `json:"quarantine,omitempty"`
	// Decision is alone in its record, but for the version.
	Decision *decisionRecord `json:"decision,omitempty"`
	// Tombstone is alone in its record, but for the version.
	Tombstone *tombstoneRecord `json:"tombstone,omitempty"`
}

type captureRecord struct {
	ID         uid.ID       `json:"id"`
	Source     sourceRecord `json:"source"`
	ReceivedAt time.Time    `json:"received_at"`
	From       string       `json:"from,omitempty"`
	To         []string     `json:"to,omitempty"`
	Peer       string       `json:"peer,omitempty"`
	Origin     string       `json:"origin,omitempty"`
	Key        string       `json:"key"`

	Filing  *catalog.Filing  `json:"filing,omitempty"`
	Journal *catalog.Journal `json:"journal,omitempty"`
	Report  []pieceRecord    `json:"report,omitempty"`
	Hints   *catalog.Hints   `json:"hints,omitempty"`
}

// quarantineRecord says why a message went to quarantine.
type quarantineRecord struct {
	Reason string `json:"reason"`
}

// decisionRecord says what became of a message in quarantine.
type decisionRecord struct {
	State catalog.QuarantineState `json:"state"`
	At    time.Time               `json:"at"`
	By    string                  `json:"by,omitempty"`
	Note  string                  `json:"note,omitempty"`
}

func newQuarantineRecord(e *catalog.QuarantineEntry) *quarantineRecord {
	if e == nil {
		return nil
	}
	return &quarantineRecord{Reason: e.Reason}
}

type sourceRecord struct {
	ID   uid.ID `json:"id"`
	Kind string `json:"kind"`
	Name string `json:"name"`
}

func (r *record) encode() ([]byte, error) { return json.Marshal(r) }

func decodeRecord(b []byte) (*record, error) {
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("message metadata: %w", err)
	}
	if r.Version != recordVersion {
		return nil, fmt.Errorf("message metadata of version %d; this release reads %d", r.Version, recordVersion)
	}
	return &r, nil
}

func newCaptureRecord(p *pending) captureRecord {
	c, s := p.capture, p.source
	r := captureRecord{
		ID: c.ID, Source: sourceRecord{ID: s.ID, Kind: s.Kind, Name: s.Name}, ReceivedAt: c.ReceivedAt,
		From: c.EnvelopeFrom, To: c.EnvelopeTo, Peer: c.Peer, Origin: c.Origin, Key: hex.EncodeToString(c.Key[:]), Filing: c.Filing, Journal: c.Journal, Hints: c.Hints,
	}
	if w := p.sub.wrapped; w != nil {
		r.Report = w.report
	}
	return r
}

// capture turns the record back into a catalog row.
func (r *captureRecord) capture(tenant, aoid uid.ID) (*catalog.Capture, error) {
	c := &catalog.Capture{
		Tenant: tenant, ID: r.ID, AOID: aoid, Source: r.Source.ID, ReceivedAt: r.ReceivedAt,
		EnvelopeFrom: r.From, EnvelopeTo: r.To, Peer: r.Peer, Origin: r.Origin, Filing: r.Filing, Journal: r.Journal, Hints: r.Hints,
	}
	k, err := hex.DecodeString(r.Key)
	if err != nil || len(k) != len(c.Key) {
		return nil, fmt.Errorf("message metadata: capture %s has a bad key", r.ID)
	}
	copy(c.Key[:], k)
	return c, nil
}

// captureKey identifies what was offered: with an origin, the same item of the
// same source always has the same key, and so has the same journal report, which
// is unique by itself; without either every arrival is its own.
func captureKey(sub *Submission, id uid.ID, sum [32]byte) [32]byte {
	h := sha256.New()
	h.Write(sub.Source[:])
	h.Write(sum[:])
	switch {
	case sub.Origin != "":
		h.Write([]byte(sub.Origin))
		if sub.Document != nil { // the same file of the same name may be given by several
			id := (*documentRecord)(sub.Document).identity(sum)
			h.Write(id[:])
		}
	case sub.wrapped != nil && sub.wrapped.journal.SHA256 != "":
		h.Write([]byte(sub.wrapped.journal.SHA256))
	default:
		h.Write(id[:])
	}
	return [32]byte(h.Sum(nil))
}

func newSalt() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// storedDigest is the digest of the event "message.stored".
func storedDigest(salt string, sum [32]byte) string {
	h := sha256.New()
	h.Write([]byte(salt))
	h.Write(sum[:])
	return hex.EncodeToString(h.Sum(nil))
}
