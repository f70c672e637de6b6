package algo

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

//go:embed catalogue.json
var shipped []byte

// Catalogue says until when each algorithm is trusted (in the sense of RFC 5698,
// in a simpler form). It is not changed after it was read.
type Catalogue struct {
	Issued     string  `json:"issued"` // date
	Source     string  `json:"source"`
	Hashes     []Entry `json:"hashes"`
	Signatures []Entry `json:"signatures"`
}

// Entry is the end of one algorithm.
type Entry struct {
	Name  string `json:"name"`
	Bits  int    `json:"bits,omitempty"`  // length of the key from which on the entry holds
	Until string `json:"until,omitempty"` // first day it is no longer trusted; "" if no end is known
}

// maxCatalogue is the most bytes of a catalogue.
const maxCatalogue = 1 << 20

// Shipped returns the catalogue that is part of the program. It must not be
// changed.
func Shipped() *Catalogue { return parseShipped() }

var parseShipped = sync.OnceValue(func() *Catalogue {
	c, err := ParseCatalogue(shipped)
	if err != nil {
		panic(err) // a test reads it
	}
	return c
})

// ParseCatalogue reads a catalogue and checks that every date is one and every
// hash is known.
func ParseCatalogue(b []byte) (*Catalogue, error) {
	if len(b) > maxCatalogue {
		return nil, fmt.Errorf("catalogue of algorithms: more than %d bytes", maxCatalogue)
	}
	c := &Catalogue{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(c); err != nil {
		return nil, fmt.Errorf("catalogue of algorithms: %w", err)
	}
	for _, e := range append(c.Hashes[:len(c.Hashes):len(c.Hashes)], c.Signatures...) {
		if e.Until == "" {
			continue
		}
		if _, err := time.Parse(time.DateOnly, e.Until); err != nil {
			return nil, fmt.Errorf("catalogue of algorithms: %s: %w", e.Name, err)
		}
	}
	for _, e := range c.Hashes {
		if _, err := HashByName(e.Name); err != nil {
			return nil, fmt.Errorf("catalogue of algorithms: %w", err)
		}
	}
	return c, nil
}

// Trust is what a catalogue says about one algorithm.
type Trust struct {
	Known bool      `json:"known"`          // whether the catalogue lists it
	Until time.Time `json:"until,omitzero"` // zero if no end is known
}

// At reports whether the algorithm is trusted at t.
func (t Trust) At(at time.Time) bool {
	return t.Known && (t.Until.IsZero() || at.Before(t.Until))
}

// Earlier returns the trust in two algorithms that are used together.
func (t Trust) Earlier(u Trust) Trust {
	switch {
	case !t.Known || !u.Known:
		return Trust{}
	case t.Until.IsZero() || !u.Until.IsZero() && u.Until.Before(t.Until):
		return u
	}
	return t
}

// Hash returns the trust in h.
func (c *Catalogue) Hash(h Hash) Trust {
	for _, e := range c.Hashes {
		if e.Name == h.String() {
			return e.trust()
		}
	}
	return Trust{}
}

// Signature returns the trust in signatures by the scheme with keys of that
// many bits, whatever their hash is.
func (c *Catalogue) Signature(s Scheme, bits int) Trust {
	best, found := Entry{}, false
	for _, e := range c.Signatures {
		if e.Name == string(s) && e.Bits <= bits && (!found || e.Bits > best.Bits) {
			best, found = e, true
		}
	}
	if !found {
		return Trust{}
	}
	return best.trust()
}

func (e Entry) trust() Trust {
	t := Trust{Known: true}
	if e.Until != "" {
		t.Until, _ = time.Parse(time.DateOnly, e.Until) // ParseCatalogue has checked it
	}
	return t
}
