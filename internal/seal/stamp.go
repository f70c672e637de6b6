package seal

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/muniment/muniment/internal/evidence/brainpool"
	"github.com/muniment/muniment/internal/uid"
)

// stampVersion is the version of the JSON of a stamp.
const stampVersion = 1

// Stamp is a time stamp on the root of a batch, with what its verification needs.
type Stamp struct {
	Version int    `json:"v"`
	Batch   uid.ID `json:"batch"`
	Number  int    `json:"number"` // 1: the first; the others renew it
	// Token is the RFC 3161 token, DER. It never changes: renewals hash it.
	Token []byte `json:"token"`
	// Sidecar is what is kept beside the token, in the form of package tsp; DER.
	Sidecar []byte `json:"sidecar,omitempty"`
	// Anchors are the certificates that were trusted when it was accepted, DER.
	Anchors   [][]byte  `json:"anchors,omitempty"`
	Authority string    `json:"authority"`
	URL       string    `json:"url,omitempty"`
	At        time.Time `json:"at"`       // when it was received, by this computer
	GenTime   time.Time `json:"gen_time"` // as in the token
	Until     time.Time `json:"until"`    // when the first certificate of its path ends
	Policy    string    `json:"policy"`
	Test      bool      `json:"test,omitempty"` // of a test authority: proves nothing to others
	Qualified string    `json:"qualified"`      // yes, no or unknown, at that time
	Reason    string    `json:"reason,omitempty"`
	Missing   []string  `json:"missing,omitempty"` // revocation data that could not be had
}

// Encode writes the object.
func (s *Stamp) Encode() ([]byte, error) {
	s.Version = stampVersion
	return guard(s)
}

// ParseStamp reads the stamp of a batch. ErrDamaged.
func ParseStamp(b []byte, batch uid.ID, number int) (*Stamp, error) {
	s := &Stamp{}
	if err := unguard(b, s); err != nil {
		return nil, err
	}
	if s.Version != stampVersion || s.Batch != batch || s.Number != number {
		return nil, fmt.Errorf("%w: stamp %d of batch %s, version %d, is in the place of stamp %d of batch %s", ErrDamaged, s.Number, s.Batch, s.Version, number, batch)
	}
	return s, nil
}

// Certificates reads Anchors.
func (s *Stamp) Certificates() ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for _, raw := range s.Anchors {
		c, err := brainpool.ParseCertificate(raw)
		if err != nil {
			return nil, fmt.Errorf("stamp %d of batch %s: %w", s.Number, s.Batch, err)
		}
		list = append(list, c)
	}
	return list, nil
}
